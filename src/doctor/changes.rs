//! What differs between two snapshots of a cluster.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::snapshot::Snapshot;

/// Something that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where: `namespaces.etl.quotas[team].hard.cpu`.
    pub path: String,
    /// What it was; none where it was not there.
    pub before: Option<String>,
    /// What it is; none where it is no longer there.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, before, after } = self;
        match (before, after) {
            (None, Some(after)) => write!(f, "{path} is new: {after}"),
            (Some(before), None) => write!(f, "{path} is gone; it was {before}"),
            (Some(before), Some(after)) => write!(f, "{path} was {before} and is {after}"),
            (None, None) => write!(f, "{path}"),
        }
    }
}

/// What says nothing of a cluster, or only what may be read of it.
const NOT_COMPARED: [&str; 5] = ["apiVersion", "kind", "context", "unreadable", "refused"];

/// How much of a value is shown.
const MOST_SHOWN: usize = 80;

/// Lists of everything that there is of a kind: of them only what is used counts.
const OF_EVERYTHING: [&str; 7] = [
    "existingNamespaces",
    "priorityClasses",
    "runtimeClasses",
    "serviceAccounts",
    "claims",
    "configMaps",
    "secrets",
];

/// Returns what differs; of these lists, by the list's and the item's name, what `is_used`. What may not be read on either side, or was not
/// asked for, is not compared.
#[must_use]
pub fn changes(
    before: &Snapshot,
    after: &Snapshot,
    is_used: impl Fn(&str, &str) -> bool,
) -> Vec<Change> {
    let value = |snapshot: &Snapshot| serde_json::to_value(snapshot).unwrap_or_default();
    let mut found = Vec::new();
    compare("", &value(before), &value(after), &mut found);
    // `namespaces.etl.secrets[a]`: what is in brackets behind such a list is a name.
    let counts = |change: &Change| {
        let name = OF_EVERYTHING.iter().find_map(|list| {
            let at = change.path.find(&format!("{list}["))?;
            let is_whole = matches!(change.path[..at].chars().next_back(), None | Some('.' | ']'));
            let rest = &change.path[at + list.len() + 1..];
            let listed = is_whole && !change.path.starts_with("serverPod.");
            listed.then(|| (*list, rest.split_once(']').map_or(rest, |(name, _)| name)))
        });
        name.is_none_or(|(list, name)| is_used(list, name))
    };
    found.retain(counts);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let skipped = NOT_COMPARED.contains(&key.as_str()) && !path.contains('.');
                let inner = joined(path, key);
                match (old.get(key), new.get(key)) {
                    _ if skipped => {}
                    (Some(old), Some(new)) => compare(&inner, old, new, found),
                    // Another namespace was asked for.
                    _ if path == "namespaces" => {}
                    (old, new) => found.push(change(inner, old, new)),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => lists(path, old, new, found),
        // A list that may not be read.
        (Value::Null, Value::Array(_) | Value::Object(_))
        | (Value::Array(_) | Value::Object(_), Value::Null)
            if path != "serverPod.pod" => {}
        (Value::String(old), Value::String(new)) if old.contains('\n') || new.contains('\n') => {
            found.push(text(path, old, new));
        }
        (Value::Null, new) => found.push(change(path.to_owned(), None, Some(new))),
        (old, Value::Null) => found.push(change(path.to_owned(), Some(old), None)),
        (old, new) => found.push(change(path.to_owned(), Some(old), Some(new))),
    }
}

fn joined(path: &str, key: &str) -> String {
    match (path, key.contains(['.', '/'])) {
        ("", _) => key.to_owned(),
        (_, true) => format!("{path}[{key:?}]"),
        (_, false) => format!("{path}.{key}"),
    }
}

/// Compares lists by the names of their items, or by the items themselves.
fn lists(path: &str, old: &[Value], new: &[Value], found: &mut Vec<Change>) {
    let all: Option<BTreeSet<String>> = old.iter().chain(new).map(key_of).collect();
    let Some(keys) = all else {
        return found.push(change(
            path.to_owned(),
            Some(&Value::Array(old.to_vec())),
            Some(&Value::Array(new.to_vec())),
        ));
    };
    for key in keys {
        let item =
            |list: &[Value]| list.iter().find(|item| key_of(item).as_ref() == Some(&key)).cloned();
        let inner = format!("{path}[{key}]");
        match (item(old), item(new)) {
            (Some(old), Some(new)) => compare(&inner, &old, &new, found),
            (old, new) => found.push(change(inner, old.as_ref(), new.as_ref())),
        }
    }
}

fn key_of(item: &Value) -> Option<String> {
    match item {
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => {
            let key = ["name", "path", "key"].iter().find_map(|key| fields.get(*key)?.as_str())?;
            // One variable may come from two objects.
            match fields.get("object").and_then(Value::as_str) {
                Some(object) if fields.contains_key("envFrom") => {
                    Some(format!("{key} of {object}"))
                }
                _ => Some(key.to_owned()),
            }
        }
        _ => None,
    }
}

/// Names the first line in which two texts differ.
fn text(path: &str, old: &str, new: &str) -> Change {
    let (mut before, mut after) = (old.lines(), new.lines());
    let mut line = 1;
    loop {
        let (one, other) = (before.next(), after.next());
        if one != other || one.is_none() {
            let shown = |text: Option<&str>| text.map(|text| shown(&Value::from(text.trim())));
            let (before, after) = (shown(one), shown(other));
            return Change { path: format!("{path} line {line}"), before, after };
        }
        line += 1;
    }
}

fn change(path: String, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change { path, before: before.map(shown), after: after.map(shown) }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= MOST_SHOWN {
        return text;
    }
    let cut: String = text.chars().take(MOST_SHOWN).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{NamespaceFacts, NodeFacts, QuotaFacts};

    fn snapshot(cpu: &str, secrets: Option<&[&str]>) -> Snapshot {
        let quota = QuotaFacts {
            name: "team".into(),
            hard: [("requests.cpu".to_owned(), cpu.to_owned())].into(),
            ..QuotaFacts::default()
        };
        let facts = NamespaceFacts {
            exists: Some(true),
            quotas: Some(vec![quota]),
            secrets: secrets.map(|all| all.iter().map(|name| (*name).to_owned()).collect()),
            ..NamespaceFacts::default()
        };
        Snapshot { namespaces: [("etl".to_owned(), facts)].into(), ..Snapshot::default() }
    }

    fn told(before: &Snapshot, after: &Snapshot) -> Vec<String> {
        changes(before, after, |_, _| true).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_change_is_named_with_its_place() {
        let mut after = snapshot("2", Some(&["b"]));
        after.server_version = Some("v1.34.0".into());
        assert_eq!(
            told(&snapshot("4", Some(&["a"])), &after),
            [
                r#"namespaces.etl.quotas[team].hard["requests.cpu"] was "4" and is "2""#,
                r#"namespaces.etl.secrets[a] is gone; it was "a""#,
                r#"namespaces.etl.secrets[b] is new: "b""#,
                r#"serverVersion is new: "v1.34.0""#,
            ]
        );
        assert!(told(&after, &after).is_empty());
    }

    #[test]
    fn of_all_that_is_there_only_what_is_used_counts() {
        let mut before = snapshot("4", Some(&["ours", "theirs"]));
        let mut after = snapshot("4", Some(&[]));
        before.existing_namespaces = Some(["etl".to_owned(), "gone".to_owned()].into());
        after.existing_namespaces = Some(["new".to_owned()].into());
        let found = changes(&before, &after, |_, name| matches!(name, "ours" | "etl"));
        let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["existingNamespaces[etl]", "namespaces.etl.secrets[ours]"]);
    }

    #[test]
    fn what_may_not_be_read_is_not_taken_for_gone() {
        let mut after = snapshot("4", None);
        after.namespaces.insert("other".into(), NamespaceFacts::default());
        assert!(told(&snapshot("4", Some(&["a"])), &after).is_empty());
        let nodes = Snapshot { nodes: Some(vec![NodeFacts::default()]), ..snapshot("4", None) };
        assert!(told(&nodes, &snapshot("4", None)).is_empty());
    }

    #[test]
    fn of_a_text_the_first_line_that_differs_is_told() {
        let with = |text: &str| {
            let mut snapshot = Snapshot::default();
            snapshot.server_pod.files.push(crate::snapshot::PodFile {
                path: "/etc/policy.yaml".into(),
                text: Some(text.into()),
                ..crate::snapshot::PodFile::default()
            });
            snapshot
        };
        assert_eq!(
            told(&with("a: 1\nb: 2\n"), &with("a: 1\nb: 3\n")),
            [r#"serverPod.files[/etc/policy.yaml].text line 2 was "b: 2" and is "b: 3""#]
        );
    }
}
