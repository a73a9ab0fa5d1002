//! `run`

use std::num::NonZeroUsize;

use k8s_openapi::jiff::{Timestamp, tz::TimeZone};
use serde_json::json;

use super::detach;
use super::driving::{drive, logs, on_interrupt, output};
use super::facts::{Connected, connect};
use super::guard::{Confirmation, confirm, refuse_readonly};
use super::keeping::{Reports, log_folder};
use super::load::{Distinct, Loaded, LoadedJob, Masked, Request, load_jobs};
use super::maker::{Naming, Widen, problems};
use super::replan::secrets_of;
use super::staged::take_staged;
use super::targets::{pipelines, variables};
use crate::cli::{ConfigArgs, RecordedFlags, RunArgs};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::lint::policy_conflicts;
use crate::load::{find_project, git_state};
use crate::project::Missing;
use crate::run::{
    Begin, Failure, Options, Outline, PackedPlan, Plan, PlannedBlock, RunId, Surroundings,
    critical_path, digests, identity, preamble, prepare,
};
use crate::ui::Printer;

/// Runs a pipeline, or the blocks named.
pub(super) fn run(args: &RunArgs, printer: Printer) -> Result<Exit, CliError> {
    if !args.dry_run {
        refuse_readonly("unset it, or look first with --dry-run")?;
    }
    refuse_what_cannot_be(&args.config, "run")?;
    let driver = detach::driver(&args.driver, args.on_interrupt)?;
    if args.staged && driver.is_some() {
        let problem = Problem::new("a driver in the cluster may not start what is staged");
        return Err(CliError::usage(problem.hint("leave --staged or --on-interrupt=detach out")));
    }
    let reports = Reports::of(&args.keeping)?;
    let pipeline = pipeline_of(&args.targets, &args.config)?;
    let run = RunId::fresh(&pipeline);
    let widen =
        Widen { upstream: args.upstream, downstream: args.downstream, skip_types: &args.skip_type };
    let vars = runtime_vars(&args.config, &run, Timestamp::now());
    let naming = |_: &str| {
        // What is staged is found by the names that `apply` gave it.
        if args.staged {
            return Naming::Target;
        }
        Naming::Run { run: run.to_string(), runtime_vars: vars.clone() }
    };
    let request = Request {
        targets: &args.targets,
        args: &args.config,
        connection: &args.connection,
        widen,
        naming: &naming,
        missing_secret: Missing::Error,
        masked: Masked::Refused,
    };
    let (mut loaded, jobs) = load_jobs(&request, printer)?;
    refuse_obstacles(&jobs)?;
    if args.strict_policy {
        refuse_policy_conflicts(&jobs)?;
    }
    let connected = match loaded.connected.take() {
        Some(connected) => connected,
        None => connect(&args.connection)?,
    };
    let mut options = Options { driver: driver.clone(), ..options(args, &loaded, printer) };
    let mut plan = plan(&loaded, &jobs, pipeline, RecordedFlags::of(args));
    plan.user = connected.cluster.user().map(str::to_owned);
    if args.staged {
        take_staged(&mut plan, &jobs, &connected, printer)?;
    }
    prepare(&mut plan, &run);
    let packed = pack(&plan, &run, &options)?.outlined(&outline(&plan, &loaded, &jobs, &options));
    warn_of_missing_upstream(args, &jobs, printer);
    for difference in jobs.iter().flat_map(|job| &job.differences) {
        printer.problem_warning(difference);
    }
    tell_preamble(args, &plan, &loaded, &connected, &options, printer);
    if args.dry_run {
        return Ok(Exit::Fine);
    }
    // What explains the Jobs is as large as they are, and a run may take a day.
    drop((loaded, jobs));
    options.log_folder = log_folder(&args.keeping, Some(&plan), printer)?;
    let wanted = Confirmation {
        what: "the pipeline's name",
        text: &plan.pipeline,
        nothing: "nothing was created",
    };
    confirm(&connected.cluster, args.yes, &wanted, printer)?;
    if let Some(driver) = &driver {
        let namespaces = plan.namespaces();
        let home = namespaces.first().map(String::as_str).unwrap_or_default();
        detach::ensure_rights(&connected, &args.driver, home, &namespaces, printer)?;
        if args.driver.detach {
            return detach::begin(&connected, &plan, &run, &packed, driver, &options, printer);
        }
    }
    let user = connected.cluster.user();
    let begin = Begin::Fresh(packed, identity(user));
    drive(&connected, &plan, &run, &options, begin, &reports, printer)
}

/// Packs the plan as it will be recorded.
fn pack(plan: &Plan, run: &RunId, options: &Options) -> Result<PackedPlan, CliError> {
    PackedPlan::of(plan, run, options).map_err(|error| {
        let problem = Problem::new(format!("{error}: nothing was created"));
        CliError::usage(problem.hint("run the pipeline in parts: name blocks, with --upstream"))
    })
}

/// What each Job says of the run where its plan may not be recorded.
fn outline(plan: &Plan, loaded: &Loaded, jobs: &[LoadedJob], options: &Options) -> Outline {
    let mut flags = RecordedFlags::without_secrets(&plan.flags);
    // The project may stand in a folder of another name when the run is gone on with.
    if !flags.iter().any(|flag| flag.starts_with("--repo-path=")) {
        flags.push(format!("--repo-path={}", loaded.repo_path));
    }
    Outline {
        generation: 0,
        plan: Plan { flags, ..plan.clone() },
        settings: options.into(),
        project: loaded.project_dir.display().to_string(),
        digests: digests(plan, &secrets_of(jobs)),
    }
}

/// Refuses the flags with which no Job of a run can be made.
pub(super) fn refuse_what_cannot_be(config: &ConfigArgs, verb: &str) -> Result<(), CliError> {
    if config.offline {
        let message = format!("--offline forbids the connection that `{verb}` needs");
        let problem = Problem::new(message);
        return Err(CliError::usage(problem.hint("see the Jobs with `kubectl mage render`")));
    }
    if config.block_run_id.is_some() || config.pipeline_run_id.is_some() {
        let message = format!(
            "run ids make Mage look for them in its database, which `{verb}` works without"
        );
        let problem = Problem::new(message).hint("leave out --block-run-id and --pipeline-run-id");
        return Err(CliError::usage(problem));
    }
    Ok(())
}

/// `--strict-policy`: all conflicts at once, before anything is created.
pub(super) fn refuse_policy_conflicts(jobs: &[LoadedJob]) -> Result<(), CliError> {
    let mut found = Distinct::default();
    for loaded in jobs {
        found.add(&policy_conflicts(&loaded.job));
    }
    if found.0.is_empty() { Ok(()) } else { Err(problems(found.0)) }
}

/// What needs Mage's database: all at once, before anything is created.
pub(super) fn refuse_obstacles(jobs: &[LoadedJob]) -> Result<(), CliError> {
    let mut found = Distinct::default();
    for loaded in jobs {
        found.add(&loaded.obstacles);
    }
    if found.0.is_empty() { Ok(()) } else { Err(problems(found.0)) }
}

/// A block finds its upstream's output by the run's partition; without it, Mage runs it on `[]`.
fn warn_of_missing_upstream(args: &RunArgs, jobs: &[LoadedJob], printer: Printer) {
    if args.config.execution_partition.is_some() {
        return;
    }
    for job in jobs.iter().filter(|job| !job.outside.is_empty()) {
        let block = job.job.block.as_deref().unwrap_or_default();
        let why = if args.staged {
            "unless their data is there,"
        } else {
            "in the run's new partition it finds no data, and"
        };
        let problem = Problem::new(format!(
            "block `{block}` waits for {}, not part of this run: {why} Mage goes on with none",
            job.outside.join(", ")
        ));
        printer.problem_warning(&problem.hint(
            "add --upstream, or name the partition of an earlier run with --execution-partition",
        ));
    }
}

/// Returns the one pipeline that the targets name.
fn pipeline_of(targets: &[String], config: &ConfigArgs) -> Result<String, CliError> {
    let mut names: Vec<&str> =
        targets.iter().map(|target| target.split('/').next().unwrap_or(target)).collect();
    names.dedup();
    match names.as_slice() {
        [] => {
            let project = find_project(config.project.as_deref())?;
            // With none or several, loading says what to do.
            Ok(pipelines(&project).first().cloned().unwrap_or_default())
        }
        [name] => Ok((*name).to_owned()),
        [first, second, ..] => {
            let problem = Problem::new(format!(
                "a run is of one pipeline, but `{first}` and `{second}` are named"
            ));
            Err(CliError::usage(problem.hint("run them one after the other")))
        }
    }
}

/// The names of the runtime variables that every run has.
pub(super) const STANDARD_VARS: [&str; 6] =
    ["env", "ds", "hr", "execution_date", "execution_partition", "trigger_name"];

/// The variables that Mage's scheduler would give a block from its database
/// (`mage_ai/orchestration/db/models/schedules.py: PipelineRun.get_variables`), `--var` over them.
pub(super) fn runtime_vars(config: &ConfigArgs, run: &RunId, now: Timestamp) -> String {
    let date = now.to_zoned(TimeZone::UTC);
    let partition = config.execution_partition.clone();
    let mut all = json!({
        "env": "prod",
        "ds": date.strftime("%Y-%m-%d").to_string(),
        "hr": date.strftime("%H").to_string(),
        "execution_date": date.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        "execution_partition": partition.unwrap_or_else(|| format!("kubectl-mage/{run}")),
        "trigger_name": config.trigger.as_deref().unwrap_or("manual"),
    });
    for (name, value) in variables(config) {
        all[name] = value;
    }
    all.to_string()
}

fn options(args: &RunArgs, loaded: &Loaded, printer: Printer) -> Options {
    let parallel = args.parallel.or(loaded.concurrency).and_then(|n| usize::try_from(n).ok());
    let standard = Options::default();
    Options {
        parallel: parallel.and_then(NonZeroUsize::new).unwrap_or(standard.parallel),
        failure: if args.keep_going { Failure::KeepGoing } else { Failure::FailFast },
        retries: args.retries,
        on_interrupt: on_interrupt(args.on_interrupt, printer),
        pending_timeout: args.pending_timeout,
        timeout: args.timeout,
        logs: logs(args.logs),
        output: output(args.output),
        ..standard
    }
}

/// Makes the plan of the Jobs that were loaded.
pub(super) fn plan(
    loaded: &Loaded,
    jobs: &[LoadedJob],
    pipeline: String,
    flags: Vec<String>,
) -> Plan {
    let blocks = jobs
        .iter()
        .map(|loaded| PlannedBlock {
            uuid: loaded.job.block.clone().unwrap_or_else(|| loaded.job.pipeline.clone()),
            block_type: loaded.block_type.clone(),
            upstream: loaded.upstream.clone(),
            timeout: loaded.timeout,
            conditional: loaded.conditional,
            since: None,
            staged: None,
            namespace: loaded.job.namespace.clone(),
            job: loaded.job.job.clone(),
        })
        .collect();
    Plan {
        pipeline,
        blocks,
        edition: loaded.edition.name().to_owned(),
        revision: git_state(&loaded.project_dir).map(|git| git.revision),
        user: None,
        flags,
    }
}

fn tell_preamble(
    args: &RunArgs,
    plan: &Plan,
    loaded: &Loaded,
    connected: &Connected,
    options: &Options,
    printer: Printer,
) {
    let namespace = plan.namespaces().into_iter().next().unwrap_or_default();
    let cluster = &connected.cluster;
    let (quotas, server_runs) = connected.runtime.block_on(async {
        tokio::join!(cluster.quotas(&namespace), cluster.server_runs_of(&namespace, &plan.pipeline))
    });
    let around = Surroundings {
        context: connected.cluster.context().map(str::to_owned),
        changed_files: git_state(&loaded.project_dir).map(|git| git.changed),
        parallel: options.parallel.get(),
        quotas,
    };
    printer.notice(preamble(plan, &around).trim_end());
    if !server_runs.is_empty() {
        let problem = Problem::new(format!(
            "the Mage server is running pipeline {} now ({}): its blocks and those of this run may write to the same places",
            plan.pipeline,
            server_runs.join(", ")
        ));
        let first = &server_runs[0];
        printer.problem_warning(
            &problem.hint(format!("see how far it is: `kubectl mage status {first}`")),
        );
    }
    if args.dry_run {
        printer.notice(&format!("critical path  {}", critical_path(plan).join(" -> ")));
        printer.notice("nothing was created (--dry-run)");
    }
}
