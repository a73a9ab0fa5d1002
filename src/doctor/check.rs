//! One check, and how it stands.

use serde_json::{Value, json};

use crate::error::without_numbers;
use crate::exit::Exit;

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// It was not looked at, because that makes no sense here.
    Skipped,
    /// It could not be found out.
    NotKnown,
    /// Doubtful.
    Warning,
    /// Something will not work.
    Problem,
}

impl State {
    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::NotKnown => "not known",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, `clock`.
    pub id: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found, one sentence.
    pub sentence: String,
    /// More of the same, one sentence each.
    pub details: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Check {
    /// Makes a check.
    #[must_use]
    pub fn new(id: &'static str, state: State, sentence: impl Into<String>) -> Self {
        let sentence = without_numbers(sentence.into());
        Self { id, state, sentence, details: Vec::new(), hints: Vec::new() }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Adds more sentences.
    #[must_use]
    pub fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "state": self.state.as_str(),
            "sentence": self.sentence,
            "details": self.details,
            "hints": self.hints,
        })
    }
}

/// All checks, and what the exit code is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The checks, in the order in which they rest on each other.
    pub checks: Vec<Check>,
    /// What the exit code is.
    pub exit: Exit,
}

impl Report {
    /// Counts the checks that stand so.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.checks.iter().filter(|check| check.state == state).count()
    }

    /// Returns the checks as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        self.checks.iter().map(Check::json).collect()
    }
}
