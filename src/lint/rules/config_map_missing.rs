//! A ConfigMap does not exist.

use crate::finding::{FindingId, Severity};
use crate::lint::references::{Referenced, tell_missing};
use crate::lint::{Check, Example, Found, JobFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ConfigMapMissing,
    code: "MAGE505",
    name: "config-map-missing",
    severity: Severity::Error,
    summary: "a ConfigMap does not exist",
    explanation: "A container whose variables or volumes name a ConfigMap that does not exist is not started; Mage waits for ever.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container_config:\n      env_from:\n      - config_map_ref: {name: «settings»}\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "create it, or mark the reference `optional: true`";
    tell_missing(facts, found, (Referenced::ConfigMap, "ConfigMap", hint), |namespace, name| {
        namespace.config_map(name).is_no()
    });
}
