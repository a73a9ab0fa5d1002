//! An enforced policy overrides what a user set.

use crate::error::Problem;
use serde_json::Value as Json;
use crate::config::{LayerKind, Source};
use crate::job::{JobValue, Quantity, RenderedJob};
use crate::merge::{Loser, Rule as Decided};
use crate::finding::{FindingId, Severity};
use crate::lint::place::at_lost;
use crate::lint::{Check, Example, Found, JobFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::PolicyConflict,
    code: "MAGE304",
    name: "policy-conflict",
    severity: Severity::Note,
    summary: "an enforced policy overrides what a user set",
    explanation: "With `enforce: true` the policy beats project, pipeline and block. Whoever wrote the overridden line does not get what it says: both lines are named. `--strict` makes it an error, as strict conflict checking of Mage Pro does. Remove the line, or ask the platform team for an exception.",
    example: Example {
        edition: "pro",
        files: &[("policy.yaml", "enforce: true\nresource_limits:\n  memory: 2Gi\n"),
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits: {memory: «8Gi»}\n")],
        flags: &["--policy={project}/policy.yaml"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    for problem in policy_conflicts(facts.job) {
        found.push(problem);
    }
}

/// Returns a problem for each value of a user that an enforced policy overrides by another.
#[must_use]
pub fn policy_conflicts(job: &RenderedJob) -> Vec<Problem> {
    let mut found = Vec::new();
    let values = &job.values;
    for value in values.iter().filter(|value| is_enforced(value)) {
        for loser in value.overridden.iter().filter(|loser| is_users(loser)) {
            if !same(&loser.value, &value.value) {
                found.push(conflict(loser, Some(value)));
            }
        }
    }
    for (path, loser) in &job.lost {
        if loser.rule == Decided::Enforced && is_users(loser) {
            // The list that replaced it, or what stands in its place.
            let mut above = path.clone();
            let winner = loop {
                let winner = values.iter().find(|v| is_enforced(v) && v.path.starts_with(&above));
                if winner.is_some() || above.0.len() < 4 {
                    break winner;
                }
                above.0.pop();
            };
            found.push(conflict(loser, winner));
        }
    }
    found
}

fn is_enforced(value: &JobValue) -> bool {
    value.origin.layer == LayerKind::PolicyEnforced
}

fn is_users(loser: &Loser) -> bool {
    (LayerKind::Project..=LayerKind::Block).contains(&loser.origin.layer)
}

/// Tells whether two values mean the same: `1` and `1000m` are one quantity.
fn same(one: &Json, other: &Json) -> bool {
    let quantity = |value: &Json| value.as_str().and_then(Quantity::parse);
    one == other || matches!((quantity(one), quantity(other)), (Some(a), Some(b)) if a == b)
}

fn conflict(loser: &Loser, winner: Option<&JobValue>) -> Problem {
    let layer = loser.origin.layer;
    let setting = &loser.origin.setting;
    // A value that may be a secret is not told.
    let shown = winner.filter(|winner| !winner.secret && is_short(&loser.value));
    let message = match shown.filter(|winner| is_short(&winner.value)) {
        Some(winner) => format!(
            "the enforced policy sets `{}` to {}, where the {layer} says {}",
            winner.origin.setting,
            text(&winner.value),
            text(&loser.value)
        ),
        None => format!("the enforced policy overrides `{setting}` of the {layer}"),
    };
    let problem = at_lost(Problem::new(message), loser);
    let problem = match winner.map(|winner| &winner.origin.source) {
        Some(Source::File { file, span }) => problem.related("the policy", file, *span),
        _ => problem,
    };
    problem.hint("leave the line out, or ask whoever keeps the policy")
}

fn is_short(value: &Json) -> bool {
    match value {
        Json::String(text) => text.len() <= 40 && !text.contains("://"),
        Json::Number(_) | Json::Bool(_) => true,
        _ => false,
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
