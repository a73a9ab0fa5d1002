//! A pipeline that does not load.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::InvalidPipeline,
    code: "MAGE201",
    name: "invalid-pipeline",
    severity: Severity::Error,
    summary: "a pipeline that does not load",
    explanation: "Mage needs a uuid and a known type for every block, and every uuid once. A pipeline that breaks this does not load at all.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nblocks:\n- uuid: load\n  type: «data_lodaer»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
