//! `--detach` and `--on-interrupt=detach`: a driver in the cluster, and what it needs there.

use std::time::Duration;

use super::entry::out;
use super::facts::{Connected, listen};
use crate::cli::{DriverArgs, InterruptChoice, environment};
use crate::cluster::{Applied, Cluster, ClusterError, Recorded, blocks_selector, object_name};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::UserConfig;
use crate::run::{
    Driver, EventKind, HandOver, NotDriven, Options, Output, PackedPlan, Plan, RunEvent, RunId,
    RunState, SERVICE_ACCOUNT, driver_name, driver_rights, record_for_driver,
};
use crate::ui::{Printer, event_json, manifest, plural};

/// How many of a driver's last lines are shown.
const LINES: usize = 5;

/// Returns the driver that the flags ask for.
pub(super) fn driver(
    args: &DriverArgs,
    on_interrupt: Option<InterruptChoice>,
) -> Result<Option<Driver>, CliError> {
    if !args.detach && on_interrupt != Some(InterruptChoice::Detach) {
        let given =
            [(args.driver_image.is_some(), "--driver-image"), (args.create_rbac, "--create-rbac")];
        return match given.iter().find(|(given, _)| *given) {
            None => Ok(None),
            Some((_, flag)) => {
                let problem =
                    Problem::new(format!("{flag} is for a run that has a driver in the cluster"));
                Err(CliError::usage(problem.hint("add --detach or --on-interrupt=detach")))
            }
        };
    }
    let image = match &args.driver_image {
        Some(image) => Some(image.clone()),
        None => UserConfig::read()?.driver_image,
    };
    let Some(image) = image.filter(|image| !image.is_empty()) else {
        let what = if args.detach { "--detach" } else { "--on-interrupt=detach" };
        let problem =
            Problem::new(format!("{what} needs an image for the driver: nothing was created"));
        return Err(CliError::usage(problem.hint(
            "name one that has this program in it, with --driver-image or as driver_image in config.toml",
        )));
    };
    let (flags, age) = (Vec::new(), Duration::ZERO);
    Ok(Some(Driver { image, flags, variable: environment::DRIVER, age }))
}

/// Sees to it that the driver's service account is there: makes it where that is asked for,
/// otherwise prints what is missing.
pub(super) fn ensure_rights(
    connected: &Connected,
    args: &DriverArgs,
    home: &str,
    namespaces: &[String],
    printer: Printer,
) -> Result<(), CliError> {
    let (cluster, runtime) = (&connected.cluster, &connected.runtime);
    let rights = driver_rights(home, namespaces);
    if args.create_rbac {
        return runtime.block_on(create_rights(cluster, &rights, printer));
    }
    match runtime.block_on(cluster.has_service_account(home, SERVICE_ACCOUNT)) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let documents: Vec<String> = rights.iter().map(manifest::yaml).collect();
            out(printer, &documents.join("---\n"))?;
            let problem = Problem::new(format!(
                "serviceaccount/{SERVICE_ACCOUNT} in namespace {home} is not there, and the driver acts as it: nothing was created"
            ));
            Err(CliError::usage(
                problem
                    .hint("create what is printed above: add --create-rbac")
                    .hint("or save it and run `kubectl apply -f FILE`"),
            ))
        }
        Err(ClusterError::Forbidden { action, .. }) => {
            printer.notice(&format!(
                "it is not known whether the driver's service account is there: no right to {action}"
            ));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn create_rights(
    cluster: &Cluster,
    rights: &[serde_json::Value],
    printer: Printer,
) -> Result<(), CliError> {
    for object in rights {
        let (name, applied) = (object_name(object), cluster.apply_rights(object).await?);
        printer.notice(&match applied {
            Applied::Created => format!("{name} created"),
            Applied::Configured => format!("{name} configured"),
            Applied::LeftAlone => format!("{name} is there and not of this tool: left as it is"),
        });
    }
    Ok(())
}

/// Begins a run that a driver in the cluster drives.
pub(super) fn begin(
    connected: &Connected,
    plan: &Plan,
    run: &RunId,
    packed: &PackedPlan,
    driver: &Driver,
    options: &Options,
    printer: Printer,
) -> Result<Exit, CliError> {
    let cluster = &connected.cluster;
    let recorded = connected.runtime.block_on(record_for_driver(cluster, plan, run, packed))?;
    let Some(recorded) = recorded else { return Ok(Exit::Fine) };
    let driver = Driver { flags: options.resume_flags(Duration::ZERO), ..driver.clone() };
    let parts = HandOver { cluster, run, recorded: &recorded, driver: &driver, options, giver: "" };
    let blocks = plural(plan.blocks.len(), "block");
    let first = format!(
        "run {run}: pipeline {}, {blocks}, in namespace {}",
        plan.pipeline, recorded.namespace
    );
    hand_over(connected, parts, &first, printer).map_err(|mut error| {
        let rest = connected.runtime.block_on(take_back(cluster, plan, run, &recorded));
        if let Some(problem) = error.problems.first_mut() {
            problem.message.push_str(rest);
        }
        error
    })
}

/// Removes the plan of a run that no driver began; says what is left.
async fn take_back(
    cluster: &Cluster,
    plan: &Plan,
    run: &RunId,
    recorded: &Recorded,
) -> &'static str {
    for namespace in plan.namespaces() {
        let jobs = cluster.list_jobs(Some(&namespace), &blocks_selector(run.as_str())).await;
        if !jobs.is_ok_and(|jobs| jobs.is_empty()) {
            return "; blocks may have been started, so the plan stays: go on with `kubectl mage resume`";
        }
    }
    match cluster.delete_config_map(recorded).await {
        Ok(()) => "; the plan is removed too, no block was started",
        Err(_) => "; no block was started, but the plan could not be removed",
    }
}

/// Hands over and tells how it went.
pub(super) fn hand_over(
    connected: &Connected,
    parts: HandOver<'_>,
    first: &str,
    printer: Printer,
) -> Result<Exit, CliError> {
    let (run, namespace) = (parts.run, &parts.recorded.namespace);
    printer.notice(first);
    printer.notice(&format!("come back to it with: kubectl mage attach {run} -n {namespace}"));
    let job = format!("job.batch/{}", driver_name(run));
    let outcome = connected.runtime.block_on(async {
        let mut signals = listen()?;
        tokio::select! {
            driven = parts.run(|text| printer.notice(text)) => {
                driven.map(|()| None).map_err(|error| not_driven(&error))
            }
            signal = signals.next() => Ok(Some(signal)),
        }
    })?;
    if let Some(signal) = outcome {
        printer.notice(&format!(
            "not waiting for {job} any longer: it may still start and drive run {run}"
        ));
        return Ok(signal.exit());
    }
    tell_detached(&parts, printer)?;
    Ok(Exit::Fine)
}

fn tell_detached(parts: &HandOver<'_>, printer: Printer) -> Result<(), CliError> {
    let (run, namespace) = (parts.run, &parts.recorded.namespace);
    let message = format!("job.batch/{} in namespace {namespace} drives it", driver_name(run));
    match parts.options.output {
        Output::Text => {
            printer.notice(&format!(
                "{message}; follow it: kubectl mage attach {run} -n {namespace}; stop it: kubectl mage cancel {run} -n {namespace}"
            ));
            out(printer, &format!("run/{run} detached\n"))
        }
        Output::Json => {
            let event = RunEvent::new(EventKind::Run(RunState::Detached)).message(message);
            out(printer, &format!("{}\n", event_json(&event, run.as_str(), 1)))
        }
    }
}

/// Says why no driver drives the run.
fn not_driven(error: &NotDriven) -> CliError {
    match error {
        NotDriven::Cluster(error @ ClusterError::Quota { .. }) => {
            CliError { exit: Exit::CouldNotStart, ..CliError::from(error.clone()) }
        }
        NotDriven::Cluster(error) => error.clone().into(),
        NotDriven::NameTaken { .. } => CliError::usage(
            Problem::new(error.to_string()).hint("see whose it is with `kubectl describe`"),
        ),
        NotDriven::CouldNotStart { cause, lines, remains, .. } => {
            let removed = if *remains { "it could not be removed" } else { "it is removed" };
            let mut problem = Problem::new(format!("{error}; {removed}"));
            let skip = lines.len().saturating_sub(LINES);
            problem.hints.extend(lines[skip..].iter().map(|line| format!("it said: {line}")));
            problem.hints.extend(cause.hint.clone());
            CliError::new(Exit::CouldNotStart, problem)
        }
    }
}

/// Returns where a run's plan is and how old it was when this process, a driver, was made; none
/// when this is none.
pub(super) fn seat() -> Option<Duration> {
    let value = std::env::var(environment::DRIVER).ok()?;
    Some(Duration::from_secs(value.parse().unwrap_or(0)))
}

/// What a driver ends with: 0 where another one in its place would find nothing to do.
pub(super) fn end_of_driver(
    ended: Result<Exit, CliError>,
    printer: Printer,
) -> Result<Exit, CliError> {
    let exit = match ended {
        Ok(exit) => exit,
        Err(error) if error.exit == Exit::Usage => {
            printer.error(&error);
            error.exit
        }
        Err(error) => return Err(error),
    };
    match exit {
        Exit::Cluster | Exit::Interrupted | Exit::Terminated => Ok(exit),
        _ => {
            printer.notice(&format!(
                "exit code {} is the run's: this driver has nothing left to do and ends with 0",
                exit.code()
            ));
            Ok(Exit::Fine)
        }
    }
}
