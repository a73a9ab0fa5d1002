//! The one error type at the border: what failed, where, and what to do next.
//!
//! Modules have error enums of their own that carry data; a `From` at the border turns each into a
//! [`CliError`]. Printing it is the business of `ui` alone.

use std::fmt;
use std::sync::Arc;

use crate::exit::Exit;
use crate::finding::FindingId;
use crate::yaml::{SourceFile, Span};

/// One thing that is wrong, or worth knowing, with its place and the next step.
#[derive(Clone, Debug)]
pub struct Problem {
    /// One sentence without a final stop, naming the object where there is one.
    pub message: String,
    /// Where in a file, if it is in one.
    pub place: Option<Place>,
    /// Next steps, each printed as `hint: …`.
    pub hints: Vec<String>,
    /// What `lint` calls it.
    pub id: Option<FindingId>,
    /// What only some problems have.
    details: Option<Box<Details>>,
}

/// What only some problems have.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Other places that have to do with it, and what stands there.
    pub related: Vec<(String, Place)>,
    /// Edits that remove the problem and change nothing else.
    pub fix: Option<Fix>,
    /// The setting in Mage's spelling.
    pub setting: Option<String>,
    /// The place in the Job.
    pub job_path: Option<String>,
}

/// Edits of a file that remove a problem.
#[derive(Clone, Debug)]
pub struct Fix {
    /// What they do, as an order: `rename it to resource_limits`.
    pub title: String,
    /// The edits, apart from each other, all of the file at fault.
    pub edits: Vec<Edit>,
}

/// A part of a file and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub span: Span,
    /// What stands there then.
    pub text: String,
}

/// A span in a file that was read; knows the text for a snippet.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file as written.
    pub file: Arc<SourceFile>,
    /// The part of it meant.
    pub span: Span,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.name, self.span.start.line, self.span.start.column)
    }
}

impl Problem {
    /// Makes a problem with no place and no hint.
    pub fn new(message: impl Into<String>) -> Self {
        let message = without_numbers(message.into());
        Self { message, place: None, hints: Vec::new(), id: None, details: None }
    }

    /// Says where in a file it is.
    #[must_use]
    pub fn at(mut self, file: &Arc<SourceFile>, span: Span) -> Self {
        self.place = Some(Place { file: Arc::clone(file), span: in_text(file, span) });
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says what `lint` calls it.
    #[must_use]
    pub fn id(mut self, id: FindingId) -> Self {
        self.id = Some(id);
        self
    }

    /// Adds another place that has to do with it.
    #[must_use]
    pub fn related(mut self, what: impl Into<String>, file: &Arc<SourceFile>, span: Span) -> Self {
        let place = Place { file: Arc::clone(file), span };
        self.details_mut().related.push((what.into(), place));
        self
    }

    /// Says how the file can be edited so that it is gone.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.details_mut().fix = Some(Fix { title: title.into(), edits });
        self
    }

    /// Names the setting in Mage's spelling.
    #[must_use]
    pub fn setting(mut self, setting: impl Into<String>) -> Self {
        self.details_mut().setting = Some(setting.into());
        self
    }

    /// Names the place in the Job.
    #[must_use]
    pub fn job_path(mut self, path: impl Into<String>) -> Self {
        self.details_mut().job_path = Some(path.into());
        self
    }

    /// Returns it with every text of its own changed; places stay.
    #[must_use]
    pub fn map_texts(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.message = change(&self.message);
        for hint in &mut self.hints {
            *hint = change(hint);
        }
        for (what, _) in self.details.iter_mut().flat_map(|details| &mut details.related) {
            *what = change(what);
        }
        self
    }

    /// Returns what only some problems have.
    #[must_use]
    pub fn details(&self) -> Option<&Details> {
        self.details.as_deref()
    }

    fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}

/// Moves what is missing at the end of a file to the end of its last line, which can be shown.
fn in_text(file: &Arc<SourceFile>, span: Span) -> Span {
    let at = usize::try_from(span.start.offset).unwrap_or(usize::MAX);
    if at < file.text.len() || span.start.line == 1 || span.start.column > 1 {
        return span;
    }
    let is_break = |c: char| matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let end = file.text.trim_end_matches(is_break).len();
    file.lines().span(end, end)
}

/// Leaves out the numbers of the system's errors, ` (os error 2)`, which Rust puts behind their words.
#[must_use]
pub fn without_numbers(mut text: String) -> String {
    const MARK: &str = " (os error ";
    let mut from = 0;
    while let Some(found) = text[from..].find(MARK) {
        let start = from + found;
        let digits = &text[start + MARK.len()..];
        let count = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if count > 0 && digits[count..].starts_with(')') {
            text.replace_range(start..=start + MARK.len() + count, "");
            from = start;
        } else {
            from = start + MARK.len();
        }
    }
    text
}

/// Why a command could not do what was asked: every problem found, and the exit code.
#[derive(Clone, Debug)]
pub struct CliError {
    /// The exit code of the process.
    pub exit: Exit,
    /// All problems, in the order found; at least one.
    pub problems: Vec<Problem>,
}

impl CliError {
    /// Makes an error of one problem.
    #[must_use]
    pub fn new(exit: Exit, problem: Problem) -> Self {
        Self { exit, problems: vec![problem] }
    }

    /// Makes a usage, file or configuration error (exit 2) of one problem.
    #[must_use]
    pub fn usage(problem: Problem) -> Self {
        Self::new(Exit::Usage, problem)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            if let Some(place) = &problem.place {
                write!(f, "{place}: ")?;
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for CliError {}

#[cfg(test)]
mod tests {
    use super::{Problem, without_numbers};

    #[test]
    fn the_numbers_of_errors_are_left_out() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(
            Problem::new(format!("x: {error}: y")).message,
            "x: No such file or directory: y"
        );
        for text in ["", "a (os error ", "a (os error x)", "a (os error 1", " (os error )"] {
            assert_eq!(without_numbers(text.to_owned()), text);
        }
        let both = "a (os error 1) b (os error 22)é";
        assert_eq!(without_numbers(both.to_owned()), "a bé");
    }
}
