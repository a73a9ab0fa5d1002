//! Events to a graph of nodes, as `PyYAML`'s composer does (`yaml/composer.py`).

use std::collections::HashMap;
use std::ops::Range;

use super::error::YamlErrorKind;
use super::events::{DEEPEST, Data, Event, Events, MOST_EVENTS, Properties, SyntaxError};
use super::position::is_break;
use super::schema::{self, Tag};

/// All nodes of a document; they name each other by index.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: Vec<RawNode>,
    pub(super) root: Option<usize>,
    /// No node has two parents, for none has an anchor.
    pub(super) is_tree: bool,
}

/// A node whose type is known and whose value is not yet.
#[derive(Debug)]
pub(super) struct RawNode {
    pub(super) tag: Tag,
    pub(super) content: Content,
    /// The bytes of the value, without anchor and tag.
    pub(super) range: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(String),
    Sequence(Vec<Link>),
    Mapping(Vec<Pair>),
}

/// A node inside of another.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) node: usize,
    /// The bytes of `*name`, if that is how it came here.
    pub(super) alias: Option<Box<Range<usize>>>,
}

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) key: Link,
    pub(super) value: Link,
    /// It came by a merge, through the alias or the mapping at these bytes.
    pub(super) merged: Option<Box<Range<usize>>>,
}

/// What is wrong, and at which bytes of the parsed text.
pub(super) type Failure = (YamlErrorKind, Range<usize>);

/// `anchor first seen at` needs a position, which only the caller can make.
pub(super) struct DuplicateAnchor {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) second: Range<usize>,
}

/// Why events do not make a graph.
pub(super) enum ComposeError {
    Syntax(SyntaxError),
    Failure(Failure),
    DuplicateAnchor(DuplicateAnchor),
}

impl From<SyntaxError> for ComposeError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl From<Failure> for ComposeError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Builds the graph of the only document.
pub(super) fn compose(events: Events<'_>, text: &str) -> Result<Graph, ComposeError> {
    let anchors = HashMap::new();
    let mut composer = Composer { text, events, nodes: Vec::new(), anchors };
    let Some(event) = composer.events.next().transpose()? else {
        return Ok(Graph { nodes: Vec::new(), root: None, is_tree: true });
    };
    let root = composer.node(event, 0)?.node;
    // What follows the root is the end of its document.
    composer.events.next().transpose()?;
    if let Some(event) = composer.events.next().transpose()? {
        return Err((YamlErrorKind::SecondDocument, event.range).into());
    }
    let is_tree = composer.anchors.is_empty();
    Ok(Graph { nodes: composer.nodes, root: Some(root), is_tree })
}

struct Composer<'text> {
    text: &'text str,
    events: Events<'text>,
    nodes: Vec<RawNode>,
    anchors: HashMap<String, (usize, usize)>,
}

impl Composer<'_> {
    fn node(&mut self, event: Event, depth: usize) -> Result<Link, ComposeError> {
        if depth > DEEPEST {
            return Err((YamlErrorKind::TooDeep { limit: DEEPEST }, event.range).into());
        }
        let range = event.range;
        let node = match event.data {
            Data::Alias(name) => return self.alias(name, range),
            Data::Scalar { properties, text, plain, .. } => {
                self.scalar(&properties, text, plain, range)?
            }
            Data::SequenceStart { properties, flow } => {
                let node = self.start(&properties, Content::Sequence(Vec::new()), &range)?;
                self.sequence(node, flow, depth)?;
                node
            }
            Data::MappingStart { properties, flow } => {
                let node = self.start(&properties, Content::Mapping(Vec::new()), &range)?;
                self.mapping(node, flow, depth)?;
                node
            }
            Data::StreamEnd | Data::DocumentEnd | Data::SequenceEnd | Data::MappingEnd => {
                unreachable!("the parser balances starts and ends")
            }
        };
        Ok(Link { node, alias: None })
    }

    fn alias(&mut self, name: String, range: Range<usize>) -> Result<Link, ComposeError> {
        match self.anchors.get(&name) {
            Some((node, _)) => Ok(Link { node: *node, alias: Some(Box::new(range)) }),
            None => Err((YamlErrorKind::UndefinedAlias { name }, range).into()),
        }
    }

    fn scalar(
        &mut self,
        properties: &Properties,
        text: String,
        plain: bool,
        range: Range<usize>,
    ) -> Result<usize, ComposeError> {
        let tag = explicit_tag(properties)
            .unwrap_or_else(|| if plain { schema::resolve(&text) } else { Tag::Str });
        let start = content_start(self.text, &range, properties);
        let content = Content::Scalar(text);
        self.add(properties, RawNode { tag, content, range: start..range.end }, &range)
    }

    /// Adds a collection before its content is read, so that an alias in it finds it.
    fn start(
        &mut self,
        properties: &Properties,
        content: Content,
        range: &Range<usize>,
    ) -> Result<usize, ComposeError> {
        let default = if matches!(content, Content::Mapping(_)) { Tag::Map } else { Tag::Seq };
        let tag = explicit_tag(properties).unwrap_or(default);
        let start = content_start(self.text, &(range.start..self.text.len()), properties);
        self.add(properties, RawNode { tag, content, range: start..start }, range)
    }

    fn add(
        &mut self,
        properties: &Properties,
        node: RawNode,
        range: &Range<usize>,
    ) -> Result<usize, ComposeError> {
        let index = self.nodes.len();
        if let Some(name) = &properties.anchor {
            if let Some((_, first)) = self.anchors.get(name) {
                return Err(ComposeError::DuplicateAnchor(DuplicateAnchor {
                    name: name.clone(),
                    first: *first,
                    second: range.start..range.start + name.len() + 1,
                }));
            }
            self.anchors.insert(name.clone(), (index, range.start));
        }
        self.nodes.push(node);
        Ok(index)
    }

    fn sequence(&mut self, node: usize, flow: bool, depth: usize) -> Result<(), ComposeError> {
        loop {
            let event = self.next_event(node)?;
            if matches!(event.data, Data::SequenceEnd) {
                self.close(node, flow, &event.range);
                return Ok(());
            }
            let link = self.node(event, depth + 1)?;
            self.extend(node, &link);
            if let Content::Sequence(items) = &mut self.nodes[node].content {
                items.push(link);
            }
        }
    }

    fn mapping(&mut self, node: usize, flow: bool, depth: usize) -> Result<(), ComposeError> {
        loop {
            let event = self.next_event(node)?;
            if matches!(event.data, Data::MappingEnd) {
                self.close(node, flow, &event.range);
                return Ok(());
            }
            let key = self.node(event, depth + 1)?;
            self.extend(node, &key);
            let event = self.next_event(node)?;
            let value = self.node(event, depth + 1)?;
            self.extend(node, &value);
            if let Content::Mapping(pairs) = &mut self.nodes[node].content {
                pairs.push(Pair { key, value, merged: None });
            }
        }
    }

    /// Takes the next event in a collection. The parser balances starts and ends; where one is
    /// missing, the reading was ended.
    fn next_event(&mut self, node: usize) -> Result<Event, ComposeError> {
        let range = &self.nodes[node].range;
        let too_many = || (YamlErrorKind::TooMany { limit: MOST_EVENTS }, range.clone());
        self.events.next().transpose()?.ok_or_else(|| too_many().into())
    }

    /// A block collection ends with its last item: its end event stands at the next token.
    fn extend(&mut self, node: usize, item: &Link) {
        let end = item.alias.as_ref().map_or(self.nodes[item.node].range.end, |alias| alias.end);
        let range = &mut self.nodes[node].range;
        range.end = range.end.max(end);
    }

    fn close(&mut self, node: usize, flow: bool, end: &Range<usize>) {
        let range = &mut self.nodes[node].range;
        // The pair of `[a: b]` has no braces.
        if flow && self.text[range.start..].starts_with(['{', '[']) {
            range.end = end.end;
        }
    }
}

fn explicit_tag(properties: &Properties) -> Option<Tag> {
    properties.tag.as_deref().filter(|tag| !matches!(*tag, "!" | "")).map(Tag::from_full)
}

/// Finds where the value begins behind its anchor and tag, in either order.
fn content_start(text: &str, range: &Range<usize>, properties: &Properties) -> usize {
    let end = range.end.min(text.len());
    let mut at = range.start;
    let count = usize::from(properties.anchor.is_some()) + usize::from(properties.tag.is_some());
    for _ in 0..count {
        let rest = &text[at..end];
        let length = match rest.chars().next() {
            Some('&') => 1 + rest[1..].bytes().take_while(|b| is_anchor_byte(*b)).count(),
            Some('!') => rest.find(|c| is_blank(c) || is_break(c)).unwrap_or(rest.len()),
            _ => return at,
        };
        at = skip_blanks_and_comments(text, at + length, end);
    }
    at
}

fn skip_blanks_and_comments(text: &str, mut at: usize, end: usize) -> usize {
    let mut comment = false;
    for character in text[at..end].chars() {
        let skipped = is_break(character) || is_blank(character);
        match character {
            '#' if !comment => comment = true,
            _ if is_break(character) => comment = false,
            _ if !comment && !skipped => return at,
            _ => {}
        }
        at += character.len_utf8();
    }
    at
}

fn is_anchor_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}
