//! Mage OSS raises an error and makes no Job.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssFails,
    code: "MAGE401",
    name: "oss-fails",
    severity: Severity::Error,
    summary: "Mage OSS raises an error and makes no Job",
    explanation: "The setting is documented or plainly meant, and Mage OSS 0.9.80 fails at it before any Job is sent. The Job that this tool shows in edition `oss` is then the one the text means; a Mage OSS server will not run the block until the setting is changed.",
    example: Example {
        edition: "oss",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    «resource_limit»:\n      cpu: 1\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
