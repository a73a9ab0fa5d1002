//! A volume that nothing mounts.

use crate::error::Problem;
use crate::lint::pod::mounted;
use crate::load::Edition;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at};

pub(super) const RULE: Rule = Rule {
    id: FindingId::VolumeNotMounted,
    code: "MAGE312",
    name: "volume-not-mounted",
    severity: Severity::Warning,
    summary: "a volume that nothing mounts",
    explanation: "The pod has the volume, and no container sees it. The pod still waits for it: a claim that does not exist keeps it pending. Add a `volume_mounts` entry of the same name to `container_config` (or to `container` of the template), or leave the volume out. Mage OSS drops such a volume.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      volumes:\n      - name: «models»\n        persistent_volume_claim: {claim_name: models}\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let volumes = facts.pod()["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    if volumes.is_empty() || facts.edition() != Edition::Pro || !facts.executor.is_k8s() {
        return;
    }
    let mounted = mounted(facts.pod());
    for (index, volume) in volumes.iter().enumerate() {
        let name = volume["name"].as_str().unwrap_or_default();
        if mounted.contains(name) {
            continue;
        }
        if let Some(value) = facts.value(&format!(".spec.template.spec.volumes[{index}].name")) {
            let problem = Problem::new(format!("no container mounts volume `{name}`"));
            let hint = format!("add `- name: {name}` with a `mount_path` to `container_config.volume_mounts`");
            found.push(at(problem.hint(hint), value));
        }
    }
}
