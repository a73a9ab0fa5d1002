//! A key that Mage OSS does not read.

use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssIgnoredKey,
    code: "MAGE403",
    name: "oss-ignored-key",
    severity: Severity::Warning,
    summary: "a key that Mage OSS does not read",
    explanation: "Of `pod`, `container` and `job` Mage OSS reads a handful of keys, in `snake_case` only, and passes over all others without a word: `security_context`, `priority_class_name`, `env_from`, `init_containers`, `nodeSelector` in camelCase. A container's other fields can be set in `container_config`; for those of a pod there is no way in Mage OSS.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      priority_class_name: «batch»\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "where it is a container's, set it in `container_config`; a pod's cannot be set";
    tell_lost(facts.losers(), found, hint, |loser| {
        (loser.rule == Decided::OssIgnores).then_some(())?;
        Some(format!("Mage OSS does not read `{}`: it is lost", loser.origin.setting))
    });
}
