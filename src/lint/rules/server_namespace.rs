//! A Mage server that looks for its own pod in the wrong namespace.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ServerNamespace,
    code: "MAGE319",
    name: "server-namespace",
    severity: Severity::Error,
    summary: "the Mage server looks for its own pod in the wrong namespace",
    explanation: "Before it makes a Job, Mage OSS reads its own pod: in the namespace that `KUBE_NAMESPACE` names, and where that is not set, in the namespace of the *Job*. If the two differ it gets 404 and the block fails. Set `KUBE_NAMESPACE` in the server from `fieldRef: metadata.namespace`, as Mage's Helm chart does.",
    example: Example {
        edition: "oss",
        files: &[("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: mage-0\n  namespace: mage\nspec:\n  containers:\n  - name: mage\n    image: mageai/mageai:0.9.80\n    env:\n    - {name: USER_CODE_PATH, value: /home/src/shop}\n    volumeMounts: []\n"),
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    namespace: «jobs»\n")],
        flags: &["--server-pod=@{project}/pod.yaml"],
    },
    check: Check::OnTheWay,
};
