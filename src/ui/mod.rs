//! Everything a person or a pipe reads. Nothing else prints.

mod annotated;
mod color;
mod defect;
mod diagnostic;
mod diff_text;
mod doctor_text;
mod driving_text;
mod duration;
mod explain_table;
mod json_schemas;
mod known_secrets;
mod link;
mod log_json;
mod log_label;
mod log_printer;
mod log_sink;
mod log_text;
mod log_time;
mod log_view;
pub mod manifest;
mod printer;
mod replan_text;
mod run_json;
mod run_reporter;
mod run_summary;
mod run_text;
mod run_tree;
mod runs_table;
mod sanitize;
mod status_table;
mod table;
mod why_text;

pub use annotated::annotated;
pub use color::{ColorWhen, Paint};
pub(crate) use defect::end_at_a_defect;
pub use diagnostic::{render_error, snippet};
pub use diff_text::{diff_summary, diff_text};
pub use doctor_text::{Doctored, doctor_json, doctor_schema, doctor_text};
pub use driving_text::driving_sentence;
pub use duration::duration;
pub use explain_table::{Terminal, explain_table, with_links};
pub use json_schemas::{
    explain_schema, lint_schema, report_schema, runs_schema, snapshot_schema, status_schema,
    why_schema,
};
pub use known_secrets::{never_show, told_without_secrets, without_secrets};
pub use log_json::log_event_schema;
pub use log_label::Label;
pub use log_printer::LogPrinter;
pub use log_time::{Zone, ZoneError};
pub use log_view::{Composer, LogForm, LogStyle};
pub use printer::{Printer, Verbosity};
pub use replan_text::replan_text;
pub use run_json::{event_json, event_schema};
pub use run_reporter::RunReporter;
pub(crate) use run_summary::headline_text;
pub use run_summary::render_summary;
pub(crate) use run_text::words;
pub use runs_table::{run_json, runs_json, runs_table, unmet_words};
pub use sanitize::{for_terminal, line_for_terminal};
pub use status_table::{Width, status_json, status_table};
pub use table::{Headers, table};
pub use why_text::{why_json, why_text};

/// Counts things: `1 block`, `2 blocks`.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
