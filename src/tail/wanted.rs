//! What is meant: a run, a Job, a pipeline or a block; and which Jobs and pods are of it (pure).

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::cluster::{Belongs, MANAGED_BY, MANAGER, OF_A_JOB, RUN, Source};
use crate::cluster::{belongs, job_of, label_value, pod_belongs};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A run of this tool.
    Run(String),
    /// `PIPELINE@N`, a pipeline run of the Mage server, or `PIPELINE@apply`, the Jobs that were applied.
    PipelineAt(String),
    /// A Job, whoever made it.
    Job(String),
    /// The newest run of a pipeline, or of one block of it.
    Target {
        /// The pipeline.
        pipeline: String,
        /// The block run's uuid.
        block: Option<String>,
    },
}

/// What that came to once it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A run, or a block of it.
    Run {
        /// Who runs it.
        source: Source,
        /// The run's id.
        run: String,
        /// The block run's uuid, if only one is meant.
        block: Option<String>,
    },
    /// The Job of that name.
    Job(String),
}

/// Selectors that find all Jobs and pods that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selectors {
    /// Labels of Jobs.
    pub jobs: String,
    /// Fields of Jobs.
    pub job_fields: String,
    /// Labels of pods.
    pub pods: String,
}

impl Wanted {
    /// Returns the selectors for this alone.
    #[must_use]
    pub fn selectors(&self) -> Selectors {
        match self {
            Self::Run(run) => {
                let one = format!("{MANAGED_BY}={MANAGER},{RUN}={}", label_value(run));
                Selectors { jobs: one.clone(), job_fields: String::new(), pods: one }
            }
            Self::Job(name) => Selectors {
                jobs: String::new(),
                job_fields: format!("metadata.name={name}"),
                pods: format!("{OF_A_JOB}={name}"),
            },
            Self::PipelineAt(_) | Self::Target { .. } => Selectors::everything(),
        }
    }

    /// Finds out what is meant by what is there; none while nothing is.
    #[must_use]
    pub fn bind(&self, jobs: &[&Job], pods: &[&Pod]) -> Option<Bound> {
        let (pipeline, block) = match self {
            Self::Run(run) => return Some(of_run(Source::Run, run)),
            Self::PipelineAt(run) => return Some(of_run(Source::of_run(run), run)),
            Self::Job(name) => return Some(Bound::Job(name.clone())),
            Self::Target { pipeline, block } => (pipeline, block),
        };
        let made = |metadata: &ObjectMeta| metadata.creation_timestamp.clone();
        let of_jobs = jobs.iter().filter_map(|job| Some((made(&job.metadata), belongs(job)?)));
        let of_pods = pods.iter().filter_map(|pod| Some((made(&pod.metadata), pod_belongs(pod)?)));
        let is_meant = |of: &Belongs| {
            of.pipeline == *pipeline && block.as_ref().is_none_or(|block| of.block == *block)
        };
        let newest =
            of_jobs.chain(of_pods).filter(|(_, of)| is_meant(of)).max_by(|a, b| a.0.cmp(&b.0));
        newest.map(|(_, of)| Bound::Run { source: of.source, run: of.run, block: block.clone() })
    }

    /// Names one of it, for a sentence.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Run(run) => format!("Job of run {run}"),
            Self::PipelineAt(run) => format!("Job of {run}"),
            Self::Job(name) => format!("job/{name}"),
            Self::Target { pipeline, block: None } => format!("Job of pipeline {pipeline}"),
            Self::Target { pipeline, block: Some(block) } => {
                format!("Job of block {block} of pipeline {pipeline}")
            }
        }
    }
}

fn of_run(source: Source, run: &str) -> Bound {
    Bound::Run { source, run: run.to_owned(), block: None }
}

impl Bound {
    /// Tells whether a Job is meant.
    #[must_use]
    pub fn holds_job(&self, job: &Job) -> bool {
        match self {
            Self::Job(name) => job.metadata.name.as_ref() == Some(name),
            Self::Run { .. } => belongs(job).is_some_and(|of| self.holds(&of)),
        }
    }

    /// Tells whether a pod is of a Job that is meant.
    #[must_use]
    pub fn holds_pod(&self, pod: &Pod) -> bool {
        match self {
            Self::Job(name) => job_of(pod).is_some_and(|(job, _)| job == name),
            Self::Run { .. } => pod_belongs(pod).is_some_and(|of| self.holds(&of)),
        }
    }

    fn holds(&self, of: &Belongs) -> bool {
        match self {
            Self::Job(_) => false,
            Self::Run { source, run, block } => {
                of.source == *source
                    && of.run == *run
                    && block.as_ref().is_none_or(|block| of.block == *block)
            }
        }
    }
}

impl Selectors {
    fn everything() -> Self {
        Self { jobs: String::new(), job_fields: String::new(), pods: OF_A_JOB.to_owned() }
    }

    /// Returns the selectors for several things, of which only Jobs with these labels are meant.
    #[must_use]
    pub fn of(all: &[Wanted], labels: &str) -> Self {
        let mut selectors = match all {
            [one] => one.selectors(),
            _ => Self::everything(),
        };
        if !labels.is_empty() {
            if !selectors.jobs.is_empty() {
                selectors.jobs.push(',');
            }
            selectors.jobs.push_str(labels);
        }
        selectors
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Source, Wanted};
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    fn server_job(name: &str, run: u32, block: &str, at: &str) -> Job {
        let command = [
            "mage",
            "run",
            "/p",
            "etl",
            "--block-uuid",
            block,
            "--pipeline-run-id",
            &run.to_string(),
        ];
        serde_json::from_value(json!({
            "metadata": {"name": name, "creationTimestamp": at},
            "spec": {"template": {"spec": {"containers": [{"name": "c", "command": command}]}}}
        }))
        .unwrap()
    }

    #[test]
    fn a_target_means_its_newest_run_and_stays_with_it() {
        let jobs = [
            server_job("j1", 1, "load", "2026-01-01T00:00:00Z"),
            server_job("j2", 2, "load", "2026-01-02T00:00:00Z"),
            server_job("j3", 2, "clean", "2026-01-02T00:01:00Z"),
        ];
        let all: Vec<&Job> = jobs.iter().collect();
        let target = |block: Option<&str>| Wanted::Target {
            pipeline: "etl".to_owned(),
            block: block.map(str::to_owned),
        };
        let bound = target(None).bind(&all, &[]).unwrap();
        let names = |bound: &Bound| -> Vec<&str> {
            all.iter()
                .filter(|job| bound.holds_job(job))
                .filter_map(|job| job.metadata.name.as_deref())
                .collect()
        };
        assert_eq!(names(&bound), ["j2", "j3"]);
        let bound = target(Some("load")).bind(&all, &[]).unwrap();
        assert_eq!(names(&bound), ["j2"]);
        assert_eq!(target(Some("other")).bind(&all, &[]), None);
        let bound = Wanted::PipelineAt("etl@1".to_owned()).bind(&all, &[]).unwrap();
        assert_eq!(names(&bound), ["j1"]);
        assert!(matches!(bound, Bound::Run { source: Source::Server, .. }));
        let bound = Wanted::Job("j3".to_owned()).bind(&[], &[]).unwrap();
        assert_eq!(names(&bound), ["j3"]);
    }
}
