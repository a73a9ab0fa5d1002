//! An executor that Mage does not have.

use crate::config::nearest;
use crate::error::{Edit, Problem};
use crate::project::EXECUTOR_TYPES;
use crate::yaml::Node;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_block};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UnknownExecutor,
    code: "MAGE205",
    name: "unknown-executor",
    severity: Severity::Warning,
    summary: "an executor that Mage does not have",
    explanation: "Mage compares `executor_type` letter by letter, and runs a block with any other executor in the server itself, without a word: `K8S` is not `k8s`. The types are `k8s`, `local_python`, `local_python_force`, `ecs`, `gcp_cloud_run`, `azure_container_instance` and `pyspark`. `DEFAULT_EXECUTOR_TYPE` of the server is checked without regard to case, so that `K8S` passes, and then names no executor either.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nblocks:\n- uuid: load\n  type: data_loader\n  executor_type: «K8S»\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    if facts.executor.is_known() {
        return;
    }
    let name = &facts.executor.executor;
    let (node, who) = match facts.executor.decided_by() {
        "block" => (facts.block.and_then(|block| block.executor_type()), "`executor_type`"),
        "pipeline" => (facts.pipeline.property("executor_type"), "`executor_type`"),
        other => (None, other),
    };
    let message = format!("{who} is `{name}`, which Mage does not have: it runs in the server");
    let problem = Problem::new(message);
    let lower = name.trim().to_lowercase();
    let near = EXECUTOR_TYPES.iter().find(|known| **known == lower).copied();
    let near = near.or_else(|| nearest(name, EXECUTOR_TYPES));
    let problem = match near {
        Some(near) => problem.hint(format!("write `{near}`")),
        None => problem.hint(format!("one of {}", EXECUTOR_TYPES.join(", "))),
    };
    found.push(match (node, near) {
        (Some(node), Some(near)) if is_written(node, name) && near == lower => {
            let edits = vec![Edit { span: node.span, text: near.to_owned() }];
            problem.at(&facts.pipeline.file, node.span).fix(format!("write `{near}`"), edits)
        }
        (Some(node), _) => problem.at(&facts.pipeline.file, node.span),
        (None, _) if who == "DEFAULT_EXECUTOR_TYPE" => problem,
        (None, _) => at_block(problem, facts),
    });
}

/// Tells whether the value stands there as it is, not as a template or an alias.
fn is_written(node: &Node, value: &str) -> bool {
    node.alias.is_none() && node.as_str() == Some(value)
}
