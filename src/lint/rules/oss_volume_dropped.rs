//! A volume is dropped because only `container_config` mounts it, or nothing.

use crate::config::LayerKind;
use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

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
    let hint = "mount it in `container.volume_mounts`";
    tell_lost(facts.losers(), found, hint, |loser| {
        let is_name = loser.origin.setting.ends_with("].name");
        let is_ours = loser.origin.layer != LayerKind::ServerPod && is_name;
        (loser.rule == Decided::Unmounted && is_ours).then_some(())?;
        let name = loser.value.as_str().unwrap_or_default();
        Some(format!("Mage OSS drops volume `{name}`: nothing that it looks at mounts it"))
    });
}
