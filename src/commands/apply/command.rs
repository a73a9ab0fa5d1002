//! Reads top to bottom: load, check, send, wait.

use std::time::Duration;

use super::check::{Checked, Replace, Step, Wish, check};
use super::object::{Begin, changed_job, is_suspended, new_job};
use super::send::{Done, compared, send, would_be};
use super::told::Teller;
use super::upstream::refuse_without_upstream;
use super::wait::{Awaited, wait};
use crate::cli::{ApplyArgs, DryRunChoice};
use crate::cluster::{Cluster, Ownership};
use crate::commands::facts::{Connected, connect, listen};
use crate::commands::guard::{Confirmation, confirm, refuse_readonly};
use crate::commands::load::{LoadedJob, Masked, Request, load_jobs};
use crate::commands::maker::{Naming, Widen};
use crate::commands::run::{refuse_obstacles, refuse_policy_conflicts};
use crate::commands::validate::refuse_without_connection;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::RenderedJob;
use crate::project::Missing;
use crate::run::{Signal, Signals};
use crate::shell::quoted;
use crate::ui::{Printer, plural};

/// Creates or updates the Jobs of the targets.
pub(in crate::commands) fn apply(args: &ApplyArgs, printer: Printer) -> Result<Exit, CliError> {
    if args.dry_run == DryRunChoice::None {
        refuse_readonly("unset it, or look first with --dry-run=server")?;
    }
    refuse_without_connection(&args.config, "apply")?;
    let request = Request {
        targets: &args.targets,
        args: &args.config,
        connection: &args.connection,
        widen: Widen::default(),
        naming: &|_| Naming::Target,
        missing_secret: Missing::Error,
        masked: Masked::Refused,
    };
    let (mut loaded, jobs) = load_jobs(&request, printer)?;
    refuse_what_cannot_run(args, &jobs, printer)?;
    let begin = begin(args, &jobs);
    refuse_to_wait_for_nothing(args, begin)?;
    let connected = match loaded.connected.take() {
        Some(connected) => connected,
        None => connect(&args.connection)?,
    };
    if args.dry_run == DryRunChoice::Client {
        return compare(args, &connected, &jobs, begin, printer);
    }
    let cluster = &connected.cluster;
    let wish = wish(args, begin);
    let checked = connected.runtime.block_on(check(cluster, &jobs, wish))?;
    refuse_to_wait_for_the_suspended(args, &checked)?;
    if let [one] = checked.as_slice()
        && one.starts()
        && !args.ignore_upstream
    {
        let look = refuse_without_upstream(cluster, one.loaded, &args.config);
        connected.runtime.block_on(look)?;
    }
    if args.dry_run == DryRunChoice::Server {
        return tell_what_would_be(args, &checked, printer);
    }
    ask(args, cluster, &jobs, printer)?;
    let done = send_all(args, &connected, &checked, printer)?;
    tell_suspended(args, &checked, &done, printer);
    if !args.wait {
        return Ok(Exit::Fine);
    }
    let awaited: Vec<Awaited> = checked.iter().zip(&done).map(awaited).collect();
    connected.runtime.block_on(wait(cluster, &awaited, args.timeout, printer))
}

/// Guardrails have been checked on the way to the Jobs; the rest is here, before anything is sent.
fn refuse_what_cannot_run(
    args: &ApplyArgs,
    jobs: &[LoadedJob],
    printer: Printer,
) -> Result<(), CliError> {
    // With a run's id Mage has its database.
    if args.config.pipeline_run_id.is_none() && args.config.block_run_id.is_none() {
        refuse_obstacles(jobs)?;
        for difference in jobs.iter().flat_map(|job| &job.differences) {
            printer.problem_warning(difference);
        }
    }
    if args.strict_policy {
        refuse_policy_conflicts(jobs)?;
    }
    Ok(())
}

/// Says whether what is created starts: of several Jobs each would run before its upstream.
fn begin(args: &ApplyArgs, jobs: &[LoadedJob]) -> Begin {
    match jobs {
        _ if args.start => Begin::Started,
        [_] if !args.suspend => Begin::Now,
        _ => Begin::Suspended,
    }
}

fn refuse_to_wait_for_nothing(args: &ApplyArgs, begin: Begin) -> Result<(), CliError> {
    if !args.wait || begin != Begin::Suspended {
        return Ok(());
    }
    let problem = Problem::new("--wait waits for Jobs to end, and these are created suspended");
    Err(CliError::usage(problem.hint("leave --wait out, and run them with `kubectl mage run --staged`; or start them all at once with --start")))
}

fn refuse_to_wait_for_the_suspended(
    args: &ApplyArgs,
    checked: &[Checked<'_>],
) -> Result<(), CliError> {
    let Some(job) = checked.iter().find(|job| args.wait && is_suspended(&job.sent)) else {
        return Ok(());
    };
    let RenderedJob { name, namespace, .. } = &job.loaded.job;
    let problem = Problem::new(format!(
        "--wait waits for Jobs to end, and job.batch/{name} in namespace {namespace} is suspended"
    ));
    Err(CliError::usage(problem.hint("start it with --start, or leave --wait out")))
}

fn wish(args: &ApplyArgs, begin: Begin) -> Wish {
    Wish {
        begin,
        ownership: if args.force_conflicts { Ownership::Taken } else { Ownership::Respected },
        replace: match (args.replace, args.force) {
            (false, _) => Replace::Never,
            (true, false) => Replace::Inactive,
            (true, true) => Replace::Any,
        },
    }
}

/// `--dry-run=client`: what stands there is read, and nothing sent.
fn compare(
    args: &ApplyArgs,
    connected: &Connected,
    jobs: &[LoadedJob],
    begin: Begin,
    printer: Printer,
) -> Result<Exit, CliError> {
    let mut teller = Teller::new(printer, args.output, args.dry_run);
    for loaded in jobs {
        let job = &loaded.job;
        let read = connected.cluster.get_job_json(&job.namespace, &job.name);
        let live = connected.runtime.block_on(read)?;
        let sent = match &live {
            Some(live) => changed_job(job, live, begin),
            None => new_job(job, begin),
        };
        teller.tell(loaded, &compared(&sent, live.as_ref()))?;
    }
    teller.end()?;
    Ok(Exit::Fine)
}

fn tell_what_would_be(
    args: &ApplyArgs,
    checked: &[Checked<'_>],
    printer: Printer,
) -> Result<Exit, CliError> {
    let mut teller = Teller::new(printer, args.output, args.dry_run);
    for job in checked {
        teller.tell(job.loaded, &would_be(job))?;
    }
    teller.end()?;
    Ok(Exit::Fine)
}

/// In a protected context, asks for the names of the pipelines.
fn ask(
    args: &ApplyArgs,
    cluster: &Cluster,
    jobs: &[LoadedJob],
    printer: Printer,
) -> Result<(), CliError> {
    let mut names: Vec<&str> = jobs.iter().map(|loaded| loaded.job.pipeline.as_str()).collect();
    names.dedup();
    let wanted = Confirmation {
        what: if names.len() == 1 { "the pipeline's name" } else { "the pipelines' names" },
        text: &names.join(" "),
        nothing: "nothing was applied",
    };
    confirm(cluster, args.yes, &wanted, printer)
}

/// Sends one Job after the other; where one fails, says what stands and what does not.
fn send_all(
    args: &ApplyArgs,
    connected: &Connected,
    checked: &[Checked<'_>],
    printer: Printer,
) -> Result<Vec<Done>, CliError> {
    if let Some(job) = checked.iter().find(|job| job.is_posted()) {
        let namespace = &job.loaded.job.namespace;
        printer.notice(&format!(
            "without the right to patch jobs in namespace {namespace}, Jobs are created as new ones and cannot be changed later"
        ));
    }
    let mut teller = Teller::new(printer, args.output, args.dry_run);
    let mut all: Vec<Done> = Vec::with_capacity(checked.len());
    let mut signals = connected.runtime.block_on(async { listen() })?;
    for job in checked {
        let sending = send_unless_stopped(&connected.cluster, job, args.timeout, &mut signals);
        let (sent, stopped) = connected.runtime.block_on(sending);
        let failed = match sent {
            Ok(done) => {
                teller.tell(job.loaded, &done)?;
                all.push(done);
                stopped.filter(|_| all.len() < checked.len()).map(interrupted)
            }
            Err(error) => Some(error),
        };
        if let Some(error) = failed {
            teller.end()?;
            return Err(in_the_middle(error, checked, &all));
        }
        if let Some(signal) = stopped {
            teller.end()?;
            return Err(interrupted(signal));
        }
    }
    teller.end()?;
    Ok(all)
}

/// Sends one Job. A signal on the way is answered after it, so that what stands there is known; a Job that is
/// being replaced is not waited for.
async fn send_unless_stopped(
    cluster: &Cluster,
    job: &Checked<'_>,
    timeout: Option<Duration>,
    signals: &mut Signals,
) -> (Result<Done, CliError>, Option<Signal>) {
    let mut sending = std::pin::pin!(send(cluster, job, timeout));
    tokio::select! {
        sent = &mut sending => (sent, None),
        signal = signals.next() => match job.step {
            Step::Replace { .. } => {
                let mut error = interrupted(signal);
                let RenderedJob { name, namespace, .. } = &job.loaded.job;
                if let Some(problem) = error.problems.last_mut() {
                    problem.message = format!(
                        "{}: job.batch/{name} in namespace {namespace} is being deleted to be replaced, and was not created anew",
                        problem.message
                    );
                }
                (Err(error), Some(signal))
            }
            _ => (sending.await, Some(signal)),
        },
    }
}

fn interrupted(signal: Signal) -> CliError {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM or SIGHUP",
    };
    CliError::new(signal.exit(), Problem::new(format!("interrupted by {name}")))
}

/// Adds to an error what was applied before it, and what was not.
fn in_the_middle(mut error: CliError, checked: &[Checked<'_>], done: &[Done]) -> CliError {
    if checked.len() < 2 {
        return error;
    }
    let name = |job: &Checked<'_>| format!("job.batch/{}", job.loaded.job.name);
    let mut stand: Vec<String> = Vec::new();
    for (job, done) in checked.iter().zip(done) {
        stand.push(format!("{} ({})", name(job), done.became.as_str()));
    }
    let rest: Vec<String> = checked[done.len()..].iter().map(name).collect();
    let stand = if stand.is_empty() { "none".to_owned() } else { stand.join(", ") };
    if let Some(problem) = error.problems.last_mut() {
        problem.message = format!(
            "{}; of {} applied: {stand}; not applied: {}",
            problem.message,
            plural(checked.len(), "Job"),
            rest.join(", ")
        );
        problem.hints.push("apply again: what stands is left as it is".to_owned());
    }
    error
}

/// Says of what is suspended how it is started.
fn tell_suspended(args: &ApplyArgs, checked: &[Checked<'_>], done: &[Done], printer: Printer) {
    let suspended = checked.iter().zip(done).filter(|(_, done)| is_suspended(&done.job));
    let count = suspended.count();
    if count > 0 {
        let are = if count == 1 { "Job is" } else { "Jobs are" };
        let targets = match args.targets.as_slice() {
            [] => quoted(&checked[0].loaded.job.pipeline).into_owned(),
            targets => targets.iter().map(|target| quoted(target)).collect::<Vec<_>>().join(" "),
        };
        let them = if checked.len() == 1 { "it" } else { "them in order" };
        let at_once = match checked.len() {
            1 => String::new(),
            _ => format!(", `kubectl mage apply {targets} --start` all at once"),
        };
        printer.notice(&format!(
            "{count} {are} suspended: `kubectl mage run --staged {targets}` starts {them}{at_once}"
        ));
    }
}

fn awaited((checked, done): (&Checked<'_>, &Done)) -> Awaited {
    let job = &checked.loaded.job;
    Awaited {
        namespace: job.namespace.clone(),
        name: job.name.clone(),
        uid: done.job["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
        block: job.block.clone().unwrap_or_else(|| job.pipeline.clone()),
    }
}
