//! What `run`, `resume` and `attach` share: the flags of a run, and showing it until it ends.

use std::io::{BufRead, IsTerminal};

use super::facts::Connected;
use crate::cli::{InterruptChoice, LogsChoice, RunOutput, environment};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::UserConfig;
use crate::run::{Begin, Logs, OnInterrupt, Options, Output, Plan, RunId, Signals, execute};
use crate::ui::{Printer, RunReporter};

/// Drives or watches a run to its end, and shows it.
pub(super) fn drive(
    connected: &Connected,
    plan: &Plan,
    run: &RunId,
    options: &Options,
    begin: Begin,
    printer: Printer,
) -> Result<Exit, CliError> {
    let (events, reporter) = RunReporter::start(printer, plan, run, options.output);
    let done = connected.runtime.block_on(async {
        let signals = Signals::listen().map_err(|error| {
            CliError::usage(Problem::new(format!("cannot listen for signals: {error}")))
        })?;
        let cluster = &connected.cluster;
        let outcome = execute(cluster, plan, run, options, begin, signals, events).await;
        outcome.map_err(CliError::from)
    });
    match done {
        Ok(outcome) => {
            reporter.finish(&outcome);
            Ok(outcome.exit)
        }
        Err(error) => {
            reporter.abandon();
            Err(error)
        }
    }
}

/// Refuses to change anything where the environment forbids it.
pub(super) fn refuse_readonly() -> Result<(), CliError> {
    if std::env::var(environment::READONLY).is_ok_and(|value| value == "1") {
        let problem = Problem::new(format!(
            "{}=1 forbids every command that changes a cluster",
            environment::READONLY
        ));
        return Err(CliError::usage(problem.hint("unset it, or look first with --dry-run")));
    }
    Ok(())
}

/// Returns what a signal does: on a terminal there is somebody to come back.
pub(super) fn on_interrupt(choice: Option<InterruptChoice>, printer: Printer) -> OnInterrupt {
    match choice {
        Some(InterruptChoice::Pause) => OnInterrupt::Pause,
        None if printer.stderr_is_terminal() => OnInterrupt::Pause,
        Some(InterruptChoice::Cancel) | None => OnInterrupt::Cancel,
    }
}

pub(super) fn logs(choice: LogsChoice) -> Logs {
    match choice {
        LogsChoice::All => Logs::All,
        LogsChoice::Failed => Logs::Failed,
        LogsChoice::None => Logs::None,
    }
}

pub(super) fn output(choice: RunOutput) -> Output {
    match choice {
        RunOutput::Text => Output::Text,
        RunOutput::Json => Output::Json,
    }
}

/// In a protected context, asks for the pipeline's name, or wants `--yes`.
pub(super) fn confirm(
    yes: bool,
    pipeline: &str,
    connected: &Connected,
    printer: Printer,
) -> Result<(), CliError> {
    let context = connected.cluster.context().unwrap_or_default();
    if yes || !UserConfig::read()?.protects(context) {
        return Ok(());
    }
    let refused = |what: &str| {
        let problem =
            Problem::new(format!("context {context} is protected and {what}: nothing was created"));
        Err(CliError::usage(problem.hint("pass --yes")))
    };
    if !std::io::stdin().is_terminal() {
        return refused("there is no terminal to ask at");
    }
    printer.notice(&format!("context {context} is protected; type the pipeline's name to go on:"));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_err() || answer.trim() != pipeline {
        return refused("the name typed is another");
    }
    Ok(())
}
