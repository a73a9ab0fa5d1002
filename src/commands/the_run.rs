//! The one run that `cancel` and `delete` are about, and everything that this tool made for it.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::run_name::{RunName, unknown_run};
use crate::cluster::{
    Cluster, ClusterError, JobState, MANAGED_BY, MANAGER, PlanFacts, RunRow, group_runs, job_state,
    run_selector,
};
use crate::error::CliError;
use crate::run::{plan_of, record_name};

/// A run and its objects. All carry this tool's label and the run's.
pub(super) struct TheRun {
    pub(super) row: RunRow,
    pub(super) plan: Option<PlanFacts>,
    pub(super) namespaces: Vec<String>,
    pub(super) jobs: Vec<Job>,
    pub(super) pods: Vec<Pod>,
}

impl TheRun {
    /// Reads the run in every namespace in which its plan has Jobs.
    pub(super) async fn find(cluster: &Cluster, name: &RunName) -> Result<Self, CliError> {
        let home = cluster.namespace().to_owned();
        let run = name.resolve(cluster, &home).await?;
        let map = match cluster.get_config_map(&home, &record_name(&run)).await {
            Ok(map) => map,
            Err(ClusterError::Forbidden { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let plan = map.as_ref().and_then(|map| PlanFacts::read(&map.metadata));
        let plan = plan.filter(|plan| plan.run == run);
        let content = map.as_ref().filter(|_| plan.is_some()).and_then(plan_of);
        let mut namespaces = vec![home.clone()];
        for namespace in content.iter().flat_map(crate::run::Plan::namespaces) {
            if !namespaces.contains(&namespace) {
                namespaces.push(namespace);
            }
        }
        let selector = format!("{MANAGED_BY}={MANAGER},{}", run_selector(&run));
        let (mut jobs, mut pods) = (Vec::new(), Vec::new());
        for namespace in &namespaces {
            jobs.extend(cluster.list_jobs(Some(namespace), &selector).await?);
            pods.extend(cluster.list_pods(namespace, &selector).await?);
        }
        // Jobs in other namespaces are of the same run.
        let as_one: Vec<Job> = jobs
            .iter()
            .cloned()
            .map(|mut job| {
                job.metadata.namespace = Some(home.clone());
                job
            })
            .collect();
        let row = group_runs(&as_one, plan.as_slice()).into_iter().find(|row| row.run == run);
        match row {
            Some(row) => Ok(Self { row, plan, namespaces, jobs, pods }),
            None => Err(unknown_run(cluster, &home, &run).await),
        }
    }

    /// Returns the names of the Jobs that are not finished.
    pub(super) fn unfinished(&self) -> Vec<&str> {
        let over =
            |job: &&Job| !matches!(job_state(job), JobState::Complete | JobState::Failed { .. });
        self.jobs.iter().filter(over).filter_map(|job| job.metadata.name.as_deref()).collect()
    }
}
