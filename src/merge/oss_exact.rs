//! Mage OSS to the letter, and what it cannot do.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::oss::{Effective, trees};
use super::oss_affinity::affinity;
use super::overlay::{Merge, empty_root, identity};
use super::tree::{Content, Rule, Tree};
use crate::config::api::api_type;
use crate::config::{JobPath, Origin};
use crate::yaml::{Node, Value};

/// Something Mage raises an exception at.
#[derive(Clone, Debug)]
pub(super) struct Defect {
    pub(super) origin: Origin,
    pub(super) message: String,
}

type Exact<T> = Result<T, Vec<Defect>>;

/// The keys that `K8sExecutorConfig` has (`mage_ai/services/k8s/config.py`).
const READ: [&str; 10] = [
    "container_config",
    "job_name_prefix",
    "namespace",
    "resource_limits",
    "resource_requests",
    "service_account_name",
    "metadata",
    "container",
    "pod",
    "job",
];

/// Reads values as Mage's Python does; knows the layer and file of one top-level key.
pub(super) struct Reader<'a> {
    key: &'a Effective,
}

impl Reader<'_> {
    pub(super) fn origin(&self, node: &Node, setting: &str) -> Origin {
        Origin::file(self.key.layer, &self.key.file, node, setting)
    }

    pub(super) fn defect<T>(&self, node: &Node, message: String) -> Exact<T> {
        Err(vec![Defect { origin: self.origin(node, ""), message }])
    }

    /// Passes a value on as it is; keys keep their spelling, nulls go.
    pub(super) fn raw(&self, node: &Node, setting: &str) -> Tree {
        let content = match &node.value {
            Value::Sequence(nodes) => Content::List {
                items: nodes
                    .iter()
                    .enumerate()
                    .map(|(index, node)| self.raw(node, &format!("{setting}[{index}]")))
                    .collect(),
                closed: false,
            },
            Value::Mapping(mapping) => Content::Map(
                mapping
                    .entries
                    .iter()
                    .filter(|entry| !entry.value.is_null())
                    .map(|entry| {
                        let key = crate::config::scalar_text(&entry.key).unwrap_or_default();
                        let value = self.raw(&entry.value, &format!("{setting}.{key}"));
                        (key, value)
                    })
                    .collect(),
            ),
            _ => Content::Leaf(node.to_json()),
        };
        Tree::new(content, self.origin(node, setting))
    }

    /// Calls a constructor of the Kubernetes client, `V1Volume(**node)`: keys in `snake_case` only,
    /// required ones not null; what is inside passes as it is.
    pub(super) fn construct(&self, node: &Node, type_name: &str, setting: &str) -> Exact<Tree> {
        let Some(mapping) = node.as_mapping() else {
            return self.defect(node, format!("{setting} is {}, not a mapping", node.kind()));
        };
        let api = api_type(type_name);
        let mut map = IndexMap::new();
        for (key, entry) in mapping.string_entries() {
            let Some(field) = api.snake_field(key) else {
                let message = format!("V1{type_name} has no argument '{key}'");
                return self.defect(&entry.key, message);
            };
            if !entry.value.is_null() {
                let value = self.raw(&entry.value, &format!("{setting}.{key}"));
                map.insert(field.name.to_owned(), value);
            }
        }
        for field in api.fields.iter().filter(|field| field.required) {
            if !map.contains_key(field.name) && type_name != "Container" {
                let message = format!("V1{type_name}: `{}` must not be None", field.name);
                return self.defect(node, message);
            }
        }
        Ok(Tree::new(Content::Map(map), self.origin(node, setting)))
    }

    fn construct_list(&self, node: &Node, type_name: &str, setting: &str) -> Exact<Tree> {
        let Some(nodes) = node.as_sequence() else {
            return self.defect(node, format!("{setting} is {}, not a list", node.kind()));
        };
        let mut items = Vec::new();
        for (index, item) in nodes.iter().enumerate() {
            items.push(self.construct(item, type_name, &format!("{setting}[{index}]"))?);
        }
        Ok(Tree::new(Content::List { items, closed: false }, self.origin(node, setting)))
    }
}

/// Python's truth: null, false, zero and everything empty is false.
pub(super) fn truthy(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Int(value) => value.as_str() != "0",
        Value::Float(value) => *value != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Sequence(nodes) => !nodes.is_empty(),
        Value::Mapping(mapping) => !mapping.entries.is_empty(),
        Value::Timestamp(_) | Value::Binary(_) => true,
    }
}

/// The merge in the making.
struct Exactly<'a> {
    keys: &'a [Effective],
    merge: &'a mut Merge,
    root: Tree,
    defects: Vec<Defect>,
}

/// Makes the Job's parts as Mage OSS does, or says what it fails at.
pub(super) fn exact(keys: &[Effective], server: Option<&Tree>, merge: &mut Merge) -> Exact<Tree> {
    let mut exactly = Exactly { keys, merge, root: empty_root(), defects: Vec::new() };
    exactly.unknown_keys();
    exactly.pod();
    exactly.metadata();
    exactly.container();
    exactly.simple("job_name_prefix", &["prefix"]);
    exactly.job();
    if let Some(server) = server {
        exactly.server(server);
    }
    exactly.filter_volumes();
    exactly.resources();
    exactly.container_config();
    if exactly.defects.is_empty() { Ok(exactly.root) } else { Err(exactly.defects) }
}

impl<'a> Exactly<'a> {
    fn key(&self, name: &str) -> Option<(&'a Effective, &'a Node)> {
        let key = self.keys.iter().find(|key| key.key() == name)?;
        truthy(&key.entry.value).then_some((key, &key.entry.value))
    }

    fn take<T>(&mut self, result: Exact<T>) -> Option<T> {
        result.map_err(|mut defects| self.defects.append(&mut defects)).ok()
    }

    fn unknown_keys(&mut self) {
        for key in self.keys {
            if !READ.contains(&key.key()) {
                let reader = Reader { key };
                let message = format!("K8sExecutorConfig has no argument '{}'", key.key());
                let defect: Exact<()> = reader.defect(&key.entry.key, message);
                self.take(defect);
            }
        }
    }

    /// Records what Mage never reads of a mapping.
    fn ignore(&mut self, key: &'a Effective, node: &'a Node, read: &[&str]) {
        let Some(mapping) = node.as_mapping() else { return };
        let ignored: Vec<_> = mapping
            .entries
            .iter()
            .filter(|entry| !entry.key.as_str().is_some_and(|key| read.contains(&key)))
            .cloned()
            .collect();
        let mut part = key.clone();
        part.entry.value = Node {
            value: Value::Mapping(crate::yaml::Mapping { entries: ignored }),
            ..node.clone()
        };
        for fragment in trees(&part, &mut Vec::new()) {
            for (path, leaf) in fragment.tree.leaves(&JobPath::default()) {
                if path.0.len() > 1 {
                    self.merge.lose(leaf, &path, Rule::OssIgnores);
                }
            }
        }
    }

    fn simple(&mut self, name: &str, part: &[&str]) {
        if let Some((key, node)) = self.key(name) {
            self.root.put(part, Reader { key }.raw(node, name));
        }
    }

    fn pod(&mut self) {
        if let Some((key, node)) = self.key("pod") {
            let reader = Reader { key };
            if node.as_mapping().is_none() {
                let defect: Exact<()> = reader.defect(node, "pod is no mapping".to_owned());
                self.take(defect);
                return;
            }
            let read = |name: &str| node.get(name).filter(|node| truthy(node));
            for (name, field) in [
                ("service_account_name", "serviceAccountName"),
                ("node_selector", "nodeSelector"),
                ("scheduler_name", "schedulerName"),
            ] {
                if let Some(node) = read(name) {
                    self.root.put(&["pod", field], reader.raw(node, &format!("pod.{name}")));
                }
            }
            for (name, type_name) in [("tolerations", "Toleration"), ("volumes", "Volume")] {
                if let Some(node) = read(name) {
                    let list = reader.construct_list(node, type_name, &format!("pod.{name}"));
                    if let Some(list) = self.take(list) {
                        self.root.put(&["pod", name], list);
                    }
                }
            }
            if let Some(node) = read("affinity") {
                let tree = affinity(&reader, node);
                if let Some(Some(tree)) = self.take(tree) {
                    self.root.put(&["pod", "affinity"], tree);
                }
            }
            if let Some(node) = read("image_pull_secrets") {
                let message = "image_pull_secrets becomes an object where a list is due";
                let defect: Exact<()> = reader.defect(node, message.to_owned());
                self.take(defect);
            }
            self.ignore(
                key,
                node,
                &[
                    "service_account_name",
                    "image_pull_secrets",
                    "node_selector",
                    "scheduler_name",
                    "tolerations",
                    "affinity",
                    "volumes",
                ],
            );
        }
        if let Some((key, node)) = self.key("service_account_name") {
            let path = JobPath::default().key("pod").key("serviceAccountName");
            if let Some(lost) = self.root.take(&["pod", "serviceAccountName"]) {
                self.merge.lose(&lost, &path, Rule::SameLayer);
            }
            let name = Reader { key }.raw(node, "service_account_name");
            self.root.put(&["pod", "serviceAccountName"], name);
        }
    }

    fn metadata(&mut self) {
        let Some((key, node)) = self.key("metadata") else {
            self.simple("namespace", &["namespace"]);
            return;
        };
        let reader = Reader { key };
        let Some(mut tree) = self.take(reader.construct(node, "ObjectMeta", "metadata")) else {
            return;
        };
        let namespace = tree.at(&["namespace"]).cloned();
        if let Some(name) = tree.take(&["name"]) {
            let path = JobPath::default().key("prefix");
            self.merge.lose(&name, &path, Rule::Replaced);
        }
        if let Some((key, node)) = self.key("namespace") {
            let lost = Reader { key }.raw(node, "namespace");
            let path = JobPath::default().key("namespace");
            self.merge.lose(&lost, &path, Rule::OssMetadataNamespace);
        }
        if let Some(namespace) = namespace {
            self.root.put(&["namespace"], namespace);
        }
        self.root.put(&["metadata"], tree);
    }

    fn container(&mut self) {
        let Some((key, node)) = self.key("container") else { return };
        let reader = Reader { key };
        if node.as_mapping().is_none() {
            let defect: Exact<()> = reader.defect(node, "container is no mapping".to_owned());
            self.take(defect);
            return;
        }
        let read = |name: &str| node.get(name).filter(|node| truthy(node));
        for (name, field) in
            [("name", "name"), ("image", "image"), ("image_pull_policy", "imagePullPolicy")]
        {
            if let Some(node) = read(name) {
                self.root
                    .put(&["container", field], reader.raw(node, &format!("container.{name}")));
            }
        }
        if let Some(node) = read("resources").filter(|node| node.as_mapping().is_some()) {
            let tree = reader.construct(node, "ResourceRequirements", "container.resources");
            if let Some(tree) = self.take(tree) {
                self.root.put(&["container", "resources"], tree);
            }
        }
        for (name, field, type_name) in
            [("env", "env", "EnvVar"), ("volume_mounts", "volumeMounts", "VolumeMount")]
        {
            if let Some(node) = read(name) {
                let list = reader.construct_list(node, type_name, &format!("container.{name}"));
                if let Some(list) = self.take(list) {
                    self.root.put(&["container", field], list);
                }
            }
        }
        self.ignore(
            key,
            node,
            &["name", "image", "image_pull_policy", "env", "volume_mounts", "resources"],
        );
    }

    /// Reads three keys; without `backoff_limit` the API server's default of 6 retries is in force.
    fn job(&mut self) {
        let Some((key, node)) = self.key("job") else { return };
        let reader = Reader { key };
        for (name, field) in [
            ("active_deadline_seconds", "activeDeadlineSeconds"),
            ("backoff_limit", "backoffLimit"),
            ("ttl_seconds_after_finished", "ttlSecondsAfterFinished"),
        ] {
            if let Some(node) = node.get(name).filter(|node| !node.is_null()) {
                self.root.put(&["job", field], reader.raw(node, &format!("job.{name}")));
            }
        }
        if self.root.at(&["job", "backoffLimit"]).is_none() {
            let origin = reader.origin(node, "job.backoff_limit");
            self.root.put(&["job", "backoffLimit"], Tree::leaf(Json::Null, origin));
        }
        self.ignore(
            key,
            node,
            &["active_deadline_seconds", "backoff_limit", "ttl_seconds_after_finished"],
        );
    }

    /// Joins the server's pod (`merge_pod_spec`, `merge_container_spec`).
    fn server(&mut self, server: &Tree) {
        for field in ["env", "envFrom", "volumeMounts"] {
            let items = server.at(&["container", field]).and_then(Tree::items);
            if items.is_none() && field != "envFrom" {
                self.defects.push(Defect {
                    origin: server.origin.clone(),
                    message: format!("the server's container has no {field}"),
                });
            }
            self.append(&["container", field], items.unwrap_or_default(), true);
        }
        let volumes = server.at(&["pod", "volumes"]).and_then(Tree::items);
        if volumes.is_none() {
            self.defects.push(Defect {
                origin: server.origin.clone(),
                message: "the server's pod has no volumes".to_owned(),
            });
        }
        self.append(&["pod", "volumes"], volumes.unwrap_or_default(), false);
        for keys in [
            ["container", "image"],
            ["pod", "tolerations"],
            ["pod", "nodeSelector"],
            ["pod", "schedulerName"],
            ["pod", "imagePullSecrets"],
        ] {
            let Some(value) = server.at(&keys) else { continue };
            if self.root.at(&keys).is_some() {
                let path = JobPath::default().key(keys[0]).key(keys[1]);
                self.merge.lose(value, &path, Rule::ServerFills);
            } else {
                self.root.put(&keys, value.clone());
            }
        }
        self.last_env_wins();
    }

    fn append(&mut self, keys: &[&str], more: &[Tree], without_equal: bool) {
        let mut items = match self.root.take(keys).map(|tree| tree.content) {
            Some(Content::List { items, .. }) => items,
            _ => Vec::new(),
        };
        let path = keys.iter().fold(JobPath::default(), |path, key| path.key(key));
        let mut ours = HashMap::new();
        for (index, item) in
            items.iter().enumerate().filter(|(_, item)| without_equal && flat(item))
        {
            ours.entry(identity(item)).or_insert(index);
        }
        for item in more {
            match ours.get(&identity(item)).filter(|_| flat(item)) {
                Some(index) => self.merge.lose(item, &path.index(*index), Rule::ServerJoins),
                None => items.push(item.clone()),
            }
        }
        if let Some(origin) = items.first().map(|item| item.origin.clone()) {
            self.root.put(keys, Tree::new(Content::List { items, closed: false }, origin));
        }
    }

    /// Keeps of variables with one name the last, the only one that takes effect in the container.
    fn last_env_wins(&mut self) {
        let Some(env) = self.root.at_mut(&["container", "env"]) else { return };
        let Content::List { items, .. } = &mut env.content else { return };
        let all = std::mem::take(items);
        let names: Vec<Option<String>> =
            all.iter().map(|item| item.at(&["name"]).map(identity)).collect();
        let final_places: HashMap<&Option<String>, usize> =
            names.iter().enumerate().map(|(index, name)| (name, index)).collect();
        let (mut lost, mut places) = (Vec::new(), HashMap::new());
        for (index, (item, name)) in all.into_iter().zip(&names).enumerate() {
            if final_places[name] == index {
                places.insert(name, items.len());
                items.push(item);
            } else {
                lost.push((item, name));
            }
        }
        for (item, name) in lost {
            let path = JobPath::default().key("container").key("env").index(places[name]);
            self.merge.lose(&item, &path, Rule::OssServerEnv);
        }
    }

    /// Drops every volume that the container does not mount, ours too; `container_config` is
    /// looked at only later (`filter_used_volumes`).
    fn filter_volumes(&mut self) {
        let mounted: HashSet<String> = self
            .root
            .at(&["container", "volumeMounts"])
            .and_then(Tree::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|mount| mount.at(&["name"]).map(identity))
            .collect();
        let Some(volumes) = self.root.take(&["pod", "volumes"]) else { return };
        let Content::List { items, .. } = volumes.content else { return };
        let path = JobPath::default().key("pod").key("volumes");
        let (kept, dropped): (Vec<Tree>, Vec<Tree>) = items.into_iter().partition(|item| {
            item.at(&["name"]).is_some_and(|name| mounted.contains(&identity(name)))
        });
        for item in dropped {
            let name = item.at(&["name"]).and_then(Tree::as_str).unwrap_or_default().to_owned();
            self.merge.lose(&item, &path.key(&name), Rule::Unmounted);
        }
        if let Some(origin) = kept.first().map(|item| item.origin.clone()) {
            let list = Tree::new(Content::List { items: kept, closed: false }, origin);
            self.root.put(&["pod", "volumes"], list);
        }
    }

    /// Replaces all of `container.resources` if either map is set.
    fn resources(&mut self) {
        let limits = self.key("resource_limits");
        let requests = self.key("resource_requests");
        if limits.is_none() && requests.is_none() {
            return;
        }
        let path = JobPath::default().key("container").key("resources");
        if let Some(lost) = self.root.take(&["container", "resources"]) {
            self.merge.lose(&lost, &path, Rule::OssResources);
        }
        for (name, field, value) in
            [("resource_limits", "limits", limits), ("resource_requests", "requests", requests)]
        {
            if let Some((key, node)) = value {
                self.root.put(&["container", "resources", field], Reader { key }.raw(node, name));
            }
        }
    }

    /// Merges `container_config` over the container (`merge_containers`): its lists come first and
    /// ours and the server's are appended, its other values win.
    fn container_config(&mut self) {
        let Some((key, node)) = self.key("container_config") else { return };
        let reader = Reader { key };
        let Some(tree) = self.take(reader.construct(node, "Container", "container_config")) else {
            return;
        };
        let Content::Map(map) = tree.content else { return };
        if !map.contains_key("name") {
            let name = Tree::leaf("mage-data", Origin::built_in("container_config.name"));
            self.root.put(&["container", "name"], name);
        }
        for (field, value) in map {
            let keys = ["container", field.as_str()];
            let path = JobPath::default().key("container").key(&field);
            let merged = match (self.root.take(&keys), value) {
                (Some(right), left) if field != "command" => self.join(left, right, &path),
                (Some(right), left) => {
                    self.merge.lose(&right, &path, Rule::SameLayer);
                    left
                }
                (None, left) => left,
            };
            self.root.put(&keys, merged);
        }
        self.last_env_wins();
    }

    fn join(&mut self, left: Tree, right: Tree, path: &JobPath) -> Tree {
        match (left.content, right.content) {
            (Content::List { mut items, .. }, Content::List { items: more, .. }) => {
                items.extend(more);
                Tree::new(Content::List { items, closed: false }, left.origin)
            }
            (content, lost) => {
                self.merge.lose(&Tree::new(lost, right.origin), path, Rule::SameLayer);
                Tree::new(content, left.origin)
            }
        }
    }
}

/// Tells whether an item can equal one of the server's, as the client compares: a mapping passed raw
/// never equals an object of the client.
fn flat(tree: &Tree) -> bool {
    tree.as_map()
        .is_some_and(|map| map.values().all(|value| matches!(value.content, Content::Leaf(_))))
}
