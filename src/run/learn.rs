//! How what is learned changes the state of a run.

use std::time::Instant;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;

use super::adopt::attempt_of;
use super::cancel;
use super::dispatcher::{Dispatcher, Role};
use super::events::{BlockState, EventKind, RunEvent};
use super::input::{Input, Presence};
use super::launch::Refusal;
use super::outcome::{Stop, exit_of};
use super::outline::is_newer;
use super::track::Absence;
use crate::cluster::{CONTACT_IS_BACK, ClusterError, EventFacts, JobState, Watched, job_state};
use crate::diagnose::{Cause, Pending, PendingKind, pending_by_event};
use crate::error::CliError;

impl Dispatcher<'_> {
    /// Takes in one thing learned.
    pub(super) fn take(&mut self, input: Input) {
        match input {
            Input::Job(seen) => self.take_jobs(*seen),
            Input::Pod(seen) => self.take_pods(*seen),
            Input::Plan(seen) => self.take_plan(&seen),
            Input::Cancelled => self.take_cancel(),
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
            Input::Launched(block, attempt, result) => {
                if attempt == self.tracks[block].attempt {
                    self.take_launch(block, *result);
                }
            }
            Input::LaunchDelayed(block, error) => self.take_delay(block, &error),
            Input::Read(block, attempt, result) => {
                self.tracks[block].being_read = false;
                if attempt == self.tracks[block].attempt {
                    self.take_read(block, result);
                }
            }
            Input::LogEnded(end) => self.take_log_end(end),
            Input::Presence(block, presence) => self.take_presence(block, presence),
            Input::Lease(news) => self.take_lease(news),
            Input::Noted(noted) => {
                self.noting -= 1;
                if let Err(error) = noted {
                    self.take_not_noted(&error);
                }
            }
            Input::BeginNotNoted(error) => self.take_not_noted(&error),
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
            Watched::Lost(error) => self.watch_lost(error),
            Watched::Regained => self.watch_regained(),
            Watched::Refused(error) => {
                self.read_jobs = true;
                self.notice(format!("Jobs are read one by one instead of watched: {error}"));
            }
        }
    }

    pub(super) fn watch_lost(&mut self, error: ClusterError) {
        self.contact.watch_lost(error);
    }

    pub(super) fn watch_regained(&mut self) {
        let back = self.contact.watch_regained();
        self.tell_return(back);
    }

    fn got_through(&mut self) {
        let back = self.contact.got_through();
        self.tell_return(back);
    }

    fn tell_return(&mut self, back: bool) {
        if back {
            self.notice(CONTACT_IS_BACK.to_owned());
        }
    }

    /// Finds the block a Job belongs to; takes it as ours where the answer to its POST is awaited.
    fn block_of(&mut self, job: &Job) -> Option<usize> {
        let uid = job.metadata.uid.clone()?;
        if let Some(&block) = self.by_job_uid.get(&uid) {
            // Of an earlier attempt nothing more is to be learned.
            return (self.tracks[block].uid.as_ref() == Some(&uid)).then_some(block);
        }
        let mut found = self.plan.blocks.iter().enumerate();
        let (block, attempt) = found
            .find_map(|(block, planned)| Some((block, attempt_of(planned, self.run, job)?)))?;
        let track = &self.tracks[block];
        let awaited = track.uid.is_none()
            && attempt == track.attempt
            && track.absence != Absence::Removing
            && (track.is_in_flight() || !track.is_over() || track.state == BlockState::Skipped);
        if attempt > track.attempt || (awaited && !track.is_in_flight()) {
            self.take_from_other(block, attempt);
        } else if !awaited {
            return None;
        }
        self.tracks[block].uid = Some(uid.clone());
        self.by_job_uid.insert(uid, block);
        Some(block)
    }

    /// Takes note that another client created the Job of an attempt.
    fn take_from_other(&mut self, block: usize, attempt: u32) {
        self.tracks[block].go_to(attempt);
        self.tracks[block].state = BlockState::Created;
        let skipped = self.scheduler.adopt(&[(block, None)]);
        for track in &mut self.tracks {
            if track.state == BlockState::Skipped {
                track.state = BlockState::Waiting;
                track.cause = None;
            }
        }
        self.tell_skipped(skipped);
        self.bad = self.tracks.iter().find_map(|track| exit_of(track.state));
    }

    pub(super) fn take_job(&mut self, job: Job) {
        let outline = self.outline.as_ref();
        if outline.is_some_and(|own| is_newer(&job, own)) && self.stop.is_none() {
            self.stop = Some(Stop::Replanned);
        }
        let Some(block) = self.block_of(&job) else { return };
        let track = &mut self.tracks[block];
        if !track.state.is_active() || track.absence == Absence::Removing {
            return;
        }
        if cancel::is_marked(&job.metadata) {
            self.take_cancel();
            return;
        }
        let state = job_state(&job);
        track.job = Some(job);
        match state {
            JobState::Complete if track.awaits_log(Instant::now(), &self.plan.blocks[block]) => {}
            JobState::Complete => {
                let (state, cause) = track.completion(&self.plan.blocks[block], self.role);
                self.finish(block, state, cause);
            }
            JobState::Failed { .. } => {
                self.tell_created(block);
                self.attempt_failed(block);
            }
            JobState::Suspended => self.note_pending(
                block,
                Some(Pending {
                    kind: PendingKind::NoPod,
                    reason: "Suspended".to_owned(),
                    message: "the Job is suspended, by a queue perhaps".to_owned(),
                }),
            ),
            JobState::Created | JobState::Active | JobState::Completing | JobState::Failing => {
                if !self.tracks[block].is_in_flight() {
                    self.tell_created(block);
                }
            }
        }
    }

    fn take_deleted_job(&mut self, job: Job) {
        let uid = job.metadata.uid.clone();
        let Some(block) = uid.as_ref().and_then(|uid| self.by_job_uid.get(uid).copied()) else {
            return;
        };
        if self.tracks[block].uid != uid {
            return;
        }
        // Its last state may be an end that was not seen before.
        self.take_job(job);
        if self.tracks[block].state == BlockState::Complete && self.stop.is_none() {
            // Nothing else tells of it now.
            self.note(&[(block, BlockState::Complete)]);
        }
        self.note_missing(block);
    }

    fn note_missing(&mut self, block: usize) {
        let track = &mut self.tracks[block];
        let unexplained = track.absence == Absence::None && track.completed.is_none();
        if track.state.is_active() && unexplained && self.stop.is_none() {
            track.absence = Absence::Missing;
            self.look_around(block);
        }
    }

    fn take_presence(&mut self, block: usize, presence: Presence) {
        let track = &self.tracks[block];
        let missing = track.state.is_active() && track.absence == Absence::Missing;
        if !missing || self.stop.is_some() {
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
                if track.pods.is_empty() && track.state == BlockState::Pending {
                    // What delayed the POST is over.
                    track.state = BlockState::Created;
                    track.pending = None;
                }
                if track.state.is_active() {
                    self.tell_created(block);
                }
                if self.contact.is_refused() {
                    self.got_through();
                }
                if self.read_plan {
                    self.look_at_plan();
                }
            }
            Err(refusal) => {
                let (reason, hint) = match &refusal {
                    Refusal::NameTaken { .. } => ("NameTaken", None),
                    Refusal::NotStaged { .. } => {
                        let hint = "apply it anew with `kubectl mage apply --suspend`";
                        ("NotStaged", Some(hint.to_owned()))
                    }
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

    /// Tells, once, that the Job of a block stands.
    pub(super) fn tell_created(&mut self, block: usize) {
        let track = &mut self.tracks[block];
        if std::mem::replace(&mut track.created_told, true) {
            return;
        }
        let event = RunEvent::new(EventKind::Block(BlockState::Created))
            .block(&track.name)
            .attempt(track.shown())
            .message(format!("job.batch/{}", self.plan.blocks[block].job_name_of(track.attempt)));
        self.tell(event);
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
        if error.is_about_credentials() {
            // Watches that are open go on, and do not notice.
            self.contact.failed(error.clone());
        }
    }

    fn take_event(&mut self, block: usize, event: &Event) {
        let facts = EventFacts::from(event);
        let track = &self.tracks[block];
        if !facts.warning || !track.state.is_active() {
            return;
        }
        if track.pods.is_empty() {
            let pending =
                Pending { kind: PendingKind::NoPod, reason: facts.reason, message: facts.message };
            self.note_pending(block, Some(pending));
        } else if track.state != BlockState::Running
            && let Some(pending) = pending_by_event(&facts.reason, &facts.message)
        {
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
        let attempt = track.attempt;
        let (namespace, name) = (planned.namespace.clone(), planned.job_name_of(attempt));
        self.tasks.spawn(async move {
            let read = cluster.get_job(&namespace, &name).await.map(|job| job.map(Box::new));
            let _ = inputs.send(Input::Read(block, attempt, read));
        });
    }

    fn take_read(&mut self, block: usize, result: Result<Option<Box<Job>>, ClusterError>) {
        let known = self.tracks[block].uid.clone();
        match result {
            Ok(job) => {
                if self.read_jobs {
                    self.got_through();
                }
                match job {
                    Some(job) if job.metadata.uid == known => self.take_job(*job),
                    _ if known.is_some() => self.note_missing(block),
                    // A Job that another client made, where nothing can be watched.
                    Some(job) if self.role == Role::Watcher => self.take_job(*job),
                    _ => {}
                }
            }
            Err(error) if self.read_jobs && error.is_transient() => self.contact.failed(error),
            Err(_) => {}
        }
    }
}
