//! From a path in a container to the object that is mounted there.

use serde_json::Value as Json;

/// A kind of object that holds files and variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

impl ObjectKind {
    /// Returns the name that kubectl takes before the slash.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }

    /// Returns the API's plural.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }
}

/// A key of an object that is mounted somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountedKey {
    /// The object's kind.
    pub kind: ObjectKind,
    /// Its name.
    pub object: String,
    /// The key.
    pub key: String,
    /// Whether it is mounted with `subPath`, so that the pod never sees a change.
    pub sub_path: bool,
}

impl MountedKey {
    /// Returns `configmap/NAME:KEY`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}:{}", self.kind.name(), self.object, self.key)
    }
}

fn items(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

/// Follows a path in a container to the keys that may be mounted there, the likeliest first: of a
/// projected volume a later source hides an earlier one. Says why where there is none.
pub fn mounted_keys(pod: &Json, container: &str, path: &str) -> Result<Vec<MountedKey>, String> {
    let container = items(&pod["spec"]["containers"])
        .find(|known| known["name"] == container)
        .ok_or_else(|| format!("the pod has no container {container}"))?;
    let (mount, rest) = mount_of(container, path)
        .ok_or_else(|| "nothing is mounted there, so it is inside the image".to_owned())?;
    if let Some(expression) = mount["subPathExpr"].as_str() {
        return Err(format!("it is mounted with subPathExpr {expression}"));
    }
    let name = mount["name"].as_str().unwrap_or_default();
    let volume = items(&pod["spec"]["volumes"])
        .find(|volume| volume["name"] == name)
        .ok_or_else(|| "its volume is not in the pod".to_owned())?;
    let sub_path = mount["subPath"].as_str().filter(|sub| !sub.is_empty());
    let file = match sub_path.map(|sub| sub.trim_matches('/')) {
        Some(sub) if rest.is_empty() => sub.to_owned(),
        Some(sub) => format!("{sub}/{rest}"),
        None => rest,
    };
    let key = |(kind, object, key): (ObjectKind, &str, String)| MountedKey {
        kind,
        object: object.to_owned(),
        key,
        sub_path: sub_path.is_some(),
    };
    let sources = sources(volume).ok_or_else(|| {
        format!("it is on volume {name}, which is neither a ConfigMap nor a Secret")
    })?;
    let keys: Vec<MountedKey> = sources
        .into_iter()
        .rev()
        .filter_map(|(kind, object, source)| Some(key((kind, object, key_of(source, &file)?))))
        .collect();
    if keys.is_empty() {
        return Err(format!("no item of volume {name} has the path {file}"));
    }
    Ok(keys)
}

/// Finds the mount that is nearest above the path, and what of the path is left below it.
fn mount_of<'a>(container: &'a Json, path: &str) -> Option<(&'a Json, String)> {
    let below = |mount: &'a Json| {
        let at = mount["mountPath"].as_str()?.trim_end_matches('/');
        let rest = path.strip_prefix(at)?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| (at.len(), mount, rest.trim_matches('/').to_owned()))
    };
    let mounts = items(&container["volumeMounts"]).filter_map(below);
    mounts.max_by_key(|(length, ..)| *length).map(|(_, mount, rest)| (mount, rest))
}

/// Returns the objects of a volume, with the part of it that has `items`.
fn sources(volume: &Json) -> Option<Vec<(ObjectKind, &str, &Json)>> {
    if let Some(name) = volume["configMap"]["name"].as_str() {
        return Some(vec![(ObjectKind::ConfigMap, name, &volume["configMap"])]);
    }
    if let Some(name) = volume["secret"]["secretName"].as_str() {
        return Some(vec![(ObjectKind::Secret, name, &volume["secret"])]);
    }
    let projected = volume["projected"]["sources"].as_array()?;
    let object = |source: &'static str, kind| {
        move |from: &'_ Json| from[source]["name"].as_str().map(|_| (kind, source))
    };
    let config_map = object("configMap", ObjectKind::ConfigMap);
    let secret = object("secret", ObjectKind::Secret);
    Some(
        projected
            .iter()
            .filter_map(|from| {
                let (kind, field) = config_map(from).or_else(|| secret(from))?;
                Some((kind, from[field]["name"].as_str()?, &from[field]))
            })
            .collect(),
    )
}

/// Returns the key whose file in the volume this is.
fn key_of(source: &Json, file: &str) -> Option<String> {
    match source["items"].as_array() {
        Some(items) if !items.is_empty() => items
            .iter()
            .find(|item| item["path"].as_str().is_some_and(|path| path.trim_matches('/') == file))
            .and_then(|item| item["key"].as_str())
            .map(str::to_owned),
        _ => (!file.contains('/')).then(|| file.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Json {
        json!({"spec": {
            "containers": [{"name": "mage", "volumeMounts": [
                {"name": "all", "mountPath": "/etc/mage/"},
                {"name": "one", "mountPath": "/etc/mage/policy.yaml", "subPath": "config.yaml"},
                {"name": "both", "mountPath": "/both"},
                {"name": "hidden", "mountPath": "/hidden/t.yaml", "subPath": "deep/t.yaml"},
                {"name": "data", "mountPath": "/data"}
            ]}],
            "volumes": [
                {"name": "all", "configMap": {"name": "cm", "items": [{"key": "k", "path": "t.yaml"}]}},
                {"name": "one", "configMap": {"name": "policy"}},
                {"name": "both", "projected": {"sources": [
                    {"configMap": {"name": "low"}},
                    {"serviceAccountToken": {"path": "token"}},
                    {"secret": {"name": "high", "items": [{"key": "p", "path": "policy.yaml"}]}}
                ]}},
                {"name": "hidden", "secret": {"secretName": "s", "items": [{"key": "x", "path": "deep/t.yaml"}]}},
                {"name": "data", "emptyDir": {}}
            ]
        }})
    }

    #[test]
    fn a_path_is_followed_to_its_key() {
        let names = |path: &str| -> Vec<String> {
            let keys = mounted_keys(&pod(), "mage", path).unwrap();
            keys.iter().map(MountedKey::name).collect()
        };
        assert_eq!(names("/etc/mage/t.yaml"), ["configmap/cm:k"]);
        assert_eq!(names("/etc/mage/policy.yaml"), ["configmap/policy:config.yaml"]);
        assert_eq!(names("/both/policy.yaml"), ["secret/high:p", "configmap/low:policy.yaml"]);
        assert_eq!(names("/both/other.yaml"), ["configmap/low:other.yaml"]);
        assert_eq!(names("/hidden/t.yaml"), ["secret/s:x"]);
        assert!(mounted_keys(&pod(), "mage", "/etc/mage/policy.yaml").unwrap()[0].sub_path);
    }

    #[test]
    fn it_says_why_there_is_none() {
        let why = |path: &str| mounted_keys(&pod(), "mage", path).unwrap_err();
        assert!(why("/data/x").contains("neither a ConfigMap nor a Secret"));
        assert!(why("/other").contains("inside the image"));
        assert!(why("/etc/mage/u.yaml").contains("no item of volume all"));
    }
}
