//! A block that makes child blocks at run time.

use crate::error::Problem;
use crate::project::ExecutorChoice;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::DynamicBlock,
    code: "MAGE207",
    name: "dynamic-block",
    severity: Severity::Note,
    summary: "a block that makes child blocks at run time",
    explanation: "The children of a dynamic block exist only in Mage's database: a pod that runs one looks its run up there. Mage's own Jobs do so where the pod gets `MAGE_DATABASE_CONNECTION_URL`; `kubectl mage run` works without Mage's database and refuses the children before it creates anything. What waits for them silently gets nothing where their outputs are missing.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  configuration:\n    «dynamic»: true\n- uuid: double\n  type: transformer\n  upstream_blocks: [load]\n"),
            ("transformers/double.py", "\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    let blocks = &facts.pipeline.blocks;
    if facts.one_process() {
        return;
    }
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.is_dynamic()) {
        let graph = facts.pipeline.graph();
        let child = (0..blocks.len()).find(|other| {
            graph.upstream(*other).contains(&index)
                && facts.executors.get(*other).is_some_and(ExecutorChoice::is_k8s)
        });
        let configuration = block.node.get("configuration").and_then(|node| node.as_mapping());
        let entry = configuration.and_then(|configuration| configuration.entry("dynamic"));
        if let (Some(child), Some(entry)) = (child, entry) {
            let message = format!(
                "the children of `{}`, such as `{}`, need Mage's database in their pods",
                block.uuid, blocks[child].uuid
            );
            let problem = Problem::new(message).at(&facts.pipeline.file, entry.key.span);
            found.push(problem.hint(
                "give Jobs MAGE_DATABASE_CONNECTION_URL; `kubectl mage run` cannot run the children",
            ));
        }
    }
}
