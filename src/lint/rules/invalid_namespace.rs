//! A namespace that cannot be one.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::InvalidNamespace,
    code: "MAGE307",
    name: "invalid-namespace",
    severity: Severity::Error,
    summary: "a namespace that cannot be one",
    explanation: "The name of a namespace has lower-case letters, digits and `-`, at most 63. An unset variable in it is the word `None` with Mage OSS.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  namespace: «Data_Jobs»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
