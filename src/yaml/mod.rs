//! Reads YAML exactly as Mage does (PyYAML's `CLoader`), and keeps where every node stands.

mod node;

pub use node::{Entry, Integer, Mapping, Node, Position, SourceFile, Span, Value};
