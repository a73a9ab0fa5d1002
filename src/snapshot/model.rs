//! The shape of a snapshot, and of the file that holds one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The version of the file's shape.
pub const API_VERSION: &str = "kubectl-mage/v1";
/// What the file calls itself.
pub const KIND: &str = "Snapshot";

/// A list that could be read, or none where it could not: [`Snapshot::unreadable`] says why.
pub type Listing<T> = Option<Vec<T>>;

/// What a cluster says about configuration.
///
/// Lists are sorted by name; there is no time of its own, no UID, no resource version and no
/// secret in it, so that the same state of a cluster gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// [`API_VERSION`].
    pub api_version: String,
    /// [`KIND`].
    pub kind: String,
    /// What the kubeconfig's context says.
    pub context: ContextFacts,
    /// The Mage server's pod, and how it was found.
    pub server_pod: ServerSearch,
    /// The API server's version, `v1.33.1`.
    pub server_version: Option<String>,
    /// The namespaces that exist; none where they may not be listed, then those of
    /// [`Snapshot::namespaces`] say so themselves.
    pub existing_namespaces: Option<BTreeSet<String>>,
    /// The nodes.
    pub nodes: Listing<NodeFacts>,
    /// The priority classes.
    pub priority_classes: Listing<PriorityClassFacts>,
    /// The runtime classes' names.
    pub runtime_classes: Listing<String>,
    /// The storage classes.
    pub storage_classes: Listing<StorageClassFacts>,
    /// The namespaces that were asked: those of the project's Jobs, of `-n` and of the server's pod.
    pub namespaces: BTreeMap<String, NamespaceFacts>,
    /// What could not be read, and the verb that is missing.
    pub unreadable: Vec<Unreadable>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            context: ContextFacts::default(),
            server_pod: ServerSearch::default(),
            server_version: None,
            existing_namespaces: None,
            nodes: None,
            priority_classes: None,
            runtime_classes: None,
            storage_classes: None,
            namespaces: BTreeMap::new(),
            unreadable: Vec::new(),
        }
    }
}

/// What the kubeconfig's context says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContextFacts {
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
}

/// The Mage server's pod, and how it was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerSearch {
    /// The namespaces that were looked through, in order, up to the one in which it was found.
    pub namespaces: Vec<String>,
    /// The pod, as far as a Job can inherit from it; its command is reduced to `mage start PROJECT`.
    pub pod: Option<Json>,
    /// Why this one, where there were several: `newest ready scheduler`.
    pub chosen_as: Option<String>,
    /// Other pods of Mage that were passed over.
    pub passed_over: Vec<PassedOver>,
    /// Namespaces that could not be looked through, and why.
    pub refused: Vec<String>,
    /// What `MAGE_CONTAINER_NAME` is in the pod; it may name no container.
    pub container_name: Option<String>,
    /// The container whose environment was followed.
    pub container: Option<String>,
    /// Variables of that container that come from ConfigMaps and Secrets.
    pub variables: Vec<Variable>,
    /// The template and policy files that its environment names.
    pub files: Vec<PodFile>,
    /// Fields of the pod whose values are masked, `spec.containers[0].env[3].value`.
    pub masked: Vec<String>,
}

/// A pod of Mage that was not chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PassedOver {
    /// Its name.
    pub name: String,
    /// What it is: `ready`, `not ready`, `terminating`, with its part where it has one.
    pub state: String,
}

/// A variable that comes from another object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variable {
    /// Its name; empty where all the variables of an object are unknown (`envFrom`).
    pub name: String,
    /// Where it comes from, `configmap/NAME:KEY`.
    pub object: String,
    /// Its value; none where it could not be read, is withheld, or does not exist.
    pub value: Option<String>,
    /// Why there is no value.
    pub why: Option<String>,
    /// Whether it comes by `envFrom`, which `env` beats.
    pub env_from: bool,
    /// Whether the value is masked or left out because it is secret.
    pub masked: bool,
    /// When the object's data was last changed, where that was after the pod started.
    pub changed_at: Option<String>,
}

/// A file in the server's pod that its environment names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodFile {
    /// Its path in the pod.
    pub path: String,
    /// What is mounted there, `configmap/NAME:KEY`.
    pub object: Option<String>,
    /// Its text; none where it could not be read.
    pub text: Option<String>,
    /// Why there is no text.
    pub why: Option<String>,
    /// When the object's data was last changed, where that was after the pod started and the
    /// file is mounted with `subPath`, so that the pod does not see the change.
    pub changed_at: Option<String>,
    /// Values in the text that are masked.
    pub masked: Vec<Place>,
}

/// A place in a text, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column, in Unicode code points.
    pub column: u32,
}

/// What a namespace says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceFacts {
    /// Whether it exists; none where that may not be asked.
    pub exists: Option<bool>,
    /// Its `pod-security.kubernetes.io/` labels.
    pub pod_security: BTreeMap<String, String>,
    /// The `spec.limits` of its limit ranges, by name.
    pub limit_ranges: Option<BTreeMap<String, Json>>,
    /// Its quotas.
    pub quotas: Listing<QuotaFacts>,
    /// Its service accounts.
    pub service_accounts: Listing<ServiceAccountFacts>,
    /// Its claims of volumes.
    pub claims: Listing<ClaimFacts>,
    /// The names of its ConfigMaps.
    pub config_maps: Option<BTreeSet<String>>,
    /// The names of its Secrets.
    pub secrets: Option<BTreeSet<String>>,
}

/// A `ResourceQuota`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaFacts {
    /// Its name.
    pub name: String,
    /// The most of each resource, as quantities.
    pub hard: BTreeMap<String, String>,
    /// The scopes it is limited to, such as `NotTerminating`.
    pub scopes: Vec<String>,
    /// Its `scopeSelector`.
    pub scope_selector: Option<Json>,
}

/// A service account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceAccountFacts {
    /// Its name.
    pub name: String,
    /// The names of the Secrets that its pods pull images with.
    pub image_pull_secrets: Vec<String>,
}

/// A `PersistentVolumeClaim`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimFacts {
    /// Its name.
    pub name: String,
    /// `ReadWriteMany`, …
    pub access_modes: Vec<String>,
    /// Its storage class.
    pub storage_class: Option<String>,
    /// `Bound`, `Pending` or `Lost`.
    pub phase: Option<String>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeFacts {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it has for pods, as quantities.
    pub allocatable: BTreeMap<String, String>,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// Whether it takes no new pods.
    pub unschedulable: bool,
}

/// A node's taint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// A priority class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriorityClassFacts {
    /// Its name.
    pub name: String,
    /// Its priority.
    pub value: i64,
    /// Whether it is the one of pods that name none.
    pub global_default: bool,
}

/// A storage class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageClassFacts {
    /// Its name.
    pub name: String,
    /// Who makes its volumes.
    pub provisioner: String,
    /// `WaitForFirstConsumer` or `Immediate`.
    pub volume_binding_mode: Option<String>,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unreadable {
    /// The verb that is missing.
    pub verb: String,
    /// The resource, with its group where it has one: `limitranges`, `priorityclasses.scheduling.k8s.io`.
    pub resource: String,
    /// The namespace; none for what is in no namespace.
    pub namespace: Option<String>,
    /// The server's words.
    pub why: String,
}
