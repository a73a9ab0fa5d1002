//! A request is over its limit.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::RequestOverLimit,
    code: "MAGE301",
    name: "request-over-limit",
    severity: Severity::Error,
    summary: "a request is over its limit",
    explanation: "The API server refuses a container whose request is over its limit. Often the two come from different layers, such as a default of the environment and a block's own limit; both lines are named.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits: {memory: 1Gi}\n    resource_requests: {memory: «2Gi»}\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
