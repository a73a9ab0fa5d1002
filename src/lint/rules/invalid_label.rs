//! A label that Kubernetes does not take.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::InvalidLabel,
    code: "MAGE306",
    name: "invalid-label",
    severity: Severity::Error,
    summary: "a label that Kubernetes does not take",
    explanation: "The value of a label has at most 63 letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit. Put other text in an annotation.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  metadata:\n    labels:\n      owner: «data team»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
