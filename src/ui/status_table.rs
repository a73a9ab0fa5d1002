//! A run as a table of its blocks (pure).

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::duration::duration;
use super::runs_table::run_json;
use super::table::{Headers, table};
use crate::status::{BlockView, RunView};

/// How much of each row is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// What fits most terminals.
    Narrow,
    /// Everything: `-o wide`.
    Wide,
}

const NARROW: [&str; 6] = ["BLOCK", "STATE", "ATTEMPT", "DURATION", "POD", "REASON"];
const WIDE: [&str; 4] = ["JOB", "NODE", "EXIT", "CAUSE"];

/// Renders the blocks as a table; durations are seen from `now`.
#[must_use]
pub fn status_table(view: &RunView, width: Width, headers: Headers, now: Timestamp) -> String {
    let mut names = NARROW.to_vec();
    if width == Width::Wide {
        names.extend(WIDE);
    }
    table(&names, headers, view.blocks.iter().map(|block| cells(block, width, now)).collect())
}

fn cells(block: &BlockView, width: Width, now: Timestamp) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let attempt = (block.attempt > 0).then(|| block.attempt.to_string());
    let (reason, cause) = block.reason.clone().unzip();
    let mut cells = vec![
        block.block.clone(),
        block.state.clone(),
        or_dash(attempt),
        or_dash(block.duration(now).map(duration)),
        or_dash(block.pod.clone()),
        or_dash(reason),
    ];
    if width == Width::Wide {
        let exit = block.exit_code.map(|code| code.to_string());
        cells.extend([block.job.clone(), block.node.clone(), exit, cause].map(or_dash));
    }
    cells
}

/// Renders a run and its blocks as JSON.
#[must_use]
pub fn status_json(view: &RunView) -> Value {
    let mut json = run_json(&view.row);
    json["items"] = view.blocks.iter().map(block_json).collect();
    json
}

/// Renders one block as JSON.
pub(super) fn block_json(block: &BlockView) -> Value {
    json!({
        "block": block.block,
        "state": block.state,
        "attempt": block.attempt,
        "started": block.started.map(|at| at.to_string()),
        "ended": block.ended.map(|at| at.to_string()),
        "job": block.job,
        "pod": block.pod,
        "node": block.node,
        "exitCode": block.exit_code,
        "reason": block.reason.as_ref().map(|(reason, _)| reason),
        "message": block.reason.as_ref().map(|(_, sentence)| sentence),
    })
}
