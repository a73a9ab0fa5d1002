//! No layer names a container image.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::NoImage,
    code: "MAGE309",
    name: "no-image",
    severity: Severity::Error,
    summary: "no layer names a container image",
    explanation: "Without the Mage server's pod to inherit from, some layer has to name the image: `container_config.image`, or `--image`.",
    example: Example {
        edition: "pro",
        files: &[
            ("metadata.yaml", "project_type: standalone\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
