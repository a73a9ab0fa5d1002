//! Two Jobs laid beside each other, part by part.

use serde_json::Value as Json;

use super::pairs::{Pair, label, paired};
use crate::config::JobPath;
use crate::job::{is_quantity, same_quantity};

/// A part of one of the Jobs.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) path: JobPath,
    pub(super) value: &'a Json,
}

/// A part of both Jobs, or of one.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) old: Option<Part<'a>>,
    pub(super) new: Option<Part<'a>>,
    /// The path with the names of items in the place of their numbers.
    pub(super) label: String,
    pub(super) inside: Inside<'a>,
}

/// What is in a part.
#[derive(Debug)]
pub(super) enum Inside<'a> {
    /// The same in both.
    Same,
    /// A value that is another one, or that only one side has.
    Leaf,
    /// Members, by key.
    Map(Vec<(String, Node<'a>)>),
    /// Items.
    List {
        items: Vec<Node<'a>>,
        /// The field that names each item, which is written first.
        key: Option<&'static str>,
        /// Whether only the order tells the items apart.
        by_place: bool,
    },
}

/// Lays two Jobs beside each other; a Job that is not there is null.
pub(super) fn lay<'a>(old: &'a Json, new: &'a Json) -> Node<'a> {
    let part =
        |value: &'a Json| (!value.is_null()).then(|| Part { path: JobPath::default(), value });
    node("", String::new(), part(old), part(new)).unwrap_or_else(|| Node {
        old: None,
        new: None,
        label: String::new(),
        inside: Inside::Same,
    })
}

/// Tells whether two values at a place are one value: quantities in whatever spelling.
pub(super) fn is_same(path: &JobPath, old: &Json, new: &Json) -> bool {
    old == new || (is_quantity(path) && same_quantity(old, new))
}

/// Tells whether there is something inside of a value.
pub(super) fn is_open(value: &Json) -> bool {
    match value {
        Json::Object(map) => !map.is_empty(),
        Json::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// Tells whether two values can be laid beside each other, member by member or as one line each.
fn are_alike(old: &Json, new: &Json) -> bool {
    let kind = |value: &Json| match value {
        Json::Object(map) if !map.is_empty() => 1,
        Json::Array(items) if !items.is_empty() => 2,
        _ => 0,
    };
    kind(old) == kind(new)
}

/// Makes a node of what is at one place; none where nothing is.
fn node<'a>(
    name: &str,
    label: String,
    old: Option<Part<'a>>,
    new: Option<Part<'a>>,
) -> Option<Node<'a>> {
    let inside = match (&old, &new) {
        (None, None) => return None,
        (Some(old), Some(new)) if is_same(&new.path, old.value, new.value) => Inside::Same,
        (Some(old), Some(new)) => match (old.value, new.value) {
            (Json::Object(_), Json::Object(_)) => map(&label, Some(old), Some(new)),
            (Json::Array(_), Json::Array(_)) => list(name, &label, Some(old), Some(new)),
            _ => Inside::Leaf,
        },
        (old, new) => match old.as_ref().or(new.as_ref()).map(|part| part.value) {
            Some(value @ Json::Object(_)) if is_open(value) => {
                map(&label, old.as_ref(), new.as_ref())
            }
            Some(value @ Json::Array(_)) if is_open(value) => {
                list(name, &label, old.as_ref(), new.as_ref())
            }
            _ => Inside::Leaf,
        },
    };
    Some(Node { old, new, label, inside })
}

/// Adds what stands at one place; two values that cannot be laid beside each other are two nodes.
fn add<'a>(
    nodes: &mut Vec<Node<'a>>,
    (name, label): (&str, String),
    old: Option<Part<'a>>,
    new: Option<Part<'a>>,
) {
    match (old, new) {
        (Some(old), Some(new)) if !are_alike(old.value, new.value) => {
            nodes.extend(node(name, label.clone(), Some(old), None));
            nodes.extend(node(name, label, None, Some(new)));
        }
        (old, new) => nodes.extend(node(name, label, old, new)),
    }
}

fn map<'a>(label: &str, old: Option<&Part<'a>>, new: Option<&Part<'a>>) -> Inside<'a> {
    let member = |part: Option<&Part<'a>>, key: &str| {
        let part = part?;
        Some(Part { value: part.value.get(key)?, path: part.path.key(key) })
    };
    let keys = |part: Option<&Part<'a>>| {
        let map = part.and_then(|part| part.value.as_object());
        map.into_iter().flatten().map(|(key, _)| key)
    };
    let mut entries = Vec::new();
    for key in keys(old).chain(keys(new).filter(|key| member(old, key).is_none())) {
        let mut nodes = Vec::new();
        let own = format!("{label}{}", JobPath::default().key(key));
        add(&mut nodes, (key, own), member(old, key), member(new, key));
        entries.extend(nodes.into_iter().map(|node| (key.clone(), node)));
    }
    Inside::Map(entries)
}

fn list<'a>(name: &str, label: &str, old: Option<&Part<'a>>, new: Option<&Part<'a>>) -> Inside<'a> {
    let values = |part: Option<&Part<'a>>| -> &'a [Json] {
        part.and_then(|part| part.value.as_array()).map_or(&[], Vec::as_slice)
    };
    let item = |part: Option<&Part<'a>>, index: usize| {
        part.map(|part| Part { value: &part.value[index], path: part.path.index(index) })
    };
    let paired = paired(name, values(old), values(new));
    let mut items = Vec::new();
    for pair in &paired.pairs {
        let (old, new, index) = match *pair {
            Pair::Both(at, index) => (item(old, at), item(new, index), index),
            Pair::Old(index) => (item(old, index), None, index),
            Pair::New(index) => (None, item(new, index), index),
        };
        let named = new.as_ref().or(old.as_ref()).zip(paired.key);
        let own = match named {
            Some((part, key)) => format!("{label}[{}]", self::label(key, part.value)),
            None => format!("{label}[{index}]"),
        };
        add(&mut items, ("", own), old, new);
    }
    let key = paired.key.and_then(|key| key.first().copied());
    let by_place = paired.key.is_none() && name != "tolerations";
    Inside::List { items, key, by_place }
}

impl<'a> Node<'a> {
    /// Tells whether anything in it differs.
    pub(super) fn differs(&self) -> bool {
        let is_one_sided = self.old.is_none() || self.new.is_none();
        is_one_sided
            || match &self.inside {
                Inside::Same => false,
                Inside::Leaf => true,
                Inside::Map(entries) => entries.iter().any(|(_, node)| node.differs()),
                Inside::List { items, .. } => items.iter().any(Self::differs),
            }
    }

    /// Calls `each` with every leaf that both sides have: its places and values.
    pub(super) fn twins(&self, each: &mut dyn FnMut(&Part<'a>, &Part<'a>)) {
        match &self.inside {
            Inside::Map(entries) => entries.iter().for_each(|(_, node)| node.twins(each)),
            Inside::List { items, .. } => items.iter().for_each(|node| node.twins(each)),
            Inside::Same | Inside::Leaf => {
                if let (Some(old), Some(new)) = (&self.old, &self.new) {
                    equal_leaves(old, new, each);
                }
            }
        }
    }
}

/// Walks two parts that are equal, or leaves.
fn equal_leaves<'a>(old: &Part<'a>, new: &Part<'a>, each: &mut dyn FnMut(&Part<'a>, &Part<'a>)) {
    let part = |path, value| Part { path, value };
    match (old.value, new.value) {
        (Json::Object(map), Json::Object(other)) if !map.is_empty() => {
            for (key, value) in map {
                let Some(twin) = other.get(key) else { continue };
                let (old, new) = (part(old.path.key(key), value), part(new.path.key(key), twin));
                equal_leaves(&old, &new, each);
            }
        }
        (Json::Array(items), Json::Array(others)) if !items.is_empty() => {
            for (index, (value, twin)) in items.iter().zip(others).enumerate() {
                let (old, new) =
                    (part(old.path.index(index), value), part(new.path.index(index), twin));
                equal_leaves(&old, &new, each);
            }
        }
        _ => each(old, new),
    }
}

/// Calls `each` with every leaf of a part.
pub(super) fn leaves<'a>(path: &JobPath, value: &'a Json, each: &mut dyn FnMut(JobPath, &'a Json)) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| leaves(&path.key(key), value, each));
        }
        Json::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| leaves(&path.index(index), value, each));
        }
        leaf => each(path.clone(), leaf),
    }
}
