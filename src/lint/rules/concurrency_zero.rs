//! A limit that lets nothing run.

use crate::error::Problem;
use crate::yaml::{Node, Value};
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ConcurrencyZero,
    code: "MAGE211",
    name: "concurrency-zero",
    severity: Severity::Warning,
    summary: "a limit of block or pipeline runs lets nothing run",
    explanation: "A limit of 0 or less lets nothing start: runs stay in state *initial* for ever, without a message. A limit that is no number makes Mage's scheduler raise. Leave the limit out for none. The defaults come from `CONCURRENCY_CONFIG_BLOCK_RUN_LIMIT` and `CONCURRENCY_CONFIG_PIPELINE_RUN_LIMIT` of the server.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nconcurrency_config:\n  block_run_limit: «0»\nblocks:\n- uuid: load\n  type: data_loader\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

const LIMITS: [(&str, Option<&str>, &str); 3] = [
    ("block_run_limit", Some("CONCURRENCY_CONFIG_BLOCK_RUN_LIMIT"), "no block"),
    ("pipeline_run_limit", Some("CONCURRENCY_CONFIG_PIPELINE_RUN_LIMIT"), "no run"),
    ("pipeline_run_limit_all_triggers", None, "no run"),
];

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    let config = facts.pipeline.property("concurrency_config");
    for (key, variable, what) in LIMITS {
        if key == "block_run_limit" && facts.one_process() {
            continue;
        }
        let node = config.and_then(|config| config.get(key));
        match node.filter(|node| !node.is_null()) {
            Some(node) => {
                let message = match wrong(node, key) {
                    None => continue,
                    Some(Wrong::TooLow) => format!("`{key}` is {}: {what} ever starts", node.to_text()),
                    Some(Wrong::NoNumber) => {
                        format!("`{key}` is {}, not a whole number: Mage's scheduler fails", node.kind())
                    }
                };
                let problem = Problem::new(message).at(&facts.pipeline.file, node.span);
                found.push(problem.hint("give a number above 0, or leave it out for no limit"));
            }
            // An explicit null is no limit; only a missing key takes the server's default.
            None if node.is_none() => from_server(facts, variable, what, found),
            None => {}
        }
    }
}

enum Wrong {
    TooLow,
    NoNumber,
}

/// Says what is wrong with a limit; `pipeline_run_limit` alone may be a text
/// (`mage_ai/orchestration/pipeline_scheduler_original.py: schedule_all`).
fn wrong(node: &Node, key: &str) -> Option<Wrong> {
    let number = match &node.value {
        Value::Int(number) => number.to_i64(),
        Value::Bool(value) => Some(i64::from(*value)),
        Value::String(text) if key == "pipeline_run_limit" => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        None => Some(Wrong::NoNumber),
        Some(number) if number <= 0 => Some(Wrong::TooLow),
        Some(_) => None,
    }
}

fn from_server(facts: &PipelineFacts<'_>, name: Option<&str>, what: &str, found: &mut Found) {
    let Some(name) = name else { return };
    let value = facts.inputs.env.value(name).and_then(|text| text.trim().parse::<i64>().ok());
    if let Some(value) = value.filter(|value| *value <= 0) {
        let problem = Problem::new(format!("{name} of the server is {value}: {what} ever starts"));
        found.push(problem.hint("unset it there, or give a number above 0"));
    }
}
