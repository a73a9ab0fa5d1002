//! How the blocks of a run stand, by its Jobs and notes alone (pure).

use std::collections::HashMap;

use k8s_openapi::api::batch::v1::Job;

use super::events::BlockState;
use super::notes::{Noted, Notes};
use super::plan::{Plan, PlannedBlock};
use super::run_id::RunId;
use crate::cluster::{ATTEMPT, JobState, job_state};
use crate::diagnose::Cause;

/// How a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has no Job, as far as anything tells.
    Missing,
    /// It has a Job that has not ended.
    Active,
    Complete,
    /// Complete, and its conditional said no.
    ConditionFalse,
    /// Its last attempt failed, or was removed.
    Failed,
}

/// A block of a run that another client began.
#[derive(Clone, Debug)]
pub(super) struct Adopted {
    /// The newest attempt; 1 when there was none yet.
    pub(super) attempt: u32,
    pub(super) standing: Standing,
    /// How it ended, where no Job tells and it did not end well.
    pub(super) end: Option<(BlockState, Option<Cause>)>,
    /// The Job of that attempt, if it is there.
    pub(super) job: Option<Job>,
    /// Whether another attempt follows one that failed.
    pub(super) again: bool,
    /// How many retries it has used up.
    pub(super) retries: u32,
}

/// Finds out how every block stands.
pub(super) fn adopt(plan: &Plan, run: &RunId, jobs: &[Job], notes: &Notes) -> Vec<Adopted> {
    let mut all: Vec<Adopted> =
        plan.blocks.iter().map(|block| by_note(by_jobs(block, run, jobs), block, notes)).collect();
    // What started after a block has ended tells that it was complete.
    for (block, upstream) in plan.graph().iter().enumerate().rev() {
        // What an attempt waited for that a new plan came after, is not known.
        let untold = plan.blocks[block].since.is_some_and(|since| all[block].attempt < since);
        if all[block].standing == Standing::Missing || untold {
            continue;
        }
        for &up in upstream {
            if all[up].standing == Standing::Missing {
                all[up].standing = Standing::Complete;
            }
        }
    }
    all
}

/// Returns the attempt that a Job is at this block, if it is one.
pub(super) fn attempt_of(block: &PlannedBlock, run: &RunId, job: &Job) -> Option<u32> {
    let attempt = job.metadata.labels.as_ref()?.get(ATTEMPT)?.parse().ok()?;
    let named = job.metadata.name.as_deref() == Some(&*block.job_name_of(attempt))
        && job.metadata.namespace.as_deref() == Some(&*block.namespace);
    (named && block.identity(run, attempt).matches(job)).then_some(attempt)
}

fn by_jobs(block: &PlannedBlock, run: &RunId, jobs: &[Job]) -> Adopted {
    let own = jobs.iter().filter_map(|job| Some((attempt_of(block, run, job)?, job)));
    let Some((attempt, job)) = own.max_by_key(|(attempt, _)| *attempt) else {
        return Adopted {
            attempt: 1,
            standing: Standing::Missing,
            end: None,
            job: None,
            again: false,
            retries: 0,
        };
    };
    let standing = match job_state(job) {
        JobState::Complete => Standing::Complete,
        JobState::Failed { .. } => Standing::Failed,
        // Somebody deletes it: it will not end by itself.
        _ if job.metadata.deletion_timestamp.is_some() => Standing::Failed,
        _ => Standing::Active,
    };
    Adopted { attempt, standing, end: None, job: Some(job.clone()), again: false, retries: 0 }
}

fn by_note(adopted: Adopted, block: &PlannedBlock, notes: &Notes) -> Adopted {
    let Some(note) = notes.get(&block.uuid) else { return adopted };
    if adopted.job.is_some() && note.attempt <= adopted.attempt {
        let said_no = note.what == Noted::ConditionFalse
            && note.attempt == adopted.attempt
            && adopted.standing == Standing::Complete;
        let standing = if said_no { Standing::ConditionFalse } else { adopted.standing };
        return Adopted { standing, ..adopted };
    }
    let standing = match note.what {
        Noted::Begun | Noted::Wanted | Noted::Skipped => Standing::Missing,
        Noted::Complete => Standing::Complete,
        Noted::ConditionFalse => Standing::ConditionFalse,
        Noted::Over(_) => Standing::Failed,
    };
    let end = match note.what {
        Noted::Over(state) => Some((state, notes.cause(&block.uuid))),
        _ => None,
    };
    Adopted { attempt: note.attempt, standing, end, job: None, again: false, retries: 0 }
}

/// What events tell of Jobs that are gone, by the Jobs' names.
pub(super) type Reasons = HashMap<String, Vec<String>>;

/// What else is known of the past of a run.
pub(super) struct Evidence<'a> {
    /// None when events cannot be read.
    pub(super) reasons: Option<&'a Reasons>,
    /// Whether the run is so young that no event of it is forgotten.
    pub(super) young: bool,
    /// Whether a Job that deletes itself was noted before; where there is no plan, none was.
    pub(super) noted: bool,
}

/// Judges the blocks that are about to start: whether their Jobs were there before. Returns those
/// of which that cannot be known.
pub(super) fn judge(
    plan: &Plan,
    all: &mut [Adopted],
    notes: &Notes,
    evidence: &Evidence<'_>,
) -> Vec<usize> {
    let mut unknown = Vec::new();
    for (block, upstream) in plan.graph().iter().enumerate() {
        let ready = upstream.iter().all(|&up| all[up].standing == Standing::Complete);
        if !ready || all[block].standing != Standing::Missing {
            continue;
        }
        let planned = &plan.blocks[block];
        let name = planned.job_name_of(all[block].attempt);
        let reasons = evidence.reasons.and_then(|reasons| reasons.get(&name));
        let told = |wanted: &[&str]| {
            reasons.is_some_and(|all| all.iter().any(|reason| wanted.contains(&reason.as_str())))
        };
        let begun = notes.get(&planned.uuid).is_some_and(|note| note.what == Noted::Begun)
            || (!evidence.noted && planned.deletes_itself());
        if told(&["Completed"]) && planned.conditional {
            // Whether its conditional said no, no event tells.
            unknown.push(block);
        } else if told(&["Completed"]) {
            all[block].standing = Standing::Complete;
        } else if told(&["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"]) {
            all[block].standing = Standing::Failed;
        } else if reasons.is_some() || (begun && !(evidence.young && evidence.reasons.is_some())) {
            unknown.push(block);
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Reasons, Standing, adopt, judge};
    use crate::run::notes::{Note, Noted, Notes, annotations};
    use crate::run::{BlockState, Plan, PlannedBlock, RunId, prepare};
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::{Value, json};

    /// load -> clean -> export.
    fn chain() -> (Plan, RunId) {
        let block = |uuid: &str, upstream: &[&str]| PlannedBlock {
            uuid: uuid.to_owned(),
            block_type: "transformer".to_owned(),
            upstream: upstream.iter().map(|up| (*up).to_owned()).collect(),
            namespace: "n".to_owned(),
            job: json!({"metadata": {"name": format!("j-{uuid}"), "namespace": "n"}, "spec": {"template": {}}}),
            ..PlannedBlock::default()
        };
        let mut plan = Plan {
            pipeline: "p".to_owned(),
            blocks: vec![
                block("load", &[]),
                block("clean", &["load"]),
                block("export", &["clean"]),
            ],
            edition: "pro".to_owned(),
            revision: None,
            user: None,
            flags: Vec::new(),
        };
        let run = RunId::new("p", 1);
        prepare(&mut plan, &run);
        (plan, run)
    }

    fn job(plan: &Plan, block: usize, attempt: u32, condition: Option<&str>) -> Job {
        let mut job = plan.blocks[block].job_of(attempt);
        let conditions: Vec<Value> =
            condition.iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
        job["status"] = json!({"conditions": conditions});
        serde_json::from_value(job).unwrap()
    }

    fn notes(all: &[(&str, Note)]) -> Notes {
        let annotations = annotations(all.iter().copied());
        let map = json!({"metadata": {"annotations": annotations}});
        Notes::of(&serde_json::from_value(map).unwrap())
    }

    fn standings(plan: &Plan, run: &RunId, jobs: &[Job], noted: &Notes) -> Vec<(u32, Standing)> {
        adopt(plan, run, jobs, noted).iter().map(|a| (a.attempt, a.standing)).collect()
    }

    #[test]
    fn the_newest_attempt_counts_and_what_came_after_tells_of_what_is_gone() {
        let (plan, run) = chain();
        let none = Notes::default();
        let jobs = [job(&plan, 1, 1, Some("Failed")), job(&plan, 1, 2, None)];
        assert_eq!(
            standings(&plan, &run, &jobs, &none),
            [(1, Standing::Complete), (2, Standing::Active), (1, Standing::Missing)]
        );
        // Another run's Job of the same name is not ours.
        let other = RunId::new("p", 2);
        assert!(
            standings(&plan, &other, &jobs, &none).iter().all(|(_, s)| *s == Standing::Missing)
        );
    }

    #[test]
    fn notes_tell_what_jobs_cannot() {
        let (plan, run) = chain();
        let note = |attempt, what| Note { attempt, what };
        let noted = notes(&[
            ("load", note(1, Noted::ConditionFalse)),
            ("clean", note(2, Noted::end(BlockState::Cancelled))),
        ]);
        let jobs = [job(&plan, 0, 1, Some("Complete")), job(&plan, 1, 1, Some("Failed"))];
        assert_eq!(
            standings(&plan, &run, &jobs, &noted)[..2],
            [(1, Standing::ConditionFalse), (2, Standing::Failed)]
        );
        let noted = notes(&[("load", note(1, Noted::Complete))]);
        assert_eq!(standings(&plan, &run, &[], &noted)[0], (1, Standing::Complete));
    }

    #[test]
    fn what_was_there_before_is_never_started_as_if_it_were_new() {
        let (plan, run) = chain();
        let begun = notes(&[("load", Note { attempt: 1, what: Noted::Begun })]);
        let reasons = |all: &[&str]| -> Reasons {
            all.iter().map(|reason| ("j-load".to_owned(), vec![(*reason).to_owned()])).collect()
        };
        let judged = |noted: &Notes, reasons: Option<Reasons>, young| {
            let mut all = adopt(&plan, &run, &[], noted);
            let evidence = Evidence { reasons: reasons.as_ref(), young, noted: true };
            let unknown = judge(&plan, &mut all, noted, &evidence);
            (all[0].standing, unknown)
        };
        let none = Notes::default();
        let start = (Standing::Missing, vec![]);
        let unknown = (Standing::Missing, vec![0]);
        assert_eq!(judged(&none, Some(reasons(&[])), true), start);
        assert_eq!(judged(&none, None, false), start);
        assert_eq!(
            judged(&none, Some(reasons(&["Completed"])), true),
            (Standing::Complete, vec![])
        );
        assert_eq!(
            judged(&none, Some(reasons(&["BackoffLimitExceeded"])), true),
            (Standing::Failed, vec![])
        );
        assert_eq!(judged(&none, Some(reasons(&["SuccessfulCreate"])), true), unknown);
        // Noted, but its POST never came: events would tell if it had.
        assert_eq!(judged(&begun, Some(reasons(&[])), true), start);
        assert_eq!(judged(&begun, Some(reasons(&[])), false), unknown);
        assert_eq!(judged(&begun, None, true), unknown);
    }

    #[test]
    fn where_nothing_is_noted_a_job_that_deletes_itself_may_have_been_there() {
        let (mut plan, run) = chain();
        let judged = |plan: &Plan, young| {
            let mut all = adopt(plan, &run, &[], &Notes::default());
            let none = Reasons::new();
            let evidence = Evidence { reasons: Some(&none), young, noted: false };
            judge(plan, &mut all, &Notes::default(), &evidence)
        };
        assert!(judged(&plan, false).is_empty());
        plan.blocks[0].job["spec"]["ttlSecondsAfterFinished"] = 5.into();
        assert!(judged(&plan, true).is_empty());
        assert_eq!(judged(&plan, false), [0]);
    }
}
