//! `--against live`.
use super::verb::Outcome;
use crate::cli::DiffArgs;
use crate::ui::Printer;

pub(super) fn against_live(_args: &DiffArgs, _printer: Printer) -> Outcome {
    Err(crate::error::CliError::usage(crate::error::Problem::new("later")))
}

/// Returns the name of a Job, where a target is `job/NAME`.
pub(super) fn job_name(target: &str) -> Option<&str> {
    ["job/", "jobs/", "job.batch/", "jobs.batch/"].iter().find_map(|kind| target.strip_prefix(kind))
}
