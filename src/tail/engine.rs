//! The engine: watches what is meant, reads every log of it, and knows when all is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::containers::chosen;
use super::options::{Mix, TailOptions};
use super::queue::Places;
use super::read::{numbered, pod_log};
use super::reader::{Kept, Reader, channel};
use super::state::{News, State, Verdict, notice};
use super::told::{Teller, Told};
use super::wanted::{Selectors, Wanted};
use crate::cluster::{
    CONTACT_IS_BACK, Cluster, ClusterError, Contact, ContainerView, Driving, PlanFacts, WatchScope,
    Watched, container_view, main_container,
};
use crate::logs::End;
use crate::run::{EventKind, RunEvent, Signal, Signals, record_name};
use crate::ui::Label;

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything that was meant has ended.
    Over {
        /// What came of it.
        verdict: Verdict,
        /// How many logs could not be read to their end.
        unread: usize,
        /// How many logs of it were saved that the cluster has no more.
        saved: usize,
    },
    /// A signal came.
    Stopped(Signal),
    /// Nobody looks any more.
    Unread,
    /// There is no such run.
    NoRun(String),
    /// No pod has the container of this name; those that they have.
    NoContainer(String, Vec<String>),
    /// Logs would have been mixed that nothing tells apart: these two.
    Mixed(String, String),
    /// The API server was away for too long, or says no.
    Lost(ClusterError),
}

/// How long a Job may have no pod before events are asked why.
const POD_GRACE: Duration = Duration::from_secs(1);
/// How long the end of a Job is kept back for the rest of its logs to come first.
const END_GRACE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(250);

/// A container of a pod: UID and name.
pub(super) type Key = (String, String);

/// What the engine hears.
pub(super) enum Input {
    Jobs(Box<Watched<Job>>),
    Pods(Box<Watched<Pod>>),
    Plan(String, Box<Watched<ConfigMap>>),
    Events(Box<Watched<Event>>),
    Read(Key, End),
    Note(Arc<str>, String),
    Driving(String, Option<Driving>),
}

pub(super) struct Engine<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) options: &'a TailOptions,
    pub(super) state: State,
    pub(super) told: Teller,
    pub(super) inputs: mpsc::UnboundedSender<Input>,
    pub(super) places: Places,
    pub(super) notes: mpsc::UnboundedSender<(Arc<str>, String)>,
    pub(super) tasks: JoinSet<()>,
    /// The containers that are read, or were.
    pub(super) readers: BTreeMap<Key, Option<watch::Sender<ContainerView>>>,
    pub(super) seen: Seen,
    pub(super) missing_told: BTreeSet<String>,
    pub(super) queue_told: bool,
    /// How many logs could not be read to their end.
    pub(super) unread: usize,
    pub(super) watched_plans: BTreeSet<String>,
    /// Runs of which it is known whether they have a plan.
    pub(super) plans_listed: BTreeSet<String>,
    pub(super) podless: Option<Instant>,
    pub(super) events_watched: bool,
    /// Since when nothing has changed.
    pub(super) quiet: Instant,
    pub(super) drivers: BTreeMap<String, (Instant, Option<Driving>)>,
    /// By the watches of Jobs and of pods.
    pub(super) contact: Contact,
    /// The first log, without its attempt, and the two that would be mixed.
    pub(super) source: Option<String>,
    pub(super) mixed: Option<(String, String)>,
    /// What is told once the logs of its Job are read, and since when it is known.
    pub(super) held: Vec<(Instant, News)>,
}

/// What was listed once.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) jobs: bool,
    pub(super) pods: bool,
}

/// Follows everything that is meant until it is over, and tells it to whoever shows it.
pub async fn tail(
    cluster: &Cluster,
    options: &TailOptions,
    told: Teller,
    mut signals: Signals,
) -> Ended {
    let (inputs, mut received) = mpsc::unbounded_channel();
    let (notes, mut said) = mpsc::unbounded_channel();
    let mut engine = Engine {
        cluster,
        options,
        state: State::new(&options.wanted, !options.labels.is_empty()),
        told: told.clone(),
        inputs: inputs.clone(),
        places: Places::new(options.max_streams.get()),
        notes,
        tasks: JoinSet::new(),
        readers: BTreeMap::new(),
        seen: Seen::default(),
        missing_told: BTreeSet::new(),
        queue_told: false,
        unread: 0,
        watched_plans: BTreeSet::new(),
        plans_listed: BTreeSet::new(),
        podless: None,
        events_watched: false,
        quiet: Instant::now(),
        drivers: BTreeMap::new(),
        contact: Contact::new(options.contact_timeout),
        source: None,
        mixed: None,
        held: Vec::new(),
    };
    engine.watch_all();
    let mut tick = tokio::time::interval(TICK);
    let ended = loop {
        tokio::select! {
            signal = signals.next() => break Ended::Stopped(signal),
            () = told.logs.closed() => break Ended::Unread,
            Some((block, note)) = said.recv() => drop(inputs.send(Input::Note(block, note))),
            Some(input) = received.recv() => {
                let mut next = Some(input);
                let mut ended = None;
                while let Some(input) = next {
                    ended = ended.or(engine.take(input));
                    next = received.try_recv().ok();
                }
                if let Some(ended) = ended {
                    break ended;
                }
                engine.look();
            }
            _ = tick.tick() => {}
        }
        if let Some(ended) = engine.ended() {
            break ended;
        }
    };
    // Whoever shows the logs waits for their ends.
    engine.tasks.shutdown().await;
    ended
}

impl Engine<'_> {
    fn watch_all(&mut self) {
        let selectors = Selectors::of(&self.options.wanted, &self.options.labels);
        let namespace = self.options.namespace.clone();
        let jobs = WatchScope {
            namespace: namespace.clone(),
            labels: selectors.jobs,
            fields: selectors.job_fields,
        };
        self.watch(jobs, |seen| Input::Jobs(Box::new(seen)));
        let pods = WatchScope { namespace, labels: selectors.pods, fields: String::new() };
        self.list_ahead(&pods);
        self.watch(pods, |seen| Input::Pods(Box::new(seen)));
        for wanted in &self.options.wanted {
            if let Wanted::Run(run) = wanted {
                self.watch_plan(run.clone());
            }
        }
    }

    /// Lists the pods by the connection that their logs will take, so that it is there by then.
    fn list_ahead(&mut self, pods: &WatchScope) {
        let (cluster, scope) = (self.cluster.clone(), pods.clone());
        let inputs = self.inputs.clone();
        self.tasks.spawn(async move {
            // The watch lists them too, and tells of errors.
            if let Ok(pods) = cluster.list_pods_ahead(&scope.namespace, &scope.labels).await {
                for pod in pods {
                    let _ = inputs.send(Input::Pods(Box::new(Watched::Applied(pod))));
                }
            }
        });
    }

    fn watch<K: crate::cluster::Watchable>(
        &mut self,
        scope: WatchScope,
        input: impl Fn(Watched<K>) -> Input + Send + 'static,
    ) {
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            cluster.watch::<K>(&scope, move |seen| drop(inputs.send(input(seen)))).await;
        });
    }

    fn watch_plan(&mut self, run: String) {
        if self.options.namespace.is_empty() || !self.watched_plans.insert(run.clone()) {
            return;
        }
        let scope = WatchScope {
            namespace: self.options.namespace.clone(),
            labels: String::new(),
            fields: format!("metadata.name={}", record_name(&run)),
        };
        self.watch(scope, move |seen| Input::Plan(run.clone(), Box::new(seen)));
    }

    /// Takes in what is heard; returns the end where there is no going on.
    fn take(&mut self, input: Input) -> Option<Ended> {
        match input {
            Input::Jobs(seen) => self.take_jobs(*seen),
            Input::Pods(seen) => return self.take_pods(*seen),
            Input::Plan(run, seen) => self.take_plan(run, &seen),
            Input::Events(seen) => match *seen {
                Watched::Listed(events) => self.state.events = events,
                Watched::Applied(event) => self.state.events.push(event),
                _ => {}
            },
            Input::Read(key, end) => self.read(key, end),
            Input::Note(block, note) => self.tell(notice(note).block(&block)),
            Input::Driving(run, driving) => {
                self.drivers.insert(run, (Instant::now(), driving));
            }
        }
        None
    }

    fn take_pods(&mut self, seen: Watched<Pod>) -> Option<Ended> {
        match seen {
            Watched::Refused(error) => return Some(Ended::Lost(error)),
            Watched::Lost(error) => self.contact.watch_lost(error),
            Watched::Regained => self.watch_regained(),
            seen => self.take_listed_or_changed(seen),
        }
        None
    }

    fn take_listed_or_changed(&mut self, seen: Watched<Pod>) {
        self.seen.pods |= matches!(seen, Watched::Listed(_));
        for uid in self.state.take_pods(seen) {
            self.gone(&uid);
        }
    }

    fn watch_regained(&mut self) {
        if self.contact.watch_regained() {
            self.tell(notice(CONTACT_IS_BACK));
        }
    }

    fn take_jobs(&mut self, seen: Watched<Job>) {
        match seen {
            Watched::Lost(error) => self.contact.watch_lost(error),
            Watched::Regained => self.watch_regained(),
            Watched::Refused(error) => {
                self.state.jobs_unreadable = true;
                self.seen.jobs = true;
                self.tell(notice(format!("how Jobs stand is read from their pods: {error}")));
            }
            seen => {
                self.seen.jobs |= matches!(seen, Watched::Listed(_));
                self.state.take_jobs(seen);
            }
        }
    }

    fn take_plan(&mut self, run: String, seen: &Watched<ConfigMap>) {
        let maps = match seen {
            Watched::Listed(maps) => maps.as_slice(),
            Watched::Applied(map) => std::slice::from_ref(map),
            Watched::Refused(_) => &[],
            Watched::Deleted(_) | Watched::Lost(_) | Watched::Regained => return,
        };
        for plan in maps.iter().filter_map(|map| PlanFacts::read(&map.metadata)) {
            self.state.take_plan(plan);
        }
        self.plans_listed.insert(run);
    }

    pub(super) fn tell(&self, event: RunEvent) {
        let _ = self.told.events.send(event);
    }

    /// Looks at everything anew: tells what is news, and reads what has begun.
    fn look(&mut self) {
        if !self.seen.jobs && !self.seen.pods {
            return;
        }
        let news = if self.seen.jobs && self.seen.pods { self.state.look() } else { Vec::new() };
        for news in news {
            self.quiet = Instant::now();
            self.held.push((Instant::now(), news));
        }
        self.tell_news();
        for run in self.state.runs() {
            self.watch_plan(run);
        }
        let mut begun = Vec::new();
        for (pod, label) in self.state.readable() {
            self.look_at_pod(pod);
            begun.extend(self.begun(pod, &label));
        }
        for (pod, key, label) in begun {
            let source = Label { attempt: 1, ..label.clone() }.name();
            let only = self.source.get_or_insert_with(|| source.clone());
            if self.options.mix == Mix::Refused && *only != source {
                self.mixed = Some((only.clone(), source));
                return;
            }
            self.begin(&pod, key, label);
        }
        self.tell_missing();
        self.explain_podless();
        if self.places.waiting() > 0 && !std::mem::replace(&mut self.queue_told, true) {
            let count = self.options.max_streams;
            self.tell(notice(format!("more than {count} logs: they take turns (--max-streams)")));
        }
    }

    /// Tells what is news; that a Job has ended, once its logs are read.
    pub(super) fn tell_news(&mut self) {
        for (since, News { job, event }) in std::mem::take(&mut self.held) {
            let is_end = matches!(event.kind, EventKind::Block(state) if !state.is_active());
            let pods = if is_end { self.state.pods_of(&job) } else { Vec::new() };
            let is_read =
                |(key, view): (&Key, &Option<_>)| view.is_none() || !pods.contains(&key.0);
            let waits = is_end && since.elapsed() < END_GRACE;
            if waits && !self.readers.iter().all(is_read) {
                self.held.push((since, News { job, event }));
            } else {
                self.tell(event);
            }
        }
    }

    /// Tells whoever reads a pod's logs how far its containers are.
    fn look_at_pod(&self, pod: &Pod) {
        for ((_, name), view) in self.readers_of(pod.metadata.uid.as_deref().unwrap_or_default()) {
            view.send_if_modified(|view| {
                let new = container_view(pod, name);
                std::mem::replace(view, new) != new
            });
        }
    }

    fn readers_of(&self, uid: &str) -> impl Iterator<Item = (&Key, &watch::Sender<ContainerView>)> {
        let from = self.readers.range((uid.to_owned(), String::new())..);
        let uid = uid.to_owned();
        let own = from.take_while(move |((of, _), _)| *of == uid);
        own.filter_map(|(key, view)| Some((key, view.as_ref()?)))
    }

    /// Returns the containers of a pod that have begun and are not read yet.
    fn begun(&self, pod: &Pod, label: &Label) -> Vec<(Pod, Key, Label)> {
        let Some(uid) = &pod.metadata.uid else { return Vec::new() };
        let main = main_container(pod);
        let mut begun = Vec::new();
        for container in chosen(pod, &self.options.containers) {
            let key = (uid.clone(), container);
            if self.readers.contains_key(&key) {
                continue;
            }
            let other = (Some(&key.1) != main.as_ref()).then(|| key.1.as_str().into());
            begun.push((pod.clone(), key, Label { container: other, ..label.clone() }));
        }
        begun
    }

    /// Begins to read a container's log.
    fn begin(&mut self, pod: &Pod, key: Key, label: Label) {
        let view = container_view(pod, &key.1);
        let part = self.options.part;
        let label = numbered(label, view, part.first);
        let (sender, receiver) = watch::channel(view);
        let (items, shown) = channel();
        let whose = (self.cluster.server(), pod);
        let kept = Kept::of(self.options, whose, &key.1, &label, self.notes.clone());
        let log = pod_log(self.cluster, pod, key.1.clone(), &label);
        let reader = Reader { log, places: self.places.clone(), part, view: receiver, items, kept };
        let _ = self.told.logs.send(Told { label, items: shown });
        self.readers.insert(key.clone(), Some(sender));
        let inputs = self.inputs.clone();
        self.tasks.spawn(async move {
            let end = reader.run().await;
            let _ = inputs.send(Input::Read(key, end));
        });
    }

    /// Notes that a pod is gone.
    fn gone(&self, uid: &str) {
        for (_, view) in self.readers_of(uid) {
            view.send_replace(ContainerView::GONE);
        }
    }

    fn read(&mut self, key: Key, end: End) {
        let found = self.state.readable();
        let label = found.iter().find(|(pod, _)| pod.metadata.uid.as_ref() == Some(&key.0));
        let trouble = match end {
            End::Complete => None,
            End::Unreadable(error) => Some(format!("its log cannot be read to the end: {error}")),
            End::Gone => Some("is gone, and what was not read of its log with it".to_owned()),
        };
        self.unread += usize::from(trouble.is_some());
        if let (Some(trouble), Some((_, label))) = (trouble, label) {
            let event = RunEvent::new(EventKind::Pod).block(&label.block);
            self.tell(event.pod(&label.pod, label.attempt).message(trouble));
        }
        self.readers.insert(key, None);
    }

    /// Says what is waited for, once.
    fn tell_missing(&mut self) {
        if !self.seen.jobs || !self.seen.pods {
            return;
        }
        for missing in self.state.missing() {
            if self.missing_told.insert(missing.clone()) {
                let place = match self.options.namespace.as_str() {
                    "" => "any namespace".to_owned(),
                    namespace => format!("namespace {namespace}"),
                };
                self.tell(notice(format!("there is no {missing} in {place} yet; waiting for one")));
            }
        }
    }

    /// Watches the events of Jobs once one has had no pod for a while.
    pub(super) fn explain_podless(&mut self) {
        if !self.state.lacks_a_pod() {
            self.podless = None;
            return;
        }
        let since = *self.podless.get_or_insert_with(Instant::now);
        if self.events_watched || since.elapsed() < POD_GRACE || self.options.namespace.is_empty() {
            return;
        }
        self.events_watched = true;
        let scope = WatchScope {
            namespace: self.options.namespace.clone(),
            labels: String::new(),
            fields: "involvedObject.kind=Job,reason=FailedCreate".to_owned(),
        };
        self.watch(scope, |seen| Input::Events(Box::new(seen)));
    }
}
