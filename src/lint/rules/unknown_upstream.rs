//! An upstream block that does not exist.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UnknownUpstream,
    code: "MAGE203",
    name: "unknown-upstream",
    severity: Severity::Warning,
    summary: "an upstream block that does not exist",
    explanation: "Mage drops an upstream block that it does not know, so that the block starts at once and runs on no data. Usually the name is misspelt or the block was renamed.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  upstream_blocks: [«laod»]\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
