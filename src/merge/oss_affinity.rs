//! Affinity as Mage OSS reads it (`mage_ai/services/k8s/utils.py`).

use indexmap::IndexMap;

use super::oss_exact::{Defect, Reader, truthy};
use super::tree::{Content, Tree};
use crate::yaml::Node;

type Exact<T> = Result<T, Vec<Defect>>;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Reads `pod.affinity`; outer keys in `snake_case` are not seen, so nothing may come of it.
pub(super) fn affinity(reader: &Reader<'_>, node: &Node) -> Exact<Option<Tree>> {
    let mut map = IndexMap::new();
    let read = |name: &str| node.get(name).filter(|node| truthy(node));
    if let Some(node) = read("nodeAffinity") {
        map.insert("nodeAffinity".to_owned(), node_affinity(reader, node));
    }
    for name in ["podAffinity", "podAntiAffinity"] {
        if let Some(node) = read(name) {
            let mut terms = IndexMap::new();
            for when in [REQUIRED, PREFERRED] {
                if let Some(list) = node.get(when).filter(|node| truthy(node)) {
                    terms.insert(when.to_owned(), weighted_terms(reader, list)?);
                }
            }
            let origin = reader.origin(node, &format!("pod.affinity.{name}"));
            map.insert(name.to_owned(), Tree::new(Content::Map(terms), origin));
        }
    }
    let origin = reader.origin(node, "pod.affinity");
    Ok((!map.is_empty()).then(|| Tree::new(Content::Map(map), origin)))
}

/// Keeps the match expressions of required terms; everything else is lost.
fn node_affinity(reader: &Reader<'_>, node: &Node) -> Tree {
    let setting = format!("pod.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms");
    let terms = node.get(REQUIRED).and_then(|node| node.get("nodeSelectorTerms"));
    let items = terms
        .and_then(Node::as_sequence)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, term)| {
            let setting = format!("{setting}[{index}]");
            let mut map = IndexMap::new();
            if let Some(expressions) = term.get("matchExpressions").filter(|node| truthy(node)) {
                let setting = format!("{setting}.matchExpressions");
                map.insert(
                    "matchExpressions".to_owned(),
                    expressions_of(reader, expressions, &setting),
                );
            }
            Tree::new(Content::Map(map), reader.origin(term, &setting))
        })
        .collect();
    let origin = reader.origin(terms.unwrap_or(node), &setting);
    let list = Tree::new(Content::List { items, closed: false }, origin);
    Tree::nest(&[REQUIRED, "nodeSelectorTerms"], list)
}

fn expressions_of(reader: &Reader<'_>, node: &Node, setting: &str) -> Tree {
    let items = node
        .as_sequence()
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, expression)| {
            let setting = format!("{setting}[{index}]");
            keep(reader, expression, &["key", "operator", "values"], &setting)
        })
        .collect();
    Tree::new(Content::List { items, closed: false }, reader.origin(node, setting))
}

fn keep(reader: &Reader<'_>, node: &Node, keys: &[&str], setting: &str) -> Tree {
    let map = keys
        .iter()
        .filter_map(|key| {
            let value = node.get(key).filter(|node| !node.is_null())?;
            Some(((*key).to_owned(), reader.raw(value, &format!("{setting}.{key}"))))
        })
        .collect();
    Tree::new(Content::Map(map), reader.origin(node, setting))
}

/// Makes a weighted term of every term, required ones too: those then raise for want of a weight.
fn weighted_terms(reader: &Reader<'_>, node: &Node) -> Exact<Tree> {
    let setting = "pod.affinity";
    let mut items = Vec::new();
    for term in node.as_sequence().unwrap_or_default() {
        let Some(topology) = term.get("topologyKey").filter(|node| !node.is_null()) else {
            return reader
                .defect(term, "V1PodAffinityTerm: `topology_key` must not be None".into());
        };
        let Some(weight) = term.get("weight").filter(|node| !node.is_null()) else {
            let message = "V1WeightedPodAffinityTerm: `weight` must not be None";
            return reader.defect(term, message.into());
        };
        let mut inner = IndexMap::new();
        if let Some(selector) = term.get("labelSelector").filter(|node| truthy(node)) {
            inner.insert("labelSelector".to_owned(), label_selector(reader, selector));
        }
        inner.insert("topologyKey".to_owned(), reader.raw(topology, setting));
        let origin = reader.origin(term, setting);
        let inner = Tree::new(Content::Map(inner), origin.clone());
        let map = IndexMap::from([
            ("weight".to_owned(), reader.raw(weight, setting)),
            ("podAffinityTerm".to_owned(), inner),
        ]);
        items.push(Tree::new(Content::Map(map), origin));
    }
    Ok(Tree::new(Content::List { items, closed: false }, reader.origin(node, setting)))
}

fn label_selector(reader: &Reader<'_>, node: &Node) -> Tree {
    let setting = "pod.affinity";
    let mut map = IndexMap::new();
    if let Some(labels) = node.get("matchLabels").filter(|node| truthy(node)) {
        map.insert("matchLabels".to_owned(), reader.raw(labels, setting));
    }
    if let Some(expressions) = node.get("matchExpressions").filter(|node| truthy(node)) {
        map.insert("matchExpressions".to_owned(), expressions_of(reader, expressions, setting));
    }
    Tree::new(Content::Map(map), reader.origin(node, setting))
}
