//! Why a run or a Job stands as it does, on one screen (pure).

use std::fmt::Write;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::duration::duration;
use super::plural;
use super::runs_table::{run_json, unmet_words};
use super::status_table::block_json;
use crate::cluster::{RunRow, RunStatus, Source};
use crate::diagnose::{Cause, Standing};
use crate::status::{Explanation, Told};

/// How many of the last lines are shown.
const LINES: usize = 12;
/// How many of them programs get.
const JSON_LINES: usize = 50;

/// Renders the explanation; ages are seen from `now`.
#[must_use]
pub fn why_text(why: &Explanation, now: Timestamp) -> String {
    let mut text = String::new();
    if let Some(row) = &why.row {
        let _ = writeln!(text, "{}", run_line(row));
    }
    match why.blocks.split_first() {
        Some((first, others)) => {
            detail(&mut text, first, &why.namespace, now);
            for other in others {
                brief(&mut text, other, &why.namespace);
            }
        }
        None => {
            let _ = writeln!(text, "{}", none_to_tell_of(why.row.as_ref()));
        }
    }
    for unknown in &why.unknown {
        let _ = writeln!(text, "not known: {unknown}");
    }
    text
}

fn run_line(row: &RunRow) -> String {
    let whose = match row.source {
        Source::Run => "run",
        Source::Apply => "Jobs of",
        Source::Server => "pipeline run",
    };
    let blocks = match row.total {
        Some(total) => format!("{} of {} complete", row.done, plural(total, "block")),
        None => format!("{} of the blocks whose Jobs are there complete", row.done),
    };
    format!(
        "{whose} {} in namespace {}: pipeline {}, {}, {blocks}{}",
        row.run,
        row.namespace,
        row.pipeline,
        row.status,
        unmet_words(row)
    )
}

/// Says why a run stands as it does although no block is in trouble.
fn none_to_tell_of(row: Option<&RunRow>) -> String {
    let Some(row) = row else { return "nothing is wrong with it".to_owned() };
    let again = format!("kubectl mage resume {} -n {}", row.run, row.namespace);
    match row.status {
        RunStatus::Cancelled => {
            format!("cause: somebody cancelled it\nhint: go on with it: {again}")
        }
        RunStatus::Stopped => format!(
            "cause: it was paused, or whoever drove it is gone: blocks have no Job yet, and nothing runs\nhint: go on with it: {again}"
        ),
        _ => "nothing is wrong with any of its blocks".to_owned(),
    }
}

fn name(told: &Told) -> String {
    match (told.view.block.as_str(), &told.view.job) {
        ("", Some(job)) => format!("job.batch/{job}"),
        (block, _) => format!("block {block}"),
    }
}

fn detail(text: &mut String, told: &Told, namespace: &str, now: Timestamp) {
    let view = &told.view;
    let mut head = format!("{} {}", name(told), view.state);
    if let Some(job) = &view.job {
        let _ = write!(head, ": job.batch/{job} in namespace {namespace}");
    }
    if let Some(pod) = &view.pod {
        let _ = write!(head, ", pod/{pod}");
    }
    if view.attempt > 1 {
        let _ = write!(head, ", attempt {}", view.attempt);
    }
    if let Some(took) = view.duration(now).filter(|_| told.story.standing != Standing::Gone) {
        let _ = write!(head, ", {}", duration(took));
    }
    let _ = writeln!(text, "{head}");
    match &told.story.cause {
        Some(cause) => of_cause(text, cause),
        None => {
            let _ = writeln!(text, "cause: {}", well(told.story.standing));
        }
    }
    for (pod, cause) in &told.story.earlier {
        let _ = writeln!(text, "earlier: pod/{pod} {}", cause.sentence);
    }
    for fact in &told.evidence {
        let age = fact.at.map(|at| format!(" ({} ago)", duration(now.duration_since(at))));
        let _ =
            writeln!(text, "  {} {}{}", fact.kind, one_line(&fact.text), age.unwrap_or_default());
    }
    let cut = told.lines.len().saturating_sub(LINES);
    for line in &told.lines[cut..] {
        let _ = writeln!(text, "  | {line}");
    }
    for unknown in &told.story.unknown {
        let _ = writeln!(text, "not known: {unknown}");
    }
}

fn of_cause(text: &mut String, cause: &Cause) {
    let reason = match cause.reason.as_str() {
        // The sentence says more than these words.
        "Error" | "Failed" => String::new(),
        reason => format!(" ({reason})"),
    };
    let _ = writeln!(text, "cause: {}{reason}", one_line(&cause.sentence));
    if let Some(hint) = &cause.hint {
        let _ = writeln!(text, "hint: {hint}");
    }
}

/// Says that nothing is wrong.
fn well(standing: Standing) -> &'static str {
    match standing {
        Standing::Complete => "none, it is complete",
        Standing::NoPod => "none known, it has no pod yet",
        Standing::Pending => "none known, its pod has not started yet",
        Standing::Deleting => "none, somebody deletes it",
        Standing::Running | Standing::Suspended | Standing::Failed | Standing::Gone => {
            "none, it runs"
        }
    }
}

fn brief(text: &mut String, told: &Told, namespace: &str) {
    let cause = told.story.cause.as_ref();
    let cause = cause.map(|cause| format!(": {}", one_line(&cause.sentence))).unwrap_or_default();
    let _ = writeln!(text, "also: {} {}{cause}", name(told), told.view.state);
    if let Some(job) = &told.view.job {
        let _ = writeln!(text, "  kubectl mage why job/{job} -n {namespace}");
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Renders the explanation for programs.
#[must_use]
pub fn why_json(why: &Explanation) -> Value {
    json!({
        "namespace": why.namespace,
        "run": why.row.as_ref().map(run_json),
        "blocks": why.blocks.iter().map(told_json).collect::<Vec<_>>(),
        "unknown": why.unknown,
    })
}

fn told_json(told: &Told) -> Value {
    let mut json = block_json(&told.view);
    let cause = |cause: &Cause| {
        json!({
            "reason": cause.reason,
            "sentence": cause.sentence,
            "exitCode": cause.exit_code,
            "remedy": cause.hint,
        })
    };
    json["cause"] = told.story.cause.as_ref().map_or(Value::Null, cause);
    let earlier =
        told.story.earlier.iter().map(|(pod, why)| json!({"pod": pod, "cause": cause(why)}));
    json["earlier"] = earlier.collect();
    let facts = told.evidence.iter().map(|fact| {
        json!({"kind": fact.kind, "text": fact.text, "time": fact.at.map(|at| at.to_string())})
    });
    json["evidence"] = facts.collect();
    json["lastLines"] = json!(&told.lines[told.lines.len().saturating_sub(JSON_LINES)..]);
    json["unknown"] = json!(told.story.unknown);
    json
}
