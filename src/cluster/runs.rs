//! Runs, as their Jobs tell them: one request, pure grouping.

use std::fmt;

use indexmap::IndexMap;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;

use super::client::Cluster;
use super::error::ClusterError;
use super::jobs::{JobState, job_state};
use super::labels::{BLOCK, MANAGED_BY, MANAGER, PIPELINE, RUN};

/// The annotation that says how many blocks the run has.
pub(crate) const BLOCKS: &str = "kubectl-mage/blocks";

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// A Job of it is not over.
    Running,
    /// Every block is complete.
    Complete,
    /// A block failed, and nothing runs.
    Failed,
    /// Nothing runs, nothing failed, and blocks are missing: it was paused or cancelled.
    Stopped,
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        })
    }
}

/// One run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The namespace of its Jobs.
    pub namespace: String,
    /// The run's id.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// How it stands.
    pub status: RunStatus,
    /// Blocks that are complete.
    pub done: usize,
    /// Blocks in all, as far as the Jobs say.
    pub total: usize,
    /// When its first Job was created, by the server's clock.
    pub started: Option<Timestamp>,
}

#[derive(Default)]
struct Tally {
    pipeline: String,
    started: Option<Timestamp>,
    total: usize,
    blocks: IndexMap<String, JobState>,
}

/// Groups Jobs by run, the newest run first.
#[must_use]
pub fn group_runs(jobs: &[Job]) -> Vec<RunRow> {
    let mut runs: IndexMap<(String, String), Tally> = IndexMap::new();
    for job in jobs {
        let Some(run) = named(job, RUN) else { continue };
        let namespace = job.metadata.namespace.clone().unwrap_or_default();
        let tally = runs.entry((namespace, run)).or_default();
        tally.pipeline = named(job, PIPELINE).unwrap_or_default();
        tally.total = tally
            .total
            .max(named(job, BLOCKS).and_then(|blocks| blocks.parse().ok()).unwrap_or_default());
        let created = job.metadata.creation_timestamp.as_ref().map(|time| time.0);
        tally.started = match (tally.started, created) {
            (Some(first), Some(created)) => Some(first.min(created)),
            (first, created) => first.or(created),
        };
        let block = named(job, BLOCK).or_else(|| job.metadata.name.clone()).unwrap_or_default();
        let state = job_state(job);
        // Of several attempts at a block one complete Job is enough.
        let kept = tally.blocks.entry(block).or_insert_with(|| state.clone());
        if *kept != JobState::Complete {
            *kept = state;
        }
    }
    let mut rows: Vec<RunRow> =
        runs.into_iter().map(|((namespace, run), tally)| row(namespace, run, &tally)).collect();
    rows.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    rows
}

fn row(namespace: String, run: String, tally: &Tally) -> RunRow {
    let count = |wanted: fn(&JobState) -> bool| tally.blocks.values().filter(|s| wanted(s)).count();
    let done = count(|state| *state == JobState::Complete);
    let failed = count(|state| matches!(state, JobState::Failed { .. }));
    let total = tally.total.max(tally.blocks.len());
    let status = if done + failed < tally.blocks.len() {
        RunStatus::Running
    } else if failed > 0 {
        RunStatus::Failed
    } else if done == total {
        RunStatus::Complete
    } else {
        RunStatus::Stopped
    };
    let pipeline = tally.pipeline.clone();
    RunRow { namespace, run, pipeline, status, done, total, started: tally.started }
}

/// Returns the exact name an annotation holds, else the label's.
fn named(job: &Job, key: &str) -> Option<String> {
    let metadata = &job.metadata;
    let annotation = metadata.annotations.as_ref().and_then(|all| all.get(key));
    annotation.or_else(|| metadata.labels.as_ref().and_then(|all| all.get(key))).cloned()
}

impl Cluster {
    /// Lists the runs in a namespace, or everywhere, with one request; `labels` narrows to Jobs
    /// that carry them.
    pub async fn list_runs(
        &self,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> Result<Vec<RunRow>, ClusterError> {
        let ours = format!("{MANAGED_BY}={MANAGER}");
        let selector = labels.map_or(ours.clone(), |labels| format!("{ours},{labels}"));
        Ok(group_runs(&self.list_jobs(namespace, &selector).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::group_runs;
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    fn job(run: &str, block: &str, at: &str, condition: Option<&str>) -> Job {
        let conditions: Vec<_> =
            condition.iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
        serde_json::from_value(json!({
            "metadata": {
                "name": format!("{run}-{block}"), "namespace": "etl", "creationTimestamp": at,
                "labels": {"kubectl-mage/run": run, "kubectl-mage/block": block, "kubectl-mage/pipeline": "p"},
                "annotations": {"kubectl-mage/pipeline": "päckchen", "kubectl-mage/blocks": "2"}
            },
            "spec": {"template": {}},
            "status": {"conditions": conditions}
        }))
        .unwrap()
    }

    #[test]
    fn groups_by_run_newest_first() {
        let jobs = [
            job("r1", "a", "2026-01-01T00:00:00Z", Some("Complete")),
            job("r1", "b", "2026-01-01T00:00:05Z", Some("Complete")),
            job("r2", "a", "2026-01-02T00:00:00Z", Some("Complete")),
            job("r2", "b", "2026-01-02T00:00:09Z", None),
            job("r3", "a", "2026-01-03T00:00:00Z", Some("Failed")),
            job("r4", "a", "2026-01-04T00:00:00Z", Some("Complete")),
        ];
        let rows: Vec<String> = group_runs(&jobs)
            .iter()
            .map(|row| {
                format!("{} {} {} {}/{}", row.run, row.pipeline, row.status, row.done, row.total)
            })
            .collect();
        assert_eq!(
            rows,
            [
                "r4 päckchen Stopped 1/2",
                "r3 päckchen Failed 0/2",
                "r2 päckchen Running 1/2",
                "r1 päckchen Complete 2/2",
            ]
        );
    }
}
