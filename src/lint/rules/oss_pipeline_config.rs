//! A pipeline's `executor_config`, which Mage OSS does not read for blocks.

use crate::lint::{Check, Example, Found, PipelineFacts, Rule};
use crate::error::Problem;
use crate::load::Edition;
use crate::project::ExecutorChoice;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssPipelineConfig,
    code: "MAGE413",
    name: "oss-pipeline-config",
    severity: Severity::Warning,
    summary: "a pipeline's `executor_config`, which Mage OSS does not read for blocks",
    explanation: "Mage OSS reads the pipeline's own `executor_config` only where the whole pipeline is one Job (streaming, `run_pipeline_in_one_process`). For block runs it does nothing; Mage Pro merges it between project and block.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\n«executor_config»:\n  resource_limits: {memory: 4Gi}\nblocks:\n- uuid: load\n  type: data_loader\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    let in_kubernetes = || facts.executors.iter().any(ExecutorChoice::is_k8s);
    if facts.edition() != Edition::Oss || facts.one_job || !in_kubernetes() {
        return;
    }
    // Mage's UI writes an empty one.
    if let Some(entry) = facts.pipeline.entry("executor_config").filter(|e| e.value.is_truthy()) {
        let message = "Mage OSS does not read a pipeline's `executor_config` for its blocks";
        let problem = Problem::new(message).at(&facts.pipeline.file, entry.key.span);
        found.push(problem.hint("write it in each block, or in the project"));
    }
}
