//! A run whose plan could not be recorded, found again by its Jobs.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;

use super::adoption::{RecordedRun, age};
use super::notes::Notes;
use super::outline::{Digests, Outline};
use super::plan::{Plan, runtime_vars};
use super::run_id::RunId;
use crate::cluster::{Cluster, ClusterError, OF_A_JOB, blocks_selector};

/// Reads a run by what its Jobs say of it; none where they say nothing.
pub async fn read_unrecorded(
    cluster: &Cluster,
    namespace: &str,
    run: &str,
) -> Result<Option<RecordedRun>, ClusterError> {
    let run = RunId::named(run);
    let (mut jobs, now) = jobs_of(cluster, namespace, &run).await?;
    let Some(first) = Outline::newest(&jobs) else { return Ok(None) };
    for other in first.plan.namespaces().iter().filter(|other| *other != namespace) {
        jobs.extend(jobs_of(cluster, other, &run).await?.0);
    }
    let Some(outline) = Outline::newest(&jobs) else { return Ok(None) };
    let created = |job: &Job| job.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let vars = jobs.iter().find_map(|job| runtime_vars(&serde_json::to_value(job).ok()?));
    Ok(Some(RecordedRun {
        run,
        plan: outline.plan.clone(),
        settings: outline.settings.clone(),
        home: namespace.to_owned(),
        recorded: None,
        outline: Some(outline),
        vars,
        version: None,
        object_version: None,
        dropped: Vec::new(),
        age: age(jobs.iter().filter_map(created).min(), now),
        notes: Notes::default(),
        cancelled: false,
    }))
}

/// Lists the Jobs of the blocks of a run; where that is forbidden, reads those whose pods are there.
async fn jobs_of(
    cluster: &Cluster,
    namespace: &str,
    run: &RunId,
) -> Result<(Vec<Job>, Option<Timestamp>), ClusterError> {
    let selector = blocks_selector(run.as_str());
    let refused = match cluster.list_jobs_now(Some(namespace), &selector).await {
        Err(error @ ClusterError::Forbidden { .. }) => error,
        listed => return listed,
    };
    let pods = cluster.list_pods(namespace, &selector).await.map_err(|_| refused)?;
    let name = |pod: &k8s_openapi::api::core::v1::Pod| {
        pod.metadata.labels.as_ref().and_then(|labels| labels.get(OF_A_JOB)).cloned()
    };
    let names: BTreeSet<String> = pods.iter().filter_map(name).collect();
    let jobs = try_join_all(names.iter().map(|name| cluster.get_job(namespace, name))).await?;
    Ok((jobs.into_iter().flatten().collect(), None))
}

impl RecordedRun {
    /// Takes the Jobs that the project makes of the blocks.
    #[must_use]
    pub fn with_jobs(mut self, project: &Plan) -> Self {
        if let Some(outline) = &self.outline {
            self.plan = outline.with_jobs(project);
        }
        self
    }

    /// Goes on by another plan, of which the Jobs to come will tell.
    #[must_use]
    pub fn replanned(
        mut self,
        plan: Plan,
        project: &Plan,
        digests: Digests,
        folder: String,
    ) -> Self {
        if let Some(outline) = &mut self.outline {
            outline.generation += 1;
            outline.project = folder;
            outline.digests = digests;
            outline.plan = plan;
        }
        self.with_jobs(project)
    }
}
