//! Which form a report has, by the name of its file.

use std::path::Path;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// Everything, for programs.
    Json,
    /// What CI systems read as the results of tests.
    JUnit,
    /// For a comment on a pull request.
    Markdown,
    /// One page for a browser.
    Html,
}

impl ReportKind {
    /// Every form, with the extension that asks for it.
    pub const ALL: [(&'static str, Self); 4] =
        [("json", Self::Json), ("xml", Self::JUnit), ("md", Self::Markdown), ("html", Self::Html)];

    /// Returns the form that the extension asks for.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        let known = |(name, _): &&(&str, Self)| name.eq_ignore_ascii_case(extension);
        Self::ALL.iter().find(known).map(|(_, kind)| *kind)
    }
}
