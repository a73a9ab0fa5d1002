//! The namespace of the Job does not exist.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::NamespaceMissing,
    code: "MAGE501",
    name: "namespace-missing",
    severity: Severity::Error,
    summary: "the namespace of the Job does not exist",
    explanation: "The API server refuses a Job in a namespace that does not exist.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    namespace: «jobs»\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(cluster) = facts.cluster else { return };
    let name = &facts.job.namespace;
    if cluster.namespace(name).exists().is_no() {
        let problem = Problem::new(format!("namespace {name} does not exist"));
        let problem = at_value(problem, facts.value(".metadata.namespace"), facts);
        found.push(problem.hint(format!("create it, `kubectl create namespace {name}`")));
    }
}
