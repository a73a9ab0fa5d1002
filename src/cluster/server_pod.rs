//! Finds the Mage server's pod, and reads what its environment refers to from the ConfigMaps and
//! Secrets that are named and mounted there.

use std::collections::BTreeMap;

use futures::future::join_all;
use k8s_openapi::jiff::Timestamp;
use kube::api::{GetParams, ListParams};
use kube::core::Request;
use serde::Deserialize;
use serde_json::Value as Json;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use crate::snapshot::{
    Choice, EnvFrom, MountedKey, ObjectKind, PodFile, Reference, ServerSearch, Variable, choose,
    environment, mounted_keys, prune, references,
};

/// The labels that Mage's Helm chart gives its pods; a standalone scheduler has one of its own.
const CHART_LABELS: &str = "app.kubernetes.io/name in (mageai, mageai-scheduler)";

/// How many pods of a namespace are looked at for Mage's image, where none carries the label.
const MOST_PODS: u32 = 500;

/// Variables whose value is the path of a file.
const FILES: [&str; 2] = ["K8S_CONFIG_FILE", "K8S_DEFAULT_CONFIG_PATH"];

#[derive(Deserialize)]
struct Items {
    items: Vec<Json>,
}

impl Cluster {
    /// Reads a pod by name.
    pub async fn get_pod_json(&self, namespace: &str, name: &str) -> Result<Json, ClusterError> {
        let action = core("get", "pods", format!("pod/{name}"), namespace);
        let request = Request::new(path("pods", namespace)).get(name, &GetParams::default());
        self.call(&action, built(request, &action)?).await
    }

    /// Looks for the Mage server's pod by the chart's labels, then by Mage's image, in each
    /// namespace in turn. A namespace in which pods may not be listed is passed over and named.
    pub async fn find_server_pod(
        &self,
        namespaces: &[String],
    ) -> Result<ServerSearch, ClusterError> {
        let mut found = ServerSearch::default();
        for namespace in namespaces {
            found.namespaces.push(namespace.clone());
            match self.find_in(namespace).await {
                Ok(Some(choice)) => {
                    found.pod = Some(prune(&choice.pod));
                    found.chosen_as = choice.chosen_as;
                    found.passed_over = choice.passed_over;
                    return Ok(found);
                }
                Ok(None) => {}
                Err(error @ ClusterError::Forbidden { .. }) => {
                    found.refused.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Looks for a pod of the Mage server that runs in a namespace, in one request.
    pub async fn running_server(&self, namespace: &str) -> Result<Option<Json>, ClusterError> {
        let action = core("list", "pods", String::new(), namespace);
        let running = ListParams::default().fields("status.phase=Running").limit(MOST_PODS);
        let request = built(Request::new(path("pods", namespace)).list(&running), &action)?;
        let pods: Items = self.call(&action, request).await?;
        let name = "/metadata/labels/app.kubernetes.io~1name";
        let of_chart = |pod: &Json| {
            let name = pod.pointer(name).and_then(Json::as_str);
            matches!(name, Some("mageai" | "mageai-scheduler"))
        };
        let (of_chart, others): (Vec<Json>, Vec<Json>) = pods.items.into_iter().partition(of_chart);
        let chosen = choose(of_chart, true).or_else(|| choose(others, false));
        Ok(chosen.map(|choice| choice.pod))
    }

    async fn find_in(&self, namespace: &str) -> Result<Option<Choice>, ClusterError> {
        let action = core("list", "pods", String::new(), namespace);
        for parameters in [
            ListParams::default().labels(CHART_LABELS),
            ListParams::default().fields("status.phase=Running").limit(MOST_PODS),
        ] {
            let request = built(Request::new(path("pods", namespace)).list(&parameters), &action)?;
            let pods: Items = self.call(&action, request).await?;
            if let Some(choice) = choose(pods.items, parameters.label_selector.is_some()) {
                return Ok(Some(choice));
            }
        }
        Ok(None)
    }

    /// Follows the environment of a container of the pod: its variables from ConfigMaps, those of
    /// Secrets that `decides` names, and the files that it names.
    ///
    /// Of a Secret no value is read but for a variable that decides something: which keys an
    /// `envFrom` brings is told by the Secret's metadata alone.
    pub async fn follow_environment(
        &self,
        search: &mut ServerSearch,
        container: &str,
        decides: &dyn Fn(&str) -> bool,
    ) {
        let Some(pod) = search.pod.clone() else { return };
        let containers = pod["spec"]["containers"].as_array();
        let Some(spec) = containers.into_iter().flatten().find(|c| c["name"] == container) else {
            return;
        };
        let mut objects = Objects::new(self, &pod);
        search.variables = objects.variables(spec, decides).await;
        let known = environment(&pod, spec, &search.variables);
        let mut files = Vec::new();
        for name in FILES {
            let path = known.variables.iter().find(|variable| variable.name == name);
            if let Some(path) =
                path.map(|variable| variable.value.as_str()).filter(|p| !p.is_empty())
            {
                files.push(objects.file(&pod, container, path).await);
            }
        }
        search.files = files;
        search.container = Some(container.to_owned());
    }
}

fn core(verb: &'static str, resource: &'static str, object: String, namespace: &str) -> Action {
    Action { verb, resource, group: "", object, namespace: namespace.to_owned() }
}

fn path(resource: &str, namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{resource}")
}

/// A ConfigMap or Secret as read.
#[derive(Clone, Debug)]
struct Object {
    texts: BTreeMap<String, String>,
    /// Keys whose value is no text.
    others: Vec<String>,
    /// When its data was changed last.
    changed: Option<Timestamp>,
}

type Key = (ObjectKind, String);

/// The objects that one pod refers to, each read at most once.
struct Objects<'a> {
    cluster: &'a Cluster,
    namespace: String,
    started: Option<Timestamp>,
    read: BTreeMap<Key, Result<Object, ClusterError>>,
}

impl<'a> Objects<'a> {
    fn new(cluster: &'a Cluster, pod: &Json) -> Self {
        Self {
            cluster,
            namespace: pod["metadata"]["namespace"].as_str().unwrap_or("default").to_owned(),
            started: time(&pod["status"]["startTime"]),
            read: BTreeMap::new(),
        }
    }

    /// Reads those of the objects that are not read yet, all at once.
    async fn fetch(&mut self, wanted: Vec<Key>) {
        let mut wanted: Vec<Key> =
            wanted.into_iter().filter(|key| !self.read.contains_key(key)).collect();
        wanted.sort();
        wanted.dedup();
        let (cluster, namespace) = (self.cluster, self.namespace.as_str());
        let all = wanted.iter().map(|(kind, name)| read_object(cluster, *kind, namespace, name));
        let read = join_all(all).await;
        self.read.extend(wanted.into_iter().zip(read));
    }

    async fn variables(
        &mut self,
        container: &Json,
        decides: &dyn Fn(&str) -> bool,
    ) -> Vec<Variable> {
        let (single, whole) = references(container);
        let single: Vec<Reference> = single
            .into_iter()
            .filter(|one| one.kind == ObjectKind::ConfigMap || decides(&one.name))
            .collect();
        let mut wanted: Vec<Key> = single.iter().map(|r| (r.kind, r.object.clone())).collect();
        let mut closed: BTreeMap<String, Option<String>> = BTreeMap::new();
        for from in &whole {
            match from.kind {
                ObjectKind::ConfigMap => wanted.push((from.kind, from.object.clone())),
                ObjectKind::Secret => match self.secret_decides(from, container, decides).await {
                    Ok(true) => wanted.push((from.kind, from.object.clone())),
                    Ok(false) => drop(closed.insert(from.object.clone(), None)),
                    Err(why) => drop(closed.insert(from.object.clone(), Some(why))),
                },
            }
        }
        self.fetch(wanted).await;
        let mut variables: Vec<Variable> = Vec::new();
        for from in &whole {
            match closed.get(&from.object).filter(|_| from.kind == ObjectKind::Secret) {
                Some(why) => variables.push(Variable {
                    object: from.source(),
                    why: why.clone(),
                    env_from: true,
                    ..Variable::default()
                }),
                None => variables.extend(self.all_of(from, decides)),
            }
        }
        variables.extend(single.iter().map(|reference| self.one(reference)));
        variables
    }

    /// Tells by a Secret's metadata, which names the keys and holds no value, whether one of them
    /// decides something. An entry of `env` with the name would hide it.
    async fn secret_decides(
        &self,
        from: &EnvFrom,
        container: &Json,
        decides: &dyn Fn(&str) -> bool,
    ) -> Result<bool, String> {
        let action = core("get", "secrets", from.source(), &self.namespace);
        let request = Request::new(path("secrets", &self.namespace))
            .get_metadata(&from.object, &GetParams::default());
        let request = built(request, &action).map_err(|error| error.to_string())?;
        let metadata: Json = match self.cluster.call(&action, request).await {
            Ok(metadata) => metadata,
            Err(ClusterError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.to_string()),
        };
        let keys = data_keys(&metadata);
        if keys.is_empty() {
            return Err(format!("the metadata of {} does not tell its keys", from.source()));
        }
        let env = container["env"].as_array();
        let hidden = |name: &str| env.into_iter().flatten().any(|v| v["name"] == name);
        let names = keys.iter().map(|key| format!("{}{key}", from.prefix));
        Ok(names.into_iter().any(|name| decides(&name) && !hidden(&name)))
    }

    fn all_of(&self, from: &EnvFrom, decides: &dyn Fn(&str) -> bool) -> Vec<Variable> {
        let gap = |why: Option<String>| Variable {
            object: from.source(),
            why,
            env_from: true,
            ..Variable::default()
        };
        let object = match self.read.get(&(from.kind, from.object.clone())) {
            Some(Ok(object)) => object,
            Some(Err(ClusterError::NotFound { .. })) | None => return vec![gap(None)],
            Some(Err(error)) => return vec![gap(Some(error.to_string()))],
        };
        let variables: Vec<Variable> = object
            .texts
            .iter()
            .map(|(key, value)| (format!("{}{key}", from.prefix), key, value))
            .filter(|(name, ..)| from.kind == ObjectKind::ConfigMap || decides(name))
            .map(|(name, key, value)| Variable {
                name,
                object: format!("{}:{key}", from.source()),
                value: Some(value.clone()),
                env_from: true,
                changed_at: self.changed_since(object),
                ..Variable::default()
            })
            .collect();
        if variables.is_empty() { vec![gap(None)] } else { variables }
    }

    fn one(&self, reference: &Reference) -> Variable {
        let found = self.read.get(&(reference.kind, reference.object.clone()));
        let mut variable = Variable {
            name: reference.name.clone(),
            object: reference.source(),
            ..Variable::default()
        };
        match found {
            Some(Ok(object)) => {
                variable.value = object.texts.get(&reference.key).cloned();
                variable.changed_at =
                    variable.value.as_ref().and_then(|_| self.changed_since(object));
                if object.others.contains(&reference.key) {
                    variable.why = Some(format!("{} is no text", variable.object));
                }
            }
            // The pod runs, so what does not exist was optional.
            Some(Err(ClusterError::NotFound { .. })) | None => {}
            Some(Err(error)) => variable.why = Some(error.to_string()),
        }
        variable
    }

    /// Reads a file of the container from what is mounted at its path.
    async fn file(&mut self, pod: &Json, container: &str, path: &str) -> PodFile {
        let mut file = PodFile { path: path.to_owned(), ..PodFile::default() };
        let keys = match mounted_keys(pod, container, path) {
            Ok(keys) => keys,
            Err(why) => {
                file.why = Some(why);
                return file;
            }
        };
        self.fetch(keys.iter().map(|key| (key.kind, key.object.clone())).collect()).await;
        for key in keys {
            match self.text(&key) {
                Ok(Some((text, changed_at))) => {
                    file.object = Some(key.name());
                    file.text = Some(text);
                    file.why = None;
                    file.changed_at = changed_at;
                    return file;
                }
                Ok(None) if file.why.is_none() => {
                    file.why = Some(format!("{} does not exist", key.name()));
                }
                Ok(None) => {}
                Err(why) => {
                    // What may hide the others cannot be read: they may not be what is in force.
                    file.why = Some(why);
                    return file;
                }
            }
        }
        file
    }

    fn text(&self, key: &MountedKey) -> Result<Option<(String, Option<String>)>, String> {
        match self.read.get(&(key.kind, key.object.clone())) {
            Some(Ok(object)) if object.others.contains(&key.key) => {
                Err(format!("{} is no text", key.name()))
            }
            Some(Ok(object)) => {
                let text = object.texts.get(&key.key).cloned();
                let changed = self.changed_since(object).filter(|_| key.sub_path);
                Ok(text.map(|text| (text, changed)))
            }
            Some(Err(ClusterError::NotFound { .. })) | None => Ok(None),
            Some(Err(error)) => Err(error.to_string()),
        }
    }

    /// Returns when the object's data was changed, if that was after the pod started.
    fn changed_since(&self, object: &Object) -> Option<String> {
        let changed = object.changed.filter(|changed| Some(*changed) > self.started)?;
        self.started.map(|_| changed.to_string())
    }
}

async fn read_object(
    cluster: &Cluster,
    kind: ObjectKind,
    namespace: &str,
    name: &str,
) -> Result<Object, ClusterError> {
    let action = core("get", kind.plural(), format!("{}/{name}", kind.name()), namespace);
    let request = Request::new(path(kind.plural(), namespace)).get(name, &GetParams::default());
    let json: Json = cluster.call(&action, built(request, &action)?).await?;
    Ok(object(kind, &json))
}

fn object(kind: ObjectKind, json: &Json) -> Object {
    let mut object =
        Object { texts: BTreeMap::new(), others: Vec::new(), changed: data_changed(json) };
    let (plain, encoded) = match kind {
        ObjectKind::ConfigMap => ("data", "binaryData"),
        ObjectKind::Secret => ("", "data"),
    };
    for (key, value) in json[plain].as_object().into_iter().flatten() {
        object.texts.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    for (key, value) in json[encoded].as_object().into_iter().flatten() {
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(value.as_str().unwrap_or_default())
            .unwrap_or_default();
        match String::from_utf8(bytes) {
            Ok(text) => drop(object.texts.insert(key.clone(), text)),
            Err(_) => object.others.push(key.clone()),
        }
    }
    object
}

fn time(value: &Json) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn managed(object: &Json) -> impl Iterator<Item = &Json> {
    object["metadata"]["managedFields"].as_array().into_iter().flatten()
}

/// Returns when somebody changed the data of an object last; who set labels does not count.
fn data_changed(object: &Json) -> Option<Timestamp> {
    let touches = |entry: &&Json| {
        ["f:data", "f:binaryData"].iter().any(|field| entry["fieldsV1"].get(*field).is_some())
    };
    managed(object).filter(touches).filter_map(|entry| time(&entry["time"])).max()
}

/// Returns the keys of an object's data, of its metadata alone.
fn data_keys(object: &Json) -> Vec<String> {
    managed(object)
        .flat_map(|entry| ["f:data", "f:stringData"].map(|field| &entry["fieldsV1"][field]))
        .filter_map(Json::as_object)
        .flat_map(|fields| fields.keys())
        .filter_map(|field| field.strip_prefix("f:"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_changes_of_the_data_count() {
        let object = json!({"metadata": {"managedFields": [
            {"time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {".": {}, "f:config.yaml": {}}}},
            {"time": "2026-02-01T00:00:00Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}}
        ]}});
        assert_eq!(data_changed(&object).unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(data_keys(&object), ["config.yaml"]);
    }

    #[test]
    fn secrets_and_binary_data_are_decoded() {
        let map = json!({"data": {"a": "1"}, "binaryData": {"b": "Mg==", "c": "/w=="}});
        let map = object(ObjectKind::ConfigMap, &map);
        assert_eq!(map.texts, [("a".into(), "1".into()), ("b".into(), "2".into())].into());
        assert_eq!(map.others, ["c"]);
        let secret = object(ObjectKind::Secret, &json!({"data": {"k": "dg=="}}));
        assert_eq!(secret.texts["k"], "v");
    }
}
