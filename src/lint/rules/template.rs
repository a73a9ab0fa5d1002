//! A Jinja template cannot be rendered.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::Template,
    code: "MAGE003",
    name: "template",
    severity: Severity::Error,
    summary: "a Jinja template cannot be rendered",
    explanation: "Mage renders the whole project file, `namespace` and `executor_type` with Jinja before it reads them. A template that fails stops the project from loading.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  namespace: \"{{ env_var( «}»}\"\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
