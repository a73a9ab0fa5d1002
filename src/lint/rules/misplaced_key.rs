//! A key that belongs elsewhere.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::MisplacedKey,
    code: "MAGE102",
    name: "misplaced-key",
    severity: Severity::Warning,
    summary: "a key that belongs elsewhere",
    explanation: "The key has a meaning at another place, which the hint names. Where it stands it does nothing: a `backoff_limit` under `pod`, for one, is never read.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      «backoff_limit»: 3\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
