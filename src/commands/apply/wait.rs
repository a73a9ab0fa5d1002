//! Waits until Jobs have ended, and says on the way how they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::cluster::{
    CONTACT_IS_BACK, Cluster, Contact, MANAGED_BY, MANAGER, OF_A_JOB, PATIENCE, WatchScope,
    Watchable, Watched, job_of,
};
use crate::commands::facts::listen;
use crate::diagnose::{PendingKind, pending};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::run::{BlockState, EventKind, Options, RunEvent};
use crate::tail::{JobEnd, Stand};
use crate::ui::{Printer, words};

/// How often it is looked how long a pod has waited to start.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A Job that is waited for.
pub(super) struct Awaited {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// What it is called in what is told.
    pub(super) block: String,
}

/// What the wait hears.
enum Input {
    Job(Place, Box<Watched<Job>>),
    Pod(Place, Box<Watched<Pod>>),
    Event(Place, Box<Watched<Event>>),
}

/// The namespace that is watched.
type Place = Arc<str>;

/// Everything that was seen, by UID.
#[derive(Default)]
struct Seen {
    jobs: BTreeMap<String, Job>,
    pods: BTreeMap<String, Pod>,
    events: BTreeMap<String, Event>,
    /// The namespaces whose Jobs were listed.
    listed: BTreeSet<Place>,
}

struct Waiting<'a> {
    jobs: &'a [Awaited],
    stands: Vec<Stand>,
    seen: Seen,
    /// Since when a pod has not been able to start, and why.
    stuck: Vec<Option<(Instant, PendingKind)>>,
    /// By the watches of Jobs and of pods.
    contact: Contact,
    printer: Printer,
}

/// Waits until all have ended; the exit code tells the outcome. What goes on goes on.
pub(super) async fn wait(
    cluster: &Cluster,
    jobs: &[Awaited],
    timeout: Option<Duration>,
    printer: Printer,
) -> Result<Exit, CliError> {
    let mut signals = listen()?;
    let (sender, mut inputs) = unbounded_channel();
    let mut watches = JoinSet::new();
    let mut namespaces: Vec<&str> = jobs.iter().map(|job| job.namespace.as_str()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    for namespace in namespaces {
        watch(cluster, namespace, &sender, &mut watches);
    }
    let stand = |job: &Awaited| Stand::new(job.block.as_str().into(), 1);
    let mut waiting = Waiting {
        jobs,
        stands: jobs.iter().map(stand).collect(),
        seen: Seen::default(),
        stuck: vec![None; jobs.len()],
        contact: Contact::new(PATIENCE),
        printer,
    };
    let late = timeout.map(|timeout| tokio::time::Instant::now() + timeout);
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    while let Some(left) = waiting.left() {
        tokio::select! {
            Some(input) = inputs.recv() => waiting.take(input)?,
            _ = ticks.tick() => waiting.tick()?,
            signal = signals.next() => {
                let go = if left.len() == 1 { "goes" } else { "go" };
                printer.notice(&format!(
                    "{} {go} on in the cluster: follow with `{}`",
                    left.join(", "),
                    waiting.next_command("tail")
                ));
                return Ok(signal.exit());
            }
            () = tokio::time::sleep_until(late.unwrap_or_else(tokio::time::Instant::now)),
                if late.is_some() =>
            {
                let after = crate::ui::duration(timeout.unwrap_or_default().try_into().unwrap_or_default());
                let (have, go) = if left.len() == 1 { ("has", "goes") } else { ("have", "go") };
                let names = left.join(", ");
                let problem = Problem::new(format!("{names} {have} not ended within {after}, and {go} on"));
                let hint = format!("see how it stands with `{}`", waiting.next_command("why"));
                return Err(CliError::new(Exit::TimedOut, problem.hint(hint)));
            }
        }
    }
    waiting.outcome()
}

/// Watches the Jobs of this tool in a namespace, their pods, and what is said of Jobs without pods.
fn watch(
    cluster: &Cluster,
    namespace: &str,
    inputs: &UnboundedSender<Input>,
    watches: &mut JoinSet<()>,
) {
    let scope = |labels: String, fields: &str| WatchScope {
        namespace: namespace.to_owned(),
        labels,
        fields: fields.to_owned(),
    };
    let place: Place = namespace.into();
    let ours = scope(format!("{MANAGED_BY}={MANAGER}"), "");
    let pods = scope(OF_A_JOB.to_owned(), "");
    let warnings = scope(String::new(), "involvedObject.kind=Job,type=Warning");
    follow(cluster, ours, (&place, inputs), watches, Input::Job);
    follow(cluster, pods, (&place, inputs), watches, Input::Pod);
    follow(cluster, warnings, (&place, inputs), watches, Input::Event);
}

fn follow<K: Watchable>(
    cluster: &Cluster,
    scope: WatchScope,
    (place, inputs): (&Place, &UnboundedSender<Input>),
    watches: &mut JoinSet<()>,
    input: fn(Place, Box<Watched<K>>) -> Input,
) {
    let (cluster, place, inputs) = (cluster.clone(), Arc::clone(place), inputs.clone());
    watches.spawn(async move {
        let sink = |seen| drop(inputs.send(input(Arc::clone(&place), Box::new(seen))));
        cluster.watch::<K>(&scope, sink).await;
    });
}

impl Waiting<'_> {
    /// Names the Jobs that have not ended; none when all have.
    fn left(&self) -> Option<Vec<String>> {
        let left: Vec<String> =
            self.going_on().map(|job| format!("job.batch/{}", job.name)).collect();
        (!left.is_empty()).then_some(left)
    }

    fn going_on(&self) -> impl Iterator<Item = &Awaited> {
        let all = self.jobs.iter().zip(&self.stands);
        all.filter(|(_, stand)| stand.end.is_none()).map(|(job, _)| job)
    }

    /// Writes a command about the first Job that goes on.
    fn next_command(&self, verb: &str) -> String {
        let job = self.going_on().next();
        job.map_or_else(String::new, |job| about(verb, job))
    }

    fn take(&mut self, input: Input) -> Result<(), CliError> {
        match input {
            Input::Job(place, watched) => {
                if let Watched::Refused(error) = *watched {
                    return Err(error.into());
                }
                self.heed(&watched);
                if matches!(*watched, Watched::Listed(_)) {
                    self.seen.listed.insert(Arc::clone(&place));
                }
                keep(&mut self.seen.jobs, &place, *watched);
            }
            // Without the right to these it is told less, and ends all the same.
            Input::Pod(place, watched) => {
                self.heed(&watched);
                keep(&mut self.seen.pods, &place, *watched);
            }
            Input::Event(place, watched) => keep(&mut self.seen.events, &place, *watched),
        }
        self.look();
        Ok(())
    }

    /// Notes whether there is contact.
    fn heed<K>(&mut self, watched: &Watched<K>) {
        match watched {
            Watched::Lost(error) => self.contact.watch_lost(error.clone()),
            Watched::Regained if self.contact.watch_regained() => {
                self.printer.notice(CONTACT_IS_BACK);
            }
            _ => {}
        }
    }

    /// Looks at every Job anew, and says what is news.
    fn look(&mut self) {
        for index in 0..self.jobs.len() {
            let wanted = &self.jobs[index];
            let of = |pod: &&Pod| job_of(pod).is_some_and(|(_, uid)| uid == wanted.uid);
            let pods: Vec<&Pod> = self.seen.pods.values().filter(of).collect();
            let about = |event: &&Event| event.involved_object.uid.as_deref() == Some(&wanted.uid);
            let events: Vec<&Event> = self.seen.events.values().filter(about).collect();
            let job = self.seen.jobs.get(&wanted.uid);
            let stand = &mut self.stands[index];
            let news = match job {
                None if self.seen.listed.contains(wanted.namespace.as_str()) => stand.gone(&pods),
                job => stand.look(job, &pods, &events, |_| 1),
            };
            let obstacle = pods.last().and_then(|pod| pending(pod)).map(|pending| pending.kind);
            let obstacle = obstacle.filter(|kind| *kind != PendingKind::Preparing);
            self.stuck[index] = match (obstacle, self.stuck[index]) {
                (Some(kind), Some((since, known))) if known == kind => Some((since, kind)),
                (Some(kind), _) => Some((Instant::now(), kind)),
                (None, _) => None,
            };
            // That it stands there was said when it was applied.
            let made = |event: &&RunEvent| event.kind == EventKind::Block(BlockState::Created);
            for event in news.iter().filter(|event| !made(event)) {
                self.printer.notice(&line(event));
            }
        }
    }

    /// Ends the wait for what cannot start by itself, and where contact is lost for too long.
    fn tick(&mut self) -> Result<(), CliError> {
        let standard = Options::default();
        if let Some(news) = self.contact.tick(Instant::now())? {
            self.printer.notice(&news);
        }
        for (index, stuck) in self.stuck.iter().enumerate() {
            let Some((since, kind)) = stuck.filter(|_| self.stands[index].end.is_none()) else {
                continue;
            };
            let limit = match kind {
                PendingKind::Image => standard.image_grace,
                PendingKind::Hopeless => Duration::ZERO,
                _ => standard.pending_timeout,
            };
            if since.elapsed() >= limit {
                self.stands[index].end = Some(JobEnd::CouldNotStart);
            }
        }
        Ok(())
    }

    /// Names each Job that did not end well.
    fn outcome(&self) -> Result<Exit, CliError> {
        let mut problems = Vec::new();
        let mut exit = Exit::No;
        for (job, stand) in self.jobs.iter().zip(&self.stands) {
            let what = match stand.end {
                Some(JobEnd::CouldNotStart) => {
                    exit = Exit::CouldNotStart;
                    "could not start, and is left there"
                }
                Some(JobEnd::Failed) => "failed",
                Some(JobEnd::Gone) => "was deleted before it ended",
                _ => continue,
            };
            let Awaited { name, namespace, .. } = job;
            let problem = Problem::new(format!("job.batch/{name} in namespace {namespace} {what}"));
            problems.push(problem.hint(format!("see why with `{}`", about("why", job))));
        }
        if problems.is_empty() { Ok(Exit::Fine) } else { Err(CliError { exit, problems }) }
    }
}

/// Writes a command about a Job.
fn about(verb: &str, job: &Awaited) -> String {
    format!("kubectl mage {verb} job/{} -n {}", job.name, job.namespace)
}

fn keep<K: Watchable>(known: &mut BTreeMap<String, K>, place: &str, watched: Watched<K>) {
    let uid = |object: &K| object.metadata().uid.clone().unwrap_or_default();
    match watched {
        Watched::Listed(all) => {
            known.retain(|_, object| object.metadata().namespace.as_deref() != Some(place));
            known.extend(all.into_iter().map(|object| (uid(&object), object)));
        }
        Watched::Applied(object) => drop(known.insert(uid(&object), object)),
        Watched::Deleted(object) => drop(known.remove(&uid(&object))),
        _ => {}
    }
}

/// Writes an event as one line.
fn line(event: &RunEvent) -> String {
    let mut line = event.block.as_deref().unwrap_or_default().to_owned();
    if let EventKind::Block(state) = event.kind {
        line = format!("{line}: {}", words(state));
    }
    for more in
        [&event.reason, &event.message].into_iter().flatten().filter(|more| !more.is_empty())
    {
        line = format!("{line}: {more}");
    }
    line
}
