//! A value is over a guardrail of the Mage server.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OverGuardrail,
    code: "MAGE302",
    name: "over-guardrail",
    severity: Severity::Error,
    summary: "a value is over a guardrail of the Mage server",
    explanation: "`K8S_EXECUTOR_MAX_RESOURCE_*` bound the final container, whichever layer a value came from. Mage Pro fails before it creates the Job.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits: {memory: «16Gi»}\n")
        ],
        flags: &["--server-env=K8S_EXECUTOR_MAX_RESOURCE_LIMITS_MEMORY=8Gi"],
    },
    check: Check::OnTheWay,
};
