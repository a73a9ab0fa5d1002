//! Which lines of a log belong together: a traceback is one record, and so is what is indented below
//! a line (pure).

use super::mage::Level;

/// How a line stands to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It begins a record, of that level as far as the line itself tells.
    Begins(Level),
    /// It goes on with the record before it.
    Continues,
}

/// What may still come of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing.
    Nothing,
    /// Most probably nothing, but it may.
    MayCome,
    /// Something, as likely as nothing.
    IsLikely,
    /// Something, or it would be half a record.
    Comes,
}

/// Reads the lines of one log in order, and says which belong together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    state: State,
    unit: Unit,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// One line.
    Line,
    /// A line and what belongs to it.
    Whole,
}

/// How far a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing belongs to it any more.
    Closed,
    /// A line; what is indented belongs to it.
    Open,
    /// What is indented below a line.
    Below,
    /// A line that told of an error by Python's `logging`: its traceback may follow.
    Failing,
    /// In a traceback, above the exception.
    Frames,
    /// After the exception: another one may have come of it.
    Raised,
    /// After the empty line below an exception.
    Between,
    /// After the sentence that joins two tracebacks.
    Joined,
    /// In a box.
    Boxed,
    /// After a box: the exception.
    Unboxed,
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Indented,
    Empty,
    Traceback,
    /// The sentence between two tracebacks (`traceback.py: _cause_message, _context_message`).
    Joint,
    BoxTop,
    BoxSide,
    BoxBottom,
}

impl Reader {
    /// Makes a reader for the beginning of a log.
    pub(crate) fn new(unit: Unit) -> Self {
        Self { state: State::Closed, unit }
    }

    /// Takes the next line, without its end; tells where it belongs.
    #[inline]
    pub(crate) fn place(&mut self, text: &[u8]) -> Place {
        let form = form(text);
        if let Some(state) = self.go_on(form, text) {
            self.state = state;
            return Place::Continues;
        }
        let (state, level) = match form {
            Form::Traceback => (State::Frames, Level::Error),
            Form::BoxTop if is_traceback(text) => (State::Boxed, Level::Error),
            Form::BoxTop => (State::Boxed, Level::Info),
            Form::Plain => match level_of(text) {
                level @ Level::Error => (State::Failing, level),
                level => (State::Open, level),
            },
            _ => (State::Open, Level::Info),
        };
        self.state = if self.unit == Unit::Line { State::Closed } else { state };
        Place::Begins(level)
    }

    /// Tells whether a line would begin a record.
    pub(crate) fn would_begin(self, text: &[u8]) -> bool {
        self.go_on(form(text), text).is_none()
    }

    /// Tells whether a line may belong to the record, by a look at its beginning.
    #[inline]
    pub(crate) fn may_go_on(self, next: &[u8]) -> bool {
        match self.state {
            State::Closed => false,
            State::Open | State::Below => matches!(next, [b' ' | b'\t', ..]),
            State::Failing => matches!(next, [b' ' | b'\t' | b'T', ..]),
            _ => true,
        }
    }

    /// Nothing belongs to the record any more.
    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
    }

    /// Tells what may still come of the record.
    #[inline]
    pub(crate) fn rest(self) -> Rest {
        match self.state {
            State::Closed => Rest::Nothing,
            State::Open => Rest::MayCome,
            State::Below | State::Failing | State::Raised | State::Between | State::Unboxed => {
                Rest::IsLikely
            }
            State::Frames | State::Joined | State::Boxed => Rest::Comes,
        }
    }

    /// Returns how far the record is after a line, if the line belongs to it.
    #[inline]
    fn go_on(self, form: Form, text: &[u8]) -> Option<State> {
        let state = match (self.state, form) {
            (State::Open | State::Below | State::Failing, Form::Indented) => State::Below,
            (State::Frames, Form::Indented) if is_end_of_group(text) => State::Raised,
            (State::Frames, Form::Traceback) if !is_indented(text) => return None,
            (State::Frames, Form::Indented | Form::Empty | Form::Traceback)
            | (State::Failing | State::Joined, Form::Traceback) => State::Frames,
            (State::Frames | State::Unboxed, Form::Plain) if is_exception(text) => State::Raised,
            (State::Raised | State::Between, Form::Indented) => State::Raised,
            (State::Raised, Form::Empty) => State::Between,
            (State::Raised | State::Between, Form::Joint) | (State::Joined, Form::Empty) => {
                State::Joined
            }
            (State::Joined, Form::BoxTop) | (State::Boxed, Form::BoxSide | Form::Indented) => {
                State::Boxed
            }
            (State::Boxed, Form::BoxBottom) => State::Unboxed,
            _ => return None,
        };
        Some(state)
    }
}

#[inline]
fn form(text: &[u8]) -> Form {
    match text {
        [] | b"\r" => Form::Empty,
        [b' ' | b'\t', ..] if is_indented_traceback(text) => Form::Traceback,
        [b' ' | b'\t', ..] => Form::Indented,
        [b'T' | b'D', ..] => python_form(text),
        [b'+' | b'|', ..] => ascii_form(text),
        // The box drawing characters, U+2500 to U+257F.
        [0xe2, 0x94 | 0x95, last, ..] => match (text[1], *last) {
            (0x95, 0xad) | (0x94, 0x8c | 0x8f) => Form::BoxTop,
            (0x95, 0xb0) | (0x94, 0x94 | 0x97) => Form::BoxBottom,
            _ => Form::BoxSide,
        },
        _ => Form::Plain,
    }
}

const TRACEBACK: &[u8] = b"Traceback (most recent call last)";
const CONTEXT: &[u8] = b"During handling of the above exception, another exception occurred:";
const CAUSE: &[u8] = b"The above exception was the direct cause of the following exception:";

fn python_form(text: &[u8]) -> Form {
    if text.starts_with(TRACEBACK) {
        Form::Traceback
    } else if text.starts_with(CONTEXT) || text.starts_with(CAUSE) {
        Form::Joint
    } else {
        Form::Plain
    }
}

/// Groups of exceptions are drawn (`traceback.py: TracebackException.format`).
fn is_indented_traceback(text: &[u8]) -> bool {
    text.starts_with(b"  + Exception Group Traceback (most recent call last)")
}

fn is_end_of_group(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.starts_with(b"+---") && text[1..].iter().all(|byte| *byte == b'-')
}

fn is_indented(text: &[u8]) -> bool {
    text.starts_with(b" ")
}

/// The box as it is drawn where the locale is not UTF-8.
fn ascii_form(text: &[u8]) -> Form {
    let text = text.trim_ascii_end();
    if text.starts_with(b"+-") && text.ends_with(b"-+") {
        if is_traceback(text) { Form::BoxTop } else { Form::BoxBottom }
    } else if text.starts_with(b"| ") && text.ends_with(b" |") {
        Form::BoxSide
    } else {
        Form::Plain
    }
}

fn is_traceback(text: &[u8]) -> bool {
    text.windows(TRACEBACK.len()).any(|window| window == TRACEBACK)
}

/// Tells whether a line can be an exception: a dotted name, and what it says after a colon.
fn is_exception(text: &[u8]) -> bool {
    let name = text.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | 0x80..);
    let follows = text.get(name.len()..).unwrap_or_default();
    let ends = matches!(follows, [] | b"\r" | b":" | b":\r" | [b':', b' ', ..]);
    ends && name.first().is_some_and(|first| !first.is_ascii_digit()) && name.iter().all(in_name)
}

/// Returns the level of a line by the word it begins with, as Python's `logging` writes it
/// (`logging/__init__.py: BASIC_FORMAT`), and Mage in front of its JSON.
#[inline]
pub(crate) fn level_of(text: &[u8]) -> Level {
    if !matches!(text, [b'C' | b'D' | b'E' | b'F' | b'W', ..]) {
        return Level::Info;
    }
    let end = text.iter().take(9).position(|byte| matches!(byte, b':' | b' ' | b'\t'));
    match end.map(|end| &text[..end]) {
        Some(b"DEBUG") => Level::Debug,
        Some(b"WARNING" | b"WARN") => Level::Warning,
        Some(b"ERROR" | b"CRITICAL" | b"FATAL") => Level::Error,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::Level::{self, Error, Info, Warning};
    use super::{Place, Reader, Rest, Unit};

    /// Returns each record as its level, its number of lines, and its first line.
    fn records(log: &str) -> Vec<(Level, usize, &str)> {
        let mut reader = Reader::new(Unit::Whole);
        let mut records: Vec<(Level, usize, &str)> = Vec::new();
        for line in log.lines() {
            let would_begin = reader.would_begin(line.as_bytes());
            let may_go_on = reader.may_go_on(line.as_bytes());
            match reader.place(line.as_bytes()) {
                Place::Begins(level) => {
                    assert!(would_begin, "{line}");
                    if line.contains(":{") {
                        reader.close();
                    }
                    records.push((level, 1, line));
                }
                Place::Continues => {
                    assert!(!would_begin && may_go_on, "{line}");
                    records.last_mut().unwrap().1 += 1;
                }
            }
        }
        records
    }

    #[test]
    fn tracebacks_are_records_with_what_they_are_chained_to() {
        let log = "\
rows
Traceback (most recent call last):
  File \"a.py\", line 1, in f
    boom()
    ^^^^^^
  [Previous line repeated 996 more times]
ValueError: no rows

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"a.py\", line 3, in g
KeyError: 'x'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File \"a.py\", line 5, in h
a.b.Error_1
done
ERROR:root:it failed
Traceback (most recent call last):
  File \"a.py\", line 5, in h
pydantic.ValidationError: 1 error
  field required
WARNING:root:careful
Traceback (most recent call last):
  File \"a.py\", line 5, in h
not an exception
  + Exception Group Traceback (most recent call last):
  |   File \"g.py\", line 1, in <module>
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    | ValueError: 1
    +------------------------------------
after";
        assert_eq!(
            records(log),
            [
                (Info, 1, "rows"),
                (Error, 18, "Traceback (most recent call last):"),
                (Info, 1, "done"),
                (Error, 5, "ERROR:root:it failed"),
                (Warning, 1, "WARNING:root:careful"),
                (Error, 2, "Traceback (most recent call last):"),
                (Info, 1, "not an exception"),
                (Error, 7, "  + Exception Group Traceback (most recent call last):"),
                (Info, 1, "after"),
            ]
        );
    }

    #[test]
    fn what_is_indented_belongs_to_the_line_above() {
        assert_eq!(
            records("  first\n  of all\ntable:\n\ta\n  b\n\n  c\nend"),
            [
                (Level::Info, 2, "  first"),
                (Level::Info, 3, "table:"),
                (Level::Info, 2, ""),
                (Level::Info, 1, "end"),
            ]
        );
    }

    #[test]
    fn levels_are_words_in_front() {
        for (line, level) in [
            ("DEBUG:root:x", Level::Debug),
            ("INFO:root:x", Level::Info),
            ("WARNING:py.warnings:x", Level::Warning),
            ("WARN  NativeCodeLoader: x", Level::Warning),
            ("ERROR x", Level::Error),
            ("CRITICAL:root:x", Level::Error),
            ("FATAL\tx", Level::Error),
            ("ERRORS: 0", Level::Info),
            ("ERROR", Level::Info),
            ("Error: x", Level::Info),
            ("an ERROR:", Level::Info),
        ] {
            assert_eq!(records(line), [(level, 1, line)]);
        }
    }

    #[test]
    fn genuine_mage_tells_one_failure_in_four_records() {
        let log = include_str!("../../tests/fixtures/diagnose/genuine.log");
        let several =
            records(log).into_iter().filter(|(_, lines, _)| *lines > 1).collect::<Vec<_>>();
        let of: Vec<_> = several.iter().map(|(level, _, first)| (*level, &first[..12])).collect();
        assert_eq!(of, [(Level::Error, "Traceback (m"), (Level::Error, "╭───")]);
        let whole: usize = records(log).iter().map(|(_, lines, _)| lines).sum();
        assert_eq!(whole, log.lines().count());
        assert!(several[1].1 > 100, "{several:?}");
        assert_eq!(records(log).last(), several.last());
    }

    #[test]
    fn boxes_are_drawn_in_ascii_too() {
        let top = "+---------- Traceback (most recent call last) ----------+";
        let log =
            format!("x\n{top}\n| main.py:267 in run |\n+----+\nIndexError: list\n+----+\n| a |");
        assert_eq!(
            records(&log),
            [
                (Level::Info, 1, "x"),
                (Level::Error, 4, top),
                (Level::Info, 1, "+----+"),
                (Level::Info, 1, "| a |")
            ]
        );
    }

    #[test]
    fn a_reader_of_lines_joins_nothing() {
        let mut reader = Reader::new(Unit::Line);
        for (line, level) in [
            ("Traceback (most recent call last):", Level::Error),
            ("  File", Level::Info),
            ("ERROR:root:x", Level::Error),
            ("Traceback (most recent call last):", Level::Error),
        ] {
            assert_eq!(reader.place(line.as_bytes()), Place::Begins(level));
            assert_eq!(reader.rest(), Rest::Nothing);
        }
    }
}
