//! `KUBECTL_EXTERNAL_DIFF`: a program that is given two folders, as by kubectl.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use tokio::process::Command;

use super::sides::{Compared, Manifests};
use crate::commands::facts::runtime;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::private_folder;
use crate::run::{Signal, Signals};
use crate::ui::Printer;

/// Writes both sides, secrets masked, and runs the program on them; its exit code is the answer: 0 for
/// no difference, 1 for some, more for an error. The folders, which only their owner may look into, are
/// gone when it has ended.
pub(super) fn external(
    program: &OsStr,
    compared: &Compared,
    printer: Printer,
) -> Result<Exit, CliError> {
    let [before, now] = compared.names.map(|name| private_folder(&format!("{name}-")));
    let folders = [before?, now?];
    for manifests in &compared.manifests {
        for (side, folder) in folders.iter().enumerate() {
            write(folder.path(), manifests, side)?;
        }
    }
    let (name, flags) = words(program);
    let paths: Vec<PathBuf> = folders.iter().map(|folder| folder.path().to_owned()).collect();
    let status = runtime()?.block_on(run(&name, &paths, &flags))?;
    for job in &compared.report.jobs {
        let verdict = job.difference.verdict.as_str();
        printer
            .notice(&format!("job.batch/{} in namespace {}: {verdict}", job.name, job.namespace));
    }
    printer.notice(&compared.report.summary.sentence());
    match status {
        Ended::Signal => Ok(Exit::Terminated),
        Ended::Status(status) => match status.code() {
            Some(0) => Ok(Exit::Fine),
            Some(1) => Ok(Exit::No),
            // Whoever read what it writes has seen enough.
            None if is_closed_pipe(status) => Ok(Exit::No),
            _ => Err(failed(&name, &format!("ended with {status}"))),
        },
    }
}

fn write(folder: &Path, manifests: &Manifests, side: usize) -> Result<(), CliError> {
    let Some(job) = &manifests.sides[side] else { return Ok(()) };
    let path = folder.join(manifests.file.replace(['/', '\\'], "_"));
    std::fs::write(&path, job).map_err(|error| {
        CliError::usage(Problem::new(format!("cannot write {}: {error}", path.display())))
    })
}

/// Takes the program and its flags apart as kubectl does (`diff.go: getCommand`): words with other
/// characters than letters, digits, `-` and `=` are left out.
fn words(program: &OsStr) -> (String, Vec<String>) {
    let text = program.to_string_lossy();
    let mut words = text.split(' ').map(str::to_owned);
    let name = words.next().unwrap_or_default();
    let is_flag = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '=');
        !word.is_empty() && word.chars().all(plain)
    };
    (name, words.filter(is_flag).collect())
}

/// How a program ended.
enum Ended {
    Status(ExitStatus),
    /// This process was asked to end, and ended it.
    Signal,
}

/// Runs the program. An interrupt at the terminal is the program's own business: it gets it, too.
async fn run(name: &str, folders: &[PathBuf], flags: &[String]) -> Result<Ended, CliError> {
    let mut signals = Signals::listen().map_err(|error| failed(name, &error.to_string()))?;
    let mut command = Command::new(name);
    command.args(folders).args(flags).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(name, &error.to_string()))?;
    loop {
        tokio::select! {
            ended = child.wait() => {
                return ended.map(Ended::Status).map_err(|error| failed(name, &error.to_string()));
            }
            signal = signals.next() => if signal == Signal::Terminate {
                return Ok(Ended::Signal);
            }
        }
    }
}

#[cfg(unix)]
fn is_closed_pipe(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(rustix::process::Signal::PIPE.as_raw())
}

#[cfg(not(unix))]
fn is_closed_pipe(_: ExitStatus) -> bool {
    false
}

fn failed(name: &str, why: &str) -> CliError {
    let problem = Problem::new(format!("KUBECTL_EXTERNAL_DIFF: `{name}` {why}"));
    CliError::usage(problem.hint("unset it, or name a program that compares two folders"))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn flags_are_taken_as_kubectl_does() {
        let (name, flags) = words("diff -u --color=always --x=$(rm) ; -N".as_ref());
        assert_eq!(
            (name.as_str(), flags),
            ("diff", ["-u", "--color=always", "-N"].map(str::to_owned).to_vec())
        );
    }
}
