//! Values as Mage OSS's Python passes them on.

use serde_json::{Value as Json, json};

use super::oss::Effective;
use super::tree::{Content, Fields, Tree};
use crate::config::api::{ApiType, Field, api_type};
use crate::config::{Origin, setting_below};
use crate::yaml::{Mapping, Node, Value};

/// Something Mage raises an exception at.
#[derive(Clone, Debug)]
pub(super) struct Defect {
    pub(super) origin: Origin,
    pub(super) message: String,
}

pub(super) type Exact<T> = Result<T, Vec<Defect>>;

/// Arguments that the client of Mage 0.9.80 (`kubernetes` 33.1.0) does not have yet.
const TOO_NEW: [(&str, &str); 2] =
    [("Container", "restart_policy_rules"), ("VolumeMount", "bind_mount_options")];

/// Reads values as Mage's Python does; knows the layer and file of one top-level key.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) key: &'a Effective<'a>,
}

impl Reader<'_> {
    pub(super) fn origin(self, node: &Node, setting: &str) -> Origin {
        Origin::file(self.key.layer, self.key.file, node, setting)
    }

    pub(super) fn defect<T>(self, node: &Node, message: String) -> Exact<T> {
        Err(vec![Defect { origin: self.origin(node, ""), message }])
    }

    /// Passes a value on as it is; keys keep their spelling, and nulls stay until the Job has been
    /// checked: to the API server they are zero.
    pub(super) fn raw(self, node: &Node, setting: &str) -> Tree {
        let content = match &node.value {
            Value::Sequence(nodes) => Content::List {
                items: nodes
                    .iter()
                    .enumerate()
                    .map(|(index, node)| self.raw(node, &format!("{setting}[{index}]")))
                    .collect(),
                closed: false,
            },
            Value::Mapping(mapping) => self.raw_map(mapping, setting),
            Value::Float(number) if !number.is_finite() => not_json(),
            Value::Binary(_) => not_json(),
            _ => Content::Leaf(node.to_json()),
        };
        Tree::new(content, self.origin(node, setting))
    }

    fn raw_map(self, mapping: &Mapping, setting: &str) -> Content {
        let mut map = Fields::default();
        for entry in &mapping.entries {
            let Some(key) = json_key(&entry.key) else { return not_json() };
            let value = self.raw(&entry.value, &setting_below(setting, &key));
            map.insert(key.into(), value);
        }
        Content::Map(map)
    }

    /// Returns a mapping; anything else has no `get`, and Mage raises.
    pub(super) fn mapping<'n>(self, node: &'n Node, setting: &str) -> Exact<&'n Mapping> {
        match node.as_mapping() {
            Some(mapping) => Ok(mapping),
            None => self.defect(node, format!("{setting} is {}, not a mapping", node.kind())),
        }
    }

    /// Returns what Python's `for` goes through; what is in a text or in a mapping's keys is of no
    /// use to Mage, so only empty ones do not raise.
    pub(super) fn iterate<'n>(self, node: &'n Node, setting: &str) -> Exact<&'n [Node]> {
        match &node.value {
            Value::Sequence(nodes) => Ok(nodes),
            Value::String(text) if text.is_empty() => Ok(&[]),
            Value::Mapping(mapping) if mapping.entries.is_empty() => Ok(&[]),
            _ => self.defect(node, format!("{setting} is {}, not a list", node.kind())),
        }
    }

    /// Calls a constructor of the Kubernetes client, `V1Volume(**node)`: keys in `snake_case` only,
    /// required ones not null; what is inside passes as it is.
    pub(super) fn construct(self, node: &Node, type_name: &str, setting: &str) -> Exact<Tree> {
        let mapping = self.mapping(node, setting)?;
        let api = api_type(type_name);
        let mut map = Fields::default();
        for entry in &mapping.entries {
            let key = entry.key.as_str().unwrap_or_default();
            let Some(field) = argument(api, type_name, key) else {
                let key = crate::config::scalar_text(&entry.key).unwrap_or_default();
                let message = format!("V1{type_name} has no argument '{key}'");
                return self.defect(&entry.key, message);
            };
            if !entry.value.is_null() {
                let value = self.raw(&entry.value, &setting_below(setting, key));
                map.insert(field.name.into(), value);
            }
        }
        // The container's name has been set by then, unless it is given as null.
        let needs = |field: &&Field| field.required && type_name != "Container";
        for field in api.fields.iter().filter(needs) {
            if !map.contains_key(field.name) {
                return self.must_not_be_none(node, type_name, field.name);
            }
        }
        Ok(Tree::new(Content::Map(map), self.origin(node, setting)))
    }

    pub(super) fn must_not_be_none<T>(self, node: &Node, type_name: &str, field: &str) -> Exact<T> {
        self.defect(node, format!("V1{type_name}: `{field}` must not be None"))
    }

    pub(super) fn construct_list(self, node: &Node, type_name: &str, setting: &str) -> Exact<Tree> {
        let mut items = Vec::new();
        for (index, item) in self.iterate(node, setting)?.iter().enumerate() {
            items.push(self.construct(item, type_name, &format!("{setting}[{index}]"))?);
        }
        Ok(Tree::new(Content::List { items, closed: false }, self.origin(node, setting)))
    }
}

fn argument(api: &'static ApiType, type_name: &str, key: &str) -> Option<&'static Field> {
    api.snake_field(key).filter(|_| !TOO_NEW.contains(&(type_name, key)))
}

/// What JSON cannot say: an empty object, which the API takes nowhere for a scalar.
fn not_json() -> Content {
    Content::Leaf(json!({}))
}

/// Returns a key as `json.dumps` writes it; it raises at dates and bytes.
fn json_key(key: &Node) -> Option<String> {
    match &key.value {
        Value::Null => Some("null".to_owned()),
        Value::Timestamp(_) | Value::Binary(_) => None,
        _ => crate::config::scalar_text(key),
    }
}

/// Python's truth: null, false, zero and everything empty is false.
pub(super) fn truthy(node: &Node) -> bool {
    node.is_truthy()
}

/// A scalar of a setting that is not null.
pub(super) struct Scalar<'a> {
    pub(super) node: &'a Node,
    pub(super) setting: String,
}

/// Returns every scalar below a node, with its setting as [`Reader::raw`] names it.
pub(super) fn scalars<'a>(node: &'a Node, setting: &str, found: &mut Vec<Scalar<'a>>) {
    match &node.value {
        Value::Null => {}
        Value::Sequence(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                scalars(node, &format!("{setting}[{index}]"), found);
            }
        }
        Value::Mapping(mapping) => {
            for entry in &mapping.entries {
                let key = json_key(&entry.key).unwrap_or_default();
                scalars(&entry.value, &setting_below(setting, &key), found);
            }
        }
        _ => found.push(Scalar { node, setting: setting.to_owned() }),
    }
}

impl Scalar<'_> {
    pub(super) fn value(&self) -> Json {
        self.node.to_json()
    }
}
