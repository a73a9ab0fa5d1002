//! `diff -o markdown`: a comment for a pull request.

use std::fmt::Write as _;

use super::change::Verdict;
use super::lines::{Line, Mark};
use super::summary::{JobDiff, Report};
use super::unified::hunks;
use crate::report::{cell, fenced, harmless_lines};
use crate::ui::plural;

/// A comment on GitHub has room for 65536 characters, four bytes each at most.
const MOST_BYTES: usize = 60_000;
const MOST_ROWS: usize = 100;
const LONGEST_LINE: usize = 400;
const MOST_FIELDS: usize = 3;

/// Writes the Jobs that differ as a table, with the lines of each folded below it. What does not fit
/// into a comment is counted.
#[must_use]
pub fn diff_markdown(report: &Report) -> String {
    let mut text = format!("### kubectl mage diff against {}\n\n", cell(&report.against));
    let _ = writeln!(text, "**{}**", cell(&report.summary.sentence()));
    for (names, what) in [
        (&report.summary.over_quota, "asks for more than a whole quota has"),
        (&report.summary.peak_over_quota, "together asks for more than a quota has"),
    ] {
        for name in names.iter().take(MOST_ROWS) {
            let _ = writeln!(text, "\n⚠ {} {what}.", cell(name));
        }
    }
    if report.jobs.is_empty() {
        return text;
    }
    text.push_str("\n| Block | Job | | Fields |\n| --- | --- | --- | --- |\n");
    for diff in report.jobs.iter().take(MOST_ROWS) {
        let verdict = diff.difference.verdict.as_str();
        let (target, name) = (cell(&diff.target()), cell(&diff.name));
        let _ = writeln!(text, "| {target} | {name} | {verdict} | {} |", fields(diff));
    }
    let mut untold = report.jobs.len().saturating_sub(MOST_ROWS);
    if untold > 0 {
        let _ = writeln!(text, "\n{} not listed.", plural(untold, "more block"));
    }
    untold = 0;
    for diff in &report.jobs {
        let details = details(diff);
        if text.len() + details.len() > MOST_BYTES {
            untold += 1;
        } else {
            text.push_str(&details);
        }
    }
    if untold > 0 {
        let _ = writeln!(
            text,
            "\nThe lines of {} do not fit into a comment: see `kubectl mage diff`.",
            plural(untold, "more block")
        );
    }
    text
}

/// Names the first fields that differ, by their last parts.
fn fields(diff: &JobDiff) -> String {
    let changes = &diff.difference.changes;
    if matches!(diff.difference.verdict, Verdict::New | Verdict::Gone) {
        return String::new();
    }
    let first = changes.iter().take(MOST_FIELDS).map(|change| cell(change.short()));
    let mut names: Vec<String> = first.collect();
    if changes.len() > names.len() {
        names.push(format!("{} more", changes.len() - names.len()));
    }
    names.join(", ")
}

fn details(diff: &JobDiff) -> String {
    let (target, verdict) = (html(&diff.target()), diff.difference.verdict.as_str());
    let summary = format!("\n<details><summary>{target}: {verdict}</summary>\n");
    let mut lines = Vec::new();
    for hunk in hunks(&diff.difference.lines) {
        lines.push(hunk.header);
        lines.extend(hunk.lines.iter().map(line));
    }
    let body = fenced(&harmless_lines(&lines, LONGEST_LINE), "diff");
    format!("{summary}{body}\n</details>\n")
}

/// Returns a text as one that HTML reads as text; between tags Markdown is not read.
fn html(text: &str) -> String {
    let mut escaped = String::new();
    for c in harmless_lines(&[text.replace('\n', " ")], LONGEST_LINE).concat().chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A blank of no width ends what would be a mention or a reference.
            '@' | '#' => {
                escaped.push(c);
                escaped.push('\u{200b}');
            }
            c => escaped.push(c),
        }
    }
    escaped
}

fn line(line: &Line) -> String {
    let sign = match line.mark {
        Mark::Both => ' ',
        Mark::Old => '-',
        Mark::New => '+',
    };
    match &line.origin {
        Some(origin) => format!("{sign}{}  # {origin}", line.text),
        None => format!("{sign}{}", line.text),
    }
}
