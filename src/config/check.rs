//! What the API server has against a part of a Job, as far as it can be told without asking it.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::api::{Kind, api_type};
use super::origin::Origin;
use crate::merge::{Content, Tree};

/// Something the API server refuses, and where it came from.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What it has against it, as a lowercase fragment.
    pub message: String,
    /// Who gave the value.
    pub origin: Origin,
}

/// Checks the six parts of a merged tree against the API's types.
#[must_use]
pub fn refusals(root: &Tree) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (part, kind) in [
        ("container", "Container"),
        ("pod", "PodSpec"),
        ("job", "JobSpec"),
        ("metadata", "ObjectMeta"),
    ] {
        if let Some(tree) = root.at(&[part]) {
            check(tree, &Kind::Type(kind), part, &mut found);
        }
    }
    for part in ["prefix", "namespace"] {
        if let Some(tree) = root.at(&[part]).filter(|tree| tree.as_str().is_none()) {
            refuse(tree, format!("{part} is no text"), &mut found);
        }
    }
    unique(root, &["container", "volumeMounts"], "mountPath", &mut found);
    unique(root, &["pod", "volumes"], "name", &mut found);
    mounts_have_volumes(root, &mut found);
    labels(root, &mut found);
    if let Some(namespace) = root.at(&["metadata", "namespace"])
        && namespace.as_str().is_some_and(|text| text.contains("{{") || text.contains("{%"))
    {
        refuse(namespace, "the namespace of the object is not rendered".to_owned(), &mut found);
    }
    if let Some(name) = root.at(&["pod", "serviceAccountName"]) {
        let text = name.as_str().unwrap_or_default();
        if !text.is_empty() && !is_dns_subdomain(text) {
            refuse(name, format!("`{text}` cannot be the name of a service account"), &mut found);
        }
    }
    found
}

fn is_dns_subdomain(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|part| {
            part.starts_with(edge)
                && part.ends_with(edge)
                && part.chars().all(|c| edge(c) || c == '-')
        })
}

fn refuse(tree: &Tree, message: String, found: &mut Vec<Refusal>) {
    found.push(Refusal { message, origin: tree.origin.clone() });
}

fn check(tree: &Tree, kind: &Kind, path: &str, found: &mut Vec<Refusal>) {
    match (kind, &tree.content) {
        (Kind::Type(name), Content::Map(map)) => {
            let api = api_type(name);
            for (key, value) in map {
                match api.field(key) {
                    Some(field) => check(value, &field.kind, &format!("{path}.{key}"), found),
                    None => refuse(value, format!("unknown field {path}.{key}"), found),
                }
            }
            for field in
                api.fields.iter().filter(|field| is_required(name, field.name, field.required))
            {
                if !map.get(field.name).is_some_and(is_present) {
                    refuse(tree, format!("{path}.{} is required", field.name), found);
                }
            }
        }
        (Kind::List(item), Content::List { items, .. }) => {
            for (index, tree) in items.iter().enumerate() {
                check(tree, item, &format!("{path}[{index}]"), found);
            }
        }
        (Kind::Map(item), Content::Map(map)) => {
            for (key, tree) in map {
                check(tree, item, &format!("{path}.{key}"), found);
            }
        }
        (_, Content::Leaf(Json::Null)) | (Kind::Object, _) => {}
        (_, Content::Leaf(value)) if scalar_fits(kind, value) => {}
        _ => refuse(tree, format!("{path} is of the wrong type"), found),
    }
}

fn is_present(tree: &Tree) -> bool {
    match &tree.content {
        Content::Leaf(value) => !matches!(value, Json::Null) && value != "",
        Content::List { items, .. } => !items.is_empty(),
        Content::Map(_) => true,
    }
}

fn is_required(type_name: &str, field: &str, required: bool) -> bool {
    match (type_name, field) {
        // This tool adds these later.
        ("PodSpec", "containers") | ("JobSpec", "template") | ("Container", "name") => false,
        // Required by the server's validation, though the types do not say so.
        ("SecretVolumeSource", "secretName")
        | ("PersistentVolumeClaimVolumeSource", "claimName")
        | ("NodeSelector", "nodeSelectorTerms") => true,
        _ => required,
    }
}

fn scalar_fits(kind: &Kind, value: &Json) -> bool {
    match kind {
        Kind::String | Kind::Time => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::IntOrString => value.is_string() || value.is_i64(),
        Kind::Quantity => match value {
            Json::String(text) => crate::job::Quantity::parse(text).is_some(),
            other => other.is_number(),
        },
        _ => false,
    }
}

fn unique(root: &Tree, list: &[&str], key: &str, found: &mut Vec<Refusal>) {
    let mut seen = HashSet::new();
    for item in root.at(list).and_then(Tree::items).unwrap_or_default() {
        let value = item.at(&[key]).and_then(Tree::as_str).unwrap_or_default();
        if !seen.insert(value) {
            refuse(item, format!("two {} have the {key} {value}", list[1]), found);
        }
    }
}

fn mounts_have_volumes(root: &Tree, found: &mut Vec<Refusal>) {
    let names: HashSet<&str> = root
        .at(&["pod", "volumes"])
        .and_then(Tree::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item.at(&["name"])?.as_str())
        .collect();
    for mount in root.at(&["container", "volumeMounts"]).and_then(Tree::items).unwrap_or_default() {
        let name = mount.at(&["name"]).and_then(Tree::as_str).unwrap_or_default();
        if !names.contains(name) {
            refuse(mount, format!("no volume is named {name}, which is mounted"), found);
        }
    }
}

fn labels(root: &Tree, found: &mut Vec<Refusal>) {
    for (key, tree) in root.at(&["metadata", "labels"]).and_then(Tree::as_map).into_iter().flatten()
    {
        if !tree.as_str().is_some_and(is_label_value) {
            refuse(tree, format!("the value of label {key} is invalid"), found);
        }
    }
}

/// Tells whether a text may be the value of a label.
#[must_use]
pub fn is_label_value(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    text.is_empty()
        || (text.len() <= 63
            && text.chars().all(|c| edge(c) || matches!(c, '-' | '_' | '.'))
            && text.starts_with(edge)
            && text.ends_with(edge))
}
