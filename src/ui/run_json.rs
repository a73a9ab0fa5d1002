//! A run as one JSON object a line (pure).

use serde_json::{Value, json};

use crate::run::{BlockState, EventKind, RunEvent, RunState};

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

/// Returns the JSON Schema of one event, as `docs/schemas/run-event.schema.json` holds it.
#[must_use]
pub fn event_schema() -> Value {
    let run_states = RunState::ALL.map(RunState::as_str);
    let block_states = BlockState::ALL.map(BlockState::as_str);
    let text = |description: &str| json!({"type": ["string", "null"], "description": description});
    let none = json!({"type": "null"});
    let string = json!({"type": "string"});
    let case = |kind: &str, then: Value| {
        json!({
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {"properties": then},
        })
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubectl mage run -o json",
        "description": "One event of a run, one a line, as `run`, `resume` and `attach` print them with `-o json`. Members that do not apply are null; new ones may be added.",
        "type": "object",
        "required": ["time", "seq", "kind", "run", "block", "attempt", "pod", "state", "reason", "message", "line"],
        "properties": {
            "time": {
                "type": "string",
                "format": "date-time",
                "description": "When: of a line by the node's clock, otherwise by the clock of the machine that follows the run.",
            },
            "seq": {"type": "integer", "minimum": 1, "description": "Counts the events that this process printed."},
            "kind": {
                "enum": ["run", "block", "pod", "log", "notice"],
                "description": "What it is about: the run, a block's state, one of its pods, a line of a log, or something else worth knowing.",
            },
            "run": {"type": "string", "description": "The run."},
            "block": text("The block run's uuid."),
            "attempt": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "The attempt at the block; pods are counted where a Job makes several.",
            },
            "pod": text("The pod."),
            "state": {"description": "How far the run or the block is."},
            "reason": text("One word why. Of a pod also `MageRetry`, `CallbackFailed` and `SensorWaiting`: what Mage does inside of it, by its log."),
            "message": text("A sentence; of a line of a log what Mage said in it."),
            "line": text("The line as the container wrote it; what is not UTF-8 is replaced."),
        },
        "allOf": [
            case("run", json!({"state": {"enum": run_states}, "block": none, "pod": none, "line": none})),
            case("block", json!({"state": {"enum": block_states}, "block": string, "line": none})),
            case("pod", json!({"state": none, "block": string, "pod": string, "message": string, "line": none})),
            case("log", json!({"state": none, "block": string, "pod": string, "message": {"type": ["string", "null"]}, "line": string})),
            case("notice", json!({"state": none, "message": string, "line": none})),
        ],
    })
}

#[cfg(test)]
mod tests {
    use crate::run::{BlockState, RunState};

    #[test]
    fn no_state_is_left_out() {
        for (index, state) in BlockState::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, index, "{state}");
        }
        for (index, state) in RunState::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, index, "{}", state.as_str());
        }
    }
}
