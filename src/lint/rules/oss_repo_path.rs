//! A project path that Mage OSS tears apart at its blanks.

use crate::lint::{Check, Example, Rule};
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssRepoPath,
    code: "MAGE412",
    name: "oss-repo-path",
    severity: Severity::Error,
    summary: "a project path that Mage OSS tears apart at its blanks",
    explanation: "Mage OSS joins the command to one line and splits it at its blanks again. A project whose path in the pod has a blank becomes several arguments, and `mage run` fails.",
    example: Example {
        edition: "oss",
        files: &[],
        flags: &["--repo-path=/home/src/my project"],
    },
    check: Check::OnTheWay,
};
