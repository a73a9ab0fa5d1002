//! Reports and logs that a run leaves on the disk.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::KeepingArgs;
use crate::error::{CliError, Problem};
use crate::load::{SavedFolders, can_write_whole, write_whole};
use crate::logs::{KeepError, LogFolder};
use crate::report::{ReportKind, report};
use crate::run::{Outcome, Plan};
use crate::ui::Printer;

/// Where reports go, each found to be writable.
#[derive(Debug, Default)]
pub(super) struct Reports(Vec<(PathBuf, ReportKind)>);

impl Reports {
    /// Reads the flags; nothing is created before this.
    pub(super) fn of(args: &KeepingArgs) -> Result<Self, CliError> {
        args.report
            .iter()
            .map(|path| Ok((path.clone(), kind(path)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Tells whether none was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes them. The run is over, so what cannot be written changes its outcome no more.
    pub(super) fn write(&self, plan: &Plan, outcome: &Outcome, printer: Printer) {
        for (path, kind) in &self.0 {
            if let Err(error) = write_whole(path, &report(*kind, plan, outcome)) {
                printer.problem_warning(&cannot_write(path, &error));
            }
        }
    }
}

fn kind(path: &Path) -> Result<ReportKind, CliError> {
    let Some(kind) = ReportKind::of(path) else {
        let known = ReportKind::ALL.map(|(extension, _)| format!(".{extension}")).join(", ");
        let problem = Problem::new(format!(
            "the extension of {} names no form of report: nothing was created",
            path.display()
        ));
        return Err(CliError::usage(problem.hint(format!("end --report with one of {known}"))));
    };
    match can_write_whole(path) {
        Ok(()) => Ok(kind),
        Err(error) => {
            let mut problem = cannot_write(path, &error);
            problem.message.push_str(": nothing was created");
            Err(CliError::usage(problem))
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Problem {
    let why = why(error);
    let problem = Problem::new(format!("cannot write the report {}: {why}", path.display()));
    problem.hint("name a file in a folder that exists and that you can write to")
}

/// Says what is wrong, without the path of a file in the making.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such folder".to_owned(),
        ErrorKind::NotADirectory => "what should be its folder is a file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Makes the folder for logs. A run that begins takes none with logs of its blocks.
pub(super) fn log_folder(
    args: &KeepingArgs,
    fresh: Option<&Plan>,
    printer: Printer,
) -> Result<Option<LogFolder>, CliError> {
    let Some(path) = &args.logs_dir else { return Ok(None) };
    folder(path, "--logs-dir", fresh, printer).map(Some)
}

/// Makes the folder that a flag names, and notes it for `logs` to look into.
pub(super) fn folder(
    path: &Path,
    flag: &str,
    fresh: Option<&Plan>,
    printer: Printer,
) -> Result<LogFolder, CliError> {
    let prepared = LogFolder::prepare(path).and_then(|folder| {
        if let Some(plan) = fresh {
            folder.refuse_old(plan.blocks.iter().map(|block| block.uuid.as_str()))?;
        }
        Ok(folder)
    });
    if prepared.is_ok()
        && let Some(Err(error)) = SavedFolders::of_user().map(|folders| folders.remember(path))
    {
        let path = path.display();
        printer.notice(&format!(
            "`kubectl mage logs` will find these logs only with --save {path}: cannot note the folder: {}",
            why(&error)
        ));
    }
    prepared.map_err(|error| {
        let hint = match &error {
            KeepError::Folder { .. } => format!("name a folder that you can write to with {flag}"),
            KeepError::Taken { .. } => {
                format!("name another folder with {flag}, or remove what is in it")
            }
        };
        let text = match &error {
            KeepError::Folder { path, source } if source.kind() == ErrorKind::AlreadyExists => {
                format!("{} is not a folder", path.display())
            }
            error => error.to_string(),
        };
        CliError::usage(Problem::new(format!("{text}: nothing was created")).hint(hint))
    })
}
