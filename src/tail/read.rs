//! Reads the logs that are there, once.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use futures::future::{BoxFuture, join_all};
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::{mpsc, watch};

use super::containers::{chosen, unknown};
use super::options::{Mix, TailOptions, Times};
use super::queue::Places;
use super::reader::{Kept, Reader, channel};
use super::saved::{There, attempt_of, from_files, is_whole, label_of};
use super::state::State;
use super::told::{Teller, Told};
use super::wanted::Selectors;
use crate::cluster::{
    Cluster, ClusterError, ContainerView, WatchScope, Watched, container_view, main_container,
};
use crate::diagnose::pending;
use crate::logs::{End, FirstRun, Gone, Part, PodLog, SavedLog, reread};
use crate::run::{EventKind, RunEvent};
use crate::ui::Label;

/// What was read.
#[derive(Debug, Default)]
pub struct ReadOnce {
    /// How many logs were read, from files too.
    pub logs: usize,
    /// What is not there at all.
    pub missing: Vec<String>,
    /// Pods that have not started, and why.
    pub waiting: Vec<String>,
    /// A container that no pod has, and those that they have; then none was read.
    pub no_container: Option<(String, Vec<String>)>,
    /// Two logs that would have been mixed; then none was read.
    pub mixed: Option<(String, String)>,
    /// What could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// A file of which it is not known when its lines were written, where that is asked for.
    pub untimed: Option<PathBuf>,
    /// What is to be said about files.
    pub notes: Vec<String>,
    /// Why the cluster could not be asked; what was saved was read nevertheless.
    pub unreached: Option<ClusterError>,
}

/// How the reading of one log ended: its name, and why it could not be read.
type Ended = (String, Option<String>);

/// Reads what is there of everything that is meant, and gives it to whoever shows it. In the place of
/// what is gone comes what was saved of it.
pub async fn read(
    cluster: &Cluster,
    options: &TailOptions,
    told: Teller,
) -> Result<ReadOnce, ClusterError> {
    let (state, unreached) = match there(cluster, options).await {
        Err(error) if error.is_loss() && !options.saved.is_empty() => {
            let mut state = State::new(&options.wanted, !options.labels.is_empty());
            let _ = state.look();
            (state, Some(error))
        }
        state => (state?, None),
    };
    let missing = if unreached.is_none() { state.missing() } else { Vec::new() };
    let mut once = ReadOnce { missing, unreached, ..ReadOnce::default() };
    once.no_container = unknown(&state, &options.containers);
    if once.no_container.is_some() {
        return Ok(once);
    }
    let places = Places::new(options.max_streams.get());
    let (notes, mut said) = mpsc::unbounded_channel();
    let (found, there) = containers(&state, options, &mut once);
    let from_files = from_files(options, state.meant(), &there);
    once.notes.extend(from_files.notes);
    if options.mix == Mix::Refused {
        once.mixed = mixed(&found, &from_files.logs);
        if once.mixed.is_some() {
            return Ok(once);
        }
    }
    if options.part.since.is_some() || options.times == Times::Shown {
        let mut untimed = from_files.logs.iter().filter(|saved| saved.times.is_none());
        once.untimed = untimed.next().map(|saved| saved.path.clone());
        if once.untimed.is_some() {
            return Ok(once);
        }
    }
    let known = once.unreached.is_none().then_some(there.as_slice());
    let mut saved = from_files.logs.into_iter().peekable();
    let mut reading: Vec<BoxFuture<'_, Ended>> = Vec::new();
    for Found { pod, container, label, part } in found {
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let place = (created, pod.metadata.uid.clone().unwrap_or_default());
        let is_older = |saved: &SavedLog| (saved.of.created, saved.of.uid.clone()) <= place;
        while let Some(older) = saved.next_if(is_older) {
            reading.push(from_file(older, known, options, &told));
        }
        let name = format!("the log of container {container} of pod/{}", label.pod);
        let kept = Kept::of(options, (cluster.server(), pod), &container, &label, notes.clone());
        let log = pod_log(cluster, pod, container, &label);
        let (items, shown) = channel();
        let (sender, view) = watch::channel(container_view(pod, &log.container));
        let _ = told.logs.send(Told { label, items: shown });
        let reader = Reader { log, places: places.clone(), part, view, items, kept };
        reading.push(Box::pin(async move {
            let end = reader.run().await;
            drop(sender);
            (name, trouble(&end))
        }));
    }
    reading.extend(saved.map(|saved| from_file(saved, known, options, &told)));
    drop((told, notes));
    once.logs = reading.len();
    for (name, trouble) in join_all(reading).await {
        once.unreadable.extend(trouble.map(|trouble| (name, trouble)));
    }
    while let Some((_, note)) = said.recv().await {
        once.notes.push(note);
    }
    Ok(once)
}

/// Returns two logs that nothing would tell apart.
fn mixed(found: &[Found<'_>], saved: &[SavedLog]) -> Option<(String, String)> {
    let name = |label: &Label, container: &str| {
        let label = Label { attempt: 1, container: None, ..label.clone() };
        (label.name(), container.to_owned())
    };
    let found = found.iter().map(|found| name(&found.label, &found.container));
    let saved = saved.iter().map(|saved| name(&label_of(&saved.of), &saved.of.container));
    let sources: BTreeSet<(String, String)> = found.chain(saved).collect();
    let mut names = sources.into_iter().map(|(block, container)| format!("{block} ({container})"));
    Some((names.next()?, names.next()?))
}

/// A log that is read from the cluster.
struct Found<'a> {
    pod: &'a Pod,
    container: String,
    label: Label,
    part: Part,
}

/// Returns the logs that are read from the cluster, the oldest pod first, and all containers that are
/// there; notes which pods have none yet.
fn containers<'a>(
    state: &'a State,
    options: &TailOptions,
    once: &mut ReadOnce,
) -> (Vec<Found<'a>>, Vec<There>) {
    let (mut found, mut there) = (Vec::new(), Vec::new());
    for (pod, label) in state.readable() {
        let containers = chosen(pod, &options.containers);
        if containers.is_empty() {
            let why = pending(pod).map(|why| format!(": {}: {}", why.reason, why.message));
            let why = why.unwrap_or_default();
            once.waiting.push(format!("pod/{} has not started{why}", label.pod));
        }
        for container in containers {
            let view = container_view(pod, &container);
            let (first, read) = runs(pod, &container, view.restarts, options);
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            let is_read = !read.is_empty();
            let (name, restarts) = (container.clone(), view.restarts);
            there.push(There { uid, container: name, restarts, read: read.clone() });
            if !is_read {
                continue;
            }
            let main = main_container(pod);
            let other = (Some(&container) != main.as_ref()).then(|| container.as_str().into());
            let label = Label { container: other, ..label.clone() };
            let mut label = numbered(label, view, first);
            // Pods before it may be gone, and are counted all the same.
            let known = attempt_of(pod, &container, read.start, &options.saved);
            label.attempt = known.unwrap_or(label.attempt);
            found.push(Found { pod, container, label, part: Part { first, ..options.part } });
        }
    }
    (found, there)
}

/// Says which runs of a container are read from the cluster. Nodes remove the log of the one before the
/// present without notice, so it is not asked for where it was saved.
fn runs(
    pod: &Pod,
    container: &str,
    restarts: u32,
    options: &TailOptions,
) -> (FirstRun, Range<u32>) {
    let first = options.part.first;
    let from = first.of(restarts);
    let is_saved = from < restarts && is_whole(pod, container, from, &options.saved);
    match first {
        FirstRun::Previous if is_saved => (FirstRun::Present, restarts..restarts + 1),
        FirstRun::OnlyPrevious if is_saved => (first, from..from),
        FirstRun::OnlyPrevious => (first, from..from + 1),
        _ => (first, from..restarts + 1),
    }
}

/// Reads a log that was saved, and says where it comes from; what is there is not known without contact.
fn from_file<'a>(
    saved: SavedLog,
    there: Option<&[There]>,
    options: &TailOptions,
    told: &Teller,
) -> BoxFuture<'a, Ended> {
    let (items, shown) = channel();
    let label = label_of(&saved.of);
    let gone = match there {
        None => Gone::Contact,
        Some(there) if there.iter().any(|there| there.uid == saved.of.uid) => Gone::Run,
        Some(_) => Gone::Pod,
    };
    let event = RunEvent::new(EventKind::Notice).block(&label.block).message(saved.sentence(gone));
    let _ = told.events.send(event);
    let _ = told.logs.send(Told { label, items: shown });
    let (name, part) = (format!("the saved log of pod/{}", saved.of.pod), options.part);
    Box::pin(async move {
        (name, reread(saved, part, items).await.err().map(|error| error.to_string()))
    })
}

fn trouble(end: &End) -> Option<String> {
    match end {
        End::Complete => None,
        End::Unreadable(error) => Some(error.to_string()),
        End::Gone => Some("it is gone from the node".to_owned()),
    }
}

/// Reads which Jobs and pods there are.
async fn there(cluster: &Cluster, options: &TailOptions) -> Result<State, ClusterError> {
    let selectors = Selectors::of(&options.wanted, &options.labels);
    let namespace = options.namespace.clone();
    let jobs = WatchScope { namespace, labels: selectors.jobs, fields: selectors.job_fields };
    let (jobs, pods) = tokio::join!(
        cluster.list_jobs_in(&jobs),
        cluster.list_pods_ahead(&options.namespace, &selectors.pods)
    );
    let mut state = State::new(&options.wanted, !options.labels.is_empty());
    state.take_pods(Watched::Listed(pods?));
    match jobs {
        Err(ClusterError::Forbidden { .. }) => state.jobs_unreadable = true,
        jobs => state.take_jobs(Watched::Listed(jobs?)),
    }
    let _ = state.look();
    Ok(state)
}

pub(super) fn pod_log(cluster: &Cluster, pod: &Pod, container: String, label: &Label) -> PodLog {
    PodLog {
        cluster: cluster.clone(),
        namespace: label.namespace.to_string(),
        pod: label.pod.to_string(),
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        container,
    }
}

/// Returns the label of the run of the container that is read first.
pub(super) fn numbered(mut label: Label, view: ContainerView, first: FirstRun) -> Label {
    if first != FirstRun::Present && view.restarts > 0 {
        label.attempt = label.attempt.saturating_sub(1).max(1);
    }
    label
}
