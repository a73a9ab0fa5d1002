//! What was asked for, and the exit code.

use super::files::against_files;
use super::live::against_live;
use super::recorded::against_run;
use super::show::show;
use super::sides::Compared;
use crate::cli::{Against, DiffArgs};
use crate::commands::subject::job_name;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::ui::Printer;

/// Shows what differs.
pub(crate) fn diff(args: &DiffArgs, printer: Printer) -> Result<Exit, CliError> {
    let compared = match &args.against {
        Against::Live => against_live(args, printer)?,
        Against::Run(run) => against_run(args, run, printer)?,
        _ => against_files(args, printer)?,
    };
    show(&compared, args.output, printer)
}

/// What was compared with, as it was typed.
pub(super) fn against(args: &DiffArgs) -> String {
    match &args.against {
        Against::Live => "live".to_owned(),
        Against::Revision(revision) => format!("rev:{revision}"),
        Against::Run(run) => format!("run:{run}"),
        Against::Edition(crate::cli::EditionChoice::Oss) => "edition:oss".to_owned(),
        Against::Edition(_) => "edition:pro".to_owned(),
        Against::Environment(name) => format!("env:{name}"),
        Against::Snapshot(file) => format!("snapshot:{}", file.display()),
    }
}

/// Refuses `job/NAME` where what is compared with is no cluster.
pub(super) fn refuse_jobs(args: &DiffArgs) -> Result<(), CliError> {
    let Some(job) = args.targets.iter().find(|target| job_name(target).is_some()) else {
        return Ok(());
    };
    let message = format!("{job} is a Job of the cluster, and {} compares files", against(args));
    let hint = "leave out --against, or name PIPELINE or PIPELINE/BLOCK";
    Err(CliError::usage(Problem::new(message).hint(hint)))
}

/// Everything that was compared, with what shows it.
pub(super) type Outcome = Result<Compared, CliError>;
