//! A variable whose value in the server's pod wins.

use crate::config::LayerKind;
use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssServerEnv,
    code: "MAGE407",
    name: "oss-server-env",
    severity: Severity::Warning,
    summary: "a variable whose value in the server's pod wins",
    explanation: "Mage OSS sends a variable that both the configuration and the server's container have twice, the server's last, and the last one takes effect in the container. Edition `pro` keeps yours. Rename the variable, or set it in `container_config.env`, which comes later still for none: with Mage OSS there is no way to override a variable of the server but to remove it there.",
    example: Example {
        edition: "oss",
        files: &[            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container:\n      env:\n      - name: MODE\n        value: «batch»\n"),
            ("pod.json", "{\"metadata\":{\"name\":\"mage-0\",\"namespace\":\"default\"},\"spec\":{\"containers\":[{\"name\":\"mage\",\"image\":\"mageai/mageai:0.9.80\",\"env\":[{\"name\":\"MODE\",\"value\":\"server\"}],\"volumeMounts\":[{\"name\":\"data\",\"mountPath\":\"/home/src\"}]}],\"volumes\":[{\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}}]}}")],
        flags: &["--server-pod=@{project}/pod.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "give the variable another name, or change it in the server's pod";
    tell_lost(facts.losers(), found, hint, |loser| {
        let is_name = loser.origin.setting.rsplit('.').next() == Some("name");
        let is_ours = loser.origin.layer != LayerKind::ServerPod && !is_name;
        (loser.rule == Decided::OssServerEnv && is_ours).then_some(())?;
        Some(format!(
            "Mage OSS loses `{}`: the server's variable of this name comes later and takes effect",
            loser.origin.setting
        ))
    });
}
