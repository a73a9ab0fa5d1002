//! What checks ask of a pod and its containers.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// How a variable of a container is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable<'a> {
    /// It is not; the image may still set it.
    Unset,
    /// To this text.
    Literal(&'a str),
    /// In another object, or perhaps: `envFrom` does not say which variables it brings.
    Elsewhere,
}

/// Looks a variable of a container up; an empty one counts as unset.
pub(super) fn variable<'a>(container: &'a Json, name: &str) -> Variable<'a> {
    let mut variables = container["env"].as_array().into_iter().flatten();
    match variables.rfind(|variable| variable["name"] == name) {
        Some(variable) => match variable["value"].as_str() {
            Some("") => Variable::Unset,
            Some(text) => Variable::Literal(text),
            None if variable["valueFrom"].is_null() => Variable::Unset,
            None => Variable::Elsewhere,
        },
        None if container["envFrom"].as_array().is_some_and(|from| !from.is_empty()) => {
            Variable::Elsewhere
        }
        None => Variable::Unset,
    }
}

/// Returns all containers of a pod.
pub(super) fn containers(pod: &Json) -> impl Iterator<Item = &Json> {
    let lists = ["containers", "initContainers"].into_iter();
    lists.flat_map(|list| pod[list].as_array().into_iter().flatten())
}

/// Returns the names of the volumes that a container of the pod mounts.
pub(super) fn mounted(pod: &Json) -> BTreeSet<&str> {
    containers(pod)
        .flat_map(|container| ["volumeMounts", "volumeDevices"].map(|list| &container[list]))
        .flat_map(|list| list.as_array().into_iter().flatten())
        .filter_map(|mount| mount["name"].as_str())
        .collect()
}

/// Volumes that another pod does not see, or that nobody can write.
const NOT_SHARED: [&str; 8] = [
    "configMap",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "gitRepo",
    "image",
    "projected",
    "secret",
];

/// Returns the paths at which a container mounts volumes, and whether other pods see what is
/// written there.
pub(super) fn mounts<'a>(pod: &'a Json, container: &'a Json) -> Vec<(&'a str, bool)> {
    let volumes = || pod["volumes"].as_array().into_iter().flatten();
    let is_shared = |mount: &Json| {
        let volume = volumes().find(|volume| volume["name"] == mount["name"]);
        mount["readOnly"] != true
            && volume.and_then(Json::as_object).is_some_and(|volume| {
                volume.keys().any(|key| key != "name" && !NOT_SHARED.contains(&key.as_str()))
            })
    };
    let mounts = container["volumeMounts"].as_array().into_iter().flatten();
    mounts.filter_map(|mount| Some((mount["mountPath"].as_str()?, is_shared(mount)))).collect()
}

/// Tells whether `path` is `folder` or below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_of_two_variables_counts_and_an_empty_one_is_unset() {
        let container = json!({"env": [
            {"name": "A", "value": "1"},
            {"name": "A", "value": "2"},
            {"name": "B", "value": ""},
            {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ]});
        assert_eq!(variable(&container, "A"), Variable::Literal("2"));
        assert_eq!(variable(&container, "B"), Variable::Unset);
        assert_eq!(variable(&container, "C"), Variable::Elsewhere);
        assert_eq!(variable(&container, "D"), Variable::Unset);
    }

    #[test]
    fn only_what_other_pods_see_is_shared() {
        let pod = json!({"volumes": [
            {"name": "claim", "persistentVolumeClaim": {"claimName": "c"}},
            {"name": "scratch", "emptyDir": {}},
            {"name": "bare"},
        ]});
        let container = json!({"volumeMounts": [
            {"name": "claim", "mountPath": "/a"},
            {"name": "claim", "mountPath": "/b", "readOnly": true},
            {"name": "scratch", "mountPath": "/c"},
            {"name": "bare", "mountPath": "/d"},
        ]});
        let wanted = [("/a", true), ("/b", false), ("/c", false), ("/d", false)];
        assert_eq!(mounts(&pod, &container), wanted);
        assert!(is_below("/data/shop", "/data/") && is_below("/data", "/data"));
        assert!(!is_below("/database", "/data") && is_below("/x", "/"));
    }
}
