//! The one owner of a run's state: everything arrives here, in one `select!`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{AbortHandle, JoinSet};

use super::adopt::{Adopted, Standing};
use super::adoption::Adoption;
use super::cancel;
use super::events::{BlockState, EventKind, EventSender, RunEvent, RunState};
use super::input::{Input, Presence};
use super::launch::Launch;
use super::lease::{Held, RunLease};
use super::notes::{Note, Noted, annotations};
use super::options::Options;
use super::outcome::{Outcome, Stop};
use super::outline;
use super::plan::Plan;
use super::record::{self, PackedPlan};
use super::run_id::RunId;
use super::scheduler::{Scheduler, Verdict};
use super::signals::{Signal, Signals};
use super::track::Track;
use crate::cluster::{Cluster, ClusterError, Contact, Recorded, WatchScope, blocks_selector};
use crate::exit::Exit;

/// What is different in a run of which there are Jobs only.
const UNRECORDED: &str = "the plan of this run is not recorded: nothing keeps two clients from driving it (no Job is made twice even so), and who does is not known";
/// How often deadlines are looked at; state changes never wait for it.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// How a process comes to a run.
#[derive(Clone, Debug)]
pub enum Begin {
    /// It begins it; who it is.
    Fresh(PackedPlan, String),
    /// It goes on with what another one began.
    Resumed(Adoption),
    /// It only watches.
    Watched(Adoption),
}

/// What a process may do with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It creates Jobs and deletes them.
    Driver,
    /// It changes nothing.
    Watcher,
}

/// How a run came to this process, or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// This process began it.
    Began,
    /// It took it over from another client.
    TookOver,
    /// It gave it to a driver in the cluster.
    HandedOver,
}

/// Who drives the run that this process watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Driven {
    /// It is not known yet.
    Unknown,
    /// Somebody, who lives.
    By(String),
    /// Nobody.
    Nobody,
    /// It may not be seen.
    Unseen,
    /// Nobody, and nothing is left to do.
    Over,
}

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
    /// What each Job says of the run, where its plan is not recorded.
    pub(super) outline: Option<String>,
    /// Which plan of the run this is, where it is not the first.
    pub(super) version: Option<String>,
    pub(super) stop: Option<Stop>,
    /// The exit code of the first block that did not end well.
    pub(super) bad: Option<Exit>,
    /// By the watches of Jobs and of pods.
    pub(super) contact: Contact,
    /// Whether Jobs must be read one by one because they cannot be watched.
    pub(super) read_jobs: bool,
    /// How many namespaces' pods are still to be listed for the first time.
    pub(super) unlisted: usize,
    /// Whether the plan must be read because it cannot be watched.
    pub(super) read_plan: bool,
    pub(super) role: Role,
    pub(super) driven: Driven,
    pub(super) lease: Option<RunLease>,
    /// The task that renews the Lease.
    pub(super) holding: Option<AbortHandle>,
    pub(super) hold: Hold,
    /// When something last went on.
    pub(super) idle_since: Instant,
    /// How many notes are being written.
    pub(super) noting: usize,
    /// Whether it was told that notes cannot be written.
    pub(super) notes_refused: bool,
    pub(super) started: Instant,
}

/// Why the loop ended.
pub(super) enum Pumped {
    Done,
    Late,
    Signal(Signal),
}

/// Runs the plan to its end, or to what stops it; or watches somebody else do it.
///
/// # Errors
/// Only what went wrong before anything was created; everything later is in the outcome.
pub async fn execute(
    cluster: &Cluster,
    plan: &Plan,
    run: &RunId,
    options: &Options,
    begin: Begin,
    mut signals: Signals,
    events: EventSender,
) -> Result<Outcome, ClusterError> {
    let (inputs, mut received) = mpsc::unbounded_channel();
    let scheduler = Scheduler::new(plan.graph(), options.parallel.get(), options.failure)
        .with_retries(options.retries);
    let role = if matches!(begin, Begin::Watched(_)) { Role::Watcher } else { Role::Driver };
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
        outline: None,
        version: None,
        stop: None,
        bad: None,
        contact: Contact::new(options.contact_timeout),
        read_jobs: false,
        unlisted: plan.namespaces().len(),
        read_plan: false,
        role,
        driven: Driven::Unknown,
        lease: None,
        holding: None,
        hold: if matches!(begin, Begin::Fresh(..)) { Hold::Began } else { Hold::TookOver },
        idle_since: Instant::now(),
        noting: 0,
        notes_refused: false,
        started: Instant::now(),
    };
    dispatcher.begin(begin, &mut signals).await?;
    dispatcher.dispatch(&mut received, &mut signals).await;
    let remaining = dispatcher.settle(&mut received, &mut signals).await;
    dispatcher.leave().await;
    Ok(dispatcher.outcome(remaining))
}

impl Dispatcher<'_> {
    /// Starts the watches; records the plan, or takes over how the blocks stand.
    async fn begin(&mut self, begin: Begin, signals: &mut Signals) -> Result<(), ClusterError> {
        let (what, state) = match &begin {
            Begin::Fresh(..) => ("", RunState::Started),
            Begin::Resumed(_) => (" goes on", RunState::Resumed),
            Begin::Watched(_) => (" is watched", RunState::Attached),
        };
        self.tell(RunEvent::new(EventKind::Run(state)).message(format!(
            "run {}{what}: pipeline {}, {}, in namespace {}",
            self.run,
            self.plan.pipeline,
            crate::ui::plural(self.plan.blocks.len(), "block"),
            self.plan.namespaces().join(", "),
        )));
        match begin {
            Begin::Fresh(packed, identity) => {
                self.watch_all();
                self.record(&packed, identity, signals).await?;
            }
            Begin::Resumed(adoption) => {
                self.adopt(&adoption);
                self.hold_lease(adoption.identity, adoption.held);
                self.watch_all();
            }
            Begin::Watched(adoption) => {
                self.adopt(&adoption);
                self.observe_lease(adoption.identity);
                self.watch_all();
            }
        }
        Ok(())
    }

    fn adopt(&mut self, adoption: &Adoption) {
        self.recorded.clone_from(&adoption.recorded);
        self.outline.clone_from(&adoption.outline);
        self.version.clone_from(&adoption.version);
        self.take_over(&adoption.blocks);
        if self.recorded.is_none() {
            self.notice(UNRECORDED.to_owned());
            self.driven = Driven::Unseen;
        }
        self.watch_plan();
    }

    async fn record(
        &mut self,
        packed: &PackedPlan,
        identity: String,
        signals: &mut Signals,
    ) -> Result<(), ClusterError> {
        let recording = record::record(self.cluster, self.plan, self.run, packed);
        let recorded = tokio::select! {
            recorded = recording => recorded,
            signal = signals.next() => {
                self.stop = Some(Stop::Signal(signal));
                return Ok(());
            }
        };
        match recorded {
            Ok(recorded) => {
                self.recorded = recorded;
                self.hold_lease(identity, None);
                self.watch_plan();
            }
            Err(error @ ClusterError::Forbidden { .. }) => {
                self.outline.clone_from(&packed.outline);
                let then = match self.outline {
                    Some(_) => "each Job says how the run began, and `resume` needs the project",
                    None => "`resume` and `attach` do not find it",
                };
                self.notice(format!(
                    "the plan is not recorded, so nothing owns the Jobs of this run; {then}: {error}"
                ));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn run_lease(&self, identity: String) -> Option<RunLease> {
        let plan = self.recorded.clone()?;
        let (cluster, run) = (self.cluster.clone(), self.run.to_string());
        Some(RunLease { cluster, plan, run, identity })
    }

    fn hold_lease(&mut self, identity: String, held: Option<Held>) {
        self.lease = self.run_lease(identity);
        if let Some(lease) = self.lease.clone() {
            self.holding = Some(self.tasks.spawn(lease.hold(held, self.inputs.clone())));
        }
    }

    pub(super) fn observe_lease(&mut self, identity: String) {
        if let Some(lease) = self.run_lease(identity) {
            self.tasks.spawn(lease.observe(self.inputs.clone()));
        }
    }

    /// Takes over how another client left the blocks.
    fn take_over(&mut self, blocks: &[Adopted]) {
        let mut known = Vec::new();
        for (block, adopted) in blocks.iter().enumerate() {
            let verdict = match adopted.standing {
                Standing::Missing => None,
                Standing::Active => Some(None),
                Standing::Complete => Some(Some(Verdict::Complete)),
                Standing::ConditionFalse => Some(Some(Verdict::ConditionFalse)),
                Standing::Failed if adopted.again => None,
                Standing::Failed => Some(Some(Verdict::Failed)),
            };
            known.extend(verdict.map(|verdict| (block, verdict)));
            self.tracks[block].adopt(adopted, self.role);
            if let Some(uid) = self.tracks[block].uid.clone() {
                self.by_job_uid.insert(uid, block);
            }
        }
        for (block, adopted) in blocks.iter().enumerate() {
            self.scheduler.count_retries(block, adopted.retries);
        }
        let skipped = self.scheduler.adopt(&known);
        for block in 0..self.tracks.len() {
            if self.tracks[block].is_over() {
                self.tell_end(block);
            }
        }
        self.tell_skipped(skipped);
        let failed = |track: &Track| super::outcome::exit_of(track.state);
        let cancelled = self.tracks.iter().any(|track| track.state == BlockState::Cancelled);
        self.bad = self.tracks.iter().find_map(failed).or(cancelled.then_some(Exit::Cancelled));
    }

    fn watch_all(&mut self) {
        for namespace in self.plan.namespaces() {
            self.watch(&namespace);
        }
    }

    fn watch(&mut self, namespace: &str) {
        let scope = WatchScope {
            namespace: namespace.to_owned(),
            labels: blocks_selector(self.run.as_str()),
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

    /// Follows the events of a Job that has no pod, or of a pod whose status says nothing.
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
        let over = |this: &Self| this.is_settled() || this.stop.is_some();
        if let Pumped::Signal(signal) = self.pump(received, signals, over, None).await {
            self.stop = Some(Stop::Signal(signal));
        }
    }

    /// Takes in whatever arrives until `done`, a signal, or the limit.
    pub(super) async fn pump(
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
        if self.stop.is_some() || self.role == Role::Watcher {
            return;
        }
        for block in self.scheduler.start_ready() {
            self.launch(block);
        }
    }

    /// Posts the Job of a block's present attempt.
    pub(super) fn launch(&mut self, block: usize) {
        let planned = &self.plan.blocks[block];
        let attempt = self.tracks[block].attempt;
        let mut job = planned.job_of(attempt);
        if let Some(recorded) = &self.recorded
            && recorded.namespace == planned.namespace
        {
            record::own(&mut job, recorded);
        }
        if let Some(outline) = &self.outline {
            outline::mark(&mut job, outline);
        }
        let note = Note { attempt, what: Noted::Begun };
        let note = annotations([(planned.uuid.as_str(), note)].into_iter());
        let recorded = self.recorded.clone().filter(|_| planned.deletes_itself());
        let launch = Launch {
            block,
            namespace: planned.namespace.clone(),
            name: planned.job_name_of(attempt),
            job,
            identity: planned.identity(self.run, attempt),
            staged: planned.staged.clone().filter(|_| attempt == 1),
            before: recorded.map(|recorded| (recorded, note)),
        };
        let task = self.tasks.spawn(launch.run(self.cluster.clone(), self.inputs.clone()));
        let track = &mut self.tracks[block];
        track.launched = Some(Instant::now());
        track.state = BlockState::Created;
        track.launch = Some(task);
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

    /// Finds out what the loss of a Job means.
    pub(super) fn look_around(&mut self, block: usize) {
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        let (run, namespace) = (self.run.clone(), self.plan.blocks[block].namespace.clone());
        let recorded: Option<Arc<Recorded>> = self.recorded.clone().map(Arc::new);
        self.tasks.spawn(async move {
            // Whoever deletes several things needs a moment.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let plan_gone = match recorded {
                Some(recorded) => cancel::is_cancelled(&cluster, &recorded).await,
                None => false,
            };
            let jobs_gone = cluster
                .list_jobs(Some(&namespace), &blocks_selector(run.as_str()))
                .await
                .is_ok_and(|jobs| jobs.is_empty());
            let left = if plan_gone || jobs_gone { Presence::Nothing } else { Presence::Rest };
            let _ = inputs.send(Input::Presence(block, left));
        });
    }
}
