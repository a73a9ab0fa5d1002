//! The blocks of a run and what belongs to each.

use indexmap::IndexMap;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::{belongs, job_of, pod_belongs};

/// A block, its newest Job and that Job's pods.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The block run's uuid.
    pub uuid: String,
    /// The pipeline's uuid.
    pub pipeline: String,
    /// The attempt of the run at it, from 1.
    pub attempt: u32,
    /// Its newest Job; none where that is gone or may not be read.
    pub job: Option<&'a Job>,
    /// The pods of its newest Job, the oldest first.
    pub pods: Vec<&'a Pod>,
    /// How many pods its Jobs have had in all.
    pub pod_count: usize,
    /// The Job's name where only that is known.
    pub named: Option<String>,
}

impl<'a> Block<'a> {
    /// Makes a block of a Job's name alone.
    #[must_use]
    pub fn of_job(name: &str, job: Option<&'a Job>, pods: &'a [Pod]) -> Self {
        let mut pods: Vec<&Pod> = pods.iter().collect();
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
        let of = job.and_then(belongs).or_else(|| pods.first().and_then(|pod| pod_belongs(pod)));
        let made = job.map(made).unwrap_or_default().max(pods.len());
        Self {
            uuid: of.as_ref().map(|of| of.block.clone()).unwrap_or_default(),
            attempt: of.as_ref().map_or(1, |of| of.attempt),
            pipeline: of.map(|of| of.pipeline).unwrap_or_default(),
            job,
            pods,
            pod_count: made,
            named: Some(name.to_owned()),
        }
    }

    /// Makes a block of which nothing is left.
    #[must_use]
    pub fn gone(pipeline: &str, uuid: &str) -> Self {
        empty(uuid, pipeline)
    }

    /// Returns the pod that was made last.
    #[must_use]
    pub fn last_pod(&self) -> Option<&'a Pod> {
        self.pods.last().copied()
    }

    /// Returns its Job's name, as far as a pod tells it where the Job is gone.
    #[must_use]
    pub fn job_name(&self) -> Option<&str> {
        if let Some(job) = self.job {
            return job.metadata.name.as_deref();
        }
        let of_pod = self.last_pod().and_then(job_of).map(|(name, _)| name);
        of_pod.or(self.named.as_deref())
    }
}

/// Sorts the Jobs and pods of one run by block, in the order in which the Jobs were made.
#[must_use]
pub fn blocks<'a>(jobs: &'a [Job], pods: &'a [Pod]) -> Vec<Block<'a>> {
    let mut found: IndexMap<String, Block<'a>> = IndexMap::new();
    let mut sorted: Vec<&Job> = jobs.iter().collect();
    sorted.sort_by_key(|job| job.metadata.creation_timestamp.clone());
    for job in sorted {
        let Some(of) = belongs(job) else { continue };
        let block = found.entry(of.block.clone()).or_insert_with(|| empty(&of.block, &of.pipeline));
        block.pod_count += made(job);
        if block.job.is_none() || of.attempt >= block.attempt {
            block.attempt = of.attempt;
            block.job = Some(job);
        }
    }
    let mut sorted: Vec<&Pod> = pods.iter().collect();
    sorted.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
    for pod in sorted {
        let Some(of) = pod_belongs(pod) else { continue };
        let block = found.entry(of.block.clone()).or_insert_with(|| empty(&of.block, &of.pipeline));
        if let Some(job) = block.job {
            if job_of(pod).map(|(_, uid)| uid) == job.metadata.uid.as_deref() {
                block.pods.push(pod);
            }
            continue;
        }
        // Without its Job the newest pods speak.
        if block.last_pod().is_some_and(|last| job_of(last) != job_of(pod)) {
            block.pods.clear();
        }
        block.attempt = of.attempt;
        block.pods.push(pod);
        block.pod_count += 1;
    }
    for block in found.values_mut() {
        block.pod_count = block.pod_count.max(block.pods.len());
    }
    found.into_values().collect()
}

fn empty<'a>(uuid: &str, pipeline: &str) -> Block<'a> {
    Block {
        uuid: uuid.to_owned(),
        pipeline: pipeline.to_owned(),
        attempt: 1,
        job: None,
        pods: Vec::new(),
        pod_count: 0,
        named: None,
    }
}

/// Returns how many pods a Job has had.
fn made(job: &Job) -> usize {
    let Some(status) = &job.status else { return 0 };
    let counts = [status.active, status.succeeded, status.failed];
    counts.into_iter().flatten().filter_map(|count| usize::try_from(count).ok()).sum()
}
