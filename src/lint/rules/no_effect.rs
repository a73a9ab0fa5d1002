//! A key that is read and has no effect.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::NoEffect,
    code: "MAGE108",
    name: "no-effect",
    severity: Severity::Warning,
    summary: "a key that is read and has no effect",
    explanation: "Mage names the Job itself and fills in the pod, so that `metadata.name` and `job.template` do nothing. Set `job_name_prefix`, `pod`, `container_config` or `metadata` instead.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    metadata: {name: «mine»}\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
