//! A template prints a variable that is not set.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UnsetVariable,
    code: "MAGE004",
    name: "unset-variable",
    severity: Severity::Error,
    summary: "a template prints a variable that is not set",
    explanation: "For an environment variable or a pipeline's variable that is not set Mage renders the word `None`, which then is the name of a namespace or an image. Set it, give it a default, or lint with `--server-env`, `--server-env-file` or `--var`.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  namespace: {{ «env_var('JOBS_NAMESPACE'») }}\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
