//! From the command line to an exit code.

use std::process::ExitCode;
use std::{env, io};

use super::pages::use_small_pages;
use super::parse::{Parsed, parse};
use super::{
    apply, cancel, completion, delete, diff, doctor, explain, graph, lint, prune, render, resume,
    run, runs, snapshot, status, tail, version, why,
};
use crate::cli::completion::asked;
use crate::cli::{ColorChoice, Command, OutputArgs, environment};
use crate::cluster::tell_requests;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::ui::{ColorWhen, Printer, Verbosity, end_at_a_defect};

/// Runs the program: parses the command line, runs the command, prints what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    end_at_a_defect();
    use_small_pages();
    if let Some(words) = asked(env::args_os()) {
        let printer = Printer::new(ColorWhen::Never, Verbosity::Quiet);
        return ended(completion::candidates(words, printer), printer);
    }
    match parse(env::args_os().collect()) {
        Ok(Parsed::Command(cli)) => {
            let printer = printer(&cli.output);
            if printer.tells_requests() {
                tell_requests(move |request| printer.detail(request));
            }
            ended(dispatch(&cli.command, printer), printer)
        }
        Ok(Parsed::Text(text)) => {
            // Help and the version are no errors; a closed pipe is nobody's fault.
            let _ = text.print();
            if text.use_stderr() { Exit::Usage.into() } else { Exit::Fine.into() }
        }
        Err(error) => ended(Err(error), Printer::new(ColorWhen::Auto, Verbosity::Normal)),
    }
}

fn ended(result: Result<Exit, CliError>, printer: Printer) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&error);
            error.exit.into()
        }
    }
}

fn printer(output: &OutputArgs) -> Printer {
    let color = match output.color {
        ColorChoice::Auto => ColorWhen::Auto,
        ColorChoice::Always => ColorWhen::Always,
        ColorChoice::Never => ColorWhen::Never,
    };
    let level = match output.verbose.as_slice() {
        [] => env::var(environment::RUST_LOG).map_or(0, |filter| level(&filter)),
        levels => levels.iter().fold(0, |sum: u8, level| sum.saturating_add(*level)),
    };
    let verbosity = match (output.quiet, level) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, ..REQUESTS) => Verbosity::Verbose,
        (false, _) => Verbosity::Requests,
    };
    Printer::new(color, verbosity)
}

/// From this `-v` on kubectl tells each request.
const REQUESTS: u8 = 6;

/// Returns the `-v` that a filter such as `kubectl_mage=debug,hyper=off` stands for.
fn level(filter: &str) -> u8 {
    let words =
        filter.split(',').map(|part| part.trim().rsplit_once('=').unwrap_or(("", part.trim())));
    let ours = words.filter(|(of, _)| of.is_empty() || of.starts_with("kubectl_mage"));
    let levels = ours.map(|(_, level)| match level.to_ascii_lowercase().as_str() {
        "debug" => 1,
        "trace" => REQUESTS,
        _ => 0,
    });
    levels.max().unwrap_or(0)
}

fn dispatch(command: &Command, printer: Printer) -> Result<Exit, CliError> {
    match command {
        Command::Render(args) => render::render(args, printer),
        Command::ExplainConfig(args) => explain::explain(args, printer),
        Command::Lint(args) => lint::lint(args, printer),
        Command::Diff(args) => diff::diff(args, printer),
        Command::Graph(args) => graph::graph(args, printer),
        Command::Apply(args) => apply::apply(args, printer),
        Command::Run(args) => run::run(args, printer),
        Command::Resume(args) => resume::resume(args, printer),
        Command::Attach(args) => resume::attach(args, printer),
        Command::Tail(args) => tail::tail(&args.logs, printer),
        Command::Logs(args) if args.follow => tail::tail(&args.logs, printer),
        Command::Logs(args) => tail::logs(&args.logs, printer),
        Command::Runs(args) => runs::runs(args, printer),
        Command::Status(args) => status::status(args, printer),
        Command::Why(args) => why::why(args, printer),
        Command::Cancel(args) => cancel::cancel(args, printer),
        Command::Delete(args) => delete::delete(args, printer),
        Command::Prune(args) => prune::prune(args, printer),
        Command::Snapshot(args) => snapshot::snapshot(args, printer),
        Command::Doctor(args) => doctor::doctor(args, printer),
        Command::Completion { shell, install: None } => completion::completion(*shell, printer),
        Command::Completion { shell, install: Some(folder) } => {
            completion::install(*shell, folder.as_deref(), printer)
        }
        Command::Version { output } => version::version(*output, printer),
    }
}

/// Writes data to stdout; a reader that went away ends the output quietly.
pub(super) fn out(printer: Printer, text: &str) -> Result<(), CliError> {
    written(printer.data(text))
}

/// Writes data that has links and colours of this program's own.
pub(super) fn styled_out(printer: Printer, text: &str) -> Result<(), CliError> {
    written(printer.styled_data(text))
}

/// Tells whether stdout took what was written; a reader that went away is no error.
pub(super) fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::usage(Problem::new(format!("cannot write to stdout: {error}"))))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn a_filter_of_rust_logs_stands_for_a_level() {
        assert_eq!(
            ["debug", "TRACE", "kubectl_mage=debug", "hyper=trace"].map(level),
            [1, 6, 1, 0]
        );
        assert_eq!(
            ["warn,kubectl_mage::cluster=trace", "info", "off", ""].map(level),
            [6, 0, 0, 0]
        );
    }
}
