//! Logs that were saved before, for `logs` to find.

use std::path::Path;

use crate::cluster::Cluster;
use crate::load::SavedFolders;
use crate::logs::{LogFolder, LogOf, SavedLog};

/// Finds the logs that were saved from this cluster and namespace: in every folder that this user
/// saved to, and in the one that is named.
pub(super) fn saved_logs(named: Option<&Path>, cluster: &Cluster) -> Vec<SavedLog> {
    let mut folders = SavedFolders::of_user().map(|list| list.known()).unwrap_or_default();
    if let Some(Ok(named)) = named.map(Path::canonicalize)
        && !folders.contains(&named)
    {
        folders.push(named);
    }
    let namespace = cluster.namespace();
    let is_of_here = |of: &LogOf| {
        of.server == cluster.server() && (namespace.is_empty() || of.namespace == namespace)
    };
    folders.iter().flat_map(|folder| LogFolder::saved(folder, is_of_here)).collect()
}

/// Returns the run of this tool of which the newest pod was saved.
pub(super) fn newest_run(saved: &[SavedLog]) -> Option<String> {
    let is_own = |run: &&String| !run.contains('@');
    let runs = saved.iter().filter(|saved| saved.of.run.as_ref().is_some_and(|run| is_own(&run)));
    runs.max_by_key(|saved| saved.of.created)?.of.run.clone()
}
