//! Cancelling a run: what the canceller does, and how whoever drives the run learns of it.
//!
//! The canceller marks the plan first and deletes what is unfinished then. The driver watches the
//! plan, and reads it after each POST where it may not watch. A Job whose POST came before
//! the mark is in the canceller's list; the driver of one whose POST came after it sees the mark and deletes it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;

use super::dispatcher::Dispatcher;
use super::events::BlockState;
use super::input::Input;
use super::notes::{Note, Noted, annotations_with_why};
use super::outcome::Stop;
use super::record::plan_version;
use super::settle::{LONGEST_WAIT, LOOK_EVERY, job_uid, retried};
use crate::cluster::{
    Belongs, CANCELLED, Cluster, ClusterError, JobState, MANAGED_BY, MANAGER, PlanFacts, Recorded,
    Removal, WatchScope, Watched, belongs, job_state, run_selector,
};

/// What came of cancelling a run.
#[derive(Debug, Default)]
pub struct Cancelled {
    /// The Jobs that were deleted, as `job.batch/NAME`.
    pub deleted: BTreeSet<String>,
    /// What is still there although it should not.
    pub remaining: Vec<String>,
    /// Who still drives it, although they should have stopped.
    pub driver: Option<String>,
    /// Why the plan could not be marked, so that a driver may go on.
    pub unmarked: Option<ClusterError>,
}

/// Cancels a run: marks its plan, deletes its unfinished Jobs, waits until their pods are gone and
/// nobody drives it any more. `wait` is told who does, where nothing else is waited for.
///
/// # Errors
/// What keeps it from listing or deleting.
pub async fn cancel(
    cluster: &Cluster,
    run: &str,
    plan: Option<&PlanFacts>,
    namespaces: &[String],
    mut wait: impl FnMut(&str),
) -> Result<Cancelled, ClusterError> {
    let mut done = Cancelled::default();
    if let Some(plan) = plan {
        match patiently(async || cluster.mark_cancelled(plan, Timestamp::now()).await).await {
            Ok(_) => {}
            Err(error @ ClusterError::Forbidden { .. }) => done.unmarked = Some(error),
            Err(error) => return Err(error),
        }
    }
    let deadline = Instant::now() + LONGEST_WAIT;
    let mut clean = 0;
    let mut told = false;
    // The second look is for a POST that was on its way at the first.
    while clean < 2 {
        // Whoever stops driving makes no Job after that: what they made is seen below.
        let driver = driver(cluster, plan).await?;
        let mut left = Vec::new();
        for namespace in namespaces {
            left.extend(sweep(cluster, run, namespace, plan, &mut done).await?);
        }
        match &driver {
            Some(driver) if left.is_empty() && !std::mem::replace(&mut told, true) => wait(driver),
            _ => {}
        }
        clean = if left.is_empty() && driver.is_none() { clean + 1 } else { 0 };
        if Instant::now() >= deadline {
            done.remaining = left;
            done.driver = driver;
            return Ok(done);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(done)
}

/// Returns who drives a run; nobody where that may not be seen.
async fn driver(
    cluster: &Cluster,
    plan: Option<&PlanFacts>,
) -> Result<Option<String>, ClusterError> {
    let Some(plan) = plan else { return Ok(None) };
    match patiently(async || cluster.get_lease(&plan.namespace, &plan.name).await).await {
        Ok(lease) => Ok(lease.and_then(|lease| lease.driver().map(str::to_owned))),
        Err(ClusterError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deletes the unfinished Jobs of a run; returns what of them is still there. First each is noted in
/// the plan, so that its attempt is never made again, or marked itself where there is no plan.
async fn sweep(
    cluster: &Cluster,
    run: &str,
    namespace: &str,
    plan: Option<&PlanFacts>,
    done: &mut Cancelled,
) -> Result<Vec<String>, ClusterError> {
    let selector = format!("{MANAGED_BY}={MANAGER},{}", run_selector(run));
    let jobs = patiently(async || cluster.list_jobs(Some(namespace), &selector).await).await?;
    let (unfinished, finished): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_unfinished);
    let mut left = Vec::new();
    let now = Timestamp::now();
    for job in &unfinished {
        let (Some(name), Some(uid)) = (&job.metadata.name, &job.metadata.uid) else { continue };
        if job.metadata.deletion_timestamp.is_none() {
            let told = match (plan, belongs(job)) {
                (Some(plan), Some(of)) => note(cluster, plan, &of).await,
                // The driver: it reads the plan's mark.
                (_, None) => Ok(()),
                (None, Some(_)) => {
                    cluster.mark_job_cancelled(namespace, name, uid, now).await.map(drop)
                }
            };
            if let Err(error) = told {
                done.unmarked.get_or_insert(error);
            }
            let answer =
                patiently(async || cluster.delete_job_after_pods(namespace, name, uid).await)
                    .await?;
            if answer == Removal::Accepted {
                done.deleted.insert(format!("job.batch/{name}"));
            }
        }
        left.push(format!("job.batch/{name} in namespace {namespace}"));
    }
    let kept: Vec<&str> = finished.iter().filter_map(|job| job.metadata.uid.as_deref()).collect();
    let pods = patiently(async || cluster.list_pods(namespace, &selector).await).await?;
    for pod in pods.iter().filter(|pod| !job_uid(pod).is_some_and(|uid| kept.contains(&uid))) {
        let (Some(name), Some(uid)) = (&pod.metadata.name, &pod.metadata.uid) else { continue };
        let gone = unfinished.iter().all(|job| job.metadata.uid.as_deref() != job_uid(pod));
        // Whoever deleted the Job alone left the pod.
        if gone && pod.metadata.deletion_timestamp.is_none() && !is_over(pod) {
            cluster.delete_pod(namespace, name, uid).await?;
        }
        if !(gone && is_over(pod)) {
            left.push(format!("pod/{name} in namespace {namespace}"));
        }
    }
    Ok(left)
}

/// Notes in the plan that an attempt at a block is over.
async fn note(cluster: &Cluster, plan: &PlanFacts, of: &Belongs) -> Result<(), ClusterError> {
    let note = Note { attempt: of.attempt, what: Noted::end(BlockState::Cancelled) };
    let when = Some((Timestamp::now(), None));
    let notes = annotations_with_why([(of.block.as_str(), note, when)].into_iter());
    cluster.annotate_config_map(&plan.namespace, &plan.name, &notes).await
}

fn is_unfinished(job: &Job) -> bool {
    let over = matches!(job_state(job), JobState::Complete | JobState::Failed { .. });
    // What failed because it is being deleted is not finished before it is gone.
    !over || job.metadata.deletion_timestamp.is_some()
}

fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Asks again while the API server is away, for a while.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, ClusterError>
where
    F: Future<Output = Result<T, ClusterError>>,
{
    retried(Instant::now() + Duration::from_mins(1), ask).await
}

/// Tells whether the plan is gone or marked.
pub(super) async fn is_cancelled(cluster: &Cluster, recorded: &Recorded) -> bool {
    let plan = cluster.get_config_map(&recorded.namespace, &recorded.name).await;
    plan.is_ok_and(|plan| plan.is_none_or(|plan| tells(&plan, recorded)))
}

/// Tells whether a ConfigMap says that this plan is no longer to be followed.
fn tells(map: &ConfigMap, recorded: &Recorded) -> bool {
    map.metadata.uid.as_deref() != Some(recorded.uid.as_str()) || is_marked(&map.metadata)
}

/// Tells whether somebody cancelled the run of an object.
pub(super) fn is_marked(metadata: &ObjectMeta) -> bool {
    metadata.annotations.as_ref().is_some_and(|all| all.contains_key(CANCELLED))
}

impl Dispatcher<'_> {
    /// Watches the plan: a canceller marks it.
    pub(super) fn watch_plan(&mut self) {
        let Some(recorded) = &self.recorded else { return };
        let scope = WatchScope {
            namespace: recorded.namespace.clone(),
            labels: String::new(),
            fields: format!("metadata.name={}", recorded.name),
        };
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let sink = |seen| drop(inputs.send(Input::Plan(Box::new(seen))));
            cluster.watch::<ConfigMap>(&scope, sink).await;
        });
    }

    pub(super) fn take_plan(&mut self, seen: &Watched<ConfigMap>) {
        let Some(recorded) = &self.recorded else { return };
        let cancelled = match seen {
            Watched::Applied(map) => tells(map, recorded),
            Watched::Listed(maps) => maps.iter().all(|map| tells(map, recorded)),
            Watched::Deleted(_) => true,
            Watched::Refused(_) => {
                self.read_plan = true;
                false
            }
            // The watches of Jobs and pods tell of the same loss.
            Watched::Lost(_) | Watched::Regained => false,
        };
        if cancelled {
            self.take_cancel();
        }
        let newest = match seen {
            Watched::Applied(map) => Some(map),
            Watched::Listed(maps) => maps.first(),
            _ => None,
        };
        let has_other = newest.is_some_and(|map| plan_version(&map.metadata) != self.version);
        if has_other && self.stop.is_none() {
            self.stop = Some(Stop::Replanned);
        }
    }

    pub(super) fn take_cancel(&mut self) {
        if self.stop.is_none() && !self.scheduler.is_settled() {
            self.stop = Some(Stop::CancelledElsewhere);
        }
    }

    /// Reads the plan, where it may not be watched.
    pub(super) fn look_at_plan(&mut self) {
        let Some(recorded) = self.recorded.clone() else { return };
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let plan = cluster.get_config_map(&recorded.namespace, &recorded.name).await;
            let _ = match plan {
                Ok(Some(map)) => inputs.send(Input::Plan(Box::new(Watched::Applied(map)))),
                Ok(None) => inputs.send(Input::Cancelled),
                Err(_) => Ok(()),
            };
        });
    }
}
