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
    for unreadable in facts.cluster.into_iter().flat_map(|cluster| &cluster.unreadable) {
        let place = match &unreadable.namespace {
            Some(namespace) => format!(" in namespace {namespace}"),
            None => String::new(),
        };
        let (verb, resource) = (&unreadable.verb, &unreadable.resource);
        let message = format!("not checked: {resource}{place} could not be read");
        let problem = Problem::new(message);
        found.push(problem.hint(format!("it takes the verb {verb} on {resource}: {}", unreadable.why)));
    }
}
