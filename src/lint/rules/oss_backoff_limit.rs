//! `job` without `backoff_limit`: the API server's default of 6 retries is in force.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at, at_block};
use crate::error::Problem;
use crate::load::Edition;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssBackoffLimit,
    code: "MAGE411",
    name: "oss-backoff-limit",
    severity: Severity::Warning,
    summary: "`job` without `backoff_limit`: the API server's default of 6 retries is in force",
    explanation: "Without `job`, Mage sets `backoffLimit: 0`. With `job` and without `backoff_limit` in it, Mage OSS sends none, and the API server fills in 6.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    job:\n      active_deadline_seconds: «600»\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    if facts.edition() != Edition::Oss || !facts.job.job["spec"]["backoffLimit"].is_null() {
        return;
    }
    let message = "`job` has no `backoff_limit`, so the API server's default of 6 is in force";
    let mut settings = facts.job.values.iter().filter(|v| v.origin.setting.starts_with("job."));
    let problem = match settings.next() {
        Some(value) => at(Problem::new(message), value),
        None => at_block(Problem::new(message), facts),
    };
    found.push(problem.setting("job.backoff_limit").hint("add `backoff_limit: 0`"));
}
