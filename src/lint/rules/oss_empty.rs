//! An empty value that Mage OSS takes for none.

use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssEmpty,
    code: "MAGE414",
    name: "oss-empty",
    severity: Severity::Note,
    summary: "an empty value that Mage OSS takes for none",
    explanation: "Mage OSS asks of its settings whether Python takes them for true: `''`, `0` and `false` are as good as missing, so a lower layer's value or the default stays in force: an empty `service_account_name` means the account `default`. Give the value that is meant, or leave the key out.",
    example: Example {
        edition: "oss",
        files: &[(
            "pipelines/etl/metadata.yaml",
            "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    service_account_name: «''»\n",
        )],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "give a value that Python takes for true, or leave the key out";
    tell_lost(facts.losers(), found, hint, |loser| {
        (loser.rule == Decided::OssEmpty && !loser.value.is_null()).then_some(())?;
        Some(format!("Mage OSS takes `{}: {}` for none", loser.origin.setting, loser.value))
    });
}
