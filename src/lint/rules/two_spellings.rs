//! One key in both spellings with different values.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::TwoSpellings,
    code: "MAGE105",
    name: "two-spellings",
    severity: Severity::Error,
    summary: "one key in both spellings with different values",
    explanation: "Both `node_selector` and `nodeSelector` are read, and they are one field: with two values nobody can tell which one is meant. Keep one of the two.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      scheduler_name: a\n      «schedulerName»: b\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
