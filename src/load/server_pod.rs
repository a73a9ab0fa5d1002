//! The Mage server's pod, and what a Job takes from it
//! (`mage_ai/services/k8s/job_manager.py: merge_pod_spec, merge_container_spec`).

use std::sync::Arc;

use serde_json::Value as Json;

use crate::config::{LayerKind, Origin, Source};
use crate::error::{Place, Problem};
use crate::finding::FindingId;
use crate::merge::{Content, Tree};
use crate::snapshot::{Environment, Variable, environment, repo_path};
use crate::yaml::{Node, SourceFile, Value};

/// The Mage server's pod.
#[derive(Clone, Debug)]
pub struct ServerPod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The name of the container that runs Mage.
    pub container: String,
    /// The image of that container.
    pub image: String,
    /// What a Job takes from it, rooted at the merged tree's parts.
    pub tree: Tree,
    /// When it started, as the API gives it.
    pub started: Option<String>,
    /// The container's environment, as far as it is known.
    pub environment: Environment,
    /// The path in the pod of the project that `mage start` was given, if it was.
    pub repo_path: Option<String>,
    /// What else runs in it all the time: its other containers and native sidecars, with their
    /// places where the pod was read from a file.
    pub others: Vec<(String, Option<Place>)>,
    /// Whether there are several containers and nobody said which one runs Mage.
    pub unnamed: bool,
    /// What is doubtful, such as a `MAGE_CONTAINER_NAME` that names no container.
    pub warnings: Vec<Problem>,
}

/// Fields of the container and of the pod that a Job takes.
const CONTAINER_FIELDS: [&str; 4] = ["image", "env", "envFrom", "volumeMounts"];
const POD_FIELDS: [&str; 5] =
    ["volumes", "tolerations", "nodeSelector", "schedulerName", "imagePullSecrets"];

/// A pod, as a file or as the API gave it.
enum Raw<'a> {
    File(&'a Arc<SourceFile>, &'a Node),
    Api(&'a str, &'a Json),
}

impl ServerPod {
    /// Reads the pod from a file's root node.
    pub fn from_node(
        file: &Arc<SourceFile>,
        node: &Node,
        container_name: Option<&str>,
    ) -> Result<Self, Problem> {
        Self::new(&node.to_json(), &Raw::File(file, node), container_name, &[])
            .map_err(|problem| problem.at(file, node.span))
    }

    /// Takes the pod as the API gave it, with the variables that come from other objects.
    pub fn from_api(
        pod: &Json,
        container_name: Option<&str>,
        variables: &[Variable],
    ) -> Result<Self, Problem> {
        let object = format!("pod/{}", pod["metadata"]["name"].as_str().unwrap_or_default());
        Self::new(pod, &Raw::Api(&object, pod), container_name, variables)
    }

    fn new(
        pod: &Json,
        raw: &Raw<'_>,
        wanted: Option<&str>,
        variables: &[Variable],
    ) -> Result<Self, Problem> {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let containers = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
        if containers.is_empty() {
            return Err(Problem::new("the server pod has no `spec.containers`")
                .hint("write it with `kubectl get pod NAME -o json > pod.json`"));
        }
        let chosen = wanted.filter(|name| !name.is_empty());
        let found = chosen.and_then(|name| containers.iter().position(|c| c["name"] == name));
        let index = found.unwrap_or(0);
        let container = &containers[index];
        let name = text(&pod["metadata"]["name"]);
        let mut warnings = Vec::new();
        if let (Some(wanted), None) = (chosen, found) {
            warnings.push(no_such_container(wanted, &name, &containers, raw));
        }
        let namespace = text(&pod["metadata"]["namespace"]);
        Ok(Self {
            tree: tree(raw, index),
            container: text(&container["name"]),
            image: text(&container["image"]),
            repo_path: repo_path(container),
            started: pod["status"]["startTime"].as_str().map(str::to_owned),
            environment: environment(pod, container, variables),
            others: others(pod, index, raw),
            unnamed: chosen.is_none() && containers.len() > 1,
            warnings,
            name,
            namespace,
        })
    }
}

/// Says that `MAGE_CONTAINER_NAME` names no container: Mage then takes the first
/// (`mage_ai/services/k8s/job_manager.py: get_mage_server_container`).
fn no_such_container(wanted: &str, pod: &str, containers: &[Json], raw: &Raw<'_>) -> Problem {
    let names: Vec<&str> = containers.iter().filter_map(|c| c["name"].as_str()).collect();
    let first = names.first().copied().unwrap_or_default();
    let problem = Problem::new(format!(
        "MAGE_CONTAINER_NAME is `{wanted}`, which names no container of pod/{pod}: the first one, `{first}`, is used"
    ));
    let hint = format!("set it to one of: {}", names.join(", "));
    let problem = problem.id(FindingId::ContainerName).hint(hint);
    let problem = if wanted == pod {
        problem.hint("`fieldRef: metadata.name` gives the pod's name, not a container's")
    } else {
        problem
    };
    match raw {
        Raw::File(file, node) => match container_name_variable(node) {
            Some(variable) => problem.at(file, variable.span),
            None => problem,
        },
        Raw::Api(..) => problem,
    }
}

/// Finds the value of `MAGE_CONTAINER_NAME` in a pod's file.
fn container_name_variable(pod: &Node) -> Option<&Node> {
    let containers = pod.get("spec")?.get("containers")?.as_sequence()?;
    let mut variables =
        containers.iter().filter_map(|container| container.get("env")?.as_sequence());
    let variable = variables.find_map(|list| {
        let named =
            |node: &&Node| node.get("name").and_then(Node::as_str) == Some("MAGE_CONTAINER_NAME");
        list.iter().find(named)
    })?;
    let field = || variable.get("valueFrom")?.get("fieldRef")?.get("fieldPath");
    variable.get("value").or_else(field)
}

/// Names what runs beside the container `chosen`. An init container that restarts always is a
/// sidecar.
fn others(pod: &Json, chosen: usize, raw: &Raw<'_>) -> Vec<(String, Option<Place>)> {
    let list = |key: &str| pod["spec"][key].as_array().cloned().unwrap_or_default();
    let beside = list("containers").into_iter().enumerate();
    let beside = beside.filter(|(index, _)| *index != chosen).map(|found| ("containers", found));
    let sidecars = list("initContainers").into_iter().enumerate();
    let sidecars = sidecars
        .filter(|(_, container)| container["restartPolicy"] == "Always")
        .map(|found| ("initContainers", found));
    let named = beside.chain(sidecars).filter_map(|(key, (index, container))| {
        let place = match raw {
            Raw::File(file, pod) => {
                let item = || pod.get("spec")?.get(key)?.as_sequence()?.get(index)?.get("name");
                item().map(|node| Place { file: Arc::clone(file), span: node.span })
            }
            Raw::Api(..) => None,
        };
        Some((container["name"].as_str()?.to_owned(), place))
    });
    named.collect()
}

fn tree(raw: &Raw<'_>, index: usize) -> Tree {
    let mut root = Tree::empty_map(Origin::new(LayerKind::ServerPod, Source::BuiltIn, ""));
    for (part, fields) in [("container", &CONTAINER_FIELDS[..]), ("pod", &POD_FIELDS[..])] {
        for field in fields {
            let setting = format!("{part}.{}", crate::config::camel_to_snake(field));
            let value = match raw {
                Raw::File(file, pod) => {
                    field_node(pod, part, index, field).map(|node| from_node(file, node, &setting))
                }
                Raw::Api(object, pod) => {
                    let at = match part {
                        "container" => format!("spec.containers[{index}].{field}"),
                        _ => format!("spec.{field}"),
                    };
                    let value = match part {
                        "container" => &pod["spec"]["containers"][index][*field],
                        _ => &pod["spec"][*field],
                    };
                    (!value.is_null()).then(|| from_json(object, value, &at, &setting))
                }
            };
            if let Some(value) = value {
                root.put(&[part, field], value);
            }
        }
    }
    root
}

fn field_node<'a>(pod: &'a Node, part: &str, index: usize, field: &str) -> Option<&'a Node> {
    let spec = pod.get("spec")?;
    let node = match part {
        "container" => spec.get("containers")?.as_sequence()?.get(index)?.get(field)?,
        _ => spec.get(field)?,
    };
    (!node.is_null()).then_some(node)
}

fn from_node(file: &Arc<SourceFile>, node: &Node, setting: &str) -> Tree {
    let content = match &node.value {
        Value::Sequence(nodes) => Content::List {
            items: nodes
                .iter()
                .enumerate()
                .map(|(index, node)| from_node(file, node, &format!("{setting}[{index}]")))
                .collect(),
            closed: false,
        },
        Value::Mapping(mapping) => Content::Map(
            mapping
                .string_entries()
                .filter(|(_, entry)| !entry.value.is_null())
                .map(|(key, entry)| {
                    let setting = format!("{setting}.{key}");
                    (key.into(), from_node(file, &entry.value, &setting))
                })
                .collect(),
        ),
        _ => Content::Leaf(node.to_json()),
    };
    Tree::new(content, Origin::file(LayerKind::ServerPod, file, node, setting))
}

fn from_json(object: &str, value: &Json, field: &str, setting: &str) -> Tree {
    let content = match value {
        Json::Array(items) => Content::List {
            items: items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    from_json(
                        object,
                        item,
                        &format!("{field}[{index}]"),
                        &format!("{setting}[{index}]"),
                    )
                })
                .collect(),
            closed: false,
        },
        Json::Object(map) => Content::Map(
            map.iter()
                .map(|(key, value)| {
                    let (field, setting) = (format!("{field}.{key}"), format!("{setting}.{key}"));
                    (key.as_str().into(), from_json(object, value, &field, &setting))
                })
                .collect(),
        ),
        scalar => Content::Leaf(scalar.clone()),
    };
    let source = Source::Object { object: object.into(), field: field.into() };
    Tree::new(content, Origin::new(LayerKind::ServerPod, source, setting))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Json {
        json!({
            "metadata": {"name": "mage-0", "namespace": "jobs"},
            "spec": {"containers": [
                {"name": "proxy", "image": "proxy:1"},
                {"name": "mage", "image": "mageai/mageai:0.9.80", "command": ["mage", "start", "p"],
                 "env": [
                    {"name": "A", "value": "1"},
                    {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                    {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
                 ]}
            ]}
        })
    }

    #[test]
    fn the_container_is_chosen_by_name() {
        let server = ServerPod::from_api(&pod(), Some("mage"), &[]).unwrap();
        assert_eq!(server.image, "mageai/mageai:0.9.80");
        assert_eq!(server.repo_path.as_deref(), Some("/home/src/p"));
        let known = &server.environment.variables;
        let values: Vec<(&str, &str)> = known.iter().map(|v| (&*v.name, &*v.value)).collect();
        assert_eq!(values, [("A", "1"), ("NS", "jobs")]);
        assert_eq!(server.environment.unknown[0].object, "secret/s:k");
        let image = server.tree.at(&["container", "image"]).unwrap();
        assert_eq!(image.origin.source.to_string(), "pod/mage-0 spec.containers[1].image");
    }

    #[test]
    fn a_name_that_fits_none_takes_the_first_and_says_so() {
        let server = ServerPod::from_api(&pod(), Some("mage-0"), &[]).unwrap();
        assert_eq!(server.container, "proxy");
        assert_eq!(server.warnings.len(), 1);
    }
}
