//! `namespace` is lost because `metadata` is set.

use crate::finding::{FindingId, Severity};
use crate::lint::lost::tell_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};
use crate::merge::Rule as Decided;

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssNamespaceReset,
    code: "MAGE405",
    name: "oss-namespace-reset",
    severity: Severity::Warning,
    summary: "`namespace` is lost because `metadata` is set",
    explanation: "With `metadata` and without `metadata.namespace`, Mage OSS takes `KUBE_NAMESPACE` or `default` and forgets `namespace`. Set `metadata.namespace` too.",
    example: Example {
        edition: "oss",
        files: &[            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_requests: {cpu: 1, memory: 1Gi}\n  namespace: «jobs»\n  metadata:\n    labels: {team: data}\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let hint = "set `metadata.namespace` too";
    tell_lost(facts.losers(), found, hint, |loser| {
        (loser.rule == Decided::OssMetadataNamespace).then_some(())?;
        Some("Mage OSS forgets `namespace` here: `metadata` is set without one".to_owned())
    });
}
