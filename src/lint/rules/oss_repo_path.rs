//! A project path that Mage OSS tears apart at its blanks.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_settings};
use crate::error::Problem;
use crate::load::Edition;
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
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(path) = facts.container()["command"][3].as_str() else { return };
    if facts.edition() == Edition::Oss && path.contains(char::is_whitespace) {
        let message = format!("Mage OSS tears the project's path `{path}` apart at its blanks");
        let problem = at_settings(Problem::new(message), facts.project);
        found.push(problem.hint("move the project to a folder without blanks in its name"));
    }
}
