//! Why a text cannot be read as `PyYAML` reads it.

use std::sync::Arc;

use thiserror::Error;

use super::node::{Position, SourceFile, Span};
use crate::error::Problem;
use crate::finding::FindingId;

/// What is wrong with a YAML text, and where.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{kind}")]
pub struct YamlError {
    /// What is wrong.
    pub kind: YamlErrorKind,
    /// Where.
    pub span: Span,
    /// The file that `span` points into: the one given, or for text out of a template that could
    /// not be mapped back, the text as rendered.
    pub file: Arc<SourceFile>,
}

/// What can be wrong with a YAML text.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum YamlErrorKind {
    /// libyaml's scanner or parser refuses it.
    #[error("{problem}{}{}", found_text(*.found), context_text(.context.as_ref()))]
    Syntax {
        /// What libyaml says, e.g. `did not find expected ',' or '}'`.
        problem: &'static str,
        /// What was being read, and where that began.
        context: Option<(&'static str, Position)>,
        /// The character at the place.
        found: Option<char>,
    },
    /// `*name` with no `&name` before it.
    #[error("found undefined alias '{name}'")]
    UndefinedAlias {
        /// The name.
        name: String,
    },
    /// `&name` twice.
    #[error("found duplicate anchor '{name}', first in line {}", first.line)]
    DuplicateAnchor {
        /// The name.
        name: String,
        /// Where the first stands.
        first: Position,
    },
    /// `*name` inside of `&name`: Python can hold such a value, but no Job can.
    #[error("found an alias that contains itself")]
    RecursiveAlias,
    /// A second document.
    #[error("expected a single document, but found another document")]
    SecondDocument,
    /// A list or a mapping as a key.
    #[error("found unhashable key ({kind})")]
    UnhashableKey {
        /// The kind of the key: `a list`, `a mapping`.
        kind: &'static str,
    },
    /// `<<` with something else than mappings.
    #[error("expected a mapping or list of mappings for merging, but found {kind}")]
    NotMergeable {
        /// The kind of the value.
        kind: &'static str,
    },
    /// A tag that `PyYAML` has no constructor for; also a bare `=` or `<<` as a value.
    #[error("could not determine a constructor for the tag '{tag}'")]
    UnknownTag {
        /// The tag, e.g. `!mine`.
        tag: String,
    },
    /// A `!!python/…` tag, which Mage would execute.
    #[error("the tag '{tag}' runs Python code and is refused")]
    PythonTag {
        /// The tag.
        tag: String,
    },
    /// A tag on a value of another kind, e.g. `!!seq {a: 1}`.
    #[error("expected {expected} for the tag '{tag}', but found {found}")]
    WrongKind {
        /// The tag.
        tag: String,
        /// What it is for.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A scalar that its type does not allow, e.g. the date `2024-02-31`.
    #[error("cannot read '{text}' as {tag}")]
    InvalidScalar {
        /// The type, as a tag.
        tag: String,
        /// The text.
        text: String,
    },
    /// Nested deeper than this program reads.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The most levels.
        limit: usize,
    },
    /// Aliases that together stand for too large a value.
    #[error("aliases expand to too large a value")]
    TooLarge,
    /// More values than this program reads.
    #[error("more than {limit} values in one file")]
    TooMany {
        /// The most values.
        limit: usize,
    },
    /// Long keys with much below them.
    #[error("long keys with many values below them add up to too large a value")]
    KeysTooLong,
}

fn found_text(found: Option<char>) -> String {
    match found {
        Some('\t') => " (a tab; indent with spaces)".to_owned(),
        Some(character) if character.is_control() || character.is_whitespace() => {
            format!(" (U+{:04X})", u32::from(character))
        }
        Some(character) => format!(" ('{character}')"),
        None => String::new(),
    }
}

fn context_text(context: Option<&(&'static str, Position)>) -> String {
    context.map_or_else(String::new, |(context, position)| {
        format!(", {context} that starts in line {}", position.line)
    })
}

impl YamlError {
    /// Makes a problem of it, with its place.
    #[must_use]
    pub fn to_problem(&self) -> Problem {
        let problem = Problem::new(self.kind.to_string()).id(FindingId::YamlSyntax);
        problem.at(&self.file, self.span).hint(self.kind.hint())
    }
}

impl YamlErrorKind {
    fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => {
                "look at the indentation, brackets and quotes here and in the lines before"
            }
            Self::UndefinedAlias { .. } => "define the anchor with `&` before its use",
            Self::DuplicateAnchor { .. } => "give one of the two another name",
            Self::TooDeep { .. } => "take levels out: what Mage reads has ten or so",
            Self::RecursiveAlias | Self::TooLarge => "write the value out where it is used",
            Self::TooMany { .. } => "leave out what Mage does not read, or split the file",
            Self::KeysTooLong => "shorten the keys",
            Self::SecondDocument => "keep one document: remove the `---` and what follows it",
            Self::UnhashableKey { .. } => {
                "quote the key; a template (`{{ … }}`) as a value needs quotes too"
            }
            Self::NotMergeable { .. } => "merge an anchor of a mapping, `<<: *name`",
            Self::UnknownTag { .. } | Self::WrongKind { .. } => "remove the tag, or quote the text",
            Self::PythonTag { .. } => "remove the tag and write the value itself",
            Self::InvalidScalar { .. } => "quote it, if it is meant as text",
        }
    }
}

impl From<YamlError> for Problem {
    fn from(error: YamlError) -> Self {
        error.to_problem()
    }
}
