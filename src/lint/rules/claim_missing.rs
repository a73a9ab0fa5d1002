//! A claim of a volume does not exist.

use crate::finding::{FindingId, Severity};
use crate::lint::references::{Referenced, tell_missing};
use crate::lint::{Check, Example, Found, JobFacts, Rule};

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
    let hint = "create it, or name one of `kubectl get pvc`";
    tell_missing(facts, found, (Referenced::Claim, "claim", hint), |namespace, name| {
        namespace.claim(name).is_no()
    });
}
