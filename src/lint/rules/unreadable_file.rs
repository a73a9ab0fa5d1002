//! A file that a flag or a variable names cannot be read.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UnreadableFile,
    code: "MAGE006",
    name: "unreadable-file",
    severity: Severity::Error,
    summary: "a file that a flag or a variable names cannot be read",
    explanation: "The template (`K8S_CONFIG_FILE`) or the policy (`K8S_DEFAULT_CONFIG_PATH`) is not there or cannot be opened. Mage OSS raises at a missing template. A path that only the server's pod knows is followed to the ConfigMap mounted there; where that cannot be done, copy the file and pass `--template` or `--policy`.",
    example: Example {
        edition: "pro",
        files: &[],
        flags: &["--template={project}/no-such-file.yaml"],
    },
    check: Check::OnTheWay,
};
