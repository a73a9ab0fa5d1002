//! A key stands twice in a mapping: the last one counts.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::DuplicateKey,
    code: "MAGE002",
    name: "duplicate-key",
    severity: Severity::Warning,
    summary: "a key stands twice in a mapping: the last one counts",
    explanation: "PyYAML takes the last of two equal keys without a word, so that what the first one says is lost. Keep one of the two.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_limits:\n    memory: 1Gi\n    «memory»: 2Gi\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
