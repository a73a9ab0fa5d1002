//! Reads what is there of runs: at most three requests, side by side. What may not be read is named
//! and done without.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};

use super::run_name::RunName;
use super::subject::Subject;
use crate::cluster::{
    Belongs, Cluster, ClusterError, MANAGED_BY, MANAGER, NotedEnd, OF_A_JOB, PlanFacts, RUN,
    RunRow, Source, Unmet, belongs, group_runs, label_value, pod_belongs,
};
use crate::error::CliError;
use crate::run::{Outline, Plan, plan_of, record_name};
use crate::status::{Planned, blocks, row_of_blocks};

/// What it means that there is no plan.
const UNKNOWN_BLOCKS: &str = "blocks without a Job are not known";

/// What was read.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) namespace: String,
    pub(super) jobs: Vec<Job>,
    pub(super) pods: Vec<Pod>,
    pub(super) plans: Vec<PlanFacts>,
    /// The plan itself, where one run was asked for by name.
    pub(super) plan: Option<Plan>,
    /// What may not be read, and what that means.
    pub(super) missing: Vec<String>,
}

/// Does without what may not be read, and names it.
pub(super) fn allowed<T: Default>(
    answer: Result<T, ClusterError>,
    meaning: &str,
    missing: &mut Vec<String>,
) -> Result<T, ClusterError> {
    match answer {
        Err(ClusterError::Forbidden { action, .. }) => {
            missing.push(format!("{meaning}: no right to {action}"));
            Ok(T::default())
        }
        answer => answer,
    }
}

impl Seen {
    /// Reads what the subject may be about; Jobs or pods must be readable.
    pub(super) async fn read(
        cluster: &Cluster,
        namespace: &str,
        subject: &Subject,
    ) -> Result<Self, ClusterError> {
        let ours = format!("{MANAGED_BY}={MANAGER}");
        let (job_selector, pod_selector) = match subject {
            Subject::Run(RunName::Named(run)) => {
                let one = format!("{ours},{RUN}={}", label_value(run));
                (one.clone(), one)
            }
            Subject::Run(RunName::Latest) => (format!("{ours},{RUN}"), format!("{ours},{RUN}")),
            _ => (String::new(), OF_A_JOB.to_owned()),
        };
        let jobs = cluster.list_jobs(Some(namespace), &job_selector);
        let pods = cluster.list_pods(namespace, &pod_selector);
        let plans = async {
            match subject {
                Subject::Run(RunName::Named(run)) => {
                    let name = record_name(run);
                    Ok((cluster.get_config_map(namespace, &name).await?, Vec::new()))
                }
                Subject::Run(RunName::Latest) => {
                    let selector = format!("{ours},{RUN}");
                    Ok((None, cluster.list_plans(Some(namespace), &selector).await?))
                }
                _ => Ok((None, Vec::new())),
            }
        };
        let (jobs, pods, plans) = tokio::join!(jobs, pods, plans);
        let forbidden = |error: &ClusterError| matches!(error, ClusterError::Forbidden { .. });
        if let (Err(error), Err(other)) = (&jobs, &pods)
            && forbidden(error)
            && forbidden(other)
        {
            return Err(error.clone());
        }
        let mut seen = Self { namespace: namespace.to_owned(), ..Self::default() };
        seen.jobs = allowed(jobs, "states are read from pods alone", &mut seen.missing)?;
        seen.pods = allowed(pods, "states are read from Jobs alone", &mut seen.missing)?;
        let (map, facts) = allowed(plans, UNKNOWN_BLOCKS, &mut seen.missing)?;
        seen.plans = facts;
        if let Some(map) = map {
            seen.take_plan(&map);
        }
        Ok(seen)
    }

    /// Reads the plan of a run that was found by `@latest`.
    pub(super) async fn read_plan(
        &mut self,
        cluster: &Cluster,
        run: &str,
    ) -> Result<(), ClusterError> {
        let known = self.plans.iter().any(|plan| plan.run == run);
        if self.plan.is_some() || !known {
            return Ok(());
        }
        let name = record_name(run);
        let map = cluster.get_config_map(&self.namespace, &name).await;
        if let Some(map) = allowed(map, UNKNOWN_BLOCKS, &mut self.missing)? {
            self.plans.clear();
            self.take_plan(&map);
        }
        Ok(())
    }

    fn take_plan(&mut self, map: &ConfigMap) {
        let Some(facts) = PlanFacts::read(&map.metadata) else { return };
        self.plans.push(facts);
        self.plan = plan_of(map);
    }

    /// Returns the plan's blocks and what each waits for.
    pub(super) fn planned(&self) -> Vec<Planned> {
        let blocks = self.plan.iter().flat_map(|plan| &plan.blocks);
        blocks.map(|block| (block.uuid.clone(), block.upstream.clone())).collect()
    }

    /// Returns the blocks of the plan that conditionals kept from running, by their labels.
    pub(super) fn unmet(&self) -> BTreeMap<String, Unmet> {
        self.plans.iter().flat_map(|plan| plan.unmet.clone()).collect()
    }

    /// Returns how blocks ended of which no Job may be left, by their labels.
    pub(super) fn noted(&self) -> BTreeMap<String, NotedEnd> {
        self.plans.iter().flat_map(|plan| plan.ended.clone()).collect()
    }

    /// Lists the runs that are there, the newest first, also those of which only pods may be read.
    pub(super) fn rows(&self) -> Vec<RunRow> {
        let mut rows = group_runs(&self.jobs, &self.plans);
        let mut of_pods: BTreeMap<(Source, String), Vec<Pod>> = BTreeMap::new();
        for pod in &self.pods {
            let Some(of) = pod_belongs(pod) else { continue };
            if !rows.iter().any(|row| row.source == of.source && row.run == of.run) {
                of_pods.entry((of.source, of.run)).or_default().push(pod.clone());
            }
        }
        for ((source, run), pods) in of_pods {
            rows.push(row_of_blocks(&self.namespace, &run, source, &blocks(&[], &pods)));
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.started));
        rows
    }

    /// Keeps only what is of one run.
    pub(super) fn keep(&mut self, run: &RunRow) {
        let is_its =
            |of: Option<Belongs>| of.is_some_and(|of| of.source == run.source && of.run == run.run);
        self.jobs.retain(|job| is_its(belongs(job)));
        self.pods.retain(|pod| is_its(pod_belongs(pod)));
        self.plans.retain(|plan| run.source == Source::Run && plan.run == run.run);
        if self.plan.is_none() && run.source == Source::Run {
            // Where no plan could be recorded, the Jobs say what there is.
            self.plan = Outline::newest(&self.jobs).map(|outline| outline.plan);
            if self.plan.is_some() {
                self.missing.retain(|missing| !missing.starts_with(UNKNOWN_BLOCKS));
            }
        }
    }

    /// Returns the run that the subject names, if it is there.
    pub(super) fn run(&self, subject: &Subject) -> Option<RunRow> {
        let rows = self.rows();
        rows.into_iter().find(|row| match subject {
            Subject::Run(RunName::Named(run)) => row.source == Source::Run && row.run == *run,
            Subject::Run(RunName::Latest) => row.source == Source::Run,
            Subject::PipelineAt(run) => row.source == Source::of_run(run) && row.run == *run,
            Subject::Target { pipeline, .. } => row.pipeline == *pipeline,
            Subject::Job(_) => false,
        })
    }
}

/// Says what was asked for in vain.
pub(super) async fn not_found(cluster: &Cluster, seen: &Seen, subject: &Subject) -> CliError {
    use crate::error::Problem;
    let namespace = &seen.namespace;
    let here = |what: &str| Problem::new(format!("there is no {what} in namespace {namespace}"));
    match subject {
        Subject::Run(RunName::Named(run)) => {
            super::run_name::unknown_run(cluster, namespace, run).await
        }
        Subject::Run(RunName::Latest) => CliError::usage(
            here("run").hint("name another namespace with -n, or see `kubectl mage runs -A`"),
        ),
        Subject::PipelineAt(run) => CliError::usage(
            here(&format!("Job of the pipeline run {run}"))
                .hint("the Mage server deletes each Job some seconds after its end: see `kubectl mage runs`"),
        ),
        Subject::Job(name) => CliError::usage(
            here(&format!("job/{name}, no pod of it and no event about it,"))
                .hint("see `kubectl get jobs`, or name another namespace with -n"),
        ),
        Subject::Target { pipeline, block } => {
            let what = match block {
                Some(block) => format!("Job or pod of block {block} of pipeline {pipeline}"),
                None => format!("Job or pod of pipeline {pipeline}"),
            };
            CliError::usage(here(&what).hint(
                "name another namespace with -n, or see `kubectl mage runs -A`; events of a deleted Job are found by its name: `kubectl mage why job/NAME`",
            ))
        }
    }
}
