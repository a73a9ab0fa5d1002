//! `completion`, and what kubectl asks for `kubectl mage <TAB>`.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::entry::out;
use super::facts::{Connected, connect};
use super::targets::pipelines;
use crate::cli::completion::{self, Complete, Sources};
use crate::cli::{CompletionShell, ConnectionArgs};
use crate::cluster::kubeconfig_names;
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::{Put, find_project, put_helper, read_source};
use crate::project::Pipeline;
use crate::ui::Printer;

/// Whoever presses TAB does not wait longer for the cluster.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints a completion script.
pub(super) fn completion(shell: CompletionShell, printer: Printer) -> Result<Exit, CliError> {
    out(printer, &completion::script(shell))?;
    Ok(Exit::Fine)
}

/// Puts what kubectl completes by on the PATH.
pub(super) fn install(
    shell: CompletionShell,
    folder: Option<&Path>,
    printer: Printer,
) -> Result<Exit, CliError> {
    if shell != CompletionShell::Kubectl {
        let problem = Problem::new("--install is for `kubectl`: shells have places of their own");
        let hint = "leave it out, and see your shell's manual for where the script is to be";
        return Err(CliError::usage(problem.hint(hint)));
    }
    printer.notice(&match put_helper(folder, &completion::script(shell))? {
        Put::Written(path) => format!("wrote {}", path.display()),
        Put::Unchanged(path) => format!("{} is there already", path.display()),
    });
    Ok(Exit::Fine)
}

/// Prints the candidates for the last of the words typed.
pub(super) fn candidates(words: Vec<OsString>, printer: Printer) -> Result<Exit, CliError> {
    let project = find_project(completion::project(&words).as_deref()).ok();
    let targets = move |typed: &str| match &project {
        Some(project) => targets(project, typed),
        None => Vec::new(),
    };
    let connection = completion::connection(&words);
    let asked = |ask: fn(ConnectionArgs) -> Vec<String>| -> Complete {
        let connection = connection.clone();
        Box::new(move |typed: &str| {
            let mut found = ask(connection.clone());
            found.retain(|name| name.starts_with(typed));
            found
        })
    };
    let sources = Sources {
        targets: Box::new(targets),
        runs: asked(runs),
        namespaces: asked(namespaces),
        contexts: asked(|flags| kubeconfig_names(&flags.into()).contexts),
        clusters: asked(|flags| kubeconfig_names(&flags.into()).clusters),
        users: asked(|flags| kubeconfig_names(&flags.into()).users),
    };
    out(printer, &completion::candidates(words, sources))?;
    Ok(Exit::Fine)
}

/// Connects for whoever pressed TAB.
fn connect_at_once(mut flags: ConnectionArgs) -> Option<Connected> {
    flags.request_timeout = Some(flags.request_timeout.unwrap_or(PATIENCE).min(PATIENCE));
    connect(&flags).ok()
}

/// Returns the namespaces; none where they cannot be read at once.
fn namespaces(flags: ConnectionArgs) -> Vec<String> {
    let Some(connected) = connect_at_once(flags) else { return Vec::new() };
    connected.runtime.block_on(connected.cluster.namespaces()).unwrap_or_default()
}

/// Returns the runs of the namespace; none where they cannot be read at once.
fn runs(flags: ConnectionArgs) -> Vec<String> {
    let Some(connected) = connect_at_once(flags) else { return Vec::new() };
    let cluster = &connected.cluster;
    let known = connected.runtime.block_on(cluster.known_runs(cluster.namespace()));
    let names = known.unwrap_or_default().into_iter().map(|known| known.run);
    names.chain(["@latest".to_owned()]).collect()
}

/// Returns the pipelines that begin so, and the blocks where that leaves only one pipeline.
fn targets(project: &Path, typed: &str) -> Vec<String> {
    let (name, _) = typed.split_once('/').unwrap_or((typed, ""));
    let mut found = pipelines(project);
    found.retain(|pipeline| pipeline.starts_with(name));
    if typed.contains('/') {
        found.retain(|pipeline| pipeline == name);
    }
    if let [pipeline] = &found[..] {
        found.extend(blocks(project, pipeline));
    }
    found.retain(|target| target.starts_with(typed));
    found
}

/// Returns `PIPELINE/BLOCK` for each block; none of a pipeline that cannot be read.
fn blocks(project: &Path, pipeline: &str) -> Vec<String> {
    let path = project.join("pipelines").join(pipeline).join("metadata.yaml");
    let Ok(file) = read_source(&path, project) else { return Vec::new() };
    let Ok((read, _)) = Pipeline::parse(&file, pipeline, None) else { return Vec::new() };
    read.blocks.iter().map(|block| format!("{pipeline}/{}", block.uuid)).collect()
}
