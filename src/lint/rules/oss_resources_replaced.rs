//! `container.resources` is lost because `resource_limits` or `resource_requests` is set.

use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssResourcesReplaced,
    code: "MAGE406",
    name: "oss-resources-replaced",
    severity: Severity::Warning,
    summary: "`container.resources` is lost because `resource_limits` or `resource_requests` is set",
    explanation: "Mage OSS replaces all of `container.resources`, GPUs included, as soon as `resource_limits` or `resource_requests` is set anywhere. Write everything in one of the two places.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container:\n      resources:\n        limits: {nvidia.com/gpu: «1»}\n    resource_limits: {memory: 4Gi}\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "move it to `resource_limits` or `resource_requests`";
    tell_lost(facts.losers(), found, hint, |loser| {
        (loser.rule == Decided::OssResources).then_some(())?;
        Some(format!(
            "Mage OSS loses `{}`: resource_limits or resource_requests replace all of it",
            loser.origin.setting
        ))
    });
}
