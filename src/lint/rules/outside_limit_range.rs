//! A container is outside the bounds of a LimitRange.

use serde_json::Value as Json;

use crate::job::Quantity;
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OutsideLimitRange,
    code: "MAGE509",
    name: "outside-limit-range",
    severity: Severity::Error,
    summary: "a container is outside the bounds of a LimitRange",
    explanation: "The API server refuses a pod whose container asks for more than the LimitRange's `max` or less than its `min`, so that the Job never has one.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits: {cpu: «32»}\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(cluster) = facts.cluster else { return };
    let Some(ranges) = cluster.namespace(&facts.job.namespace).limit_ranges().found() else {
        return;
    };
    for (name, limits) in ranges {
        let bounds = limits.as_array().into_iter().flatten();
        for bound in bounds.filter(|bound| matches!(bound["type"].as_str(), Some("Container" | "Pod"))) {
            for group in ["limits", "requests"] {
                one_group(facts, found, name, bound, group);
            }
        }
    }
}

fn one_group(facts: &JobFacts<'_>, found: &mut Found, name: &str, bound: &Json, group: &str) {
    let given = facts.container()["resources"][group].as_object();
    for (resource, given) in given.into_iter().flatten() {
        let Some(given) = given.as_str() else { continue };
        let quantity = Quantity::parse(given);
        for (key, is_outside, word) in [
            ("max", quantity > limit(bound, "max", resource), "more than the most"),
            ("min", quantity < limit(bound, "min", resource), "less than the least"),
        ] {
            let Some(allowed) = bound[key][resource].as_str().filter(|_| is_outside) else { continue };
            let place = &facts.job.namespace;
            let message = format!(
                "{group}.{resource} {given} is {word} that LimitRange {name} of namespace {place} allows, {allowed}"
            );
            let path = format!(".spec.template.spec.containers[0].resources.{group}[\"{resource}\"]");
            let problem = at_value(Problem::new(message), facts.value(&path), facts);
            found.push(problem.hint(format!("set it to {allowed}, or ask for another range")));
        }
    }
}

/// Reads a bound; without one, nothing is outside.
fn limit(bound: &Json, key: &str, resource: &str) -> Option<Quantity> {
    let text = bound[key][resource].as_str();
    let any = if key == "max" { i64::MAX.to_string() } else { i64::MIN.to_string() };
    Quantity::parse(text.unwrap_or(&any))
}
