//! A value is lost because a higher layer sets another part of its top-level key.

use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssReplacedKey,
    code: "MAGE404",
    name: "oss-replaced-key",
    severity: Severity::Warning,
    summary: "a value is lost because a higher layer sets another part of its top-level key",
    explanation: "Mage OSS joins layers by their top-level keys only: a block with `resource_limits: {memory: 4Gi}` loses the project's CPU limit, and one with any `pod` setting loses all of the project's. Mage's documentation, and edition `pro`, merge them. With Mage OSS, repeat in the block what it is to keep.",
    example: Example {
        edition: "oss",
        files: &[            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_requests: {cpu: 1, memory: 1Gi}\n  resource_limits:\n    cpu: «2»\n"),
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits:\n      memory: 4Gi\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "repeat it in the layer that replaces it";
    // What has a successor in the Job is overridden and not lost.
    let lost = facts.job.lost.iter().map(|(_, loser)| loser);
    tell_lost(lost, found, hint, |loser| {
        matches!(loser.rule, Decided::OssWholeKey(_)).then_some(())?;
        Some(format!("Mage OSS loses `{}`: {}", loser.origin.setting, loser.rule))
    });
}
