//! A namespace that only a run can tell.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::UnresolvedNamespace,
    code: "MAGE308",
    name: "unresolved-namespace",
    severity: Severity::Note,
    summary: "a namespace that only a run can tell",
    explanation: "`namespace` is a template, and this one names a variable that neither the pipeline nor `--var` gives: a trigger or a run has to. Whether the namespace exists, and whether the server may create Jobs there, cannot be checked before. `render`, `apply` and `run` need `--var NAME=VALUE`.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    namespace: «\"jobs-{{ variables('client') }}\"»\n")],
        flags: &[],
    },
    check: Check::OnTheWay,
};
