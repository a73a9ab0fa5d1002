//! No node of the cluster fits the pod.

use crate::lint::nodes::{Misfit, misfit};
use crate::ui::plural;
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::NoNodeMatches,
    code: "MAGE507",
    name: "no-node-matches",
    severity: Severity::Warning,
    summary: "no node of the cluster fits the pod",
    explanation: "Node selector, required node affinity, taints and requests together leave no node, so that the pod stays pending unless one is added, by an autoscaler for one. The message counts why, as the scheduler does.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    pod:\n      node_selector:\n        pool: «gpu»\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(nodes) = facts.cluster.and_then(|cluster| cluster.nodes.as_ref()) else { return };
    let mut misfits: Vec<(Misfit, usize)> = Vec::new();
    for node in nodes {
        let Some(misfit) = misfit(node, facts.pod()) else { return };
        match misfits.iter_mut().find(|(known, _)| *known == misfit) {
            Some((_, count)) => *count += 1,
            None => misfits.push((misfit, 1)),
        }
    }
    misfits.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let Some((first, _)) = misfits.first() else { return };
    let value = first.path().and_then(|path| facts.below(&path).next());
    let told: Vec<String> =
        misfits.iter().map(|(misfit, count)| format!("{count} {}", misfit.told())).collect();
    let message = format!("none of {} fits the pod: {}", plural(nodes.len(), "node"), told.join(", "));
    found.push(
        at_value(Problem::new(message), value, facts)
            .hint("`kubectl get nodes --show-labels` shows what there is"),
    );
}
