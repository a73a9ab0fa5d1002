//! A value is of the wrong type.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::WrongType,
    code: "MAGE104",
    name: "wrong-type",
    severity: Severity::Error,
    summary: "a value is of the wrong type",
    explanation: "A list where a mapping is due, a text where a number is due, and so on. No Job can be made of it.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      tolerations: «yes»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
