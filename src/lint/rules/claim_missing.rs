//! A claim of a volume does not exist.

use crate::lint::references::{Referenced, referenced};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ClaimMissing,
    code: "MAGE503",
    name: "claim-missing",
    severity: Severity::Error,
    summary: "a claim of a volume does not exist",
    explanation: "The pod stays pending until the claim exists, and Mage waits for ever.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      volumes:\n      - name: data\n        persistent_volume_claim: {claim_name: «mage-data»}\n    container_config:\n      volume_mounts: [{name: data, mount_path: /data}]\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(cluster) = facts.cluster else { return };
    let place = &facts.job.namespace;
    let namespace = cluster.namespace(place);
    if namespace.exists().is_no() {
        return;
    }
    for (name, value) in referenced(facts, Referenced::Claim) {
        if namespace.claim(name).is_no() {
            let problem = Problem::new(format!("claim {name} does not exist in namespace {place}"));
            found.push(at_value(problem, Some(value), facts).hint("create it, or name one of `kubectl get pvc`"));
        }
    }
}
