//! What stands before every change of a cluster: `KUBECTL_MAGE_READONLY` and protected contexts.

use std::io::{BufRead, IsTerminal};

use crate::cli::environment;
use crate::cluster::Cluster;
use crate::error::{CliError, Problem};
use crate::load::UserConfig;
use crate::ui::Printer;

/// Refuses a change where `KUBECTL_MAGE_READONLY` is set; `otherwise` is what can be done instead.
pub(super) fn refuse_readonly(otherwise: &str) -> Result<(), CliError> {
    let Some(setting) = readonly() else { return Ok(()) };
    let message = format!("{setting} forbids every command that changes a cluster");
    Err(CliError::usage(Problem::new(message).hint(otherwise)))
}

/// Returns the setting by which nothing may be changed, as `NAME=VALUE`, if it is in force.
pub(super) fn readonly() -> Option<String> {
    let value = std::env::var_os(environment::READONLY)?;
    let value = value.to_string_lossy();
    is_on(&value).then(|| format!("{}={value}", environment::READONLY))
}

/// Tells whether a switch for safety is on: it is unless its value says that it is not.
fn is_on(value: &str) -> bool {
    !["", "0", "false", "no", "off"].iter().any(|off| value.eq_ignore_ascii_case(off))
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
    printer.question(&format!("{why}; type {} to go on:", wanted.what));
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

#[cfg(test)]
mod tests {
    use super::is_on;

    #[test]
    fn what_does_not_say_off_is_on() {
        for value in ["", "0", "false", "False", "NO", "off"] {
            assert!(!is_on(value), "{value}");
        }
        for value in ["1", "true", "yes", "on", " ", "00", "falsch", "\u{fffd}"] {
            assert!(is_on(value), "{value}");
        }
    }
}
