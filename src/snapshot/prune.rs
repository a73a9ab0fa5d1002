//! What of the server's pod matters.

use serde_json::{Map, Value as Json, json};

const METADATA: [&str; 3] = ["name", "namespace", "labels"];
const SPEC: [&str; 6] = [
    "volumes",
    "tolerations",
    "nodeSelector",
    "schedulerName",
    "imagePullSecrets",
    "serviceAccountName",
];
const CONTAINER: [&str; 5] = ["name", "image", "env", "envFrom", "volumeMounts"];

/// Keeps of a pod what a Job can inherit and what its environment refers to. Annotations may hold
/// whole manifests and commands may hold passwords, so both go as far as they can; every index stays.
#[must_use]
pub fn prune(pod: &Json) -> Json {
    let fields = field_references(pod);
    let mut metadata = picked(&pod["metadata"], &METADATA);
    let annotations: Map<String, Json> = fields
        .iter()
        .filter_map(|path| path.strip_prefix("metadata.annotations['")?.strip_suffix("']"))
        .filter_map(|key| Some((key.to_owned(), pod["metadata"]["annotations"].get(key)?.clone())))
        .collect();
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), annotations.into());
    }
    let mut spec = picked(&pod["spec"], &SPEC);
    if fields.contains(&"spec.nodeName") {
        spec.extend(picked(&pod["spec"], &["nodeName"]));
    }
    let containers = pod["spec"]["containers"].as_array();
    let containers: Vec<Json> = containers.into_iter().flatten().map(container).collect();
    spec.insert("containers".to_owned(), containers.into());
    let mut status = picked(&pod["status"], &["startTime"]);
    for field in ["podIP", "hostIP"] {
        if fields.contains(&format!("status.{field}").as_str()) {
            status.extend(picked(&pod["status"], &[field]));
        }
    }
    json!({"metadata": metadata, "spec": spec, "status": status})
}

fn picked(from: &Json, fields: &[&str]) -> Map<String, Json> {
    let value = |field: &&str| Some(((*field).to_owned(), from.get(*field)?.clone()));
    fields.iter().filter_map(value).collect()
}

fn container(container: &Json) -> Json {
    let mut kept = picked(container, &CONTAINER);
    if let Some(path) = repo_path(container) {
        kept.insert("command".to_owned(), json!(["mage", "start", path]));
    }
    kept.into()
}

fn field_references(pod: &Json) -> Vec<&str> {
    let containers = pod["spec"]["containers"].as_array();
    containers
        .into_iter()
        .flatten()
        .flat_map(|container| container["env"].as_array().into_iter().flatten())
        .filter_map(|variable| variable["valueFrom"]["fieldRef"]["fieldPath"].as_str())
        .collect()
}

/// Finds the project that `mage start` was given; a relative one is below the working directory of
/// the image, `/home/src`.
#[must_use]
pub fn repo_path(container: &Json) -> Option<String> {
    let words: Vec<&str> = ["command", "args"]
        .iter()
        .flat_map(|key| container[*key].as_array().into_iter().flatten())
        .filter_map(Json::as_str)
        .flat_map(str::split_whitespace)
        .collect();
    let start =
        words.windows(2).position(|pair| pair[0].ends_with("mage") && pair[1] == "start")?;
    let project = words[start + 2..].iter().find(|word| !word.starts_with('-'))?;
    if project.starts_with('/') {
        return Some((*project).to_owned());
    }
    let folder = container["workingDir"].as_str().unwrap_or("/home/src");
    Some(format!("{}/{project}", folder.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_job_can_take_is_kept() {
        let pod = json!({
            "metadata": {"name": "m", "uid": "u", "resourceVersion": "7", "annotations": {"a": "1", "b": "2"}},
            "spec": {"containers": [{
                "name": "mage", "command": ["sh", "-c", "mage start demo --password x"], "workingDir": "/w/",
                "livenessProbe": {},
                "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['a']"}}}]
            }], "affinity": {}},
            "status": {"startTime": "t", "podIP": "10.0.0.1", "conditions": []}
        });
        let kept = prune(&pod);
        assert_eq!(kept["metadata"], json!({"name": "m", "annotations": {"a": "1"}}));
        assert_eq!(kept["status"], json!({"startTime": "t"}));
        assert_eq!(kept["spec"]["containers"][0]["command"], json!(["mage", "start", "/w/demo"]));
        assert!(kept["spec"].get("affinity").is_none());
        assert_eq!(prune(&kept), kept);
    }
}
