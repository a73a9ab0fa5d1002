//! What `render`, `explain-config` and `run` share: targets to Jobs.

use std::collections::BTreeMap;
use std::path::Path;

use super::facts::{Connected, connect_for_facts};
use crate::cli::{ConfigArgs, ConnectionFlags};
use crate::config::{Finding, LayerKind, Origin, Source};
use crate::error::{CliError, Problem};
use crate::explain::LayerReport;
use crate::job::{BuildContext, CommandParts, RenderedJob, build};
use crate::load::{
    Body, Edition, Inputs, LayerSources, guardrails, merge_layers, read_inputs, read_server_env,
    read_source, reports,
};
use crate::project::{
    Block, ExecutorChoice, OnUnset, Pipeline, Project, TemplateValues, block_executor,
    pipeline_executor, render_text,
};
use crate::ui::Printer;

/// What stands in the place of Mage's run id in the names of Jobs.
pub(super) enum Naming {
    /// `--block-run-id` or `--pipeline-run-id`, else the target.
    Target,
    /// A run of this tool, which sends no run ids to Mage (it would look for them in its database).
    Run {
        /// The run's id.
        run: String,
        /// `--runtime-vars`, as JSON.
        runtime_vars: String,
    },
}

/// One Job and what the graph says of its block.
pub(super) struct Loaded {
    pub(super) edition: Edition,
    pub(super) jobs: Vec<RenderedJob>,
    /// The layers of each Job.
    pub(super) layers: Vec<Vec<LayerReport>>,
    /// The uuids in `jobs` that each Job waits for.
    pub(super) upstream: Vec<Vec<String>>,
    pub(super) block_types: Vec<String>,
    /// Whether a target named a whole pipeline.
    pub(super) whole_pipeline: bool,
    pub(super) notices: Vec<String>,
    pub(super) warnings: Vec<Problem>,
    /// The connection, where one was made.
    pub(super) connected: Option<Connected>,
    /// How many blocks may run at once, by the pipeline's and project's settings.
    pub(super) concurrency: Option<u32>,
    pub(super) project_dir: std::path::PathBuf,
}

impl Loaded {
    /// Says on stderr what people should know.
    pub(super) fn tell(&self, printer: &Printer) {
        for notice in &self.notices {
            printer.notice(notice);
        }
        for warning in &self.warnings {
            printer.problem_warning(warning);
        }
    }
}

/// A target as typed.
struct Target {
    pipeline: String,
    block: Option<String>,
}

fn parse_target(text: &str) -> Target {
    match text.split_once('/') {
        Some((pipeline, block)) => {
            Target { pipeline: pipeline.to_owned(), block: Some(block.to_owned()) }
        }
        None => Target { pipeline: text.to_owned(), block: None },
    }
}

/// Reads everything and makes the Jobs of the targets, in topological order.
pub(super) fn load_jobs(
    targets: &[String],
    args: &ConfigArgs,
    connection: &ConnectionFlags,
    naming: &Naming,
) -> Result<Loaded, CliError> {
    let env = read_server_env(args)?;
    let (facts, connected, mut notices) = connect_for_facts(args, connection, &env)?;
    let inputs = read_inputs(args, env, &facts)?;
    notices.extend(inputs.notices.iter().cloned());
    let variables = variables(args)?;
    let secrets = secrets(args)?;
    let values = TemplateValues {
        env: &|name| inputs.env.get(name).map(|found| found.value),
        variables: &variables,
        secrets: &secrets,
        on_unset: if args.allow_unset { OnUnset::Empty } else { OnUnset::Error },
    };
    let project = Project::parse(&inputs.project_file, &values).map_err(problems)?;
    let mut loading = Loading {
        args,
        connection,
        naming,
        inputs: &inputs,
        project: &project,
        variables: &variables,
        secrets: &secrets,
        loaded: Loaded {
            edition: inputs.edition,
            jobs: Vec::new(),
            layers: Vec::new(),
            upstream: Vec::new(),
            block_types: Vec::new(),
            whole_pipeline: false,
            notices,
            warnings: inputs.warnings.clone(),
            connected,
            concurrency: None,
            project_dir: inputs.project_dir.clone(),
        },
        problems: Vec::new(),
    };
    loading.warn(project.warnings());
    for (pipeline, blocks) in selection(targets, &inputs.project_dir)? {
        loading.pipeline(&pipeline, &blocks)?;
    }
    let Loading { mut loaded, problems: found, .. } = loading;
    if !found.is_empty() {
        return Err(problems(found));
    }
    for name in inputs.env.used_from_process() {
        loaded.notices.push(format!("{name} is taken from this process's environment"));
    }
    Ok(loaded)
}

fn problems(problems: Vec<Problem>) -> CliError {
    CliError { exit: crate::exit::Exit::Usage, problems }
}

/// Groups the targets by pipeline, in the order given; without any, the project's only pipeline.
fn selection(
    targets: &[String],
    project: &Path,
) -> Result<Vec<(String, Vec<Option<String>>)>, CliError> {
    if targets.is_empty() {
        let mut names = pipelines(project);
        return match names.len() {
            1 => Ok(vec![(names.remove(0), vec![None])]),
            0 => {
                let problem = Problem::new(format!("{} has no pipelines", project.display()));
                Err(CliError::usage(problem.hint("a pipeline is a folder in pipelines/ with a metadata.yaml")))
            }
            _ => Err(CliError::usage(
                Problem::new("the project has several pipelines: name one").hint(listed(&names)),
            )),
        };
    }
    let mut grouped: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for target in targets {
        let Target { pipeline, block } = parse_target(target);
        match grouped.iter_mut().find(|(known, _)| *known == pipeline) {
            Some((_, blocks)) => blocks.push(block),
            None => grouped.push((pipeline, vec![block])),
        }
    }
    Ok(grouped)
}

/// Returns the project's pipelines, sorted.
pub(super) fn pipelines(project: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(project.join("pipelines"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("metadata.yaml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn listed(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    let more = if names.len() > 10 { ", …" } else { "" };
    format!("known: {}{more}", first.join(", "))
}

/// Reads `--var`: JSON where it is JSON, text otherwise.
pub(super) fn variables(
    args: &ConfigArgs,
) -> Result<BTreeMap<String, serde_json::Value>, CliError> {
    Ok(args
        .var
        .iter()
        .map(|pair| {
            let value = serde_json::from_str(&pair.value)
                .unwrap_or_else(|_| serde_json::Value::String(pair.value.clone()));
            (pair.name.clone(), value)
        })
        .collect())
}

/// Reads `--secret`: `NAME=VALUE`, or `@FILE` with a line each.
fn secrets(args: &ConfigArgs) -> Result<BTreeMap<String, String>, CliError> {
    let mut secrets = BTreeMap::new();
    for text in &args.secret {
        let lines = match text.strip_prefix('@') {
            Some(path) => crate::load::read(Path::new(path))?,
            None => text.clone(),
        };
        for line in lines.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let Some((name, value)) = line.split_once('=') else {
                let problem = Problem::new("--secret is neither NAME=VALUE nor @FILE");
                return Err(CliError::usage(problem.hint("the file has one NAME=VALUE a line")));
            };
            secrets.insert(name.trim().to_owned(), value.to_owned());
        }
    }
    Ok(secrets)
}

struct Loading<'a> {
    args: &'a ConfigArgs,
    connection: &'a ConnectionFlags,
    naming: &'a Naming,
    inputs: &'a Inputs,
    project: &'a Project,
    variables: &'a BTreeMap<String, serde_json::Value>,
    secrets: &'a BTreeMap<String, String>,
    loaded: Loaded,
    problems: Vec<Problem>,
}

impl Loading<'_> {
    fn warn(&mut self, warnings: impl IntoIterator<Item = Problem>) {
        for warning in warnings {
            let known = |other: &Problem| {
                other.message == warning.message
                    && other.place.as_ref().map(ToString::to_string)
                        == warning.place.as_ref().map(ToString::to_string)
            };
            if !self.loaded.warnings.iter().any(known) {
                self.loaded.warnings.push(warning);
            }
        }
    }

    fn read_pipeline(&mut self, name: &str) -> Result<Pipeline, CliError> {
        let folder = self.inputs.project_dir.join("pipelines").join(name);
        let path = folder.join("metadata.yaml");
        if !path.is_file() {
            let names = pipelines(&self.inputs.project_dir);
            let problem = Problem::new(format!(
                "no pipeline `{name}` in {}",
                self.inputs.project_dir.display()
            ));
            return Err(CliError::usage(
                match crate::config::nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint(listed(&names)),
                },
            ));
        }
        let file = read_source(&path, &self.inputs.project_dir)?;
        let env = match self.inputs.edition {
            Edition::Pro => self.inputs.env.value("ENV"),
            Edition::Oss => None,
        };
        let (pipeline, warnings) =
            Pipeline::parse(&file, name, env.as_deref()).map_err(problems)?;
        self.warn(warnings);
        Ok(pipeline)
    }

    fn pipeline(&mut self, name: &str, targets: &[Option<String>]) -> Result<(), CliError> {
        let pipeline = self.read_pipeline(name)?;
        let whole = targets.iter().any(Option::is_none);
        self.loaded.whole_pipeline |= whole;
        self.loaded.concurrency =
            pipeline.block_run_limit().or_else(|| self.project.queue_concurrency());
        if whole && self.runs_as_one(&pipeline) {
            return self.one_job(&pipeline, None);
        }
        let mut wanted: Vec<(usize, String)> = Vec::new();
        if whole {
            wanted.extend(pipeline.blocks.iter().enumerate().map(|(i, b)| (i, b.uuid.clone())));
        }
        for target in targets.iter().flatten() {
            let index = pipeline.find(target).map_err(CliError::usage)?;
            if !wanted.iter().any(|(_, uuid)| uuid == target) {
                wanted.push((index, target.clone()));
            }
        }
        if wanted.len() > 1 && self.args.block_run_id.is_some() {
            let problem = Problem::new("--block-run-id names one block's run, but several blocks are selected");
            return Err(CliError::usage(problem.hint("name one block, PIPELINE/BLOCK")));
        }
        let order = pipeline.graph().topological();
        wanted.sort_by_key(|(index, _)| order.iter().position(|known| known == index));
        for (index, uuid) in &wanted {
            self.block(&pipeline, *index, uuid)?;
        }
        self.connect_upstream(&pipeline, &wanted);
        Ok(())
    }

    /// Streaming pipelines, and those with `run_pipeline_in_one_process`, are one Job.
    fn runs_as_one(&self, pipeline: &Pipeline) -> bool {
        let default = self.inputs.env.value("RUN_PIPELINE_IN_ONE_PROCESS");
        pipeline.runs_as_one(default.as_deref())
    }

    /// Fills in whom each new Job waits for.
    fn connect_upstream(&mut self, pipeline: &Pipeline, wanted: &[(usize, String)]) {
        let graph = pipeline.graph();
        for (index, _) in wanted {
            let upstream: Vec<String> = wanted
                .iter()
                .filter(|(other, _)| graph.upstream(*index).contains(other))
                .map(|(_, uuid)| uuid.clone())
                .collect();
            self.loaded.upstream.push(upstream);
        }
    }

    fn block(&mut self, pipeline: &Pipeline, index: usize, uuid: &str) -> Result<(), CliError> {
        let block = &pipeline.blocks[index];
        let variables = self.all_variables(pipeline);
        let values = self.values(&variables);
        let executor = block_executor(pipeline, block, &values, self.default_executor())
            .map_err(problems)?;
        if !self.keeps(&executor, &format!("{}/{uuid}", pipeline.uuid)) {
            return Ok(());
        }
        self.one_job(pipeline, Some((block, uuid)))
    }

    fn default_executor(&self) -> Option<String> {
        self.inputs.env.value("DEFAULT_EXECUTOR_TYPE")
    }

    /// Says why Mage itself would not make a Job; tells whether one is made here.
    fn keeps(&mut self, executor: &ExecutorChoice, target: &str) -> bool {
        if executor.is_k8s() {
            return true;
        }
        if self.args.only_k8s {
            return false;
        }
        self.loaded.notices.push(format!(
            "{target}: Mage itself makes no Job of it: {}; this is the Job it would be",
            executor.explain()
        ));
        true
    }

    /// The pipeline's own variables beneath those of `--var`.
    fn all_variables(&self, pipeline: &Pipeline) -> BTreeMap<String, serde_json::Value> {
        let mut all = pipeline.variables_json();
        all.extend(self.variables.iter().map(|(name, value)| (name.clone(), value.clone())));
        all
    }

    fn values<'v>(
        &'v self,
        variables: &'v BTreeMap<String, serde_json::Value>,
    ) -> TemplateValues<'v> {
        TemplateValues {
            env: &|_| None,
            variables,
            secrets: self.secrets,
            on_unset: if self.args.allow_unset { OnUnset::Empty } else { OnUnset::Error },
        }
    }

    fn one_job(
        &mut self,
        pipeline: &Pipeline,
        block: Option<(&Block, &str)>,
    ) -> Result<(), CliError> {
        let _ = (pipeline, block, LayerKind::Flag);
        Ok(())
    }
}
