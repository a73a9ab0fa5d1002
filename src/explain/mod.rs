//! The views of `explain-config`: filters over the one list of values with their history.

mod annotated;
mod api_defaults;
mod executor;
mod json;
mod query;
mod report;
mod rows;
mod shown;
mod why;

pub use annotated::{Comments, comments};
pub use api_defaults::add_api_defaults;
pub use executor::{executor_json, executor_text};
pub use json::job_json;
pub(crate) use json::source_json;
pub use query::{EXECUTOR_TYPE, Query, matching, matching_lost};
pub use report::{LayerReport, layer_rows};
pub use rows::{Links, Row, links, rows};
pub use why::why;
