//! What every form of a report tells alike.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::run::{AttemptReport, BlockReport, Outcome};
use crate::ui::{for_terminal, headline_text};

/// A line longer than that is cut, in characters: a page is no place for a megabyte of JSON.
const LONGEST_LINE: usize = 2000;

/// Returns the run in one sentence.
pub(super) fn sentence(outcome: &Outcome) -> String {
    harmless(&headline_text(outcome))
}

/// Returns when the first Job was created, by the API server's clock.
pub(super) fn started(outcome: &Outcome) -> Option<Timestamp> {
    let created = outcome.blocks.iter().flat_map(|block| {
        block.started.into_iter().chain(block.history.iter().filter_map(|attempt| attempt.created))
    });
    created.min()
}

/// Returns when the last Job ended, by the API server's clock; none while one still goes on.
pub(super) fn ended(outcome: &Outcome) -> Option<Timestamp> {
    let begun = outcome.blocks.iter().filter(|block| block.started.is_some());
    begun.map(block_ended).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Returns when a block's Job ended.
pub(super) fn block_ended(block: &BlockReport) -> Option<Timestamp> {
    block.started?.checked_add(block.duration?).ok()
}

/// Returns how long an attempt waited for its container.
pub(super) fn waited(attempt: &AttemptReport) -> Option<SignedDuration> {
    between(attempt.created, attempt.started)
}

/// Returns how long an attempt's container ran.
pub(super) fn ran(attempt: &AttemptReport) -> Option<SignedDuration> {
    between(attempt.started, attempt.ended)
}

/// Returns the time from one to the other; the node's clock may be behind the server's.
fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<SignedDuration> {
    Some(to?.duration_since(from?).max(SignedDuration::ZERO))
}

/// Takes what could move, hide or reorder text out of it, and what XML cannot hold.
pub(super) fn harmless(text: &str) -> String {
    for_terminal(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Returns lines of a log, harmless and of bounded length.
pub(crate) fn lines(tail: &[String], longest: usize) -> Vec<String> {
    tail.iter().map(|line| shorten(&harmless(line), longest)).collect()
}

/// Returns lines of a log as most forms show them.
pub(super) fn last_lines(tail: &[String]) -> Vec<String> {
    lines(tail, LONGEST_LINE)
}

/// Cuts a text that is too long.
pub(super) fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// Returns a text without line ends.
pub(super) fn one_line(text: &str) -> String {
    harmless(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what Mage did inside of a block's pods that their ends do not tell, a sentence each.
pub(super) fn notes(block: &BlockReport) -> impl Iterator<Item = String> {
    block.history.iter().flat_map(|attempt| &attempt.notes).map(|note| one_line(note))
}

/// Returns the attempts that failed before the last one, which the block's own cause tells of.
pub(super) fn earlier_failures(block: &BlockReport) -> impl Iterator<Item = &AttemptReport> {
    let earlier = block.history.len().saturating_sub(1);
    block.history[..earlier].iter().filter(|attempt| attempt.cause.is_some())
}
