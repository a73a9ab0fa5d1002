//! Reads YAML exactly as Mage does (PyYAML's `CLoader`), and keeps where every node stands.
//!
//! ```text
//! text ──events──► parser events ──compose──► graph (types by schema) ──construct──► Node
//!                                                (aliases are links)      (merged, expanded)
//! ```
//!
//! [`parse`] reads a file as it is; [`parse_mapped`] reads what a template was rendered to and, by
//! a [`SourceMap`], still tells places in the file as written.

mod compose;
mod construct;
mod dict;
mod document;
mod error;
mod events;
mod map;
mod node;
mod position;
mod scalar;
mod schema;

pub use construct::DuplicateKey;
pub use document::{Document, parse, parse_mapped};
pub use error::{YamlError, YamlErrorKind};
pub use map::{Piece, PieceSource, SourceMap};
pub use node::{Entry, Integer, Mapping, Node, Position, SourceFile, Span, Value};
pub use position::LineIndex;

#[cfg(test)]
mod tests;
