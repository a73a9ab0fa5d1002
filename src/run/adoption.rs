//! Reads a run that another client began: its plan, its Jobs, and what tells of those that are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::adopt::{Adopted, Evidence, Reasons, Standing, adopt, judge};
use super::cancel::is_marked;
use super::disruption::fault;
use super::lease::{Claim, Held, RunLease};
use super::notes::{Note, Noted, Notes, annotations};
use super::options::{Options, Settings};
use super::outline::{Digests, Outline};
use super::plan::{Plan, runtime_vars};
use super::record::{PackedPlan, PlanTooLarge, plan_version, read_record, record_name};
use super::replan::{Change, Moved, changes, merged};
use super::run_id::RunId;
use super::scheduler::Fault;
use super::settle::job_uid;
use crate::cluster::{
    CANCELLED, Cluster, ClusterError, LogRequest, PlanFacts, Recorded, blocks_selector,
    main_container,
};
use crate::logs::{Listener, parse_line};

/// The API server forgets events after an hour, unless it is told otherwise.
const EVENTS_KEPT: Duration = Duration::from_mins(50);
/// Where in a log the line of a conditional stands: it is the last one but a few.
const TAIL: u32 = 100;

/// A run that stands in the cluster.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Its name.
    pub run: RunId,
    /// Its plan.
    pub plan: Plan,
    /// How it behaves.
    pub settings: Settings,
    /// The namespace in which it was found.
    pub home: String,
    /// Where its plan is; none where that could not be recorded.
    pub recorded: Option<Recorded>,
    /// What its Jobs say of it then.
    pub outline: Option<Outline>,
    /// The runtime variables with which it began, its date among them.
    pub vars: Option<Value>,
    /// Which of its plans this is, by which one that comes later is told from it.
    pub(super) version: Option<String>,
    /// The version of the object as it was read.
    pub(super) object_version: Option<String>,
    /// Blocks that new plans dropped.
    pub(super) dropped: Vec<String>,
    pub(super) age: Option<Duration>,
    pub(super) notes: Notes,
    /// Whether somebody cancelled it.
    pub(super) cancelled: bool,
}

/// Why a run cannot be gone on with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AdoptionError {
    /// The cluster could not be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is a plan, but not one that this version can read.
    #[error("configmap/{name} in namespace {namespace} holds no plan that this version can read")]
    Unreadable {
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
    },
    /// The Jobs of blocks are gone, and nothing tells how they ended.
    #[error(
        "the Job of {} is gone and nothing tells whether it had ended: going on could run it twice",
        .blocks.join(", ")
    )]
    Unknown {
        /// The blocks.
        blocks: Vec<String>,
        /// The pipeline.
        pipeline: String,
    },
    /// Jobs are complete, and nothing tells whether a conditional kept their blocks from running.
    #[error(
        "the log of {} is gone, and only there it stood whether the condition said no: going on could run what comes after it without its data",
        .blocks.join(", ")
    )]
    ConditionUnknown {
        /// The blocks.
        blocks: Vec<String>,
        /// The pipeline.
        pipeline: String,
    },
}

/// Why a run gets no new plan.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReplanError {
    /// The cluster refused it, or could not be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It has no room beside the first.
    #[error(transparent)]
    TooLarge(#[from] PlanTooLarge),
    /// Somebody did something with the run in between.
    #[error("somebody changed the run meanwhile")]
    Meanwhile,
}

/// Which blocks that failed get another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retrying {
    /// All of them: a person asked for it.
    Failed,
    /// Those that have used up less than so many retries: a driver took another one's place.
    Left(u32),
}

/// A run as it stands, to go on from or to watch.
#[derive(Clone, Debug)]
pub struct Adoption {
    pub(super) recorded: Option<Recorded>,
    /// What new Jobs say of the run, where its plan could not be recorded.
    pub(super) outline: Option<String>,
    /// Which plan of the run it goes by.
    pub(super) version: Option<String>,
    pub(super) blocks: Vec<Adopted>,
    pub(super) held: Option<Held>,
    pub(super) identity: String,
}

impl Adoption {
    /// Tells whether every block has ended well, so that nothing is left to do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.blocks.iter().all(|block| block.standing == Standing::Complete)
    }
}

/// Reads the plan of a run; none when there is none of that name.
pub async fn read_run(
    cluster: &Cluster,
    namespace: &str,
    run: &str,
) -> Result<Option<RecordedRun>, AdoptionError> {
    let run = RunId::named(run);
    let name = record_name(run.as_str());
    let Some((map, now)) = cluster.get_config_map_now(namespace, &name).await? else {
        return Ok(None);
    };
    let Some((plan, settings)) = read_record(&map) else {
        return Err(AdoptionError::Unreadable { name, namespace: namespace.to_owned() });
    };
    let created = map.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let uid = map.metadata.uid.clone().unwrap_or_default();
    let recorded = Recorded { namespace: namespace.to_owned(), name, uid };
    let cancelled = is_marked(&map.metadata);
    let facts = PlanFacts::read(&map.metadata);
    Ok(Some(RecordedRun {
        run,
        vars: plan.blocks.iter().find_map(|block| runtime_vars(&block.job)),
        plan,
        settings,
        home: namespace.to_owned(),
        recorded: Some(recorded),
        outline: None,
        version: plan_version(&map.metadata),
        object_version: map.metadata.resource_version.clone(),
        dropped: facts.map(|facts| facts.dropped).unwrap_or_default(),
        age: age(created, now),
        notes: Notes::of(&map),
        cancelled,
    }))
}

/// How long ago something was created, by the server's clock alone.
pub(super) fn age(created: Option<Timestamp>, now: Option<Timestamp>) -> Option<Duration> {
    created.zip(now).and_then(|(created, now)| now.duration_since(created).try_into().ok())
}

impl RecordedRun {
    /// Takes the run's Lease, unless somebody drives it; none where no plan owns one.
    pub async fn claim(
        &self,
        cluster: &Cluster,
        identity: &str,
        wait: impl FnMut(&str),
    ) -> Result<Option<Claim>, ClusterError> {
        match self.lease(cluster, identity) {
            Some(lease) => Ok(Some(lease.claim(wait).await?)),
            None => Ok(None),
        }
    }

    /// Gives the Lease back.
    pub async fn release(&self, cluster: &Cluster, identity: &str) {
        if let Some(lease) = self.lease(cluster, identity) {
            lease.release().await;
        }
    }

    fn lease(&self, cluster: &Cluster, identity: &str) -> Option<RunLease> {
        Some(RunLease {
            cluster: cluster.clone(),
            plan: self.recorded.clone()?,
            run: self.run.to_string(),
            identity: identity.to_owned(),
        })
    }

    /// Finds out how the blocks stand, to watch them.
    pub async fn watch(
        &self,
        cluster: &Cluster,
        identity: String,
    ) -> Result<Adoption, AdoptionError> {
        let jobs = self.jobs(cluster).await?;
        let blocks = adopt(&self.plan, &self.run, &jobs, &self.notes);
        let (recorded, version) = (self.recorded.clone(), self.version.clone());
        let outline = self.outline.as_ref().and_then(Outline::packed);
        Ok(Adoption { recorded, outline, version, blocks, held: None, identity })
    }

    /// Finds out how the blocks stand, to go on with them: what can start must be known never to
    /// have started.
    pub async fn adopt(
        &self,
        cluster: &Cluster,
        identity: String,
        held: Option<Held>,
        retrying: Retrying,
    ) -> Result<Adoption, AdoptionError> {
        let mut adoption = self.watch(cluster, identity).await?;
        adoption.held = held;
        let blocks = &mut adoption.blocks;
        self.find_false_conditions(cluster, blocks).await?;
        if blocks.iter().any(|block| block.standing == Standing::Missing) {
            self.judge(cluster, blocks).await?;
        }
        match retrying {
            Retrying::Failed => {
                for block in blocks {
                    block.again = block.standing == Standing::Failed;
                }
            }
            Retrying::Left(retries) => self.count_retries(cluster, retries, blocks).await,
        }
        Ok(adoption)
    }

    /// Does the same once more, after a new plan was recorded, for a person who asked for it.
    pub async fn adopt_again(
        &self,
        cluster: &Cluster,
        before: &Adoption,
    ) -> Result<Adoption, AdoptionError> {
        let (identity, held) = (before.identity.clone(), before.held.clone());
        self.adopt(cluster, identity, held, Retrying::Failed).await
    }

    /// Tells whether nobody drove the run since it was adopted.
    pub async fn is_still_held(
        &self,
        cluster: &Cluster,
        adoption: &Adoption,
    ) -> Result<bool, ClusterError> {
        let claim = self.claim(cluster, &adoption.identity, |_| {}).await?;
        Ok(match claim {
            Some(Claim::Held(held)) => adoption.held.as_ref().is_none_or(|before| *before == held),
            Some(Claim::Driven(_)) => false,
            Some(Claim::Forbidden(_)) | None => true,
        })
    }

    /// Takes the mark of a canceller away: whoever resumes the run means it to go on.
    pub async fn unmark(&self, cluster: &Cluster) -> Result<(), ClusterError> {
        let Some(Recorded { namespace, name, .. }) = &self.recorded else { return Ok(()) };
        cluster.annotate_config_map(namespace, name, &json!({ (CANCELLED): null })).await
    }

    /// Compares the plan with one that was made of the project as it is now.
    #[must_use]
    pub fn changes<'a>(
        &'a self,
        adoption: &Adoption,
        project: &'a Plan,
        digests: &Digests,
    ) -> Vec<Change<'a>> {
        let mut changes = changes(&self.plan, &adoption.blocks, project);
        if let Some(outline) = &self.outline {
            for change in &mut changes {
                let known = outline.digests.get(change.uuid());
                change.is_same = known.is_some() && known == digests.get(change.uuid());
            }
        }
        changes
    }

    /// Makes the plan that is gone on with after these changes; none where nothing changes.
    pub fn merged(
        &self,
        adoption: &Adoption,
        project: &Plan,
        changes: &[Change<'_>],
    ) -> Result<Option<Plan>, Moved> {
        let plan = merged(&self.plan, &adoption.blocks, project, changes)?;
        if self.outline.is_some() {
            return Ok(changes.iter().any(|change| !change.is_same).then_some(plan));
        }
        let said = |plan: &Plan| -> Vec<(String, Value)> {
            plan.blocks.iter().map(|block| (block.uuid.clone(), block.said())).collect()
        };
        Ok((said(&plan) != said(&self.plan)).then_some(plan))
    }

    /// Puts a plan in the place of the one that was read, unless somebody changed anything since.
    pub async fn replace_plan(&self, cluster: &Cluster, plan: &Plan) -> Result<(), ReplanError> {
        let packed = PackedPlan::of(plan, &self.run, &Options::from(self.settings.clone()))?;
        let is_in = |uuid: &String| plan.blocks.iter().any(|block| block.uuid == *uuid);
        let known = self.plan.blocks.iter().map(|block| &block.uuid).chain(&self.dropped);
        let dropped: Vec<String> = known.filter(|uuid| !is_in(uuid)).cloned().collect();
        let annotations = packed.in_place(plan, &dropped)?;
        let version = self.object_version.as_deref();
        let Some(recorded) = &self.recorded else { return Ok(()) };
        match cluster.annotate_unchanged(recorded, version, &annotations).await {
            Err(ClusterError::Refused { code: 409, .. }) => Err(ReplanError::Meanwhile),
            result => Ok(result?),
        }
    }

    /// Returns how old it is, by the server's clock.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age.unwrap_or_default()
    }

    /// Tells whether somebody cancelled it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Finds out which blocks that failed have another attempt left.
    async fn count_retries(&self, cluster: &Cluster, retries: u32, blocks: &mut [Adopted]) {
        for block in blocks {
            block.retries = block.attempt - 1;
            let Some(job) = block.job.as_ref().filter(|_| block.standing == Standing::Failed)
            else {
                continue;
            };
            let pod = newest_pod(cluster, job).await;
            if pod.is_some_and(|pod| fault(&pod) == Fault::Unstarted) {
                block.again = true;
            } else if block.retries < retries {
                block.retries += 1;
                block.again = true;
            }
        }
    }

    /// Notes with the plan which attempts somebody wants a driver to make.
    pub async fn note_wanted(
        &self,
        cluster: &Cluster,
        adoption: &Adoption,
    ) -> Result<(), ClusterError> {
        let blocks = self.plan.blocks.iter().zip(&adoption.blocks);
        let wanted = blocks.filter(|(_, adopted)| adopted.again).map(|(block, adopted)| {
            let note = Note { attempt: adopted.attempt + 1, what: Noted::Wanted };
            (block.uuid.as_str(), note)
        });
        let notes = annotations(wanted);
        if notes.as_object().is_some_and(Map::is_empty) {
            return Ok(());
        }
        let Some(Recorded { namespace, name, .. }) = &self.recorded else { return Ok(()) };
        cluster.annotate_config_map(namespace, name, &notes).await
    }

    async fn judge(&self, cluster: &Cluster, blocks: &mut [Adopted]) -> Result<(), AdoptionError> {
        let mut reasons = Some(Reasons::new());
        for namespace in self.plan.namespaces() {
            match cluster.job_events(&namespace).await {
                Ok(events) => {
                    if let Some(reasons) = &mut reasons {
                        for (name, reason) in events {
                            reasons.entry(name).or_default().push(reason);
                        }
                    }
                }
                Err(ClusterError::Forbidden { .. }) => reasons = None,
                Err(error) => return Err(error.into()),
            }
        }
        let young = self.age.is_some_and(|age| age < EVENTS_KEPT);
        let noted = self.recorded.is_some();
        let evidence = Evidence { reasons: reasons.as_ref(), young, noted };
        let unknown = judge(&self.plan, blocks, &self.notes, &evidence);
        if unknown.is_empty() {
            return Ok(());
        }
        let name = |block: usize| self.plan.blocks[block].uuid.clone();
        let blocks = unknown.into_iter().map(name).collect();
        Err(AdoptionError::Unknown { blocks, pipeline: self.plan.pipeline.clone() })
    }

    /// Lists the Jobs of the run; reads them by name where they may not be listed.
    async fn jobs(&self, cluster: &Cluster) -> Result<Vec<Job>, ClusterError> {
        let mut jobs = Vec::new();
        for namespace in self.plan.namespaces() {
            let selector = blocks_selector(self.run.as_str());
            match cluster.list_jobs(Some(&namespace), &selector).await {
                Ok(listed) => jobs.extend(listed),
                Err(ClusterError::Forbidden { .. }) => {
                    jobs.extend(self.jobs_by_name(cluster, &namespace).await?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(jobs)
    }

    async fn jobs_by_name(
        &self,
        cluster: &Cluster,
        namespace: &str,
    ) -> Result<Vec<Job>, ClusterError> {
        let mut jobs = Vec::new();
        for block in self.plan.blocks.iter().filter(|block| block.namespace == namespace) {
            let noted = self.notes.get(&block.uuid).map_or(0, |note| note.attempt);
            for attempt in 1.. {
                match cluster.get_job(namespace, &block.job_name_of(attempt)).await? {
                    Some(job) => jobs.push(job),
                    None if attempt <= noted => {}
                    None => break,
                }
            }
        }
        Ok(jobs)
    }

    /// Reads the ends of the logs of complete blocks that others wait for: only there it stands
    /// that a conditional said no.
    async fn find_false_conditions(
        &self,
        cluster: &Cluster,
        blocks: &mut [Adopted],
    ) -> Result<(), AdoptionError> {
        let graph = self.plan.graph();
        let mut awaited = BTreeSet::new();
        for (block, upstream) in graph.iter().enumerate() {
            if blocks[block].standing == Standing::Missing {
                awaited.extend(upstream.iter().copied());
            }
        }
        awaited.retain(|&block| blocks[block].standing == Standing::Complete);
        let mut unknown = Vec::new();
        for block in awaited {
            let planned = &self.plan.blocks[block];
            let noted =
                self.notes.get(&planned.uuid).is_some_and(|note| note.what == Noted::Complete);
            let said_no = match &blocks[block].job {
                Some(job) => self.said_no(cluster, job, &planned.uuid).await,
                None => None,
            };
            match said_no {
                Some(true) => blocks[block].standing = Standing::ConditionFalse,
                None if planned.conditional && !noted => unknown.push(planned.uuid.clone()),
                _ => {}
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let pipeline = self.plan.pipeline.clone();
        Err(AdoptionError::ConditionUnknown { blocks: unknown, pipeline })
    }

    /// Tells whether a conditional said no; none where no log tells any more.
    async fn said_no(&self, cluster: &Cluster, job: &Job, block: &str) -> Option<bool> {
        let request = end_of_log(&newest_pod(cluster, job).await?)?;
        let mut listener = Listener::default();
        for line in cluster.read_tail(&request).await.ok()? {
            listener.take(&parse_line(&line), block);
        }
        listener.is_decided().then(|| listener.false_condition().is_some())
    }
}

/// Returns the newest pod of a Job, if it is there and may be seen.
pub(super) async fn newest_pod(cluster: &Cluster, job: &Job) -> Option<Pod> {
    let (namespace, uid) = (job.metadata.namespace.as_ref()?, job.metadata.uid.as_ref()?);
    let selector = format!("batch.kubernetes.io/controller-uid={uid}");
    let pods = cluster.list_pods(namespace, &selector).await.ok()?;
    pods.into_iter()
        .filter(|pod| job_uid(pod) == Some(uid))
        .max_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0))
}

pub(super) fn end_of_log(pod: &Pod) -> Option<LogRequest> {
    Some(LogRequest {
        namespace: pod.metadata.namespace.clone()?,
        pod: pod.metadata.name.clone()?,
        container: main_container(pod)?,
        follow: false,
        previous: false,
        since_second: None,
        tail_lines: Some(TAIL),
    })
}
