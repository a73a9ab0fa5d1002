//! What is there of what is meant, how it stands, and whether all is over (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use k8s_openapi::Metadata;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::stand::{JobEnd, Stand};
use super::wanted::{Bound, Wanted};
use crate::cluster::{
    Belongs, PlanFacts, RunStatus, Source, Watched, belongs, container_status, group_runs, job_of,
    main_container, pod_belongs,
};
use crate::run::{EventKind, RunEvent};
use crate::ui::Label;

/// The Mage server lets seconds pass between two Jobs of a pipeline run.
const SERVER_GRACE: Duration = Duration::from_secs(20);
/// A run may try a block again.
const RETRY_GRACE: Duration = Duration::from_secs(3);
/// A run that nobody is known to drive may go on for all that.
const UNKNOWN_GRACE: Duration = Duration::from_secs(15);

/// Whether what is meant is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Not yet.
    No,
    /// When nothing changes for that long.
    After(Duration),
    /// When nobody drives the run.
    Undriven {
        /// Its namespace.
        namespace: String,
        /// Its id.
        run: String,
        /// How long to wait where that cannot be known.
        otherwise: Duration,
    },
}

/// What came of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All Jobs are complete.
    Complete,
    /// Blocks of the run did not run, and nobody drives it.
    Stopped,
    /// A Job failed, or is gone.
    Failed,
    /// A pod could not start.
    CouldNotStart,
    /// Somebody cancelled the run.
    Cancelled,
}

/// Everything that was seen.
#[derive(Default)]
pub(super) struct State {
    wanted: Vec<(Wanted, Option<Bound>)>,
    /// Whether Jobs are chosen by labels, so that pods of other Jobs are not meant.
    by_labels: bool,
    jobs: BTreeMap<String, Job>,
    /// Jobs that ended before they were deleted.
    ended: BTreeMap<String, Job>,
    pods: BTreeMap<String, Pod>,
    pub(super) events: Vec<Event>,
    plans: BTreeMap<String, PlanFacts>,
    stands: IndexMap<String, Known>,
    /// Which attempt at its block a pod is.
    numbers: BTreeMap<String, u32>,
    /// Whether Jobs may be read.
    pub(super) jobs_unreadable: bool,
}

/// Something to tell of a Job.
pub(super) struct News {
    /// The Job's UID.
    pub(super) job: String,
    pub(super) event: RunEvent,
}

/// A Job and what it is of.
struct Known {
    of: Option<Belongs>,
    name: String,
    stand: Stand,
}

impl State {
    pub(super) fn new(wanted: &[Wanted], by_labels: bool) -> Self {
        let wanted = wanted.iter().map(|wanted| (wanted.clone(), None)).collect();
        Self { wanted, by_labels, ..Self::default() }
    }

    pub(super) fn take_jobs(&mut self, seen: Watched<Job>) {
        let gone = take(&mut self.jobs, seen);
        for (uid, job) in gone {
            if let Some(known) = self.stands.get_mut(&uid) {
                let pods = pods_of(&self.pods, &uid);
                // Its last state may tell how it ended.
                known.stand.look(Some(&job), &pods, &[], |_| 1);
                if known.stand.end.is_some() {
                    self.ended.insert(uid, job);
                }
            }
        }
    }

    pub(super) fn take_pods(&mut self, seen: Watched<Pod>) -> Vec<String> {
        // Of a pod that is gone its last state is kept: it tells how its Job ended.
        let mut gone = Vec::new();
        match seen {
            Watched::Deleted(pod) => {
                gone.extend(pod.metadata.uid.clone());
                self.keep_pod(pod);
            }
            Watched::Applied(pod) => self.keep_pod(pod),
            Watched::Listed(pods) => {
                let here: BTreeSet<String> =
                    pods.iter().filter_map(|pod| pod.metadata.uid.clone()).collect();
                gone.extend(self.pods.keys().filter(|uid| !here.contains(*uid)).cloned());
                for pod in pods {
                    self.keep_pod(pod);
                }
            }
            _ => {}
        }
        gone
    }

    fn keep_pod(&mut self, pod: Pod) {
        if let Some(uid) = pod.metadata.uid.clone() {
            self.pods.insert(uid, pod);
        }
    }

    pub(super) fn take_plan(&mut self, plan: PlanFacts) {
        self.plans.insert(plan.run.clone(), plan);
    }

    /// Returns the runs of this tool that are meant.
    pub(super) fn runs(&self) -> Vec<String> {
        let of = |bound: &Option<Bound>| match bound {
            Some(Bound::Run { source: Source::Run, run, .. }) => Some(run.clone()),
            _ => None,
        };
        self.wanted.iter().filter_map(|(_, bound)| of(bound)).collect()
    }

    /// Returns the names of what is not there yet.
    pub(super) fn missing(&self) -> Vec<String> {
        let is_missing = |(wanted, bound): &&(Wanted, Option<Bound>)| match bound {
            None => true,
            Some(bound) => !self.is_there(bound) && !matches!(wanted, Wanted::Run(_)),
        };
        self.wanted.iter().filter(is_missing).map(|(wanted, _)| wanted.name()).collect()
    }

    fn is_there(&self, bound: &Bound) -> bool {
        self.jobs.values().chain(self.ended.values()).any(|job| bound.holds_job(job))
            || self.pods.values().any(|pod| bound.holds_pod(pod))
    }

    /// Looks at everything anew; returns what is news.
    pub(super) fn look(&mut self) -> Vec<News> {
        let jobs: Vec<&Job> = self.jobs.values().collect();
        let pods: Vec<&Pod> = self.pods.values().collect();
        for (wanted, bound) in self.wanted.iter_mut().filter(|(_, bound)| bound.is_none()) {
            *bound = wanted.bind(&jobs, &pods);
        }
        self.count();
        self.find();
        let mut news = Vec::new();
        let by_job = by_job(&self.pods);
        for (uid, known) in &mut self.stands {
            let pods = by_job.get(uid.as_str()).map(Vec::as_slice).unwrap_or_default();
            let job = self.jobs.get(uid);
            let events: Vec<&Event> = self
                .events
                .iter()
                .filter(|event| event.involved_object.uid.as_ref() == Some(uid))
                .collect();
            let number = |pod: &Pod| number(&self.numbers, pod);
            let told = if job.is_some() || self.jobs_unreadable {
                known.stand.look(job, pods, &events, number)
            } else {
                known.stand.gone(pods)
            };
            news.extend(told.into_iter().map(|event| News { job: uid.clone(), event }));
        }
        news
    }

    /// Numbers the pods of each block in the order in which they were made.
    fn count(&mut self) {
        let mut last: BTreeMap<(String, String), u32> = BTreeMap::new();
        let mut sorted: Vec<&Pod> = self.pods.values().collect();
        sorted.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
        for pod in sorted {
            let Some(uid) = pod.metadata.uid.clone() else { continue };
            let (key, attempt) = match pod_belongs(pod) {
                Some(of) => ((of.run, of.block), of.attempt),
                None => (
                    (String::new(), job_of(pod).map(|(job, _)| job.to_owned()).unwrap_or_default()),
                    1,
                ),
            };
            let before = last.entry(key).or_insert(0);
            let number = *self.numbers.entry(uid).or_insert((*before + 1).max(attempt));
            *before = number + restarts(pod);
        }
    }

    /// Begins to look at Jobs that are meant and were not known.
    fn find(&mut self) {
        let bounds: Vec<&Bound> =
            self.wanted.iter().filter_map(|(_, bound)| bound.as_ref()).collect();
        let mut found: Vec<(Option<&ObjectMeta>, String, Known)> = Vec::new();
        for (uid, job) in &self.jobs {
            if bounds.iter().any(|bound| bound.holds_job(job)) {
                let name = job.metadata.name.clone().unwrap_or_default();
                found.push((Some(&job.metadata), uid.clone(), known(belongs(job), name)));
            }
        }
        for pod in self.pods.values() {
            let Some((name, uid)) = job_of(pod) else { continue };
            let is_meant = bounds.iter().any(|bound| bound.holds_pod(pod));
            // Where Jobs are chosen by labels, the Job has to be seen.
            if is_meant && !self.by_labels && !self.jobs.contains_key(uid) {
                let known = known(pod_belongs(pod), name.to_owned());
                found.push((Some(&pod.metadata), uid.to_owned(), known));
            }
        }
        found.sort_by_key(|(metadata, ..)| metadata.and_then(|all| all.creation_timestamp.clone()));
        for (_, uid, known) in found {
            self.stands.entry(uid).or_insert(known);
        }
    }

    /// Returns the pods whose logs are meant, the oldest first, and whose they are.
    pub(super) fn readable(&self) -> Vec<(&Pod, Label)> {
        let mut all: Vec<(&Pod, Label)> = Vec::new();
        for pod in self.pods.values() {
            let Some((job, uid)) = job_of(pod) else { continue };
            let Some(known) = self.stands.get(uid) else { continue };
            let label = Label {
                block: Arc::clone(&known.stand.name),
                attempt: number(&self.numbers, pod),
                container: None,
                pod: pod.metadata.name.as_deref().unwrap_or_default().into(),
                job: Some(job.into()),
                namespace: pod.metadata.namespace.as_deref().unwrap_or_default().into(),
                run: known.of.as_ref().map(|of| of.run.as_str().into()),
            };
            all.push((pod, label));
        }
        all.sort_by_key(|(pod, _)| pod.metadata.creation_timestamp.clone());
        all
    }

    /// Returns the pod of a UID.
    pub(super) fn pod(&self, uid: &str) -> Option<&Pod> {
        self.pods.get(uid)
    }

    /// Returns what is meant, and what that came to.
    pub(super) fn meant(&self) -> &[(Wanted, Option<Bound>)] {
        &self.wanted
    }

    /// Tells whether anything of a run is there.
    pub(super) fn knows_run(&self, run: &str) -> bool {
        self.plans.contains_key(run)
            || self.stands.values().any(|known| known.of.as_ref().is_some_and(|of| of.run == run))
    }

    /// Returns the UIDs of the pods of a Job.
    pub(super) fn pods_of(&self, job: &str) -> Vec<String> {
        let pods = pods_of(&self.pods, job);
        pods.into_iter().filter_map(|pod| pod.metadata.uid.clone()).collect()
    }

    /// Tells whether a Job is meant that has no pod, which only events explain.
    pub(super) fn lacks_a_pod(&self) -> bool {
        let with_pods: BTreeSet<&str> =
            self.pods.values().filter_map(job_of).map(|(_, uid)| uid).collect();
        let mut open = self.stands.iter().filter(|(_, known)| known.stand.end.is_none());
        open.any(|(uid, _)| !with_pods.contains(uid.as_str()))
    }

    /// Tells whether all that is meant is over.
    pub(super) fn over(&self) -> Vec<Over> {
        self.wanted
            .iter()
            .map(|(_, bound)| bound.as_ref().map_or(Over::No, |b| self.is_over(b)))
            .collect()
    }

    fn is_over(&self, bound: &Bound) -> Over {
        let newest = self.newest(bound);
        if newest.iter().any(|known| known.stand.end.is_none()) {
            return Over::No;
        }
        let complete = newest.iter().all(|known| known.stand.end == Some(JobEnd::Complete));
        match bound {
            _ if newest.is_empty()
                && !matches!(bound, Bound::Run { source: Source::Run, block: None, .. }) =>
            {
                Over::No
            }
            Bound::Job(_) | Bound::Run { source: Source::Apply, .. } => Over::After(Duration::ZERO),
            Bound::Run { block: Some(_), .. } if complete => Over::After(Duration::ZERO),
            Bound::Run { block: Some(_), .. } => Over::After(RETRY_GRACE),
            Bound::Run { source: Source::Server, .. } => Over::After(SERVER_GRACE),
            Bound::Run { source: Source::Run, run, .. } => self.is_run_over(run),
        }
    }

    fn is_run_over(&self, run: &str) -> Over {
        let Some((namespace, status)) = self.status_of(run) else { return Over::No };
        let otherwise = match status {
            RunStatus::Running | RunStatus::Suspended => return Over::No,
            RunStatus::Complete | RunStatus::Cancelled => return Over::After(Duration::ZERO),
            RunStatus::Failed => RETRY_GRACE,
            RunStatus::Stopped | RunStatus::Unknown => UNKNOWN_GRACE,
        };
        Over::Undriven { namespace, run: run.to_owned(), otherwise }
    }

    fn status_of(&self, run: &str) -> Option<(String, RunStatus)> {
        let jobs = self.jobs.values().chain(self.ended.values());
        let rows = group_runs(jobs, self.plans.values());
        let row = rows.into_iter().find(|row| row.source == Source::Run && row.run == run)?;
        Some((row.namespace, row.status))
    }

    /// Returns the newest Job of each block that is meant.
    fn newest(&self, bound: &Bound) -> Vec<&Known> {
        let mut newest: IndexMap<String, &Known> = IndexMap::new();
        for known in self.stands.values().filter(|known| known.is_of(bound)) {
            let key = known.of.as_ref().map_or_else(|| known.name.clone(), |of| of.block.clone());
            newest.insert(key, known);
        }
        newest.into_values().collect()
    }

    /// Says what came of all that is meant.
    pub(super) fn verdict(&self) -> Verdict {
        let bounds = self.wanted.iter().filter_map(|(_, bound)| bound.as_ref());
        let of = |bound: &Bound| {
            let status = match bound {
                Bound::Run { source: Source::Run, run, block: None } => self.status_of(run),
                _ => None,
            };
            let of_run = match status.map(|(_, status)| status) {
                Some(RunStatus::Cancelled) => Verdict::Cancelled,
                Some(RunStatus::Failed) => Verdict::Failed,
                Some(RunStatus::Stopped) => Verdict::Stopped,
                _ => Verdict::Complete,
            };
            let ends = self.newest(bound).into_iter().filter_map(|known| known.stand.end);
            let of_jobs = ends.map(|end| match end {
                JobEnd::Complete => Verdict::Complete,
                JobEnd::CouldNotStart => Verdict::CouldNotStart,
                JobEnd::Failed | JobEnd::Gone => Verdict::Failed,
            });
            of_jobs.fold(of_run, worse)
        };
        bounds.map(of).fold(Verdict::Complete, worse)
    }
}

/// Returns the one that weighs more. A Job that is gone is of no weight where the run was cancelled.
fn worse(a: Verdict, b: Verdict) -> Verdict {
    let weight = |verdict: Verdict| match verdict {
        Verdict::Complete => 0,
        Verdict::Stopped => 1,
        Verdict::Failed => 2,
        Verdict::CouldNotStart => 3,
        Verdict::Cancelled => 4,
    };
    if weight(a) >= weight(b) { a } else { b }
}

impl Known {
    fn is_of(&self, bound: &Bound) -> bool {
        match (bound, &self.of) {
            (Bound::Job(name), _) => self.name == *name,
            (Bound::Run { source, run, block }, Some(of)) => {
                of.source == *source
                    && of.run == *run
                    && block.as_ref().is_none_or(|block| of.block == *block)
            }
            (Bound::Run { .. }, None) => false,
        }
    }
}

fn known(of: Option<Belongs>, name: String) -> Known {
    let shown = of.as_ref().map_or_else(|| name.clone(), |of| of.block.clone());
    let attempt = of.as_ref().map_or(1, |of| of.attempt);
    Known { of, name, stand: Stand::new(shown.into(), attempt) }
}

/// Returns the pods of each Job, the oldest first.
fn by_job(pods: &BTreeMap<String, Pod>) -> BTreeMap<&str, Vec<&Pod>> {
    let mut sorted: Vec<&Pod> = pods.values().collect();
    sorted.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
    let mut by_job = BTreeMap::<&str, Vec<&Pod>>::new();
    for pod in sorted {
        if let Some((_, uid)) = job_of(pod) {
            by_job.entry(uid).or_default().push(pod);
        }
    }
    by_job
}

fn pods_of<'a>(pods: &'a BTreeMap<String, Pod>, job: &str) -> Vec<&'a Pod> {
    let is_its = |pod: &&Pod| job_of(pod).is_some_and(|(_, uid)| uid == job);
    let mut own: Vec<&Pod> = pods.values().filter(is_its).collect();
    own.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
    own
}

fn number(numbers: &BTreeMap<String, u32>, pod: &Pod) -> u32 {
    let uid = pod.metadata.uid.as_ref();
    uid.and_then(|uid| numbers.get(uid)).copied().unwrap_or(1) + restarts(pod)
}

fn restarts(pod: &Pod) -> u32 {
    let status = main_container(pod).and_then(|main| container_status(pod, &main));
    status.map_or(0, |status| u32::try_from(status.restart_count).unwrap_or(0))
}

/// Takes in what a watch tells; returns what is gone.
fn take<K: Metadata<Ty = ObjectMeta> + Clone>(
    all: &mut BTreeMap<String, K>,
    seen: Watched<K>,
) -> Vec<(String, K)> {
    let uid = |item: &K| item.metadata().uid.clone().unwrap_or_default();
    match seen {
        Watched::Listed(items) => {
            let mut old = std::mem::take(all);
            for item in items {
                old.remove(&uid(&item));
                all.insert(uid(&item), item);
            }
            old.into_iter().collect()
        }
        Watched::Applied(item) => {
            all.insert(uid(&item), item);
            Vec::new()
        }
        Watched::Deleted(item) => {
            all.remove(&uid(&item));
            vec![(uid(&item), item)]
        }
        Watched::Lost(_) | Watched::Regained | Watched::Refused(_) => Vec::new(),
    }
}

/// Makes a notice.
pub(super) fn notice(text: impl Into<String>) -> RunEvent {
    RunEvent::new(EventKind::Notice).message(text)
}
