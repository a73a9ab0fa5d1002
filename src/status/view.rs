//! A run as a table of its blocks.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::blocks::Block;
use crate::cluster::{
    Driving, NotedEnd, RunRow, RunStatus, Source, Unmet, container_status, ended_at, label_value,
    main_container,
};
use crate::diagnose::{Facts, Standing, Story, seen_at, standing, story};

const CONDITION_FALSE: &str = "ConditionFalse";

/// One block in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockView {
    /// The block run's uuid.
    pub block: String,
    /// How its Job stands, or `ConditionFalse`; without one `Waiting`, `Skipped` or `NotStarted`.
    pub state: String,
    /// Which attempt it is: of the run, or of the Job at a pod.
    pub attempt: usize,
    /// When its Job was created.
    pub started: Option<Timestamp>,
    /// When its Job ended.
    pub ended: Option<Timestamp>,
    /// Its Job's name.
    pub job: Option<String>,
    /// Its last pod.
    pub pod: Option<String>,
    /// Where that ran.
    pub node: Option<String>,
    /// The exit code of its container, if that has ended.
    pub exit_code: Option<i32>,
    /// One word and one sentence why it is not complete.
    pub reason: Option<(String, String)>,
}

impl BlockView {
    /// Returns how long it took, or has taken until `now`.
    #[must_use]
    pub fn duration(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(self.ended.unwrap_or(now).duration_since(self.started?))
    }
}

/// A run and its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    /// What the list of runs says of it.
    pub row: RunRow,
    /// Its blocks, in the order of the plan where that is known.
    pub blocks: Vec<BlockView>,
}

/// A block of the plan: uuid, and the uuids it waits for.
pub type Planned = (String, Vec<String>);

/// Makes the table; `events` explain Jobs without a pod, `plan` names the blocks that have no Job,
/// `unmet` those that conditionals kept from running, `noted` how those ended whose Jobs are gone, by
/// their labels.
#[must_use]
pub fn run_view(
    row: RunRow,
    found: &[Block<'_>],
    events: &[Event],
    plan: &[Planned],
    unmet: &BTreeMap<String, Unmet>,
    noted: &BTreeMap<String, NotedEnd>,
) -> RunView {
    // A pod that has not gone yet does not tell how its block ended.
    let there = |block: &&Block<'_>| !is_noted(block, noted);
    let found: Vec<&Block<'_>> = found.iter().filter(there).collect();
    let mut views: Vec<BlockView> =
        found.iter().map(|block| block_view(block, &tell(block, events, &[]))).collect();
    for view in &mut views {
        let said_no = unmet.get(&label_value(&view.block)) == Some(&Unmet::Own);
        if said_no && view.state == Standing::Complete.as_str() {
            CONDITION_FALSE.clone_into(&mut view.state);
            let sentence = "its conditional said no: it did not run".to_owned();
            view.reason = Some((CONDITION_FALSE.to_owned(), sentence));
        }
    }
    for (uuid, _) in plan.iter().filter(|(uuid, _)| found.iter().all(|block| block.uuid != *uuid)) {
        views.extend(noted.get(&label_value(uuid)).map(|end| of_note(uuid, end)));
    }
    let position = |uuid: &str| plan.iter().position(|(planned, _)| planned == uuid);
    views.sort_by_key(|view| position(&view.block).unwrap_or(plan.len()));
    let mut blocks = Vec::with_capacity(plan.len().max(views.len()));
    let in_state = |state: &str| -> Vec<&str> {
        let found = views.iter().filter(|view| view.state == state);
        found.map(|view| view.block.as_str()).collect()
    };
    let mut failed = in_state(Standing::Failed.as_str());
    let is_noted = |view: &&BlockView| {
        view.job.is_none() && noted.get(&label_value(&view.block)).is_some_and(NotedEnd::is_failure)
    };
    failed.extend(views.iter().filter(is_noted).map(|view| view.block.as_str()));
    let said_no = in_state(CONDITION_FALSE);
    for (uuid, _) in plan {
        let view = views.iter().find(|view| &view.block == uuid).cloned();
        blocks.push(view.unwrap_or_else(|| {
            without_job(uuid, &row, after(uuid, plan, &failed), after(uuid, plan, &said_no))
        }));
    }
    blocks.extend(views.iter().filter(|view| position(&view.block).is_none()).cloned());
    RunView { row, blocks }
}

/// Makes the row of a run of which only the pods could be read.
#[must_use]
pub fn row_of_blocks(namespace: &str, run: &str, source: Source, found: &[Block<'_>]) -> RunRow {
    let all: Vec<Standing> = found.iter().map(|block| standing(block.job, &block.pods)).collect();
    let status = if all.iter().any(|state| !state.is_over()) {
        RunStatus::Running
    } else if all.contains(&Standing::Failed) {
        RunStatus::Failed
    } else {
        RunStatus::Unknown
    };
    let made = found.iter().flat_map(|block| &block.pods);
    let started =
        made.filter_map(|pod| pod.metadata.creation_timestamp.as_ref()).map(|at| at.0).min();
    RunRow {
        namespace: namespace.to_owned(),
        run: run.to_owned(),
        source,
        pipeline: found.first().map(|block| block.pipeline.clone()).unwrap_or_default(),
        status,
        done: all.iter().filter(|state| **state == Standing::Complete).count(),
        unmet: 0,
        total: None,
        started,
        ended: None,
        driving: Driving::Unknown,
    }
}

/// Returns the first of `failed` that a block waits for, directly or not. The plan is in topological
/// order, so that every step goes back.
fn after<'a>(uuid: &str, plan: &[Planned], failed: &[&'a str]) -> Option<&'a str> {
    let index = plan.iter().position(|(planned, _)| planned == uuid)?;
    plan[index].1.iter().find_map(|upstream| {
        let failed_here = failed.iter().find(|name| *name == upstream).copied();
        failed_here.or_else(|| after(upstream, &plan[..index], failed))
    })
}

fn without_job(uuid: &str, row: &RunRow, failed: Option<&str>, said_no: Option<&str>) -> BlockView {
    let reason = |reason: &str, sentence| Some((reason.to_owned(), sentence));
    let (state, reason) = match (failed, said_no, row.status) {
        (Some(failed), ..) => {
            ("Skipped", reason("UpstreamFailed", format!("needs {failed}, which failed")))
        }
        (None, Some(up), _) => {
            ("Skipped", reason(CONDITION_FALSE, format!("the condition of {up} said no")))
        }
        (None, None, RunStatus::Running) => ("Waiting", None),
        (None, None, _) => ("NotStarted", None),
    };
    BlockView {
        block: uuid.to_owned(),
        state: state.to_owned(),
        attempt: 0,
        started: None,
        ended: None,
        job: None,
        pod: None,
        node: None,
        exit_code: None,
        reason,
    }
}

/// Tells whether a block has no Job any more, and its end is noted.
pub(crate) fn is_noted(block: &Block<'_>, noted: &BTreeMap<String, NotedEnd>) -> bool {
    block.job.is_none() && noted.contains_key(&label_value(&block.uuid))
}

/// Makes the row of a block that had a Job, by what is noted of its end.
#[must_use]
pub fn of_note(uuid: &str, end: &NotedEnd) -> BlockView {
    BlockView {
        block: uuid.to_owned(),
        state: end.state.clone(),
        attempt: usize::try_from(end.attempt).unwrap_or(1),
        started: None,
        ended: end.at,
        job: None,
        pod: None,
        node: None,
        exit_code: None,
        reason: end.why.clone(),
    }
}

/// Makes the row of a block that has a Job, or had one.
#[must_use]
pub fn block_view(block: &Block<'_>, told: &Story) -> BlockView {
    let last = block.last_pod();
    let created =
        block.job.map(|job| &job.metadata).or(block.pods.first().map(|pod| &pod.metadata));
    let attempts = block.pod_count.max(1).max(usize::try_from(block.attempt).unwrap_or(1));
    BlockView {
        block: block.uuid.clone(),
        state: told.standing.as_str().to_owned(),
        attempt: attempts,
        started: created.and_then(|made| made.creation_timestamp.as_ref()).map(|time| time.0),
        ended: block.job.and_then(ended_at),
        job: block.job_name().map(str::to_owned),
        pod: last.and_then(|pod| pod.metadata.name.clone()),
        node: last.and_then(|pod| pod.spec.as_ref()?.node_name.clone()),
        exit_code: last.and_then(exit_code),
        reason: told.cause.as_ref().map(|cause| (cause.reason.clone(), cause.sentence.clone())),
    }
}

/// Tells the story of a block by what was read of it.
pub(crate) fn tell(block: &Block<'_>, events: &[Event], lines: &[String]) -> Story {
    story(&Facts { job: block.job, pods: block.pods.clone(), events: of(block, events), lines })
}

/// Returns the events about a block's Job and pods, the oldest first.
pub(crate) fn of<'a>(block: &Block<'_>, events: &'a [Event]) -> Vec<&'a Event> {
    let job_uid = block.job.and_then(|job| job.metadata.uid.as_deref());
    let name = block.job_name();
    let mut own: Vec<&Event> = events
        .iter()
        .filter(|event| {
            let object = &event.involved_object;
            let kind = object.kind.as_deref().unwrap_or_default();
            match (kind, object.name.as_deref(), name) {
                ("Job", Some(about), Some(name)) => {
                    about == name && (job_uid.is_none() || object.uid.as_deref() == job_uid)
                }
                // The Job controller names pods by the Job, a dash and five letters.
                ("Pod", Some(about), Some(name)) => about
                    .strip_prefix(name)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|rest| rest.len() == 5 && !rest.contains('-')),
                _ => false,
            }
        })
        .collect();
    own.sort_by_key(|event| seen_at(event));
    own
}

fn exit_code(pod: &Pod) -> Option<i32> {
    let main = main_container(pod)?;
    Some(container_status(pod, &main)?.state.as_ref()?.terminated.as_ref()?.exit_code)
}

#[cfg(test)]
mod tests {
    use super::{Planned, run_view};
    use crate::cluster::{Unmet, group_runs};
    use crate::status::blocks;
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn metadata(name: &str, block: &str, attempt: u32, at: &str) -> Value {
        json!({"name": name, "namespace": "etl", "uid": format!("uid-{name}"), "creationTimestamp": at,
            "labels": {"app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": "r",
                "kubectl-mage/block": block, "kubectl-mage/attempt": attempt.to_string()}})
    }

    fn job(name: &str, block: &str, attempt: u32, at: &str, condition: &str) -> Job {
        serde_json::from_value(json!({
            "metadata": metadata(name, block, attempt, at),
            "spec": {"template": {}},
            "status": {"conditions": [{"type": condition, "status": "True"}]}
        }))
        .unwrap()
    }

    #[test]
    fn a_row_a_block_by_its_newest_attempt_and_the_plans_order() {
        let jobs = [
            job("j2", "b", 2, "2026-01-01T00:00:20Z", "Complete"),
            job("j1", "b", 1, "2026-01-01T00:00:10Z", "Failed"),
            job("ja", "a", 1, "2026-01-01T00:00:00Z", "Failed"),
        ];
        let mut pod = metadata("j2-abcde", "b", 2, "2026-01-01T00:00:21Z");
        pod["ownerReferences"] =
            json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "j2", "uid": "uid-j2"}]);
        let pod: Pod =
            serde_json::from_value(json!({"metadata": pod, "status": {"phase": "Succeeded"}}))
                .unwrap();
        let planned = |uuid: &str, up: &[&str]| -> Planned {
            (uuid.to_owned(), up.iter().map(|up| (*up).to_owned()).collect())
        };
        let plan = [
            planned("a", &[]),
            planned("b", &[]),
            planned("c", &["a"]),
            planned("d", &["c"]),
            planned("e", &["b"]),
            planned("f", &[]),
        ];
        let pods = [pod];
        let row = group_runs(&jobs, &[]).remove(0);
        let unmet = [("b".to_owned(), Unmet::Own)].into();
        let noted = [].into();
        let view = run_view(row, &blocks(&jobs, &pods), &[], &plan, &unmet, &noted);
        let rows: Vec<String> = view
            .blocks
            .iter()
            .map(|b| {
                format!("{} {} {} {}", b.block, b.state, b.attempt, b.pod.as_deref().unwrap_or("-"))
            })
            .collect();
        assert_eq!(
            rows,
            [
                "a Failed 1 -",
                "b ConditionFalse 2 j2-abcde",
                "c Skipped 0 -",
                "d Skipped 0 -",
                "e Skipped 0 -",
                "f NotStarted 0 -"
            ]
        );
    }
}
