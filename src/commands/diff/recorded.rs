//! `--against run:RUN`: what a run really used.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::asked::unmarked;
use super::live::against_jobs;
use super::sides::{Comparing, Pair, Secrecy};
use super::verb::{Outcome, against, refuse_jobs};
use crate::cli::DiffArgs;
use crate::cluster::{Source, belongs};
use crate::commands::api_defaults::ask_job;
use crate::commands::facts::{Connected, connect};
use crate::commands::load::LoadedJob;
use crate::commands::maker::problems;
use crate::commands::replan::{JobsOfProject, jobs_of_project};
use crate::commands::resume::find;
use crate::commands::subject::Subject;
use crate::commands::validate::refuse_without_connection;
use crate::diff::{Decided, Side, Template};
use crate::error::{CliError, Problem};
use crate::job::{RenderedJob, Secrets};
use crate::run::{PlannedBlock, RecordedRun};
use crate::ui::Printer;

/// Compares the Jobs with which a run began with those that the project would make for it now.
pub(super) fn against_run(args: &DiffArgs, run: &str, printer: Printer) -> Outcome {
    refuse_jobs(args)?;
    refuse_without_connection(&args.config, "diff --against run:")?;
    let connected = connect(&args.connection)?;
    let name = match Subject::parse_run(run)? {
        Subject::PipelineAt(run) => return against_server_run(args, &connected, &run, printer),
        Subject::Run(name) => name,
        Subject::Job(_) | Subject::Target { .. } => return Err(no_run(run)),
    };
    let recorded = connected.runtime.block_on(find(&connected, &name))?;
    let given = (&args.config, &args.connection);
    let JobsOfProject { jobs, .. } = jobs_of_project(given, &recorded, printer)?;
    refuse_unknown(args, &jobs, &recorded)?;
    let mut comparing = Comparing::new(against(args), ["RUN", "NOW"]);
    let mut comparison = Comparison { args, connected: &connected, printer, run: &recorded };
    let wanted = |uuid: &str| is_wanted(args, &recorded.plan.pipeline, uuid);
    let known: BTreeSet<String> = jobs.iter().map(uuid).collect();
    for job in jobs.iter().filter(|job| wanted(&uuid(job))) {
        let planned = recorded.plan.blocks.iter().find(|block| block.uuid == uuid(job));
        comparison.job(job, planned, &mut comparing)?;
    }
    for block in &recorded.plan.blocks {
        if !known.contains(&block.uuid) && wanted(&block.uuid) {
            comparison.gone(block, &mut comparing);
        }
    }
    Ok(comparing.end(std::slice::from_ref(&recorded.plan.pipeline)))
}

/// Refuses targets of which neither the run nor the project has a block.
fn refuse_unknown(
    args: &DiffArgs,
    jobs: &[LoadedJob],
    recorded: &RecordedRun,
) -> Result<(), CliError> {
    let pipeline = &recorded.plan.pipeline;
    let planned = recorded.plan.blocks.iter().map(|block| block.uuid.clone());
    let mut known: Vec<String> = jobs.iter().map(uuid).chain(planned).collect();
    known.sort();
    known.dedup();
    let is_known = |target: &&String| match target.split_once('/') {
        Some((name, block)) => name == pipeline && known.iter().any(|uuid| uuid == block),
        None => *target == pipeline,
    };
    let unknown = args.targets.iter().filter(|target| !is_known(target)).map(|target| {
        let problem = Problem::new(format!("run {} has no `{target}`", recorded.run));
        problem.hint(format!("it is of pipeline `{pipeline}`: {}", known.join(", ")))
    });
    let unknown: Vec<Problem> = unknown.collect();
    if unknown.is_empty() { Ok(()) } else { Err(problems(unknown)) }
}

fn no_run(text: &str) -> CliError {
    let problem = Problem::new(format!("{text:?} is not the name of a run"));
    CliError::usage(problem.hint("a run is RUN, run/RUN, @latest or PIPELINE@N"))
}

fn uuid(job: &LoadedJob) -> String {
    job.job.block.clone().unwrap_or_else(|| job.job.pipeline.clone())
}

/// Tells whether a block is among the targets; without any, all of the run's are.
fn is_wanted(args: &DiffArgs, pipeline: &str, uuid: &str) -> bool {
    args.targets.is_empty()
        || args.targets.iter().any(|target| match target.split_once('/') {
            Some((name, block)) => name == pipeline && block == uuid,
            None => target == pipeline,
        })
}

/// A run of the Mage server: its Jobs are what it used, as long as they are there.
fn against_server_run(
    args: &DiffArgs,
    connected: &Connected,
    run: &str,
    printer: Printer,
) -> Outcome {
    let namespace = connected.cluster.namespace();
    let listed = connected.cluster.list_jobs(Some(namespace), "");
    let jobs = connected.runtime.block_on(listed)?;
    let mut names = Vec::new();
    for job in &jobs {
        let of = belongs(job).filter(|of| of.source == Source::of_run(run) && of.run == run);
        let Some(of) = of.filter(|of| is_wanted(args, &of.pipeline, &of.block)) else { continue };
        names.extend(job.metadata.name.clone().map(|name| (of.block, name)));
    }
    if names.is_empty() {
        let problem = Problem::new(format!(
            "there is no Job of the pipeline run {run} in namespace {namespace}"
        ));
        return Err(CliError::usage(problem.hint(
            "the Mage server deletes each Job some seconds after its end: see `kubectl mage runs`",
        )));
    }
    names.sort();
    let names: Vec<String> = names.into_iter().map(|(_, name)| name).collect();
    against_jobs(args, &names, printer)
}

struct Comparison<'a> {
    args: &'a DiffArgs,
    connected: &'a Connected,
    printer: Printer,
    run: &'a RecordedRun,
}

impl Comparison<'_> {
    /// Compares one block that the project has.
    fn job(
        &mut self,
        loaded: &LoadedJob,
        planned: Option<&PlannedBlock>,
        comparing: &mut Comparing,
    ) -> Result<(), CliError> {
        let job = &loaded.job;
        let (old, new) = match planned {
            Some(block) if block.job["spec"].is_object() => {
                let secrets = Secrets::of(job);
                let old = Side::alone(unmarked(block.job.clone()), &secrets);
                (Some(old), Side::rendered(job))
            }
            Some(block) => match self.really_used(block, job)? {
                Some((old, new)) => (Some(old), new),
                None => return Ok(()),
            },
            None => (None, Side::rendered(job)),
        };
        let secrecy = Secrecy::of(self.args.show_secrets);
        let (old, new) = (old.map(|side| secrecy.applied(side)), secrecy.applied(new));
        comparing.pair(&Pair::of(job, old.as_ref(), &new), &Decided::ByTable(Template::Fixed));
        Ok(())
    }

    /// Where no plan is recorded, the Job tells, while it is there: beside what the API server would make
    /// of the project's now.
    fn really_used(
        &self,
        block: &PlannedBlock,
        job: &RenderedJob,
    ) -> Result<Option<(Side, Side)>, CliError> {
        let Connected { runtime, cluster } = self.connected;
        let (namespace, name) = (&job.namespace, &job.name);
        let Some(live) = runtime.block_on(cluster.get_job_json(namespace, name))? else {
            self.printer.notice(&format!(
                "{}: no plan of run {} is recorded, and job.batch/{name} in namespace {namespace} is gone: not compared",
                block.uuid, self.run.run
            ));
            return Ok(None);
        };
        let mut answer: Json = runtime.block_on(ask_job(cluster, job))?;
        answer["metadata"]["name"] = name.as_str().into();
        let old = Side::live(unmarked(live), job);
        Ok(Some((old, Side::answered(unmarked(answer), job))))
    }

    /// Shows a block that only the run has.
    fn gone(&self, block: &PlannedBlock, comparing: &mut Comparing) {
        let old = Side::alone(unmarked(block.job.clone()), &Secrets::default());
        let old = Secrecy::of(self.args.show_secrets).applied(old);
        let pair = Pair {
            key: (self.run.plan.pipeline.clone(), Some(block.uuid.clone())),
            namespace: &block.namespace,
            name: block.job_name(),
            old: Some(&old),
            new: None,
        };
        comparing.pair(&pair, &Decided::ByTable(Template::Fixed));
    }
}
