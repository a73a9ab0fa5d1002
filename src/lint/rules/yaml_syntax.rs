//! A file is no YAML, or none that Mage takes.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::YamlSyntax,
    code: "MAGE001",
    name: "yaml-syntax",
    severity: Severity::Error,
    summary: "a file is no YAML, or none that Mage takes",
    explanation: "Mage reads YAML 1.1 with PyYAML. A file that PyYAML refuses stops the project or the pipeline from loading; of a broken template file (`K8S_CONFIG_FILE`) Mage OSS only prints a message and makes Jobs without it.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nblocks:\n- uuid: load\n  type: data_loader\n  upstream_blocks: [a«»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
