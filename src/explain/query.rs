//! What is asked for.

use crate::config::{JobPath, LayerKind, Source, job_paths};
use crate::job::{JobValue, RenderedJob};
use crate::merge::Loser;

/// What to show.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only these values and what is below them, as typed; empty for everything.
    pub paths: Vec<String>,
    /// Add what is built in.
    pub all: bool,
    /// Add what lost.
    pub overridden: bool,
    /// Show secrets.
    pub show_secrets: bool,
}

/// The setting that no Job has: which executor a block runs on.
pub const EXECUTOR_TYPE: &str = "executor_type";

impl Query {
    /// Tells whether the chain of executors is asked for.
    #[must_use]
    pub fn asks_for_executor(&self) -> bool {
        self.paths.iter().any(|path| path == EXECUTOR_TYPE)
    }

    /// Tells whether nothing else is.
    #[must_use]
    pub fn asks_only_for_executor(&self) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(|path| path == EXECUTOR_TYPE)
    }
}

/// A query whose paths have been read.
pub(super) struct Selection {
    pub(super) paths: Vec<JobPath>,
    is_narrow: bool,
    all: bool,
}

impl Selection {
    pub(super) fn new(query: &Query) -> Self {
        let paths = query.paths.iter().filter(|path| *path != EXECUTOR_TYPE);
        Self {
            paths: paths.flat_map(|path| job_paths(path)).collect(),
            is_narrow: !query.paths.is_empty(),
            all: query.all,
        }
    }

    pub(super) fn has_path(&self, path: &JobPath) -> bool {
        !self.is_narrow || self.paths.iter().any(|wanted| path.starts_with(wanted))
    }

    pub(super) fn has(&self, value: &JobValue) -> bool {
        (self.all || self.is_narrow || is_set(value)) && self.has_path(&value.path)
    }
}

/// Tells whether somebody set this value, rather than Mage or this tool.
fn is_set(value: &JobValue) -> bool {
    match (&value.origin.layer, &value.origin.source) {
        (LayerKind::ApiDefault, _) => false,
        (LayerKind::Hardcoded, source) => matches!(source, Source::Env { .. }),
        (_, Source::Flag { name }) => &**name != "TARGET",
        _ => true,
    }
}

/// Returns the values that a path, in either spelling, names.
#[must_use]
pub fn matching<'a>(job: &'a RenderedJob, path: &str) -> Vec<&'a JobValue> {
    let paths = job_paths(path);
    let is_named = |value: &&JobValue| paths.iter().any(|path| value.path.starts_with(path));
    job.values.iter().filter(is_named).collect()
}

/// Returns what lost at or below a path and has no place in the Job.
#[must_use]
pub fn matching_lost<'a>(job: &'a RenderedJob, path: &str) -> Vec<&'a (JobPath, Loser)> {
    let paths = job_paths(path);
    let is_named = |(lost, _): &&(JobPath, Loser)| paths.iter().any(|path| lost.starts_with(path));
    job.lost.iter().filter(is_named).collect()
}
