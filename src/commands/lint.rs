//! `lint`

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::{out, written};
use super::facts::{connect, connect_for_facts};
use super::maker::{Maker, Naming, ReadPipeline, Unit, Widen};
use super::pages::use_huge_pages;
use super::snapshot::fill;
use super::targets::{Selected, pipelines, secrets, selection, variables};
use crate::cli::{ConfigArgs, EditionChoice, FailOn, LintArgs, LintFormat, LintOutput};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::finding::{Finding, Severity};
use crate::lint::report::{Context, closing, github, json, sarif, text};
use crate::lint::{
    Collected, Found, JobFacts, PipelineFacts, ProjectFacts, Reported, Summary, fixed, ignores,
};
use crate::load::{
    ClusterFacts, Edition, block_files, find_project, read_inputs, read_server_env, replace_file,
    report_root,
};
use crate::project::{
    ExecutorChoice, InPart, LookupKind, Missing, Pipeline, Project, TemplateValues,
};
use crate::snapshot::Snapshot;
use crate::ui::{ColorWhen, Printer, Verbosity, manifest, told_without_secrets};
use crate::yaml::{SourceFile, Span};

/// Tells everything wrong or doubtful.
pub(super) fn lint(args: &LintArgs, printer: Printer) -> Result<Exit, CliError> {
    let stdout = args.output.iter().filter(|output| output.file.is_none()).count();
    if stdout > 1 {
        let problem = Problem::new("two formats cannot both go to stdout");
        return Err(CliError::usage(problem.hint("write one to a file, `-o sarif=FILE`")));
    }
    use_huge_pages();
    let project = find_project(args.config.project.as_deref())?;
    let env = read_server_env(&args.config)?;
    let (mut facts, connected, mut notices) =
        connect_for_facts(&args.config, &args.connection, &env)?;
    if args.live {
        let connected = match connected {
            Some(connected) => connected,
            None => connect(&args.connection)?,
        };
        // Jobs that cannot be made are told as findings.
        let quiet = Printer::new(ColorWhen::Never, Verbosity::Quiet);
        fill((&args.config, &args.connection), &mut facts, &connected, quiet)?;
    }
    let mut looked = look(args, &facts)?;
    notices.append(&mut looked.notices);
    for notice in &notices {
        printer.notice(notice);
    }
    if args.fix {
        let changed = mend(&looked.found, &project, printer)?;
        if changed > 0 {
            // What is left is told as the files are now.
            looked = look(args, &facts)?;
            looked.context.fixed = changed;
        }
    }
    let summary = Summary::of(&looked.found);
    for output in &args.output {
        report(output, &looked, &summary, printer)?;
    }
    let fails = match args.fail_on {
        FailOn::Error => summary.errors > 0,
        FailOn::Warning => summary.errors + summary.warnings > 0,
    };
    Ok(if fails { Exit::No } else { Exit::Fine })
}

/// What a look at the project found.
pub(super) struct Looked {
    pub(super) found: Vec<Reported>,
    notices: Vec<String>,
    context: Context,
}

/// Looks at everything; live or with a snapshot, also at what the cluster says.
pub(super) fn look(args: &LintArgs, facts: &ClusterFacts) -> Result<Looked, CliError> {
    let inputs = &read_inputs(&args.config, read_server_env(&args.config)?, facts)?;
    let other = match inputs.edition {
        Edition::Oss => EditionChoice::Pro,
        Edition::Pro => EditionChoice::Oss,
    };
    let other = ConfigArgs { edition: other, ..args.config.clone() };
    let other = &read_inputs(&other, read_server_env(&args.config)?, facts)?;
    let selected = match args.targets.as_slice() {
        [] => pipelines(&inputs.project_dir).into_iter().map(|name| (name, vec![None])).collect(),
        targets => selection(targets, &inputs.project_dir)?,
    };
    let values = TemplateValues {
        env: inputs.env.all(),
        variables: variables(&args.config),
        secrets: secrets(&args.config)?,
        unset: if args.config.allow_unset { Missing::Empty } else { Missing::Placeholder },
        missing_secret: Missing::Placeholder,
    };
    let asked = args.live || args.config.snapshot.is_some();
    let looking = Looking {
        cluster: asked.then_some(&facts.snapshot),
        maker: Maker::new(&args.config, &args.connection, inputs, values.clone()),
        other: Maker::new(&args.config, &args.connection, other, values),
        shared: Mutex::new(Shared::default()),
    };
    looking.inputs();
    looking.project();
    looking.all(&selected)?;
    let Shared { collected, files, jobs } =
        looking.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut found = ignores(&files, collected.sorted());
    for reported in &mut found {
        // Only now is every secret known.
        let problem = std::mem::replace(&mut reported.finding.problem, Problem::new(""));
        reported.finding.problem = told_without_secrets(problem);
    }
    if args.strict {
        strictly(&mut found);
    }
    let context = Context {
        project: inputs.project_dir.clone(),
        root: report_root(&inputs.project_dir),
        pipelines: selected.len(),
        jobs,
        fixed: 0,
    };
    Ok(Looked { found, notices: inputs.notices.clone(), context })
}

/// With `--strict`, an enforced policy that overrides what a user set is an error.
fn strictly(found: &mut [Reported]) {
    for reported in found {
        if reported.rule.name == "policy-conflict" {
            reported.finding.severity = Severity::Error;
        }
    }
}

#[derive(Default)]
struct Shared {
    collected: Collected,
    /// Files with inline ignores in them.
    files: Vec<Arc<SourceFile>>,
    jobs: usize,
}

struct Looking<'a> {
    maker: Maker<'a>,
    /// Makes the Jobs of the other edition.
    other: Maker<'a>,
    /// What a cluster says, where one was asked.
    cluster: Option<&'a Snapshot>,
    shared: Mutex<Shared>,
}

impl Looking<'_> {
    fn share(&self, own: Own) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.collected.append(own.collected);
        shared.files.extend(own.files);
        shared.jobs += own.jobs;
    }

    /// Takes what was found while the inputs were read.
    fn inputs(&self) {
        let inputs = self.maker.inputs;
        let mut own = Own::default();
        own.errors(&inputs.errors);
        own.warnings(&inputs.warnings);
        own.file(&inputs.project_file);
        own.files.extend(inputs.template.iter().map(|body| Arc::clone(&body.file)));
        own.files.extend(inputs.policy.iter().map(|policy| Arc::clone(&policy.file)));
        self.share(own);
    }

    /// Looks at the project as a whole; a pipeline's variables are not known here.
    fn project(&self) {
        let values = Arc::new(self.maker.values.clone());
        let mut own = Own::default();
        match self.maker.read_project(&values) {
            Ok(project) => {
                own.project(&project, None);
                let mut found = Found::default();
                found.check_project(&ProjectFacts {
                    inputs: self.maker.inputs,
                    project: &project,
                    cluster: self.cluster,
                });
                own.findings(found.findings, None);
            }
            Err(problems) => own.errors(&problems),
        }
        self.share(own);
    }

    /// Looks at every pipeline, on as many threads as there are processors.
    fn all(&self, selected: &[Selected]) -> Result<(), CliError> {
        let next = AtomicUsize::new(0);
        let failed = Mutex::new(None);
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(selected.len()) {
                scope.spawn(|| {
                    let mut own = Own::default();
                    while let Some((name, targets)) =
                        selected.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        if let Err(error) = self.pipeline(name, targets, &mut own) {
                            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        }
                    }
                    self.share(own);
                });
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Looks at one pipeline and its Jobs. Only a target that does not exist is an error.
    fn pipeline(
        &self,
        name: &str,
        targets: &[Option<String>],
        own: &mut Own,
    ) -> Result<(), CliError> {
        let InPart { pipeline, warnings, problems } = match self.maker.read_in_part(name) {
            Ok(read) => read,
            Err(error) if !pipelines(&self.maker.inputs.project_dir).iter().any(|n| n == name) => {
                return Err(error);
            }
            Err(error) => InPart { problems: error.problems, ..InPart::default() },
        };
        own.warnings(&warnings);
        own.errors(&problems);
        let Some(pipeline) = pipeline else {
            self.project_alone(name, own);
            return Ok(());
        };
        own.file(&pipeline.file);
        let Ok(read) = self.maker.read_with(Arc::new(pipeline), warnings) else {
            // The project's own errors have been told.
            return Ok(());
        };
        own.project(&read.project, Some(name));
        own.found(read.base.findings.clone(), Some(name));
        if read.pipeline.blocks.is_empty() && !targets.iter().any(Option::is_some) {
            return Ok(());
        }
        let units = match self.maker.units(&read, targets, &Widen::default()) {
            Ok(units) => units,
            Err(error) if error.problems.iter().all(|problem| problem.place.is_none()) => {
                return Err(error);
            }
            Err(error) => {
                own.errors(&error.problems);
                return Ok(());
            }
        };
        self.check_pipeline(&read, &units, own);
        let other = self.other_read(&read);
        for unit in &units {
            self.job(&read, other.as_ref(), unit, own);
        }
        Ok(())
    }

    /// Looks at what the layers below say of a Job of a pipeline that cannot be read.
    fn project_alone(&self, name: &str, own: &mut Own) {
        let file = SourceFile::new(name, "{}");
        let Ok((pipeline, _)) = Pipeline::parse(&file, name, None) else { return };
        let Ok(read) = self.maker.read_with(Arc::new(pipeline), Vec::new()) else { return };
        let unit = Unit { block: None, executor: ExecutorChoice::default(), upstream: Vec::new() };
        let made = self.maker.make(&read, &unit, &Naming::Target);
        let found = read.base.findings.into_iter().chain(made.findings);
        // What nobody says, the pipeline may say.
        let is_said = |finding: &Finding| finding.problem.place.is_some();
        own.found(found.filter(is_said).collect(), None);
    }

    fn check_pipeline(&self, read: &ReadPipeline, units: &[Unit], own: &mut Own) {
        let executors: Vec<_> = self.maker.executors(read);
        let files = block_files(&self.maker.inputs.project_dir, &read.pipeline);
        let process = units.iter().find(|unit| unit.block.is_none());
        let mut found = Found::default();
        found.check_pipeline(&PipelineFacts {
            inputs: self.maker.inputs,
            project: &read.project,
            pipeline: &read.pipeline,
            block_files: &files,
            executors: &executors,
            one_job: process.is_some(),
            process_executor: process.map(|unit| &unit.executor),
        });
        own.findings(found.findings, None);
    }

    /// Reads the pipeline as the other edition does.
    fn other_read(&self, read: &ReadPipeline) -> Option<ReadPipeline> {
        if read.pipeline.entry("overrides").is_some() {
            return self.other.read(&read.pipeline.uuid).ok();
        }
        self.other.read_with(Arc::clone(&read.pipeline), Vec::new()).ok()
    }

    fn job(&self, read: &ReadPipeline, other: Option<&ReadPipeline>, unit: &Unit, own: &mut Own) {
        own.jobs += 1;
        let merged = self.maker.merge(read, unit);
        let other = other.and_then(|other| {
            let unit = unit.of(&read.pipeline, &other.pipeline)?;
            let theirs = self.other.merge_unlike(other, &unit, &merged.root)?;
            Some((other, unit, theirs))
        });
        let made = self.maker.build(read, unit, &Naming::Target, merged);
        let target = match unit.uuid() {
            Some(uuid) => format!("{}/{uuid}", read.pipeline.uuid),
            None => read.pipeline.uuid.clone(),
        };
        let broken = made.unreadable;
        own.found(made.findings, Some(&target));
        if broken {
            return;
        }
        let other = other.and_then(|(other, unit, merged)| {
            let made = self.other.build(other, &unit, &Naming::Target, merged);
            (!made.unreadable).then_some(made.job)
        });
        let mut found = Found::default();
        found.check_job(&JobFacts {
            inputs: self.maker.inputs,
            project: &read.project,
            pipeline: &read.pipeline,
            block: unit.block(&read.pipeline),
            index: unit.block.as_ref().map(|(index, _)| *index),
            executor: &unit.executor,
            job: &made.job,
            cluster: self.cluster,
            other_edition: other.as_ref(),
        });
        own.findings(found.findings, Some(&target));
    }
}

/// What one thread found.
#[derive(Default)]
struct Own {
    collected: Collected,
    files: Vec<Arc<SourceFile>>,
    jobs: usize,
}

impl Own {
    fn findings(&mut self, findings: Vec<Finding>, job: Option<&str>) {
        for finding in findings {
            self.collected.add(finding, job);
        }
    }

    /// Takes what was found on the way.
    fn found(&mut self, findings: Vec<Finding>, job: Option<&str>) {
        for finding in findings {
            self.collected.add_found(finding, job);
        }
    }

    fn errors(&mut self, problems: &[Problem]) {
        self.found(problems.iter().cloned().map(Finding::error).collect(), None);
    }

    fn warnings(&mut self, problems: &[Problem]) {
        self.found(problems.iter().cloned().map(Finding::warning).collect(), None);
    }

    fn file(&mut self, file: &Arc<SourceFile>) {
        if file.text.contains("mage-lint:") {
            self.files.push(Arc::clone(file));
        }
    }

    /// Takes what reading the project's file found, for a pipeline's variables or for none.
    fn project(&mut self, project: &Project, pipeline: Option<&str>) {
        self.warnings(&project.warnings);
        for used in project.lookups.iter().filter(|used| !used.found) {
            let is_variable = used.lookup.kind == LookupKind::Variable;
            if is_variable && (pipeline.is_none() || is_in_namespace(project, used.span))
                || concerns_no_job(project, used.span)
            {
                continue;
            }
            let mut problem = used.lookup.problem();
            if let Some(span) = used.span {
                problem = problem.at(&project.file, span);
            }
            self.collected.add_found(Finding::warning(problem), None);
        }
    }
}

/// Tells whether a place is in the project's namespace, where a run's own variables are due.
fn is_in_namespace(project: &Project, span: Option<Span>) -> bool {
    let namespace = project.executor_config().and_then(|config| config.get("namespace"));
    namespace.zip(span).is_some_and(|(node, span)| {
        node.span.start.offset <= span.start.offset && span.end.offset <= node.span.end.offset
    })
}

/// Keys of the project that have to do with Jobs.
const ABOUT_JOBS: [&str; 6] = [
    "k8s_executor_config",
    "overrides",
    "queue_config",
    "remote_variables_dir",
    "retry_config",
    "variables_dir",
];

/// Tells whether a place is below a key that has nothing to do with Jobs: every project that Mage
/// makes asks for the addresses of Slack and Teams there, and nobody need have them.
fn concerns_no_job(project: &Project, span: Option<Span>) -> bool {
    let entries = project.root.as_mapping().map(|root| root.entries.as_slice());
    let entries = entries.unwrap_or_default().iter();
    span.is_some_and(|span| {
        entries.filter_map(|entry| Some((entry.key.as_str()?, entry))).any(|(key, entry)| {
            !ABOUT_JOBS.contains(&key)
                && entry.key.span.start.offset < span.start.offset
                && span.end.offset <= entry.value.span.end.offset
        })
    })
}

/// Writes the files that fixes change. Returns how many.
fn mend(found: &[Reported], project: &Path, printer: Printer) -> Result<usize, CliError> {
    let mut changed = 0;
    for file in fixed(found) {
        let name = &file.file.name;
        if name.ends_with(" (rendered)")
            || name.starts_with("configmap/")
            || name.starts_with("secret/")
        {
            continue;
        }
        let path = project.join(name);
        if leads_out(&path, project) {
            printer.warning(&format!(
                "{name} is not mended: it is a link to a file outside of the project"
            ));
            continue;
        }
        replace_file(&path, &file.file.text, &file.text)?;
        printer.notice(&format!("{name}: {}", file.done.join(", ")));
        changed += 1;
    }
    Ok(changed)
}

/// Tells whether a file of the project is in truth elsewhere. One that a flag names may be anywhere.
fn leads_out(path: &Path, project: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.starts_with(project) && !real(path).starts_with(real(project))
}

fn report(
    output: &LintOutput,
    looked: &Looked,
    summary: &Summary,
    printer: Printer,
) -> Result<(), CliError> {
    let Looked { found, context, .. } = looked;
    let data = match output.format {
        LintFormat::Text => {
            let terminal = output.file.is_none() && printer.stdout_is_terminal();
            let painted = text(found, terminal) + &closing(summary, context);
            match &output.file {
                None => return written(printer.painted(&painted)),
                Some(_) => anstream::adapter::strip_str(&painted).to_string(),
            }
        }
        LintFormat::Json => manifest::json(&json(found, summary, context)),
        LintFormat::Sarif => manifest::json(&sarif(found, context)),
        LintFormat::Github => github(found, context),
    };
    match &output.file {
        None => out(printer, &data),
        Some(path) => crate::load::write_file(path, &data),
    }
}
