//! What the project's files say for one Job, and what is rendered of it.

use std::sync::Arc;

use crate::cli::{ConfigArgs, ConnectionArgs};
use crate::config::{Origin, Source};
use crate::error::Problem;
use crate::load::{Body, Edition, Inputs, LayerSources, LookedFor, Template};
use crate::project::{Block, Pipeline, Project, TemplateValues, render_value};
use crate::yaml::{Node, SourceFile};

/// Renders a template in a value, such as a namespace, and puts problems at the value's place.
pub(super) fn render_at(
    text: &str,
    origin: &Origin,
    values: &Arc<TemplateValues>,
) -> Result<String, Problem> {
    render_value(text, values).map(|(text, _)| text).map_err(|errors| {
        let file = SourceFile::new("", "");
        let first = errors.first().map(|error| error.to_problem(&file));
        let mut problem = first.unwrap_or_else(|| Problem::new("the template cannot be rendered"));
        problem.place = match &origin.source {
            Source::File { file, span } => {
                Some(crate::error::Place { file: Arc::clone(file), span: *span })
            }
            _ => None,
        };
        problem
    })
}

/// Returns what speaks for the Jobs of one block, or of a pipeline where there is none.
pub(super) fn sources<'s>(
    inputs: &'s Inputs,
    (args, connection): (&'s ConfigArgs, &'s ConnectionArgs),
    project: &'s Project,
    pipeline: &'s Pipeline,
    block: Option<&'s Block>,
    whole_pipeline: bool,
) -> LayerSources<'s> {
    let body = |file: &'s Arc<SourceFile>, node: Option<&'s Node>| Some(Body { file, node: node? });
    let env = match inputs.edition {
        Edition::Pro => inputs.env.value("ENV"),
        Edition::Oss => None,
    };
    let overrides = env.as_ref().and_then(|env| project.override_executor_config(env));
    LayerSources {
        template: inputs.template.as_ref().map(|Template { file, node }| Body { file, node }),
        policy: inputs.policy.as_ref(),
        project: body(&project.file, project.executor_config()),
        project_overrides: body(&project.file, overrides),
        pipeline: body(&pipeline.file, pipeline.executor_config()),
        pipeline_overrides: body(&pipeline.file, pipeline.override_executor_config()),
        block: body(&pipeline.file, block.and_then(Block::executor_config)),
        whole_pipeline,
        image: args.image.as_deref(),
        namespace: connection.given_namespace(),
        server: inputs.server.as_ref(),
        looked: LookedFor {
            project_file: &project.file.name,
            pipeline_file: &pipeline.file.name,
            block: block.map(|block| block.uuid.as_str()),
            env,
            server_pod: &args.server_pod,
            offline: args.offline && args.snapshot.is_none(),
            context_namespace: inputs.context_namespace.as_deref(),
        },
    }
}

/// Returns the blocks that `block` waits for and that are not among the runs `upstream`.
pub(super) fn outside(pipeline: &Pipeline, block: &Block, upstream: &[String]) -> Vec<String> {
    let Some(index) = pipeline.blocks.iter().position(|known| known.uuid == block.uuid) else {
        return Vec::new();
    };
    let taken =
        |uuid: &str| upstream.iter().any(|run| run.split(':').next() == uuid.split(':').next());
    let all = pipeline.graph().upstream(index).iter().map(|up| pipeline.blocks[*up].uuid.clone());
    all.filter(|uuid| !taken(uuid)).collect()
}
