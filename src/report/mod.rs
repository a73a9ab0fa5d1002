//! Reports of a run: its outcome as text, in four forms (pure).

mod html;
mod json;
mod junit;
mod kind;
mod layout;
mod markdown;
mod told;

pub use kind::ReportKind;
pub(crate) use markdown::{cell, fenced};
pub(crate) use told::lines as harmless_lines;

use crate::run::{Outcome, Plan};

/// Writes a report of how a run of the plan ended.
#[must_use]
pub fn report(kind: ReportKind, plan: &Plan, outcome: &Outcome) -> String {
    match kind {
        ReportKind::Json => json::json_text(plan, outcome),
        ReportKind::JUnit => junit::junit(plan, outcome),
        ReportKind::Markdown => markdown::markdown(plan, outcome),
        ReportKind::Html => html::html(plan, outcome),
    }
}

#[cfg(test)]
mod tests;
