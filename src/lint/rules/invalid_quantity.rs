//! A text where a quantity is due.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::InvalidQuantity,
    code: "MAGE107",
    name: "invalid-quantity",
    severity: Severity::Error,
    summary: "a text where a quantity is due",
    explanation: "A quantity is a number with an optional suffix: `500m`, `1.5`, `512Mi`, `2Gi`, `1G`. The API server refuses anything else.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits:\n      memory: «2 GB»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
