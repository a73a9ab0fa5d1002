//! `doctor`

use super::doctor_facts::Gathered;
use super::entry::{out, written};
use crate::cli::{DoctorArgs, DoctorOutput};
use crate::doctor::{Facts, Need, missing_roles, report};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::ui::{Doctored, Headers, Printer, Width, doctor_json, doctor_text, manifest};

/// Checks whether everything is there that a run needs.
pub(super) fn doctor(args: &DoctorArgs, printer: Printer) -> Result<Exit, CliError> {
    let gathered = Gathered::read(args)?;
    let facts = gathered.facts();
    let report = report(&facts);
    let need = if args.optional { Need::Optional } else { Need::Required };
    let roles = match gathered.identity() {
        Some(who) => missing_roles(&facts.rights, who, need),
        None => Vec::new(),
    };
    let give = facts.asked.give();
    // Who asks for rights alone asks about rights alone.
    let exit = match (args.output, report.exit) {
        (DoctorOutput::Role, Exit::No) if !is_missing(&facts) => Exit::Fine,
        (_, exit) => exit,
    };
    let headers = if args.no_headers { Headers::Hidden } else { Headers::Shown };
    let doctored = Doctored { report: &report, rights: &facts.rights, roles: &roles, give: &give };
    match args.output {
        DoctorOutput::Table | DoctorOutput::Wide => {
            let width = if args.output == DoctorOutput::Wide { Width::Wide } else { Width::Narrow };
            let terminal = printer.stdout_is_terminal();
            written(printer.painted(&doctor_text(&doctored, width, headers, terminal)))?;
        }
        DoctorOutput::Json => out(printer, &manifest::json(&doctor_json(&doctored)))?,
        DoctorOutput::Yaml => out(printer, &manifest::yaml(&doctor_json(&doctored)))?,
        DoctorOutput::Role if facts.rights.is_empty() => {
            let why = report.checks.iter().find(|check| check.id == "cluster");
            let why = why.map(|check| check.sentence.clone()).unwrap_or_default();
            let problem = Problem::new(format!("it is not known which rights are missing: {why}"));
            let exit = if exit == Exit::Fine { Exit::Cluster } else { exit };
            return Err(CliError::new(exit, problem.hint("see `kubectl mage doctor`")));
        }
        DoctorOutput::Role if roles.is_empty() => printer.notice("no right is missing"),
        DoctorOutput::Role => {
            let documents: Vec<String> = roles.iter().map(manifest::yaml).collect();
            out(printer, &documents.join("---\n"))?;
        }
    }
    Ok(exit)
}

/// Tells whether a right is missing that a command cannot do without.
fn is_missing(facts: &Facts<'_>) -> bool {
    facts.rights.iter().any(|answered| answered.is_missing(Need::Required))
}
