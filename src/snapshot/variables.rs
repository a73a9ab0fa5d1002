//! The environment of a container, as the kubelet makes it of `envFrom` and `env`
//! (`pkg/kubelet/kubelet_pods.go: makeEnvironmentVariables`).

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::model::Variable;
use super::mounted::ObjectKind;

/// A variable that comes from a key of another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// The object's kind.
    pub kind: ObjectKind,
    /// The object's name.
    pub object: String,
    /// The key.
    pub key: String,
}

impl Reference {
    /// Returns `configmap/NAME:KEY`.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}/{}:{}", self.kind.name(), self.object, self.key)
    }
}

/// An object all of whose keys are variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFrom {
    /// The object's kind.
    pub kind: ObjectKind,
    /// The object's name.
    pub object: String,
    /// What stands before each key.
    pub prefix: String,
}

impl EnvFrom {
    /// Returns `configmap/NAME`.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}/{}", self.kind.name(), self.object)
    }
}

/// A variable whose value is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The object it comes from, where it is not written in the pod.
    pub object: Option<String>,
    /// When that object was last changed, where that was after the pod started.
    pub changed_at: Option<String>,
}

/// The environment of a container, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// What is known, one entry a name.
    pub variables: Vec<PodVariable>,
    /// What is not: variables, and objects of `envFrom` (with an empty name).
    pub unknown: Vec<Variable>,
}

fn items(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn reference(variable: &Json) -> Option<Reference> {
    let from = &variable["valueFrom"];
    let kinds = [("configMapKeyRef", ObjectKind::ConfigMap), ("secretKeyRef", ObjectKind::Secret)];
    kinds.into_iter().find_map(|(field, kind)| {
        Some(Reference {
            name: text(&variable["name"]),
            kind,
            object: from[field]["name"].as_str()?.to_owned(),
            key: text(&from[field]["key"]),
        })
    })
}

/// Returns what a container takes from other objects: variable by variable, and whole objects.
#[must_use]
pub fn references(container: &Json) -> (Vec<Reference>, Vec<EnvFrom>) {
    let single = items(&container["env"]).filter_map(reference).collect();
    let kinds = [("configMapRef", ObjectKind::ConfigMap), ("secretRef", ObjectKind::Secret)];
    let whole = items(&container["envFrom"]).filter_map(|from| {
        kinds.into_iter().find_map(|(field, kind)| {
            let object = from[field]["name"].as_str()?.to_owned();
            Some(EnvFrom { kind, object, prefix: text(&from["prefix"]) })
        })
    });
    (single, whole.collect())
}

/// Returns the name of the container meant: the one named where it exists, else the first, as
/// Mage chooses it.
#[must_use]
pub fn container_of(pod: &Json, wanted: Option<&str>) -> String {
    let names: Vec<&str> =
        items(&pod["spec"]["containers"]).filter_map(|c| c["name"].as_str()).collect();
    let meant = wanted.filter(|wanted| names.contains(wanted));
    meant.or(names.first().copied()).unwrap_or_default().to_owned()
}

/// Makes the environment of a container: `envFrom` first, in order, then `env`, of which a later one
/// of the same name wins; `$(NAME)` is replaced by what came before.
#[must_use]
pub fn environment(pod: &Json, container: &Json, resolved: &[Variable]) -> Environment {
    let mut known: IndexMap<String, PodVariable> = IndexMap::new();
    let mut unknown: Vec<Variable> = Vec::new();
    let (_, whole) = references(container);
    for from in whole {
        let is_of = |v: &&Variable| {
            v.env_from
                && (v.object == from.source()
                    || v.object.starts_with(&format!("{}:", from.source())))
        };
        let mut of: Vec<&Variable> = resolved.iter().filter(is_of).collect();
        of.retain(|variable| variable.name.is_empty() || variable.name.starts_with(&from.prefix));
        if of.is_empty() && !resolved.iter().any(|v| v.object == from.source()) {
            unknown.push(Variable { object: from.source(), env_from: true, ..Variable::default() });
        }
        for variable in of {
            match of_object(variable) {
                Some(value) => {
                    unknown.retain(|other| other.name != variable.name);
                    known.insert(variable.name.clone(), value);
                }
                // An object that was read and has no keys is no gap.
                None if variable.name.is_empty() && variable.why.is_none() => {}
                None => {
                    known.shift_remove(&variable.name);
                    unknown.push(variable.clone());
                }
            }
        }
    }
    for variable in items(&container["env"]) {
        let name = text(&variable["name"]);
        unknown.retain(|other| other.name != name);
        let found = value_of(variable, pod, &known, &unknown, resolved);
        match found {
            Ok(Some(found)) => drop(known.insert(name, found)),
            Ok(None) => {
                known.shift_remove(&name);
            }
            Err(gap) => {
                known.shift_remove(&name);
                unknown.push(*gap);
            }
        }
    }
    Environment { variables: known.into_values().collect(), unknown }
}

fn of_object(variable: &Variable) -> Option<PodVariable> {
    Some(PodVariable {
        name: variable.name.clone(),
        value: variable.value.clone()?,
        object: Some(variable.object.clone()),
        changed_at: variable.changed_at.clone(),
    })
}

/// Returns the value of an entry of `env`; none where it is certain that it is not set.
fn value_of(
    variable: &Json,
    pod: &Json,
    known: &IndexMap<String, PodVariable>,
    unknown: &[Variable],
    resolved: &[Variable],
) -> Result<Option<PodVariable>, Box<Variable>> {
    let name = text(&variable["name"]);
    if let Some(reference) = reference(variable) {
        let source = reference.source();
        let found = resolved.iter().find(|v| !v.env_from && v.name == name && v.object == source);
        return match found {
            // An optional key that does not exist.
            Some(Variable { value: None, why: None, .. }) => Ok(None),
            Some(variable) => {
                of_object(variable).map(Some).ok_or_else(|| Box::new(variable.clone()))
            }
            None => Err(Box::new(Variable { name, object: source, ..Variable::default() })),
        };
    }
    let from = &variable["valueFrom"];
    if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
        return Ok(field(pod, path).map(|value| written(name, value)));
    }
    if from.is_object() {
        return Ok(None);
    }
    let value = text(&variable["value"]);
    let mut gap = None;
    let expanded = expand(&value, |name| {
        if let Some(missing) = unknown.iter().find(|missing| missing.name == name) {
            gap = Some(missing.object.clone());
        }
        known.get(name).map(|variable| variable.value.clone())
    });
    match gap {
        Some(object) => Err(Box::new(Variable { name, object, ..Variable::default() })),
        None => Ok(Some(written(name, expanded))),
    }
}

fn written(name: String, value: String) -> PodVariable {
    PodVariable { name, value, object: None, changed_at: None }
}

/// Reads a field of the pod as the downward API gives it.
fn field(pod: &Json, path: &str) -> Option<String> {
    let keyed = |of: &Json, path: &str| {
        let key = path.split_once("['")?.1.strip_suffix("']")?;
        Some(of[key].as_str().unwrap_or_default().to_owned())
    };
    if path.starts_with("metadata.labels[") {
        return keyed(&pod["metadata"]["labels"], path);
    }
    if path.starts_with("metadata.annotations[") {
        return keyed(&pod["metadata"]["annotations"], path);
    }
    let value = match path {
        "metadata.name" => &pod["metadata"]["name"],
        "metadata.namespace" => &pod["metadata"]["namespace"],
        "spec.serviceAccountName" => &pod["spec"]["serviceAccountName"],
        "spec.nodeName" => &pod["spec"]["nodeName"],
        "status.podIP" => &pod["status"]["podIP"],
        "status.hostIP" => &pod["status"]["hostIP"],
        _ => return None,
    };
    value.as_str().map(str::to_owned)
}

/// Replaces `$(NAME)` as `k8s.io/kubernetes/third_party/forked/golang/expansion` does: an unknown
/// name stays as written, `$$` is one dollar.
fn expand(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|inside| inside.split_once(')'))
        {
            match value(name) {
                Some(value) => expanded.push_str(&value),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variable(name: &str, object: &str, value: Option<&str>, env_from: bool) -> Variable {
        Variable {
            name: name.into(),
            object: object.into(),
            value: value.map(str::to_owned),
            env_from,
            ..Variable::default()
        }
    }

    #[test]
    fn env_beats_env_from_and_a_later_object_an_earlier_one() {
        let container = json!({
            "envFrom": [{"configMapRef": {"name": "low"}}, {"prefix": "P_", "configMapRef": {"name": "high"}}],
            "env": [
                {"name": "A", "value": "env"},
                {"name": "PATH2", "value": "$(B)/$$(B)/$(NONE)"},
                {"name": "K", "valueFrom": {"configMapKeyRef": {"name": "low", "key": "k"}}},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                {"name": "TEAM", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a.b/team']"}}},
                {"name": "A", "value": "last"}
            ]
        });
        let pod = json!({"metadata": {"labels": {"a.b/team": "data"}}, "spec": {"nodeName": "n1"}});
        let resolved = [
            variable("A", "configmap/low:A", Some("low"), true),
            variable("B", "configmap/low:B", Some("b"), true),
            variable("P_B", "configmap/high:B", Some("pb"), true),
            variable("K", "configmap/low:k", Some("key"), false),
        ];
        let environment = environment(&pod, &container, &resolved);
        assert_eq!(environment.unknown, []);
        let values: Vec<(&str, &str)> =
            environment.variables.iter().map(|v| (v.name.as_str(), v.value.as_str())).collect();
        let expected = [
            ("A", "last"),
            ("B", "b"),
            ("P_B", "pb"),
            ("PATH2", "b/$(B)/$(NONE)"),
            ("K", "key"),
            ("NODE", "n1"),
            ("TEAM", "data"),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn what_hangs_on_an_unknown_variable_is_unknown() {
        let container = json!({
            "envFrom": [{"secretRef": {"name": "s"}}],
            "env": [
                {"name": "U", "valueFrom": {"secretKeyRef": {"name": "s", "key": "u"}}},
                {"name": "V", "value": "x-$(U)"},
                {"name": "W", "value": "plain"}
            ]
        });
        let environment = environment(&json!({}), &container, &[]);
        let names: Vec<&str> = environment.unknown.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["", "U", "V"]);
        assert_eq!(environment.variables.len(), 1);
    }
}
