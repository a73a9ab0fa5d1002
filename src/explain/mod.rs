//! The views of `explain-config`: filters over the one list of values with their history.

mod json;
mod report;
mod rows;
mod why;

pub use json::job_json;
pub use report::{LayerReport, layer_rows};
pub use rows::{Query, Row, matching, rows};
pub use why::why;
