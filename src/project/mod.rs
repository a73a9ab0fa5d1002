//! What a Mage project says: its own file, its pipelines, their blocks and graph.

mod alone;
mod block;
mod executor;
mod graph;
pub mod jinja;
mod metadata;
mod pipeline;

pub use alone::{Around, differences, obstacles};
pub use block::{BLOCK_TYPES, Block};
pub use executor::{
    ExecutorChoice, ExecutorStep, TYPES as EXECUTOR_TYPES, block_executor, pipeline_executor,
};
pub use graph::Graph;
pub use jinja::{
    Lookup, LookupKind, Missing, Rendered, TemplateError, TemplateErrorKind, TemplateValues,
    UsedLookup, is_template, render, render_value,
};
pub use metadata::Project;
pub(crate) use metadata::twice_problem;
pub use pipeline::{InPart, Pipeline};
