//! `run`
use crate::cli::RunArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::Printer;
pub(super) fn run(_: &RunArgs, _: &Printer) -> Result<Exit, CliError> { todo!() }
