//! Reads a snapshot from a file's text.

use std::sync::Arc;

use serde_json::Value as Json;

use super::model::{API_VERSION, KIND, Snapshot};
use crate::error::Problem;
use crate::yaml::{Node, SourceFile, Span, Value, parse};

const AGAIN: &str = "write it anew with `kubectl mage snapshot > FILE`";

/// Reads a snapshot, as JSON or YAML; says where it is broken.
pub fn parse_snapshot(file: &Arc<SourceFile>) -> Result<Snapshot, Problem> {
    if file.text.trim_start().starts_with('{') {
        let there = |error: &serde_json::Error| {
            let offset = offset(&file.text, (error.line(), error.column()));
            file.lines().span(offset, offset)
        };
        let json: Json = serde_json::from_str(&file.text)
            .map_err(|error| broken(file, &error, there(&error)))?;
        check_version(file, &json)?;
        // From the text once more, which knows lines.
        return serde_json::from_str(&file.text)
            .map_err(|error| broken(file, &error, there(&error)));
    }
    let document = parse(file).map_err(|error| error.to_problem().hint(AGAIN))?;
    let json = document.root.as_ref().map(Node::to_json).unwrap_or_default();
    check_version(file, &json)?;
    // As text again, each of whose lines has its place in the file.
    serde_json::from_str(&format!("{json:#}")).map_err(|error| {
        let mut lines = Vec::new();
        if let Some(root) = &document.root {
            lines_of(root, &mut lines);
        }
        let place = error.line().checked_sub(1).and_then(|line| lines.get(line));
        broken(file, &error, place.copied().unwrap_or_else(|| file.lines().span(0, 0)))
    })
}

/// Finds where the lines of the JSON of a node, one for each of its values and brackets, come from.
fn lines_of(node: &Node, lines: &mut Vec<Span>) {
    let first = lines.len();
    lines.push(node.span);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| lines_of(item, lines)),
        Value::Mapping(mapping) => {
            for entry in &mapping.entries {
                let start = lines.len();
                lines_of(&entry.value, lines);
                lines[start] = entry.key.span;
            }
        }
        _ => {}
    }
    if lines.len() > first + 1 {
        lines.push(node.span);
    }
}

fn check_version(file: &Arc<SourceFile>, json: &Json) -> Result<(), Problem> {
    if json["kind"] != KIND {
        let kind = json["kind"].as_str().map(|kind| format!("is {kind}"));
        let kind = kind.unwrap_or_else(|| "has no `kind`".to_owned());
        let problem = Problem::new(format!("{} is no snapshot: it {kind}", file.name));
        return Err(problem.at(file, place_of(file, "kind")).hint(AGAIN));
    }
    if json["apiVersion"] != API_VERSION {
        let version = json["apiVersion"].as_str().unwrap_or("none");
        let problem = Problem::new(format!(
            "{} is a snapshot of version {version}; this program reads {API_VERSION}",
            file.name
        ));
        return Err(problem.at(file, place_of(file, "apiVersion")).hint(AGAIN));
    }
    Ok(())
}

/// Finds a top-level key's value.
fn place_of(file: &Arc<SourceFile>, key: &str) -> Span {
    let root = parse(file).ok().and_then(|document| document.root);
    let node = root.as_ref().and_then(|root| root.get(key));
    node.map_or_else(|| file.lines().span(0, 0), |node| node.span)
}

fn broken(file: &Arc<SourceFile>, error: &serde_json::Error, span: Span) -> Problem {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    Problem::new(format!("the snapshot {} is broken: {what}", file.name)).at(file, span).hint(AGAIN)
}

/// Finds the byte of a line and column, both counted from 1.
fn offset(text: &str, (line, column): (usize, usize)) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (String, u32) {
        let error = parse_snapshot(&SourceFile::new("s", text)).unwrap_err();
        (error.message, error.place.map_or(0, |place| place.span.start.line))
    }

    #[test]
    fn what_was_written_is_read() {
        let snapshot = Snapshot { server_version: Some("v1.33.0".into()), ..Snapshot::default() };
        let json = serde_json::to_string_pretty(&snapshot).unwrap();
        assert_eq!(parse_snapshot(&SourceFile::new("s", json)).unwrap(), snapshot);
        let value = serde_json::to_value(&snapshot).unwrap();
        let yaml = crate::ui::manifest::yaml(&value);
        assert_eq!(parse_snapshot(&SourceFile::new("s", yaml)).unwrap(), snapshot);
    }

    #[test]
    fn a_broken_one_is_told_with_its_place() {
        let good = serde_json::to_string_pretty(&Snapshot::default()).unwrap();
        let (message, line) = problem(&good.replace("v1\"", "v9\""));
        assert!(message.contains("version kubectl-mage/v9"), "{message}");
        assert_eq!(line, 2);
        let (message, line) = problem(&good.replace("\"nodes\": null", "\"nodes\": 3"));
        assert!(message.contains("invalid type"), "{message}");
        assert!(line > 5);
        let (message, _) = problem(&good[..good.len() / 2]);
        assert!(message.contains("broken"), "{message}");
        let (message, _) = problem("kind: Pod\n");
        assert!(message.contains("is no snapshot: it is Pod"), "{message}");
        let (message, _) = problem("project_type: standalone\n");
        assert!(message.contains("is no snapshot: it has no `kind`"), "{message}");
        let yaml = "apiVersion: kubectl-mage/v1\nkind: Snapshot\ncontext: {}\nsurprise: 1\n";
        let (message, line) = problem(yaml);
        assert!(message.contains("unknown field `surprise`"), "{message}");
        assert_eq!(line, 4);
        let yaml = "apiVersion: kubectl-mage/v1\nkind: Snapshot\ncontext:\n  namespace:\n    - n\n";
        let (message, line) = problem(yaml);
        assert!(message.contains("invalid type: sequence"), "{message}");
        assert_eq!(line, 4);
    }
}
