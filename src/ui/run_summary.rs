//! The last text of a run (pure).

use std::fmt::Write;

use super::color::Paint;
use super::duration::duration;
use super::plural;
use super::run_text::words;
use super::sanitize::for_terminal;
use super::table::{Headers, table};
use crate::cluster::run_selector;
use crate::run::{BlockReport, BlockState, Outcome, RunState, Stop};

/// Renders the summary of a run, painted; control characters from outside are made harmless.
#[must_use]
pub fn render_summary(outcome: &Outcome) -> String {
    let mut text = String::from("\n");
    text.push_str(&block_table(outcome));
    for block in outcome.blocks.iter().filter(|block| block.state.went_wrong()) {
        text.push_str(&block_words(block));
    }
    text.push('\n');
    let _ = writeln!(text, "{}", headline(outcome));
    for line in next_steps(outcome) {
        let _ = writeln!(text, "{} {line}", Paint::Active.on("hint:"));
    }
    text
}

fn block_table(outcome: &Outcome) -> String {
    let rows = outcome
        .blocks
        .iter()
        .map(|block| {
            let took = block.duration.map_or_else(|| "-".to_owned(), duration);
            let attempts = match block.attempts {
                0 => "-".to_owned(),
                attempts => attempts.to_string(),
            };
            let cause = block.cause.as_ref().map(|cause| cause.sentence.clone());
            vec![
                for_terminal(&block.uuid).into_owned(),
                words(block.state).to_owned(),
                attempts,
                took,
                shorten(&for_terminal(&cause.unwrap_or_default()), 100),
            ]
        })
        .collect();
    table(&["BLOCK", "STATE", "ATTEMPTS", "DURATION", "CAUSE"], Headers::Shown, rows)
}

fn shorten(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

fn block_words(block: &BlockReport) -> String {
    let mut text = String::new();
    let cause = block.cause.clone().unwrap_or_default();
    let sentence = for_terminal(&cause.sentence).into_owned();
    let name = for_terminal(&block.uuid);
    let _ = writeln!(
        text,
        "\n{}",
        Paint::Bad.on(&format!("{name} {}: {sentence}", words(block.state)))
    );
    let _ = write!(text, "  job.batch/{} in namespace {}", block.job, block.namespace);
    if let Some(pod) = &block.pod {
        let _ = write!(text, ", pod/{pod}");
    }
    if !cause.reason.is_empty() {
        let _ = write!(text, ", reason {}", cause.reason);
    }
    if let Some(code) = cause.exit_code {
        let _ = write!(text, ", exit code {code}");
    }
    text.push('\n');
    for line in &block.tail {
        let _ = writeln!(text, "  | {}", for_terminal(line));
    }
    if let Some(hint) = &cause.hint {
        let _ = writeln!(text, "{} {}", Paint::Active.on("hint:"), for_terminal(hint));
    }
    text
}

/// Returns the run in one sentence, without colours.
pub(crate) fn headline_text(outcome: &Outcome) -> String {
    anstream::adapter::strip_str(&headline(outcome)).to_string()
}

fn headline(outcome: &Outcome) -> String {
    let count = |state| outcome.blocks.iter().filter(|block| block.state == state).count();
    let mut parts = vec![format!(
        "{} of {} complete",
        count(BlockState::Complete),
        plural(outcome.blocks.len(), "block")
    )];
    for state in [
        BlockState::ConditionFalse,
        BlockState::Failed,
        BlockState::CouldNotStart,
        BlockState::Refused,
        BlockState::Gone,
        BlockState::Retrying,
        BlockState::Skipped,
        BlockState::Cancelled,
        BlockState::LeftRunning,
        BlockState::NotStarted,
    ] {
        let blocks = count(state);
        if blocks > 0 {
            parts.push(format!("{blocks} {}", words(state)));
        }
    }
    let (paint, word) = match outcome.state {
        RunState::Complete => (Paint::Good, "is complete"),
        RunState::Failed => (Paint::Bad, "failed"),
        RunState::Paused => (Paint::Warn, "is paused"),
        RunState::Detached => (Paint::Good, "is driven in the cluster from here on"),
        RunState::Cancelled => (Paint::Warn, "is cancelled"),
        RunState::TimedOut => (Paint::Bad, "took longer than --timeout"),
        RunState::ContactLost => {
            (Paint::Bad, "is out of sight: contact with the API server is lost")
        }
        RunState::Left => (Paint::Warn, "is not touched, and goes on without you"),
        RunState::Started | RunState::Resumed | RunState::Attached | RunState::Cancelling => {
            (Paint::Active, "goes on")
        }
    };
    let by = match &outcome.stopped_by {
        Some(Stop::CancelledElsewhere) => ", by somebody else".to_owned(),
        Some(Stop::Replanned) => ": somebody gave it another plan".to_owned(),
        Some(Stop::Undriven) => ": nothing runs any more, and nobody drives it".to_owned(),
        Some(Stop::ContactLost(error)) => format!(" ({})", for_terminal(&error.to_string())),
        _ => String::new(),
    };
    let line = format!("run {} {word}{by}: {}", outcome.run, parts.join(", "));
    format!("{} in {}", paint.on(&line), duration(outcome.duration))
}

/// Returns the command that comes next after a run that is not complete, and what it does.
fn come_back(state: RunState) -> Option<(&'static str, &'static str)> {
    match state {
        RunState::Left | RunState::Detached => Some(("attach", "follow it again")),
        RunState::ContactLost => Some(("resume", "go on with it, once the API server is back")),
        RunState::Failed => Some(("resume", "try again what failed, and go on")),
        RunState::Paused | RunState::Cancelled | RunState::TimedOut => {
            Some(("resume", "go on with it"))
        }
        _ => None,
    }
}

fn next_steps(outcome: &Outcome) -> Vec<String> {
    let selector = run_selector(&outcome.run);
    let to =
        |verb: &str| format!("kubectl mage {verb} {} -n {}", outcome.run, outcome.plan_namespace);
    let mut namespaces: Vec<&str> =
        outcome.blocks.iter().map(|block| block.namespace.as_str()).collect();
    namespaces.dedup();
    let first = namespaces.first().copied().unwrap_or("default");
    let mut steps = Vec::new();
    if !outcome.remaining.is_empty() {
        steps.push(format!("still there: {}", outcome.remaining.join(", ")));
    }
    let running: Vec<&BlockReport> =
        outcome.blocks.iter().filter(|block| block.state == BlockState::LeftRunning).collect();
    for block in &running {
        steps.push(format!(
            "{} goes on: kubectl logs -f job/{} -n {}",
            block.uuid, block.job, block.namespace
        ));
    }
    let made = outcome.blocks.iter().any(|block| block.started.is_some());
    if outcome.state == RunState::Complete || !made {
        return steps;
    }
    if outcome.recorded {
        steps.extend(come_back(outcome.state).map(|(verb, what)| format!("{what}: {}", to(verb))));
    } else if !running.is_empty() || outcome.state == RunState::ContactLost {
        steps.push(format!("see it with: kubectl get jobs,pods -n {first} -l {selector}"));
    }
    if let Some(failed) =
        outcome.blocks.iter().find(|block| block.state == BlockState::Failed && block.pod.is_some())
    {
        steps.push(format!(
            "all of its log: kubectl logs job/{} -n {}",
            failed.job, failed.namespace
        ));
    }
    steps.push(format!("remove the run with: kubectl mage delete {} -n {first}", outcome.run));
    steps
}
