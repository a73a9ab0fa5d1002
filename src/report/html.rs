//! A run as one page for a browser that asks nothing of any network and runs no script.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

use super::layout::{Axis, Bar, Branch, Row, tree};
use super::told::{
    earlier_failures, ended, harmless, last_lines, notes, one_line, ran, sentence, started, waited,
};
use crate::diagnose::Cause;
use crate::run::{AttemptReport, BlockReport, BlockState, Outcome, Plan};
use crate::ui::{duration, words};

const PAGE: &str = include_str!("page.html");

/// Writes the page. The template escapes every text by itself, because its name ends in `.html`.
pub(super) fn html(plan: &Plan, outcome: &Outcome) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template("page.html", PAGE).expect("the template is a constant");
    let page = environment.get_template("page.html").expect("it was added");
    page.render(Serde(all_harmless(page_values(plan, outcome))))
        .expect("the template names nothing that is not given")
}

/// Makes every text in a value harmless.
fn all_harmless(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(harmless(&text)),
        Value::Array(items) => items.into_iter().map(all_harmless).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, all_harmless(member))).collect()
        }
        other => other,
    }
}

fn page_values(plan: &Plan, outcome: &Outcome) -> Value {
    let branches: Vec<Value> =
        tree(plan).iter().map(|branch| branch_values(branch, &outcome.blocks)).collect();
    let axis = Axis::of(outcome);
    let rows: Vec<Value> =
        axis.iter().flat_map(|axis| axis.rows(outcome)).map(|row| row_values(&row)).collect();
    let ticks: Vec<Value> = axis
        .iter()
        .flat_map(Axis::ticks)
        .map(|(place, time)| json!({"place": percent(place), "text": short(time)}))
        .collect();
    let with_words: Vec<Value> = outcome
        .blocks
        .iter()
        .filter(|block| block.cause.is_some() || !block.history.is_empty())
        .map(words_values)
        .collect();
    json!({
        "tool": concat!("kubectl-mage ", env!("CARGO_PKG_VERSION")),
        "pipeline": one_line(&plan.pipeline),
        "run": outcome.run,
        "namespace": outcome.plan_namespace,
        "state": outcome.state.as_str(),
        "exit_code": outcome.exit.code(),
        "sentence": sentence(outcome),
        "revision": plan.revision.as_deref().map(one_line),
        "user": plan.user.as_deref().map(one_line),
        "started": time(started(outcome)),
        "ended": time(ended(outcome)),
        "remaining": outcome.remaining,
        "branches": branches,
        "rows": rows,
        "ticks": ticks,
        "blocks": with_words,
    })
}

fn branch_values(branch: &Branch, blocks: &[BlockReport]) -> Value {
    let block = &blocks[branch.block];
    let last = block.history.last();
    json!({
        "lead": branch.lead,
        "name": one_line(&block.uuid),
        "type": one_line(&block.block_type),
        "state": words(block.state),
        "class": class(block.state),
        "attempts": block.attempts,
        "waited": last.and_then(waited).map(duration),
        "ran": last.and_then(ran).map(duration),
        "also_after": branch.also_after.iter().map(|name| one_line(name)).collect::<Vec<_>>(),
    })
}

fn row_values(row: &Row<'_>) -> Value {
    let Row { block, attempt, waiting, running, goes_on } = row;
    json!({
        "name": one_line(&block.uuid),
        "attempt": attempt.number,
        "waiting": waiting.as_ref().map(bar),
        "running": running.as_ref().map(bar),
        "class": if attempt.cause.is_some() { "bad" } else { class(block.state) },
        "words": attempt_words(attempt, *goes_on),
    })
}

fn attempt_words(attempt: &AttemptReport, goes_on: bool) -> String {
    let mut parts = Vec::new();
    parts.extend(waited(attempt).map(|time| format!("waited {}", duration(time))));
    parts.extend(ran(attempt).map(|time| format!("ran {}", duration(time))));
    if attempt.started.is_none() {
        parts.push("did not start".to_owned());
    }
    if goes_on {
        parts.push("goes on".to_owned());
    }
    parts.join(", ")
}

fn words_values(block: &BlockReport) -> Value {
    let attempts: Vec<Value> = earlier_failures(block)
        .map(|attempt| {
            json!({
                "number": attempt.number,
                "cause": cause(attempt.cause.as_ref()),
                "pod": attempt.pod,
                "lines": last_lines(&attempt.tail),
            })
        })
        .collect();
    json!({
        "name": one_line(&block.uuid),
        "state": words(block.state),
        "class": class(block.state),
        "namespace": block.namespace,
        "job": block.started.map(|_| &block.job),
        "pod": block.pod,
        "node": block.history.last().and_then(|attempt| attempt.node.as_ref()),
        "cause": cause(block.cause.as_ref()),
        "lines": last_lines(&block.tail),
        "notes": notes(block).collect::<Vec<_>>(),
        "earlier": attempts,
        "is_open": block.state.went_wrong(),
    })
}

fn cause(cause: Option<&Cause>) -> Option<Value> {
    cause.map(|cause| {
        json!({
            "reason": one_line(&cause.reason),
            "sentence": cause.sentence,
            "exit_code": cause.exit_code,
            "hint": cause.hint,
        })
    })
}

/// Returns how a state is painted; its words stand beside the colour.
fn class(state: BlockState) -> &'static str {
    match state {
        BlockState::Complete => "good",
        state if state.went_wrong() => "bad",
        BlockState::Skipped | BlockState::NotStarted | BlockState::ConditionFalse => "idle",
        _ => "open",
    }
}

fn bar(bar: &Bar) -> Value {
    json!({"left": percent(bar.left), "width": percent(bar.width)})
}

fn percent(share: f64) -> String {
    format!("{share:.3}%")
}

/// Spells a time on the axis; of a short run with a fraction.
fn short(time: SignedDuration) -> String {
    if time.as_secs() < 10 && time.subsec_millis() != 0 {
        return format!("{:.1}s", time.as_secs_f64());
    }
    duration(time)
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}
