//! `executor_type`: who was asked which executor runs a block, and who decided.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::json::source_json;
use super::query::EXECUTOR_TYPE;
use super::why::one_line;
use crate::config::LayerKind;
use crate::project::{ExecutorChoice, ExecutorStep};

/// Returns the chain, in the order in which Mage asks.
#[must_use]
pub fn executor_text(choice: &ExecutorChoice) -> String {
    let mut text = format!("{EXECUTOR_TYPE} = {}\n", choice.executor);
    let makes = if choice.is_k8s() {
        "Mage makes a Kubernetes Job of it"
    } else {
        "Mage itself makes no Kubernetes Job of it"
    };
    let _ = writeln!(text, "  {makes}; asked in this order, local_python asks on:");
    let last = choice.steps.len() - 1;
    for (index, step) in choice.steps.iter().enumerate() {
        let note = match &step.value {
            _ if index == last => "in force".to_owned(),
            Some(value) => format!("{value} asks the next one"),
            None => "says nothing".to_owned(),
        };
        line(&mut text, step, &note);
    }
    for step in &choice.unasked {
        let note =
            if step.value.is_some() { "overridden: not asked any more" } else { "not asked" };
        line(&mut text, step, note);
    }
    text
}

fn line(text: &mut String, step: &ExecutorStep, note: &str) {
    let value = one_line(step.value.as_deref().unwrap_or("-"));
    let source = step.source.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let _ = writeln!(text, "  {:<21} {value:<12} {source}\n  {:<21} {note}", step.asked, "");
    if let Some(expression) = &step.expression {
        let _ = writeln!(text, "  {:<21} rendered from {}", "", one_line(expression));
    }
}

/// Returns the chain as a value of `explain-config -o json`.
#[must_use]
pub fn executor_json(choice: &ExecutorChoice) -> Json {
    let (decided, asked) = choice.steps.split_last().expect("somebody is always asked");
    let asked = asked.iter().map(|step| (step, "local_python asks the next one"));
    let unasked = choice.unasked.iter().map(|step| (step, "not asked"));
    let mut overridden: Vec<(LayerKind, Json)> = asked
        .chain(unasked)
        .filter(|(step, _)| step.value.is_some())
        .map(|(step, reason)| {
            let loser = json!({
                "value": step.value,
                "layer": step.layer.name(),
                "source": step.source.as_ref().map(source_json),
                "reason": reason,
            });
            (step.layer, loser)
        })
        .collect();
    overridden.sort_by_key(|(layer, _)| *layer);
    let rule = "the first asked that names another executor than local_python";
    json!({
        "path": EXECUTOR_TYPE,
        "jobPath": null,
        "value": choice.executor,
        "layer": decided.layer.name(),
        "source": decided.source.as_ref().map(source_json),
        "rule": (!overridden.is_empty()).then_some(rule),
        "redacted": false,
        "overridden": overridden.into_iter().map(|(_, loser)| loser).collect::<Vec<_>>(),
    })
}
