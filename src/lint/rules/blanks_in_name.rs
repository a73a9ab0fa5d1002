//! Blanks at the ends of a name.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::BlanksInName,
    code: "MAGE106",
    name: "blanks-in-name",
    severity: Severity::Warning,
    summary: "blanks at the ends of a name",
    explanation: "No name of Kubernetes has blanks. Mage trims the ends of texts in the project file but not in a pipeline's, so that Mage OSS sends the blank and the API server refuses the Job. `--fix` removes them.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    service_account_name: «\"etl \"»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
