//! An extended resource is requested without a limit.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ExtendedWithoutLimit,
    code: "MAGE303",
    name: "extended-without-limit",
    severity: Severity::Warning,
    summary: "an extended resource is requested without a limit",
    explanation: "Kubernetes takes GPUs and other extended resources only as limits, with a request of the same amount or none. The Job made here has limit = request; Mage OSS sends the request alone, and the API server refuses the Job.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_requests: {nvidia.com/gpu: «1»}\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
