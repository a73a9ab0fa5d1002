//! Errors as people read them (pure): what failed, where, the line itself, and the next step.

use std::borrow::Cow;
use std::fmt::Write;

use super::color::Paint;
use super::known_secrets::{has_secret, without_secrets};
use super::sanitize::for_terminal;
use crate::error::{CliError, Place, Problem};
use crate::job::secret::{is_secret_name, line_holds_secret};

/// Renders every problem of an error, painted; for a terminal control characters are made harmless.
#[must_use]
pub fn render_error(error: &CliError, terminal: bool) -> String {
    let mut text = String::new();
    for problem in &error.problems {
        render(&mut text, &Paint::Bad.on("error:"), problem, terminal);
        if let Some(place) = &problem.place {
            snippet(&mut text, place, |part| safe(part, terminal));
        }
        for (what, place) in problem.details().into_iter().flat_map(|details| &details.related) {
            let place = safe(&place.to_string(), terminal);
            let what = without_secrets(what);
            let _ = writeln!(text, "see: {place}: {}", safe(&what, terminal));
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
    let message = without_secrets(&problem.message);
    let message = shortened(&message);
    let _ = writeln!(out, "{label} {}{}", safe(&place, terminal), safe(&message, terminal));
}

fn hints(out: &mut String, problem: &Problem, terminal: bool) {
    for hint in &problem.hints {
        let hint = without_secrets(hint);
        let hint = safe(&shortened(&hint), terminal);
        let _ = writeln!(out, "{} {hint}", Paint::Active.on("hint:"));
    }
}

/// Tells whether a line probably holds a secret: one that is known, a URL with user and password, or
/// the value of a key or variable whose name, there or on a neighbouring line, looks secret.
fn may_hold_secret(lines: &[&str], index: usize) -> bool {
    let words = |line: &str| -> Vec<String> {
        let parts = line.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
        parts.map(str::to_owned).collect()
    };
    let line = lines[index];
    if has_secret(line) || line_holds_secret(line) {
        return true;
    }
    let near = &lines[index.saturating_sub(1)..lines.len().min(index + 2)];
    words(line).iter().any(|word| word == "value")
        && near.iter().any(|line| words(line).iter().any(|word| is_secret_name(word)))
}

/// The most characters of a line that are shown before the place and behind it.
const AROUND: usize = 100;

/// The longest message, in characters: a name in a file may be as long as the file.
const LONGEST: usize = 2000;

/// Cuts the middle out of what is too long to be read.
fn shortened(text: &str) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= LONGEST {
        return text.into();
    }
    let start: String = text.chars().take(LONGEST / 2).collect();
    let end: String = text.chars().skip(count - LONGEST / 2).collect();
    format!("{start} … {end}").into()
}

/// Shows the line at fault with carets beneath, of a long line what is around the place; `safe` makes
/// what a file says harmless. A line that may hold a secret is not shown.
pub fn snippet(out: &mut String, place: &Place, safe: impl Fn(&str) -> String) {
    let text = &place.file.text;
    let is_break = |c: char| matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let start = place.span.start;
    let at = place.span.bytes().start.min(text.len());
    let (before, behind) = text.split_at(at);
    let before = before.rsplit(is_break).next().unwrap_or_default().trim_start_matches('\u{feff}');
    let behind = behind.split(is_break).next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let line = usize::try_from(start.line).map_or(lines.len(), |line| line.min(lines.len()));
    if line == 0 || may_hold_secret(&lines, line - 1) {
        return;
    }
    let left = before.chars().count();
    let cut: String = before.chars().skip(left.saturating_sub(AROUND)).collect();
    let shown: String = behind.chars().take(AROUND).collect();
    let (cut, left) = if left > AROUND { (format!("…{cut}"), AROUND + 1) } else { (cut, left) };
    let more = if shown.len() < behind.len() { "…" } else { "" };
    let end = place.span.end;
    let width =
        if end.line == start.line { end.column - start.column.min(end.column) } else { u32::MAX };
    let width = usize::try_from(width).unwrap_or(AROUND).min(AROUND);
    let width = width.clamp(1, shown.chars().count().max(1));
    // A tab is as wide as the terminal makes it; one space keeps the caret in place.
    let line = safe(&format!("{cut}{shown}{more}").replace('\t', " "));
    let number = start.line.to_string();
    let gutter = " ".repeat(number.len());
    let caret = Paint::Bad.on(&"^".repeat(width));
    let _ = writeln!(out, "{gutter} |");
    let _ = writeln!(out, "{number} | {line}");
    let _ = writeln!(out, "{gutter} | {}{caret}", " ".repeat(left));
}

#[cfg(test)]
mod tests {
    use super::{may_hold_secret, render_error};
    use crate::error::{CliError, Problem};
    use crate::yaml::SourceFile;

    #[test]
    fn lines_that_may_hold_a_secret_are_told() {
        let lines = ["- name: DB_PASSWORD", "  value: hunter2", "- {name: TOKEN, value: x}"];
        assert!(!may_hold_secret(&lines, 0));
        assert!(may_hold_secret(&lines, 1) && may_hold_secret(&lines, 2));
        for line in [
            "url: db://u:p@host/x",
            "labels: {api_token: \"Sup3r\"}",
            "  - --password=hunter2",
            "a: {{ env_var('TOKEN', 'hunter2') }}",
        ] {
            assert!(may_hold_secret(&[line], 0), "{line}");
        }
        for line in [
            "image_pull_secrets: regcred",
            "value_from: {secret_key_ref: {name: s}}",
            "a: {{ env_var('TOKEN') }}",
        ] {
            assert!(!may_hold_secret(&[line], 0), "{line}");
        }
    }

    #[test]
    fn shows_the_line_and_the_next_step() {
        let file = SourceFile::new("metadata.yaml", "a: 1\n\tresource_limit: x\n");
        let problem = Problem::new("unknown key \"resource_limit\"")
            .at(&file, file.lines().span(6, 20))
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

    #[test]
    fn of_long_lines_and_messages_it_shows_a_part() {
        let text = format!("a\u{85}{}here{}\n", "é".repeat(5000), "y".repeat(5000));
        let file = SourceFile::new("a.yaml", text);
        let at = file.text.find("here").unwrap();
        let problem = Problem::new("x".repeat(1 << 20)).at(&file, file.lines().span(at, at + 4));
        let text = render_error(&CliError::usage(problem.hint("h")), true);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(plain.len() < 3000, "{}", plain.len());
        let lines: Vec<&str> = plain.lines().collect();
        let column = lines[2].chars().position(|c| c == 'h');
        assert!(lines[2].starts_with("2 | …é"), "{plain}");
        assert_eq!(lines[3].chars().position(|c| c == '^'), column, "{plain}");
    }
}
