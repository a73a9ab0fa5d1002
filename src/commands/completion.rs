//! `completion`, and what kubectl asks for `kubectl mage <TAB>`.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::entry::out;
use super::facts::connect;
use super::targets::pipelines;
use crate::cli::{CompletionShell, ConnectionArgs, completion};
use crate::error::CliError;
use crate::exit::Exit;
use crate::load::{find_project, read_source};
use crate::project::Pipeline;
use crate::ui::Printer;

/// Whoever presses TAB does not wait longer for the cluster.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints a completion script.
pub(super) fn completion(shell: CompletionShell, printer: Printer) -> Result<Exit, CliError> {
    out(printer, &completion::script(shell))?;
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
    let runs = move |typed: &str| {
        let mut found = runs(connection.clone());
        found.retain(|run| run.starts_with(typed));
        found
    };
    out(printer, &completion::candidates(words, Box::new(targets), Box::new(runs)))?;
    Ok(Exit::Fine)
}

/// Returns the runs of the namespace; none where they cannot be read at once.
fn runs(mut flags: ConnectionArgs) -> Vec<String> {
    flags.request_timeout = Some(flags.request_timeout.unwrap_or(PATIENCE).min(PATIENCE));
    let Ok(connected) = connect(&flags) else { return Vec::new() };
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
