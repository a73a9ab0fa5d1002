//! Mage's own log lines (pure).
//!
//! A block that runs by itself writes `LEVEL:pipeline/partition/block:{json}` to stderr, a line for
//! every argument of a `print()` too (`mage_ai/data_preparation/logging/logger.py`). Everything else
//! passes as it is.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `DEBUG`.
    Debug,
    /// `INFO`.
    Info,
    /// `WARNING`.
    Warning,
    /// `ERROR` and `CRITICAL`.
    Error,
}

impl Level {
    /// Every level, the least grave first.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warning, Self::Error];

    /// Returns the word for it, in small letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A line of a log, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MageLine {
    /// How grave, if it is one of Mage's own lines.
    pub level: Option<Level>,
    /// What to show: the message, and the traceback where there is one; may have several lines.
    pub text: String,
}

/// Understands a line.
#[must_use]
pub fn parse_line(line: &str) -> MageLine {
    mage_line(line).unwrap_or_else(|| MageLine { level: None, text: line.to_owned() })
}

/// Understands a line if it is one of Mage's own.
pub(crate) fn mage_line(line: &str) -> Option<MageLine> {
    let (level, rest) = line.split_at(line.find([':', ' '])?);
    let level = level_of(level)?;
    // Data integrations take the logger over, and nothing stands between then.
    let start = match rest.as_bytes() {
        [b' ', b'{', ..] => 0,
        [b':', ..] => rest.find(":{")?,
        _ => return None,
    };
    Some(MageLine { level: Some(level), text: text_of(&rest[start + 1..])? })
}

/// Understands a line of Mage's own log files, a time and the same JSON
/// (`mage_ai/data_preparation/logging/logger_manager.py`).
#[must_use]
pub fn parse_file_line(line: &str) -> MageLine {
    let json = line.split_once(' ').map(|(_, rest)| rest).filter(|rest| rest.starts_with('{'));
    match json.and_then(text_of) {
        Some(text) => MageLine { level: None, text },
        None => parse_line(line),
    }
}

fn level_of(word: &str) -> Option<Level> {
    match word {
        "DEBUG" => Some(Level::Debug),
        "INFO" => Some(Level::Info),
        "WARNING" => Some(Level::Warning),
        "ERROR" | "CRITICAL" => Some(Level::Error),
        _ => None,
    }
}

/// Returns what a line says in JSON, with the traceback where there is one.
fn text_of(json: &str) -> Option<String> {
    let fields: Fields = serde_json::from_str(json.trim_end()).ok()?;
    let mut text = match fields.message {
        Some(Value::String(mut message)) => {
            message.truncate(message.trim_end().len());
            message
        }
        Some(other) => other.to_string(),
        None => String::new(),
    };
    if let Some(detail) = fields.details.into_iter().flatten().find_map(detail)
        && !text.contains(detail.trim_end())
    {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(detail.trim_end());
    }
    Some(text)
}

/// What matters of a line's JSON; the rest is passed over, because a log has millions of lines.
#[derive(Default)]
struct Fields {
    message: Option<Value>,
    /// `error`, `error_stack` and `error_stacktrace`.
    details: [Option<Value>; 3],
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Message,
    Error,
    ErrorStack,
    ErrorStacktrace,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(field) = map.next_key()? {
            match field {
                Field::Message => fields.message = Some(map.next_value()?),
                Field::Error => fields.details[0] = Some(map.next_value()?),
                Field::ErrorStack => fields.details[1] = Some(map.next_value()?),
                Field::ErrorStacktrace => fields.details[2] = Some(map.next_value()?),
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(fields)
    }
}

/// Reads an error field, which is a string or a list of strings or lists.
fn detail(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Array(items) if !items.is_empty() => {
            let lines: Vec<String> = items.into_iter().filter_map(detail).collect();
            (!lines.is_empty())
                .then(|| lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

/// Tells whether a line is of the box that `mage run` draws around an exception: 80 columns wide,
/// up to hundreds of lines, and after the same traceback in plain text.
#[must_use]
pub fn is_drawn(line: &str) -> bool {
    let line = line.trim_end();
    let is_box = line.starts_with(['│', '╭', '╰', '┃', '┏', '┗']);
    let in_ascii = (line.starts_with("+-") && line.ends_with("-+"))
        || (line.starts_with("| ") && line.ends_with(" |"));
    is_box || (in_ascii && line.len() == 80)
}

/// Tells whether a traceback begins with a line.
#[must_use]
pub fn begins_traceback(line: &str) -> bool {
    line.contains("Traceback (most recent call last)")
}

/// Tells whether a line of a traceback is of its frames, which are indented: the first other one is the
/// exception.
#[must_use]
pub fn is_of_frames(line: &str) -> bool {
    line.is_empty() || line.starts_with([' ', '\t', '^'])
}

/// Finds the line that says what went wrong: the last line of the last traceback, else the last
/// line that names an error.
#[must_use]
pub fn last_error_line(lines: &[String]) -> Option<String> {
    let all: Vec<&str> =
        lines.iter().flat_map(|line| line.lines()).filter(|line| !is_drawn(line)).collect();
    let traceback = all.iter().rposition(|line| begins_traceback(line));
    let exception =
        traceback.and_then(|start| all[start + 1..].iter().find(|line| !is_of_frames(line)));
    if let Some(exception) = exception {
        return Some(exception.trim().to_owned());
    }
    all.iter().rev().map(|line| line.trim()).find(|line| is_error(line)).map(str::to_owned)
}

fn is_error(line: &str) -> bool {
    let word = line.split([':', ' ']).next().unwrap_or_default();
    let named = word.ends_with("Error") || word.ends_with("Exception");
    (named && line.len() > word.len()) || line.starts_with("ERROR") || line.starts_with("error:")
}

#[cfg(test)]
mod tests {
    use super::{Level, last_error_line, parse_line};

    #[test]
    fn understands_mage_and_passes_the_rest() {
        let print = r#"INFO:etl/p1/load:{"block_type": "data_loader", "block_uuid": "load", "level": "INFO", "message": "rows", "timestamp": 1795448183.82}"#;
        let line = parse_line(print);
        assert_eq!((line.level, line.text.as_str()), (Some(Level::Info), "rows"));
        let integration = r#"INFO {"block_uuid": "src", "level": "INFO", "message": "Finish"}"#;
        assert_eq!(parse_line(integration).text, "Finish");
        for plain in [
            "hello",
            "INFO {broken",
            r#"INFO x:{"a": 1}"#,
            "INFO: no json",
            "INFO:a:{broken",
            "{}",
            "",
            "INFO:x:[1]",
        ] {
            let line = parse_line(plain);
            assert_eq!((line.level, line.text.as_str()), (None, plain));
        }
    }

    #[test]
    fn a_message_is_what_it_is() {
        for (json, text) in [
            (r#"{"message": "a \u00e9\n ", "uuid": {"a": [1, {}]}}"#, "a é"),
            (r#"{"message": "\ud83d\ude00"}"#, "😀"),
            (r#"{"message": "first", "message": "last"}"#, "last"),
            (r#"{"message": 1.0}"#, "1.0"),
            (r#"{"message": {"b": 1, "a": null}}"#, r#"{"b":1,"a":null}"#),
            (r#"{"message": null}"#, "null"),
            (r#"{"mess\u0061ge": "escaped"}"#, "escaped"),
            (r#"{"error": "", "error_stack": [], "error_stacktrace": "why"}"#, "why"),
            (r#"{"message": "m", "error": ["a\n", ["b", ""], 1]}"#, "m\na\nb"),
            (r#"{"message": "said why", "error": "why"}"#, "said why"),
            ("{}", ""),
        ] {
            let line = parse_line(&format!("DEBUG:x:{json}"));
            assert_eq!((line.level, line.text.as_str()), (Some(Level::Debug), text), "{json}");
        }
    }

    #[test]
    fn shows_a_traceback_once() {
        let error = r#"ERROR:etl/p1/load:{"message": "Failed to execute block load", "error": ["Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    boom()\n", "ValueError: no rows\n"]}"#;
        let line = parse_line(error);
        assert_eq!(line.level, Some(Level::Error));
        insta::assert_snapshot!(line.text, @r#"
        Failed to execute block load
        Traceback (most recent call last):
          File "x.py", line 1, in f
            boom()
        ValueError: no rows
        "#);
        assert_eq!(last_error_line(&[line.text]).as_deref(), Some("ValueError: no rows"));
    }

    #[test]
    fn finds_what_went_wrong() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            last_error_line(&lines("a\nKeyError: 'x'\nbye")).as_deref(),
            Some("KeyError: 'x'")
        );
        assert_eq!(last_error_line(&lines("all good\nErrors: none")), None);
    }
}
