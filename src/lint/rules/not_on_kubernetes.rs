//! An `executor_config` for a block that does not run in Kubernetes.

use crate::error::Problem;
use crate::project::ExecutorChoice;
use crate::yaml::{Entry, Node};
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, PipelineFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::NotOnKubernetes,
    code: "MAGE206",
    name: "not-on-kubernetes",
    severity: Severity::Note,
    summary: "an `executor_config` for a block that does not run in Kubernetes",
    explanation: "`executor_config` is only read by executors that start something. Where neither the block nor the pipeline nor `DEFAULT_EXECUTOR_TYPE` of the server names one, the block runs in the Mage server and the settings do nothing. Set `executor_type: k8s`, or pass the server's `DEFAULT_EXECUTOR_TYPE` with `--server-env` if it has one.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nblocks:\n- uuid: load\n  type: data_loader\n  «executor_config»:\n    resource_limits: {memory: 4Gi}\n")],
        flags: &[],
    },
    check: Check::Pipeline(check),
};

fn check(facts: &PipelineFacts<'_>, found: &mut Found) {
    let pipeline = facts.pipeline;
    if facts.one_job {
        let executor = facts.process_executor.filter(|executor| executor.reads_no_config());
        if let (Some(executor), Some(entry)) = (executor, given(pipeline.entry("executor_config"))) {
            push(facts, found, entry, "the pipeline", executor);
        }
        return;
    }
    for (block, executor) in pipeline.blocks.iter().zip(facts.executors) {
        if executor.reads_no_config()
            && let Some(entry) = given(own(&block.node))
        {
            push(facts, found, entry, &format!("block `{}`", block.uuid), executor);
        }
    }
    if let Some(entry) = given(pipeline.entry("executor_config"))
        && let Some(first) = facts.executors.first()
        && facts.executors.iter().all(ExecutorChoice::reads_no_config)
    {
        push(facts, found, entry, "every block", first);
    }
}

fn own(block: &Node) -> Option<&Entry> {
    block.as_mapping()?.entry("executor_config")
}

fn given(entry: Option<&Entry>) -> Option<&Entry> {
    entry.filter(|entry| entry.value.is_truthy())
}

fn push(
    facts: &PipelineFacts<'_>,
    found: &mut Found,
    entry: &Entry,
    who: &str,
    executor: &ExecutorChoice,
) {
    let message = format!("`executor_config` does nothing: {who} has the {}", executor.explain());
    let problem = Problem::new(message).at(&facts.pipeline.file, entry.key.span);
    found.push(problem.hint("set `executor_type: k8s`, or leave `executor_config` out"));
}
