//! Removes what runs, and waits until it is gone.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::{Cluster, ClusterError, JobState, blocks_selector, job_state};

/// How long pods may take to go; their grace period is 30 s unless the template says otherwise.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(3);
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A Job to remove.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) namespace: String,
    pub(super) name: String,
    /// None when its POST was never answered.
    pub(super) uid: Option<String>,
}

impl Target {
    /// Names it for people.
    pub(super) fn display(&self) -> String {
        format!("job.batch/{} in namespace {}", self.name, self.namespace)
    }
}

/// Deletes the Jobs by UID, and those of the run that nobody knew of; waits until none of their
/// pods is left. Returns what is still there.
pub(super) async fn remove(
    cluster: &Cluster,
    run: &str,
    namespaces: &[String],
    targets: &[Target],
) -> Vec<String> {
    let deadline = Instant::now() + LONGEST_WAIT;
    let mut removed: HashSet<String> = HashSet::new();
    let mut remaining = Vec::new();
    let results = join_all(targets.iter().map(|target| delete(cluster, target, deadline))).await;
    for (target, result) in targets.iter().zip(results) {
        match result {
            Ok(uid) => removed.extend(uid),
            Err(error) => remaining.push(format!("{} ({error})", target.display())),
        }
    }
    for namespace in namespaces {
        remove_strays(cluster, run, namespace, targets, &mut removed).await;
    }
    for namespace in namespaces {
        remaining.extend(wait_for_pods(cluster, run, namespace, &removed, deadline).await);
    }
    remaining
}

/// Deletes one Job, again and again while the API server is away; returns its UID.
async fn delete(
    cluster: &Cluster,
    target: &Target,
    deadline: Instant,
) -> Result<Option<String>, ClusterError> {
    // The stray search by label finds it, if it came to be.
    let Some(uid) = &target.uid else { return Ok(None) };
    retried(deadline, async || cluster.delete_job(&target.namespace, &target.name, uid).await)
        .await?;
    Ok(Some(uid.clone()))
}

/// Asks again while the API server is away, until `deadline`.
pub(super) async fn retried<T, F>(deadline: Instant, ask: impl Fn() -> F) -> Result<T, ClusterError>
where
    F: Future<Output = Result<T, ClusterError>>,
{
    loop {
        match ask().await {
            Err(error) if error.is_transient() && Instant::now() < deadline => {
                tokio::time::sleep(error.retry_after().unwrap_or(Duration::from_secs(1))).await;
            }
            answer => return answer,
        }
    }
}

/// Deletes unfinished Jobs of the run that a lost answer hid.
async fn remove_strays(
    cluster: &Cluster,
    run: &str,
    namespace: &str,
    targets: &[Target],
    removed: &mut HashSet<String>,
) {
    let listed = cluster.list_jobs(Some(namespace), &blocks_selector(run)).await;
    let jobs: Vec<Job> = if let Ok(jobs) = listed {
        jobs
    } else {
        // Without the right to list, the Jobs whose answer was lost are read by name.
        let unknown = targets.iter().filter(|t| t.uid.is_none() && t.namespace == namespace);
        let found = join_all(unknown.map(|t| cluster.get_job(namespace, &t.name))).await;
        found.into_iter().flatten().flatten().collect()
    };
    for job in jobs {
        let over = matches!(job_state(&job), JobState::Complete | JobState::Failed { .. });
        let (Some(name), Some(uid)) = (job.metadata.name, job.metadata.uid) else { continue };
        if !over && !removed.contains(&uid) {
            let _ = cluster.delete_job(namespace, &name, &uid).await;
            removed.insert(uid);
        }
    }
}

/// Waits until no pod of the removed Jobs is left; returns those that are.
async fn wait_for_pods(
    cluster: &Cluster,
    run: &str,
    namespace: &str,
    removed: &HashSet<String>,
    deadline: Instant,
) -> Vec<String> {
    if removed.is_empty() {
        return Vec::new();
    }
    loop {
        let left: Vec<String> = match cluster.list_pods(namespace, &blocks_selector(run)).await {
            Ok(pods) => pods
                .iter()
                .filter(|pod| job_uid(pod).is_some_and(|uid| removed.contains(uid)))
                .filter_map(|pod| pod.metadata.name.as_ref())
                .map(|name| format!("pod/{name} in namespace {namespace}"))
                .collect(),
            Err(error) if error.is_transient() => vec![format!("pods in namespace {namespace}")],
            Err(error) => return vec![format!("maybe pods in namespace {namespace} ({error})")],
        };
        if left.is_empty() || Instant::now() >= deadline {
            return left;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Returns the UID of the Job that made the pod.
pub(super) fn job_uid(pod: &Pod) -> Option<&str> {
    let owners = pod.metadata.owner_references.as_ref()?;
    owners.iter().find(|owner| owner.kind == "Job").map(|owner| owner.uid.as_str())
}
