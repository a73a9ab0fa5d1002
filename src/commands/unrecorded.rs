//! `resume` of a run whose plan could not be recorded: the project makes it anew.

use super::facts::Connected;
use super::replan::{Project, agreed, of_project, shown};
use super::resume::explain;
use crate::cli::{RecordedFlags, ResumeArgs};
use crate::error::{CliError, Problem};
use crate::load::find_project;
use crate::run::{Adoption, Differs, Outline, Plan, RecordedRun, Retrying, digests};
use crate::ui::{Printer, plural};

/// How many blocks an error names.
const NAMED: usize = 10;

/// Makes the plan of a run anew of the project, and finds out how its blocks stand by that.
pub(super) fn take_over(
    args: &ResumeArgs,
    connected: &Connected,
    run: RecordedRun,
    me: &str,
    printer: Printer,
) -> Result<(RecordedRun, Adoption), CliError> {
    let Some(outline) = run.outline.clone() else {
        return Err(CliError::usage(Problem::new(format!("run {} has no plan", run.run))));
    };
    if args.driver.detach {
        let message = format!(
            "no driver in the cluster can go on with run {}: its plan is not recorded",
            run.run
        );
        return Err(CliError::usage(Problem::new(message).hint("leave out --detach")));
    }
    let project = project_of(args, &run, &outline, printer)?;
    let now = digests(&project.plan, &project.secrets);
    let differences = outline.differences(&now);
    if !args.replan && !differences.is_empty() {
        return Err(other_project(&run, &outline, &differences));
    }
    let run = run.with_jobs(&project.plan);
    let adopt = |run: &RecordedRun| {
        let adopting = run.adopt(&connected.cluster, me.to_owned(), None, Retrying::Failed);
        connected.runtime.block_on(adopting).map_err(|error| explain(error, run))
    };
    let adoption = adopt(&run)?;
    if !args.replan {
        return Ok((run, adoption));
    }
    let parts = (&project.plan, &project.secrets);
    let Some(merged) = shown(&run, &adoption, parts, printer)? else {
        return Ok((run, adoption));
    };
    agreed(args, connected, &run.plan.pipeline, printer)?;
    let merged = Plan {
        user: connected.cluster.user().map(str::to_owned),
        flags: RecordedFlags::without_secrets(&merged.flags),
        ..merged
    };
    let run = run.replanned(merged, &project.plan, now, project.folder);
    let adoption = adopt(&run)?;
    Ok((run, adoption))
}

/// Makes the plan of the project, or says which project is wanted.
fn project_of(
    args: &ResumeArgs,
    run: &RecordedRun,
    outline: &Outline,
    printer: Printer,
) -> Result<Project, CliError> {
    let began = began(outline);
    if find_project(args.config.project.as_deref()).is_err() {
        let message = format!(
            "the plan of run {} is not recorded, so the project is needed to go on, and there is none here",
            run.run
        );
        let hint = format!("the run began in {began}: go there, or name it with --project DIR");
        return Err(CliError::usage(Problem::new(message).hint(hint)));
    }
    of_project(args, run, printer).map_err(|mut error| {
        if let Some(problem) = error.problems.last_mut() {
            let hint = format!("run {} began in {began}, with: {}", run.run, flags(outline));
            *problem = problem.clone().hint(hint);
        }
        error
    })
}

/// Says where a run began.
fn began(outline: &Outline) -> String {
    let revision = outline.plan.revision.as_ref();
    let revision = revision.map(|revision| format!(" at git revision {revision}"));
    format!("{}{}", outline.project, revision.unwrap_or_default())
}

fn flags(outline: &Outline) -> String {
    outline.plan.flags.join(" ")
}

/// Says how the project differs from what the run began with.
fn other_project(
    run: &RecordedRun,
    outline: &Outline,
    differences: &[(String, Differs)],
) -> CliError {
    let word = |differs: Differs| match differs {
        Differs::Changed => "is planned otherwise",
        Differs::New => "is new",
        Differs::Gone => "is gone",
    };
    let mut told: Vec<String> = differences
        .iter()
        .take(NAMED)
        .map(|(block, differs)| format!("{block} {}", word(*differs)))
        .collect();
    if differences.len() > NAMED {
        told.push(format!("and {} more", plural(differences.len() - NAMED, "block")));
    }
    let message = format!(
        "the plan of run {} is not recorded, and the project is not what it began with: {}",
        run.run,
        told.join(", ")
    );
    let problem = Problem::new(message)
        .hint(format!(
            "go on with the project as it was: the run began in {}, with: {}",
            began(outline),
            flags(outline)
        ))
        .hint("or go on by the project as it is now with --replan: what has ended or runs is kept");
    CliError::usage(problem)
}
