//! Errors as people read them (pure): what failed, where, the line itself, and the next step.

use std::fmt::Write;

use super::color::Paint;
use super::sanitize::for_terminal;
use crate::error::{CliError, Place, Problem};
use crate::job::secret::{is_secret_name, mask_urls};

/// Renders every problem of an error, painted; for a terminal control characters are made harmless.
#[must_use]
pub fn render_error(error: &CliError, terminal: bool) -> String {
    let mut text = String::new();
    for problem in &error.problems {
        render(&mut text, &Paint::Bad.on("error:"), problem, terminal);
        if let Some(place) = &problem.place {
            snippet(&mut text, place, |part| safe(part, terminal));
        }
        hints(&mut text, problem, terminal);
    }
    text
}

/// Renders a warning: like an error, without the line itself.
#[must_use]
pub(super) fn render_warning(problem: &Problem, terminal: bool) -> String {
    let mut text = String::new();
    render(&mut text, &Paint::Warn.on("warning:"), problem, terminal);
    hints(&mut text, problem, terminal);
    text
}

fn safe(text: &str, terminal: bool) -> String {
    if terminal { for_terminal(text).into_owned() } else { text.to_owned() }
}

fn render(out: &mut String, label: &str, problem: &Problem, terminal: bool) {
    let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let _ = writeln!(out, "{label} {}{}", safe(&place, terminal), safe(&problem.message, terminal));
}

fn hints(out: &mut String, problem: &Problem, terminal: bool) {
    for hint in &problem.hints {
        let _ = writeln!(out, "{} {}", Paint::Active.on("hint:"), safe(hint, terminal));
    }
}

/// Tells whether a line probably holds a secret: a URL with user and password, or the value of a
/// variable whose name, there or on a neighbouring line, looks secret.
fn may_hold_secret(lines: &[&str], index: usize) -> bool {
    let words = |line: &str| -> Vec<String> {
        let parts = line.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
        parts.map(str::to_owned).collect()
    };
    let line = lines[index];
    if mask_urls(line) != line {
        return true;
    }
    let near = &lines[index.saturating_sub(1)..lines.len().min(index + 2)];
    words(line).iter().any(|word| word == "value")
        && near.iter().any(|line| words(line).iter().any(|word| is_secret_name(word)))
}

/// Shows the line at fault with carets beneath; `safe` makes what a file says harmless. A line that
/// may hold a secret is not shown.
pub fn snippet(out: &mut String, place: &Place, safe: impl Fn(&str) -> String) {
    let mut start = place.span.start;
    let lines: Vec<&str> = place.file.text.lines().collect();
    let Some(last) = lines.last() else { return };
    if start.line > lines.len() {
        // What is missing at the end of a file stands behind its last line.
        start.line = lines.len();
        start.column = last.chars().count() + 1;
    }
    if may_hold_secret(&lines, start.line.saturating_sub(1)) {
        return;
    }
    let line = lines[start.line.saturating_sub(1)];
    let before = start.column.saturating_sub(1);
    let on_line = line.chars().count();
    let end = if place.span.end.line == start.line { place.span.end.column } else { on_line + 1 };
    let width = end.saturating_sub(start.column).clamp(1, on_line.saturating_sub(before).max(1));
    // A tab is as wide as the terminal makes it; one space keeps the caret in place.
    let line = safe(&line.replace('\t', " "));
    let number = start.line.to_string();
    let gutter = " ".repeat(number.len());
    let caret = Paint::Bad.on(&"^".repeat(width));
    let _ = writeln!(out, "{gutter} |");
    let _ = writeln!(out, "{number} | {line}");
    let _ = writeln!(out, "{gutter} | {}{caret}", " ".repeat(before));
}

#[cfg(test)]
mod tests {
    use super::{may_hold_secret, render_error};
    use crate::error::{CliError, Problem};
    use crate::yaml::{Position, SourceFile, Span};

    #[test]
    fn lines_that_may_hold_a_secret_are_told() {
        let lines = ["- name: DB_PASSWORD", "  value: hunter2", "- {name: TOKEN, value: x}"];
        assert!(!may_hold_secret(&lines, 0));
        assert!(may_hold_secret(&lines, 1) && may_hold_secret(&lines, 2));
        assert!(may_hold_secret(&["url: db://u:p@host/x"], 0));
        for line in ["image_pull_secrets: regcred", "value_from: {secret_key_ref: {name: s}}"] {
            assert!(!may_hold_secret(&[line], 0), "{line}");
        }
    }

    #[test]
    fn shows_the_line_and_the_next_step() {
        let file = SourceFile::new("metadata.yaml", "a: 1\n\tresource_limit: x\n");
        let at = |line, column| Position { line, column, offset: 0 };
        let problem = Problem::new("unknown key \"resource_limit\"")
            .at(&file, Span { start: at(2, 2), end: at(2, 16) })
            .hint("did you mean resource_limits?");
        let text = render_error(&CliError::usage(problem), true);
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @r#"
        error: metadata.yaml:2:2: unknown key "resource_limit"
          |
        2 |  resource_limit: x
          |  ^^^^^^^^^^^^^^
        hint: did you mean resource_limits?
        "#);
    }
}
