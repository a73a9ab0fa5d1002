//! A value of another type than is due, which can only mean one thing.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::CoercedType,
    code: "MAGE110",
    name: "coerced-type",
    severity: Severity::Warning,
    summary: "a value of another type than is due, which can only mean one thing",
    explanation: "A number in quotes, or a duration where seconds are due. It is read as what it means. Mage OSS sends it as it is written, and the API server refuses the Job. `--fix` writes the value itself.",
    example: Example {
        edition: "pro",
        files: &[(
            "pipelines/etl/metadata.yaml",
            "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    job:\n      active_deadline_seconds: «\"1h\"»\n",
        )],
        flags: &[],
    },
    check: Check::OnTheWay,
};
