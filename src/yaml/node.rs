//! Nodes of a YAML document: `PyYAML`'s values, each with its place in the file as written.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A text that was read, and the name people know it by.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the project when inside it, otherwise absolute; for objects in a cluster
    /// `configmap/NAME:KEY`.
    pub name: String,
    /// The text as written, before any template is rendered.
    pub text: String,
    /// Where it is on this machine; `None` for a key of an object in a cluster, and for what a
    /// template was rendered to.
    pub path: Option<PathBuf>,
}

/// A place in a text. A value keeps two to four of these, so they are small; what lies beyond four
/// gigabytes, which no file that is read has, is at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in Unicode code points, from 1.
    pub column: u32,
    /// Offset in bytes from the start of the text.
    pub offset: u32,
}

/// A part of a text, end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Where the value's first character stands, the quote where it is quoted.
    pub start: Position,
    /// Just past its last character.
    pub end: Position,
}

impl Span {
    /// Returns the bytes it covers.
    #[must_use]
    pub fn bytes(&self) -> Range<usize> {
        // A `u32` always fits where this program runs.
        let place = |position: Position| usize::try_from(position.offset).unwrap_or(usize::MAX);
        place(self.start)..place(self.end)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What `PyYAML` makes of it.
    pub value: Value,
    /// Where the value's bytes stand: for an alias or a merged key, where the anchor's content is
    /// written (changing those bytes changes this value).
    pub span: Span,
    /// Where an alias (`*name`) or a merge (`<<: *name`) brought the value in, if one did.
    pub alias: Option<Span>,
    /// The template expression that gave (part of) the value, as written, e.g. `{{ env_var('X') }}`.
    pub expression: Option<Arc<str>>,
}

/// What `PyYAML` makes of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of any size.
    Int(Integer),
    /// A `float`, `inf` and `nan` included.
    Float(f64),
    /// A `str`.
    String(String),
    /// A `datetime.date` or `datetime.datetime`, as its `isoformat()`.
    Timestamp(String),
    /// `!!binary`.
    Binary(Vec<u8>),
    /// A `list`.
    Sequence(Vec<Node>),
    /// A `dict`.
    Mapping(Mapping),
}

/// An integer of any size, in decimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Integer(pub(crate) String);

impl Integer {
    /// Returns it in decimal, with a leading `-` where negative.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it as an `i64`, if it fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl Integer {
    fn to_json(&self) -> serde_json::Value {
        if let Some(number) = self.to_i64() {
            return number.into();
        }
        match self.0.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => self.0.parse::<f64>().map_or(serde_json::Value::Null, Into::into),
        }
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

/// A `dict`: entries in Python's insertion order, duplicates resolved (the last wins).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key; a scalar.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns the text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the mapping, if it is one.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Returns the items, if it is a sequence.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the value of `key`, if it is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// Tells whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Returns a scalar as Python's `str()` writes it (`True`, `None`); empty for collections.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.value {
            Value::Null => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Int(number) => number.as_str().to_owned(),
            Value::Float(number) => python_float(*number),
            Value::String(text) => text.clone(),
            Value::Timestamp(text) => text.replacen('T', " ", 1),
            Value::Binary(_) | Value::Sequence(_) | Value::Mapping(_) => String::new(),
        }
    }

    /// Returns the value as JSON, as far as JSON has it.
    ///
    /// An integer beyond 64 bits becomes a float, `inf` and `nan` become null, a date its ISO text,
    /// binary data base64, and a key its Python text.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(number) => number.to_json(),
            Value::Float(number) => Json::from(*number),
            Value::String(text) | Value::Timestamp(text) => Json::from(text.as_str()),
            Value::Binary(bytes) => {
                use base64::Engine;
                Json::from(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(mapping) => mapping
                .entries
                .iter()
                .map(|entry| (entry.key.to_text(), entry.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Trims the blanks at the end of every string in it, as Mage does with the project's file
    /// (`mage_ai/shared/yaml.py: trim_strings`); keys stay.
    pub fn trim_strings(&mut self) {
        match &mut self.value {
            Value::String(text) => {
                text.truncate(text.trim_end_matches(is_python_space).len());
            }
            Value::Sequence(items) => items.iter_mut().for_each(Self::trim_strings),
            Value::Mapping(mapping) => {
                mapping.entries.iter_mut().for_each(|entry| entry.value.trim_strings());
            }
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Timestamp(_)
            | Value::Binary(_) => {}
        }
    }

    /// Returns a null at the same place.
    #[must_use]
    pub fn clone_place(&self) -> Self {
        let (span, alias, expression) = (self.span, self.alias, self.expression.clone());
        Self { value: Value::Null, span, alias, expression }
    }

    /// Tells whether Python takes it for true: not null, false, zero or empty.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match &self.value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Int(number) => number.as_str() != "0",
            Value::Float(number) => *number != 0.0,
            Value::String(text) => !text.is_empty(),
            Value::Timestamp(_) => true,
            Value::Binary(bytes) => !bytes.is_empty(),
            Value::Sequence(items) => !items.is_empty(),
            Value::Mapping(mapping) => !mapping.entries.is_empty(),
        }
    }

    /// Names the kind of value as people say it: `a string`, `a list`, …
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Timestamp(_) => "a date",
            Value::Binary(_) => "binary data",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Writes a float as Python's `repr()` does: the shortest text, an exponent under 1e-4 or from 1e16.
fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// What Python's `str.rstrip()` takes for a blank.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

impl Mapping {
    /// Returns the value of the string key `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns the entry of the string key `key`.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.as_str() == Some(key))
    }

    /// Returns the entries whose key is a string, with that key.
    pub fn string_entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().filter_map(|entry| Some((entry.key.as_str()?, entry)))
    }
}
