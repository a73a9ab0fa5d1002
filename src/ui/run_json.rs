//! A run as one JSON object a line (pure).

use serde_json::{Value, json};

use crate::run::{EventKind, RunEvent};

/// Renders an event; members that do not apply are null.
#[must_use]
pub fn event_json(event: &RunEvent, run: &str, seq: u64) -> Value {
    let (kind, state) = match event.kind {
        EventKind::Run(state) => ("run", Some(state.as_str())),
        EventKind::Block(state) => ("block", Some(state.as_str())),
        EventKind::Pod => ("pod", None),
        EventKind::Log(_) => ("log", None),
        EventKind::Notice => ("notice", None),
    };
    json!({
        "time": event.time.to_string(),
        "seq": seq,
        "kind": kind,
        "run": run,
        "block": event.block.as_deref(),
        "attempt": event.attempt,
        "pod": event.pod.as_deref(),
        "state": state,
        "reason": event.reason,
        "message": event.message,
        "line": event.line,
    })
}
