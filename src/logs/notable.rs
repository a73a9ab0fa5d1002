//! What Mage's own lines say that the end of a pod does not (pure): that a conditional said no, that
//! Mage tried the block again by itself, that a callback failed.

use super::mage::{Level, MageLine, last_error_line};

/// What a line says that people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notable {
    /// Mage's own attempt at the block failed (`mage_ai/shared/retry.py`).
    Attempt {
        /// Which, from 1.
        number: u32,
        /// How many there may be: `retries` and one.
        of: u32,
        /// What went wrong.
        error: String,
    },
    /// A callback failed, which changes nothing for Mage
    /// (`mage_ai/data_preparation/executors/block_executor.py: execute_callback`).
    Callback {
        /// Its uuid.
        name: String,
        /// `on_success` or `on_failure`.
        event: String,
        /// What went wrong.
        error: String,
    },
    /// A sensor looked and found nothing, and looks again in a minute
    /// (`mage_ai/data_preparation/models/block/__init__.py: SensorBlock`).
    Sensor,
}

impl Notable {
    /// Returns one word for it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Attempt { .. } => "MageRetry",
            Self::Callback { .. } => "CallbackFailed",
            Self::Sensor => "SensorWaiting",
        }
    }

    /// Says it in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Attempt { number, of, error } => {
                format!("Mage's attempt {number} of {of} inside the pod failed: {error}")
            }
            Self::Callback { name, event, error } => {
                format!("callback {name} ({event}) failed, which Mage passes over: {error}")
            }
            Self::Sensor => "the sensor does not see it yet and looks once a minute".to_owned(),
        }
    }
}

/// Why a block did not run: its conditional said no. Mage then ends with exit code 0 and writes no
/// data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FalseCondition {
    /// The conditional.
    pub conditional: Option<String>,
    /// Why it failed, which Mage takes for no.
    pub error: Option<String>,
}

impl FalseCondition {
    /// Returns one word for it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        if self.error.is_some() { "ConditionalFailed" } else { "ConditionFalse" }
    }

    /// Says it in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let name = self.conditional.as_deref().unwrap_or("block");
        match &self.error {
            Some(error) => format!("conditional {name} failed, which Mage takes for no: {error}"),
            None => format!("conditional {name} said no"),
        }
    }
}

/// What the lines of a block's log have said, taken one after the other.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    asked: FalseCondition,
    said_no: bool,
    finished: bool,
    waited: bool,
}

impl Listener {
    /// Takes in a line; tells what in it is news.
    pub fn take(&mut self, line: &MageLine, block: &str) -> Option<Notable> {
        let level = line.level?;
        let message = line.text.lines().next().unwrap_or_default();
        if level == Level::Info {
            self.listen(message, block);
            let waits = message == "Sensor sleeping for 1 minute...";
            return (waits && !std::mem::replace(&mut self.waited, true))
                .then_some(Notable::Sensor);
        }
        let error = || error(&line.text);
        if let Some(rest) =
            message.strip_prefix("Exception thrown when attempting to run <function ")
        {
            let (_, numbers) = rest.rsplit_once(">, attempt ")?;
            let (number, of) = numbers.split_once(" of ")?;
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            // The last attempt is the end of the pod, which tells of itself.
            return (number < of).then(|| Notable::Attempt { number, of, error: error() });
        }
        let rest = message.strip_prefix("Failed to execute ")?;
        if let Some(rest) = rest.strip_prefix("conditional block ") {
            let name = named(rest, block)?;
            self.asked = FalseCondition { conditional: Some(name), error: Some(error()) };
            return None;
        }
        let (event, rest) = rest.split_once(" callback block ")?;
        let (name, event) = (named(rest, block)?, event.to_owned());
        Some(Notable::Callback { name, event, error: error() })
    }

    /// Listens whether a conditional said no; what a block prints looks the same, but Mage says no
    /// more after it.
    fn listen(&mut self, message: &str, block: &str) {
        if let Some(rest) = message.strip_prefix("Conditional block ")
            && let Some((name, rest)) = rest.split_once(" evaluated as False for block ")
            && is(rest, block)
        {
            self.asked.conditional.get_or_insert_with(|| name.to_owned());
        } else if let Some(rest) = message.strip_prefix("Conditional block(s) returned false for ")
            && let Some((name, _)) = rest.split_once(". ")
            && is(name, block)
        {
            self.said_no = true;
        } else if message.starts_with("Finish executing block with ") {
            *self = Self { waited: self.waited, finished: true, ..Self::default() };
        }
    }

    /// Returns why the block did not run, if that is what its log says.
    #[must_use]
    pub fn false_condition(&self) -> Option<FalseCondition> {
        self.said_no.then(|| self.asked.clone())
    }

    /// Tells whether the log says that the block ran, or that a conditional kept it from that: with
    /// a `logging_config` of a level above INFO it says neither.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.said_no || self.finished
    }
}

/// Tells whether a name in Mage's words is that of a block run; a replica is called by its own name.
fn is(name: &str, block: &str) -> bool {
    name == block || block.split_once(':').is_some_and(|(own, _)| own == name)
}

/// Reads `NAME for block BLOCK.`.
fn named(text: &str, block: &str) -> Option<String> {
    let (name, of) = text.split_once(" for block ")?;
    is(of.trim_end_matches('.'), block).then(|| name.to_owned())
}

/// Returns what went wrong, in one line.
fn error(text: &str) -> String {
    let lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    last_error_line(&lines).unwrap_or_else(|| "the log tells more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{FalseCondition, Listener, Notable};
    use crate::logs::parse_line;

    fn line(level: &str, message: &str, error: &str) -> String {
        let error = if error.is_empty() {
            String::new()
        } else {
            format!(
                r#", "error": "Traceback (most recent call last):\n  File \"<string>\", line 3, in f\n{error}\n""#
            )
        };
        format!(r#"{level}:p/part/b:{{"block_uuid": "b", "message": "{message}"{error}}}"#)
    }

    fn listen(lines: &[String], block: &str) -> (Vec<Notable>, Option<FalseCondition>) {
        let mut listener = Listener::default();
        let news =
            lines.iter().filter_map(|line| listener.take(&parse_line(line), block)).collect();
        (news, listener.false_condition())
    }

    const NO: &str = "Conditional block(s) returned false for double. This block run and downstream blocks will be set as CONDITION_FAILED.";

    #[test]
    fn a_conditional_that_said_no_is_named() {
        let asked = "Conditional block is_empty evaluated as False for block double";
        let lines = [line("INFO", asked, ""), line("INFO", NO, "")];
        let (_, no) = listen(&lines, "double");
        let no = no.unwrap();
        assert_eq!(no.conditional.as_deref(), Some("is_empty"));
        assert_eq!(listen(&lines, "double:orig").1, Some(no));
        assert_eq!(listen(&lines, "other").1, None);
        // A block that prints the line has run.
        let finish = line("INFO", "Finish executing block with BlockExecutor.", "");
        assert_eq!(listen(&[lines[1].clone(), finish], "double").1, None);
        assert_eq!(listen(&[NO.to_owned()], "double").1, None);
    }

    #[test]
    fn a_conditional_that_failed_is_told_apart() {
        let failed = "Failed to execute conditional block broken for block double.";
        let lines =
            [line("ERROR", failed, "ZeroDivisionError: division by zero"), line("INFO", NO, "")];
        let no = listen(&lines, "double").1.unwrap();
        assert_eq!(no.reason(), "ConditionalFailed");
        assert_eq!(
            no.sentence(),
            "conditional broken failed, which Mage takes for no: ZeroDivisionError: division by zero"
        );
    }

    #[test]
    fn mages_own_retries_and_failed_callbacks_are_news() {
        let attempt = |n| {
            let message = format!(
                "Exception thrown when attempting to run <function BlockExecutor.execute.<locals>.__execute_with_retry at 0x7f>, attempt {n} of 3"
            );
            line("WARNING", &message, "ConnectionError: away")
        };
        let callback = "Failed to execute on_success callback block tell for block b.";
        let sleeping = line("INFO", "Sensor sleeping for 1 minute...", "");
        let lines = [
            attempt(1),
            attempt(2),
            attempt(3),
            line("ERROR", callback, "RuntimeError: no channel"),
            line("INFO", callback, ""),
            sleeping.clone(),
            sleeping,
        ];
        let news: Vec<String> = listen(&lines, "b")
            .0
            .iter()
            .map(|n| format!("{}: {}", n.reason(), n.sentence()))
            .collect();
        insta::assert_snapshot!(news.join("\n"), @"
        MageRetry: Mage's attempt 1 of 3 inside the pod failed: ConnectionError: away
        MageRetry: Mage's attempt 2 of 3 inside the pod failed: ConnectionError: away
        CallbackFailed: callback tell (on_success) failed, which Mage passes over: RuntimeError: no channel
        SensorWaiting: the sensor does not see it yet and looks once a minute
        ");
    }
}
