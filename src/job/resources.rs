//! Checks of the final container's resources: requests against limits, guardrails, extended
//! resources.

use crate::config::{Origin, Source};
use crate::error::Problem;
use crate::finding::{Finding, FindingId};
use crate::job::Quantity;
use crate::merge::Tree;

/// An upper bound from the server's environment, `K8S_EXECUTOR_MAX_RESOURCE_*`.
#[derive(Clone, Debug)]
pub struct Guardrail {
    /// The variable.
    pub name: String,
    /// Who has it.
    pub holder: String,
    /// `limits` or `requests`.
    pub group: &'static str,
    /// `cpu` or `memory`.
    pub resource: &'static str,
    /// The bound as written.
    pub value: String,
}

fn quantity(tree: &Tree) -> Option<Quantity> {
    match tree.to_json() {
        serde_json::Value::String(text) => Quantity::parse(&text),
        serde_json::Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

fn text(tree: &Tree) -> String {
    match tree.to_json() {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Puts a problem at the place a value came from, where that is a file.
pub(super) fn at_origin(problem: Problem, origin: &Origin) -> Problem {
    match &origin.source {
        Source::File { file, span } => problem.at(file, *span),
        _ => problem,
    }
}

/// Names an origin in a sentence.
pub(super) fn told(origin: &Origin) -> String {
    format!("{}, layer {}", origin.source, origin.layer)
}

/// Finds every request over its limit and every value over its guardrail.
pub(super) fn check(root: &Tree, guardrails: &[Guardrail]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let limits = root.at(&["container", "resources", "limits"]).and_then(Tree::as_map);
    let requests = root.at(&["container", "resources", "requests"]).and_then(Tree::as_map);
    for (name, request) in requests.into_iter().flatten() {
        let Some(limit) = limits.and_then(|limits| limits.get(name)) else { continue };
        if quantity(request) > quantity(limit) {
            let message = format!(
                "request {name} {} ({}) is over the limit {} ({})",
                text(request),
                told(&request.origin),
                text(limit),
                told(&limit.origin)
            );
            let problem = at_origin(Problem::new(message), &request.origin)
                .id(FindingId::RequestOverLimit)
                .setting(&*request.origin.setting);
            let problem = match &limit.origin.source {
                Source::File { file, span } => problem.related("the limit", file, *span),
                _ => problem,
            };
            problems.push(
                problem
                    .hint("lower the request or raise the limit: the API server refuses the Job"),
            );
        }
    }
    for guardrail in guardrails {
        problems.extend(over_guardrail(root, guardrail));
    }
    problems
}

fn over_guardrail(root: &Tree, guardrail: &Guardrail) -> Option<Problem> {
    let Guardrail { name, holder, group, resource, value } = guardrail;
    let Some(bound) = Quantity::parse(value) else {
        let message = format!("{name} is `{value}` ({holder}), which is no quantity");
        let problem = Problem::new(message).id(FindingId::InvalidQuantity);
        return Some(problem.hint("set it to a quantity such as 4000m or 8Gi"));
    };
    let given = root.at(&["container", "resources", group, resource])?;
    (quantity(given)? > bound).then(|| {
        let message = format!(
            "{group}.{resource} {} ({}) exceeds {value} set by env {name} ({holder})",
            text(given),
            told(&given.origin)
        );
        at_origin(Problem::new(message), &given.origin)
            .id(FindingId::OverGuardrail)
            .setting(&*given.origin.setting)
            .hint("lower it there, or ask whoever runs the Mage server to raise the guardrail")
    })
}

/// Gives every extended resource that is only requested a limit of the same amount, as the API
/// server demands.
pub(super) fn complete_extended(root: &mut Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let requests = root.at(&["container", "resources", "requests"]).and_then(Tree::as_map).cloned();
    for (name, request) in requests.into_iter().flatten() {
        let extended = name.contains('/') || name.starts_with("hugepages-");
        let keys = ["container", "resources", "limits", name.as_ref()];
        if extended && root.at(&keys).is_none() {
            let message = format!(
                "{name} is requested without a limit, which the API server refuses: limit = request"
            );
            let problem = at_origin(Problem::new(message), &request.origin);
            let hint = format!("name {name} under resource_limits instead");
            let problem = problem.id(FindingId::ExtendedWithoutLimit);
            let problem = problem.setting(&*request.origin.setting).hint(hint);
            findings.push(Finding::warning(problem));
            root.put(&keys, request.clone());
        }
    }
    findings
}
