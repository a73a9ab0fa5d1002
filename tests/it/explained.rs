//! What `explain-config -o json` and `render -o json` say, in a form that tests can ask.

use std::collections::BTreeMap;
use std::path::Path;

use kubectl_mage::yaml::{self, Node, SourceFile, Value};
use serde_json::Value as Json;

use crate::support::{TempProject, fixture};

/// Paths of the Job with their values.
pub(crate) type Leaves = BTreeMap<String, Json>;

/// Returns every leaf of a manifest by its path, an empty list or mapping being one.
pub(crate) fn leaves(manifest: &Json) -> Leaves {
    let mut found = Leaves::new();
    collect(manifest, String::new(), &mut found);
    found
}

fn collect(value: &Json, path: String, found: &mut Leaves) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let plain = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
                let step = if plain { format!(".{key}") } else { format!("[\"{key}\"]") };
                collect(value, path.clone() + &step, found);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{index}]"), found);
            }
        }
        other => assert!(found.insert(path, other.clone()).is_none()),
    }
}

/// Runs `render -o json` for one Job.
pub(crate) fn rendered(project: &TempProject, target: &str, flags: &[&str]) -> Json {
    let said = project.run(&[&["render", target, "-o", "json"], flags].concat());
    let list: Json = serde_json::from_str(&said.ok()).expect("JSON");
    list["items"][0].clone()
}

/// Runs `explain-config -o json --all` for one Job.
pub(crate) fn explained(project: &TempProject, target: &str, flags: &[&str]) -> Json {
    let said = project.run(&[&["explain-config", target, "-o", "json", "--all"], flags].concat());
    serde_json::from_str(&said.ok()).expect("JSON")
}

/// Returns the values of an explanation.
pub(crate) fn values(explained: &Json) -> &[Json] {
    explained["values"].as_array().expect("a list")
}

/// Returns the value at a path of the Job.
#[track_caller]
pub(crate) fn at<'a>(explained: &'a Json, job_path: &str) -> &'a Json {
    values(explained)
        .iter()
        .find(|value| value["jobPath"] == job_path)
        .unwrap_or_else(|| panic!("nothing at {job_path} in {explained:#}"))
}

/// The path of a field of the container that runs Mage.
pub(crate) fn container(field: &str) -> String {
    format!(".spec.template.spec.containers[0].{field}")
}

/// The project in `fixtures/layers`, in which most layers speak.
pub(crate) fn layered() -> TempProject {
    let project = TempProject::new(&[]);
    for file in [
        "metadata.yaml",
        "pipelines/etl/metadata.yaml",
        "template.yaml",
        "policy.yaml",
        "enforced.yaml",
        "pod.yaml",
    ] {
        let text = std::fs::read_to_string(fixture("layers").join(file)).expect("a fixture");
        project.write(file, &text);
    }
    project
}

/// The flags with which every layer of [`layered`] speaks.
pub(crate) fn layered_flags(project: &TempProject, policy: &str) -> Vec<String> {
    vec![
        format!("--template={}/template.yaml", project.path()),
        format!("--policy={}/{policy}.yaml", project.path()),
        "--server-env=TEAM=data".to_owned(),
        "--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_MEMORY=256Mi".to_owned(),
        "--repo-path=/home/src/project".to_owned(),
    ]
}

/// Finds the scalar that starts at a place in a file, as it is written there.
pub(crate) fn scalar_at(file: &Path, line: u64, column: u64) -> Option<(Node, String)> {
    let text = std::fs::read_to_string(file).expect("a file");
    let source = SourceFile::new("file", text.as_str());
    let root = yaml::parse(&source).expect("YAML").root?;
    let node = find(&root, line, column)?;
    let written = text[node.span.bytes()].to_owned();
    Some((node, written))
}

fn find(node: &Node, line: u64, column: u64) -> Option<Node> {
    match &node.value {
        Value::Sequence(items) => items.iter().find_map(|item| find(item, line, column)),
        Value::Mapping(mapping) => {
            mapping.entries.iter().find_map(|entry| find(&entry.value, line, column))
        }
        _ => {
            let start = node.span.start;
            let here = (u64::from(start.line), u64::from(start.column)) == (line, column);
            here.then(|| node.clone())
        }
    }
}

/// The place of a source in a file: its name, line and column.
pub(crate) fn place(source: &Json) -> Option<(String, u64, u64)> {
    (source["kind"] == "file").then(|| {
        let number = |key: &str| source[key].as_u64().expect("a number");
        (source["file"].as_str().expect("a name").to_owned(), number("line"), number("column"))
    })
}
