//! A file or variable that is newer than the server's pod.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::StalePolicy,
    code: "MAGE510",
    name: "stale-policy",
    severity: Severity::Warning,
    summary: "a policy, template or variable that was changed after the server's pod started",
    explanation: "Mage's Helm chart mounts the policy's ConfigMap with `subPath`, which Kubernetes never refreshes, and does not restart the server when it changes; variables are read once, when the pod starts. What the cluster says now is then not what the server has. Restart the server, or pass the file it has with `--policy`.",
    example: Example {
        edition: "pro",
        files: &[("snapshot.json", include_str!("example_stale_policy.json"))],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::OnTheWay,
};
