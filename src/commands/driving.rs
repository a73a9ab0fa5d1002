//! What `run`, `resume` and `attach` share: the flags of a run, and showing it until it ends.

use super::facts::{Connected, listen};
use super::keeping::Reports;
use super::pages::use_small_pages;
use crate::cli::{InterruptChoice, LogsChoice, RunOutput};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::run::{Begin, Logs, OnInterrupt, Options, Output, Plan, RunId, Stop, execute};
use crate::ui::{Printer, RunReporter};

/// Drives a run to its end, and shows it.
pub(super) fn drive(
    connected: &Connected,
    plan: &Plan,
    run: &RunId,
    options: &Options,
    begin: Begin,
    reports: &Reports,
    printer: Printer,
) -> Result<Exit, CliError> {
    follow(connected, plan, run, options, begin, reports, printer)?.ok_or_else(|| {
        let problem = Problem::new(format!("somebody gave run {run} another plan and drives it"));
        let namespace = plan.namespaces().into_iter().next().unwrap_or_default();
        let hint = format!("follow it with `kubectl mage attach {run} -n {namespace}`");
        CliError::new(Exit::Cluster, problem.hint(hint))
    })
}

/// Drives or watches a run to its end, and shows it; returns none when it has another plan now.
pub(super) fn follow(
    connected: &Connected,
    plan: &Plan,
    run: &RunId,
    options: &Options,
    begin: Begin,
    reports: &Reports,
    printer: Printer,
) -> Result<Option<Exit>, CliError> {
    use_small_pages();
    let (events, reporter) = RunReporter::start(printer, plan, run, options.output);
    let done = connected.runtime.block_on(async {
        let signals = listen()?;
        let cluster = &connected.cluster;
        let outcome = execute(cluster, plan, run, options, begin, signals, events).await;
        outcome.map_err(CliError::from)
    });
    match done {
        Ok(outcome) if matches!(outcome.stopped_by, Some(Stop::Replanned)) => {
            reporter.abandon();
            Ok(None)
        }
        Ok(outcome) => {
            reporter.finish(&outcome);
            reports.write(plan, &outcome, printer);
            Ok(Some(outcome.exit))
        }
        Err(error) => {
            reporter.abandon();
            Err(error)
        }
    }
}

/// Returns what a signal does: on a terminal there is somebody to come back.
pub(super) fn on_interrupt(choice: Option<InterruptChoice>, printer: Printer) -> OnInterrupt {
    match choice {
        Some(InterruptChoice::Detach) => OnInterrupt::Detach,
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
