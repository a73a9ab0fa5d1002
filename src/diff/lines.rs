//! Two Jobs as lines of YAML: those of both, those of the old one, those of the new one.

use serde_json::Value as Json;

use super::change::{Of, Sides, Veil, shown};
use super::tree::{Inside, Node, Part, is_open};
use crate::config::Origin;
use crate::ui::manifest::{is_printable, scalar};

/// Which of the Jobs has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Both.
    Both,
    /// The old one.
    Old,
    /// The new one.
    New,
}

/// A line of YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose line it is.
    pub mark: Mark,
    /// Its text, without a line end.
    pub text: String,
    /// Where the value in it comes from, of a line that only one of the Jobs has.
    pub origin: Option<String>,
}

/// Writes both Jobs. Items come in the order of the old one, so that only what differs does.
pub(super) fn lines(root: &Node<'_>, sides: &Sides<'_>) -> Vec<Line> {
    let mut writer =
        Writer { sides, lines: Vec::new(), waiting: Vec::new(), leads: Default::default() };
    writer.inside(root, 0, Veil::None);
    writer.flush();
    writer.lines
}

struct Writer<'a> {
    sides: &'a Sides<'a>,
    lines: Vec<Line>,
    /// Lines of the new Job that come after those of the old one beside them.
    waiting: Vec<Line>,
    /// What stands before the next line of each Job instead of blanks: the dashes of items.
    leads: [Option<String>; 2],
}

/// What is written behind a key or a dash.
struct Entry<'k> {
    /// The key with its colon; empty for an item.
    key: &'k str,
    indent: usize,
}

impl Writer<'_> {
    fn flush(&mut self) {
        self.lines.append(&mut self.waiting);
    }

    /// Writes a line of both Jobs; where an item's dash is due in only one of them, it is two lines.
    fn both(&mut self, indent: usize, text: &str) {
        let [old, new] = &self.leads;
        if old == new {
            self.flush();
            let text = self.with_lead(0, indent, text);
            self.leads[1] = None;
            self.lines.push(Line { mark: Mark::Both, text, origin: None });
        } else {
            self.only_old(indent, text, None);
            self.only_new(indent, text, None);
        }
    }

    fn only_old(&mut self, indent: usize, text: &str, origin: Option<String>) {
        let text = self.with_lead(0, indent, text);
        self.lines.push(Line { mark: Mark::Old, text, origin });
    }

    fn only_new(&mut self, indent: usize, text: &str, origin: Option<String>) {
        let text = self.with_lead(1, indent, text);
        self.waiting.push(Line { mark: Mark::New, text, origin });
    }

    fn with_lead(&mut self, side: usize, indent: usize, text: &str) -> String {
        let lead = self.leads[side].take().unwrap_or_else(|| " ".repeat(indent));
        format!("{lead}{text}")
    }

    fn inside(&mut self, node: &Node<'_>, indent: usize, veil: Veil) {
        match &node.inside {
            Inside::Map(entries) => self.map(entries, None, indent, veil),
            Inside::List { items, key, by_place } => {
                let veil = self.sides.veil(items, *by_place, veil);
                for item in items {
                    self.item(item, *key, indent, veil);
                }
            }
            Inside::Same => {
                if let (Some(old), Some(new)) = (&node.old, &node.new) {
                    self.same(old, new, indent);
                }
            }
            Inside::Leaf => {}
        }
    }

    fn map(
        &mut self,
        entries: &[(String, Node<'_>)],
        first: Option<&str>,
        indent: usize,
        veil: Veil,
    ) {
        let is_first = |key: &str| first == Some(key);
        let named = entries.iter().filter(|(key, _)| is_first(key));
        for (key, node) in named.chain(entries.iter().filter(|(key, _)| !is_first(key))) {
            let key = format!("{}:", scalar(&Json::from(key.as_str())));
            self.entry(&Entry { key: &key, indent }, node, veil);
        }
    }

    /// Writes an item; the member that names it comes first, so that it is the line with the dash.
    fn item(&mut self, node: &Node<'_>, key: Option<&str>, indent: usize, veil: Veil) {
        for (part, side) in [(&node.old, 0), (&node.new, 1)] {
            if part.is_some() {
                let before = self.leads[side].take().unwrap_or_else(|| " ".repeat(indent));
                self.leads[side] = Some(format!("{before}- "));
            }
        }
        match &node.inside {
            Inside::Map(entries) => self.map(entries, key, indent + 2, veil),
            Inside::List { .. } => self.inside(node, indent + 2, veil),
            Inside::Same if node.new.as_ref().is_some_and(|part| is_open(part.value)) => {
                if let (Some(old), Some(new)) = (&node.old, &node.new) {
                    self.same_first(old, new, key, indent + 2);
                }
            }
            Inside::Same | Inside::Leaf => self.entry(&Entry { key: "", indent }, node, veil),
        }
    }

    fn entry(&mut self, entry: &Entry<'_>, node: &Node<'_>, veil: Veil) {
        match &node.inside {
            Inside::Leaf => self.leaf(entry, node, veil),
            Inside::Same => {
                if let (Some(old), Some(new)) = (&node.old, &node.new) {
                    self.same_entry(entry, old, new);
                }
            }
            Inside::Map(_) | Inside::List { .. } => {
                match (&node.old, &node.new) {
                    (Some(_), Some(_)) => self.both(entry.indent, entry.key),
                    (Some(_), None) => self.only_old(entry.indent, entry.key, None),
                    _ => self.only_new(entry.indent, entry.key, None),
                }
                // kubectl does not indent lists.
                let is_list = matches!(node.inside, Inside::List { .. });
                let below = if is_list { entry.indent } else { entry.indent + 2 };
                self.inside(node, below, veil);
            }
        }
    }

    fn leaf(&mut self, entry: &Entry<'_>, node: &Node<'_>, veil: Veil) {
        let secret = self.sides.is_secret(node, veil);
        let differs = node.old.is_some() && node.new.is_some();
        for (part, of) in [(&node.old, Of::Old), (&node.new, Of::New)] {
            let Some(Part { path, value }) = part else { continue };
            let value = scalar(&shown(value, secret, differs, of));
            let text = [entry.key, &value].join(if entry.key.is_empty() { "" } else { " " });
            let origin = self.sides.origin(path, of).map(told);
            match of {
                Of::Old => self.only_old(entry.indent, &text, origin),
                Of::New => self.only_new(entry.indent, &text, origin),
            }
        }
    }

    fn same_entry(&mut self, entry: &Entry<'_>, old: &Part<'_>, new: &Part<'_>) {
        if is_open(new.value) {
            self.both(entry.indent, entry.key);
            let below = if new.value.is_array() { entry.indent } else { entry.indent + 2 };
            self.same(old, new, below);
            return;
        }
        let is_secret = self.sides.is_secret_at(&new.path, Of::New);
        let value = scalar(&shown(old.value, is_secret, false, Of::Old));
        let text = [entry.key, &value].join(if entry.key.is_empty() { "" } else { " " });
        self.both(entry.indent, &text);
    }

    /// Writes what is in a part that both have alike.
    fn same(&mut self, old: &Part<'_>, new: &Part<'_>, indent: usize) {
        self.same_first(old, new, None, indent);
    }

    fn same_first(&mut self, old: &Part<'_>, new: &Part<'_>, first: Option<&str>, indent: usize) {
        match (old.value, new.value) {
            (Json::Object(map), Json::Object(other)) => {
                let is_first = |key: &&String| first == Some(key.as_str());
                let named = map.keys().filter(is_first);
                for key in named.chain(map.keys().filter(|key| !is_first(key))) {
                    let (Some(value), Some(twin)) = (map.get(key), other.get(key)) else {
                        continue;
                    };
                    let old = Part { path: old.path.key(key), value };
                    let new = Part { path: new.path.key(key), value: twin };
                    let key = format!("{}:", scalar(&Json::from(key.as_str())));
                    self.same_entry(&Entry { key: &key, indent }, &old, &new);
                }
            }
            (Json::Array(items), Json::Array(others)) => {
                for (index, (value, twin)) in items.iter().zip(others).enumerate() {
                    let old = Part { path: old.path.index(index), value };
                    let new = Part { path: new.path.index(index), value: twin };
                    self.same_item(&old, &new, indent);
                }
            }
            _ => {}
        }
    }

    fn same_item(&mut self, old: &Part<'_>, new: &Part<'_>, indent: usize) {
        for lead in &mut self.leads {
            let before = lead.take().unwrap_or_else(|| " ".repeat(indent));
            *lead = Some(format!("{before}- "));
        }
        if is_open(new.value) {
            self.same(old, new, indent + 2);
        } else {
            self.same_entry(&Entry { key: "", indent }, old, new);
        }
    }
}

/// Says where a value comes from: its layer and its place, in one line.
fn told(origin: &Origin) -> String {
    let source = origin.source.to_string();
    let text = if source.starts_with(&format!("{} ", origin.layer)) {
        source
    } else {
        format!("{} {source}", origin.layer)
    };
    text.chars().map(|c| if is_printable(c) { c } else { ' ' }).collect()
}
