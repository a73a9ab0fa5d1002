//! The priority class of the pod does not exist.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::PriorityClassMissing,
    code: "MAGE506",
    name: "priority-class-missing",
    severity: Severity::Error,
    summary: "the priority class of the pod does not exist",
    explanation: "The API server refuses a pod whose priority class does not exist, so that the Job never has one.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      priority_class_name: «batch»\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(cluster) = facts.cluster else { return };
    let Some(name) = facts.pod()["priorityClassName"].as_str() else { return };
    if cluster.priority_class(name).is_no() {
        let problem = Problem::new(format!("priority class {name} does not exist"));
        let value = facts.value(".spec.template.spec.priorityClassName");
        found.push(at_value(problem, value, facts).hint("name one of `kubectl get priorityclass`"));
    }
}
