//! YAML 1.1 takes an unquoted text for a boolean, a number or a date.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::YamlSurprise,
    code: "MAGE007",
    name: "yaml-surprise",
    severity: Severity::Warning,
    summary: "YAML 1.1 takes an unquoted text for a boolean, a number or a date",
    explanation: "In YAML 1.1, which Mage reads, `yes`, `no`, `on` and `off` are booleans, `0777` is 511, `1:30` is 90 and `2024-01-01` is a date. Where text is due, such as in labels, node selectors and variables, Mage OSS sends the other type, and the API server refuses the Job. Quote the text. `--fix` quotes it where that changes nothing but the type.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  pod:\n    node_selector:\n      spot: «yes»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
