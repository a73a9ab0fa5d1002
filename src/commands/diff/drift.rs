//! A Job of the cluster, and what would make the same Job of the project.

use k8s_openapi::api::batch::v1::Job;
use serde_json::Value as Json;

use crate::cli::ConfigArgs;
use crate::cluster::{BLOCK, PIPELINE, RUN, as_job, is_made_here, is_ours, mage_command};
use crate::error::{CliError, Problem};
use crate::job::MageCommand;

/// What makes the same Job.
pub(super) struct Drift {
    pub(super) target: String,
    pub(super) config: ConfigArgs,
}

/// Finds out of which block a Job is, and which ids Mage's scheduler gave it: they are in its command.
/// What a flag says beats that.
pub(super) fn drift_of(
    config: &ConfigArgs,
    live: &Json,
    name: &str,
    namespace: &str,
) -> Result<Drift, CliError> {
    if is_ours(live) {
        return applied(config, live, name, namespace);
    }
    let Some(command) = as_job(live).as_ref().and_then(mage_command) else {
        let problem = Problem::new(format!(
            "job.batch/{name} in namespace {namespace} is none of Mage's: its command does not run a block"
        ));
        return Err(CliError::usage(
            problem.hint("see what it is with `kubectl mage why job/NAME`"),
        ));
    };
    let mut config = config.clone();
    let number = |id: &Option<String>| id.as_ref().and_then(|id| id.parse().ok());
    config.block_run_id = config.block_run_id.or(number(&command.block_run_id));
    config.pipeline_run_id = config.pipeline_run_id.or(number(&command.pipeline_run_id));
    config.execution_partition =
        config.execution_partition.or_else(|| command.execution_partition.clone());
    config.template_runtime_configuration = config
        .template_runtime_configuration
        .or_else(|| command.template_runtime_configuration.clone());
    // Where the project is in the pod is nothing that its files say.
    config.repo_path = config.repo_path.or_else(|| Some(command.repo_path.clone()));
    Ok(Drift { target: target(&command), config })
}

/// Tells whether the Mage server made a Job: its scheduler puts ids into the command.
pub(super) fn is_of_mage(job: &Job) -> bool {
    let has_id =
        |command: MageCommand| command.block_run_id.is_some() || command.pipeline_run_id.is_some();
    !is_made_here(&job.metadata) && mage_command(job).is_some_and(has_id)
}

fn target(command: &MageCommand) -> String {
    match &command.block {
        Some(block) => format!("{}/{block}", command.pipeline),
        None => command.pipeline.clone(),
    }
}

/// A Job that `apply` made, whose annotations name the block; one of a run is compared with `run:`.
fn applied(
    config: &ConfigArgs,
    live: &Json,
    name: &str,
    namespace: &str,
) -> Result<Drift, CliError> {
    let of = |key: &str| live["metadata"]["annotations"][key].as_str();
    if let Some(run) = of(RUN) {
        let problem = Problem::new(format!(
            "job.batch/{name} in namespace {namespace} is of run {run}, whose Jobs have names and variables of their own"
        ));
        let hint = format!("compare with `kubectl mage diff --against run:{run}`");
        return Err(CliError::usage(problem.hint(hint)));
    }
    let Some(pipeline) = of(PIPELINE) else {
        let problem = Problem::new(format!(
            "job.batch/{name} in namespace {namespace} does not say of which pipeline it is"
        ));
        return Err(CliError::usage(problem.hint("name PIPELINE/BLOCK instead")));
    };
    let target = match of(BLOCK).filter(|block| *block != pipeline) {
        Some(block) => format!("{pipeline}/{block}"),
        None => pipeline.to_owned(),
    };
    Ok(Drift { target, config: config.clone() })
}
