//! A container without requests.

use crate::error::Problem;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_settings};

pub(super) const RULE: Rule = Rule {
    id: FindingId::MissingRequests,
    code: "MAGE311",
    name: "missing-requests",
    severity: Severity::Note,
    summary: "a container without requests for CPU or memory",
    explanation: "The scheduler places pods by their requests. A container without any counts as nothing: nodes fill up until blocks slow each other down or the kernel kills one, and such pods are the first to be evicted. Limits alone are enough, for Kubernetes then takes them as requests; a LimitRange of the namespace may fill them in as well. Set `resource_requests` in the project.",
    example: Example {
        edition: "pro",
        files: &[("metadata.yaml", "project_type: standalone\nremote_variables_dir: s3://bucket/mage\n«k8s_executor_config»:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_limits:\n    cpu: 500m\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let resources = &facts.container()["resources"];
    if !facts.executor.is_k8s() || facts.pod()["resources"].is_object() {
        return;
    }
    let missing = |name| resources["requests"][name].is_null() && resources["limits"][name].is_null();
    let message = match (missing("cpu"), missing("memory")) {
        (false, false) => return,
        (true, true) => "Jobs request neither CPU nor memory",
        (true, false) => "Jobs request no CPU",
        (false, true) => "Jobs request no memory",
    };
    let problem = Problem::new(message).setting("resource_requests");
    let problem = problem.hint("set `resource_requests` with `cpu` and `memory` in the project");
    found.push(at_settings(problem, facts.project));
}
