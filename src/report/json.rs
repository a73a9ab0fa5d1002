//! A run as JSON, with all that is known.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::told::{block_ended, ended, sentence, started};
use crate::diagnose::Cause;
use crate::run::{AttemptReport, BlockReport, Outcome, Plan, PlannedBlock};
use crate::ui::manifest;

/// Writes the report. Texts are as they came; JSON has its own escapes.
pub(super) fn json_text(plan: &Plan, outcome: &Outcome) -> String {
    manifest::json(&value(plan, outcome))
}

fn value(plan: &Plan, outcome: &Outcome) -> Value {
    let both = outcome.blocks.iter().zip(&plan.blocks);
    let blocks: Vec<Value> = both.map(|(report, planned)| block(report, planned)).collect();
    let (started, ended) = (started(outcome), ended(outcome));
    json!({
        "tool": concat!("kubectl-mage ", env!("CARGO_PKG_VERSION")),
        "run": outcome.run,
        "pipeline": plan.pipeline,
        "namespace": outcome.plan_namespace,
        "edition": plan.edition,
        "revision": plan.revision,
        "user": plan.user,
        "state": outcome.state.as_str(),
        "exitCode": outcome.exit.code(),
        "message": sentence(outcome),
        "started": time(started),
        "ended": time(ended),
        "durationSeconds": seconds(ended.zip(started).map(|(end, start)| end.duration_since(start))),
        "remaining": outcome.remaining,
        "blocks": blocks,
    })
}

fn block(report: &BlockReport, planned: &PlannedBlock) -> Value {
    let attempts: Vec<Value> = report.history.iter().map(attempt).collect();
    json!({
        "block": report.uuid,
        "type": report.block_type,
        "upstream": planned.upstream,
        "state": report.state.as_str(),
        "namespace": report.namespace,
        "job": report.started.map(|_| &report.job),
        "started": time(report.started),
        "ended": time(block_ended(report)),
        "durationSeconds": seconds(report.duration),
        "cause": report.cause.as_ref().map(cause),
        "exitCode": report.cause.as_ref().and_then(|cause| cause.exit_code),
        "lastLines": report.tail,
        "attempts": attempts,
    })
}

fn attempt(attempt: &AttemptReport) -> Value {
    json!({
        "attempt": attempt.number,
        "job": attempt.job,
        "pod": attempt.pod,
        "node": attempt.node,
        "created": time(attempt.created),
        "started": time(attempt.started),
        "ended": time(attempt.ended),
        "exitCode": attempt.exit_code,
        "cause": attempt.cause.as_ref().map(cause),
        "lastLines": attempt.tail,
        "notes": attempt.notes,
    })
}

fn cause(cause: &Cause) -> Value {
    json!({
        "reason": cause.reason,
        "message": cause.sentence,
        "exitCode": cause.exit_code,
        "hint": cause.hint,
    })
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn seconds(duration: Option<SignedDuration>) -> Option<f64> {
    duration.map(|duration| duration.as_secs_f64())
}
