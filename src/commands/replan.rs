//! `resume --replan`: another plan, of the project as it is now.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::facts::Connected;
use super::guard::{Confirmation, confirm_if_asked};
use super::load::{Loaded, LoadedJob, Masked, Request, load_jobs};
use super::maker::{Naming, Widen};
use super::run::{STANDARD_VARS, plan, refuse_obstacles, runtime_vars};
use crate::cli::{ConfigArgs, ConnectionArgs, EditionChoice, NameValue, RecordedFlags, ResumeArgs};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::Secrets;
use crate::project::Missing;
use crate::run::{Adoption, Plan, RecordedRun, ReplanError, digests, prepare};
use crate::ui::{Printer, replan_text};

/// Compares the recorded plan with the project, shows the difference, asks where somebody can
/// answer, and puts the new plan in the place of the old; tells whether it did.
pub(super) fn replan(
    args: &ResumeArgs,
    connected: &Connected,
    run: &RecordedRun,
    adoption: &Adoption,
    printer: Printer,
) -> Result<bool, CliError> {
    let Project { plan: project, secrets, .. } = &of_project(args, run, printer)?;
    let Some(merged) = shown(run, adoption, (project, secrets), printer)? else {
        return Ok(false);
    };
    agreed(args, connected, &run.plan.pipeline, printer)?;
    let cluster = &connected.cluster;
    let merged = Plan { user: cluster.user().map(str::to_owned), ..merged };
    let replaced = connected.runtime.block_on(async {
        // An answer may take as long as it likes.
        if !run.is_still_held(cluster, adoption).await? {
            return Err(ReplanError::Meanwhile);
        }
        run.replace_plan(cluster, &merged).await
    });
    replaced.map_err(|error| match error {
        ReplanError::Cluster(error) => CliError::from(error),
        ReplanError::TooLarge(_) => CliError::usage(
            Problem::new(format!("{error}: nothing was changed"))
                .hint("go on without --replan, or run what is left anew with `kubectl mage run`"),
        ),
        ReplanError::Meanwhile => {
            let message = format!("{error}: run {} keeps the plan it has", run.run);
            CliError::new(Exit::Cluster, Problem::new(message).hint("try again"))
        }
    })?;
    printer.notice("the new plan is recorded");
    Ok(true)
}

/// Shows how the project differs from the plan of a run, and makes the plan that is gone on with;
/// none where nothing changes.
pub(super) fn shown(
    run: &RecordedRun,
    adoption: &Adoption,
    (project, secrets): (&Plan, &BTreeMap<String, Secrets>),
    printer: Printer,
) -> Result<Option<Plan>, CliError> {
    if run.plan.blocks.iter().any(|block| block.staged.is_some()) {
        let message = format!("run {} starts Jobs that were staged, and makes none anew", run.run);
        let hint = "change what is staged with `kubectl mage apply`, and go on without --replan";
        return Err(CliError::usage(Problem::new(message).hint(hint)));
    }
    let changes = run.changes(adoption, project, &digests(project, secrets));
    let merged = run.merged(adoption, project, &changes).map_err(|moved| {
        let hint = format!(
            "set the namespace back, or run the block there on the data of this run: kubectl mage run {}/{} --execution-partition kubectl-mage/{}",
            run.plan.pipeline, moved.block, run.run
        );
        CliError::usage(Problem::new(moved.to_string()).hint(hint))
    })?;
    printer.notice(&format!(
        "plan of run {}, as recorded (-) and as the project says now (+):",
        run.run
    ));
    printer.painted_notice(&replan_text(&changes, secrets));
    if merged.is_none() {
        printer.notice("nothing changes: the run goes on by the plan that is recorded");
    }
    Ok(merged)
}

/// Asks whether the plan may change, where somebody can answer or the context is protected.
pub(super) fn agreed(
    args: &ResumeArgs,
    connected: &Connected,
    pipeline: &str,
    printer: Printer,
) -> Result<(), CliError> {
    let wanted = Confirmation {
        what: "the pipeline's name",
        text: pipeline,
        nothing: "nothing was changed",
    };
    confirm_if_asked(&connected.cluster, args.yes, ("the plan changes", &wanted), printer)
}

/// What the project says of a run now.
pub(super) struct Project {
    pub(super) plan: Plan,
    /// What of its Jobs must not be shown, by block.
    pub(super) secrets: BTreeMap<String, Secrets>,
    pub(super) folder: String,
}

/// Makes the plan of the project as it is now, for the same targets.
pub(super) fn of_project(
    args: &ResumeArgs,
    run: &RecordedRun,
    printer: Printer,
) -> Result<Project, CliError> {
    let made = jobs_of_project((&args.config, &args.connection), run, printer)?;
    let JobsOfProject { loaded, jobs, flags } = &made;
    refuse_obstacles(jobs)?;
    let mut plan = plan(loaded, jobs, run.plan.pipeline.clone(), flags.written());
    prepare(&mut plan, &run.run);
    let folder = loaded.project_dir.display().to_string();
    Ok(Project { plan, secrets: secrets_of(jobs), folder })
}

/// The Jobs that the project makes for a run now.
pub(super) struct JobsOfProject {
    pub(super) loaded: Loaded,
    pub(super) jobs: Vec<LoadedJob>,
    /// The flags with which they were made.
    pub(super) flags: RecordedFlags,
}

/// Makes the Jobs of the project as it is now for the targets of a run, with its name and variables.
pub(super) fn jobs_of_project(
    (given, connection): (&ConfigArgs, &ConnectionArgs),
    run: &RecordedRun,
    printer: Printer,
) -> Result<JobsOfProject, CliError> {
    let flags = RecordedFlags::read(&run.plan.flags).ok_or_else(|| {
        let message = format!("the flags of run {} were recorded by another version", run.run);
        let hint = "use that version of kubectl-mage, or go on without --replan";
        CliError::usage(Problem::new(message).hint(hint))
    })?;
    let config = config(given, &flags, run)?;
    let mut targets = flags.targets.clone();
    if targets.is_empty() {
        targets.push(run.plan.pipeline.clone());
    }
    let vars = vars(&config, given, run);
    let naming = |_: &str| Naming::Run { run: run.run.to_string(), runtime_vars: vars.clone() };
    let request = Request {
        targets: &targets,
        args: &config,
        connection: &self::connection(connection, run),
        widen: Widen {
            upstream: flags.upstream,
            downstream: flags.downstream,
            skip_types: &flags.skip_type,
        },
        naming: &naming,
        missing_secret: Missing::Error,
        masked: Masked::Refused,
    };
    let (loaded, jobs) = load_jobs(&request, printer)?;
    let flags = RecordedFlags { targets: targets.clone(), config: config.clone(), ..flags };
    Ok(JobsOfProject { loaded, jobs, flags })
}

/// Learns what of each block's Job must not be shown.
pub(super) fn secrets_of(jobs: &[LoadedJob]) -> BTreeMap<String, Secrets> {
    let uuid = |job: &LoadedJob| job.job.block.clone().unwrap_or_else(|| job.job.pipeline.clone());
    jobs.iter().map(|job| (uuid(job), Secrets::of(&job.job))).collect()
}

/// The flags given over those recorded; the partition is where the run's data is.
fn config(
    given: &ConfigArgs,
    flags: &RecordedFlags,
    run: &RecordedRun,
) -> Result<ConfigArgs, CliError> {
    let mut config = given.over(&flags.config);
    config.var.extend(unrecorded_vars(&config, run));
    let partition = given.execution_partition.as_ref();
    if partition.is_some() && partition != config.execution_partition.as_ref() {
        let message = format!(
            "run {} keeps the partition in which the output of its finished blocks is",
            run.run
        );
        return Err(CliError::usage(Problem::new(message).hint("leave out --execution-partition")));
    }
    if config.edition == EditionChoice::Auto {
        config.edition = match run.plan.edition.as_str() {
            "oss" => EditionChoice::Oss,
            _ => EditionChoice::Pro,
        };
    }
    Ok(config)
}

/// The connection, with the namespace in which the Jobs of the run are.
fn connection(given: &ConnectionArgs, run: &RecordedRun) -> ConnectionArgs {
    let namespace = match run.plan.namespaces().as_slice() {
        [one] => Some(one.clone()),
        // Its blocks say themselves where each of them is.
        _ => None,
    };
    ConnectionArgs { namespace, ..given.clone() }
}

/// The variables with which the run began, its date among them, and those that are given now.
fn vars(config: &ConfigArgs, given: &ConfigArgs, run: &RecordedRun) -> String {
    let Some(mut vars) = run.vars.clone() else {
        return runtime_vars(config, &run.run, Timestamp::now());
    };
    for (name, value) in super::targets::variables(given) {
        vars[name] = value;
    }
    vars.to_string()
}

/// The variables given to `run` whose flags are not recorded, because they look secret: the Jobs
/// have them.
fn unrecorded_vars(config: &ConfigArgs, run: &RecordedRun) -> Vec<NameValue> {
    let known =
        |name: &str| STANDARD_VARS.contains(&name) || config.var.iter().any(|var| var.name == name);
    let vars = run.vars.iter().filter_map(Value::as_object).flatten();
    let pair = |(name, value): (&String, &Value)| NameValue {
        name: name.clone(),
        value: value.to_string(),
    };
    vars.filter(|(name, _)| !known(name)).map(pair).collect()
}
