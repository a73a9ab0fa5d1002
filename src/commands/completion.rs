//! `completion`

use super::entry::out;
use crate::cli::CompletionShell;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Prints a completion script.
pub(super) fn completion(shell: CompletionShell, printer: Printer) -> Result<Exit, CliError> {
    out(printer, &crate::cli::completion::script(shell))?;
    Ok(Exit::Fine)
}
