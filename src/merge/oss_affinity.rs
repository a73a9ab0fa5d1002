//! Affinity as Mage OSS reads it (`mage_ai/services/k8s/utils.py`).

use super::oss_reader::{Exact, Reader, truthy};
use super::tree::{Content, Fields, Tree};
use crate::yaml::{Mapping, Node};
use std::sync::Arc;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Reads `pod.affinity`; outer keys in `snake_case` are not seen, so nothing may come of it.
pub(super) fn affinity(reader: Reader<'_>, node: &Node) -> Exact<Option<Tree>> {
    let setting = "pod.affinity";
    let mapping = reader.mapping(node, setting)?;
    let mut map = Fields::default();
    for name in ["nodeAffinity", "podAffinity", "podAntiAffinity"] {
        let Some(node) = mapping.get(name).filter(|node| truthy(node)) else { continue };
        let setting = format!("{setting}.{name}");
        let inner = reader.mapping(node, &setting)?;
        let content = match name {
            "nodeAffinity" => node_affinity(reader, inner, node, &setting)?,
            _ => pod_affinity(reader, inner, &setting)?,
        };
        map.insert(name.into(), Tree::new(content, reader.origin(node, &setting)));
    }
    Ok((!map.is_empty()).then(|| Tree::new(Content::Map(map), reader.origin(node, setting))))
}

/// Keeps the match expressions of required terms; everything else is lost.
fn node_affinity(
    reader: Reader<'_>,
    mapping: &Mapping,
    node: &Node,
    setting: &str,
) -> Exact<Content> {
    let setting = format!("{setting}.{REQUIRED}");
    let terms = match mapping.get(REQUIRED) {
        Some(required) => reader.mapping(required, &setting)?.get("nodeSelectorTerms"),
        None => None,
    };
    let setting = format!("{setting}.nodeSelectorTerms");
    let mut items = Vec::new();
    for (index, term) in each(reader, terms, &setting)?.iter().enumerate() {
        let setting = format!("{setting}[{index}]");
        let expressions = reader.mapping(term, &setting)?.get("matchExpressions");
        let type_name = "NodeSelectorRequirement";
        let map = Fields::from_iter(self::expressions(reader, expressions, type_name, &setting)?);
        items.push(Tree::new(Content::Map(map), reader.origin(term, &setting)));
    }
    let list = list(items, reader.origin(terms.unwrap_or(node), &setting));
    Ok(Tree::nest(&[REQUIRED, "nodeSelectorTerms"], list).content)
}

/// Goes through a list; without one there is nothing, but null raises.
fn each<'n>(reader: Reader<'_>, node: Option<&'n Node>, setting: &str) -> Exact<&'n [Node]> {
    node.map_or(Ok(&[]), |node| reader.iterate(node, setting))
}

fn list(items: Vec<Tree>, origin: crate::config::Origin) -> Tree {
    Tree::new(Content::List { items, closed: false }, origin)
}

/// Reads `matchExpressions`, of which nothing comes when it is missing.
fn expressions(
    reader: Reader<'_>,
    node: Option<&Node>,
    type_name: &str,
    setting: &str,
) -> Exact<Option<(Arc<str>, Tree)>> {
    let setting = format!("{setting}.matchExpressions");
    let mut items = Vec::new();
    for (index, expression) in each(reader, node, &setting)?.iter().enumerate() {
        let setting = format!("{setting}[{index}]");
        let mapping = reader.mapping(expression, &setting)?;
        let mut map = Fields::default();
        for key in ["key", "operator", "values"] {
            match mapping.get(key).filter(|node| !node.is_null()) {
                Some(value) => {
                    map.insert(key.into(), reader.raw(value, &format!("{setting}.{key}")));
                }
                None if key == "values" => {}
                None => return reader.must_not_be_none(expression, type_name, key),
            }
        }
        items.push(Tree::new(Content::Map(map), reader.origin(expression, &setting)));
    }
    let Some(node) = node.filter(|_| !items.is_empty()) else { return Ok(None) };
    let origin = reader.origin(node, &setting);
    Ok(Some(("matchExpressions".into(), list(items, origin))))
}

fn pod_affinity(reader: Reader<'_>, mapping: &Mapping, setting: &str) -> Exact<Content> {
    let mut terms = Fields::default();
    for when in [REQUIRED, PREFERRED] {
        if let Some(node) = mapping.get(when).filter(|node| truthy(node)) {
            let setting = format!("{setting}.{when}");
            terms.insert(when.into(), weighted_terms(reader, node, &setting)?);
        }
    }
    Ok(Content::Map(terms))
}

/// Makes a weighted term of every term, required ones too: those then raise for want of a weight.
fn weighted_terms(reader: Reader<'_>, node: &Node, setting: &str) -> Exact<Tree> {
    let mut items = Vec::new();
    for (index, term) in reader.iterate(node, setting)?.iter().enumerate() {
        let setting = format!("{setting}[{index}]");
        let mapping = reader.mapping(term, &setting)?;
        let value = |key: &str| mapping.get(key).filter(|node| !node.is_null());
        let selector = label_selector(reader, mapping, term, &setting)?;
        let Some(topology) = value("topologyKey") else {
            return reader.must_not_be_none(term, "PodAffinityTerm", "topology_key");
        };
        let Some(weight) = value("weight") else {
            return reader.must_not_be_none(term, "WeightedPodAffinityTerm", "weight");
        };
        let inner = Fields::from_iter([
            ("labelSelector".into(), selector),
            ("topologyKey".into(), reader.raw(topology, &format!("{setting}.topologyKey"))),
        ]);
        let origin = reader.origin(term, &setting);
        let inner = Tree::new(Content::Map(inner), origin.clone());
        let map = Fields::from_iter([
            ("weight".into(), reader.raw(weight, &format!("{setting}.weight"))),
            ("podAffinityTerm".into(), inner),
        ]);
        items.push(Tree::new(Content::Map(map), origin));
    }
    Ok(list(items, reader.origin(node, setting)))
}

/// Mage gives every term a selector: one that is empty, and so selects every pod, where there is none.
fn label_selector(reader: Reader<'_>, term: &Mapping, node: &Node, setting: &str) -> Exact<Tree> {
    let setting = format!("{setting}.labelSelector");
    let mut map = Fields::default();
    let selector = term.get("labelSelector");
    if let Some(selector) = selector {
        let mapping = reader.mapping(selector, &setting)?;
        if let Some(labels) = mapping.get("matchLabels").filter(|node| !node.is_null()) {
            let setting = format!("{setting}.matchLabels");
            map.insert("matchLabels".into(), reader.raw(labels, &setting));
        }
        let found = mapping.get("matchExpressions");
        map.extend(expressions(reader, found, "LabelSelectorRequirement", &setting)?);
    }
    Ok(Tree::new(Content::Map(map), reader.origin(selector.unwrap_or(node), &setting)))
}
