//! What `render`, `explain-config` and `run` share: targets to Jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::bodies::{Bodies, outside, render_at};
use super::facts::{Connected, connect_for_facts};
use super::targets::{listed, pipelines, secrets, selection, variables};
use crate::cli::{ConfigArgs, ConnectionArgs};
use crate::config::{LayerKind, Origin, Source};
use crate::error::{CliError, Problem};
use crate::explain::LayerReport;
use crate::job::{BuildContext, CommandParts, RenderedJob, build, job_id};
use crate::load::{
    Edition, Inputs, find_project, guardrails, merge_layers, read_inputs, read_server_env,
    read_source, reports,
};
use crate::project::{
    Block, ExecutorChoice, LookupKind, Missing, Pipeline, Project, TemplateValues, block_executor,
    pipeline_executor,
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

/// The Jobs of the targets, and what was read on the way.
pub(super) struct Loaded {
    pub(super) edition: Edition,
    /// In topological order.
    pub(super) jobs: Vec<LoadedJob>,
    /// Whether a target named a whole pipeline.
    pub(super) whole_pipeline: bool,
    /// The connection, where one was made.
    pub(super) connected: Option<Connected>,
    /// How many blocks may run at once, by the pipeline's and project's settings.
    pub(super) concurrency: Option<u32>,
    pub(super) project_dir: PathBuf,
    notices: Vec<String>,
    /// What was read, for `-v`.
    details: Vec<String>,
    warnings: Vec<Problem>,
}

/// One Job, its layers, and what the graph says of its block.
pub(super) struct LoadedJob {
    pub(super) job: RenderedJob,
    pub(super) layers: Vec<LayerReport>,
    /// The block runs among the Jobs loaded that it waits for.
    pub(super) upstream: Vec<String>,
    /// The blocks it waits for that are not among them.
    pub(super) outside: Vec<String>,
    pub(super) block_type: String,
    /// Whether a dynamic block comes before it, so that it is run once for each of its children.
    pub(super) fed_dynamically: bool,
}

impl Loaded {
    /// Says on stderr what people should know.
    fn tell(&self, printer: Printer) {
        for detail in &self.details {
            printer.detail(detail);
        }
        tell(&self.notices, printer);
        for warning in &self.warnings {
            printer.problem_warning(warning);
        }
    }
}

/// Which blocks are taken, beyond those that the targets name.
#[derive(Default)]
pub(super) struct Widen<'a> {
    pub(super) upstream: bool,
    pub(super) downstream: bool,
    pub(super) skip_types: &'a [String],
}

/// Reads everything and makes the Jobs of the targets, in topological order.
pub(super) fn load_jobs(
    targets: &[String],
    args: &ConfigArgs,
    connection: &ConnectionArgs,
    widen: &Widen<'_>,
    naming: &dyn Fn(&str) -> Naming,
    printer: Printer,
) -> Result<Loaded, CliError> {
    // First of all, so that a wrong folder is told before a cluster is asked.
    find_project(args.project.as_deref())?;
    let env = read_server_env(args)?;
    let (facts, connected, mut notices) = connect_for_facts(args, connection, &env)?;
    let inputs = read_inputs(args, env, &facts).inspect_err(|_| tell(&notices, printer))?;
    notices.extend(inputs.notices.iter().cloned());
    let values = template_values(args, &inputs)?;
    let mut loading = Loading {
        args,
        connection,
        widen,
        inputs: &inputs,
        values,
        loaded: Loaded {
            edition: inputs.edition,
            jobs: Vec::new(),
            whole_pipeline: false,
            connected,
            concurrency: None,
            project_dir: inputs.project_dir.clone(),
            notices,
            details: inputs.details(),
            warnings: Vec::new(),
        },
        problems: Vec::new(),
    };
    loading.warn(inputs.warnings.iter().cloned());
    let done = loading.all(targets, naming);
    let Loading { mut loaded, problems: found, .. } = loading;
    for name in inputs.env.used_from_process() {
        loaded.notices.push(format!("{name} is taken from this process's environment"));
    }
    // Also before an error: what was looked for and not found may be its cause.
    loaded.tell(printer);
    done?;
    if found.is_empty() { Ok(loaded) } else { Err(problems(found)) }
}

fn tell(notices: &[String], printer: Printer) {
    for notice in notices {
        printer.notice(notice);
    }
}

fn template_values(args: &ConfigArgs, inputs: &Inputs) -> Result<TemplateValues, CliError> {
    Ok(TemplateValues {
        env: inputs.env.all(),
        variables: variables(args),
        secrets: secrets(args)?,
        unset: if args.allow_unset { Missing::Empty } else { Missing::Error },
        missing_secret: Missing::Error,
    })
}

fn problems(problems: Vec<Problem>) -> CliError {
    CliError { exit: crate::exit::Exit::Usage, problems }
}

struct Loading<'a> {
    args: &'a ConfigArgs,
    connection: &'a ConnectionArgs,
    widen: &'a Widen<'a>,
    inputs: &'a Inputs,
    values: TemplateValues,
    loaded: Loaded,
    problems: Vec<Problem>,
}

impl Loading<'_> {
    fn warn(&mut self, warnings: impl IntoIterator<Item = Problem>) {
        for warning in warnings {
            let place = |problem: &Problem| problem.place.as_ref().map(ToString::to_string);
            let known = |other: &Problem| {
                other.message == warning.message && place(other) == place(&warning)
            };
            if !self.loaded.warnings.iter().any(known) {
                self.loaded.warnings.push(warning);
            }
        }
    }

    fn all(&mut self, targets: &[String], naming: &dyn Fn(&str) -> Naming) -> Result<(), CliError> {
        for (pipeline, blocks) in selection(targets, &self.inputs.project_dir)? {
            self.pipeline(&pipeline, &blocks, &naming(&pipeline))?;
        }
        Ok(())
    }

    fn read_pipeline(&mut self, name: &str) -> Result<Pipeline, CliError> {
        let project = &self.inputs.project_dir;
        let path = project.join("pipelines").join(name).join("metadata.yaml");
        if !path.is_file() || matches!(name, "" | "." | "..") {
            let names = pipelines(project);
            let problem = Problem::new(format!("no pipeline `{name}` in {}", project.display()));
            return Err(CliError::usage(
                match crate::config::nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint(listed(&names)),
                },
            ));
        }
        let file = read_source(&path, project)?;
        self.loaded.details.push(format!("read {}", path.display()));
        let env = match self.inputs.edition {
            Edition::Pro => self.inputs.env.value("ENV"),
            Edition::Oss => None,
        };
        let (pipeline, warnings) =
            Pipeline::parse(&file, name, env.as_deref()).map_err(problems)?;
        self.warn(warnings);
        Ok(pipeline)
    }

    fn pipeline(
        &mut self,
        name: &str,
        targets: &[Option<String>],
        naming: &Naming,
    ) -> Result<(), CliError> {
        let pipeline = self.read_pipeline(name)?;
        let whole = targets.iter().any(Option::is_none);
        self.loaded.whole_pipeline |= whole;
        let mut values = self.values.clone();
        values.variables = pipeline.variables();
        values.variables.extend(self.values.variables.clone());
        let values = Arc::new(values);
        let project = self.read_project(&values)?;
        self.loaded.concurrency =
            pipeline.block_run_limit().or_else(|| project.queue_concurrency());
        let read = ReadPipeline { project, pipeline, values };
        self.jobs_of(&read, targets, whole, naming)
    }

    /// Reads the project's file, in which a pipeline's variables may be named.
    fn read_project(&mut self, values: &Arc<TemplateValues>) -> Result<Project, CliError> {
        let project = Project::parse(&self.inputs.project_file, values).map_err(problems)?;
        self.warn(project.warnings.iter().cloned());
        let used = project.lookups.iter().filter(|used| used.lookup.kind == LookupKind::Env);
        for used in used {
            // Looked up once more so that one of this process's environment is named.
            let _ = self.inputs.env.get(&used.lookup.name);
        }
        Ok(project)
    }

    fn jobs_of(
        &mut self,
        read: &ReadPipeline,
        targets: &[Option<String>],
        whole: bool,
        naming: &Naming,
    ) -> Result<(), CliError> {
        let ReadPipeline { pipeline, values, .. } = read;
        let name = &pipeline.uuid;
        let one_process = self.inputs.env.value("RUN_PIPELINE_IN_ONE_PROCESS");
        let default = self.inputs.env.value("DEFAULT_EXECUTOR_TYPE");
        if whole && pipeline.runs_as_one(one_process.as_deref()) {
            let executor = pipeline_executor(pipeline, values, default).map_err(problems)?;
            if self.keeps(&executor, name) {
                self.one_job(read, None, Vec::new(), naming);
            }
            return Ok(());
        }
        let wanted = self.wanted(pipeline, targets, whole)?;
        for (index, uuid) in &wanted {
            let block = &pipeline.blocks[*index];
            let executor = block_executor(pipeline, block, values, default.clone());
            let executor = executor.map_err(problems)?;
            if self.keeps(&executor, &format!("{name}/{uuid}")) {
                let upstream = wanted
                    .iter()
                    .filter(|(other, _)| pipeline.graph().upstream(*index).contains(other))
                    .map(|(_, uuid)| uuid.clone())
                    .collect();
                self.one_job(read, Some((block, uuid)), upstream, naming);
            }
        }
        Ok(())
    }

    /// Returns the blocks to take with the uuids of their runs, in topological order.
    fn wanted(
        &self,
        pipeline: &Pipeline,
        targets: &[Option<String>],
        whole: bool,
    ) -> Result<Vec<(usize, String)>, CliError> {
        let mut named: BTreeMap<usize, String> = BTreeMap::new();
        let mut missing = Vec::new();
        for target in targets.iter().flatten() {
            match pipeline.find(target) {
                Ok(index) => {
                    let block = &pipeline.blocks[index];
                    let uuid =
                        if *target == block.uuid { block.run_uuid() } else { target.clone() };
                    named.insert(index, uuid);
                }
                Err(problem) => missing.push(problem),
            }
        }
        if !missing.is_empty() {
            return Err(problems(missing));
        }
        let graph = pipeline.graph();
        let mut indices: BTreeSet<usize> = if whole {
            (0..pipeline.blocks.len()).collect()
        } else {
            named.keys().copied().collect()
        };
        if self.widen.upstream {
            indices = graph.with_upstream(&indices);
        }
        if self.widen.downstream {
            indices = graph.with_downstream(&indices);
        }
        indices
            .retain(|index| !self.widen.skip_types.contains(&pipeline.blocks[*index].block_type));
        if indices.len() > 1 && self.args.block_run_id.is_some() {
            let message = "--block-run-id names the run of one block, but several are selected";
            return Err(CliError::usage(Problem::new(message).hint("name one, PIPELINE/BLOCK")));
        }
        if indices.is_empty() {
            let problem =
                Problem::new(format!("pipeline `{}` has no blocks to run", pipeline.uuid));
            return Err(CliError::usage(
                problem.hint("charts, markdown and scratchpads never run"),
            ));
        }
        let uuid = |index| named.get(&index).cloned().unwrap_or(pipeline.blocks[index].run_uuid());
        let order = graph.topological();
        Ok(order.into_iter().filter(|i| indices.contains(i)).map(|i| (i, uuid(i))).collect())
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
            "{target}: Mage itself would make no Job ({}); this is the Job it would be",
            executor.explain()
        ));
        true
    }

    /// Makes one Job, of a block or of the whole pipeline.
    fn one_job(
        &mut self,
        read: &ReadPipeline,
        block: Option<(&Block, &str)>,
        upstream: Vec<String>,
        naming: &Naming,
    ) {
        let ReadPipeline { project, pipeline, values } = read;
        let bodies = Bodies::new(self.inputs, project, pipeline, block.map(|(block, _)| block));
        let sources = bodies.sources(self.inputs, self.args, self.connection, block.is_none());
        let render = |text: &str, origin: &Origin| render_at(text, origin, values);
        let (context, notice) =
            self.context(pipeline, block.map(|(_, uuid)| uuid), naming, &render);
        let built =
            merge_layers(self.inputs.edition, &sources, &self.inputs.env).and_then(|merged| {
                let findings = merged.findings;
                build(merged.root, merged.merge, &context).map(|job| (job, findings))
            });
        let layers = reports(self.inputs.edition, &sources, &self.inputs.env);
        if let Some(notice) = notice.filter(|notice| !self.loaded.notices.contains(notice)) {
            self.loaded.notices.push(notice);
        }
        match built {
            Ok((job, findings)) => {
                let found = findings.into_iter().chain(job.findings.clone());
                self.warn(found.map(|finding| finding.problem));
                let outside = block.map(|(block, _)| outside(pipeline, block, &upstream));
                let outside = outside.unwrap_or_default();
                let block_type = block.map_or("pipeline", |(block, _)| block.block_type.as_str());
                let fed_dynamically = block.is_some_and(|(block, _)| {
                    let index = pipeline.blocks.iter().position(|b| b.uuid == block.uuid);
                    let upstream = index.map(|index| pipeline.graph().upstream(index));
                    upstream
                        .is_some_and(|all| all.iter().any(|up| pipeline.blocks[*up].is_dynamic()))
                });
                let block_type = block_type.to_owned();
                self.loaded.jobs.push(LoadedJob {
                    job,
                    layers,
                    upstream,
                    outside,
                    block_type,
                    fed_dynamically,
                });
            }
            Err(found) => self.fail(found),
        }
    }

    fn fail(&mut self, found: Vec<Problem>) {
        for problem in found {
            let place = |problem: &Problem| problem.place.as_ref().map(ToString::to_string);
            let known = |other: &Problem| {
                other.message == problem.message && place(other) == place(&problem)
            };
            if !self.problems.iter().any(known) {
                self.problems.push(problem);
            }
        }
    }

    fn context<'c>(
        &self,
        pipeline: &Pipeline,
        block: Option<&str>,
        naming: &Naming,
        render: &'c dyn Fn(&str, &Origin) -> Result<String, Problem>,
    ) -> (BuildContext<'c>, Option<String>) {
        let args = self.args;
        let env = &self.inputs.env;
        let (repo_path, repo_path_source, notice) = self.repo_path();
        let mut command = CommandParts {
            repo_path,
            repo_path_source: Some(repo_path_source),
            pipeline: pipeline.uuid.clone(),
            block: block.map(str::to_owned),
            execution_partition: args.execution_partition.clone(),
            block_run_id: args.block_run_id.filter(|_| block.is_some()).map(|id| id.to_string()),
            pipeline_run_id: args.pipeline_run_id.map(|id| id.to_string()),
            template_runtime_configuration: args.template_runtime_configuration.clone(),
            runtime_vars: None,
        };
        let id = if block.is_some() { args.block_run_id } else { args.pipeline_run_id };
        let mut name_id = id.map(|id| id.to_string());
        match naming {
            Naming::Target if !args.var.is_empty() && args.pipeline_run_id.is_none() => {
                let variables = serde_json::to_string(&self.values.variables);
                command.runtime_vars =
                    variables.ok().filter(|_| self.inputs.edition == Edition::Pro);
            }
            Naming::Target => {}
            Naming::Run { run, runtime_vars } => {
                command.execution_partition =
                    command.execution_partition.or(Some(format!("kubectl-mage/{run}")));
                command.block_run_id = None;
                command.pipeline_run_id = None;
                command.runtime_vars = Some(runtime_vars.clone());
                name_id = Some(job_id(&[run, block.unwrap_or(&pipeline.uuid)]));
            }
        }
        let context = BuildContext {
            cluster_uuid: env.value("MAGE_CLUSTER_UUID").unwrap_or_else(|| "mage".to_owned()),
            trigger_name: args.trigger.clone().unwrap_or_else(|| "manual".to_owned()),
            name_id,
            command,
            default_namespace: self.default_namespace(),
            guardrails: match self.inputs.edition {
                Edition::Pro => guardrails(env),
                Edition::Oss => Vec::new(),
            },
            render,
        };
        (context, notice)
    }

    /// The namespace where no layer names one: `KUBE_NAMESPACE`; else `default` when a server pod
    /// is known, as Mage does; else the current context's.
    fn default_namespace(&self) -> (String, Origin) {
        let origin = |layer, source| Origin::new(layer, source, "namespace");
        let found = self.inputs.env.get("KUBE_NAMESPACE").filter(|found| !found.value.is_empty());
        if let Some(found) = found {
            return (found.value, origin(LayerKind::Hardcoded, found.source));
        }
        match (&self.inputs.server, &self.inputs.context_namespace) {
            (None, Some(namespace)) => {
                let source = Source::Object {
                    object: "kubeconfig".to_owned(),
                    field: "namespace of the current context".to_owned(),
                };
                (namespace.clone(), origin(LayerKind::Context, source))
            }
            _ => ("default".to_owned(), origin(LayerKind::Hardcoded, Source::BuiltIn)),
        }
    }

    /// The project's path in the pod, who says it, and a notice where it is a guess.
    fn repo_path(&self) -> (String, Source, Option<String>) {
        if let Some(path) = &self.args.repo_path {
            return (path.clone(), Source::Flag { name: "--repo-path".to_owned() }, None);
        }
        let server = self.inputs.server.as_ref();
        if let Some((pod, path)) = server.and_then(|pod| Some((pod, pod.repo_path.clone()?))) {
            let object = format!("pod/{}", pod.name);
            return (path, Source::Object { object, field: "command".to_owned() }, None);
        }
        if let Some(found) = self.inputs.env.get("USER_CODE_PATH").filter(|e| !e.value.is_empty()) {
            return (found.value, found.source, None);
        }
        let folder = self.inputs.project_dir.file_name().unwrap_or_default().to_string_lossy();
        let path = format!("/home/src/{folder}");
        let notice = format!(
            "the project is taken to be at {path} in the pod; say otherwise with --repo-path"
        );
        (path, Source::BuiltIn, Some(notice))
    }
}

/// A pipeline with what its values are rendered with.
struct ReadPipeline {
    project: Project,
    pipeline: Pipeline,
    values: Arc<TemplateValues>,
}
