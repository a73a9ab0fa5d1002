//! `completion`, and what kubectl asks for `kubectl mage <TAB>`.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::entry::out;
use super::facts::runtime;
use super::targets::{pipeline_at_hand, pipelines};
use crate::cli::CompletionShell;
use crate::cli::completion::{self, Ask, Names};
use crate::cluster::{Cluster, ConnectionFlags, Plugins, kubeconfig_names};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::{Put, find_project, is_on_path, put_helper, revision_names};
use crate::ui::Printer;

/// Whoever presses TAB does not wait longer for the cluster and what leads to it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Then this program ends, whatever still waits for a disk, a name server or git.
const END: Duration = Duration::from_secs(3);

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
    let (told, path) = match put_helper(folder, &completion::script(shell))? {
        Put::Written(path) => (format!("wrote {}", path.display()), path),
        Put::Unchanged(path) => (format!("{} is there already", path.display()), path),
    };
    printer.notice(&told);
    let folder = path.parent().unwrap_or(&path);
    if !is_on_path(folder) {
        let folder = folder.display();
        printer.notice(&format!("kubectl will not find it: {folder} is not on your PATH"));
    }
    Ok(Exit::Fine)
}

/// Prints the candidates for the last of the words typed.
pub(super) fn candidates(words: Vec<OsString>, printer: Printer) -> Result<Exit, CliError> {
    let began = Instant::now();
    let folder = completion::project(&words);
    let flags = completion::connection(&words);
    let ask: Ask = Arc::new(move |names, typed| {
        let (folder, flags, typed) = (folder.clone(), flags.clone(), typed.to_owned());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let found = match names {
                Names::Targets | Names::Pipelines | Names::Revisions => {
                    of_project(names, &typed, folder.as_deref())
                }
                _ => of_cluster(names, flags.into(), PATIENCE.saturating_sub(began.elapsed())),
            };
            let _ = tell.send(found);
        });
        told.recv_timeout(END.saturating_sub(began.elapsed())).unwrap_or_default()
    });
    out(printer, &completion::candidates(words, &ask))?;
    Ok(Exit::Fine)
}

/// Returns names in the project; none where there is no project.
fn of_project(names: Names, typed: &str, folder: Option<&Path>) -> Vec<String> {
    let Ok(project) = find_project(folder) else { return Vec::new() };
    match names {
        Names::Revisions => revision_names(&project),
        Names::Pipelines => pipelines(&project),
        _ => targets(&project, typed),
    }
}

/// Returns names of the kubeconfig and of the cluster; none where they cannot be read in time.
fn of_cluster(names: Names, mut flags: ConnectionFlags, limit: Duration) -> Vec<String> {
    let began = Instant::now();
    match names {
        Names::Contexts => return kubeconfig_names(&flags).contexts,
        Names::Clusters => return kubeconfig_names(&flags).clusters,
        Names::Users => return kubeconfig_names(&flags).users,
        _ => {}
    }
    flags.plugins = Plugins::Unattended(limit);
    let Ok(runtime) = runtime() else { return Vec::new() };
    runtime.block_on(async {
        // This is what runs a plugin, and nothing else waits meanwhile.
        let Ok(cluster) = Cluster::connect(&flags).await else { return Vec::new() };
        let asked = tokio::time::timeout(limit.saturating_sub(began.elapsed()), async {
            let namespace = cluster.namespace();
            match names {
                Names::Namespaces => cluster.namespaces().await,
                Names::Jobs => cluster.job_names(namespace).await,
                Names::Pods => cluster.pod_names(namespace).await,
                _ => {
                    let known = cluster.known_runs(namespace).await?;
                    Ok(known.into_iter().map(|known| known.run).collect())
                }
            }
        });
        asked.await.ok().and_then(Result::ok).unwrap_or_default()
    })
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
    let read = pipeline_at_hand(project, pipeline);
    let blocks = read.iter().flat_map(|read| &read.blocks);
    blocks.map(|block| format!("{pipeline}/{}", block.uuid)).collect()
}
