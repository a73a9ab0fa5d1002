//! What checks look at.

use super::rules;
use crate::config::JobPath;
use crate::error::Problem;
use crate::finding::{Finding, Severity};
use crate::job::{JobValue, RenderedJob};
use crate::load::{Edition, Inputs};
use crate::merge::Loser;
use crate::project::{Block, ExecutorChoice, Pipeline, Project};
use crate::snapshot::Snapshot;

/// The project as a whole.
#[derive(Clone, Copy)]
pub struct ProjectFacts<'a> {
    /// What was read before any pipeline: template, policy, the server's pod and environment.
    pub inputs: &'a Inputs,
    /// The project's file.
    pub project: &'a Project,
    /// What a cluster says, where one was asked.
    pub cluster: Option<&'a Snapshot>,
}

/// One pipeline.
#[derive(Clone, Copy)]
pub struct PipelineFacts<'a> {
    /// What was read before any pipeline.
    pub inputs: &'a Inputs,
    /// The project's file.
    pub project: &'a Project,
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The source files of its blocks, in their order.
    pub block_files: &'a [BlockFile],
    /// The executor of each block, in their order.
    pub executors: &'a [ExecutorChoice],
    /// Whether it is one Job, of the whole pipeline.
    pub one_job: bool,
    /// The executor of the whole pipeline, where it runs in one process.
    pub process_executor: Option<&'a ExecutorChoice>,
}

/// Where a block's source should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockFile {
    /// It is there, or the block has none of its own.
    There,
    /// It is not at any of these paths in the project.
    Missing(Vec<String>),
}

/// One Job.
#[derive(Clone, Copy)]
pub struct JobFacts<'a> {
    /// What was read before any pipeline.
    pub inputs: &'a Inputs,
    /// The project's file.
    pub project: &'a Project,
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The block; absent for a whole pipeline in one Job.
    pub block: Option<&'a Block>,
    /// The block's position in the pipeline.
    pub index: Option<usize>,
    /// Its executor.
    pub executor: &'a ExecutorChoice,
    /// The Job.
    pub job: &'a RenderedJob,
    /// What a cluster says, where one was asked.
    pub cluster: Option<&'a Snapshot>,
    /// The Job that the other edition makes, where it can be made.
    pub other_edition: Option<&'a RenderedJob>,
}

impl PipelineFacts<'_> {
    /// Tells whether all blocks run in one process, whatever the targets are.
    #[must_use]
    pub fn one_process(&self) -> bool {
        let default = self.inputs.env.value("RUN_PIPELINE_IN_ONE_PROCESS");
        self.one_job || self.pipeline.runs_as_one(default.as_deref())
    }

    /// Returns whose merge rules are used.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.inputs.edition
    }
}

impl<'a> JobFacts<'a> {
    /// Returns whose merge rules are used.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.inputs.edition
    }

    /// Returns every value that was given and did not make it into the Job.
    pub fn losers(&self) -> impl Iterator<Item = &'a Loser> + use<'a> {
        let overridden = self.job.values.iter().flat_map(|value| &value.overridden);
        self.job.lost.iter().map(|(_, loser)| loser).chain(overridden)
    }

    /// Returns the container that runs Mage, as JSON.
    #[must_use]
    pub fn container(&self) -> &'a serde_json::Value {
        &self.pod()["containers"][0]
    }

    /// Returns the pod's spec, as JSON.
    #[must_use]
    pub fn pod(&self) -> &'a serde_json::Value {
        &self.job.job["spec"]["template"]["spec"]
    }

    /// Returns the value at a path of the Job, such as `.spec.backoffLimit`.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&'a JobValue> {
        let path = JobPath::parse(path)?;
        self.job.values.iter().find(|value| value.path == path)
    }

    /// Returns the values at a path of the Job and below it.
    pub fn below(&self, path: &str) -> impl Iterator<Item = &'a JobValue> + use<'a> {
        let path = JobPath::parse(path).unwrap_or_default();
        self.job.values.iter().filter(move |value| value.path.starts_with(&path))
    }
}

/// What checks have found.
#[derive(Debug, Default)]
pub struct Found {
    rule: Option<&'static super::Rule>,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Found {
    /// Adds a finding of the rule whose check is running, as bad as the rule says.
    pub fn push(&mut self, problem: Problem) {
        let severity = self.rule.map_or(Severity::Warning, |rule| rule.severity);
        self.push_as(severity, problem);
    }

    /// Adds a finding that is worse or less bad than the rule says.
    pub fn push_as(&mut self, severity: Severity, problem: Problem) {
        let problem = match self.rule {
            Some(rule) => problem.id(rule.id),
            None => problem,
        };
        self.findings.push(Finding { severity, problem });
    }

    fn run(&mut self, rule: &'static super::Rule, check: impl FnOnce(&mut Self)) {
        self.rule = Some(rule);
        check(self);
        self.rule = None;
    }

    /// Runs every check of a project.
    pub fn check_project(&mut self, facts: &ProjectFacts<'_>) {
        for rule in rules::all() {
            if let super::Check::Project(check) = rule.check {
                self.run(rule, |found| check(facts, found));
            }
        }
    }

    /// Runs every check of a pipeline.
    pub fn check_pipeline(&mut self, facts: &PipelineFacts<'_>) {
        for rule in rules::all() {
            if let super::Check::Pipeline(check) = rule.check {
                self.run(rule, |found| check(facts, found));
            }
        }
    }

    /// Runs every check of a Job.
    pub fn check_job(&mut self, facts: &JobFacts<'_>) {
        for rule in rules::all() {
            if let super::Check::Job(check) = rule.check {
                self.run(rule, |found| check(facts, found));
            }
        }
    }
}
