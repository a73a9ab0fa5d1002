//! How blocks end, and how a run comes to rest.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::UnboundedReceiver;

use super::dispatcher::{Dispatcher, Hold, Pumped, Role};
use super::events::{BlockState, EventKind, RunEvent, RunState};
use super::input::Input;
use super::notes::{Note, Noted, annotations_with_why};
use super::options::OnInterrupt;
use super::outcome::{BlockReport, Outcome, Stop};
use super::scheduler::{Fault, Skip, Verdict};
use super::settle::{self, Target};
use super::signals::{Signal, Signals};
use super::track::{Absence, PodTrack, Track};
use crate::diagnose::Cause;
use crate::exit::Exit;

/// How long the logs of ended pods may take to be read to their end.
const LOG_PATIENCE: Duration = Duration::from_secs(20);
/// The same where they are kept: a long one is worth waiting for, and a signal ends that.
const KEEPING_PATIENCE: Duration = Duration::from_mins(10);
/// How long unanswered POSTs are waited for before a run is left or cancelled.
const ANSWER_PATIENCE: Duration = Duration::from_secs(8);
/// How long giving back the Lease, or a last note, may keep a process.
const PARTING: Duration = Duration::from_secs(3);

impl Dispatcher<'_> {
    /// Takes in that an attempt at a block failed: another one follows, or the block has failed.
    pub(super) fn attempt_failed(&mut self, block: usize) {
        let track = &self.tracks[block];
        let (cause, fault) = (track.failure(), track.fault());
        self.attempt_ended(block, BlockState::Failed, cause, fault);
    }

    /// Takes in how an attempt at a block ended badly.
    pub(super) fn attempt_ended(
        &mut self,
        block: usize,
        state: BlockState,
        cause: Option<Cause>,
        fault: Fault,
    ) {
        for pod in self.tracks[block].pods_now() {
            pod.failed.send_replace(Some(true));
        }
        if self.stop.is_some() || self.scheduler.fails_for_good(block, fault) {
            self.finish(block, state, cause);
            return;
        }
        if state == BlockState::TimedOut {
            self.note(&[(block, state)]);
        }
        let why = cause.unwrap_or_default();
        let free = if fault == Fault::Unstarted { ", which is no fault of its own" } else { "" };
        let track = &mut self.tracks[block];
        let failed = track.shown();
        track.go_to(track.attempt + 1);
        let event = RunEvent::new(EventKind::Block(BlockState::Retrying))
            .block(&track.name)
            .attempt(track.shown())
            .reason(why.reason)
            .message(format!("attempt {failed} failed{free}: {}", why.sentence));
        self.tell(event);
        if self.role == Role::Driver {
            self.launch(block);
        }
    }

    /// Ends a block, starts what waited for it, and tells.
    pub(super) fn finish(&mut self, block: usize, state: BlockState, cause: Option<Cause>) {
        let verdict = match state {
            BlockState::Complete => Verdict::Complete,
            BlockState::ConditionFalse => Verdict::ConditionFalse,
            _ => Verdict::Failed,
        };
        let track = &mut self.tracks[block];
        track.state = state;
        track.pending = None;
        if track.absence == Absence::Missing {
            track.absence = Absence::None;
        }
        track.cause = cause;
        for task in [track.launch.take(), track.event_watch.take()].into_iter().flatten() {
            task.abort();
        }
        let skipped = self.scheduler.finish(block, verdict);
        // First the next POST, then the talking.
        self.start_ready();
        if let Some(exit) = super::outcome::exit_of(state) {
            self.bad.get_or_insert(exit);
        }
        self.tell_end(block);
        if state == BlockState::Complete
            && let Some(job) = &mut self.tracks[block].job
        {
            // Only what went wrong is explained by what was asked for.
            job.spec = None;
        }
        self.note_end(block);
        self.tell_skipped(skipped);
    }

    pub(super) fn tell_skipped(&mut self, skipped: Vec<(usize, Skip)>) {
        // That the run is over nevertheless, its Jobs do not tell.
        let unmet = |(block, why): &(usize, Skip)| {
            matches!(why, Skip::ConditionFalse(_)).then_some((*block, BlockState::Skipped))
        };
        let unmet: Vec<(usize, BlockState)> = skipped.iter().filter_map(unmet).collect();
        if !unmet.is_empty() {
            self.note(&unmet);
        }
        for (skipped, why) in skipped {
            let cause = self.skip_cause(why);
            let track = &mut self.tracks[skipped];
            track.state = BlockState::Skipped;
            let event = RunEvent::new(EventKind::Block(BlockState::Skipped))
                .block(&track.name)
                .reason(cause.reason.clone())
                .message(cause.sentence.clone());
            track.cause = Some(cause);
            self.tell(event);
        }
    }

    pub(super) fn tell_end(&self, block: usize) {
        let track = &self.tracks[block];
        let mut event =
            RunEvent::new(EventKind::Block(track.state)).block(&track.name).attempt(track.shown());
        if let Some(pod) = track.last_pod() {
            event = event.pod(&pod.name, pod.attempt);
        }
        let took = track.duration().map(|took| format!("after {}", crate::ui::duration(took)));
        event = match &track.cause {
            Some(cause) => event.reason(cause.reason.clone()).message(cause.sentence.clone()),
            None => event.message(took.unwrap_or_default()),
        };
        self.tell(event);
    }

    fn skip_cause(&self, why: Skip) -> Cause {
        let name = |block: usize| &self.tracks[block].name;
        let (reason, sentence) = match why {
            Skip::UpstreamFailed(up) => ("UpstreamFailed", format!("needs {}", name(up))),
            Skip::ConditionFalse(up) => {
                ("ConditionFalse", format!("the condition of {} said no", name(up)))
            }
            Skip::FailFast(other) => {
                ("FailFast", format!("nothing new starts after {} failed", name(other)))
            }
        };
        Cause { reason: reason.to_owned(), sentence, exit_code: None, hint: None }
    }

    /// Notes the end of a block where its Job will not tell of it.
    pub(super) fn note_end(&mut self, block: usize) {
        let state = self.tracks[block].state;
        let tells = matches!(
            state,
            BlockState::ConditionFalse
                | BlockState::TimedOut
                | BlockState::CouldNotStart
                | BlockState::Refused
                | BlockState::Gone
        );
        if tells || (self.plan.blocks[block].deletes_itself() && self.tracks[block].uid.is_some()) {
            self.note(&[(block, state)]);
        }
    }

    /// Notes ends in the plan's annotations.
    pub(super) fn note(&mut self, ends: &[(usize, BlockState)]) {
        let Some(recorded) = self.recorded.clone().filter(|_| self.role == Role::Driver) else {
            return;
        };
        let now = Timestamp::now();
        let note = |&(block, state): &(usize, BlockState)| {
            let track = &self.tracks[block];
            let note = Note { attempt: track.attempt, what: Noted::end(state) };
            (self.plan.blocks[block].uuid.as_str(), note, Some((now, track.cause.as_ref())))
        };
        let notes = annotations_with_why(ends.iter().map(note));
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.noting += 1;
        self.tasks.spawn(async move {
            let result =
                cluster.annotate_config_map(&recorded.namespace, &recorded.name, &notes).await;
            let _ = inputs.send(Input::Noted(result));
        });
    }

    /// Brings the run to rest: awaits logs, leaves or removes what runs. Returns what is left that
    /// should not be.
    pub(super) async fn settle(
        &mut self,
        received: &mut UnboundedReceiver<Input>,
        signals: &mut Signals,
    ) -> Vec<String> {
        self.scheduler.halt();
        let leave = match &self.stop {
            Some(_) if self.role == Role::Watcher => {
                self.mark_unfinished(BlockState::LeftRunning);
                return Vec::new();
            }
            None => {
                let quiet = |this: &Self| !this.is_busy();
                let keeps = self.options.log_folder.is_some();
                let patience = if keeps { KEEPING_PATIENCE } else { LOG_PATIENCE };
                let pumped = self.pump(received, signals, quiet, Some(patience)).await;
                if let Pumped::Late = pumped {
                    self.notice("not every log was read to its end".to_owned());
                }
                return Vec::new();
            }
            Some(Stop::Signal(_)) => self.options.on_interrupt != OnInterrupt::Cancel,
            Some(Stop::ContactLost(_) | Stop::Undriven | Stop::Replanned) => true,
            Some(Stop::TimedOut | Stop::CancelledElsewhere) => false,
        };
        let answered = |this: &Self| !this.tracks.iter().any(Track::is_in_flight);
        if !leave {
            self.tell(RunEvent::new(EventKind::Run(RunState::Cancelling)).message(
                "deleting what runs and waiting until its pods are gone; a second signal exits at once",
            ));
        }
        let contact = !matches!(self.stop, Some(Stop::ContactLost(_)));
        let again = contact
            && matches!(
                self.pump(received, signals, answered, Some(ANSWER_PATIENCE)).await,
                Pumped::Signal(_)
            );
        let targets = self.targets();
        if leave {
            if !again && self.is_to_be_handed_over() {
                Box::pin(self.hand_over(signals)).await;
            }
            self.mark_unfinished(BlockState::LeftRunning);
            return Vec::new();
        }
        self.note_cancelled();
        let remaining = if again {
            targets.iter().map(Target::display).collect()
        } else {
            let namespaces = self.plan.namespaces();
            let removal = settle::remove(self.cluster, self.run.as_str(), &namespaces, &targets);
            tokio::select! {
                remaining = removal => remaining,
                _ = signals.next() => targets.iter().map(Target::display).collect(),
            }
        };
        self.mark_unfinished(BlockState::Cancelled);
        if remaining.is_empty() {
            // The followers learn from the queue that their pods are gone.
            let quiet = |this: &Self| !this.is_busy();
            self.pump(received, signals, quiet, Some(Duration::from_secs(3))).await;
        }
        remaining
    }

    /// Notes what is about to be deleted, so that its attempt is never made again.
    fn note_cancelled(&mut self) {
        let active = |&block: &usize| self.tracks[block].state.is_active();
        let ends: Vec<(usize, BlockState)> = (0..self.tracks.len())
            .filter(active)
            .map(|block| (block, BlockState::Cancelled))
            .collect();
        if !ends.is_empty() {
            self.note(&ends);
        }
    }

    /// Gives the Lease back, and removes the plan of a run that made no Job: nothing is to be come
    /// back to.
    pub(super) async fn leave(&mut self) {
        self.tasks.abort_all();
        let lost = matches!(self.stop, Some(Stop::ContactLost(_) | Stop::Replanned));
        if self.hold == Hold::HandedOver || lost || self.role == Role::Watcher {
            return;
        }
        let known = |track: &Track| track.uid.is_some() || track.is_in_flight() || track.is_known();
        let made = self.hold != Hold::Began || self.tracks.iter().any(known);
        let recorded = if made { None } else { self.recorded.take() };
        let parting = async {
            match (&recorded, &self.lease) {
                (Some(recorded), _) => drop(self.cluster.delete_config_map(recorded).await),
                (None, Some(lease)) => lease.release().await,
                (None, None) => {}
            }
        };
        let _ = tokio::time::timeout(PARTING, parting).await;
    }

    fn targets(&self) -> Vec<Target> {
        let active = |(track, _): &(&Track, _)| track.state.is_active();
        self.tracks
            .iter()
            .zip(&self.plan.blocks)
            .filter(active)
            .map(|(track, block)| Target {
                namespace: block.namespace.clone(),
                name: block.job_name_of(track.attempt),
                uid: track.uid.clone(),
            })
            .collect()
    }

    fn mark_unfinished(&mut self, active: BlockState) {
        for track in &mut self.tracks {
            track.state = match track.state {
                state if state.is_active() => active,
                BlockState::Waiting | BlockState::Retrying => BlockState::NotStarted,
                _ => continue,
            };
            let event = RunEvent::new(EventKind::Block(track.state)).block(&track.name);
            self.events.send(event);
        }
    }

    /// Tells whether logs of ended pods are still read, or Jobs still being deleted.
    fn is_busy(&self) -> bool {
        self.noting > 0
            || self.unlisted > 0
            || self.tracks.iter().any(|track| {
                track.absence == Absence::Removing
                    || track.pods.values().any(PodTrack::is_read_late)
            })
    }

    pub(super) fn outcome(&self, remaining: Vec<String>) -> Outcome {
        let exit = match (&self.stop, self.bad) {
            (None | Some(Stop::Undriven), Some(bad)) => bad,
            (Some(stop), _) => stop.exit(),
            (None, None) => Exit::Fine,
        };
        let state = match &self.stop {
            Some(Stop::Signal(_)) if self.role == Role::Watcher => RunState::Left,
            Some(Stop::Signal(_)) if self.hold == Hold::HandedOver => RunState::Detached,
            Some(Stop::Signal(_)) if self.options.on_interrupt != OnInterrupt::Cancel => {
                RunState::Paused
            }
            Some(Stop::Undriven) if self.bad.is_none() => RunState::Paused,
            Some(Stop::Signal(_) | Stop::CancelledElsewhere) => RunState::Cancelled,
            Some(Stop::TimedOut) => RunState::TimedOut,
            Some(Stop::Replanned) => RunState::Left,
            Some(Stop::ContactLost(_)) => RunState::ContactLost,
            None if exit == Exit::Fine => RunState::Complete,
            None | Some(Stop::Undriven) if exit == Exit::Cancelled => RunState::Cancelled,
            None | Some(Stop::Undriven) => RunState::Failed,
        };
        self.tell(RunEvent::new(EventKind::Run(state)).message(self.stop_words()));
        let blocks: Vec<BlockReport> =
            self.tracks.iter().zip(&self.plan.blocks).map(|(t, b)| t.report(b)).collect();
        Outcome {
            run: self.run.to_string(),
            state,
            exit,
            duration: self.duration(&blocks),
            blocks,
            stopped_by: self.stop.clone(),
            remaining,
            recorded: self.recorded.is_some() || self.outline.is_some(),
            plan_namespace: self.plan.namespaces().into_iter().next().unwrap_or_default(),
        }
    }

    /// Returns how long it took; whoever watched it may have come late, and takes the word of its Jobs.
    fn duration(&self, blocks: &[BlockReport]) -> SignedDuration {
        let here = SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        if self.role == Role::Driver {
            // The server counts whole seconds, and no run is shorter than one of its blocks.
            let own = self.tracks.iter().zip(blocks).filter(|(track, _)| !track.settled_before);
            return own.filter_map(|(_, block)| block.duration).fold(here, Ord::max);
        }
        let first = blocks.iter().filter_map(|block| block.started).min();
        let last = blocks
            .iter()
            .filter_map(|block| block.started?.checked_add(block.duration?).ok())
            .max();
        first.zip(last).map_or(here, |(first, last)| last.duration_since(first).max(here))
    }

    fn stop_words(&self) -> String {
        match &self.stop {
            None => String::new(),
            Some(Stop::Signal(Signal::Interrupt)) => "SIGINT".to_owned(),
            Some(Stop::Signal(Signal::Terminate)) => "SIGTERM or SIGHUP".to_owned(),
            Some(Stop::TimedOut) => "--timeout passed".to_owned(),
            Some(Stop::CancelledElsewhere) => "somebody else cancelled this run".to_owned(),
            Some(Stop::Replanned) => "somebody gave the run another plan".to_owned(),
            Some(Stop::Undriven) => "nothing runs any more, and nobody drives the run".to_owned(),
            Some(Stop::ContactLost(error)) => {
                format!("contact with the API server is lost, the run goes on there: {error}")
            }
        }
    }
}
