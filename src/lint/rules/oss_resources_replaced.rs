//! `container.resources` is lost because `resource_limits` or `resource_requests` is set.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_lost};
use crate::error::Problem;
use crate::merge::Rule as Decided;
use crate::finding::{FindingId, Severity};

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
    for loser in facts.losers().filter(|loser| loser.rule == Decided::OssResources) {
        let problem = Problem::new(format!("Mage OSS loses `{}`: resource_limits or resource_requests replace all of it", loser.origin.setting));
        found.push(at_lost(problem, loser).hint("move it to `resource_limits` or `resource_requests`"));
    }
}
