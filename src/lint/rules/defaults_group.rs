//! A default of the environment fills the rest of a group.

use crate::error::Problem;
use crate::config::{LayerKind, Source};
use crate::job::JobValue;
use crate::load::Edition;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at};

pub(super) const RULE: Rule = Rule {
    id: FindingId::DefaultsGroup,
    code: "MAGE315",
    name: "defaults-group",
    severity: Severity::Note,
    summary: "a default of the environment fills the rest of a group",
    explanation: "`K8S_EXECUTOR_DEFAULT_RESOURCE_*` of the Mage server fill single fields here: where a project sets only `resource_limits.memory`, the default for CPU still applies. Mage's documentation says that a default is used \"only when a more specific config does not set the same resource group\", which can be read as: then not at all. Set both fields, and it does not matter.",
    example: Example {
        edition: "pro",
        files: &[("metadata.yaml", "project_type: standalone\nremote_variables_dir: s3://bucket/mage\nk8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_requests:\n    cpu: 250m\n    memory: 512Mi\n  resource_limits:\n    memory: «2Gi»\n")],
        flags: &["--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU=500m"],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let by_env = |value: &JobValue| value.origin.layer == LayerKind::Env;
    if facts.edition() != Edition::Pro
        || !facts.executor.is_k8s()
        || !facts.job.values.iter().any(by_env)
    {
        return;
    }
    for group in ["requests", "limits"] {
        let given = &facts.container()["resources"][group];
        if given["cpu"].is_null() || given["memory"].is_null() {
            continue;
        }
        let path = format!("{}.resources.{group}", crate::config::CONTAINER);
        let of = |name: &str| facts.below(&path).find(|v| v.origin.setting.ends_with(name));
        let (Some(cpu), Some(memory)) = (of("cpu"), of("memory")) else { continue };
        for (filled, set) in [(cpu, memory), (memory, cpu)] {
            if filled.origin.layer == LayerKind::Env
                && (LayerKind::Project..=LayerKind::Block).contains(&set.origin.layer)
                && let Source::Env { name, .. } = &filled.origin.source
            {
                let message = format!("{name} fills `{}` beside this", filled.origin.setting);
                let problem = at(Problem::new(message), set);
                let hint = format!("set `{}` too: Mage's documentation leaves open whether the default applies", filled.origin.setting);
                found.push(problem.hint(hint));
            }
        }
    }
}
