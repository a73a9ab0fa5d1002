//! An `executor_count` that nothing reads.

use crate::error::Problem;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ExecutorCount,
    code: "MAGE212",
    name: "executor-count",
    severity: Severity::Note,
    summary: "an `executor_count` that nothing reads",
    explanation: "Mage reads `executor_count` in streaming pipelines only: a trigger that runs once then starts as many runs, each with a Job of its own. In every other pipeline the count is 1, whatever is written. How many blocks run at once is decided by the graph and by `concurrency_config.block_run_limit`.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nexecutor_count: «4»\nblocks:\n- uuid: load\n  type: data_loader\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    if facts.pipeline.pipeline_type() == "streaming" {
        return;
    }
    let count = facts.pipeline.property("executor_count").filter(|node| !node.is_null());
    if let Some(node) = count.filter(|node| node.to_text() != "1") {
        let message = "`executor_count` does nothing: only streaming pipelines have several executors";
        let problem = Problem::new(message).at(&facts.pipeline.file, node.span);
        found.push(problem.hint("leave it out; `concurrency_config.block_run_limit` limits blocks"));
    }
}
