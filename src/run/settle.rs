//! Removes what runs, and waits until it is gone.

use std::time::{Duration, Instant};

use futures::future::join_all;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::{Cluster, ClusterError, JobState, blocks_selector, job_of, job_state};

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
    fn is(&self, uid: &str) -> bool {
        self.uid.as_deref() == Some(uid)
    }

    /// Names it for people.
    pub(super) fn display(&self) -> String {
        format!("job.batch/{} in namespace {}", self.name, self.namespace)
    }
}

/// Deletes the Jobs by UID, and those of the run that nobody knew of; waits until none of them and
/// of their pods is left. Returns what is still there.
///
/// A Job stays until its pods are gone, for a pod may come of it when it is already deleted.
pub(super) async fn remove(
    cluster: &Cluster,
    run: &str,
    namespaces: &[String],
    targets: &[Target],
) -> Vec<String> {
    let deadline = Instant::now() + LONGEST_WAIT;
    let mut removed: Vec<Target> = Vec::new();
    let mut remaining = Vec::new();
    let results = join_all(targets.iter().map(|target| delete(cluster, target, deadline))).await;
    for (target, result) in targets.iter().zip(results) {
        match result {
            // The stray search by label finds what was never answered, if it came to be.
            Ok(()) if target.uid.is_none() => {}
            Ok(()) => removed.push(target.clone()),
            Err(error) => remaining.push(format!("{} ({error})", target.display())),
        }
    }
    for namespace in namespaces {
        remove_strays(cluster, run, namespace, targets, &mut removed).await;
    }
    remaining.extend(wait(cluster, run, namespaces, &removed, deadline).await);
    remaining
}

/// Deletes one Job, again and again while the API server is away.
async fn delete(cluster: &Cluster, target: &Target, deadline: Instant) -> Result<(), ClusterError> {
    let Target { namespace, name, uid: Some(uid) } = target else { return Ok(()) };
    retried(deadline, async || cluster.delete_job_after_pods(namespace, name, uid).await)
        .await
        .map(drop)
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
    removed: &mut Vec<Target>,
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
        if !over && !removed.iter().any(|known| known.is(&uid)) {
            let _ = cluster.delete_job_after_pods(namespace, &name, &uid).await;
            removed.push(Target { namespace: namespace.to_owned(), name, uid: Some(uid) });
        }
    }
}

/// Waits until neither the removed Jobs nor their pods are left; returns those that are.
async fn wait(
    cluster: &Cluster,
    run: &str,
    namespaces: &[String],
    removed: &[Target],
    deadline: Instant,
) -> Vec<String> {
    if removed.is_empty() {
        return Vec::new();
    }
    let mut clean = 0;
    // The second look is for a pod that was on its way at the first.
    while clean < 2 {
        let looks = namespaces.iter().map(|namespace| left(cluster, run, namespace, removed));
        let looks = join_all(looks).await;
        let settled = looks.iter().all(|look| look.is_final);
        let left: Vec<String> = looks.into_iter().flat_map(|look| look.left).collect();
        clean = if left.is_empty() { clean + 1 } else { 0 };
        if clean == 0 && (settled || Instant::now() >= deadline) {
            return left;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Vec::new()
}

/// What one look at a namespace found.
struct Look {
    left: Vec<String>,
    /// Another look would find nothing else.
    is_final: bool,
}

/// Looks what is left of the removed Jobs in a namespace, and of their pods.
async fn left(cluster: &Cluster, run: &str, namespace: &str, removed: &[Target]) -> Look {
    let here = removed.iter().filter(|target| target.namespace == namespace);
    let jobs = here.map(async |target| {
        let job = cluster.get_job(namespace, &target.name).await;
        match job {
            Ok(job) => {
                let uid = job.and_then(|job| job.metadata.uid);
                uid.is_some_and(|uid| target.is(&uid)).then(|| target.display())
            }
            Err(error) => error.is_transient().then(|| target.display()),
        }
    });
    let mut left: Vec<String> = join_all(jobs).await.into_iter().flatten().collect();
    match cluster.list_pods(namespace, &blocks_selector(run)).await {
        Ok(pods) => {
            let of_removed =
                |pod: &&Pod| job_uid(pod).is_some_and(|uid| removed.iter().any(|job| job.is(uid)));
            let pods = pods.iter().filter(of_removed);
            left.extend(
                pods.filter_map(|pod| pod.metadata.name.as_ref())
                    .map(|name| format!("pod/{name} in namespace {namespace}")),
            );
        }
        Err(error) if error.is_transient() => left.push(format!("pods in namespace {namespace}")),
        // The Jobs tell enough where they are gone: each stays until its pods are.
        Err(_) if !left.is_empty() => {}
        Err(error) => {
            left.push(format!("maybe pods in namespace {namespace} ({error})"));
            return Look { left, is_final: true };
        }
    }
    Look { left, is_final: false }
}

/// Returns the UID of the Job that made the pod.
pub(super) fn job_uid(pod: &Pod) -> Option<&str> {
    job_of(pod).map(|(_, uid)| uid)
}
