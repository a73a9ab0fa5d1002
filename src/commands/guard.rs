//! What stands before every change of a cluster: `KUBECTL_MAGE_READONLY` and protected contexts.

use std::io::{BufRead, IsTerminal};

use crate::cli::environment;
use crate::cluster::Cluster;
use crate::error::{CliError, Problem};
use crate::load::UserConfig;
use crate::ui::Printer;

/// Refuses a change where `KUBECTL_MAGE_READONLY=1`; `otherwise` is what can be done instead.
pub(super) fn refuse_readonly(otherwise: &str) -> Result<(), CliError> {
    if is_readonly() {
        let message =
            format!("{}=1 forbids every command that changes a cluster", environment::READONLY);
        return Err(CliError::usage(Problem::new(message).hint(otherwise)));
    }
    Ok(())
}

/// Tells whether nothing may be changed.
pub(super) fn is_readonly() -> bool {
    std::env::var(environment::READONLY).is_ok_and(|value| value == "1")
}

/// What is typed to confirm a change in a protected context.
pub(super) struct Confirmation<'a> {
    /// What the text is: `the pipeline's name`.
    pub(super) what: &'a str,
    /// The text.
    pub(super) text: &'a str,
    /// What has not been done when it is refused: `nothing was created`.
    pub(super) nothing: &'a str,
}

/// In a protected context, asks for the text, or wants `--yes`.
pub(super) fn confirm(
    cluster: &Cluster,
    yes: bool,
    wanted: &Confirmation<'_>,
    printer: Printer,
) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    match protection(cluster)? {
        Some(why) => ask(&why, wanted, printer),
        None => Ok(()),
    }
}

/// In a protected context does the same; elsewhere asks where there is a terminal to ask at.
pub(super) fn confirm_if_asked(
    cluster: &Cluster,
    yes: bool,
    (why, wanted): (&str, &Confirmation<'_>),
    printer: Printer,
) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    match protection(cluster)? {
        Some(why) => ask(&why, wanted, printer),
        None if std::io::stdin().is_terminal() => ask(why, wanted, printer),
        None => Ok(()),
    }
}

/// Says that the context is protected, where it is.
fn protection(cluster: &Cluster) -> Result<Option<String>, CliError> {
    let context = cluster.context().unwrap_or_default();
    let protects = UserConfig::read()?.protects(context);
    Ok(protects.then(|| format!("context {context} is protected")))
}

fn ask(why: &str, wanted: &Confirmation<'_>, printer: Printer) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(refused(why, "there is no terminal to ask at", wanted));
    }
    printer.notice(&format!("{why}; type {} to go on:", wanted.what));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_err() || answer.trim() != wanted.text {
        return Err(refused(why, "the name typed is another", wanted));
    }
    Ok(())
}

fn refused(why: &str, and: &str, wanted: &Confirmation<'_>) -> CliError {
    let message = format!("{why} and {and}: {}", wanted.nothing);
    CliError::usage(Problem::new(message).hint("pass --yes"))
}
