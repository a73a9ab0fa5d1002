//! What is shown, and the exit code that says whether anything differs.

use super::external::external;
use super::sides::Compared;
use crate::cli::{DiffOutput, environment};
use crate::commands::entry::{out, written};
use crate::diff::{diff_json, diff_markdown};
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Printer, diff_summary, diff_text, manifest};

/// Shows what was compared.
pub(super) fn show(
    compared: &Compared,
    output: DiffOutput,
    printer: Printer,
) -> Result<Exit, CliError> {
    let report = &compared.report;
    match output {
        DiffOutput::Diff => {
            if let Some(program) = std::env::var_os(environment::EXTERNAL_DIFF)
                && !program.is_empty()
            {
                return external(&program, compared, printer);
            }
            written(printer.painted(&diff_text(report, compared.names)))?;
            printer.notice(&report.summary.sentence());
        }
        DiffOutput::Summary => out(printer, &diff_summary(report))?,
        DiffOutput::Json => out(printer, &manifest::json(&diff_json(report)))?,
        DiffOutput::Markdown => out(printer, &diff_markdown(report))?,
    }
    Ok(if report.jobs.is_empty() { Exit::Fine } else { Exit::No })
}
