//! From a pipeline to its Jobs, one at a time. What is wrong comes with the Job it is wrong in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::sources::{render_at, sources};
use super::targets::{meant, pipelines};
use crate::cli::{ConfigArgs, ConnectionArgs};
use crate::config::{LayerKind, Origin, Segment, Source};
use crate::error::{CliError, Problem};
use crate::explain::LayerReport;
use crate::finding::{Finding, Severity};
use crate::job::secret::{credentials_in, is_credential, is_placeholder, is_secret_name};
use crate::job::{BuildContext, CommandParts, Fidelity, RenderedJob, build, job_id};
use crate::load::{
    Base, Edition, Inputs, LayerSources, MergedLayers, guardrails, merge_layers,
    merge_layers_unlike, read_source, reports, server_pod_not_found,
};
use crate::merge::Tree;
use crate::project::{
    Block, ExecutorChoice, InPart, Lookup, LookupKind, Pipeline, Project, TemplateValues,
    block_executor, pipeline_executor,
};
use crate::ui::never_show;

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

/// Which blocks are taken, beyond those that the targets name.
#[derive(Default)]
pub(super) struct Widen<'a> {
    pub(super) upstream: bool,
    pub(super) downstream: bool,
    pub(super) skip_types: &'a [String],
}

/// A pipeline with what its values are rendered with.
pub(super) struct ReadPipeline {
    pub(super) project: Arc<Project>,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) values: Arc<TemplateValues>,
    /// What is doubtful in the pipeline's file.
    pub(super) warnings: Vec<Problem>,
    /// The layers below the blocks'.
    pub(super) base: Base,
}

impl ReadPipeline {
    /// Tells whether settings below the blocks' could not be read, so that no Job may be sent.
    fn is_unreadable(&self) -> bool {
        self.base.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// One Job to make: of a block, or of the whole pipeline.
pub(super) struct Unit {
    /// The block's index and the uuid of its run.
    pub(super) block: Option<(usize, String)>,
    pub(super) executor: ExecutorChoice,
    /// The runs among those selected that it waits for.
    pub(super) upstream: Vec<String>,
}

impl Unit {
    pub(super) fn block<'p>(&self, pipeline: &'p Pipeline) -> Option<&'p Block> {
        self.block.as_ref().map(|(index, _)| &pipeline.blocks[*index])
    }

    /// Returns the same Job of a pipeline that was read otherwise, if that has the block.
    pub(super) fn of(&self, own: &Pipeline, other: &Pipeline) -> Option<Self> {
        let block = match (&self.block, self.block(own)) {
            (Some((_, run)), Some(block)) => {
                let known = |known: &Block| known.uuid == block.uuid;
                Some((other.blocks.iter().position(known)?, run.clone()))
            }
            _ => None,
        };
        Some(Self { block, executor: self.executor.clone(), upstream: self.upstream.clone() })
    }

    pub(super) fn uuid(&self) -> Option<&str> {
        self.block.as_ref().map(|(_, uuid)| uuid.as_str())
    }
}

/// A Job, and everything that was found on the way to it.
pub(super) struct Made {
    pub(super) job: RenderedJob,
    pub(super) findings: Vec<Finding>,
    /// Whether settings could not be read, so that the Job says little.
    pub(super) unreadable: bool,
}

impl Made {
    /// Returns the errors, for which the Job must not be sent.
    pub(super) fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| &f.problem)
    }

    /// Returns everything else.
    pub(super) fn doubts(&self) -> impl Iterator<Item = &Problem> {
        self.findings.iter().filter(|f| f.severity != Severity::Error).map(|f| &f.problem)
    }
}

/// Makes Jobs of what was read.
pub(super) struct Maker<'a> {
    pub(super) args: &'a ConfigArgs,
    pub(super) connection: &'a ConnectionArgs,
    pub(super) inputs: &'a Inputs,
    /// What templates look up; a pipeline's own variables come below these.
    pub(super) values: TemplateValues,
    project: OnceLock<Arc<Project>>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        args: &'a ConfigArgs,
        connection: &'a ConnectionArgs,
        inputs: &'a Inputs,
        values: TemplateValues,
    ) -> Self {
        never_show(values.secrets.values().cloned());
        let env = values.env.iter().filter(|(name, value)| is_secret(name, value));
        never_show(env.map(|(_, value)| value.clone()));
        never_show(credentials(&values.variables));
        Self { args, connection, inputs, values, project: OnceLock::new() }
    }

    /// Reads a pipeline and, with its variables, the project's file.
    pub(super) fn read(&self, name: &str) -> Result<ReadPipeline, CliError> {
        let (pipeline, warnings) = self.read_pipeline(name)?;
        self.read_with(Arc::new(pipeline), warnings)
    }

    /// Reads the project's file with a pipeline's variables.
    pub(super) fn read_with(
        &self,
        pipeline: Arc<Pipeline>,
        warnings: Vec<Problem>,
    ) -> Result<ReadPipeline, CliError> {
        let mut values = self.values.clone();
        values.variables = pipeline.variables();
        values.variables.extend(self.values.variables.clone());
        never_show(credentials(&values.variables));
        let values = Arc::new(values);
        let project = self.read_project(&values).map_err(problems)?;
        let flags = (self.args, self.connection);
        let sources = sources(self.inputs, flags, &project, &pipeline, None, false);
        let mut base = Base::new(self.inputs.edition, &sources, &self.inputs.env);
        if self.inputs.edition == Edition::Oss {
            let unknown = project.variables_unknown_to_mage();
            base.findings.extend(unknown.into_iter().map(Finding::warning));
        }
        Ok(ReadPipeline { project, pipeline, values, warnings, base })
    }

    /// Reads a pipeline's file.
    pub(super) fn read_pipeline(&self, name: &str) -> Result<(Pipeline, Vec<Problem>), CliError> {
        self.read_in_part(name)?.whole().map_err(problems)
    }

    /// Reads as much of a pipeline's file as there is.
    pub(super) fn read_in_part(&self, name: &str) -> Result<InPart, CliError> {
        let project = &self.inputs.project_dir;
        let path = project.join("pipelines").join(name).join("metadata.yaml");
        if path.symlink_metadata().is_err() || matches!(name, "" | "." | "..") {
            let names = pipelines(project);
            let problem = Problem::new(format!("no pipeline `{name}` in {}", project.display()));
            return Err(CliError::usage(problem.hint(meant(name, &names))));
        }
        let file = read_source(&path, project)?;
        let env = match self.inputs.edition {
            Edition::Pro => self.inputs.env.value("ENV"),
            Edition::Oss => None,
        };
        Ok(Pipeline::parse_in_part(&file, name, env.as_deref()))
    }

    /// Reads the project's file, in which a pipeline's variables may be named; where they are not,
    /// once for all pipelines.
    pub(super) fn read_project(
        &self,
        values: &Arc<TemplateValues>,
    ) -> Result<Arc<Project>, Vec<Problem>> {
        if let Some(project) = self.project.get() {
            return Ok(Arc::clone(project));
        }
        let project = Arc::new(Project::parse(&self.inputs.project_file, values)?);
        for used in project.lookups.iter().filter(|used| used.lookup.kind == LookupKind::Env) {
            // Looked up once more so that one of this process's environment is named.
            let _ = self.inputs.env.get(&used.lookup.name);
        }
        if project.lookups.iter().all(|used| used.lookup.kind != LookupKind::Variable) {
            let _ = self.project.set(Arc::clone(&project));
        }
        Ok(project)
    }

    /// Returns what Jobs the targets of one pipeline mean, in topological order.
    pub(super) fn units(
        &self,
        read: &ReadPipeline,
        targets: &[Option<String>],
        widen: &Widen<'_>,
    ) -> Result<Vec<Unit>, CliError> {
        let ReadPipeline { pipeline, values, .. } = read;
        let whole = targets.iter().any(Option::is_none);
        let one_process = self.inputs.env.value("RUN_PIPELINE_IN_ONE_PROCESS");
        let default = self.default_executor();
        if whole && pipeline.runs_as_one(one_process.as_deref()) {
            refuse_to_skip(pipeline, widen)?;
            let executor = pipeline_executor(pipeline, values, default).map_err(problems)?;
            return Ok(vec![Unit { block: None, executor, upstream: Vec::new() }]);
        }
        let wanted = self.wanted(pipeline, targets, widen)?;
        let mut runs: BTreeMap<usize, Vec<(usize, &String)>> = BTreeMap::new();
        for (position, (index, uuid)) in wanted.iter().enumerate() {
            runs.entry(*index).or_default().push((position, uuid));
        }
        let mut units = Vec::with_capacity(wanted.len());
        for (index, uuid) in &wanted {
            let executor =
                block_executor(pipeline, &pipeline.blocks[*index], values, default.clone());
            let upstream = pipeline.graph().upstream_among(*index, |up| runs.contains_key(&up));
            let mut upstream: Vec<_> =
                upstream.iter().filter_map(|up| runs.get(up)).flatten().collect();
            upstream.sort();
            units.push(Unit {
                block: Some((*index, uuid.clone())),
                executor: executor.map_err(problems)?,
                upstream: upstream.into_iter().map(|(_, uuid)| (*uuid).clone()).collect(),
            });
        }
        Ok(units)
    }

    /// Returns `DEFAULT_EXECUTOR_TYPE` and who has it.
    pub(super) fn default_executor(&self) -> Option<(String, Source)> {
        let found = self.inputs.env.get("DEFAULT_EXECUTOR_TYPE");
        found.map(|found| (found.value, found.source))
    }

    /// Returns the executor of every block; where one cannot be told, Mage's own default.
    pub(super) fn executors(&self, read: &ReadPipeline) -> Vec<ExecutorChoice> {
        let ReadPipeline { pipeline, values, .. } = read;
        let default = self.default_executor();
        let of = |block| block_executor(pipeline, block, values, default.clone());
        pipeline.blocks.iter().map(|block| of(block).unwrap_or_default()).collect()
    }

    /// Returns the blocks to take with the uuids of their runs, in topological order.
    fn wanted(
        &self,
        pipeline: &Pipeline,
        targets: &[Option<String>],
        widen: &Widen<'_>,
    ) -> Result<Vec<(usize, String)>, CliError> {
        // Of one block several runs may be named: `copy:0`, `copy:1`.
        let mut named: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut missing = Vec::new();
        for target in targets.iter().flatten() {
            match pipeline.find(target) {
                Ok(index) => {
                    let block = &pipeline.blocks[index];
                    let uuid =
                        if *target == block.uuid { block.run_uuid() } else { target.clone() };
                    named.entry(index).or_default().push(uuid);
                }
                Err(problem) => missing.push(problem),
            }
        }
        if !missing.is_empty() {
            return Err(problems(missing));
        }
        let graph = pipeline.graph();
        let whole = targets.iter().any(Option::is_none);
        let mut indices: BTreeSet<usize> = if whole {
            (0..pipeline.blocks.len()).collect()
        } else {
            named.keys().copied().collect()
        };
        if widen.upstream {
            indices = graph.with_upstream(&indices);
        }
        if widen.downstream {
            indices = graph.with_downstream(&indices);
        }
        indices.retain(|index| !widen.skip_types.contains(&pipeline.blocks[*index].block_type));
        let runs = |index: usize| {
            let own = pipeline.blocks[index].run_uuid();
            let mut all = named.get(&index).cloned().unwrap_or_default();
            if whole || all.is_empty() {
                all.insert(0, own);
            }
            let mut known = BTreeSet::new();
            all.retain(|uuid| known.insert(uuid.clone()));
            all
        };
        let order = graph.topological();
        let order = order.into_iter().filter(|index| indices.contains(index));
        let wanted: Vec<(usize, String)> = order
            .flat_map(|index| runs(index).into_iter().map(move |uuid| (index, uuid)))
            .collect();
        if wanted.len() > 1 && self.args.block_run_id.is_some() {
            let message = "--block-run-id names the run of one block, but several are selected";
            return Err(CliError::usage(Problem::new(message).hint("name one, PIPELINE/BLOCK")));
        }
        if wanted.is_empty() {
            let problem =
                Problem::new(format!("pipeline `{}` has no blocks to run", pipeline.uuid));
            return Err(CliError::usage(
                problem.hint("charts, markdown and scratchpads never run"),
            ));
        }
        Ok(wanted)
    }

    /// Makes one Job.
    pub(super) fn make(&self, read: &ReadPipeline, unit: &Unit, naming: &Naming) -> Made {
        self.build(read, unit, naming, self.merge(read, unit))
    }

    /// Merges the layers of one Job.
    pub(super) fn merge(&self, read: &ReadPipeline, unit: &Unit) -> MergedLayers {
        merge_layers(self.inputs.edition, &read.base, &self.sources(read, unit))
    }

    /// Merges the layers of one Job, unless that gives the values that another edition gave: what
    /// the two merge alike they build alike.
    pub(super) fn merge_unlike(
        &self,
        read: &ReadPipeline,
        unit: &Unit,
        other: &Tree,
    ) -> Option<MergedLayers> {
        merge_layers_unlike(self.inputs.edition, &read.base, &self.sources(read, unit), other)
    }

    /// Builds a Job of its merged layers.
    pub(super) fn build(
        &self,
        read: &ReadPipeline,
        unit: &Unit,
        naming: &Naming,
        merged: MergedLayers,
    ) -> Made {
        let render = |text: &str, origin: &Origin| render_at(text, origin, &read.values);
        let context = self.context(read, unit.uuid(), naming, &render);
        let job = build(merged.root, merged.merge, &context);
        let secret = job.values.iter().filter(|value| value.secret);
        never_show(secret.filter_map(|value| {
            let text = value.value.as_str().filter(|text| !is_placeholder(text))?;
            let key = match value.path.0.last() {
                Some(Segment::Key(key)) => key,
                _ => "",
            };
            is_credential(key, text).then(|| text.to_owned())
        }));
        let mut made = Made { findings: merged.findings, job, unreadable: false };
        let unreadable = made.errors().next().is_some() || read.is_unreadable();
        made.unreadable = unreadable;
        // What is built of settings that could not be read says nothing of its own.
        if !made.unreadable {
            made.findings.append(&mut made.job.findings);
        }
        if context.command.fidelity == Fidelity::MageOss {
            let server = self.inputs.server.as_ref().filter(|_| unit.executor.is_k8s());
            let job = &made.job;
            let lost = server.and_then(|pod| {
                let named = job.values.iter().find(|v| v.path.to_string() == ".metadata.namespace");
                let origin = named.map(|value| &value.origin);
                server_pod_not_found(pod, &self.inputs.env, &job.namespace, origin)
            });
            made.findings.extend(lost);
        }
        made
    }

    /// Reports on every layer of one Job.
    pub(super) fn layers(&self, read: &ReadPipeline, unit: &Unit) -> Vec<LayerReport> {
        reports(self.inputs.edition, &self.sources(read, unit), &self.inputs.env)
    }

    fn sources<'s>(&'s self, read: &'s ReadPipeline, unit: &Unit) -> LayerSources<'s> {
        let ReadPipeline { project, pipeline, .. } = read;
        let (flags, block) = ((self.args, self.connection), unit.block(pipeline));
        sources(self.inputs, flags, project, pipeline, block, block.is_none())
    }

    fn context<'c>(
        &self,
        read: &ReadPipeline,
        block: Option<&str>,
        naming: &Naming,
        render: &'c dyn Fn(&str, &Origin) -> Result<String, Problem>,
    ) -> BuildContext<'c> {
        let pipeline = &read.pipeline;
        let args = self.args;
        let env = &self.inputs.env;
        let (repo_path, repo_path_source) = self.repo_path();
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
            fidelity: match (self.inputs.edition, naming) {
                (Edition::Oss, Naming::Target) => Fidelity::MageOss,
                _ => Fidelity::Meant,
            },
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
        BuildContext {
            cluster_uuid: env
                .value("MAGE_CLUSTER_UUID")
                .filter(|uuid| !uuid.is_empty())
                .unwrap_or_else(|| "mage".to_owned()),
            trigger_name: args.trigger.clone().unwrap_or_else(|| "manual".to_owned()),
            name_id,
            command,
            default_namespace: self.default_namespace(),
            secrets: Self::secrets(read),
            guardrails: match self.inputs.edition {
                Edition::Pro => guardrails(env),
                Edition::Oss => Vec::new(),
            },
            render,
        }
    }

    /// What templates were given as secrets: it may stand anywhere, by way of `{% set %}`.
    fn secrets(read: &ReadPipeline) -> Vec<String> {
        let ReadPipeline { project, values, .. } = read;
        let looked_up = project.lookups.iter().map(|used| &used.lookup);
        let looked_up = looked_up.filter(|lookup| is_secret_name(&lookup.name));
        let of_name = looked_up.filter_map(|Lookup { kind, name }| match kind {
            LookupKind::Env => values.env.get(name).cloned(),
            LookupKind::Variable => values.variables.get(name)?.as_str().map(str::to_owned),
            _ => None,
        });
        of_name.chain(values.secrets.values().cloned()).collect()
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
                    object: "kubeconfig".into(),
                    field: "namespace of the current context".into(),
                };
                (namespace.clone(), origin(LayerKind::Context, source))
            }
            _ => ("default".to_owned(), origin(LayerKind::Hardcoded, Source::BuiltIn)),
        }
    }

    /// The project's path in the pod, and who says it; a guess is built in.
    pub(super) fn repo_path(&self) -> (String, Source) {
        if let Some(path) = &self.args.repo_path {
            return (path.clone(), Source::Flag { name: "--repo-path".into() });
        }
        let server = self.inputs.server.as_ref();
        if let Some((pod, path)) = server.and_then(|pod| Some((pod, pod.repo_path.clone()?))) {
            let object = format!("pod/{}", pod.name);
            return (path, Source::Object { object: object.into(), field: "command".into() });
        }
        if let Some(found) = self.inputs.env.get("USER_CODE_PATH").filter(|e| !e.value.is_empty()) {
            return (found.value, found.source);
        }
        let folder = self.inputs.project_dir.file_name().unwrap_or_default().to_string_lossy();
        (format!("/home/src/{folder}"), Source::BuiltIn)
    }
}

fn is_secret(name: &str, value: &str) -> bool {
    is_secret_name(name) && is_credential(name, value)
}

/// Returns what variables hold at names that look secret.
fn credentials(variables: &BTreeMap<String, serde_json::Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in variables {
        credentials_in(name, value, &mut found);
    }
    found
}

/// Nothing can be left out of a pipeline that is one Job.
fn refuse_to_skip(pipeline: &Pipeline, widen: &Widen<'_>) -> Result<(), CliError> {
    let skipped = |block: &&Block| widen.skip_types.contains(&block.block_type);
    let Some(block) = pipeline.blocks.iter().find(skipped) else { return Ok(()) };
    let message = format!(
        "pipeline `{}` is one Job, of which --skip-type cannot leave out block `{}`",
        pipeline.uuid, block.uuid
    );
    let problem = Problem::new(message).at(&pipeline.file, block.uuid_span);
    let hint = "name the blocks to run instead, and each has a pod of its own";
    Err(CliError::usage(problem.hint(hint)))
}

/// Makes a usage error of problems.
pub(super) fn problems(problems: Vec<Problem>) -> CliError {
    CliError { exit: crate::exit::Exit::Usage, problems }
}
