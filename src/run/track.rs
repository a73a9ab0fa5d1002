//! What is known of one block while the run goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::adopt::{Adopted, Standing};
use super::attempts::attempts;
use super::dispatcher::Role;
use super::disruption::fault;
use super::events::BlockState;
use super::options::Options;
use super::outcome::BlockReport;
use super::plan::PlannedBlock;
use super::scheduler::Fault;
use crate::cluster::{ContainerPhase, ContainerView, container_view, ended_at, main_container};
use crate::diagnose::{Cause, Pending, PendingKind, job_failure, pending_hint, pod_death};
use crate::logs::FalseCondition;

/// How long a complete block's log is waited for to be read to its end.
const LAST_LINES: Duration = Duration::from_secs(5);
/// The same where it tells whether a conditional said no.
const CONDITION: Duration = Duration::from_secs(30);
const NO_NEWS: &str = "see whether the cluster's Job controller and scheduler work";

/// One pod of a block.
pub(super) struct PodTrack {
    pub(super) name: Arc<str>,
    pub(super) attempt: u32,
    /// The attempt of the Job that made it.
    pub(super) of_job: u32,
    pub(super) pod: Box<Pod>,
    pub(super) view: watch::Sender<ContainerView>,
    pub(super) failed: watch::Sender<Option<bool>>,
    /// Whether a follower reads its log and has not told its end yet.
    pub(super) reading: bool,
    pub(super) death_told: bool,
    /// When its Job was created, once that is not the block's present one any more.
    pub(super) job_created: Option<Timestamp>,
    /// The last lines of its log.
    pub(super) tail: Vec<String>,
    /// The last traceback of its log.
    pub(super) traceback: Vec<String>,
    /// What Mage did inside of it that its end does not tell.
    pub(super) notes: Vec<String>,
    /// Why the block did not run, if a conditional of it said no.
    pub(super) condition: Option<FalseCondition>,
    /// Whether its log tells of that at all.
    pub(super) is_decided: bool,
}

impl PodTrack {
    /// Makes the track of a pod that was just seen.
    pub(super) fn new(pod: Pod, attempt: u32, of_job: u32) -> Self {
        let name = pod.metadata.name.clone().unwrap_or_default();
        Self {
            name: name.into(),
            attempt,
            of_job,
            view: watch::channel(ContainerView::UNKNOWN).0,
            failed: watch::channel(None).0,
            pod: Box::new(pod),
            reading: false,
            death_told: false,
            job_created: None,
            tail: Vec::new(),
            traceback: Vec::new(),
            notes: Vec::new(),
            condition: None,
            is_decided: false,
        }
    }

    /// Takes in the pod's newest state; returns how far its container is.
    pub(super) fn update(&mut self, pod: Pod) -> ContainerView {
        let view =
            main_container(&pod).map_or(ContainerView::UNKNOWN, |c| container_view(&pod, &c));
        *self.pod = pod;
        self.view.send_replace(view);
        if view.pod_ended {
            self.failed.send_replace(Some(pod_death(&self.pod).is_some()));
        }
        view
    }

    /// Notes that the pod is gone.
    pub(super) fn gone(&mut self) {
        self.view.send_replace(ContainerView::GONE);
        if self.failed.borrow().is_none() {
            self.failed.send_replace(Some(true));
        }
    }

    /// Tells whether its log is being read although it has ended.
    pub(super) fn is_read_late(&self) -> bool {
        self.reading && self.view.borrow().phase == ContainerPhase::Terminated
    }
}

/// Whether a block's Job is gone, or on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is not.
    None,
    /// Somebody else deleted it, and it is being found out what that means.
    Missing,
    /// This run deletes it.
    Removing,
}

/// What is known of one block.
pub(super) struct Track {
    pub(super) name: Arc<str>,
    pub(super) state: BlockState,
    /// The attempt of the run at the block: which Job.
    pub(super) attempt: u32,
    pub(super) uid: Option<String>,
    pub(super) job: Option<Job>,
    pub(super) pods: IndexMap<String, PodTrack>,
    pub(super) launched: Option<Instant>,
    pub(super) pending: Option<Pending>,
    pub(super) image_trouble: Option<Instant>,
    /// Since when it is known to run.
    pub(super) running: Option<Instant>,
    /// How long it had run then, where another client started it.
    pub(super) ran_before: Duration,
    pub(super) cause: Option<Cause>,
    pub(super) tail: Vec<String>,
    /// The last traceback of its log.
    pub(super) traceback: Vec<String>,
    /// Whether it was told that its Job stands.
    pub(super) created_told: bool,
    /// The task that posts its Job, until that is answered.
    pub(super) launch: Option<AbortHandle>,
    pub(super) event_watch: Option<AbortHandle>,
    pub(super) last_read: Option<Instant>,
    pub(super) being_read: bool,
    pub(super) absence: Absence,
    /// Since when its last pod is known to have ended, while its Job says nothing of it.
    pub(super) pod_ended: Option<Instant>,
    /// When its Job was seen to be complete while its log was still being read.
    pub(super) completed: Option<Instant>,
    /// Whether another client saw it to its end, so that its logs were shown.
    pub(super) settled_before: bool,
}

impl Track {
    pub(super) fn new(block: &PlannedBlock) -> Self {
        Self {
            name: block.uuid.as_str().into(),
            state: BlockState::Waiting,
            attempt: 1,
            uid: None,
            job: None,
            pods: IndexMap::new(),
            launched: None,
            pending: None,
            image_trouble: None,
            running: None,
            ran_before: Duration::ZERO,
            cause: None,
            tail: Vec::new(),
            traceback: Vec::new(),
            created_told: false,
            launch: None,
            event_watch: None,
            last_read: None,
            being_read: false,
            absence: Absence::None,
            pod_ended: None,
            completed: None,
            settled_before: false,
        }
    }

    /// Takes over what another client left.
    pub(super) fn adopt(&mut self, adopted: &Adopted, role: Role) {
        self.attempt = adopted.attempt;
        if adopted.standing == Standing::Failed && adopted.again {
            self.attempt += 1;
            return;
        }
        self.state = match adopted.standing {
            Standing::Missing => return,
            Standing::Active => BlockState::Created,
            Standing::Complete => BlockState::Complete,
            Standing::ConditionFalse => BlockState::ConditionFalse,
            Standing::Failed => {
                adopted.end.as_ref().map_or(BlockState::Failed, |(state, _)| *state)
            }
        };
        self.cause = adopted.end.as_ref().and_then(|(_, cause)| cause.clone());
        self.uid = adopted.job.as_ref().and_then(|job| job.metadata.uid.clone());
        self.job.clone_from(&adopted.job);
        self.launched = Some(Instant::now());
        self.settled_before = self.is_over() && role == Role::Driver;
    }

    /// Goes to another attempt, of which nothing is known yet.
    pub(super) fn go_to(&mut self, attempt: u32) {
        let created = self.started();
        for pod in self.pods.values_mut().filter(|pod| pod.of_job == self.attempt) {
            pod.job_created = created;
        }
        self.attempt = attempt;
        self.state = BlockState::Retrying;
        self.uid = None;
        self.job = None;
        self.launched = Some(Instant::now());
        self.pending = None;
        self.image_trouble = None;
        self.running = None;
        self.ran_before = Duration::ZERO;
        self.cause = None;
        self.tail.clear();
        self.traceback.clear();
        self.created_told = false;
        self.absence = Absence::None;
        self.completed = None;
        self.settled_before = false;
        for task in [self.launch.take(), self.event_watch.take()].into_iter().flatten() {
            task.abort();
        }
    }

    /// Tells whether it has ended, in whatever way.
    pub(super) fn is_over(&self) -> bool {
        !self.state.is_active() && !matches!(self.state, BlockState::Waiting | BlockState::Retrying)
    }

    /// Tells whether a client knew of a Job of it before.
    pub(super) fn is_known(&self) -> bool {
        self.settled_before || self.attempt > 1
    }

    /// Returns the pods of the present attempt.
    pub(super) fn pods_now(&self) -> impl DoubleEndedIterator<Item = &PodTrack> {
        self.pods.values().filter(|pod| pod.of_job == self.attempt)
    }

    /// Returns the attempt that people see: pods are counted too where a Job makes several.
    pub(super) fn shown(&self) -> u32 {
        let seen = |pod: &PodTrack| pod.attempt + pod.view.borrow().restarts;
        match self.pods_now().last() {
            Some(pod) => seen(pod),
            None => self.next_shown(),
        }
    }

    /// Returns the number of the next pod of the present attempt.
    pub(super) fn next_shown(&self) -> u32 {
        self.number_of_next(self.attempt)
    }

    /// Returns the number of the next pod of an attempt of the run.
    pub(super) fn number_of_next(&self, of_job: u32) -> u32 {
        let before = self.pods.values().filter(|pod| pod.of_job <= of_job);
        let seen = before.map(|pod| pod.attempt + pod.view.borrow().restarts);
        (seen.max().unwrap_or(0) + 1).max(of_job)
    }

    /// Says how its attempt failed.
    pub(super) fn fault(&self) -> Fault {
        self.pods_now().last().map_or(Fault::Own, |pod| fault(&pod.pod))
    }

    /// Tells whether its log must be read to its end before its completion counts: there it
    /// may stand that a conditional said no. That is not waited for for ever, where there is one
    /// longer.
    pub(super) fn awaits_log(&mut self, now: Instant, planned: &PlannedBlock) -> bool {
        let since = *self.completed.get_or_insert(now);
        let (unread, patience) = if planned.conditional {
            (!self.is_decided(), CONDITION)
        } else {
            (self.pods_now().any(|pod| pod.reading), LAST_LINES)
        };
        unread && now.saturating_duration_since(since) < patience
    }

    /// Tells whether it is known if a conditional said no, from the pod that made its Job complete.
    fn is_decided(&self) -> bool {
        let succeeded =
            |pod: &PodTrack| pod.view.borrow().pod_ended && pod_death(&pod.pod).is_none();
        self.pods_now().any(|pod| pod.is_decided && succeeded(pod))
    }

    /// Says how it ended, now that its Job is complete. Who only watches leaves to the driver what is
    /// to be made of a log that does not tell.
    pub(super) fn completion(
        &self,
        planned: &PlannedBlock,
        role: Role,
    ) -> (BlockState, Option<Cause>) {
        let last = self.pods_now().last();
        if let Some(condition) = last.and_then(|pod| pod.condition.as_ref()) {
            let cause = Cause::new(condition.reason(), condition.sentence());
            return (BlockState::ConditionFalse, Some(cause));
        }
        if planned.conditional && role == Role::Driver && !self.is_decided() {
            let cause = Cause::new(
                "ConditionUnknown",
                "its Job is complete, but whether its conditional said no stands only in its log, which does not tell",
            );
            let hint = "see that pods and their logs may be read, and that Mage logs at level INFO (`logging_config`)";
            return (BlockState::Failed, Some(cause.hint(hint)));
        }
        (BlockState::Complete, None)
    }

    /// Tells whether the answer to its POST is awaited.
    pub(super) fn is_in_flight(&self) -> bool {
        self.launch.is_some()
    }

    /// Takes note of why it waits; tells whether that is news.
    pub(super) fn note_pending(&mut self, pending: Option<Pending>, now: Instant) -> bool {
        let bad = |p: &Pending| matches!(p.kind, PendingKind::Image | PendingKind::Hopeless);
        if pending.as_ref().is_some_and(bad) {
            self.image_trouble.get_or_insert(now);
        } else {
            self.image_trouble = None;
        }
        let worth_telling = |p: &Pending| p.kind != PendingKind::Preparing;
        let news = match (&self.pending, &pending) {
            // An image error comes back under two names in turn; one telling is enough.
            (Some(old), Some(new)) if bad(old) && bad(new) => false,
            (Some(old), Some(new)) => worth_telling(new) && old != new,
            (None, Some(new)) => worth_telling(new),
            (_, None) => false,
        };
        self.pending = pending;
        news
    }

    /// Says that it has run too long, if it has.
    pub(super) fn overran(&self, planned: &PlannedBlock, now: Instant) -> Option<Cause> {
        let limit = planned.timeout?;
        let ran = now.saturating_duration_since(self.running?) + self.ran_before;
        let over = ran >= Duration::from_secs(limit) && self.absence == Absence::None;
        (self.state == BlockState::Running && self.completed.is_none() && over).then(|| Cause {
            reason: "BlockTimeout".to_owned(),
            sentence: format!("ran longer than its `timeout` of {limit} s"),
            exit_code: None,
            hint: Some("give the block more time, `timeout: SECONDS`, or less work".to_owned()),
        })
    }

    /// Says why it has waited too long, if it has.
    pub(super) fn overdue(&self, options: &Options, now: Instant) -> Option<Cause> {
        if !matches!(self.state, BlockState::Created | BlockState::Pending)
            || self.absence == Absence::Removing
        {
            return None;
        }
        let trouble = self.pending.as_ref();
        let cause = |limit: Duration, flag: &str| {
            let why = trouble.map(|pending| format!(": {}", words(pending))).unwrap_or_default();
            let reason = trouble.map_or("PendingTimeout", |pending| pending.reason.as_str());
            Cause {
                reason: reason.to_owned(),
                sentence: format!("did not start within {} s{flag}{why}", limit.as_secs()),
                exit_code: None,
                hint: Some(trouble.map_or_else(|| NO_NEWS.to_owned(), pending_hint)),
            }
        };
        if let Some(pending) = trouble.filter(|p| p.kind == PendingKind::Hopeless) {
            return Some(Cause {
                reason: pending.reason.clone(),
                sentence: words(pending),
                exit_code: None,
                hint: Some(pending_hint(pending)),
            });
        }
        let since =
            |start: Option<Instant>| start.map(|start| now.saturating_duration_since(start));
        if since(self.image_trouble).is_some_and(|waited| waited >= options.image_grace) {
            return Some(cause(options.image_grace, ""));
        }
        let limit = options.pending_timeout;
        since(self.launched)
            .is_some_and(|waited| waited >= limit)
            .then(|| cause(limit, " (--pending-timeout)"))
    }

    /// Returns the UID of the object whose events may say why nothing starts: the Job while it has
    /// no pod, then the pod while its status says nothing.
    pub(super) fn unexplained(&self) -> Option<String> {
        let silent =
            self.pending.as_ref().is_none_or(|pending| pending.kind == PendingKind::Preparing);
        let mut pods = self.pods.iter().rev();
        match pods.find(|(_, pod)| pod.of_job == self.attempt) {
            None => self.uid.clone(),
            Some((uid, pod)) => {
                let waits = pod.view.borrow().phase.is_waiting();
                (waits && silent && self.state != BlockState::Running).then(|| uid.clone())
            }
        }
    }

    /// Returns the newest pod.
    pub(super) fn last_pod(&self) -> Option<&PodTrack> {
        self.pods_now().last().or_else(|| self.pods.values().last())
    }

    /// Says why its Job failed, with all that is known now.
    pub(super) fn failure(&self) -> Option<Cause> {
        let pods: Vec<&Pod> = self.pods_now().map(|pod| &*pod.pod).collect();
        self.job
            .as_ref()
            .map(|job| job_failure(job, &pods, &[&self.traceback[..], &self.tail].concat()))
    }

    /// Returns when its Job was created.
    pub(super) fn started(&self) -> Option<Timestamp> {
        let created = self.job.as_ref()?.metadata.creation_timestamp.as_ref()?;
        Some(created.0)
    }

    /// Makes the report of the block.
    pub(super) fn report(&self, block: &PlannedBlock) -> BlockReport {
        let started = self.started();
        let ended = self.job.as_ref().and_then(ended_at);
        let seen = self.pods.values().map(|pod| pod.attempt + pod.view.borrow().restarts).max();
        let jobs = if self.launched.is_some() { self.attempt } else { self.attempt - 1 };
        BlockReport {
            uuid: block.uuid.clone(),
            block_type: block.block_type.clone(),
            state: self.state,
            namespace: block.namespace.clone(),
            job: block.job_name_of(self.attempt),
            pod: self.last_pod().map(|pod| pod.name.to_string()),
            attempts: seen.unwrap_or(0).max(jobs),
            started,
            duration: duration(started, ended),
            cause: match self.state {
                BlockState::Failed if self.completed.is_none() => {
                    self.failure().or_else(|| self.cause.clone())
                }
                _ => self.cause.clone(),
            },
            tail: self.tail.clone(),
            history: attempts(self, block),
        }
    }

    /// Returns how long its Job took, if it has ended.
    pub(super) fn duration(&self) -> Option<SignedDuration> {
        duration(self.started(), self.job.as_ref().and_then(ended_at))
    }
}

fn duration(start: Option<Timestamp>, end: Option<Timestamp>) -> Option<SignedDuration> {
    Some(end?.duration_since(start?))
}

/// Returns reason and message as one phrase.
fn words(pending: &Pending) -> String {
    match (pending.reason.is_empty(), pending.message.is_empty()) {
        (false, false) => format!("{}: {}", pending.reason, pending.message),
        (false, true) => pending.reason.clone(),
        _ => pending.message.clone(),
    }
}
