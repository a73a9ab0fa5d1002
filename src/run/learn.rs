//! How what is learned changes the state of a run.

use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;

use super::dispatcher::{Dispatcher, Loss};
use super::events::{BlockState, EventKind, RunEvent};
use super::input::{Input, Presence};
use super::launch::Refusal;
use super::outcome::Stop;
use super::track::Absence;
use crate::cluster::{
    Cluster, ClusterError, EventFacts, JobIdentity, JobState, Watched, job_state,
};
use crate::diagnose::{Cause, Pending, PendingKind};
use crate::error::CliError;

/// A Job without a pod after that long has a reason, which its events tell.
const PODLESS: Duration = Duration::from_millis(1500);
/// How often a Job is read that cannot be watched.
const READ_EVERY: Duration = Duration::from_secs(2);
/// How long contact must be lost to be worth a word.
const TELL_LOSS: Duration = Duration::from_secs(2);
/// Credentials that are refused for that long will not come back.
const UNAUTHORIZED: Duration = Duration::from_mins(1);

impl Dispatcher<'_> {
    /// Takes in one thing learned.
    pub(super) fn take(&mut self, input: Input) {
        match input {
            Input::Job(seen) => self.take_jobs(*seen),
            Input::Pod(seen) => self.take_pods(*seen),
            Input::Event(block, seen) => match *seen {
                Watched::Applied(event) => self.take_event(block, &event),
                Watched::Listed(events) => {
                    for event in &events {
                        self.take_event(block, event);
                    }
                }
                Watched::Deleted(_)
                | Watched::Lost(_)
                | Watched::Regained
                | Watched::Refused(_) => {}
            },
            Input::Launched(block, result) => self.take_launch(block, *result),
            Input::LaunchDelayed(block, error) => self.take_delay(block, &error),
            Input::Read(block, result) => self.take_read(block, result),
            Input::LogEnded(end) => self.take_log_end(end),
            Input::Presence(block, presence) => self.take_presence(block, presence),
            Input::Removed(block, result) => {
                self.tracks[block].absence = Absence::None;
                if let Err(error) = result {
                    self.notice(format!("could not be deleted, it may still start: {error}"));
                }
            }
        }
    }

    fn take_jobs(&mut self, seen: Watched<Job>) {
        match seen {
            Watched::Applied(job) => self.take_job(job),
            Watched::Deleted(job) => self.take_deleted_job(job),
            Watched::Listed(jobs) => {
                let here: Vec<String> =
                    jobs.iter().filter_map(|job| job.metadata.uid.clone()).collect();
                for job in jobs {
                    self.take_job(job);
                }
                // The list may be older than a Job made since; only a read by name can tell.
                for block in 0..self.tracks.len() {
                    let track = &self.tracks[block];
                    let missing = track.uid.as_ref().is_some_and(|uid| !here.contains(uid));
                    if track.state.is_active() && missing {
                        self.read_job(block);
                    }
                }
            }
            Watched::Lost(error) => self.take_loss(error),
            Watched::Regained => self.take_return(),
            Watched::Refused(error) => {
                self.read_jobs = true;
                self.notice(format!("Jobs are read one by one instead of watched: {error}"));
            }
        }
    }

    pub(super) fn take_loss(&mut self, error: ClusterError) {
        if self.lost.is_none() {
            self.lost = Some(Loss { since: Instant::now(), error, told: false });
        }
    }

    pub(super) fn take_return(&mut self) {
        if self.lost.take().is_some_and(|loss| loss.told) {
            self.notice("contact is back".to_owned());
        }
    }

    /// Tells about a loss that lasts, and gives up on one that lasts too long.
    fn tick_loss(&mut self, now: Instant) {
        let Some(loss) = &mut self.lost else { return };
        let away = now.saturating_duration_since(loss.since);
        let limit = match loss.error {
            ClusterError::Unauthorized { .. } => UNAUTHORIZED.min(self.options.contact_timeout),
            _ => self.options.contact_timeout,
        };
        if away >= limit {
            self.stop = Some(Stop::ContactLost(loss.error.clone()));
        } else if away >= TELL_LOSS && !std::mem::replace(&mut loss.told, true) {
            let text = format!("contact lost, trying again: {}", loss.error);
            self.notice(text);
        }
    }

    /// Finds the block a Job belongs to; takes it as ours where the answer to its POST is awaited.
    fn block_of(&mut self, job: &Job) -> Option<usize> {
        let uid = job.metadata.uid.clone()?;
        if let Some(block) = self.by_job_uid.get(&uid) {
            return Some(*block);
        }
        let name = job.metadata.name.as_deref()?;
        let namespace = job.metadata.namespace.as_deref()?;
        let block = self.plan.blocks.iter().position(|block| {
            block.job_name() == name
                && block.namespace == namespace
                && block.identity(self.run).matches(job)
        })?;
        let track = &mut self.tracks[block];
        if !track.is_in_flight() || track.uid.is_some() {
            return None;
        }
        track.uid = Some(uid.clone());
        self.by_job_uid.insert(uid, block);
        Some(block)
    }

    fn take_job(&mut self, job: Job) {
        let Some(block) = self.block_of(&job) else { return };
        let track = &mut self.tracks[block];
        if !track.state.is_active() || track.absence == Absence::Removing {
            return;
        }
        let state = job_state(&job);
        track.job = Some(job);
        match state {
            JobState::Complete if track.condition_false => {
                self.finish(block, BlockState::ConditionFalse, None);
            }
            JobState::Complete => self.finish(block, BlockState::Complete, None),
            JobState::Failed { .. } => {
                let cause = self.tracks[block].failure();
                for pod in self.tracks[block].pods.values() {
                    pod.failed.send_replace(Some(true));
                }
                self.finish(block, BlockState::Failed, cause);
            }
            JobState::Suspended => self.note_pending(
                block,
                Some(Pending {
                    kind: PendingKind::NoPod,
                    reason: "Suspended".to_owned(),
                    message: "the Job is suspended, by a queue perhaps".to_owned(),
                }),
            ),
            JobState::Created | JobState::Active | JobState::Completing | JobState::Failing => {}
        }
    }

    fn take_deleted_job(&mut self, job: Job) {
        let uid = job.metadata.uid.clone();
        let Some(block) = uid.and_then(|uid| self.by_job_uid.get(&uid).copied()) else { return };
        // Its last state may be an end that was not seen before.
        self.take_job(job);
        self.note_missing(block);
    }

    fn note_missing(&mut self, block: usize) {
        let track = &mut self.tracks[block];
        if track.state.is_active() && track.absence == Absence::None && self.stop.is_none() {
            track.absence = Absence::Missing;
            self.look_around(block);
        }
    }

    fn take_presence(&mut self, block: usize, presence: Presence) {
        if !self.tracks[block].state.is_active() || self.stop.is_some() {
            return;
        }
        match presence {
            Presence::Nothing => self.stop = Some(Stop::CancelledElsewhere),
            Presence::Rest => {
                let last = self.tracks[block].state;
                let cause = Cause {
                    reason: "JobDeleted".to_owned(),
                    sentence: format!("somebody else deleted its Job (last known state: {last})"),
                    exit_code: None,
                    hint: None,
                };
                self.finish(block, BlockState::Gone, Some(cause));
            }
        }
    }

    fn take_launch(&mut self, block: usize, result: Result<Job, Refusal>) {
        let track = &mut self.tracks[block];
        track.launch = None;
        match result {
            Ok(job) => {
                if track.uid.is_none()
                    && let Some(uid) = job.metadata.uid.clone()
                {
                    track.uid = Some(uid.clone());
                    self.by_job_uid.insert(uid, block);
                }
                if track.job.is_none() {
                    track.job = Some(job);
                }
                let event = RunEvent::new(EventKind::Block(BlockState::Created))
                    .block(&track.name)
                    .message(format!("job.batch/{}", self.plan.blocks[block].job_name()));
                let news = track.state == BlockState::Created;
                if news {
                    self.tell(event);
                }
            }
            Err(refusal) => {
                let (reason, hint) = match &refusal {
                    Refusal::NameTaken { .. } => ("NameTaken", None),
                    Refusal::Refused(error) => {
                        let problems = CliError::from(error.clone()).problems;
                        let hint = problems.first().map(|problem| problem.hints.join("; "));
                        ("Refused", hint.filter(|hint| !hint.is_empty()))
                    }
                };
                let cause = Cause {
                    reason: reason.to_owned(),
                    sentence: refusal.to_string(),
                    exit_code: None,
                    hint,
                };
                self.finish(block, BlockState::Refused, Some(cause));
            }
        }
    }

    fn take_delay(&mut self, block: usize, error: &ClusterError) {
        let reason = match error {
            ClusterError::Quota { .. } => "Quota",
            _ => "Unreachable",
        };
        let pending = Pending {
            kind: PendingKind::NoPod,
            reason: reason.to_owned(),
            message: error.to_string(),
        };
        self.note_pending(block, Some(pending));
    }

    fn take_event(&mut self, block: usize, event: &Event) {
        let facts = EventFacts::from(event);
        let track = &self.tracks[block];
        if facts.warning && track.pods.is_empty() && track.state.is_active() {
            let pending =
                Pending { kind: PendingKind::NoPod, reason: facts.reason, message: facts.message };
            self.note_pending(block, Some(pending));
        }
    }

    pub(super) fn note_pending(&mut self, block: usize, pending: Option<Pending>) {
        let track = &mut self.tracks[block];
        if !track.note_pending(pending, Instant::now()) {
            return;
        }
        let Some(pending) = &track.pending else { return };
        track.state = BlockState::Pending;
        let mut event = RunEvent::new(EventKind::Block(BlockState::Pending))
            .block(&track.name)
            .reason(pending.reason.clone())
            .message(pending.message.clone());
        if let Some(pod) = track.last_pod() {
            event = event.pod(&pod.name, pod.attempt);
        }
        self.tell(event);
    }

    /// Reads a Job by name, at most one read at a time.
    pub(super) fn read_job(&mut self, block: usize) {
        let track = &mut self.tracks[block];
        if std::mem::replace(&mut track.being_read, true) {
            return;
        }
        track.last_read = Some(Instant::now());
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        let planned = &self.plan.blocks[block];
        let (namespace, name) = (planned.namespace.clone(), planned.job_name().to_owned());
        self.tasks.spawn(async move {
            let read = cluster.get_job(&namespace, &name).await.map(|job| job.map(Box::new));
            let _ = inputs.send(Input::Read(block, read));
        });
    }

    fn take_read(&mut self, block: usize, result: Result<Option<Box<Job>>, ClusterError>) {
        self.tracks[block].being_read = false;
        let known = self.tracks[block].uid.clone();
        match result {
            Ok(job) => {
                if self.read_jobs {
                    self.take_return();
                }
                match job {
                    Some(job) if job.metadata.uid == known => self.take_job(*job),
                    _ if known.is_some() => self.note_missing(block),
                    _ => {}
                }
            }
            Err(error) if self.read_jobs && error.is_transient() => self.take_loss(error),
            Err(_) => {}
        }
    }

    /// Looks at the clock.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.stop.is_some() {
            return;
        }
        if self.options.timeout.is_some_and(|limit| self.age(now) >= limit) {
            self.stop = Some(Stop::TimedOut);
            return;
        }
        self.tick_loss(now);
        for block in 0..self.tracks.len() {
            if self.tracks[block].state.is_active() {
                self.tick_block(block, now);
            }
        }
    }

    fn tick_block(&mut self, block: usize, now: Instant) {
        let track = &self.tracks[block];
        if let Some(cause) = track.overdue(self.options, now) {
            self.give_up_start(block, cause);
            return;
        }
        let age = track.launched.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        if let Some(uid) = track.uid.clone()
            && track.pods.is_empty()
            && track.event_watch.is_none()
            && age >= PODLESS
        {
            self.watch_events(block, &uid);
        }
        let track = &self.tracks[block];
        let due = track.last_read.is_none_or(|at| now.saturating_duration_since(at) >= READ_EVERY);
        if self.read_jobs && track.uid.is_some() && due {
            self.read_job(block);
        }
    }

    /// Deletes the Job of a block that cannot start: it would run later, unseen.
    fn give_up_start(&mut self, block: usize, mut cause: Cause) {
        let planned = &self.plan.blocks[block];
        let (namespace, name) = (planned.namespace.clone(), planned.job_name().to_owned());
        let sentence = cause.sentence.trim_end_matches('.');
        cause.sentence = format!("{sentence}; job.batch/{name} is deleted");
        let track = &mut self.tracks[block];
        track.absence = Absence::Removing;
        let (uid, identity) = (track.uid.clone(), planned.identity(self.run));
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let removed = remove(&cluster, &namespace, &name, uid, &identity).await;
            let _ = inputs.send(Input::Removed(block, removed));
        });
        self.finish(block, BlockState::CouldNotStart, Some(cause));
    }
}

/// Deletes a Job by UID; one whose POST was never answered only if it turns out to be ours.
async fn remove(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    uid: Option<String>,
    identity: &JobIdentity,
) -> Result<(), ClusterError> {
    let uid = match uid {
        Some(uid) => Some(uid),
        None => cluster
            .get_job(namespace, name)
            .await?
            .filter(|job| identity.matches(job))
            .and_then(|job| job.metadata.uid),
    };
    match uid {
        Some(uid) => cluster.delete_job(namespace, name, &uid).await.map(drop),
        None => Ok(()),
    }
}
