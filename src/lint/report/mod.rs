//! Findings in the formats that people, editors and CI read. No format decides the exit code.

mod github;
mod json;
mod sarif;
mod text;

pub use github::github;
pub use json::json;
pub use sarif::sarif;
pub use text::{closing, text};

use std::path::PathBuf;

use super::Reported;

/// What a report says besides the findings.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The project's folder, absolute.
    pub project: PathBuf,
    /// The folder that paths count from: the root of the checkout.
    pub root: PathBuf,
    /// How many pipelines were looked at.
    pub pipelines: usize,
    /// How many Jobs were looked at.
    pub jobs: usize,
    /// How many files `--fix` changed.
    pub fixed: usize,
}

impl Context {
    /// Returns a file's path from the root of the checkout; `None` for what is no file.
    fn path(&self, name: &str) -> Option<String> {
        let is_object = ["configmap/", "secret/"].iter().any(|kind| name.starts_with(kind));
        if is_object {
            return None;
        }
        let path = self.project.join(name.strip_suffix(" (rendered)").unwrap_or(name));
        let below = path.strip_prefix(&self.root).unwrap_or(&path);
        Some(below.display().to_string().replace('\\', "/"))
    }
}

/// Says what was found, with the next steps, in one text.
fn message(reported: &Reported) -> String {
    let problem = &reported.finding.problem;
    let mut text = problem.message.clone();
    for hint in &problem.hints {
        text.push_str(". Hint: ");
        text.push_str(hint);
    }
    if let Some(jobs) = jobs(reported) {
        text.push_str(" (");
        text.push_str(&jobs);
        text.push(')');
    }
    text
}

/// Names the Jobs a finding is about.
fn jobs(reported: &Reported) -> Option<String> {
    let named = reported.jobs.join(", ");
    match reported.count.saturating_sub(reported.jobs.len()) {
        _ if named.is_empty() => None,
        0 => Some(named),
        more => Some(format!("{named} and {more} more")),
    }
}
