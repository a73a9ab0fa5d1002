//! A value that the API server would refuse.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::Refused,
    code: "MAGE320",
    name: "refused",
    severity: Severity::Error,
    summary: "a value that the API server would refuse",
    explanation: "Kubernetes checks a Job when it is created, and takes none with such a value: a negative number of retries, a pull policy or operator that does not exist, a key or name with letters that it may not have. What it checks can change with its version; `render --validate` asks your cluster.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  job:\n    backoff_limit: «-1»\n  container_config:\n    image: mageai/mageai:0.9.80\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
