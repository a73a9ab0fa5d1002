//! `graph`

use std::sync::Arc;

use super::entry::out;
use super::facts::connect_for_facts;
use super::maker::{Maker, problems};
use super::targets::{secrets, selection, variables};
use crate::cli::{GraphArgs, GraphOutput};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::graph::{Picture, mermaid, text};
use crate::load::{Inputs, find_project, read_inputs, read_server_env};
use crate::project::{Missing, Pipeline, TemplateValues, block_executor, pipeline_executor};
use crate::ui::{Printer, without_secrets};

/// Prints the graph of a pipeline's blocks.
pub(super) fn graph(args: &GraphArgs, printer: Printer) -> Result<Exit, CliError> {
    let config = &args.config;
    find_project(config.project.as_deref())?;
    let env = read_server_env(config)?;
    let (facts, _, notices) = connect_for_facts(config, &args.connection, &env)?;
    for notice in &notices {
        printer.notice(notice);
    }
    let inputs = read_inputs(config, env, &facts)?;
    for notice in &inputs.notices {
        printer.notice(notice);
    }
    let name = pipeline_name(args, &inputs)?;
    let values = TemplateValues {
        env: inputs.env.all(),
        variables: variables(config),
        secrets: secrets(config)?,
        unset: if config.allow_unset { Missing::Empty } else { Missing::Error },
        missing_secret: Missing::Placeholder,
    };
    let maker = Maker::new(config, &args.connection, &inputs, values);
    let (pipeline, warnings) = maker.read_pipeline(&name)?;
    for warning in inputs.warnings.iter().chain(&warnings) {
        printer.problem_warning(warning);
    }
    let picture = picture(&pipeline, &maker)?;
    let text = match args.output {
        GraphOutput::Text => text(&picture),
        GraphOutput::Mermaid => mermaid(&picture),
    };
    out(printer, &without_secrets(&text))?;
    Ok(Exit::Fine)
}

fn pipeline_name(args: &GraphArgs, inputs: &Inputs) -> Result<String, CliError> {
    if let Some((pipeline, _)) = args.pipeline.as_deref().and_then(|name| name.split_once('/')) {
        let problem = Problem::new("graph shows a whole pipeline, and a block is named");
        return Err(CliError::usage(problem.hint(format!("name the pipeline alone: {pipeline}"))));
    }
    let targets: Vec<String> = args.pipeline.iter().cloned().collect();
    let (name, _) = selection(&targets, &inputs.project_dir)?.remove(0);
    Ok(name)
}

fn picture(pipeline: &Pipeline, maker: &Maker<'_>) -> Result<Picture, CliError> {
    let env = &maker.inputs.env;
    let mut values = maker.values.clone();
    values.variables = pipeline.variables();
    values.variables.extend(maker.values.variables.clone());
    let values = Arc::new(values);
    let default = maker.default_executor();
    let one_process = env.value("RUN_PIPELINE_IN_ONE_PROCESS");
    let one_job = if pipeline.runs_as_one(one_process.as_deref()) {
        Some(pipeline_executor(pipeline, &values, default.clone()).map_err(problems)?)
    } else {
        None
    };
    let only_k8s = maker.args.only_k8s;
    let executor = |index: usize| {
        let block = &pipeline.blocks[index];
        let choice = block_executor(pipeline, block, &values, default.clone());
        choice.map(|choice| Some(choice).filter(|choice| !only_k8s || choice.is_k8s()))
    };
    Picture::new(pipeline, one_job, &executor).map_err(problems)
}
