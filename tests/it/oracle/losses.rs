//! No value that somebody wrote is lost without a word: it is in the Job, or shown as overridden with
//! the reason, or a warning or an error names its line.

use std::path::Path;

use kubectl_mage::yaml::{self, Node, SourceFile, Value};
use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value as Json, json};

use super::case::{made, runner};
use crate::cases::Case;
use crate::support::{Said, run};

/// A scalar that is not null: where it stands, and the lines of the keys above it.
struct Written {
    place: String,
    lines: Vec<String>,
}

fn collect(file: &str, node: &Node, lines: &[String], found: &mut Vec<Written>) {
    match &node.value {
        Value::Null => {}
        Value::Sequence(items) => {
            for item in items {
                collect(file, item, lines, found);
            }
        }
        Value::Mapping(mapping) => {
            for entry in &mapping.entries {
                let mut lines = lines.to_vec();
                lines.push(format!("{file}:{}:", entry.key.span.start.line));
                collect(file, &entry.value, &lines, found);
            }
        }
        _ => {
            let at = node.span.start;
            let mut lines = lines.to_vec();
            lines.push(format!("{file}:{}:", at.line));
            found.push(Written { place: format!("{file}:{}:{}", at.line, at.column), lines });
        }
    }
}

fn written(case: &Path, block: bool, edition: &str) -> Vec<Written> {
    let mut found = Vec::new();
    let mut read = |path: &Path, name: &str, of: &dyn Fn(&Node) -> Vec<Node>| {
        let Ok(text) = std::fs::read_to_string(path) else { return };
        let root = yaml::parse(&SourceFile::new(name, text)).expect("YAML").root;
        for node in root.iter().flat_map(of) {
            let line = format!("{name}:{}:", node.span.start.line);
            collect(name, &node, &[line], &mut found);
        }
    };
    let list = |node: Option<&Node>| node.cloned().into_iter().collect::<Vec<_>>();
    read(&case.join("project/metadata.yaml"), "metadata.yaml", &|root| {
        list(root.get("k8s_executor_config"))
    });
    read(
        &case.join("project/pipelines/etl/metadata.yaml"),
        "pipelines/etl/metadata.yaml",
        &|root| {
            let blocks = root.get("blocks").and_then(Node::as_sequence).unwrap_or_default();
            let mut bodies = Vec::new();
            if block {
                bodies.extend(list(blocks[0].get("executor_config")));
            }
            // Mage OSS looks at the pipeline's own settings only for a Job of the whole pipeline.
            if !block || edition == "pro" {
                bodies.extend(list(root.get("executor_config")));
            }
            bodies
        },
    );
    let template = case.join("k8s_config.yaml");
    read(&template, template.to_str().expect("UTF-8"), &|root| vec![root.clone()]);
    found
}

/// Everything that is said of a case: what is in the Job, what lost, and what is wrong.
struct Told {
    shown: String,
    said: String,
}

impl Told {
    /// Asks `explain-config`; none where there is no Job, and so nothing that could be lost.
    fn new(case: &Path, edition: &str) -> Option<Self> {
        let mut arguments = Case::open(case.to_path_buf(), Json::Null).arguments(edition);
        "explain-config".clone_into(&mut arguments[0]);
        arguments.retain(|argument| argument != "--output=json");
        let explain = |more: &[&str]| -> Said {
            let words: Vec<&str> =
                arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
            run(&words)
        };
        let table = explain(&["--overridden"]);
        if table.code == 2 {
            return None;
        }
        let values = explain(&["--all", "--output=json"]);
        let values: Json = serde_json::from_str(&values.stdout).unwrap_or_default();
        let mut shown = table.stdout;
        // Of a whole pipeline there is a list.
        let job = values.get("items").map_or(&values, |items| &items[0]);
        for value in job["values"].as_array().into_iter().flatten() {
            let losers = value["overridden"].as_array().into_iter().flatten();
            for source in std::iter::once(value).chain(losers).map(|value| &value["source"]) {
                let number = |key: &str| source[key].as_u64().unwrap_or_default();
                let file = source["file"].as_str().unwrap_or_default();
                let place = [file, &number("line").to_string(), &number("column").to_string()];
                shown.extend([place.join(":").as_str(), " "]);
            }
        }
        Some(Self { shown, said: table.stderr })
    }

    fn names(&self, written: &Written) -> bool {
        let exactly = |(at, found): (usize, &str)| {
            !self.shown[at + found.len()..].starts_with(|c: char| c.is_ascii_digit())
        };
        self.shown.match_indices(written.place.as_str()).any(exactly)
            || written.lines.iter().any(|line| self.said.contains(line.as_str()))
    }
}

#[test]
fn no_value_is_lost_without_a_word() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("case");
    let (mut runner, count) = runner();
    let strategy = made();
    let mut lost = Vec::new();
    let mut total = 0;
    for _ in 0..count {
        let made = strategy.new_tree(&mut runner).expect("a case").current();
        made.write(&folder);
        for edition in ["oss", "pro"] {
            let Some(told) = Told::new(&folder, edition) else { continue };
            for written in written(&folder, made.is_block(), edition) {
                total += 1;
                if !told.names(&written) {
                    let place = written.place;
                    lost.push(format!("{edition} {place}\n{}\n{}", made.shown(), told.said));
                }
            }
        }
    }
    lost.sort_by_key(String::len);
    let shown = lost[..lost.len().min(5)].join("\n======\n");
    assert!(lost.is_empty(), "{} of {total} lost\n{shown}", lost.len());
    assert!(total >= count, "{}", json!(total));
}
