//! A Job setting that Mage OSS defeats.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at};
use crate::error::Problem;
use crate::load::Edition;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssDeadJobKey,
    code: "MAGE410",
    name: "oss-dead-job-key",
    severity: Severity::Warning,
    summary: "a Job setting that Mage OSS defeats",
    explanation: "Mage OSS deletes the Job at the first pod that fails, so that a `backoff_limit` above 0 never retries, and it deletes every Job that ended, so that `ttl_seconds_after_finished` never matters. Use `retry_config`, which retries inside the pod; Jobs that `kubectl mage run` makes keep both promises.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    job:\n      backoff_limit: «3»\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    if facts.edition() != Edition::Oss {
        return;
    }
    let spec = &facts.job.job["spec"];
    let retries = spec["backoffLimit"].as_i64().is_some_and(|limit| limit > 0);
    for (dead, path, why, hint) in [
        (
            retries,
            ".spec.backoffLimit",
            "Mage OSS deletes the Job at the first failed pod: it is never retried",
            "use `retry_config`, which retries inside the pod",
        ),
        (
            !spec["ttlSecondsAfterFinished"].is_null(),
            ".spec.ttlSecondsAfterFinished",
            "Mage OSS deletes every Job that ended: this time never passes",
            "remove it, or run the pipeline with `kubectl mage run`, which keeps its Jobs",
        ),
    ] {
        if let (true, Some(value)) = (dead, facts.value(path)) {
            found.push(at(Problem::new(why), value).hint(hint));
        }
    }
}
