//! A setting that one process, or its absence, defeats.

use crate::error::Problem;
use crate::yaml::{Node, Span};
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OneProcess,
    code: "MAGE208",
    name: "one-process",
    severity: Severity::Warning,
    summary: "a setting that does nothing because the pipeline runs in one process, or because it does not",
    explanation: "With `run_pipeline_in_one_process: true`, and in streaming pipelines, the whole pipeline is one Job. Then `executor_config` and `executor_type` of blocks are not read (give them to the pipeline), blocks run one after the other even where the graph would let them run at once, and `concurrency_config.block_run_limit` is not enforced.\n\nWithout it each block has a process of its own, and `cache_block_output_in_memory` does nothing: outputs go through storage that all pods share.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nrun_pipeline_in_one_process: true\nblocks:\n- uuid: load\n  type: data_loader\n  «executor_config»:\n    resource_limits: {memory: 4Gi}\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    let pipeline = facts.pipeline;
    if !facts.one_process() {
        let cached = pipeline.property("cache_block_output_in_memory");
        if let Some(node) = cached.filter(|node| node.is_truthy()) {
            let message = "`cache_block_output_in_memory` does nothing: each block runs by itself";
            let problem = Problem::new(message).at(&pipeline.file, node.span);
            let hint = "set `run_pipeline_in_one_process: true`, or leave it out";
            found.push_as(Severity::Note, problem.hint(hint));
        }
        return;
    }
    blocks(facts, found);
    if let Some(node) = pipeline.property("concurrency_config").and_then(|n| n.get("block_run_limit"))
        && !node.is_null()
    {
        let message = "`block_run_limit` does nothing: the pipeline runs in one process";
        let problem = Problem::new(message).at(&pipeline.file, node.span);
        found.push_as(Severity::Note, problem.hint("blocks run one after the other anyway"));
    }
    let asked = pipeline.entry("run_pipeline_in_one_process");
    if let (Some(entry), Some((one, other))) = (asked, at_once(facts)) {
        let message = format!("`{one}` and `{other}` could run at once, but in one process do not");
        let problem = Problem::new(message).at(&pipeline.file, entry.key.span);
        found.push_as(Severity::Note, problem.hint("leave it out, and each block has its own pod"));
    }
}

/// Tells of what blocks set for themselves.
fn blocks(facts: &PipelineFacts<'_>, found: &mut Found) {
    let pipeline = facts.pipeline;
    let mut push = |key: &str, uuid: &str, span: Span| {
        let message =
            format!("`{key}` of block `{uuid}` is not read: the pipeline runs in one process");
        let problem = Problem::new(message).at(&pipeline.file, span);
        found.push(problem.hint(format!("move it to the pipeline's `{key}`")));
    };
    for block in &pipeline.blocks {
        let Some(mapping) = block.node.as_mapping() else { continue };
        if let Some(entry) = mapping.entry("executor_config").filter(|e| e.value.is_truthy()) {
            push("executor_config", &block.uuid, entry.key.span);
        }
        if let Some(entry) = mapping.entry("executor_type")
            && let Some(text) = entry.value.as_str()
            && !matches!(text, "" | "local_python" | "local_python_force")
            && pipeline.property("executor_type").and_then(Node::as_str) != Some(text)
        {
            push("executor_type", &block.uuid, entry.value.span);
        }
    }
}

/// Returns two blocks in Kubernetes that wait for the same blocks, if there are any.
fn at_once<'a>(facts: &PipelineFacts<'a>) -> Option<(&'a str, &'a str)> {
    let pipeline = facts.pipeline;
    if !facts.process_executor?.is_k8s() || pipeline.pipeline_type() == "streaming" {
        return None;
    }
    let mut seen = std::collections::BTreeMap::new();
    pipeline.blocks.iter().enumerate().find_map(|(index, block)| {
        let first = seen.insert(pipeline.graph().upstream(index), block.uuid.as_str());
        Some((first?, block.uuid.as_str()))
    })
}
