//! What `status` and `why` are asked about.

use super::run_name::RunName;
use crate::error::{CliError, Problem};
use crate::run::RunId;

/// A run, a Job or a target, as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A run of this tool.
    Run(RunName),
    /// `PIPELINE@N`, a pipeline run of the Mage server, or `PIPELINE@apply`, the Jobs that were applied.
    PipelineAt(String),
    /// `job/NAME`.
    Job(String),
    /// The newest Job of a block, or the newest run of a pipeline.
    Target { pipeline: String, block: Option<String> },
}

impl Subject {
    /// Reads `RUN`, `run/RUN`, `@latest` or `PIPELINE@N`.
    pub(super) fn parse_run(text: &str) -> Result<Self, CliError> {
        let name = text.strip_prefix("run/").unwrap_or(text);
        match name.split_once('@') {
            Some((pipeline, id)) if !pipeline.is_empty() && !id.is_empty() => {
                Ok(Self::PipelineAt(name.to_owned()))
            }
            _ => RunName::parse(text).map(Self::Run).map_err(|_| {
                let problem = Problem::new(format!("{text:?} is not the name of a run"));
                CliError::usage(problem.hint(
                    "a run is RUN, run/RUN, @latest, PIPELINE@N or PIPELINE@apply: see `kubectl mage runs`",
                ))
            }),
        }
    }

    /// Reads the same, or `job/NAME`, or `PIPELINE`, or `PIPELINE/BLOCK`.
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        match job_name(text) {
            Some("") => {
                let problem = Problem::new(format!("{text:?} names no Job"));
                let hint = "write job/NAME: see `kubectl get jobs`";
                return Err(CliError::usage(problem.hint(hint)));
            }
            Some(name) => return Ok(Self::Job(name.to_owned())),
            None => {}
        }
        let is_run = text.starts_with("run/") || text.contains('@') || RunId::looks_like(text);
        if is_run {
            return Self::parse_run(text);
        }
        let (pipeline, block) = match text.split_once('/') {
            Some((pipeline, block)) => (pipeline, Some(block)),
            None => (text, None),
        };
        if pipeline.is_empty() || block == Some("") {
            let problem =
                Problem::new(format!("{text:?} names neither a run nor a Job nor a block"));
            return Err(CliError::usage(problem.hint(
                "write RUN, job/NAME, PIPELINE or PIPELINE/BLOCK: see `kubectl mage runs`",
            )));
        }
        Ok(Self::Target { pipeline: pipeline.to_owned(), block: block.map(str::to_owned) })
    }
}

/// Returns the name of a Job, where the text is `job/NAME`.
pub(super) fn job_name(text: &str) -> Option<&str> {
    ["job/", "jobs/", "job.batch/", "jobs.batch/"].iter().find_map(|kind| text.strip_prefix(kind))
}

#[cfg(test)]
mod tests {
    use super::{RunName, Subject};

    #[test]
    fn tells_runs_jobs_and_targets_apart() {
        let target = |pipeline: &str, block: Option<&str>| Subject::Target {
            pipeline: pipeline.to_owned(),
            block: block.map(str::to_owned),
        };
        let run = |name: &str| Subject::Run(RunName::Named(name.to_owned()));
        for (text, subject) in [
            ("etl-x7k2dq", run("etl-x7k2dq")),
            ("run/etl", run("etl")),
            ("@latest", Subject::Run(RunName::Latest)),
            ("etl@4", Subject::PipelineAt("etl@4".to_owned())),
            ("etl@1/20261125T000000", Subject::PipelineAt("etl@1/20261125T000000".to_owned())),
            ("job/x", Subject::Job("x".to_owned())),
            ("job.batch/x", Subject::Job("x".to_owned())),
            ("daily-report", target("daily-report", None)),
            ("etl/child:0:1", target("etl", Some("child:0:1"))),
        ] {
            assert_eq!(Subject::parse(text).unwrap(), subject, "{text}");
        }
        for text in ["", "job/", "/x", "etl/", "@"] {
            assert!(Subject::parse(text).is_err(), "{text}");
        }
    }
}
