//! What a Job or a pod is of: a run of ours by its labels, one of the Mage server's by its command.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::labels::{ATTEMPT, BLOCK, DRIVER, PIPELINE, RUN};
use super::marks::is_made_here;
use crate::job::{MageCommand, read_command};

/// What stands after the `@` for Jobs of `apply`.
const APPLIED: &str = "apply";

/// Who made a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// `kubectl mage run`.
    Run,
    /// `kubectl mage apply`: all Jobs of a pipeline that stand in a namespace.
    Apply,
    /// The Mage server's scheduler.
    Server,
}

impl Source {
    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Apply => "apply",
            Self::Server => "server",
        }
    }

    /// Tells who made a run, by its id: only those of this tool's runs have no `@`.
    #[must_use]
    pub fn of_run(run: &str) -> Self {
        match run.split_once('@') {
            None => Self::Run,
            Some((_, APPLIED)) => Self::Apply,
            Some(_) => Self::Server,
        }
    }
}

/// What a Job or a pod says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belongs {
    /// Who made it.
    pub source: Source,
    /// The run's id; of the server's, `PIPELINE@` and the number of the pipeline run; of `apply`'s,
    /// `PIPELINE@apply`.
    pub run: String,
    /// The pipeline's uuid.
    pub pipeline: String,
    /// The block run's uuid; the pipeline's where one Job runs the whole of it.
    pub block: String,
    /// The attempt at the block, from 1.
    pub attempt: u32,
}

/// Reads what a Job is of; none when it is not a block's, such as a run's driver.
#[must_use]
pub fn belongs(job: &Job) -> Option<Belongs> {
    let template = job.spec.as_ref().map(|spec| &spec.template);
    // Where the pods of an applied Job do not say so, because another made it, the Job does not either.
    let pods = template.and_then(|template| template.metadata.as_ref());
    let marked = pods.is_some_and(is_made_here);
    of(&job.metadata, marked, template.and_then(|template| template.spec.as_ref()))
}

/// Reads the command with which a Job runs Mage; none when it does not.
#[must_use]
pub fn mage_command(job: &Job) -> Option<MageCommand> {
    command_of(job.spec.as_ref()?.template.spec.as_ref()?)
}

/// Reads what a pod is of; none when it is not of a Job of Mage's.
#[must_use]
pub fn pod_belongs(pod: &Pod) -> Option<Belongs> {
    of(&pod.metadata, true, pod.spec.as_ref())
}

fn of(metadata: &ObjectMeta, has_marked_pods: bool, spec: Option<&PodSpec>) -> Option<Belongs> {
    let label = |key: &str| metadata.labels.as_ref().and_then(|labels| labels.get(key));
    let in_a_run = label(RUN).is_some();
    if is_made_here(metadata) && (in_a_run || has_marked_pods) {
        if label(DRIVER).is_some() {
            return None;
        }
        let pipeline = named(metadata, PIPELINE).unwrap_or_default();
        let block = named(metadata, BLOCK).or_else(|| metadata.name.clone());
        return Some(Belongs {
            source: if in_a_run { Source::Run } else { Source::Apply },
            run: if in_a_run { named(metadata, RUN)? } else { format!("{pipeline}@{APPLIED}") },
            pipeline,
            block: block.unwrap_or_default(),
            attempt: label(ATTEMPT).and_then(|attempt| attempt.parse().ok()).unwrap_or(1),
        });
    }
    let command = command_of(spec?)?;
    // Without ids or a partition it is somebody's own `mage run`, as a run of the Job itself.
    let id = command.pipeline_run_id.or(command.execution_partition);
    let job = metadata.owner_references.iter().flatten().find(|owner| owner.kind == "Job");
    let job = job.map(|owner| owner.name.clone()).or_else(|| metadata.name.clone());
    let id = id.or(job).unwrap_or_default();
    Some(Belongs {
        source: Source::Server,
        run: format!("{}@{id}", command.pipeline),
        block: command.block.unwrap_or_else(|| command.pipeline.clone()),
        pipeline: command.pipeline,
        attempt: 1,
    })
}

fn command_of(spec: &PodSpec) -> Option<MageCommand> {
    spec.containers.iter().find_map(|container| {
        let words = container.command.iter().flatten().chain(container.args.iter().flatten());
        read_command(words.map(String::as_str))
    })
}

/// Returns the exact name an annotation holds, else the label's.
pub(super) fn named(metadata: &ObjectMeta, key: &str) -> Option<String> {
    let of = |all: &Option<BTreeMap<String, String>>| all.as_ref()?.get(key).cloned();
    of(&metadata.annotations).or_else(|| of(&metadata.labels))
}

#[cfg(test)]
mod tests {
    use super::{Source, belongs};
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    fn read(metadata: &serde_json::Value, words: &[&str]) -> Option<(Source, String, String)> {
        let job: Job = serde_json::from_value(json!({
            "metadata": metadata,
            "spec": {"template": {"spec": {"containers": [{"name": "c", "command": words}]}}}
        }))
        .unwrap();
        belongs(&job).map(|of| (of.source, of.run, of.block))
    }

    #[test]
    fn labels_make_it_ours_and_the_command_the_servers() {
        let words = [
            "/app/run_app.sh",
            "mage",
            "run",
            "/p",
            "etl",
            "--block-uuid",
            "load",
            "--pipeline-run-id",
            "4",
        ];
        let ours = json!({"labels": {
            "app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": "etl-bbbbbb", "kubectl-mage/block": "load"
        }});
        let text = |text: &str| text.to_owned();
        assert_eq!(read(&ours, &words), Some((Source::Run, text("etl-bbbbbb"), text("load"))));
        let server = Some((Source::Server, text("etl@4"), text("load")));
        assert_eq!(read(&json!({"name": "mage-data-prep-block-17"}), &words), server);
        // A label of ours on somebody else's Job makes it no run of ours.
        let label = json!({"labels": {"kubectl-mage/run": "etl-bbbbbb"}});
        assert_eq!(read(&label, &words), server);
        assert_eq!(read(&label, &["sleep", "3"]), None);
    }
}
