//! Puts problems at the lines people can edit.

use super::facts::JobFacts;
use crate::config::{Origin, Source};
use crate::error::Problem;
use crate::job::JobValue;
use crate::merge::Loser;
use crate::project::Project;
use crate::yaml::{SourceFile, Span};
use std::sync::Arc;

/// Puts a problem at the place that gave a value, and names the value in both spellings.
#[must_use]
pub fn at(problem: Problem, value: &JobValue) -> Problem {
    at_origin(problem, &value.origin).job_path(value.path.to_string())
}

/// Puts a problem at the place of a value that did not make it into the Job.
pub(super) fn at_lost(problem: Problem, loser: &Loser) -> Problem {
    at_origin(problem, &loser.origin)
}

/// Puts a problem at the place that gave a value where that is a file, and at the Job's block
/// otherwise.
#[must_use]
pub fn at_value(problem: Problem, value: Option<&JobValue>, facts: &JobFacts<'_>) -> Problem {
    match value {
        Some(value) if matches!(value.origin.source, Source::File { .. }) => at(problem, value),
        Some(value) => at_block(problem, facts).job_path(value.path.to_string()),
        None => at_block(problem, facts),
    }
}

/// Puts a problem at the place that gave a value, where that is a file.
pub(super) fn at_origin(problem: Problem, origin: &Origin) -> Problem {
    let problem = match &origin.source {
        Source::File { file, span } => problem.at(file, *span),
        _ => problem,
    };
    if origin.setting.is_empty() { problem } else { problem.setting(&*origin.setting) }
}

/// Puts a problem at the name of the Job's block, or at the top of its pipeline.
#[must_use]
pub fn at_block(problem: Problem, facts: &JobFacts<'_>) -> Problem {
    match facts.block {
        Some(block) => problem.at(&facts.pipeline.file, block.uuid_span),
        None => at_top(problem, &facts.pipeline.file),
    }
}

/// Puts a problem at the project's `k8s_executor_config`, or at the top of its file: where a setting
/// for all Jobs would stand.
#[must_use]
pub fn at_settings(problem: Problem, project: &Project) -> Problem {
    let entry = project.root.as_mapping().and_then(|root| root.entry("k8s_executor_config"));
    match entry {
        Some(entry) => problem.at(&project.file, entry.key.span),
        None => at_top(problem, &project.file),
    }
}

fn at_top(problem: Problem, file: &Arc<SourceFile>) -> Problem {
    let start = file.lines().position(0);
    problem.at(file, Span { start, end: start })
}
