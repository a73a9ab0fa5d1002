//! A conditional or callback that runs twice.

use crate::error::Problem;
use crate::load::Edition;
use crate::yaml::{Node, Span};
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::RunsTwice,
    code: "MAGE210",
    name: "runs-twice",
    severity: Severity::Note,
    summary: "a conditional or callback runs in the server and again in the pod",
    explanation: "Mage OSS runs conditionals and callbacks of a block in Kubernetes twice: in the server, which waits for the Job, and in the pod, which runs the block with everything that belongs to it. A callback that sends a message sends two. Make it idempotent, or tell the two apart: only the server has a service account that may create Jobs, and `HOSTNAME` differs.",
    example: Example {
        edition: "oss",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\ncallbacks:\n- uuid: «tell»\n  type: callback\n  upstream_blocks: [load]\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    if facts.edition() != Edition::Oss || facts.one_process() {
        return;
    }
    let pipeline = facts.pipeline;
    let mut push = |what: &str, block: &str, span: Span| {
        let message = format!("{what} of block `{block}` runs in the server and again in the pod");
        let problem = Problem::new(message).at(&pipeline.file, span);
        found.push(problem.hint("make it so that running twice does no harm"));
    };
    for (list, what) in [("conditionals", "conditional"), ("callbacks", "callback")] {
        let items = pipeline.property(list).and_then(Node::as_sequence).unwrap_or_default();
        for item in items {
            let Some(uuid) = item.get("uuid") else { continue };
            if let Some(block) = first_in_kubernetes(facts, item) {
                push(&format!("{what} `{}`", uuid.to_text()), block, uuid.span);
            }
        }
    }
    for (block, executor) in pipeline.blocks.iter().zip(facts.executors) {
        if executor.is_k8s()
            && let Some(node) = block.node.get("has_callback").filter(|node| node.is_truthy())
        {
            push("the callback", &block.uuid, node.span);
        }
    }
}

/// Returns the first block in Kubernetes that a conditional or callback belongs to.
fn first_in_kubernetes<'a>(facts: &PipelineFacts<'a>, item: &Node) -> Option<&'a str> {
    let names = item.get("upstream_blocks").and_then(Node::as_sequence)?;
    let of = |name: &str| {
        let mut blocks = facts.pipeline.blocks.iter().zip(facts.executors);
        blocks.find(|(block, executor)| block.uuid == name && executor.is_k8s())
    };
    names.iter().find_map(|name| Some(of(name.as_str()?)?.0.uuid.as_str()))
}
