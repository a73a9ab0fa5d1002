//! The service account of the Job does not exist.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ServiceAccountMissing,
    code: "MAGE502",
    name: "service-account-missing",
    severity: Severity::Error,
    summary: "the service account of the Job does not exist",
    explanation: "The Job is created, and its pod is not: the Job controller fails with `serviceaccount not found`, and Mage waits for ever.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    service_account_name: «etl»\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(cluster) = facts.cluster else { return };
    let namespace = cluster.namespace(&facts.job.namespace);
    let Some(name) = facts.pod()["serviceAccountName"].as_str() else { return };
    if !namespace.exists().is_no() && namespace.service_account(name).is_no() {
        let place = &facts.job.namespace;
        let problem = Problem::new(format!("service account {name} does not exist in namespace {place}"));
        let value = facts.value(".spec.template.spec.serviceAccountName");
        found.push(at_value(problem, value, facts).hint(format!(
            "create it, `kubectl create serviceaccount {name} -n {place}`, or name another"
        )));
    }
}
