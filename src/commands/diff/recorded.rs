//! `--against run:RUN`.
use super::verb::Outcome;
use crate::cli::DiffArgs;
use crate::ui::Printer;

pub(super) fn against_run(_args: &DiffArgs, _run: &str, _printer: Printer) -> Outcome {
    Err(crate::error::CliError::usage(crate::error::Problem::new("later")))
}
