//! `delete`

use super::entry::out;
use super::facts::connect;
use super::guard::{Confirmation, confirm, refuse_readonly};
use super::run_name::RunName;
use super::the_run::TheRun;
use crate::cli::DeleteArgs;
use crate::cluster::Cluster;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::run::{Remains, remains, remove_remains};
use crate::ui::Printer;

/// Removes a run that is over.
pub(super) fn delete(args: &DeleteArgs, printer: Printer) -> Result<Exit, CliError> {
    if !args.dry_run {
        refuse_readonly("unset it, or look first with --dry-run")?;
    }
    let name = RunName::parse(&args.run)?;
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    let found = connected.runtime.block_on(TheRun::find(cluster, &name))?;
    let run = &found.row.run;
    if let [first, ..] = found.unfinished()[..] {
        let namespace = &found.row.namespace;
        let problem = Problem::new(format!(
            "run {run} is not over: job.batch/{first} is unfinished; nothing was deleted"
        ));
        let hint = format!("stop it first: kubectl mage cancel {run} -n {namespace}");
        return Err(CliError::usage(problem.hint(hint)));
    }
    let all = remains(found.plan.as_ref(), &found.jobs, &found.pods);
    if args.dry_run {
        return would_go(&all, printer);
    }
    let wanted = Confirmation {
        what: "the pipeline's name",
        text: &found.row.pipeline,
        nothing: "nothing was deleted",
    };
    confirm(cluster, args.yes, &wanted, printer)?;
    connected.runtime.block_on(removed(cluster, run, &all, &found, printer))
}

/// Lists what would be deleted.
pub(super) fn would_go(all: &[Remains], printer: Printer) -> Result<Exit, CliError> {
    let line = |item: &Remains| {
        format!("{} in namespace {} would be deleted (dry run)\n", item.display(), item.namespace())
    };
    out(printer, &all.iter().map(line).collect::<String>())?;
    Ok(Exit::Fine)
}

/// Deletes it all and says what went.
async fn removed(
    cluster: &Cluster,
    run: &str,
    all: &[Remains],
    found: &TheRun,
    printer: Printer,
) -> Result<Exit, CliError> {
    let left = remove_remains(cluster, all, &found.pods).await?;
    tell(run, all, &left, printer)
}

pub(super) fn tell(
    run: &str,
    all: &[Remains],
    left: &[String],
    printer: Printer,
) -> Result<Exit, CliError> {
    let line = |item: &Remains| format!("{} deleted\n", item.display());
    out(printer, &all.iter().map(line).collect::<String>())?;
    if left.is_empty() {
        return Ok(Exit::Fine);
    }
    let problem =
        Problem::new(format!("run {run} is deleted, but {} still there", left.join(", ")));
    Err(CliError::new(Exit::Cluster, problem.hint("see what holds them with `kubectl describe`")))
}
