//! A key that is probably another one misspelt.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::MisspeltKey,
    code: "MAGE103",
    name: "misspelt-key",
    severity: Severity::Warning,
    summary: "a key that is probably another one misspelt",
    explanation: "Nothing reads this key, and one that something reads is spelt almost like it. `--fix` renames it.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    «resource_limit»:\n      cpu: 1\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
