//! A volume is dropped because only `container_config` mounts it, or nothing.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_lost};
use crate::error::Problem;
use crate::merge::Rule as Decided;
use crate::config::LayerKind;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssVolumeDropped,
    code: "MAGE408",
    name: "oss-volume-dropped",
    severity: Severity::Warning,
    summary: "a volume is dropped because only `container_config` mounts it, or nothing",
    explanation: "Mage OSS drops volumes that the container does not mount before it looks at `container_config`. A volume that only `container_config.volume_mounts` mounts is lost, and the API server refuses the Job; one that nothing mounts is lost too. Mount it in `container.volume_mounts` of the template.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      volumes:\n      - name: «scratch»\n        empty_dir: {}\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    for loser in facts.losers().filter(|loser| loser.rule == Decided::Unmounted && loser.origin.layer != LayerKind::ServerPod && loser.origin.setting.ends_with("].name")) {
        let problem = Problem::new(format!("Mage OSS drops volume `{}`: nothing that it looks at mounts it", loser.value.as_str().unwrap_or_default()));
        found.push(at_lost(problem, loser).hint("mount it in `container.volume_mounts`"));
    }
}
