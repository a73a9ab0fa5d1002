//! A key that nothing reads.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UnknownKey,
    code: "MAGE101",
    name: "unknown-key",
    severity: Severity::Warning,
    summary: "a key that nothing reads",
    explanation: "Edition `pro` knows every field of Kubernetes' own types, in both spellings; this key is none of them. Mage OSS raises an error at an unknown key at the top of a configuration, and passes over one further down.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    «colour»: blue\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
