//! Something of the cluster could not be read, so that it was not checked.

use crate::lint::{Check, Example, Found, ProjectFacts, Rule};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::NotChecked,
    code: "MAGE511",
    name: "not-checked",
    severity: Severity::Note,
    summary: "something of the cluster could not be read, so that it was not checked",
    explanation: "What may not be read is never taken for absent: it is passed over, and told here with the verb that is missing.",
    example: Example {
        edition: "pro",
        files: &[("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Project(check),
};

fn check(facts: &ProjectFacts<'_>, found: &mut Found) {
    let unreadable = facts.cluster.map(|cluster| cluster.unreadable.as_slice()).unwrap_or_default();
    let Some(first) = unreadable.first() else { return };
    let mut places: Vec<String> = Vec::new();
    let mut rights: Vec<String> = Vec::new();
    for unreadable in unreadable {
        let place = match &unreadable.namespace {
            Some(namespace) => format!("{} in namespace {namespace}", unreadable.resource),
            None => unreadable.resource.clone(),
        };
        if !places.contains(&place) {
            places.push(place);
        }
        let right = format!("{} {}", unreadable.verb, unreadable.resource);
        if !rights.contains(&right) {
            rights.push(right);
        }
    }
    let message = format!("not checked, for it could not be read: {}", places.join(", "));
    let hint = format!("it takes the rights to {}: {}", rights.join(", "), first.why);
    found.push(Problem::new(message).hint(hint));
}
