//! A template prints a secret that only Mage can look up.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::SecretNotSupplied,
    code: "MAGE005",
    name: "secret-not-supplied",
    severity: Severity::Note,
    summary: "a template prints a secret that only Mage can look up",
    explanation: "`mage_secret_var` and the secret functions of clouds need Mage's database or an account. Here a marked placeholder stands for the value; `--secret NAME=VALUE` supplies one.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  service_account_name: {{ «mage_secret_var('account'») }}\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
