//! `resume` and `attach`

use std::num::NonZeroUsize;
use std::time::Duration;

use super::detach;
use super::driving::{drive, follow, logs, on_interrupt, output};
use super::facts::{Connected, connect};
use super::guard::{Confirmation, confirm, refuse_readonly};
use super::keeping::{Reports, log_folder};
use super::replan::replan;
use super::run::refuse_what_cannot_be;
use super::run_name::{RunName, unknown_run};
use super::unrecorded;
use crate::cli::{AttachArgs, ResumeArgs};
use crate::cluster::ClusterError;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::run::{
    Adoption, AdoptionError, Begin, Claim, Driver, Failure, HandOver, Held, Options, RecordedRun,
    Retrying, holder_name, identity, read_run, read_unrecorded, record_name,
};
use crate::ui::{Printer, plural};

/// Goes on with a run where it stopped.
pub(super) fn resume(args: &ResumeArgs, printer: Printer) -> Result<Exit, CliError> {
    match detach::seat() {
        None => go_on(args, None, printer),
        seat => detach::end_of_driver(go_on(args, seat, printer), printer),
    }
}

/// Goes on with a run; `seat` is how old it was when this process, a driver, was made.
fn go_on(args: &ResumeArgs, seat: Option<Duration>, printer: Printer) -> Result<Exit, CliError> {
    refuse_readonly("unset it, or follow the run with `kubectl mage attach`")?;
    refuse_what_cannot_be(&args.config, "resume")?;
    let reports = Reports::of(&args.keeping)?;
    let log_folder = log_folder(&args.keeping, None, printer)?;
    let name = RunName::parse(&args.run)?;
    let connected = connect(&args.connection)?;
    let run = connected.runtime.block_on(find(&connected, &name))?;
    // Without a recorded plan they may be needed to make the same one again.
    if args.config.is_given() && !args.replan && run.recorded.is_some() {
        let message = "flags of the project are for a new plan, and the run goes on by its own";
        return Err(CliError::usage(Problem::new(message).hint("leave them out, or add --replan")));
    }
    let wanted = Confirmation {
        what: "the pipeline's name",
        text: &run.plan.pipeline,
        nothing: "nothing was created",
    };
    if !args.replan {
        confirm(&connected.cluster, args.yes, &wanted, printer)?;
    }
    // Who cancels it from now on is seen.
    let was_cancelled = run.is_cancelled();
    if seat.is_some() && was_cancelled {
        return Ok(Exit::Cancelled);
    }
    let driver = detach::driver(&args.driver, args.on_interrupt)?;
    if driver.is_some() {
        let (home, all) = (&run.home, run.plan.namespaces());
        detach::ensure_rights(&connected, &args.driver, home, &all, printer)?;
    }
    let user = if seat.is_some() { Some("the driver") } else { connected.cluster.user() };
    let me = identity(user);
    let mut options = Options { log_folder, ..resume_options(args, &run, printer) };
    let retrying = match seat {
        None => Retrying::Failed,
        Some(_) => Retrying::Left(options.retries),
    };
    let (run, adoption) = if run.recorded.is_some() {
        connected.runtime.block_on(take_over(&connected, run, &me, retrying, printer))?
    } else {
        unrecorded::take_over(args, &connected, run, &me, printer)?
    };
    let ready = || {
        let replanned = if args.replan && run.recorded.is_some() {
            by_another_plan(args, &connected, &run, &adoption, printer)?
        } else {
            None
        };
        if was_cancelled {
            connected.runtime.block_on(run.unmark(&connected.cluster))?;
        }
        Ok(replanned)
    };
    let replanned = ready().inspect_err(|_: &CliError| {
        connected.runtime.block_on(run.release(&connected.cluster, &me));
    })?;
    let (run, adoption) = replanned.unwrap_or((run, adoption));
    // A report of a run that is complete is made by looking at it once more.
    if adoption.is_complete() && reports.is_empty() && options.log_folder.is_none() {
        connected.runtime.block_on(run.release(&connected.cluster, &me));
        let blocks = plural(run.plan.blocks.len(), "block");
        printer.notice(&format!("nothing to do: run {} is complete, {blocks} of it", run.run));
        return Ok(Exit::Fine);
    }
    if let Some(seat) = seat {
        let gone_on = run.age().saturating_sub(seat);
        options.timeout = options.timeout.map(|timeout| timeout.saturating_sub(gone_on));
    }
    options.driver = driver.map(|driver| Driver { age: run.age(), ..driver });
    if let Some(driver) = options.driver.as_ref().filter(|_| args.driver.detach) {
        return detach_again(&connected, &run, &me, &adoption, driver, &options, printer);
    }
    drive(&connected, &run.plan, &run.run, &options, Begin::Resumed(adoption), &reports, printer)
}

/// Gives the run a new plan, and finds out how it stands by that; none where nothing changes.
fn by_another_plan(
    args: &ResumeArgs,
    connected: &Connected,
    run: &RecordedRun,
    adoption: &Adoption,
    printer: Printer,
) -> Result<Option<(RecordedRun, Adoption)>, CliError> {
    if !replan(args, connected, run, adoption, printer)? {
        return Ok(None);
    }
    connected.runtime.block_on(async {
        let run = read_again(connected, run).await?;
        let adopted = run.adopt_again(&connected.cluster, adoption).await;
        let adoption = adopted.map_err(|error| explain(error, &run))?;
        Ok(Some((run, adoption)))
    })
}

/// Reads a run once more: what another client did while it held the Lease counts.
async fn read_again(connected: &Connected, run: &RecordedRun) -> Result<RecordedRun, CliError> {
    let again = read_run(&connected.cluster, &run.home, run.run.as_str()).await;
    match again.map_err(|error| explain(error, run))? {
        Some(again) => Ok(again),
        None => Err(without_plan(connected, run.run.as_str()).await),
    }
}

/// Leaves it to a driver in the cluster to go on.
fn detach_again(
    connected: &Connected,
    run: &RecordedRun,
    me: &str,
    adoption: &Adoption,
    driver: &Driver,
    options: &Options,
    printer: Printer,
) -> Result<Exit, CliError> {
    let cluster = &connected.cluster;
    let Some(recorded) = &run.recorded else {
        return Err(CliError::usage(Problem::new(format!("run {} has no plan", run.run))));
    };
    connected.runtime.block_on(async {
        let noted = run.note_wanted(cluster, adoption).await;
        run.release(cluster, me).await;
        noted
    })?;
    let driver = Driver { flags: options.resume_flags(Duration::ZERO), ..driver.clone() };
    let parts = HandOver { cluster, run: &run.run, recorded, driver: &driver, options, giver: me };
    let blocks = plural(run.plan.blocks.len(), "block");
    let first = format!("run {} goes on: pipeline {}, {blocks}", run.run, run.plan.pipeline);
    detach::hand_over(connected, parts, &first, printer)
}

/// Follows a run and changes nothing.
pub(super) fn attach(args: &AttachArgs, printer: Printer) -> Result<Exit, CliError> {
    let mut name = RunName::parse(&args.run)?;
    let connected = connect(&args.connection)?;
    let me = identity(connected.cluster.user());
    loop {
        let run = connected.runtime.block_on(find(&connected, &name))?;
        let adoption = connected.runtime.block_on(run.watch(&connected.cluster, me.clone()));
        let adoption = adoption.map_err(|error| explain(error, &run))?;
        let options = Options {
            logs: logs(args.logs),
            output: output(args.output),
            ..Options::from(run.settings.clone())
        };
        let (begin, reports) = (Begin::Watched(adoption), Reports::default());
        let followed = follow(&connected, &run.plan, &run.run, &options, begin, &reports, printer)?;
        if let Some(exit) = followed {
            return Ok(exit);
        }
        printer.notice(&format!("run {} has a new plan, and is followed by that", run.run));
        name = RunName::Named(run.run.to_string());
    }
}

/// Reads the plan of a run, or what its Jobs say of it.
pub(super) async fn find(connected: &Connected, name: &RunName) -> Result<RecordedRun, CliError> {
    let cluster = &connected.cluster;
    let namespace = cluster.namespace();
    let name = name.resolve(cluster, namespace).await?;
    let found = read_run(cluster, namespace, &name).await;
    if let Ok(Some(found)) = found {
        return Ok(found);
    }
    let is_unrecorded = match &found {
        Err(AdoptionError::Cluster(ClusterError::Forbidden { .. })) => true,
        found => found.is_ok(),
    };
    if is_unrecorded && let Some(run) = read_unrecorded(cluster, namespace, &name).await? {
        return Ok(run);
    }
    match found {
        Err(AdoptionError::Cluster(error)) => Err(error.into()),
        Err(error) => {
            let hint = "use the version of kubectl-mage that began the run";
            Err(CliError::usage(Problem::new(error.to_string()).hint(hint)))
        }
        Ok(_) => Err(without_plan(connected, &name).await),
    }
}

/// Says why there is no plan: there is no such run, or its plan is gone or was never recorded.
async fn without_plan(connected: &Connected, name: &str) -> CliError {
    let cluster = &connected.cluster;
    let namespace = cluster.namespace();
    let known = cluster.known_runs(namespace).await.unwrap_or_default();
    if !known.iter().any(|known| known.run == name) {
        return unknown_run(cluster, namespace, name).await;
    }
    let problem = Problem::new(format!(
        "run {name} has no plan: configmap/{} in namespace {namespace} was deleted or never made, and no Job of the run says how it began",
        record_name(name)
    ));
    CliError::usage(problem.hint("see what is left with `kubectl mage runs`, and run the rest with `kubectl mage run PIPELINE/BLOCK`"))
}

/// Takes the Lease of the run and finds out how its blocks stand.
async fn take_over(
    connected: &Connected,
    run: RecordedRun,
    me: &str,
    retrying: Retrying,
    printer: Printer,
) -> Result<(RecordedRun, Adoption), CliError> {
    let cluster = &connected.cluster;
    let wait = |holder: &str| {
        printer.notice(&format!(
            "{} drove run {} a moment ago; waiting for a sign of life (at most 15 s)",
            holder_name(holder),
            run.run
        ));
    };
    let held: Option<Held> = match run.claim(cluster, me, wait).await? {
        Some(Claim::Held(held)) => Some(held),
        Some(Claim::Driven(holder)) => return Err(driven(&run, &holder, cluster.namespace())),
        Some(Claim::Forbidden(_)) | None => None,
    };
    let adopted = async {
        let run = read_again(connected, &run).await?;
        let adopted = run.adopt(cluster, me.to_owned(), held, retrying).await;
        let adoption = adopted.map_err(|error| explain(error, &run))?;
        Ok((run, adoption))
    };
    let adopted = adopted.await;
    if adopted.is_err() {
        run.release(cluster, me).await;
    }
    adopted
}

fn driven(run: &RecordedRun, holder: &str, namespace: &str) -> CliError {
    let problem = Problem::new(format!("{} drives run {} right now", holder_name(holder), run.run));
    let hint = format!("follow it with `kubectl mage attach {} -n {namespace}`", run.run);
    CliError::usage(problem.hint(hint))
}

pub(super) fn explain(error: AdoptionError, run: &RecordedRun) -> CliError {
    match error {
        AdoptionError::Cluster(error) => error.into(),
        AdoptionError::Unknown { ref blocks, ref pipeline }
        | AdoptionError::ConditionUnknown { ref blocks, ref pipeline } => {
            let targets: Vec<String> =
                blocks.iter().map(|block| format!("{pipeline}/{block}")).collect();
            let hint = format!(
                "if that does no harm, run it anew on the data of this run: kubectl mage run {} --downstream --execution-partition kubectl-mage/{}",
                targets.join(" "),
                run.run
            );
            CliError::usage(Problem::new(error.to_string()).hint(hint))
        }
        error @ AdoptionError::Unreadable { .. } => {
            CliError::usage(Problem::new(error.to_string()))
        }
    }
}

/// Returns the options recorded, with those of the command line over them.
fn resume_options(args: &ResumeArgs, run: &RecordedRun, printer: Printer) -> Options {
    let recorded = Options::from(run.settings.clone());
    let parallel = args.parallel.and_then(|n| NonZeroUsize::new(usize::try_from(n).ok()?));
    let failure = match (args.keep_going, args.fail_fast) {
        (true, _) => Failure::KeepGoing,
        (_, true) => Failure::FailFast,
        _ => recorded.failure,
    };
    Options {
        parallel: parallel.unwrap_or(recorded.parallel),
        failure,
        retries: args.retries.unwrap_or(recorded.retries),
        on_interrupt: on_interrupt(args.on_interrupt, printer),
        pending_timeout: args.pending_timeout.unwrap_or(recorded.pending_timeout),
        timeout: args.timeout.or(recorded.timeout),
        logs: logs(args.logs),
        output: output(args.output),
        ..recorded
    }
}
