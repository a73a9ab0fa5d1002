//! Reads the logs that are there, once.

use std::collections::BTreeSet;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::{mpsc, watch};

use super::containers::{Containers, chosen};
use super::options::{Mix, TailOptions};
use super::queue::Places;
use super::reader::{Kept, Reader, channel};
use super::state::State;
use super::told::{Teller, Told};
use super::wanted::Selectors;
use crate::cluster::{
    Cluster, ClusterError, ContainerView, Watched, container_view, main_container,
};
use crate::diagnose::pending;
use crate::logs::{End, FirstRun, PodLog};
use crate::ui::Label;

/// What was read.
#[derive(Debug, Default)]
pub struct ReadOnce {
    /// How many logs were read.
    pub logs: usize,
    /// What is not there at all.
    pub missing: Vec<String>,
    /// Pods that have not started, and why.
    pub waiting: Vec<String>,
    /// Two logs that would have been mixed; then none was read.
    pub mixed: Option<(String, String)>,
    /// What could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// What is to be said about files.
    pub notes: Vec<String>,
}

/// Reads what is there of everything that is meant, and gives it to whoever shows it.
pub async fn read(
    cluster: &Cluster,
    options: &TailOptions,
    told: Teller,
) -> Result<ReadOnce, ClusterError> {
    let state = there(cluster, options).await?;
    let mut once = ReadOnce { missing: state.missing(), ..ReadOnce::default() };
    let places = Places::new(options.max_streams.get());
    let (notes, mut said) = mpsc::unbounded_channel();
    let mut reading = Vec::new();
    let readable = state.readable();
    if options.mix == Mix::Refused {
        once.mixed = mixed(&readable, &options.containers);
        if once.mixed.is_some() {
            return Ok(once);
        }
    }
    for (pod, label) in readable {
        let containers = chosen(pod, &options.containers);
        if containers.is_empty() {
            let why = pending(pod).map(|why| format!(": {}: {}", why.reason, why.message));
            once.waiting.push(format!(
                "pod/{} has not started{}",
                label.pod,
                why.unwrap_or_default()
            ));
        }
        let main = main_container(pod);
        for container in containers {
            let other = (Some(&container) != main.as_ref()).then(|| container.as_str().into());
            let label = Label { container: other, ..label.clone() };
            let name = format!("the log of container {container} of pod/{}", label.pod);
            let kept =
                options.folder.as_ref().map(|folder| Kept::of(folder, &label, notes.clone()));
            let (log, part) = (pod_log(cluster, pod, container, &label), options.part);
            let (items, shown) = channel();
            let (sender, view) = watch::channel(container_view(pod, &log.container));
            let label = numbered(label, *view.borrow(), part.first);
            let _ = told.logs.send(Told { label, items: shown });
            let reader = Reader { log, places: places.clone(), part, view, items, kept };
            reading.push(async move {
                let end = reader.run().await;
                drop(sender);
                (name, end)
            });
        }
    }
    drop((told, notes));
    once.logs = reading.len();
    for (name, end) in join_all(reading).await {
        match end {
            End::Complete => {}
            End::Unreadable(error) => once.unreadable.push((name, error.to_string())),
            End::Gone => once.unreadable.push((name, "it is gone from the node".to_owned())),
        }
    }
    while let Some((_, note)) = said.recv().await {
        once.notes.push(note);
    }
    Ok(once)
}

/// Returns two logs that nothing would tell apart.
fn mixed(readable: &[(&Pod, Label)], containers: &Containers) -> Option<(String, String)> {
    let sources = readable.iter().flat_map(|(pod, label)| {
        chosen(pod, containers).into_iter().map(|container| {
            let label = Label { attempt: 1, container: None, ..label.clone() };
            (label.name(), container)
        })
    });
    let different: BTreeSet<(String, String)> = sources.collect();
    let mut names =
        different.into_iter().map(|(block, container)| format!("{block} ({container})"));
    Some((names.next()?, names.next()?))
}

/// Reads which Jobs and pods there are.
async fn there(cluster: &Cluster, options: &TailOptions) -> Result<State, ClusterError> {
    let selectors = Selectors::of(&options.wanted);
    let namespace = Some(options.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let both = [selectors.jobs.as_str(), options.labels.as_str()];
    let labels: Vec<&str> = both.into_iter().filter(|labels| !labels.is_empty()).collect();
    let labels = labels.join(",");
    let (jobs, pods) = tokio::join!(
        cluster.list_jobs(namespace, &labels),
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
