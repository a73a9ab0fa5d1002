//! Which executor a block runs on (`mage_ai/data_preparation/executors/executor_factory.py`).

use std::sync::Arc;

use super::block::Block;
use super::jinja::{TemplateValues, render_value};
use super::pipeline::Pipeline;
use crate::config::{LayerKind, Source};
use crate::error::Problem;
use crate::yaml::Node;

/// The types Mage has.
pub const TYPES: [&str; 7] = [
    "azure_container_instance",
    "ecs",
    "gcp_cloud_run",
    "k8s",
    "local_python",
    "local_python_force",
    "pyspark",
];

/// One place that was asked for an executor.
#[derive(Clone, Debug)]
pub struct ExecutorStep {
    /// Who was asked: `block`, `pipeline`, `DEFAULT_EXECUTOR_TYPE`, `built in`.
    pub asked: &'static str,
    /// What it said.
    pub value: Option<String>,
    /// The layer it belongs to.
    pub layer: LayerKind,
    /// Where it says so.
    pub source: Option<Source>,
    /// The template that gave the value, as written.
    pub expression: Option<String>,
}

/// The executor of a block, and how it was found.
#[derive(Clone, Debug, Default)]
pub struct ExecutorChoice {
    /// Its name.
    pub executor: String,
    /// Who was asked, in order; the last one decided.
    pub steps: Vec<ExecutorStep>,
    /// Who would have been asked next.
    pub unasked: Vec<ExecutorStep>,
}

impl ExecutorChoice {
    /// Tells whether Mage makes a Kubernetes Job of it.
    #[must_use]
    pub fn is_k8s(&self) -> bool {
        self.executor == "k8s"
    }

    /// Tells whether Mage has it; every other one runs in the server itself.
    #[must_use]
    pub fn is_known(&self) -> bool {
        TYPES.contains(&self.executor.as_str())
    }

    /// Tells whether it runs where no `executor_config` is read.
    #[must_use]
    pub fn reads_no_config(&self) -> bool {
        matches!(self.executor.as_str(), "local_python" | "local_python_force" | "pyspark")
    }

    /// Returns who decided: `block`, `pipeline`, `DEFAULT_EXECUTOR_TYPE`, `built in`.
    #[must_use]
    pub fn decided_by(&self) -> &'static str {
        self.steps.last().map_or("built in", |step| step.asked)
    }

    /// Says in one line which executor it is and why.
    #[must_use]
    pub fn explain(&self) -> String {
        let known = if self.is_known() { "" } else { " (unknown: it runs in the server)" };
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| match &step.value {
                Some(value) => format!("{} says {value}", step.asked),
                None => format!("{} says nothing", step.asked),
            })
            .collect();
        format!("executor {}{known}, because {}", self.executor, steps.join(", "))
    }
}

/// Sorts the places into those that Mage asks and those that it does not: `local_python` and nothing
/// at all ask on, and the last place, which is built in, always decides.
fn choose(places: Vec<ExecutorStep>) -> ExecutorChoice {
    let names_one = |step: &ExecutorStep| {
        step.asked == BUILT_IN || step.value.as_deref().is_some_and(|name| name != "local_python")
    };
    let decided = places.iter().position(names_one).unwrap_or(places.len() - 1);
    let mut steps = places;
    let unasked = steps.split_off(decided + 1);
    let executor = steps[decided].value.clone().unwrap_or_else(|| "local_python".to_owned());
    ExecutorChoice { executor, steps, unasked }
}

/// Reads what a node says; it may be a template.
fn asked(
    asked: &'static str,
    layer: LayerKind,
    node: Option<&Node>,
    pipeline: &Pipeline,
    values: &Arc<TemplateValues>,
) -> Result<ExecutorStep, Vec<Problem>> {
    let mut step = ExecutorStep { asked, value: None, layer, source: None, expression: None };
    let Some((node, text)) = node.and_then(|node| Some((node, node.as_str()?))) else {
        return Ok(step);
    };
    let problem = |error: &super::TemplateError| {
        error.to_problem(&pipeline.file).at(&pipeline.file, node.span)
    };
    let (value, _) = render_value(text, values)
        .map_err(|errors| errors.iter().map(problem).collect::<Vec<_>>())?;
    step.source = Some(Source::File { file: Arc::clone(&pipeline.file), span: node.span });
    step.expression = (value != text).then(|| text.to_owned());
    step.value = Some(value).filter(|value| !value.is_empty());
    Ok(step)
}

const BUILT_IN: &str = "built in";

/// Resolves a block's executor: the block, then the pipeline, then `DEFAULT_EXECUTOR_TYPE`, each
/// asked when the one before says nothing or `local_python`.
pub fn block_executor(
    pipeline: &Pipeline,
    block: &Block,
    values: &Arc<TemplateValues>,
    default: Option<(String, Source)>,
) -> Result<ExecutorChoice, Vec<Problem>> {
    if pipeline.pipeline_type() == "pyspark" {
        return pipeline_executor(pipeline, values, default);
    }
    let own = asked("block", LayerKind::Block, block.executor_type(), pipeline, values)?;
    let decided = own.value.as_deref().is_some_and(|name| name != "local_python");
    let rest = match pipeline_places(pipeline, values, default) {
        // Mage does not render what it does not ask.
        Err(_) if decided => Vec::new(),
        rest => rest?,
    };
    Ok(choose(std::iter::once(own).chain(rest).collect()))
}

/// Resolves the executor of a whole pipeline.
pub fn pipeline_executor(
    pipeline: &Pipeline,
    values: &Arc<TemplateValues>,
    default: Option<(String, Source)>,
) -> Result<ExecutorChoice, Vec<Problem>> {
    pipeline_places(pipeline, values, default).map(choose)
}

fn pipeline_places(
    pipeline: &Pipeline,
    values: &Arc<TemplateValues>,
    default: Option<(String, Source)>,
) -> Result<Vec<ExecutorStep>, Vec<Problem>> {
    let layer = |property: &str| match &pipeline.overrides {
        Some(overrides) if overrides.get(property).is_some() => LayerKind::PipelineOverrides,
        _ => LayerKind::Pipeline,
    };
    if pipeline.pipeline_type() == "pyspark" {
        let node = pipeline.property("type");
        return Ok(vec![asked("the pipeline's type", layer("type"), node, pipeline, values)?]);
    }
    let own = pipeline.property("executor_type").filter(|node| !node.is_null());
    let own = asked("pipeline", layer("executor_type"), own, pipeline, values)?;
    // Mage compares with the names of its enum's members, so any case is valid here.
    let default = default.filter(|(name, _)| TYPES.contains(&name.to_lowercase().as_str()));
    let (value, source) = default.unzip();
    let step = |asked, layer, value, source| ExecutorStep {
        asked,
        value,
        layer,
        source,
        expression: None,
    };
    let built_in = Some("local_python".to_owned());
    Ok(vec![
        own,
        step("DEFAULT_EXECUTOR_TYPE", LayerKind::Env, value, source),
        step(BUILT_IN, LayerKind::Hardcoded, built_in, Some(Source::BuiltIn)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::SourceFile;

    fn resolve(pipeline: &str, block: &str, default: Option<&str>) -> ExecutorChoice {
        let text = format!("{pipeline}\nblocks:\n- {{uuid: a, type: custom{block}}}\n");
        let (pipeline, _) =
            Pipeline::parse(&SourceFile::new("p", text), "p", None).expect("a pipeline");
        let values = Arc::new(TemplateValues::default());
        let default = default.map(|name| (name.to_owned(), Source::BuiltIn));
        block_executor(&pipeline, &pipeline.blocks[0], &values, default).unwrap()
    }

    #[test]
    fn the_chain_is_mages() {
        let name = |p, b, d| resolve(p, b, d).executor;
        assert_eq!(name("", "", None), "local_python");
        assert_eq!(name("", ", executor_type: k8s", None), "k8s");
        assert_eq!(name("executor_type: k8s", ", executor_type: local_python", None), "k8s");
        assert_eq!(name("executor_type: local_python", "", Some("k8s")), "k8s");
        assert_eq!(
            name("", ", executor_type: local_python_force", Some("k8s")),
            "local_python_force"
        );
        assert_eq!(name("", "", Some("nonsense")), "local_python");
        assert_eq!(name("type: pyspark", ", executor_type: k8s", None), "pyspark");
        assert_eq!(name("", ", executor_type: K8S", None), "K8S");
        let choice = resolve("executor_type: k8s", "", None);
        assert_eq!(choice.explain(), "executor k8s, because block says nothing, pipeline says k8s");
    }
}
