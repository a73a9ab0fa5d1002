//! `cancel`

use super::entry::out;
use super::facts::connect;
use super::guard::{Confirmation, confirm, refuse_readonly};
use super::run_name::RunName;
use super::the_run::TheRun;
use crate::cli::CancelArgs;
use crate::cluster::RunStatus;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::run;
use crate::ui::Printer;

/// Stops a run and waits until none of its pods runs and nobody drives it.
pub(super) fn cancel(args: &CancelArgs, printer: Printer) -> Result<Exit, CliError> {
    refuse_readonly("unset it, or see the run with `kubectl mage status`")?;
    let name = RunName::parse(&args.run)?;
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    let found = connected.runtime.block_on(TheRun::find(cluster, &name))?;
    let run = &found.row.run;
    if found.row.status == RunStatus::Complete {
        printer.notice(&format!("run {run} is complete: there is nothing to cancel"));
        return Ok(Exit::Fine);
    }
    let wanted = Confirmation {
        what: "the pipeline's name",
        text: &found.row.pipeline,
        nothing: "nothing was cancelled",
    };
    confirm(cluster, args.yes, &wanted, printer)?;
    printer.notice(&format!(
        "cancelling run {run}: deleting what is unfinished, waiting until its pods are gone"
    ));
    let wait = |holder: &str| {
        let holder = run::holder_name(holder);
        printer.notice(&format!("waiting until {holder} no longer drives it"));
    };
    let (plan, namespaces) = (found.plan.as_ref(), &found.namespaces);
    let cancelling = run::cancel(cluster, run, plan, namespaces, wait);
    let done = connected.runtime.block_on(cancelling)?;
    if let Some(error) = &done.unmarked {
        printer.warning(&format!(
            "whoever drives the run is not told, and may go on with it: {error}"
        ));
    }
    // The run's own driver may have been quicker.
    let mut gone = done.deleted;
    gone.extend(found.unfinished().iter().map(|name| format!("job.batch/{name}")));
    let lines: Vec<String> = gone.iter().map(|job| format!("{job} deleted\n")).collect();
    out(printer, &lines.concat())?;
    if let Some(holder) = done.driver.as_deref().map(run::holder_name) {
        let problem = Problem::new(format!(
            "run {run} is cancelled, but {holder} still drives it, and may make another Job"
        ));
        return Err(CliError::new(
            Exit::Cluster,
            problem
                .hint("end that process, and cancel again")
                .hint("it has no right to see that the run is cancelled, perhaps"),
        ));
    }
    if !done.remaining.is_empty() {
        let problem = Problem::new(format!(
            "run {run} is cancelled, but {} still there",
            done.remaining.join(", ")
        ));
        return Err(CliError::new(
            Exit::Cluster,
            problem.hint("see what holds them with `kubectl describe`, and cancel again"),
        ));
    }
    printer.notice(&format!(
        "run {run} is cancelled; finished Jobs stay: kubectl mage status {run} -n {}",
        found.row.namespace
    ));
    Ok(Exit::Fine)
}
