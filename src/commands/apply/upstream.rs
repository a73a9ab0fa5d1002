//! Whether the blocks that a single one depends on have finished Jobs.

use k8s_openapi::api::batch::v1::Job;

use crate::cli::ConfigArgs;
use crate::cluster::{Cluster, JobState, belongs, job_state, mage_command};
use crate::commands::load::LoadedJob;
use crate::error::{CliError, Problem};

/// Refuses to start a block whose upstream has no finished Job that wrote where it reads.
pub(super) async fn refuse_without_upstream(
    cluster: &Cluster,
    loaded: &LoadedJob,
    config: &ConfigArgs,
) -> Result<(), CliError> {
    if loaded.outside.is_empty() {
        return Ok(());
    }
    let namespace = &loaded.job.namespace;
    let jobs = cluster.list_jobs(Some(namespace), "").await;
    let jobs = jobs.map_err(|error| {
        let mut error = CliError::from(error);
        if let Some(problem) = error.problems.last_mut() {
            problem.hints.push("--ignore-upstream starts it without a look".to_owned());
        }
        error
    })?;
    let finished = |block: &String| jobs.iter().any(|job| is_finished(job, loaded, block, config));
    let missing: Vec<&str> =
        loaded.outside.iter().filter(|block| !finished(block)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let block = loaded.job.block.as_deref().unwrap_or(&loaded.job.pipeline);
    let partition = match &config.execution_partition {
        Some(partition) => format!(" in partition {partition}"),
        None => String::new(),
    };
    let problem = Problem::new(format!(
        "block `{block}` depends on {}, and no Job of {} has finished in namespace {namespace}{partition}: it would run without their data",
        missing.join(", "),
        if missing.len() == 1 { "it" } else { "them" }
    ));
    let pipeline = &loaded.job.pipeline;
    Err(CliError::usage(
        problem
            .hint(format!("run both with `kubectl mage run {pipeline}/{block} --upstream`"))
            .hint("--suspend creates the Job without starting it; --ignore-upstream starts it"),
    ))
}

/// Tells whether a Job is a finished one of a block that left its data where ours looks for it.
fn is_finished(job: &Job, loaded: &LoadedJob, block: &str, config: &ConfigArgs) -> bool {
    if job_state(job) != JobState::Complete {
        return false;
    }
    let Some(of) = belongs(job) else { return false };
    let base = of.block.split(':').next().unwrap_or_default();
    if of.pipeline != loaded.job.pipeline || (of.block != block && base != block) {
        return false;
    }
    let Some(command) = mage_command(job) else { return false };
    // With a run's id Mage takes the partition from its database.
    let run = config.pipeline_run_id.map(|id| id.to_string());
    command.execution_partition == config.execution_partition && command.pipeline_run_id == run
}
