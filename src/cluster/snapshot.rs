//! Reads what a cluster says about configuration. Of Secrets and ConfigMaps only the metadata is
//! asked for, so that no value of theirs crosses the wire.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use kube::api::{GetParams, ListParams};
use kube::core::Request;
use serde::Deserialize;
use serde_json::Value as Json;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use crate::snapshot::{
    ClaimFacts, NamespaceFacts, NodeFacts, PriorityClassFacts, QuotaFacts, ServiceAccountFacts,
    Snapshot, StorageClassFacts, Taint, Unreadable,
};

/// How many objects one answer holds at most.
const PAGE: u32 = 500;

/// What is asked about: a resource, where it is, and in which form.
#[derive(Clone, Copy)]
struct Resource {
    plural: &'static str,
    group: &'static str,
    version: &'static str,
    metadata_only: bool,
}

const fn resource(plural: &'static str, group: &'static str) -> Resource {
    Resource { plural, group, version: "v1", metadata_only: false }
}

const fn names_of(plural: &'static str) -> Resource {
    Resource { plural, group: "", version: "v1", metadata_only: true }
}

const NAMESPACES: Resource = resource("namespaces", "");
const NODES: Resource = resource("nodes", "");
const PRIORITY_CLASSES: Resource = resource("priorityclasses", "scheduling.k8s.io");
const RUNTIME_CLASSES: Resource =
    Resource { metadata_only: true, ..resource("runtimeclasses", "node.k8s.io") };
const STORAGE_CLASSES: Resource = resource("storageclasses", "storage.k8s.io");
const LIMIT_RANGES: Resource = resource("limitranges", "");
const QUOTAS: Resource = resource("resourcequotas", "");
const ACCOUNTS: Resource = resource("serviceaccounts", "");
const CLAIMS: Resource = resource("persistentvolumeclaims", "");
const CONFIG_MAPS: Resource = names_of("configmaps");
const SECRETS: Resource = names_of("secrets");

impl Resource {
    fn path(self, namespace: Option<&str>) -> String {
        let root = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    fn action(self, verb: &'static str, namespace: Option<&str>, object: &str) -> Action {
        Action {
            verb,
            resource: self.plural,
            group: self.group,
            object: object.to_owned(),
            namespace: namespace.unwrap_or("(all)").to_owned(),
        }
    }

    fn unreadable(self, verb: &str, namespace: Option<&str>, why: String) -> Unreadable {
        let resource = match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        };
        Unreadable { verb: verb.to_owned(), resource, namespace: namespace.map(str::to_owned), why }
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: Json,
    items: Option<Vec<Json>>,
}

/// What a list gave: its items, or what is missing to read it.
type Listed = Result<Vec<Json>, Unreadable>;

impl Cluster {
    /// Fills a snapshot with everything that is not about the server's pod: of the cluster, and of
    /// these namespaces. What may not be read is listed with the verb that is missing.
    pub async fn fill_snapshot(
        &self,
        snapshot: &mut Snapshot,
        namespaces: &BTreeSet<String>,
    ) -> Result<(), ClusterError> {
        let version = self.server_version();
        let cluster_wide = async {
            let all = [NAMESPACES, NODES, PRIORITY_CLASSES, RUNTIME_CLASSES, STORAGE_CLASSES];
            join_all(all.map(|resource| self.list(resource, None))).await
        };
        let inside = join_all(namespaces.iter().map(|name| self.namespace_facts(name)));
        let (version, cluster_wide, inside) = futures::join!(version, cluster_wide, inside);
        snapshot.server_version = version?;
        let mut gaps = Vec::new();
        let mut lists = Vec::new();
        for list in cluster_wide {
            lists.push(keep(list?, &mut gaps).map(sorted));
        }
        let [existing, nodes, priorities, runtimes, storages] =
            <[Option<Vec<Json>>; 5]>::try_from(lists).unwrap_or_default();
        snapshot.nodes = nodes.map(|all| all.iter().map(node).collect());
        snapshot.priority_classes = priorities.map(|all| all.iter().map(priority_class).collect());
        snapshot.runtime_classes = runtimes.map(|all| all.iter().map(name).collect());
        snapshot.storage_classes = storages.map(|all| all.iter().map(storage_class).collect());
        for (name, facts) in namespaces.iter().zip(inside) {
            let (facts, more) = facts?;
            gaps.extend(more);
            snapshot.namespaces.insert(name.clone(), facts);
        }
        self.existing(snapshot, existing.as_deref(), &mut gaps).await?;
        gaps.sort();
        gaps.dedup();
        snapshot.unreadable = gaps;
        Ok(())
    }

    /// Returns the server's version, `v1.36.2`, where it may be read.
    pub(crate) async fn server_version(&self) -> Result<Option<String>, ClusterError> {
        let action = Action {
            verb: "get",
            resource: "version",
            group: "",
            object: String::new(),
            namespace: "(all)".to_owned(),
        };
        let request = http::Request::get("/version").body(Vec::new());
        let request = request.map_err(kube::core::request::Error::BuildRequest);
        match self.call::<Json>(&action, built(request, &action)?).await {
            Ok(version) => Ok(version["gitVersion"].as_str().map(str::to_owned)),
            Err(ClusterError::Forbidden { .. } | ClusterError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says which namespaces exist; where they may not be listed, each of those asked is got.
    async fn existing(
        &self,
        snapshot: &mut Snapshot,
        listed: Option<&[Json]>,
        gaps: &mut Vec<Unreadable>,
    ) -> Result<(), ClusterError> {
        snapshot.existing_namespaces = listed.map(|all| all.iter().map(name).collect());
        for (wanted, facts) in &mut snapshot.namespaces {
            let found = if let Some(all) = listed {
                all.iter().find(|object| name(object) == *wanted).cloned()
            } else {
                match self.get_namespace(wanted).await? {
                    Ok(found) => found,
                    Err(gap) => {
                        gaps.push(gap);
                        continue;
                    }
                }
            };
            facts.exists = Some(found.is_some());
            let labels = found.map(|found| texts(&found["metadata"]["labels"])).unwrap_or_default();
            let is_told = |key: &str| key.starts_with("pod-security.kubernetes.io/");
            facts.pod_security = labels.into_iter().filter(|(key, _)| is_told(key)).collect();
        }
        Ok(())
    }

    async fn get_namespace(
        &self,
        wanted: &str,
    ) -> Result<Result<Option<Json>, Unreadable>, ClusterError> {
        let action = NAMESPACES.action("get", None, &format!("namespace/{wanted}"));
        let request = Request::new(NAMESPACES.path(None)).get(wanted, &GetParams::default());
        match self.call(&action, built(request, &action)?).await {
            Ok(found) => Ok(Ok(Some(found))),
            Err(ClusterError::NotFound { .. }) => Ok(Ok(None)),
            Err(ClusterError::Forbidden { message, .. }) => {
                Ok(Err(NAMESPACES.unreadable("get", None, message)))
            }
            Err(error) => Err(error),
        }
    }

    /// Lists the quotas of a namespace; none where they may not be listed.
    pub async fn quota_facts(&self, namespace: &str) -> Result<Vec<QuotaFacts>, ClusterError> {
        let listed = self.list(QUOTAS, Some(namespace)).await?.unwrap_or_default();
        Ok(sorted(listed).iter().map(quota).collect())
    }

    async fn namespace_facts(
        &self,
        namespace: &str,
    ) -> Result<(NamespaceFacts, Vec<Unreadable>), ClusterError> {
        let all = [LIMIT_RANGES, QUOTAS, ACCOUNTS, CLAIMS, CONFIG_MAPS, SECRETS];
        let lists = join_all(all.map(|resource| self.list(resource, Some(namespace)))).await;
        let mut gaps = Vec::new();
        let mut read = Vec::new();
        for list in lists {
            read.push(keep(list?, &mut gaps).map(sorted));
        }
        let [ranges, quotas, accounts, claims, config_maps, secrets] =
            <[Option<Vec<Json>>; 6]>::try_from(read).unwrap_or_default();
        let range = |range: &Json| (name(range), range["spec"]["limits"].clone());
        let facts = NamespaceFacts {
            exists: None,
            pod_security: BTreeMap::new(),
            limit_ranges: ranges.map(|all| all.iter().map(range).collect()),
            quotas: quotas.map(|all| all.iter().map(quota).collect()),
            service_accounts: accounts.map(|all| all.iter().map(service_account).collect()),
            claims: claims.map(|all| all.iter().map(claim).collect()),
            config_maps: config_maps.map(|all| all.iter().map(name).collect()),
            secrets: secrets.map(|all| all.iter().map(name).collect()),
        };
        Ok((facts, gaps))
    }

    /// Lists a resource, page by page. What may not be read, or does not exist in this cluster, is no
    /// error.
    async fn list(
        &self,
        resource: Resource,
        namespace: Option<&str>,
    ) -> Result<Listed, ClusterError> {
        let action = resource.action("list", namespace, "");
        let mut items = Vec::new();
        let mut parameters = ListParams::default().limit(PAGE);
        loop {
            let request = Request::new(resource.path(namespace));
            let request = if resource.metadata_only {
                request.list_metadata(&parameters)
            } else {
                request.list(&parameters)
            };
            let page: Page = match self.call(&action, built(request, &action)?).await {
                Ok(page) => page,
                Err(
                    ClusterError::Forbidden { message, .. }
                    | ClusterError::NotFound { message, .. },
                ) => {
                    return Ok(Err(resource.unreadable("list", namespace, message)));
                }
                // The list grew too old between two pages: from the start.
                Err(error) if error.is_expired() && parameters.continue_token.is_some() => {
                    items.clear();
                    parameters.continue_token = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            items.extend(page.items.unwrap_or_default());
            match page.metadata["continue"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token.to_owned()),
                None => return Ok(Ok(items)),
            }
        }
    }
}

fn keep(list: Listed, gaps: &mut Vec<Unreadable>) -> Option<Vec<Json>> {
    list.map_err(|gap| gaps.push(gap)).ok()
}

fn sorted(mut objects: Vec<Json>) -> Vec<Json> {
    objects.sort_by_key(name);
    objects
}

fn name(object: &Json) -> String {
    text(&object["metadata"]["name"])
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn optional(value: &Json) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list_of(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Json) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), text(value))).collect()
}

fn node(node: &Json) -> NodeFacts {
    let taint = |taint: &Json| Taint {
        key: text(&taint["key"]),
        value: optional(&taint["value"]),
        effect: text(&taint["effect"]),
    };
    NodeFacts {
        name: name(node),
        labels: texts(&node["metadata"]["labels"]),
        allocatable: texts(&node["status"]["allocatable"]),
        taints: list_of(&node["spec"]["taints"]).map(taint).collect(),
        unschedulable: node["spec"]["unschedulable"] == true,
    }
}

fn priority_class(class: &Json) -> PriorityClassFacts {
    PriorityClassFacts {
        name: name(class),
        value: class["value"].as_i64().unwrap_or_default(),
        global_default: class["globalDefault"] == true,
    }
}

fn storage_class(class: &Json) -> StorageClassFacts {
    StorageClassFacts {
        name: name(class),
        provisioner: text(&class["provisioner"]),
        volume_binding_mode: optional(&class["volumeBindingMode"]),
    }
}

fn quota(quota: &Json) -> QuotaFacts {
    let selector = &quota["spec"]["scopeSelector"];
    QuotaFacts {
        name: name(quota),
        hard: texts(&quota["spec"]["hard"]),
        scopes: list_of(&quota["spec"]["scopes"]).map(text).collect(),
        scope_selector: (!selector.is_null()).then(|| selector.clone()),
    }
}

fn service_account(account: &Json) -> ServiceAccountFacts {
    let secrets = list_of(&account["imagePullSecrets"]).map(|secret| text(&secret["name"]));
    ServiceAccountFacts { name: name(account), image_pull_secrets: secrets.collect() }
}

fn claim(claim: &Json) -> ClaimFacts {
    ClaimFacts {
        name: name(claim),
        access_modes: list_of(&claim["spec"]["accessModes"]).map(text).collect(),
        storage_class: optional(&claim["spec"]["storageClassName"]),
        phase: optional(&claim["status"]["phase"]),
    }
}
