//! A Job's name had to be changed.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::JobName,
    code: "MAGE305",
    name: "job-name",
    severity: Severity::Warning,
    summary: "a Job's name had to be changed",
    explanation: "A Job's name is a DNS label of at most 63 characters. Mage OSS sends whatever comes of `job_name_prefix`, trigger and id, and the API server refuses an invalid one.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  job_name_prefix: «Nightly ETL»\n  container_config:\n    image: mageai/mageai:0.9.80\n")
        ],
        flags: &["--block-run-id=7"],
    },
    check: Check::OnTheWay,
};
