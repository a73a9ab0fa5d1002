//! The one owner of a run's state: everything arrives here, in one `select!`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use super::events::{BlockState, EventKind, EventSender, RunEvent, RunState};
use super::input::{Input, Presence};
use super::launch::Launch;
use super::options::{OnInterrupt, Options};
use super::outcome::{Outcome, Stop};
use super::plan::Plan;
use super::record;
use super::run_id::RunId;
use super::scheduler::{Scheduler, Skip, Verdict};
use super::settle::{self, Target};
use super::signals::{Signal, Signals};
use super::track::{Absence, PodTrack, Track};
use crate::cluster::{Cluster, ClusterError, Recorded, WatchScope, run_selector};
use crate::diagnose::Cause;
use crate::exit::Exit;

/// How often deadlines are looked at; state changes never wait for it.
pub(super) const TICK: Duration = Duration::from_millis(250);
/// How long the logs of ended pods may take to be read to their end.
const LOG_PATIENCE: Duration = Duration::from_secs(20);
/// How long unanswered POSTs are waited for before a run is left or cancelled.
const ANSWER_PATIENCE: Duration = Duration::from_secs(8);

/// The state of a run.
pub(super) struct Dispatcher<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) plan: &'a Plan,
    pub(super) run: &'a RunId,
    pub(super) options: &'a Options,
    pub(super) events: EventSender,
    pub(super) inputs: UnboundedSender<Input>,
    pub(super) tasks: JoinSet<()>,
    pub(super) scheduler: Scheduler,
    pub(super) tracks: Vec<Track>,
    pub(super) by_job_uid: HashMap<String, usize>,
    pub(super) recorded: Option<Recorded>,
    pub(super) stop: Option<Stop>,
    /// The exit code of the first block that did not end well.
    pub(super) bad: Option<Exit>,
    pub(super) lost: Option<Loss>,
    /// Whether Jobs must be read one by one because they cannot be watched.
    pub(super) read_jobs: bool,
    started: Instant,
}

/// Contact with the API server is lost.
pub(super) struct Loss {
    pub(super) since: Instant,
    pub(super) error: ClusterError,
    /// Whether anybody was told; what is over in a moment is not worth a word.
    pub(super) told: bool,
}

/// Why the loop ended.
enum Pumped {
    Done,
    Late,
    Signal(Signal),
}

/// Runs the plan to its end, or to what stops it.
///
/// # Errors
/// Only what went wrong before anything was created; everything later is in the outcome.
pub async fn execute(
    cluster: &Cluster,
    plan: &Plan,
    run: &RunId,
    options: &Options,
    mut signals: Signals,
    events: EventSender,
) -> Result<Outcome, ClusterError> {
    let (inputs, mut received) = mpsc::unbounded_channel();
    let scheduler = Scheduler::new(plan.graph(), options.parallel.get(), options.failure);
    let mut dispatcher = Dispatcher {
        cluster,
        plan,
        run,
        options,
        events,
        inputs,
        tasks: JoinSet::new(),
        scheduler,
        tracks: plan.blocks.iter().map(Track::new).collect(),
        by_job_uid: HashMap::new(),
        recorded: None,
        stop: None,
        bad: None,
        lost: None,
        read_jobs: false,
        started: Instant::now(),
    };
    dispatcher.begin(&mut signals).await?;
    dispatcher.dispatch(&mut received, &mut signals).await;
    let remaining = dispatcher.settle(&mut received, &mut signals).await;
    dispatcher.forget_empty_run().await;
    dispatcher.tasks.abort_all();
    Ok(dispatcher.outcome(remaining))
}

impl Dispatcher<'_> {
    /// Starts the watches and records the plan.
    async fn begin(&mut self, signals: &mut Signals) -> Result<(), ClusterError> {
        self.tell(RunEvent::new(EventKind::Run(RunState::Started)).message(format!(
            "run {}: pipeline {}, {}, in namespace {}",
            self.run,
            self.plan.pipeline,
            crate::ui::plural(self.plan.blocks.len(), "block"),
            self.plan.namespaces().join(", "),
        )));
        for namespace in self.plan.namespaces() {
            self.watch(&namespace);
        }
        let recording = record::record(self.cluster, self.plan, self.run);
        let recorded = tokio::select! {
            recorded = recording => recorded,
            signal = signals.next() => {
                self.stop = Some(Stop::Signal(signal));
                return Ok(());
            }
        };
        match recorded {
            Ok(recorded) => self.recorded = recorded,
            Err(error @ ClusterError::Forbidden { .. }) => self.notice(format!(
                "the plan is not recorded, so nothing owns the Jobs of this run: {error}"
            )),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn watch(&mut self, namespace: &str) {
        let scope = WatchScope {
            namespace: namespace.to_owned(),
            labels: run_selector(self.run.as_str()),
            fields: String::new(),
        };
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        let jobs = scope.clone();
        self.tasks.spawn(async move {
            cluster.watch::<Job>(&jobs, |seen| drop(inputs.send(Input::Job(Box::new(seen))))).await;
        });
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            cluster
                .watch::<Pod>(&scope, |seen| drop(inputs.send(Input::Pod(Box::new(seen)))))
                .await;
        });
    }

    /// Follows the events of a Job that has no pod.
    pub(super) fn watch_events(&mut self, block: usize, uid: &str) {
        let scope = WatchScope {
            namespace: self.plan.blocks[block].namespace.clone(),
            labels: String::new(),
            fields: format!("involvedObject.uid={uid}"),
        };
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        let task = self.tasks.spawn(async move {
            let sink = |seen| drop(inputs.send(Input::Event(block, Box::new(seen))));
            cluster.watch::<Event>(&scope, sink).await;
        });
        self.tracks[block].event_watch = Some(task);
    }

    async fn dispatch(&mut self, received: &mut UnboundedReceiver<Input>, signals: &mut Signals) {
        if self.stop.is_some() {
            return;
        }
        self.start_ready();
        let over = |this: &Self| this.scheduler.is_settled() || this.stop.is_some();
        if let Pumped::Signal(signal) = self.pump(received, signals, over, None).await {
            self.stop = Some(Stop::Signal(signal));
        }
    }

    /// Takes in whatever arrives until `done`, a signal, or the limit.
    async fn pump(
        &mut self,
        received: &mut UnboundedReceiver<Input>,
        signals: &mut Signals,
        done: impl Fn(&Self) -> bool,
        limit: Option<Duration>,
    ) -> Pumped {
        let end = limit.map(|limit| Instant::now() + limit);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !done(self) {
            if end.is_some_and(|end| Instant::now() >= end) {
                return Pumped::Late;
            }
            tokio::select! {
                biased;
                signal = signals.next() => return Pumped::Signal(signal),
                Some(input) = received.recv() => {
                    self.take(input);
                    self.start_ready();
                }
                _ = ticks.tick() => {
                    self.tick(Instant::now());
                    self.start_ready();
                    while self.tasks.try_join_next().is_some() {}
                }
            }
        }
        Pumped::Done
    }

    /// Posts the Jobs whose turn it is.
    pub(super) fn start_ready(&mut self) {
        if self.stop.is_some() {
            return;
        }
        for block in self.scheduler.start_ready() {
            let planned = &self.plan.blocks[block];
            let mut job = planned.job.clone();
            if let Some(recorded) = &self.recorded
                && recorded.namespace == planned.namespace
            {
                record::own(&mut job, recorded);
            }
            let launch = Launch {
                block,
                namespace: planned.namespace.clone(),
                name: planned.job_name().to_owned(),
                job,
                identity: planned.identity(self.run),
            };
            let task = self.tasks.spawn(launch.run(self.cluster.clone(), self.inputs.clone()));
            let track = &mut self.tracks[block];
            track.launched = Some(Instant::now());
            track.state = BlockState::Created;
            track.launch = Some(task);
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

    fn tell_end(&self, block: usize) {
        let track = &self.tracks[block];
        let mut event = RunEvent::new(EventKind::Block(track.state)).block(&track.name);
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

    pub(super) fn tell(&self, event: RunEvent) {
        self.events.send(event);
    }

    pub(super) fn notice(&self, text: String) {
        self.tell(RunEvent::new(EventKind::Notice).message(text));
    }

    /// Returns how long the run has gone on.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Brings the run to rest: awaits logs, leaves or removes what runs. Returns what is left that
    /// should not be.
    async fn settle(
        &mut self,
        received: &mut UnboundedReceiver<Input>,
        signals: &mut Signals,
    ) -> Vec<String> {
        self.scheduler.halt();
        let leave = match &self.stop {
            None => {
                let quiet = |this: &Self| !this.is_busy();
                let pumped = self.pump(received, signals, quiet, Some(LOG_PATIENCE)).await;
                if let Pumped::Late = pumped {
                    self.notice("not every log was read to its end".to_owned());
                }
                return Vec::new();
            }
            Some(Stop::Signal(_)) => self.options.on_interrupt == OnInterrupt::Pause,
            Some(Stop::ContactLost(_)) => true,
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
            self.mark_unfinished(BlockState::LeftRunning);
            return Vec::new();
        }
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

    /// Removes the plan of a run that made no Job: nothing is to be come back to.
    async fn forget_empty_run(&mut self) {
        let made = self.tracks.iter().any(|t| t.uid.is_some() || t.is_in_flight());
        let lost = matches!(self.stop, Some(Stop::ContactLost(_)));
        if made || lost {
            return;
        }
        if let Some(recorded) = self.recorded.take() {
            let _ = self.cluster.delete_config_map(&recorded).await;
        }
    }

    fn targets(&self) -> Vec<Target> {
        let active = |(track, _): &(&Track, _)| track.state.is_active();
        self.tracks
            .iter()
            .zip(&self.plan.blocks)
            .filter(active)
            .map(|(track, block)| Target {
                namespace: block.namespace.clone(),
                name: block.job_name().to_owned(),
                uid: track.uid.clone(),
            })
            .collect()
    }

    fn mark_unfinished(&mut self, active: BlockState) {
        for track in &mut self.tracks {
            track.state = match track.state {
                state if state.is_active() => active,
                BlockState::Waiting => BlockState::NotStarted,
                _ => continue,
            };
            let event = RunEvent::new(EventKind::Block(track.state)).block(&track.name);
            self.events.send(event);
        }
    }

    /// Tells whether logs of ended pods are still read, or Jobs still being deleted.
    fn is_busy(&self) -> bool {
        self.tracks.iter().any(|track| {
            track.absence == Absence::Removing || track.pods.values().any(PodTrack::is_read_late)
        })
    }

    fn outcome(&self, remaining: Vec<String>) -> Outcome {
        let exit = match (&self.stop, self.bad) {
            (Some(stop), _) => stop.exit(),
            (None, Some(bad)) => bad,
            (None, None) => Exit::Fine,
        };
        let state = match &self.stop {
            Some(Stop::Signal(_)) if self.options.on_interrupt == OnInterrupt::Pause => {
                RunState::Paused
            }
            Some(Stop::Signal(_) | Stop::CancelledElsewhere) => RunState::Cancelled,
            Some(Stop::TimedOut) => RunState::TimedOut,
            Some(Stop::ContactLost(_)) => RunState::ContactLost,
            None if exit == Exit::Fine => RunState::Complete,
            None => RunState::Failed,
        };
        self.tell(RunEvent::new(EventKind::Run(state)).message(self.stop_words()));
        Outcome {
            run: self.run.to_string(),
            state,
            exit,
            blocks: self.tracks.iter().zip(&self.plan.blocks).map(|(t, b)| t.report(b)).collect(),
            duration: k8s_openapi::jiff::SignedDuration::try_from(self.started.elapsed())
                .unwrap_or_default(),
            stopped_by: self.stop.clone(),
            remaining,
            recorded: self.recorded.is_some(),
        }
    }

    fn stop_words(&self) -> String {
        match &self.stop {
            None => String::new(),
            Some(Stop::Signal(Signal::Interrupt)) => "SIGINT".to_owned(),
            Some(Stop::Signal(Signal::Terminate)) => "SIGTERM or SIGHUP".to_owned(),
            Some(Stop::TimedOut) => "--timeout passed".to_owned(),
            Some(Stop::CancelledElsewhere) => {
                "somebody else deleted the plan or the Jobs of this run".to_owned()
            }
            Some(Stop::ContactLost(error)) => {
                format!("contact with the API server is lost, the run goes on there: {error}")
            }
        }
    }

    /// Finds out what the loss of a Job means.
    pub(super) fn look_around(&mut self, block: usize) {
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        let (run, namespace) = (self.run.clone(), self.plan.blocks[block].namespace.clone());
        let recorded: Option<Arc<Recorded>> = self.recorded.clone().map(Arc::new);
        self.tasks.spawn(async move {
            // Whoever deletes several things needs a moment.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let plan_gone = match recorded {
                Some(recorded) => matches!(
                    cluster.get_config_map(&recorded.namespace, &recorded.name).await,
                    Ok(None)
                ),
                None => false,
            };
            let jobs_gone = cluster
                .list_jobs(Some(&namespace), &run_selector(run.as_str()))
                .await
                .is_ok_and(|jobs| jobs.is_empty());
            let left = if plan_gone || jobs_gone { Presence::Nothing } else { Presence::Rest };
            let _ = inputs.send(Input::Presence(block, left));
        });
    }
}
