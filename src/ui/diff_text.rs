//! How Jobs differ, as `diff -u` writes it and as a table.

use std::fmt::Write as _;

use super::color::Paint;
use super::sanitize::line_for_terminal;
use super::table::{Headers, table};
use crate::diff::{Change, JobDiff, Line, Mark, Report, Verdict, hunks};

/// The column from which origins stand, where the line is not longer.
const COLUMN: usize = 56;
/// How many fields a row names.
const MOST_FIELDS: usize = 3;

/// Writes the lines that differ, Job by Job, with the place each value comes from behind it. `names` are
/// those of both sides.
#[must_use]
pub fn diff_text(report: &Report, names: [&str; 2]) -> String {
    let mut text = String::new();
    for diff in &report.jobs {
        let verdict = diff.difference.verdict.as_str();
        let title = format!(
            "diff {}: job.batch/{} in namespace {}: {verdict}",
            diff.target(),
            diff.name,
            diff.namespace
        );
        push(&mut text, Some(Paint::Strong), &title);
        push(&mut text, Some(Paint::Strong), &format!("--- {}/{}", names[0], diff.file()));
        push(&mut text, Some(Paint::Strong), &format!("+++ {}/{}", names[1], diff.file()));
        for hunk in hunks(&diff.difference.lines) {
            push(&mut text, Some(Paint::Active), &hunk.header);
            for line in hunk.lines {
                push_line(&mut text, line);
            }
        }
    }
    text
}

fn push(text: &mut String, paint: Option<Paint>, line: &str) {
    let line = line.replace('\n', " ");
    let line = line_for_terminal(&line);
    match paint {
        Some(paint) => text.push_str(&paint.on(&line)),
        None => text.push_str(&line),
    }
    text.push('\n');
}

fn push_line(text: &mut String, line: &Line) {
    let (sign, paint) = match line.mark {
        Mark::Both => (' ', None),
        Mark::Old => ('-', Some(Paint::Bad)),
        Mark::New => ('+', Some(Paint::Good)),
    };
    let mut whole = format!("{sign}{}", line.text);
    if let Some(origin) = &line.origin {
        let blanks = COLUMN.saturating_sub(console::measure_text_width(&whole)).max(1);
        let _ = write!(whole, "{:blanks$}# {origin}", "");
    }
    push(text, paint, &whole);
}

/// Writes a row for each Job that differs, and one sentence of all.
#[must_use]
pub fn diff_summary(report: &Report) -> String {
    let mut text = String::new();
    if !report.jobs.is_empty() {
        let row = |diff: &JobDiff| {
            vec![
                diff.target(),
                format!("job.batch/{}", diff.name),
                diff.difference.verdict.as_str().to_owned(),
                fields(diff),
            ]
        };
        let rows = report.jobs.iter().map(row).collect();
        text.push_str(&table(&["BLOCK", "JOB", "CHANGE", "FIELDS"], Headers::Shown, rows));
        text.push('\n');
    }
    for block in &report.summary.over_quota {
        let _ = writeln!(text, "{block} now asks for more than a whole quota has");
    }
    for pipeline in &report.summary.peak_over_quota {
        let _ = writeln!(
            text,
            "{pipeline}: its blocks at once now ask for more than a quota has, so some will wait"
        );
    }
    text.push_str(&report.summary.sentence());
    text.push('\n');
    text
}

fn fields(diff: &JobDiff) -> String {
    if matches!(diff.difference.verdict, Verdict::New | Verdict::Gone) {
        return String::new();
    }
    let changes = &diff.difference.changes;
    let mut names: Vec<&str> = changes.iter().take(MOST_FIELDS).map(Change::short).collect();
    let more = format!("{} more", changes.len() - names.len());
    if changes.len() > names.len() {
        names.push(&more);
    }
    names.join(", ")
}
