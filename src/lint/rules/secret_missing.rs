//! A Secret does not exist.

use crate::finding::{FindingId, Severity};
use crate::lint::references::{Referenced, tell_missing};
use crate::lint::{Check, Example, Found, JobFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::SecretMissing,
    code: "MAGE504",
    name: "secret-missing",
    severity: Severity::Error,
    summary: "a Secret does not exist",
    explanation: "A container whose variables or volumes name a Secret that does not exist is not started, and an image that needs it is not pulled; Mage waits for ever.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container_config:\n      env:\n      - name: PASSWORD\n        value_from: {secret_key_ref: {name: «database», key: password}}\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "create it, or mark the reference `optional: true`";
    tell_missing(facts, found, (Referenced::Secret, "Secret", hint), |namespace, name| {
        namespace.secret(name).is_no()
    });
}
