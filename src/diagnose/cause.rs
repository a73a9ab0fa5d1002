//! A cause and its remedy.

/// Why something failed or does not start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// One word: `OOMKilled`, `Error`, `DeadlineExceeded`, …
    pub reason: String,
    /// One sentence without a final stop.
    pub sentence: String,
    /// The container's exit code, if it has one.
    pub exit_code: Option<i32>,
    /// The next step, if there is an obvious one.
    pub hint: Option<String>,
}

impl Cause {
    /// Makes a cause without exit code and hint.
    #[must_use]
    pub fn new(reason: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { reason: reason.into(), sentence: sentence.into(), exit_code: None, hint: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Returns what stands between the first `before` and the next `after` in `text`.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

/// Takes blanks and the final stop away.
pub(super) fn fragment(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}
