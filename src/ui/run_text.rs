//! A run as plain lines (pure).

use std::fmt::Write;

use super::color::{Paint, block_name};
use super::sanitize::line_for_terminal;
use crate::logs::Level;
use crate::run::{BlockState, EventKind, RunEvent, RunState};

/// How lines are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// The width of the column of block names.
    pub(super) width: usize,
    /// Whether control characters must be made harmless.
    pub(super) harmless: bool,
    /// Whether the stream they go to takes colours, or drops them itself.
    pub(super) color: bool,
}

impl Style {
    fn safe(self, text: &str) -> String {
        if self.harmless { line_for_terminal(text).into_owned() } else { text.to_owned() }
    }

    fn paint(self, paint: Paint, text: &str) -> String {
        if self.color { paint.on(text) } else { text.to_owned() }
    }

    /// Renders a name in the colour of its block.
    fn name(self, block: &str, name: &str) -> String {
        let padded = format!("{:width$}", self.safe(name), width = self.width);
        if self.color { block_name(block, &padded) } else { padded }
    }
}

/// Renders what stands in front of a line of a log: a name of its block, and a bar.
pub(super) fn log_prefix(block: &str, name: &str, style: Style) -> String {
    format!("{} | ", style.name(block, name))
}

/// Renders what stands in front of what is said about a log, so that nobody takes it for a line.
pub(super) fn note_prefix(block: &str, name: &str, style: Style) -> String {
    format!("{} : ", style.name(block, name))
}

/// Renders a level as a word.
pub(super) fn level_word(level: Level, style: Style) -> String {
    match level {
        Level::Error => style.paint(Paint::Bad, "ERROR"),
        Level::Warning => style.paint(Paint::Warn, "WARNING"),
        Level::Info => "INFO".to_owned(),
        Level::Debug => style.paint(Paint::Dim, "DEBUG"),
    }
}

/// Renders a line of a log: the block, a bar, the text; a grave one says so in words.
pub(super) fn log_lines(event: &RunEvent, style: Style) -> String {
    let block = event.block.as_deref().unwrap_or_default();
    let prefix = log_prefix(block, block, style);
    let level = match event.kind {
        EventKind::Log(Some(level @ (Level::Error | Level::Warning))) => {
            format!("{} ", level_word(level, style))
        }
        _ => String::new(),
    };
    let text = event.message.as_deref().unwrap_or_default();
    let mut lines = String::new();
    for (index, line) in text.split('\n').enumerate() {
        let level = if index == 0 { level.as_str() } else { "" };
        let _ = writeln!(lines, "{prefix}{level}{}", style.safe(line));
    }
    lines
}

/// Renders any other event as one line, without its end; none for what needs no line.
pub(super) fn event_line(event: &RunEvent, style: Style) -> Option<String> {
    let message = event.message.as_deref().map(|text| style.safe(&text.replace('\n', " ")));
    let message = message.unwrap_or_default();
    let line = match event.kind {
        EventKind::Run(RunState::Started | RunState::Resumed | RunState::Attached) => {
            Paint::Strong.on(&message)
        }
        EventKind::Run(RunState::Cancelling) => Paint::Warn.on(&format!("cancelling: {message}")),
        // The summary says it.
        EventKind::Run(_) | EventKind::Log(_) => return None,
        EventKind::Notice => format!("{} {message}", Paint::Warn.on("notice:")),
        EventKind::Pod => format!("{}{}", note(event, style), pod_words(event, &message)),
        EventKind::Block(state) => {
            format!("{}{}", note(event, style), block_words(event, state, &message))
        }
    };
    Some(line)
}

fn note(event: &RunEvent, style: Style) -> String {
    let block = event.block.as_deref().unwrap_or_default();
    note_prefix(block, block, style)
}

fn pod_words(event: &RunEvent, message: &str) -> String {
    match (&event.pod, &event.reason) {
        (Some(pod), Some(reason)) => format!("pod/{pod}: {message} ({reason})"),
        (Some(pod), None) => format!("pod/{pod}: {message}"),
        _ => message.to_owned(),
    }
}

fn block_words(event: &RunEvent, state: BlockState, message: &str) -> String {
    let paint = paint(state);
    let word = paint.on(words(state));
    let reason = event.reason.as_deref().unwrap_or_default();
    match state {
        BlockState::Running => {
            let pod = event.pod.as_deref().unwrap_or_default();
            match event.attempt {
                Some(attempt) if attempt > 1 => format!("{word} in pod/{pod}, attempt {attempt}"),
                _ => format!("{word} in pod/{pod}"),
            }
        }
        BlockState::Created | BlockState::Complete => {
            let attempt = event.attempt.filter(|attempt| *attempt > 1);
            let attempt = attempt.filter(|_| state == BlockState::Created);
            let attempt = attempt.map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
            format!("{word} {message}{attempt}").trim_end().to_owned()
        }
        BlockState::Pending => format!("{word}: {reason}: {message}"),
        _ if message.is_empty() => word,
        _ => format!("{word}: {message}"),
    }
}

/// Returns the words for a state.
pub(crate) fn words(state: BlockState) -> &'static str {
    match state {
        BlockState::Waiting => "waiting",
        BlockState::Retrying => "trying again",
        BlockState::Created => "created",
        BlockState::Pending => "pending",
        BlockState::Running => "running",
        BlockState::Complete => "complete",
        BlockState::ConditionFalse => "condition false",
        BlockState::Failed => "failed",
        BlockState::TimedOut => "timed out",
        BlockState::CouldNotStart => "could not start",
        BlockState::Refused => "refused",
        BlockState::Gone => "gone",
        BlockState::Cancelled => "cancelled",
        BlockState::LeftRunning => "left running",
        BlockState::Skipped => "skipped",
        BlockState::NotStarted => "not started",
    }
}

/// Returns the colour of a state.
pub(super) fn paint(state: BlockState) -> Paint {
    match state {
        BlockState::Complete => Paint::Good,
        BlockState::Running | BlockState::Created => Paint::Active,
        BlockState::Retrying
        | BlockState::Pending
        | BlockState::Cancelled
        | BlockState::LeftRunning => Paint::Warn,
        BlockState::Failed
        | BlockState::TimedOut
        | BlockState::CouldNotStart
        | BlockState::Refused
        | BlockState::Gone => Paint::Bad,
        BlockState::Waiting
        | BlockState::ConditionFalse
        | BlockState::Skipped
        | BlockState::NotStarted => Paint::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::{Style, event_line, log_lines};
    use crate::logs::Level;
    use crate::run::{BlockState, EventKind, RunEvent};
    use std::sync::Arc;

    #[test]
    fn one_plain_line_an_event() {
        let load: Arc<str> = "load".into();
        let pod: Arc<str> = "p-1".into();
        let style = Style { width: 6, harmless: true, color: true };
        let block = |state| RunEvent::new(EventKind::Block(state)).block(&load);
        let events = [
            block(BlockState::Created).message("job.batch/j"),
            block(BlockState::Pending).reason("Unschedulable").message("0/1 nodes"),
            block(BlockState::Running).pod(&pod, 2),
            block(BlockState::Complete).message("after 3s"),
            block(BlockState::Failed).reason("OOMKilled").message("was killed"),
            block(BlockState::NotStarted),
            RunEvent::new(EventKind::Pod).block(&load).pod(&pod, 1).message("attempt 1 ended"),
            RunEvent::new(EventKind::Notice).message("no right"),
        ];
        let mut lines: Vec<String> =
            events.iter().filter_map(|event| event_line(event, style)).collect();
        let mut log = RunEvent::new(EventKind::Log(Some(Level::Error))).block(&load);
        log.message = Some("boom \u{1b}[2J\nValueError".to_owned());
        lines.push(log_lines(&log, style));
        let text = lines.join("\n");
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
        load   : created job.batch/j
        load   : pending: Unschedulable: 0/1 nodes
        load   : running in pod/p-1, attempt 2
        load   : complete after 3s
        load   : failed: was killed
        load   : not started
        load   : pod/p-1: attempt 1 ended
        notice: no right
        load   | ERROR boom 
        load   | ValueError
        ");
    }
}
