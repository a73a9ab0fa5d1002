//! Whether the blocks that a single one depends on have finished Jobs.

use k8s_openapi::api::batch::v1::Job;

use crate::cli::ConfigArgs;
use crate::cluster::{Belongs, Cluster, JobState, belongs, job_state, mage_command};
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
    let missing: Vec<&String> = loaded.outside.iter().filter(|block| !finished(block)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let failed = |block: &&&String| {
        let is_its = |job: &&Job| of_block(job, loaded, block).is_some();
        jobs.iter().filter(is_its).any(|job| matches!(job_state(job), JobState::Failed { .. }))
    };
    let failed: Vec<&str> = missing.iter().filter(failed).map(|block| block.as_str()).collect();
    let failed = match failed.as_slice() {
        [] => String::new(),
        failed => format!(" (that of {} failed)", failed.join(", ")),
    };
    let missing: Vec<&str> = missing.into_iter().map(String::as_str).collect();
    let block = loaded.job.block.as_deref().unwrap_or(&loaded.job.pipeline);
    let partition = match &config.execution_partition {
        Some(partition) => format!(" in partition {partition}"),
        None => String::new(),
    };
    let problem = Problem::new(format!(
        "block `{block}` depends on {}, and no Job of {} is complete in namespace {namespace}{partition}{failed}: it would run without their data",
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
    if of_block(job, loaded, block).is_none() {
        return false;
    }
    let Some(command) = mage_command(job) else { return false };
    // With a run's id Mage takes the partition from its database.
    let run = config.pipeline_run_id.map(|id| id.to_string());
    command.execution_partition == config.execution_partition && command.pipeline_run_id == run
}

/// Returns what a Job is of, if that is a run of the block.
fn of_block(job: &Job, loaded: &LoadedJob, block: &str) -> Option<Belongs> {
    belongs(job).filter(|of| {
        let base = of.block.split(':').next().unwrap_or_default();
        of.pipeline == loaded.job.pipeline && (of.block == block || base == block)
    })
}
