//! A run as Markdown, for a comment on a pull request.

use std::fmt::Write as _;

use super::told::{earlier_failures, lines, notes, one_line, ran, sentence, shorten, waited};
use crate::run::{BlockReport, BlockState, Outcome, Plan};
use crate::ui::{duration, words};

/// A comment on GitHub has room for 65536 characters.
const MOST_ROWS: usize = 100;
const MOST_CAUSES: usize = 10;
const MOST_NOTES: usize = 20;
const LONGEST_LINE: usize = 200;
const LONGEST_SENTENCE: usize = 300;

/// Writes the report.
pub(super) fn markdown(plan: &Plan, outcome: &Outcome) -> String {
    let mut text = format!("### {}: {}\n\n", cell(&plan.pipeline), cell(&sentence(outcome)));
    text.push_str(&table(outcome));
    let ill: Vec<&BlockReport> =
        outcome.blocks.iter().filter(|block| block.state.went_wrong()).collect();
    for block in ill.iter().take(MOST_CAUSES) {
        text.push_str(&cause(block));
    }
    if ill.len() > MOST_CAUSES {
        let _ = writeln!(text, "\n…and {} more that did not end well.", ill.len() - MOST_CAUSES);
    }
    let all = outcome.blocks.iter().flat_map(|block| notes(block).map(|note| (&block.uuid, note)));
    for (block, note) in all.take(MOST_NOTES) {
        let _ = writeln!(text, "\n**{}**: {}", cell(block), cell(&note));
    }
    for left in &outcome.remaining {
        let _ = writeln!(text, "\nStill there: {}", cell(left));
    }
    text
}

fn table(outcome: &Outcome) -> String {
    let mut shown: Vec<&BlockReport> = outcome.blocks.iter().collect();
    if shown.len() > MOST_ROWS {
        shown.retain(|block| block.state != BlockState::Complete);
        shown.truncate(MOST_ROWS);
    }
    let mut text = String::from(
        "| Block | State | Attempts | Waited | Ran | Cause |\n| --- | --- | ---: | ---: | ---: | --- |\n",
    );
    for block in &shown {
        let last = block.history.last();
        let spelled = |time| duration_or_dash(time);
        let cause = block.cause.as_ref().map(|cause| cell(&cause.sentence)).unwrap_or_default();
        let attempts = match block.attempts {
            0 => "-".to_owned(),
            attempts => attempts.to_string(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {attempts} | {} | {} | {cause} |",
            cell(&block.uuid),
            words(block.state),
            spelled(last.and_then(waited)),
            spelled(last.and_then(ran)),
        );
    }
    let hidden = outcome.blocks.len() - shown.len();
    if hidden > 0 {
        let _ = writeln!(text, "\n{hidden} more blocks are not listed.");
    }
    text
}

fn duration_or_dash(time: Option<k8s_openapi::jiff::SignedDuration>) -> String {
    time.map_or_else(|| "-".to_owned(), duration)
}

fn cause(block: &BlockReport) -> String {
    let cause = block.cause.clone().unwrap_or_default();
    let name = cell(&block.uuid);
    let mut text = format!("\n**{name} {}**: {}", words(block.state), cell(&cause.sentence));
    if let Some(code) = cause.exit_code.filter(|_| !cause.sentence.contains("exit code")) {
        let _ = write!(text, " (exit code {code})");
    }
    let _ =
        write!(text, "\njob.batch/{} in namespace {}\n", cell(&block.job), cell(&block.namespace));
    for attempt in earlier_failures(block) {
        let sentence = attempt.cause.as_ref().map(|cause| cell(&cause.sentence));
        let _ = writeln!(text, "\nAttempt {}: {}", attempt.number, sentence.unwrap_or_default());
    }
    if let Some(hint) = &cause.hint {
        let _ = writeln!(text, "\nHint: {}", cell(hint));
    }
    if !block.tail.is_empty() {
        text.push_str(&fenced(&lines(&block.tail, LONGEST_LINE), "text"));
    }
    text
}

/// Returns lines between fences longer than any in them.
pub(crate) fn fenced(lines: &[String], language: &str) -> String {
    let longest =
        lines.iter().flat_map(|line| line.split(|c| c != '`').map(str::len)).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("\n{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// Returns a text as one that Markdown reads as text: nothing of it is markup, leaves its cell,
/// calls a person or links to an issue.
pub(crate) fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for c in shorten(&one_line(text), LONGEST_SENTENCE).chars() {
        match c {
            // A blank of no width ends what would be a mention or a reference.
            '@' | '#' => {
                escaped.push(c);
                escaped.push('\u{200b}');
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
