//! Runs, as their Jobs and plans tell them: pure grouping.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indexmap::IndexMap;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;

use super::client::Cluster;
use super::error::ClusterError;
use super::jobs::{JobState, job_state};
use super::labels::{MANAGED_BY, MANAGER, label_value};
use super::leases::Driving;
use super::mage_jobs::{Source, belongs, named};
use super::plans::{NotedEnd, PlanFacts, Unmet};

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
    /// Nothing runs, nothing failed, and blocks are missing: it was paused.
    Stopped,
    /// What is not over was applied and waits to be started.
    Suspended,
    /// Somebody cancelled it.
    Cancelled,
    /// No Job of it is there that runs or failed; whether more will come, only the Mage server knows.
    Unknown,
}

impl RunStatus {
    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
            Self::Suspended => "Suspended",
            Self::Cancelled => "Cancelled",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The namespace of its Jobs.
    pub namespace: String,
    /// The run's id.
    pub run: String,
    /// Who runs it.
    pub source: Source,
    /// The pipeline.
    pub pipeline: String,
    /// How it stands.
    pub status: RunStatus,
    /// Blocks that are complete.
    pub done: usize,
    /// Blocks that conditionals kept from running.
    pub unmet: usize,
    /// Blocks in all; unknown for those of the Mage server.
    pub total: Option<usize>,
    /// When its first object was created, by the server's clock.
    pub started: Option<Timestamp>,
    /// When its last Job ended, if none goes on.
    pub ended: Option<Timestamp>,
    /// Who drives it.
    pub driving: Driving,
}

#[derive(Default)]
struct Tally {
    pipeline: String,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    total: Option<usize>,
    /// Blocks of which Jobs are there although a new plan dropped them.
    dropped: Vec<String>,
    /// Blocks that conditionals kept from running, by their labels.
    unmet: BTreeMap<String, Unmet>,
    /// How blocks ended of which no Job may be left, by their labels.
    noted: BTreeMap<String, NotedEnd>,
    cancelled: bool,
    blocks: IndexMap<String, JobState>,
}

/// What tells one run from another: namespace, source, id.
type Key = (String, Source, String);

/// Groups Jobs and plans by run, the newest run first.
#[must_use]
pub fn group_runs<'a>(
    jobs: impl IntoIterator<Item = &'a Job>,
    plans: impl IntoIterator<Item = &'a PlanFacts>,
) -> Vec<RunRow> {
    let mut runs: IndexMap<Key, Tally> = IndexMap::new();
    for plan in plans {
        let key = (plan.namespace.clone(), Source::Run, plan.run.clone());
        let tally = runs.entry(key).or_default();
        tally.pipeline.clone_from(&plan.pipeline);
        tally.total = plan.blocks;
        tally.dropped.clone_from(&plan.dropped);
        tally.unmet.clone_from(&plan.unmet);
        tally.noted.clone_from(&plan.ended);
        for block in &plan.dropped {
            tally.unmet.remove(&label_value(block));
            tally.noted.remove(&label_value(block));
        }
        tally.cancelled = plan.cancelled.is_some();
        let noted = tally.noted.values().filter_map(|end| end.at);
        let cancelled = plan.cancelled.as_ref().and_then(|at| at.parse().ok());
        tally.ended = noted.chain(cancelled).max();
        tally.started = plan.created;
    }
    for job in jobs {
        let Some(of) = belongs(job) else { continue };
        let namespace = job.metadata.namespace.clone().unwrap_or_default();
        let tally = runs.entry((namespace, of.source, of.run)).or_default();
        tally.pipeline = of.pipeline;
        if tally.dropped.contains(&of.block) {
            continue;
        }
        // Where there is a plan, a newer one may count otherwise than the Jobs say.
        let total = || named(&job.metadata, BLOCKS)?.parse().ok();
        tally.total = tally.total.or_else(total);
        let created = job.metadata.creation_timestamp.as_ref().map(|time| time.0);
        tally.started = tally.started.into_iter().chain(created).min();
        tally.ended = tally.ended.into_iter().chain(super::jobs::ended_at(job)).max();
        let state = job_state(job);
        // Of several attempts at a block one complete Job is enough.
        let kept = tally.blocks.entry(of.block).or_insert_with(|| state.clone());
        if *kept != JobState::Complete {
            *kept = state;
        }
    }
    let mut rows: Vec<RunRow> = runs.into_iter().map(|(key, tally)| row(key, &tally)).collect();
    rows.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    rows
}

fn row((namespace, source, run): Key, tally: &Tally) -> RunRow {
    let count = |wanted: fn(&JobState) -> bool| tally.blocks.values().filter(|s| wanted(s)).count();
    let complete = count(|state| *state == JobState::Complete);
    let (own, upstream) = unmet(tally);
    let done = complete - own;
    let failed = count(|state| matches!(state, JobState::Failed { .. }));
    let gone = Gone::of(tally);
    let done = done + gone.complete;
    let cancelled = tally.cancelled || gone.cancelled > 0;
    let total = tally.total.unwrap_or_default().max(tally.blocks.len());
    let suspended = count(|state| *state == JobState::Suspended);
    let going_on = complete + failed < tally.blocks.len();
    let status = if source == Source::Apply
        && suspended > 0
        && complete + failed + suspended == tally.blocks.len()
    {
        RunStatus::Suspended
    } else if going_on {
        RunStatus::Running
    } else if cancelled {
        RunStatus::Cancelled
    } else if failed + gone.failed > 0 {
        RunStatus::Failed
    } else if source == Source::Server {
        RunStatus::Unknown
    } else if done + own + upstream == total {
        RunStatus::Complete
    } else {
        RunStatus::Stopped
    };
    RunRow {
        namespace,
        run,
        source,
        pipeline: tally.pipeline.clone(),
        status,
        done,
        unmet: own + upstream,
        total: (source != Source::Server).then_some(total),
        started: tally.started,
        ended: tally.ended.filter(|_| !going_on),
        driving: Driving::Unknown,
    }
}

/// Blocks that have no Job any more, by what is noted of them.
#[derive(Default)]
struct Gone {
    complete: usize,
    cancelled: usize,
    failed: usize,
}

impl Gone {
    fn of(tally: &Tally) -> Self {
        let there: BTreeSet<String> = tally.blocks.keys().map(|block| label_value(block)).collect();
        let mut gone = Self::default();
        for (_, end) in tally.noted.iter().filter(|(block, _)| !there.contains(*block)) {
            let count = match end {
                end if end.is_complete() => &mut gone.complete,
                end if end.is_cancelled() => &mut gone.cancelled,
                _ => &mut gone.failed,
            };
            *count += 1;
        }
        gone
    }
}

/// Counts the complete Jobs of blocks whose own conditional said no, and the other blocks that did not
/// run for that reason.
fn unmet(tally: &Tally) -> (usize, usize) {
    let states: BTreeMap<String, &JobState> =
        tally.blocks.iter().map(|(block, state)| (label_value(block), state)).collect();
    let mut counts = (0, 0);
    for (label, unmet) in &tally.unmet {
        match (unmet, states.get(label)) {
            (Unmet::Own, Some(JobState::Complete)) => counts.0 += 1,
            (_, None) => counts.1 += 1,
            // It ran after all.
            (_, Some(_)) => {}
        }
    }
    counts
}

impl Cluster {
    /// Lists this tool's runs in a namespace, or everywhere; `labels` narrows to Jobs and plans that
    /// carry them. Without the right to list plans, those of which no Job is left are missing.
    pub async fn list_runs(
        &self,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> Result<Vec<RunRow>, ClusterError> {
        let ours = format!("{MANAGED_BY}={MANAGER}");
        let selector = labels.map_or(ours.clone(), |labels| format!("{ours},{labels}"));
        let (jobs, plans) = tokio::join!(
            self.list_jobs(namespace, &selector),
            self.list_plans(namespace, &selector)
        );
        Ok(group_runs(&jobs?, &plans.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::{PlanFacts, RunStatus, Unmet, group_runs};
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn job(run: &str, block: &str, at: &str, condition: Option<&str>) -> Job {
        let conditions: Vec<_> =
            condition.iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
        serde_json::from_value(json!({
            "metadata": {
                "name": format!("{run}-{block}"), "namespace": "etl", "creationTimestamp": at,
                "labels": {"app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": run, "kubectl-mage/block": block, "kubectl-mage/pipeline": "p"},
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
        let rows: Vec<String> = group_runs(&jobs, &[])
            .iter()
            .map(|row| {
                let total = row.total.unwrap();
                format!("{} {} {} {}/{total}", row.run, row.pipeline, row.status, row.done)
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

    /// What the plan of run `r1` says.
    fn plan() -> PlanFacts {
        PlanFacts {
            namespace: "etl".to_owned(),
            name: "mage-run-r1".to_owned(),
            run: "r1".to_owned(),
            pipeline: "p".to_owned(),
            blocks: Some(3),
            dropped: Vec::new(),
            unmet: BTreeMap::new(),
            ended: BTreeMap::new(),
            cancelled: None,
            created: None,
            uid: String::new(),
        }
    }

    #[test]
    fn how_blocks_ended_is_known_when_their_jobs_are_gone() {
        let status = |notes: &[(&str, &str)]| {
            let notes =
                notes.iter().map(|&(block, note)| (format!("ended.kubectl-mage/{block}"), note));
            let metadata = json!({
                "name": "mage-run-r1", "uid": "u", "namespace": "etl",
                "labels": {"app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": "r1"},
                "annotations": notes.collect::<BTreeMap<_, _>>(),
            });
            let read = PlanFacts::read(&serde_json::from_value(metadata).unwrap()).unwrap();
            let plan = PlanFacts { ended: read.ended, ..plan() };
            let row = group_runs(&[], &[plan]).remove(0);
            format!("{} {}/3 {}", row.status, row.done, row.ended.is_some())
        };
        let late = "1 CouldNotStart 2026-01-01T00:00:09Z ErrImagePull: not found";
        assert_eq!(status(&[]), "Stopped 0/3 false");
        assert_eq!(status(&[("a", late)]), "Failed 0/3 true");
        assert_eq!(status(&[("a", late), ("b", "1 Cancelled")]), "Cancelled 0/3 true");
        assert_eq!(status(&[("a", "1 Complete"), ("b", "1 Complete")]), "Stopped 2/3 false");
        let all = [("a", "1 Complete"), ("b", "2 Complete"), ("c", "1 Complete")];
        assert_eq!(status(&all), "Complete 3/3 false");
    }

    #[test]
    fn what_conditionals_kept_from_running_is_not_missing() {
        let at = "2026-01-01T00:00:00Z";
        let jobs = [job("r1", "a", at, Some("Complete")), job("r1", "b", at, Some("Complete"))];
        let told = |unmet: &[(&str, Unmet)]| {
            let unmet = unmet.iter().map(|(block, why)| ((*block).to_owned(), *why)).collect();
            let row = group_runs(&jobs, &[PlanFacts { unmet, ..plan() }]).remove(0);
            (row.status, row.done, row.unmet)
        };
        assert_eq!(told(&[]), (RunStatus::Stopped, 2, 0));
        assert_eq!(told(&[("b", Unmet::Own)]), (RunStatus::Stopped, 1, 1));
        let both = [("b", Unmet::Own), ("c", Unmet::Upstream)];
        assert_eq!(told(&both), (RunStatus::Complete, 1, 2));
        assert_eq!(told(&[("a", Unmet::Upstream)]), (RunStatus::Stopped, 2, 0));
    }

    #[test]
    fn a_plan_without_jobs_is_a_run_and_what_the_server_made_is_told_apart() {
        let plan = PlanFacts { cancelled: Some("now".to_owned()), ..plan() };
        let command =
            ["mage", "run", "/p", "etl", "--block-uuid", "load", "--pipeline-run-id", "4"];
        let server = |conditions: serde_json::Value| -> Job {
            serde_json::from_value(json!({
                "metadata": {"name": "mage-data-prep-block-17", "namespace": "etl"},
                "spec": {"template": {"spec": {"containers": [{"name": "c", "command": command}]}}},
                "status": {"conditions": conditions}
            }))
            .unwrap()
        };
        let complete = json!([{"type": "Complete", "status": "True"}]);
        let rows = group_runs(&[server(complete)], &[plan]);
        let rows: Vec<_> = rows.iter().map(|r| (r.run.as_str(), r.status, r.total)).collect();
        assert_eq!(
            rows,
            [("etl@4", RunStatus::Unknown, None), ("r1", RunStatus::Cancelled, Some(3))]
        );
        assert_eq!(group_runs(&[server(json!([]))], &[])[0].status, RunStatus::Running);
    }
}
