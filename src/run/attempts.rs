//! What every attempt at a block was, for reports.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, Pod};
use k8s_openapi::jiff::Timestamp;

use super::plan::PlannedBlock;
use super::track::{PodTrack, Track};
use crate::cluster::{container_status, main_container};
use crate::diagnose::{Cause, pod_death_with_log};

/// One attempt at a block: a pod, or one run of its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptReport {
    /// Its number, from 1.
    pub number: u32,
    /// The Job that it belongs to.
    pub job: String,
    /// Its pod, if there was one.
    pub pod: Option<String>,
    /// The node it ran on.
    pub node: Option<String>,
    /// Since when it waited: the creation of its Job, or of its pod if the Job made one before, by
    /// the API server's clock.
    pub created: Option<Timestamp>,
    /// When its container started, by the node's clock.
    pub started: Option<Timestamp>,
    /// When its container ended, by the node's clock.
    pub ended: Option<Timestamp>,
    /// The container's exit code.
    pub exit_code: Option<i32>,
    /// Why it failed, if it did.
    pub cause: Option<Cause>,
    /// The last lines of its log.
    pub tail: Vec<String>,
    /// What Mage did inside of its pod that its end does not tell, a sentence each.
    pub notes: Vec<String>,
}

/// Returns the attempts at a block, in their order.
pub(super) fn attempts(track: &Track, block: &PlannedBlock) -> Vec<AttemptReport> {
    let mut all: Vec<AttemptReport> = Vec::new();
    let mut before = None;
    for pod in track.pods.values() {
        let first = before.replace(pod.of_job) != Some(pod.of_job);
        let of_now = if pod.of_job == track.attempt { track.started() } else { None };
        let job_created = pod.job_created.or(of_now).filter(|_| first);
        all.extend(runs(pod, job_created, block));
    }
    let created = track.started();
    if created.is_some() && track.pods_now().next().is_none() {
        all.push(AttemptReport {
            created,
            ..AttemptReport::new(track.next_shown(), block.job_name_of(track.attempt))
        });
    }
    all.sort_by_key(|attempt| attempt.number);
    all
}

impl AttemptReport {
    fn new(number: u32, job: String) -> Self {
        Self {
            number,
            job,
            pod: None,
            node: None,
            created: None,
            started: None,
            ended: None,
            exit_code: None,
            cause: None,
            tail: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn take(&mut self, ended: &ContainerStateTerminated) {
        self.started = ended.started_at.as_ref().map(|time| time.0);
        self.ended = ended.finished_at.as_ref().map(|time| time.0);
        self.exit_code = Some(ended.exit_code);
    }
}

/// Returns the runs of a pod's container: of those before the last restart the API knows one.
fn runs(
    track: &PodTrack,
    job_created: Option<Timestamp>,
    block: &PlannedBlock,
) -> Vec<AttemptReport> {
    let pod = &track.pod;
    let main = main_container(pod).unwrap_or_default();
    let status = container_status(pod, &main);
    let restarts = status.map_or(0, |s| u32::try_from(s.restart_count).unwrap_or(0));
    let mut last = AttemptReport::new(track.attempt + restarts, block.job_name_of(track.of_job));
    last.pod = Some(track.name.to_string());
    last.node = node(pod);
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    last.created = job_created.or(created);
    let mut all = Vec::new();
    if let Some(ContainerState { terminated: Some(ended), .. }) =
        status.and_then(|status| status.last_state.as_ref())
        && restarts > 0
    {
        let mut earlier = AttemptReport { number: last.number - 1, ..last.clone() };
        earlier.take(ended);
        earlier.created = last.created.filter(|_| restarts == 1);
        let reason = ended.reason.clone().unwrap_or_else(|| "Error".to_owned());
        let mut cause = Cause::new(reason, format!("ended with exit code {}", ended.exit_code));
        cause.exit_code = Some(ended.exit_code);
        earlier.cause = Some(cause);
        last.created = earlier.ended;
        all.push(earlier);
    }
    match status.and_then(|status| status.state.as_ref()) {
        Some(ContainerState { terminated: Some(ended), .. }) => last.take(ended),
        Some(ContainerState { running: Some(running), .. }) => {
            last.started = running.started_at.as_ref().map(|time| time.0);
        }
        _ => {}
    }
    last.cause = pod_death_with_log(pod, &[&track.traceback[..], &track.tail].concat());
    last.tail.clone_from(&track.tail);
    last.notes.clone_from(&track.notes);
    all.push(last);
    all
}

fn node(pod: &Pod) -> Option<String> {
    pod.spec.as_ref()?.node_name.clone()
}
