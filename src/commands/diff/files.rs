//! `--against rev:`, `edition:`, `env:` and `snapshot:`: both sides are made of files.

use std::collections::BTreeMap;

use super::before::Before;
use super::quotas::quotas;
use super::sides::{Comparing, Kept, Key, Secrecy};
use super::verb::{Outcome, against, refuse_jobs};
use crate::cli::{Against, ConfigArgs, DiffArgs};
use crate::commands::facts::{Connected, connect_for_facts};
use crate::commands::load::{Absent, Masked, Request, load_what_is_there};
use crate::commands::maker::{Naming, Widen};
use crate::commands::targets::{pipelines, selection};
use crate::error::{CliError, Problem};
use crate::load::{ClusterFacts, find_project, read_server_env};
use crate::project::Missing;
use crate::ui::Printer;

/// Compares the project with itself as it was, or as it would be.
pub(super) fn against_files(args: &DiffArgs, printer: Printer) -> Outcome {
    refuse_jobs(args)?;
    let project = find_project(args.config.project.as_deref())?;
    let before = Before::of(args, &project, printer)?;
    let targets = targets(args, &project, &before)?;
    let env = read_server_env(&args.config)?;
    let (facts, connected, notices) = connect_for_facts(&args.config, &args.connection, &env)?;
    let mut old = old_side(args, &before, &targets, &facts, printer)?;
    let mut comparing = Comparing::new(against(args), ["BEFORE", "NOW"]);
    let secrecy = Secrecy::of(args.show_secrets);
    let request = request(args, &args.config, &targets);
    // A target that both sides lack is a mistake, one that only the old side has is gone.
    let is_in_old = |target: &String| match target.split_once('/') {
        Some((pipeline, block)) => old.contains_key(&(pipeline.to_owned(), Some(block.to_owned()))),
        None => old.keys().any(|(pipeline, _)| pipeline == target),
    };
    let all_known = args.targets.iter().all(is_in_old);
    let absent = if all_known { Absent::LeftOut } else { Absent::Refused };
    load_what_is_there((env, &facts, notices), &request, absent, printer, &mut |making, job| {
        let new = Kept::of(making, &job, secrecy);
        comparing.kept(old.remove(&new.key).as_ref(), Some(&new));
    })?;
    for gone in old.values() {
        comparing.kept(Some(gone), None);
    }
    if targets.iter().all(|target| !target.contains('/')) {
        let quotas = quotas(&facts, connected.as_ref(), &comparing.namespaces());
        comparing.weigh(&quotas);
    }
    let pipelines: Vec<String> =
        selection(&targets, &project)?.into_iter().map(|one| one.0).collect();
    Ok(comparing.end(&pipelines))
}

/// Returns the targets; without any, every pipeline of either side.
fn targets(
    args: &DiffArgs,
    project: &std::path::Path,
    before: &Before,
) -> Result<Vec<String>, CliError> {
    if !args.targets.is_empty() {
        return Ok(args.targets.clone());
    }
    let mut all = pipelines(project);
    if let Some(at) = &before.at {
        all.extend(pipelines(&at.project));
    }
    all.sort();
    all.dedup();
    if all.is_empty() {
        let problem = Problem::new(format!("{} has no pipelines", project.display()));
        let hint = "a pipeline is a folder in pipelines/ with a metadata.yaml";
        return Err(CliError::usage(problem.hint(hint)));
    }
    Ok(all)
}

fn request<'a>(args: &'a DiffArgs, config: &'a ConfigArgs, targets: &'a [String]) -> Request<'a> {
    Request {
        targets,
        args: config,
        connection: &args.connection,
        widen: Widen::default(),
        naming: &|_| Naming::Target,
        missing_secret: Missing::Placeholder,
        masked: Masked::Shown,
    }
}

type Jobs = BTreeMap<Key, Kept>;

/// Makes the Jobs of the old side. At a revision, what cannot be made is told and counts as not there,
/// so that whoever repairs it sees what becomes of the rest.
fn old_side(
    args: &DiffArgs,
    before: &Before,
    targets: &[String],
    facts: &ClusterFacts,
    printer: Printer,
) -> Result<Jobs, CliError> {
    if !before.has_project() {
        let what = against(args);
        printer.notice(&format!("there is no project at {what}: every block is new"));
        return Ok(Jobs::new());
    }
    let anew: Option<(ClusterFacts, Option<Connected>, Vec<String>)> = if before.asks_anew {
        let env = read_server_env(&before.config)?;
        Some(connect_for_facts(&before.config, &args.connection, &env)?)
    } else {
        None
    };
    let facts = anew.as_ref().map_or(facts, |(facts, ..)| facts);
    let error = match made(args, before, targets, facts, printer) {
        Ok(jobs) => return Ok(jobs),
        Err(error) => error,
    };
    let mut jobs = Jobs::new();
    let mut failed = Vec::new();
    for target in targets.iter().filter(|_| matches!(args.against, Against::Revision(_))) {
        match made(args, before, std::slice::from_ref(target), facts, printer) {
            Ok(more) => jobs.extend(more),
            Err(error) => failed.push((target, error)),
        }
    }
    if jobs.is_empty() {
        return Err(labelled(error, args));
    }
    for (target, error) in failed {
        let message = format!("{target} cannot be made at {}, and counts as new", against(args));
        printer.problem_warning(&Problem::new(message));
        for problem in &labelled(error, args).problems {
            printer.problem_warning(problem);
        }
    }
    Ok(jobs)
}

fn made(
    args: &DiffArgs,
    before: &Before,
    targets: &[String],
    facts: &ClusterFacts,
    printer: Printer,
) -> Result<Jobs, CliError> {
    let request = request(args, &before.config, targets);
    let secrecy = Secrecy::of(args.show_secrets);
    let mut jobs = Jobs::new();
    let env = read_server_env(&before.config)?;
    let given = (env, facts, Vec::new());
    load_what_is_there(given, &request, Absent::LeftOut, printer.hushed(), &mut |making, job| {
        let kept = Kept::of(making, &job, secrecy);
        jobs.insert(kept.key.clone(), kept);
    })?;
    Ok(jobs)
}

/// Says of which side an error is.
fn labelled(mut error: CliError, args: &DiffArgs) -> CliError {
    for problem in &mut error.problems {
        problem.message = format!("at {}: {}", against(args), problem.message);
    }
    error
}
