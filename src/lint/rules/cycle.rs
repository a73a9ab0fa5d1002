//! Blocks wait for each other in a circle.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::Cycle,
    code: "MAGE202",
    name: "cycle",
    severity: Severity::Error,
    summary: "blocks wait for each other in a circle",
    explanation: "No block of a circle can ever start, and Mage does not load such a pipeline. Remove one of the `upstream_blocks`.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: a\n  type: custom\n  upstream_blocks: [b]\n- uuid: b\n  type: custom\n  upstream_blocks: [«a»]\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
