//! An inline ignore is malformed or passes over nothing.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UselessIgnore,
    code: "MAGE009",
    name: "useless-ignore",
    severity: Severity::Note,
    summary: "an inline ignore is malformed or silences nothing",
    explanation: "An ignore is written `# mage-lint: ignore MAGE101 because …`, at the end of the line at fault or on a line of its own above it; `# mage-lint: ignore-file MAGE101 because …` counts for the whole file. A reason is due. One that silences nothing any more would hide the next finding.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  job_name_prefix: etl  «# mage-lint: ignore MAGE101 it was needed once»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
