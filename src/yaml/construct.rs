//! A graph of nodes to values, as `PyYAML`'s constructor does (`yaml/constructor.py`).

use std::collections::HashMap;
use std::ops::Range;

use super::compose::{Content, Failure, Graph, Link, Pair};
use super::dict::DictKey;
use super::error::YamlErrorKind;
use super::events::DEEPEST;
use super::map::Places;
use super::node::{Entry, Mapping, Node, Span, Value};
use super::scalar;
use super::schema::Tag;

/// What aliases and merges may add up to: bytes of text, and so many for each node.
const MOST_COPIED: usize = 32 << 20;
const NODE_COST: usize = 160;

/// What the keys on the way to every value may add up to, in bytes: whoever keeps the path of each
/// value holds as much.
const MOST_PATHS: usize = 256 << 20;

/// A key that stands twice in one mapping; the last value counts.
#[derive(Clone, Debug, PartialEq)]
pub struct DuplicateKey {
    /// The key as text.
    pub key: String,
    /// Where it stands first: the value that is lost.
    pub first: Span,
    /// Where it stands again: the value that counts.
    pub second: Span,
}

/// Builds the value of a graph.
pub(super) fn construct(
    graph: Graph,
    places: &Places<'_>,
) -> Result<(Option<Node>, Vec<DuplicateKey>), Failure> {
    let Some(root) = graph.root else { return Ok((None, Vec::new())) };
    let open = vec![false; graph.nodes.len()];
    let (copied, path, paths, duplicates) = (0, 0, 0, Vec::new());
    let mut constructor = Constructor { graph, places, open, copied, path, paths, duplicates };
    let node = constructor.node(&Link { node: root, alias: None }, None)?;
    Ok((Some(node), constructor.duplicates))
}

struct Constructor<'a> {
    graph: Graph,
    places: &'a Places<'a>,
    /// The nodes whose value is being built.
    open: Vec<bool>,
    copied: usize,
    /// The bytes of the keys on the way to the value being built.
    path: usize,
    /// The same of all values, added up.
    paths: usize,
    duplicates: Vec<DuplicateKey>,
}

impl Constructor<'_> {
    /// Builds one value. `outer` is the alias or merge that its parent came by, if any: that is
    /// where the reader of the whole document meets it.
    fn node(&mut self, link: &Link, outer: Option<Span>) -> Result<Node, Failure> {
        let alias = outer.or_else(|| link.alias.as_ref().map(|range| self.places.span(range)));
        if self.open[link.node] {
            return Err((YamlErrorKind::RecursiveAlias, self.place(link)));
        }
        if alias.is_some() {
            self.count_copy(link)?;
        }
        self.paths = self.paths.saturating_add(self.path);
        if self.paths > MOST_PATHS {
            return Err((YamlErrorKind::KeysTooLong, self.range(link.node)));
        }
        self.open[link.node] = true;
        let value = self.value(link.node, alias)?;
        self.open[link.node] = false;
        let range = self.range(link.node);
        Ok(Node {
            value,
            span: self.places.span(&range),
            alias,
            expression: self.expression(link.node, &range),
        })
    }

    fn range(&self, node: usize) -> Range<usize> {
        self.graph.nodes[node].range.clone()
    }

    /// Where a node is met: at an alias, or where it stands.
    fn place(&self, link: &Link) -> Range<usize> {
        link.alias.as_deref().cloned().unwrap_or_else(|| self.range(link.node))
    }

    /// A collection has an expression only where one expression gave all of it.
    fn expression(&self, node: usize, range: &Range<usize>) -> Option<std::sync::Arc<str>> {
        match self.graph.nodes[node].content {
            Content::Scalar(_) => self.places.expression(range),
            Content::Sequence(_) | Content::Mapping(_) => self.places.whole_expression(range),
        }
    }

    fn count_copy(&mut self, link: &Link) -> Result<(), Failure> {
        let text = match &self.graph.nodes[link.node].content {
            Content::Scalar(text) => text.len(),
            Content::Sequence(_) | Content::Mapping(_) => 0,
        };
        self.spend(NODE_COST + text, link)
    }

    fn spend(&mut self, cost: usize, link: &Link) -> Result<(), Failure> {
        self.copied = self.copied.saturating_add(cost);
        if self.copied > MOST_COPIED {
            return Err((YamlErrorKind::TooLarge, self.place(link)));
        }
        Ok(())
    }

    fn value(&mut self, node: usize, alias: Option<Span>) -> Result<Value, Failure> {
        match &self.graph.nodes[node].tag {
            Tag::Str => self.take_text(node).map(Value::String),
            Tag::Null => self.text(node).map(|_| Value::Null),
            Tag::Bool => self.scalar(node, |text| scalar::bool(text).map(Value::Bool)),
            Tag::Int => self.scalar(node, |text| scalar::int(text).map(Value::Int)),
            Tag::Float => self.scalar(node, |text| scalar::float(text).map(Value::Float)),
            Tag::Timestamp => {
                self.scalar(node, |text| scalar::timestamp(text).map(Value::Timestamp))
            }
            Tag::Binary => self.scalar(node, |text| scalar::binary(text).map(Value::Binary)),
            Tag::Seq => self.sequence(node, alias),
            Tag::Map | Tag::Set => self.mapping(node, alias),
            Tag::Omap | Tag::Pairs => self.pairs(node, alias),
            tag @ (Tag::Merge | Tag::Value) => {
                Err((YamlErrorKind::UnknownTag { tag: tag.written() }, self.range(node)))
            }
            tag @ Tag::Other(_) => {
                let tag = tag.written();
                let kind = if tag.starts_with("!!python/") {
                    YamlErrorKind::PythonTag { tag }
                } else {
                    YamlErrorKind::UnknownTag { tag }
                };
                Err((kind, self.range(node)))
            }
        }
    }

    fn scalar(&self, node: usize, read: impl Fn(&str) -> Option<Value>) -> Result<Value, Failure> {
        let text = self.text(node)?;
        read(text).ok_or_else(|| {
            let tag = self.graph.nodes[node].tag.written();
            (YamlErrorKind::InvalidScalar { tag, text: shortened(text) }, self.range(node))
        })
    }

    /// `construct_scalar`: the text of a scalar, or of the value of `=` in a mapping.
    fn text(&self, node: usize) -> Result<&str, Failure> {
        let mut at = node;
        for _ in 0..DEEPEST {
            match &self.graph.nodes[at].content {
                Content::Scalar(text) => return Ok(text),
                Content::Mapping(pairs) => {
                    let is_value = |pair: &&Pair| self.graph.nodes[pair.key.node].tag == Tag::Value;
                    match pairs.iter().find(is_value) {
                        Some(pair) => at = pair.value.node,
                        None => break,
                    }
                }
                Content::Sequence(_) => break,
            }
        }
        Err(self.wrong_kind(node, "a scalar"))
    }

    /// Takes the text of a scalar where nobody asks for it again.
    fn take_text(&mut self, node: usize) -> Result<String, Failure> {
        if self.graph.is_tree
            && let Content::Scalar(text) = &mut self.graph.nodes[node].content
        {
            return Ok(std::mem::take(text));
        }
        self.text(node).map(str::to_owned)
    }

    fn wrong_kind(&self, node: usize, expected: &'static str) -> Failure {
        let tag = self.graph.nodes[node].tag.written();
        let kind = YamlErrorKind::WrongKind { tag, expected, found: self.kind(node) };
        (kind, self.range(node))
    }

    fn kind(&self, node: usize) -> &'static str {
        match &self.graph.nodes[node].content {
            Content::Scalar(_) => "a scalar",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    fn items(&self, node: usize) -> Result<Vec<Link>, Failure> {
        match &self.graph.nodes[node].content {
            Content::Sequence(items) => Ok(items.clone()),
            Content::Scalar(_) | Content::Mapping(_) => Err(self.wrong_kind(node, "a list")),
        }
    }

    fn sequence(&mut self, node: usize, alias: Option<Span>) -> Result<Value, Failure> {
        let items = self.items(node)?;
        let nodes = items.iter().map(|item| self.node(item, alias)).collect::<Result<_, _>>()?;
        Ok(Value::Sequence(nodes))
    }

    /// `construct_yaml_omap` and `construct_yaml_pairs`: a list of pairs, as lists of two.
    fn pairs(&mut self, node: usize, alias: Option<Span>) -> Result<Value, Failure> {
        let mut nodes = Vec::new();
        for item in self.items(node)? {
            let pair = match &self.graph.nodes[item.node].content {
                Content::Mapping(pairs) if pairs.len() == 1 => pairs[0].clone(),
                _ => return Err(self.wrong_kind(item.node, "a mapping of one entry")),
            };
            let key = self.node(&pair.key, alias)?;
            let value = self.node(&pair.value, alias)?;
            nodes.push(Node {
                value: Value::Sequence(vec![key, value]),
                span: self.places.span(&self.range(item.node)),
                alias,
                expression: None,
            });
        }
        Ok(Value::Sequence(nodes))
    }

    fn mapping(&mut self, node: usize, alias: Option<Span>) -> Result<Value, Failure> {
        let Content::Mapping(_) = &self.graph.nodes[node].content else {
            return Err(self.wrong_kind(node, "a mapping"));
        };
        self.flatten(node, 0)?;
        let pairs = self.take_pairs(node);
        let mut dict = Dict { entries: Vec::with_capacity(pairs.len()), ..Dict::default() };
        for pair in pairs {
            let merged = pair.merged.as_ref().map(|range| self.places.span(range));
            let outer = alias.or(merged);
            let key = self.node(&pair.key, outer)?;
            let Some(dict_key) = DictKey::of(&key.value) else {
                let kind = YamlErrorKind::UnhashableKey { kind: key.kind() };
                return Err((kind, self.range(pair.key.node)));
            };
            let above = self.path;
            self.path = above.saturating_add(key_length(&key));
            let value = self.node(&pair.value, outer)?;
            self.path = above;
            let duplicate = dict.insert(dict_key, key, value, pair.merged.is_some());
            // Seen through an alias, it was reported where it is written.
            self.duplicates.extend(duplicate.filter(|_| alias.is_none()));
        }
        Ok(Value::Mapping(Mapping { entries: dict.entries }))
    }

    /// Returns the pairs of a mapping; takes them where nobody asks for them again.
    fn take_pairs(&mut self, node: usize) -> Vec<Pair> {
        match &mut self.graph.nodes[node].content {
            Content::Mapping(pairs) if self.graph.is_tree => std::mem::take(pairs),
            Content::Mapping(pairs) => pairs.clone(),
            Content::Scalar(_) | Content::Sequence(_) => Vec::new(),
        }
    }

    /// `flatten_mapping`: puts the entries of `<<` in front, and forgets the `<<`.
    ///
    /// As in `PyYAML` this changes the node itself, so that a second look finds it flat; an entry of
    /// a later mapping of a list is put before one of an earlier, and so loses against it.
    fn flatten(&mut self, node: usize, depth: usize) -> Result<(), Failure> {
        if depth > DEEPEST {
            return Err((YamlErrorKind::TooDeep { limit: DEEPEST }, self.range(node)));
        }
        let links = self.take_merges(node);
        if links.is_empty() {
            return Ok(());
        }
        let mut merged = Vec::new();
        for link in links {
            match &self.graph.nodes[link.node].content {
                Content::Mapping(_) => self.merge_from(&link, None, depth, &mut merged)?,
                Content::Sequence(items) => {
                    let mut groups = Vec::new();
                    for item in items.clone() {
                        let mut group = Vec::new();
                        self.merge_from(&item, link.alias.as_deref(), depth, &mut group)?;
                        groups.push(group);
                    }
                    merged.extend(groups.into_iter().rev().flatten());
                }
                Content::Scalar(_) => return Err(self.not_mergeable(&link)),
            }
        }
        if let Content::Mapping(pairs) = &mut self.graph.nodes[node].content {
            pairs.splice(0..0, merged);
        }
        Ok(())
    }

    /// Takes every `<<` out of a mapping; a key `=` becomes a string.
    fn take_merges(&mut self, node: usize) -> Vec<Link> {
        let nodes = &mut self.graph.nodes;
        let Content::Mapping(pairs) = &mut nodes[node].content else { return Vec::new() };
        let all = std::mem::take(pairs);
        let (mut merges, mut rest) = (Vec::new(), Vec::with_capacity(all.len()));
        for pair in all {
            match nodes[pair.key.node].tag {
                Tag::Merge => merges.push(pair.value),
                Tag::Value => {
                    nodes[pair.key.node].tag = Tag::Str;
                    rest.push(pair);
                }
                _ => rest.push(pair),
            }
        }
        if let Content::Mapping(pairs) = &mut nodes[node].content {
            *pairs = rest;
        }
        merges
    }

    fn merge_from(
        &mut self,
        link: &Link,
        list_alias: Option<&Range<usize>>,
        depth: usize,
        merged: &mut Vec<Pair>,
    ) -> Result<(), Failure> {
        if !matches!(self.graph.nodes[link.node].content, Content::Mapping(_)) {
            return Err(self.not_mergeable(link));
        }
        self.flatten(link.node, depth + 1)?;
        let via = list_alias.cloned().unwrap_or_else(|| self.place(link));
        let Content::Mapping(pairs) = &self.graph.nodes[link.node].content else { return Ok(()) };
        let pairs: Vec<Pair> = pairs
            .iter()
            .map(|pair| Pair { merged: Some(Box::new(via.clone())), ..pair.clone() })
            .collect();
        self.spend(NODE_COST * pairs.len(), link)?;
        merged.extend(pairs);
        Ok(())
    }

    fn not_mergeable(&self, link: &Link) -> Failure {
        let kind = YamlErrorKind::NotMergeable { kind: self.kind(link.node) };
        (kind, self.place(link))
    }
}

fn key_length(key: &Node) -> usize {
    match &key.value {
        Value::String(text) | Value::Timestamp(text) => text.len(),
        Value::Int(number) => number.as_str().len(),
        _ => 0,
    }
}

/// A `dict` that grows: an equal key keeps its place and its first spelling, and gets the new value.
#[derive(Default)]
struct Dict {
    entries: Vec<Entry>,
    index: HashMap<DictKey, usize, foldhash::fast::RandomState>,
    /// For each entry, where the mapping itself (not a merge) first gave the key.
    written: Vec<Option<Span>>,
}

impl Dict {
    fn insert(
        &mut self,
        dict_key: DictKey,
        key: Node,
        value: Node,
        merged: bool,
    ) -> Option<DuplicateKey> {
        // A key by an alias stands where the alias does.
        let second = key.alias.unwrap_or(key.span);
        let written = (!merged).then_some(second);
        let Some(at) = self.index.get(&dict_key) else {
            self.index.insert(dict_key, self.entries.len());
            self.entries.push(Entry { key, value });
            self.written.push(written);
            return None;
        };
        let entry = &mut self.entries[*at];
        entry.value = value;
        if self.written[*at].is_none() && !merged {
            // The text that decides is now here; Python keeps the equal key it had.
            entry.key.span = key.span;
            entry.key.alias = key.alias;
        }
        let first = self.written[*at];
        self.written[*at] = first.or(written);
        let duplicate = |first| DuplicateKey { key: key.to_text(), first, second };
        first.filter(|_| !merged).map(duplicate)
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
