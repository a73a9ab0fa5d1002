//! Lines of logs as one JSON object a line (pure).
//!
//! A log has millions of lines, so objects are written by hand; the test reads them.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::log_label::Label;
use super::log_time::{Clock, Zone};
use super::run_json::event_json;
use super::sanitize::is_harmless;
use crate::logs::{Level, Piece, Shown};
use crate::run::{BlockState, RunEvent};

/// Writes objects.
#[derive(Debug)]
pub(super) struct JsonWriter {
    clock: Clock,
    seq: u64,
    /// Whether what could do something on a terminal is written as `\u…`.
    harmless: bool,
}

/// What is equal in all objects of a log.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// From `run` to `reason`.
    front: Vec<u8>,
    /// From `namespace` to `container`.
    back: Vec<u8>,
}

impl Members {
    pub(super) fn new(label: &Label) -> Self {
        let run = Value::from(label.run.as_deref());
        let block = Value::from(&*label.block);
        let (attempt, pod) = (label.attempt, Value::from(&*label.pod));
        let namespace = Value::from(&*label.namespace);
        let job = Value::from(label.job.as_deref());
        let container = Value::from(label.container.as_deref());
        let front = format!(
            r#","run":{run},"block":{block},"attempt":{attempt},"pod":{pod},"state":null,"reason":null"#
        );
        let back = format!(r#","namespace":{namespace},"job":{job},"container":{container}"#);
        Self { front: front.into_bytes(), back: back.into_bytes() }
    }
}

impl JsonWriter {
    pub(super) fn new(harmless: bool, zone: Option<Zone>) -> Self {
        Self { clock: Clock::new(zone.unwrap_or_else(Zone::utc)), seq: 0, harmless }
    }

    /// Writes a line, or a part of one.
    pub(super) fn line(&mut self, members: &Members, shown: &Shown<'_>, out: &mut Vec<u8>) {
        self.begin(shown.time, "log", members, out);
        let bytes = shown.bytes.strip_suffix(b"\n").unwrap_or(shown.bytes);
        let text = String::from_utf8_lossy(bytes);
        let is_text = matches!(text, std::borrow::Cow::Borrowed(_));
        out.extend_from_slice(br#","message":"#);
        let start = out.len();
        self.string(shown.mage.map_or(&text, |mage| mage.text.as_str()), out);
        let end = out.len();
        out.extend_from_slice(br#","line":"#);
        if shown.mage.is_some() {
            self.string(&text, out);
        } else {
            out.extend_from_within(start..end);
        }
        out.extend_from_slice(&members.back);
        out.extend_from_slice(br#","level":""#);
        out.extend_from_slice(shown.level.as_str().as_bytes());
        if is_text {
            out.extend_from_slice(br#"","bytes":null"#);
        } else {
            let _ = write!(out, r#"","bytes":"{}""#, STANDARD.encode(bytes));
        }
        let goes_on = matches!(shown.piece, Piece::First | Piece::Middle);
        out.extend_from_slice(if goes_on {
            br#","continues":true}"#
        } else {
            br#","continues":false}"#
        });
        out.push(b'\n');
    }

    /// Writes what is said about a log.
    pub(super) fn notice(
        &mut self,
        members: &Members,
        time: Timestamp,
        text: &str,
        out: &mut Vec<u8>,
    ) {
        self.begin(time, "notice", members, out);
        out.extend_from_slice(br#","message":"#);
        self.string(text, out);
        out.extend_from_slice(br#","line":null"#);
        out.extend_from_slice(&members.back);
        out.extend_from_slice(br#","level":null,"bytes":null,"continues":null}"#);
        out.push(b'\n');
    }

    /// Writes what is said about a Job, a pod or all of it.
    pub(super) fn event(&mut self, event: &RunEvent, out: &mut Vec<u8>) {
        self.seq += 1;
        let mut object = event_json(event, "", self.seq);
        object["run"] = Value::Null;
        for member in ["namespace", "job", "container", "level", "bytes", "continues"] {
            object[member] = Value::Null;
        }
        for c in object.to_string().chars() {
            if self.harmless && !is_harmless(c) {
                escape(c, out);
            } else {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        out.push(b'\n');
    }

    fn begin(&mut self, time: Timestamp, kind: &str, members: &Members, out: &mut Vec<u8>) {
        self.seq += 1;
        out.extend_from_slice(br#"{"time":""#);
        self.clock.write_full(time, out);
        // Writing to a Vec cannot fail.
        let _ = write!(out, r#"","seq":{},"kind":"{kind}""#, self.seq);
        out.extend_from_slice(&members.front);
    }

    fn is_special(&self, c: char) -> bool {
        matches!(c, '\0'..='\x1f' | '"' | '\\') || (self.harmless && !is_harmless(c))
    }

    /// Writes a text as a string of JSON.
    fn string(&self, text: &str, out: &mut Vec<u8>) {
        out.push(b'"');
        // Counted, many bytes are looked at together.
        let is_plain = |bytes: &[u8]| {
            let is_other =
                |byte: &&u8| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
            bytes.iter().filter(is_other).count() == 0
        };
        if text.as_bytes().chunks(64).all(is_plain) {
            out.extend_from_slice(text.as_bytes());
        } else {
            let mut rest = text;
            while let Some(at) = rest.find(|c| self.is_special(c)) {
                let (before, from) = rest.split_at(at);
                out.extend_from_slice(before.as_bytes());
                let mut from = from.chars();
                from.next().into_iter().for_each(|c| escape(c, out));
                rest = from.as_str();
            }
            out.extend_from_slice(rest.as_bytes());
        }
        out.push(b'"');
    }
}

/// Writes a character of a string of JSON that cannot stand there as it is.
fn escape(c: char, out: &mut Vec<u8>) {
    match c {
        '"' => out.extend_from_slice(br#"\""#),
        '\\' => out.extend_from_slice(br"\\"),
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\t' => out.extend_from_slice(br"\t"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// Returns the JSON Schema of one object, as `docs/schemas/log-event.schema.json` holds it.
#[must_use]
pub fn log_event_schema() -> Value {
    let text = |description: &str| json!({"type": ["string", "null"], "description": description});
    let none = json!({"type": "null"});
    let string = json!({"type": "string"});
    let states = BlockState::ALL.map(BlockState::as_str);
    let levels = Level::ALL.map(Level::as_str);
    let mut level_description = String::from("How grave the record is that the line belongs to: ");
    let _ = write!(level_description, "as Mage says; of a traceback `{}`", Level::Error.as_str());
    let _ = write!(level_description, "; as Python's `logging` writes it in front of a line");
    let _ = write!(level_description, "; otherwise `{}`.", Level::Info.as_str());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubectl mage tail -o json",
        "description": "A line of a log or an event, one a line, as `tail` and `logs` print them with `-o json`. The members of an event of `run`, and some more. Members that do not apply are null; new ones may be added.",
        "type": "object",
        "required": ["time", "seq", "kind", "run", "block", "attempt", "pod", "state", "reason", "message", "line", "namespace", "job", "container", "level", "bytes", "continues"],
        "properties": {
            "time": {
                "type": "string",
                "format": "date-time",
                "description": "When: of a line by the node's clock, with nanoseconds, otherwise by the clock of the machine that reads the log. In UTC, or the zone of `--timestamps`.",
            },
            "seq": {"type": "integer", "minimum": 1, "description": "Counts the objects that this process printed."},
            "kind": {
                "enum": ["log", "notice", "block", "pod"],
                "description": "A line of a log; something worth knowing, of a log at this place, such as lines that are missing; how the Job of a block stands; something about one of its pods.",
            },
            "run": text("The run, if it is a Job of one."),
            "block": text("The block run's uuid, or the Job's name where it has no block."),
            "attempt": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "The attempt at the block; pods are counted where a Job makes several.",
            },
            "pod": text("The pod."),
            "state": {"description": "How the Job of the block stands."},
            "reason": text("One word why."),
            "message": text("What Mage said in the line, with its traceback; of any other line the line; of a notice a sentence."),
            "line": text("The line as the container wrote it, without its end; what is not UTF-8 is replaced."),
            "namespace": text("Where the pod is."),
            "job": text("The Job that made the pod."),
            "container": text("The container, where it is not the one that runs Mage."),
            "level": {"enum": [levels[0], levels[1], levels[2], levels[3], null], "description": level_description},
            "bytes": {
                "type": ["string", "null"],
                "contentEncoding": "base64",
                "description": "The line's bytes in base64, where they are not UTF-8.",
            },
            "continues": {
                "type": ["boolean", "null"],
                "description": "Whether the next object of the same pod and container goes on with the same line, because it is longer than a mebibyte.",
            },
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": "log"}}},
                "then": {"properties": {"block": string, "pod": string, "namespace": string, "state": none, "message": string, "line": string, "level": string, "continues": {"type": "boolean"}}},
                "else": {"properties": {"line": none, "level": none, "bytes": none, "continues": none}},
            },
            {
                "if": {"properties": {"kind": {"const": "block"}}},
                "then": {"properties": {"block": string, "state": {"enum": states}}},
                "else": {"properties": {"state": none, "message": string}},
            },
        ],
    })
}
