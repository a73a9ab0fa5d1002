//! A variable whose value in the server's pod wins.

use crate::lint::{Check, Example, Found, JobFacts, Rule, at_lost};
use crate::error::Problem;
use crate::merge::{Loser, Rule as Decided};
use crate::config::LayerKind;
use crate::finding::{FindingId, Severity};

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
    for loser in facts.losers().filter(|loser| loser.rule == Decided::OssServerEnv && loser.origin.layer != LayerKind::ServerPod && !names(loser)) {
        let problem = Problem::new(format!("Mage OSS loses `{}`: the server's variable of this name comes later and takes effect", loser.origin.setting));
        found.push(at_lost(problem, loser).hint("give the variable another name, or change it in the server's pod"));
    }
}

/// The name is no loss: the server's variable has it too.
fn names(loser: &Loser) -> bool {
    loser.origin.setting.rsplit('.').next() == Some("name")
}
