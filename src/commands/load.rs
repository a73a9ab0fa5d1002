//! What `render`, `explain-config` and `run` share: targets to Jobs.

use std::path::PathBuf;

use super::facts::{Connected, connect_for_facts};
use super::maker::{Maker, Naming, ReadPipeline, Unit, Widen, problems};
use super::pages::use_huge_pages;
use super::sources::outside;
use super::targets::{pipelines, secrets, selection, variables};
use crate::cli::{ConfigArgs, ConnectionArgs};
use crate::config::Source;
use crate::error::{CliError, Problem};
use crate::explain::LayerReport;
use crate::finding::{FindingId, Severity};
use crate::job::RenderedJob;
use crate::load::{
    ClusterFacts, Edition, Inputs, ServerEnv, find_project, read_inputs, read_server_env,
};
use crate::project::{
    Around, Block, ExecutorChoice, Missing, TemplateValues, differences, obstacles,
};
use crate::ui::Printer;
use crate::yaml::Node;

/// What was read on the way to the Jobs.
pub(super) struct Loaded {
    pub(super) edition: Edition,
    /// Whether a target named a whole pipeline.
    pub(super) whole_pipeline: bool,
    /// The connection, where one was made.
    pub(super) connected: Option<Connected>,
    /// How many blocks may run at once, by the pipeline's and project's settings.
    pub(super) concurrency: Option<u32>,
    pub(super) project_dir: PathBuf,
    /// The project's path in the pods.
    pub(super) repo_path: String,
    notices: Vec<String>,
    /// What was read, for `-v`.
    details: Vec<String>,
    warnings: Distinct,
}

/// One Job, and what the graph says of its block.
pub(super) struct LoadedJob {
    pub(super) job: RenderedJob,
    pub(super) layers: Vec<LayerReport>,
    /// Which executor Mage would run it on, and why.
    pub(super) executor: ExecutorChoice,
    /// The block runs among the Jobs loaded that it waits for.
    pub(super) upstream: Vec<String>,
    /// The blocks it waits for that are not among them.
    pub(super) outside: Vec<String>,
    pub(super) block_type: String,
    /// `timeout` of the block, in seconds.
    pub(super) timeout: Option<u64>,
    /// Whether a conditional decides if it runs.
    pub(super) conditional: bool,
    /// What keeps it from running without Mage's database.
    pub(super) obstacles: Vec<Problem>,
    /// What it does otherwise than with it.
    pub(super) differences: Vec<Problem>,
}

impl Loaded {
    /// Says on stderr what people should know.
    fn tell(&self, printer: Printer) {
        for detail in &self.details {
            printer.detail(detail);
        }
        tell(&self.notices, printer);
        for warning in &self.warnings.0 {
            printer.problem_warning(warning);
        }
    }
}

/// Problems, each once: what a project says is found again in every block.
#[derive(Default)]
pub(super) struct Distinct(
    pub(super) Vec<Problem>,
    std::collections::HashSet<(String, Option<String>)>,
);

impl Distinct {
    pub(super) fn add<'p>(&mut self, problems: impl IntoIterator<Item = &'p Problem>) {
        for problem in problems {
            let place = problem.place.as_ref().map(ToString::to_string);
            if self.1.insert((problem.message.clone(), place)) {
                self.0.push(problem.clone());
            }
        }
    }
}

/// What the targets mean, and how much of it is wanted.
pub(super) struct Request<'a> {
    pub(super) targets: &'a [String],
    pub(super) args: &'a ConfigArgs,
    pub(super) connection: &'a ConnectionArgs,
    pub(super) widen: Widen<'a>,
    pub(super) naming: &'a dyn Fn(&str) -> Naming,
    /// What becomes of a secret that was not supplied; where it is a placeholder, Jobs are only looked
    /// at, and one without an image is shown, too.
    pub(super) missing_secret: Missing,
    /// What becomes of a Job that would hold what only stands for a secret of a snapshot.
    pub(super) masked: Masked,
}

/// What becomes of a Job that would hold a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masked {
    /// It is an error.
    Refused,
    /// It is shown.
    Shown,
}

/// What becomes of targets that the project does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// They are an error.
    Refused,
    /// They have no Jobs.
    LeftOut,
}

/// Reads everything and makes all Jobs of the targets, in topological order.
pub(super) fn load_jobs(
    request: &Request<'_>,
    printer: Printer,
) -> Result<(Loaded, Vec<LoadedJob>), CliError> {
    let mut jobs = Vec::new();
    let loaded = load_each(request, printer, &mut |making, job| jobs.push(making.finish(job)))?;
    Ok((loaded, jobs))
}

/// A Job in the making: what is only worked out for those who ask.
pub(super) struct Making<'a> {
    maker: &'a Maker<'a>,
    read: &'a ReadPipeline,
    unit: &'a Unit,
}

impl Making<'_> {
    /// How many blocks of the pipeline may run at once, by its and the project's settings.
    pub(super) fn concurrency(&self) -> Option<u32> {
        let limit = self.read.pipeline.block_run_limit();
        limit.or_else(|| self.read.project.queue_concurrency())
    }

    fn finish(&self, job: RenderedJob) -> LoadedJob {
        let Self { maker, read, unit } = self;
        let pipeline = &read.pipeline;
        let block = unit.block(pipeline);
        let features = read.project.root.get("features");
        let integrates = features.and_then(|all| all.get("data_integration_in_batch_pipeline"));
        let around = Around {
            integrates: integrates.is_some_and(Node::is_truthy),
            names_stream: maker.args.template_runtime_configuration.is_some(),
        };
        let index = unit.block.as_ref().map(|(index, _)| *index);
        LoadedJob {
            job,
            layers: maker.layers(read, unit),
            executor: unit.executor.clone(),
            outside: block
                .map(|block| outside(pipeline, block, &unit.upstream))
                .unwrap_or_default(),
            upstream: unit.upstream.clone(),
            block_type: block.map_or("pipeline", |block| block.block_type.as_str()).to_owned(),
            timeout: block.and_then(Block::timeout),
            conditional: block
                .is_some_and(|block| pipeline.conditionals(&block.uuid).next().is_some()),
            obstacles: obstacles(pipeline, index, around),
            differences: if index.is_none() { differences(pipeline) } else { Vec::new() },
        }
    }
}

/// Reads everything and makes the Jobs of the targets one after the other, in topological order,
/// so that never more than one has to be kept. Everything wrong in all of them is told at once;
/// then what `each` was given must not be used.
pub(super) fn load_each(
    request: &Request<'_>,
    printer: Printer,
    each: &mut dyn FnMut(&Making<'_>, RenderedJob),
) -> Result<Loaded, CliError> {
    let Request { args, connection, .. } = *request;
    // First of all, so that a wrong folder is told before a cluster is asked.
    find_project(args.project.as_deref())?;
    let env = read_server_env(args)?;
    let (facts, connected, notices) = connect_for_facts(args, connection, &env)?;
    let mut loaded = load_with((env, &facts, notices), request, printer, each)?;
    loaded.connected = connected;
    Ok(loaded)
}

/// Does the same with what a cluster gave, and with the notices that came of asking it.
pub(super) fn load_with(
    given: (ServerEnv, &ClusterFacts, Vec<String>),
    request: &Request<'_>,
    printer: Printer,
    each: &mut dyn FnMut(&Making<'_>, RenderedJob),
) -> Result<Loaded, CliError> {
    load_what_is_there(given, request, Absent::Refused, printer, each)
}

/// Does the same, and says what becomes of targets that the project does not have.
pub(super) fn load_what_is_there(
    (env, facts, mut notices): (ServerEnv, &ClusterFacts, Vec<String>),
    request: &Request<'_>,
    absent: Absent,
    printer: Printer,
    each: &mut dyn FnMut(&Making<'_>, RenderedJob),
) -> Result<Loaded, CliError> {
    let Request { args, connection, .. } = *request;
    use_huge_pages();
    let inputs = read_inputs(args, env, facts).inspect_err(|_| tell(&notices, printer))?;
    notices.extend(inputs.notices.iter().cloned());
    let values = template_values(request, &inputs)?;
    let maker = Maker::new(args, connection, &inputs, values);
    let repo_path = maker.repo_path().0;
    let mut loading = Loading {
        request,
        absent,
        maker,
        each,
        loaded: Loaded {
            edition: inputs.edition,
            whole_pipeline: false,
            connected: None,
            concurrency: None,
            project_dir: inputs.project_dir.clone(),
            repo_path,
            notices,
            details: inputs.details(),
            warnings: Distinct::default(),
        },
        problems: Distinct::default(),
    };
    loading.loaded.warnings.add(&inputs.warnings);
    loading.problems.add(&inputs.errors);
    if request.missing_secret == Missing::Error {
        loading.problems.add(&inputs.masks.withheld_problems());
    }
    let done = loading.all();
    let Loading { mut loaded, problems: found, .. } = loading;
    for name in inputs.env.used_from_process() {
        loaded.notices.push(format!("{name} is taken from this process's environment"));
    }
    // Also before an error: what was looked for and not found may be its cause.
    loaded.tell(printer);
    done?;
    if found.0.is_empty() { Ok(loaded) } else { Err(problems(found.0)) }
}

fn tell(notices: &[String], printer: Printer) {
    for notice in notices {
        printer.notice(notice);
    }
}

fn template_values(request: &Request<'_>, inputs: &Inputs) -> Result<TemplateValues, CliError> {
    let args = request.args;
    Ok(TemplateValues {
        env: inputs.env.all(),
        variables: variables(args),
        secrets: secrets(args)?,
        unset: if args.allow_unset { Missing::Empty } else { Missing::Error },
        missing_secret: request.missing_secret,
    })
}

struct Loading<'a> {
    request: &'a Request<'a>,
    absent: Absent,
    maker: Maker<'a>,
    each: &'a mut dyn FnMut(&Making<'_>, RenderedJob),
    loaded: Loaded,
    problems: Distinct,
}

impl Loading<'_> {
    fn all(&mut self) -> Result<(), CliError> {
        let request = self.request;
        let project = &self.maker.inputs.project_dir;
        let known = pipelines(project);
        for (pipeline, targets) in selection(request.targets, project)? {
            if self.absent == Absent::LeftOut && !known.contains(&pipeline) {
                continue;
            }
            self.pipeline(&pipeline, &targets, &(request.naming)(&pipeline))?;
        }
        Ok(())
    }

    fn pipeline(
        &mut self,
        name: &str,
        targets: &[Option<String>],
        naming: &Naming,
    ) -> Result<(), CliError> {
        self.loaded.whole_pipeline |= targets.iter().any(Option::is_none);
        let read = self.maker.read(name)?;
        self.loaded.details.push(format!("read {}", read.pipeline.file.name));
        self.loaded.warnings.add(&read.warnings);
        self.loaded.warnings.add(&read.project.warnings);
        for finding in &read.base.findings {
            match finding.severity {
                Severity::Error => self.problems.add([&finding.problem]),
                Severity::Note | Severity::Warning => self.loaded.warnings.add([&finding.problem]),
            }
        }
        let limit = read.pipeline.block_run_limit();
        self.loaded.concurrency = limit.or_else(|| read.project.queue_concurrency());
        let there = self.there(&read, targets);
        if there.is_empty() {
            return Ok(());
        }
        for unit in &self.maker.units(&read, &there, &self.request.widen)? {
            let target = match unit.uuid() {
                Some(uuid) => format!("{name}/{uuid}"),
                None => name.to_owned(),
            };
            if self.keeps(&unit.executor, &target) {
                self.one_job(&read, unit, naming);
            }
        }
        Ok(())
    }

    /// Returns the targets of a pipeline, without those that it does not have where these are left out.
    fn there(&self, read: &ReadPipeline, targets: &[Option<String>]) -> Vec<Option<String>> {
        let pipeline = &read.pipeline;
        let is_there = |target: &&Option<String>| match target {
            Some(block) => pipeline.find(block).is_ok(),
            None => !pipeline.blocks.is_empty(),
        };
        let is_left_out = self.absent == Absent::LeftOut;
        targets.iter().filter(|target| !is_left_out || is_there(target)).cloned().collect()
    }

    /// Says why Mage itself would not make a Job; tells whether one is made here.
    fn keeps(&mut self, executor: &ExecutorChoice, target: &str) -> bool {
        if executor.is_k8s() {
            return true;
        }
        if self.request.args.only_k8s {
            return false;
        }
        self.loaded.notices.push(format!(
            "{target}: Mage itself would make no Job ({}); this is the Job it would be",
            executor.explain()
        ));
        true
    }

    fn one_job(&mut self, read: &ReadPipeline, unit: &Unit, naming: &Naming) {
        self.tell_repo_path();
        let made = self.maker.make(read, unit, naming);
        let only_looks = self.request.missing_secret == Missing::Placeholder;
        let bears = |problem: &&Problem| only_looks && problem.id == Some(FindingId::NoImage);
        if made.errors().any(|problem| !bears(&problem)) {
            self.problems.add(made.errors());
            return;
        }
        self.loaded.warnings.add(made.errors());
        if self.request.masked == Masked::Refused {
            self.problems.add(&self.maker.inputs.masks.problems(&made.job));
        }
        self.loaded.warnings.add(made.doubts());
        (self.each)(&Making { maker: &self.maker, read, unit }, made.job);
    }

    fn tell_repo_path(&mut self) {
        let (path, Source::BuiltIn) = self.maker.repo_path() else { return };
        let notice = format!(
            "the project is taken to be at {path} in the pod; say otherwise with --repo-path"
        );
        if !self.loaded.notices.contains(&notice) {
            self.loaded.notices.push(notice);
        }
    }
}
