//! Mage OSS to the letter, and what it cannot do.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::oss::Effective;
use super::oss_affinity::affinity;
use super::oss_reader::{Defect, Exact, Reader, truthy};
use super::oss_unread::lose_unread;
use super::overlay::{Merge, empty_root, identity};
use super::tree::{Content, Rule, Tree};
use crate::config::{JobPath, Origin};
use crate::yaml::Node;

/// The keys that `K8sExecutorConfig` has (`mage_ai/services/k8s/config.py`); the last four are its
/// own fields, which it fills itself or never looks at.
const KNOWN: [&str; 14] = [
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
    "config_file",
    "job_config",
    "meta",
    "pod_config",
];

/// The merge in the making.
struct Exactly<'a> {
    keys: &'a [Effective<'a>],
    merge: &'a mut Merge,
    root: Tree,
    defects: Vec<Defect>,
}

/// Makes the Job's parts as Mage OSS does, or says what it fails at.
pub(super) fn exact(
    keys: &[Effective<'_>],
    server: Option<&Tree>,
    merge: &mut Merge,
) -> Exact<Tree> {
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

/// Leaves out what has no effect in the container, of a Job that is accepted as Mage sends it, and
/// says what is not in it.
pub(super) fn settled(keys: &[Effective<'_>], root: Tree, merge: &mut Merge) -> Tree {
    let mut exactly = Exactly { keys, merge, root, defects: Vec::new() };
    exactly.last_env_wins();
    let Exactly { root, merge, .. } = exactly;
    lose_unread(keys, &root, merge);
    root
}

impl<'a> Exactly<'a> {
    fn key(&self, name: &str) -> Option<(&'a Effective<'a>, &'a Node)> {
        let key = self.keys.iter().find(|key| key.key() == name)?;
        truthy(&key.entry.value).then_some((key, &key.entry.value))
    }

    fn take<T>(&mut self, result: Exact<T>) -> Option<T> {
        result.map_err(|mut defects| self.defects.append(&mut defects)).ok()
    }

    fn fail(&mut self, reader: Reader<'_>, node: &Node, message: &str) {
        let defect: Exact<()> = reader.defect(node, message.to_owned());
        self.take(defect);
    }

    fn unknown_keys(&mut self) {
        for key in self.keys {
            let reader = Reader { key };
            if !KNOWN.contains(&key.key()) {
                let name = crate::config::scalar_text(&key.entry.key).unwrap_or_default();
                let message = format!("K8sExecutorConfig has no argument '{name}'");
                self.fail(reader, &key.entry.key, &message);
            }
        }
        // Without `metadata` it stays what it is, and Mage sets its `name`.
        if let (Some((key, node)), None) = (self.key("meta"), self.key("metadata")) {
            self.fail(Reader { key }, node, "`meta` is taken for an object of the client");
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
            if self.take(reader.mapping(node, "pod")).is_some() {
                self.pod_fields(reader, node);
            }
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

    fn pod_fields(&mut self, reader: Reader<'_>, node: &Node) {
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
            let tree = affinity(reader, node);
            if let Some(Some(tree)) = self.take(tree) {
                self.root.put(&["pod", "affinity"], tree);
            }
        }
        if let Some(node) = read("image_pull_secrets") {
            let message = "image_pull_secrets becomes an object where a list is due";
            self.fail(reader, node, message);
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
        if let Some(namespace) = namespace.filter(|_| node.get("namespace").is_some_and(truthy)) {
            self.root.put(&["namespace"], namespace);
        }
        self.root.put(&["metadata"], tree);
    }

    fn container(&mut self) {
        let Some((key, node)) = self.key("container") else { return };
        let reader = Reader { key };
        if self.take(reader.mapping(node, "container")).is_none() {
            return;
        }
        let read = |name: &str| node.get(name).filter(|node| truthy(node));
        // These are taken as they are given, empty and null too.
        for (name, field) in [("name", "name"), ("image_pull_policy", "imagePullPolicy")] {
            if let Some(node) = node.get(name) {
                let value = reader.raw(node, &format!("container.{name}"));
                self.root.put(&["container", field], value);
            }
        }
        if let Some(name) = node.get("name").filter(|node| node.is_null()) {
            let defect: Exact<()> = reader.must_not_be_none(name, "Container", "name");
            self.take(defect);
        }
        if let Some(node) = read("image") {
            self.root.put(&["container", "image"], reader.raw(node, "container.image"));
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
    }

    /// Reads three keys; without `backoff_limit` the API server's default of 6 retries is in force.
    fn job(&mut self) {
        let Some((key, node)) = self.key("job") else { return };
        let reader = Reader { key };
        if self.take(reader.mapping(node, "job")).is_none() {
            return;
        }
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
        self.names_are_hashable();
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

    /// Mage makes a Python set of the names.
    fn names_are_hashable(&mut self) {
        let lists = [&["container", "volumeMounts"][..], &["pod", "volumes"][..]];
        let items = lists.into_iter().filter_map(|keys| self.root.at(keys)?.items()).flatten();
        let wrong: Vec<Defect> = items
            .filter_map(|item| item.at(&["name"]))
            .filter(|name| !matches!(name.content, Content::Leaf(_)))
            .map(|name| Defect {
                origin: name.origin.clone(),
                message: "a volume's name is no text".to_owned(),
            })
            .collect();
        self.defects.extend(wrong);
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
        if let Some(name) = node.get("name").filter(|node| node.is_null()) {
            let defect: Exact<()> = reader.must_not_be_none(name, "Container", "name");
            self.take(defect);
        }
        if !map.contains_key("name") {
            let name = Tree::leaf("mage-data", Origin::built_in("container_config.name"));
            self.root.put(&["container", "name"], name);
        }
        for (field, value) in map {
            let keys = ["container", field.as_ref()];
            let path = JobPath::default().key("container").key(&field);
            let merged = match (self.root.take(&keys), value) {
                (Some(right), left) if &*field != "command" => self.join(left, right, &path),
                (Some(right), left) => {
                    self.merge.lose(&right, &path, Rule::SameLayer);
                    left
                }
                (None, left) => left,
            };
            self.root.put(&keys, merged);
        }
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
