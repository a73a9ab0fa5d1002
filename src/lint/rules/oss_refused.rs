//! Mage OSS sends a Job that the API server refuses.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssRefused,
    code: "MAGE402",
    name: "oss-refused",
    severity: Severity::Error,
    summary: "Mage OSS sends a Job that the API server refuses",
    explanation: "Mage OSS 0.9.80 passes the setting on in a form that the API server does not take. The Job that this tool shows in edition `oss` is then the one the text means; with a Mage OSS server the block fails until the setting is changed.",
    example: Example {
        edition: "oss",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      node_selector: {spot: «yes»}\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
