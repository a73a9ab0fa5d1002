//! Which executor a block runs on (`mage_ai/data_preparation/executors/executor_factory.py`).

use std::sync::Arc;

use super::block::Block;
use super::jinja::{TemplateValues, render_value};
use super::pipeline::Pipeline;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutorStep {
    /// Who was asked: `block`, `pipeline`, `DEFAULT_EXECUTOR_TYPE`, `built in`.
    pub asked: &'static str,
    /// What it said.
    pub value: Option<String>,
}

/// The executor of a block, and how it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutorChoice {
    /// Its name.
    pub executor: String,
    /// Who was asked, in order; the last one decided.
    pub steps: Vec<ExecutorStep>,
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
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| match &step.value {
                Some(value) => format!("{} says {value}", step.asked),
                None => format!("{} says nothing", step.asked),
            })
            .collect();
        let known = if self.is_known() { "" } else { " (unknown: it runs in the server)" };
        format!("executor {}{known}, because {}", self.executor, steps.join(", "))
    }
}

struct Chain {
    steps: Vec<ExecutorStep>,
}

impl Chain {
    /// Asks one place; returns its answer if it decides. `local_python` asks on.
    fn ask(&mut self, asked: &'static str, value: Option<String>) -> Option<String> {
        let value = value.filter(|value| !value.is_empty());
        self.steps.push(ExecutorStep { asked, value: value.clone() });
        value.filter(|value| value != "local_python")
    }

    fn decided(self, executor: String) -> ExecutorChoice {
        ExecutorChoice { executor, steps: self.steps }
    }
}

fn rendered(
    node: Option<&Node>,
    pipeline: &Pipeline,
    values: &Arc<TemplateValues>,
) -> Result<Option<String>, Vec<Problem>> {
    let Some((node, text)) = node.and_then(|node| Some((node, node.as_str()?))) else {
        return Ok(None);
    };
    let problem = |error: &super::TemplateError| {
        error.to_problem(&pipeline.file).at(&pipeline.file, node.span)
    };
    match render_value(text, values) {
        Ok((text, _)) => Ok(Some(text)),
        Err(errors) => Err(errors.iter().map(problem).collect()),
    }
}

/// Resolves a block's executor: the block, then the pipeline, then `DEFAULT_EXECUTOR_TYPE`, each
/// asked when the one before says nothing or `local_python`.
pub fn block_executor(
    pipeline: &Pipeline,
    block: &Block,
    values: &Arc<TemplateValues>,
    default: Option<String>,
) -> Result<ExecutorChoice, Vec<Problem>> {
    let mut chain = Chain { steps: Vec::new() };
    if pipeline.pipeline_type() == "pyspark" {
        return from_pipeline(chain, pipeline, values, default);
    }
    let own = rendered(block.executor_type(), pipeline, values)?;
    if let Some(executor) = chain.ask("block", own) {
        return Ok(chain.decided(executor));
    }
    from_pipeline(chain, pipeline, values, default)
}

/// Resolves the executor of a whole pipeline.
pub fn pipeline_executor(
    pipeline: &Pipeline,
    values: &Arc<TemplateValues>,
    default: Option<String>,
) -> Result<ExecutorChoice, Vec<Problem>> {
    from_pipeline(Chain { steps: Vec::new() }, pipeline, values, default)
}

fn from_pipeline(
    mut chain: Chain,
    pipeline: &Pipeline,
    values: &Arc<TemplateValues>,
    default: Option<String>,
) -> Result<ExecutorChoice, Vec<Problem>> {
    if pipeline.pipeline_type() == "pyspark" {
        chain.ask("the pipeline's type", Some("pyspark".to_owned()));
        return Ok(chain.decided("pyspark".to_owned()));
    }
    let own = pipeline.property("executor_type").filter(|node| !node.is_null());
    if let Some(executor) = chain.ask("pipeline", rendered(own, pipeline, values)?) {
        return Ok(chain.decided(executor));
    }
    // Mage compares with the names of its enum's members, so any case is valid here.
    let default = default.filter(|name| TYPES.contains(&name.to_lowercase().as_str()));
    if let Some(executor) = chain.ask("DEFAULT_EXECUTOR_TYPE", default) {
        return Ok(chain.decided(executor));
    }
    chain.ask("built in", Some("local_python".to_owned()));
    Ok(chain.decided("local_python".to_owned()))
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
        block_executor(&pipeline, &pipeline.blocks[0], &values, default.map(str::to_owned)).unwrap()
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
