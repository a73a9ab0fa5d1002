//! The pod can never be within the quota of its namespace.

use serde_json::Value as Json;

use crate::job::Quantity;
use crate::lint::at_settings;
use crate::snapshot::{Known, NamespaceView};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_value};
use crate::error::Problem;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OverQuota,
    code: "MAGE508",
    name: "over-quota",
    severity: Severity::Error,
    summary: "the pod can never be within the quota of its namespace",
    explanation: "A quota bounds the sum of all pods; one that asks for more than the whole is never created. A quota on a resource also makes that resource due in every pod: one that does not say it, and gets no default from a LimitRange, is refused too. Either way the Job has no pod, and Mage waits for ever.",
    example: Example {
        edition: "pro",
        files: &[("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_requests: {memory: «64Gi»}\n"),
            ("snapshot.json", super::EXAMPLE_CLUSTER)],
        flags: &["--snapshot={project}/snapshot.json"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(cluster) = facts.cluster else { return };
    let namespace = cluster.namespace(&facts.job.namespace);
    for quota in namespace.quotas().found().into_iter().flatten() {
        // Whether a quota with a scope counts depends on more than is known here.
        if !quota.scopes.is_empty() || quota.scope_selector.is_some() {
            continue;
        }
        for (name, hard) in &quota.hard {
            let Some((group, resource)) = compute(name) else { continue };
            let path = format!(".spec.template.spec.containers[0].resources.{group}[\"{resource}\"]");
            let value = facts.value(&path);
            let given = given(facts.container(), group, resource);
            let (quota, place) = (&quota.name, &facts.job.namespace);
            match given {
                Some(given) if Quantity::parse(&given) > Quantity::parse(hard) => {
                    let message = format!(
                        "{group}.{resource} {given} is more than the whole quota {quota} of namespace {place} allows, {hard}"
                    );
                    let problem = at_value(Problem::new(message), value, facts);
                    found.push(problem.hint("lower it, or ask for a larger quota"));
                }
                None if !has_default(namespace, group, resource) => {
                    let message = format!(
                        "quota {quota} of namespace {place} wants {group}.{resource} in every pod, and no layer sets it"
                    );
                    let problem = at_settings(Problem::new(message), facts.project);
                    found.push(problem.hint(format!("set resource_{group}.{resource}")));
                }
                _ => {}
            }
        }
    }
}

/// Reads what a quota bounds, as the group and the resource of a container.
fn compute(name: &str) -> Option<(&'static str, &str)> {
    match name {
        "cpu" | "memory" => Some(("requests", name)),
        _ => name
            .strip_prefix("requests.")
            .map(|resource| ("requests", resource))
            .or_else(|| name.strip_prefix("limits.").map(|resource| ("limits", resource)))
            .filter(|(_, resource)| matches!(*resource, "cpu" | "memory")),
    }
}

/// Returns what a container asks for; a limit without a request is one too.
fn given(container: &Json, group: &str, resource: &str) -> Option<String> {
    let resources = &container["resources"];
    let own = &resources[group][resource];
    let value = if own.is_null() && group == "requests" { &resources["limits"][resource] } else { own };
    value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string))
}

fn has_default(namespace: NamespaceView<'_>, group: &str, resource: &str) -> bool {
    let key = if group == "limits" { "default" } else { "defaultRequest" };
    let ranges = match namespace.limit_ranges() {
        Known::Yes(ranges) => ranges,
        Known::No => return false,
        Known::Unknown => return true,
    };
    ranges.values().flat_map(|limits| limits.as_array().into_iter().flatten()).any(|limit| {
        limit["type"] == "Container"
            && (!limit[key][resource].is_null() || !limit["default"][resource].is_null())
    })
}
