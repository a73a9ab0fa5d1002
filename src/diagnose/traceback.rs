//! Python's traceback at the end of a log: the exception, and the line of the user's code.

use crate::logs::{begins_traceback, is_drawn, is_of_frames, last_error_line};

/// What a traceback says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceback {
    /// `ValueError: no rows`.
    pub exception: String,
    /// The innermost frame that is neither Mage's nor a library's.
    pub frame: Option<Frame>,
}

/// A place in the user's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The file; none for the block itself, whose code Mage executes as text.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: u32,
    /// The function, where the frame names one.
    pub function: Option<String>,
}

impl Frame {
    /// Says where it is.
    #[must_use]
    pub fn place(&self, block: Option<&str>) -> String {
        let function =
            self.function.as_ref().map(|name| format!(", in {name}")).unwrap_or_default();
        match (&self.file, block) {
            (Some(file), _) => format!("{file}:{}{function}", self.line),
            (None, Some(block)) => format!("line {} of block {block}{function}", self.line),
            (None, None) => format!("line {} of the block{function}", self.line),
        }
    }
}

/// Reads the last traceback of these lines, or else the last line that names an error.
#[must_use]
pub fn traceback(lines: &[String]) -> Option<Traceback> {
    let exception = last_error_line(lines)?;
    let all: Vec<&str> =
        lines.iter().flat_map(|line| line.lines()).filter(|line| !is_drawn(line)).collect();
    let start = all.iter().rposition(|line| begins_traceback(line));
    let frames = start.map(|start| &all[start + 1..]).unwrap_or_default();
    let frame = frames
        .iter()
        .take_while(|line| is_of_frames(line))
        .filter_map(|line| read_frame(line))
        .filter(is_users)
        .last();
    Some(Traceback { exception, frame })
}

impl Traceback {
    /// Says what to do about it, where the exception itself tells, or else where to look.
    #[must_use]
    pub fn remedy(&self, block: Option<&str>) -> Option<String> {
        let known = |words: &[&str]| words.iter().any(|word| self.exception.contains(word));
        if known(&["no such table: block_run", "no such table: pipeline_run"]) {
            return Some("Mage looks for the run in its database, which this pod does not reach: give it MAGE_DATABASE_CONNECTION_URL, or use `kubectl mage run`, which needs none".to_owned());
        }
        if let Some(module) = self.exception.strip_prefix("ModuleNotFoundError: No module named ") {
            return Some(format!("put {module} into requirements.txt or into the image"));
        }
        self.frame.as_ref().map(|frame| format!("see {}", frame.place(block)))
    }
}

/// Reads `File "<string>", line 12, in load`.
fn read_frame(line: &str) -> Option<Frame> {
    let rest = line.trim().strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let (number, function) = match rest.split_once(", in ") {
        Some((number, function)) => (number, Some(function.trim().to_owned())),
        None => (rest, None),
    };
    let file = (file != "<string>").then(|| file.to_owned());
    let function = function.filter(|name| name != "<module>");
    Some(Frame { file, line: number.trim().parse().ok()?, function })
}

fn is_users(frame: &Frame) -> bool {
    let Some(file) = &frame.file else { return true };
    let libraries = ["site-packages/", "dist-packages/", "/lib/python", "/mage_ai/", "<frozen"];
    file.starts_with('/') && !libraries.iter().any(|library| file.contains(library))
}

#[cfg(test)]
mod tests {
    use super::traceback;

    /// The log of a block that fails in genuine Mage 0.9.80.
    #[test]
    fn reads_what_mage_itself_writes() {
        let log = include_str!("../../tests/fixtures/diagnose/genuine.log");
        let lines = log.lines().map(|line| crate::logs::parse_line(line).text);
        let text: Vec<String> = lines.collect();
        assert_eq!(
            place(&text.join("\n")),
            (
                "IndexError: list index out of range".to_owned(),
                Some("line 7 of block load, in load".to_owned())
            )
        );
    }

    fn place(text: &str) -> (String, Option<String>) {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let found = traceback(&lines).unwrap();
        (found.exception, found.frame.map(|frame| frame.place(Some("load"))))
    }

    #[test]
    fn names_the_innermost_line_of_the_user() {
        let text = r#"Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/mage_ai/data_preparation/models/block/__init__.py", line 1, in f
    output = g()
  File "<string>", line 12, in load
  File "/home/src/etl/utils/rows.py", line 7, in read
    return pandas.read_csv(path)
  File "/usr/lib/python3.11/site-packages/pandas/io.py", line 900, in read_csv
    raise
FileNotFoundError: [Errno 2] No such file or directory: 'x.csv'
bye"#;
        assert_eq!(
            place(text),
            (
                "FileNotFoundError: [Errno 2] No such file or directory: 'x.csv'".to_owned(),
                Some("/home/src/etl/utils/rows.py:7, in read".to_owned())
            )
        );
        assert_eq!(place("KeyError: 'x'"), ("KeyError: 'x'".to_owned(), None));
    }
}
