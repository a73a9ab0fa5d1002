//! A layer that only Mage Pro reads.

use crate::cli::environment::SERVER;
use crate::lint::{Check, Example, Found, ProjectFacts, Rule};
use crate::error::Problem;
use crate::load::Edition;
use crate::finding::{FindingId, Severity};

pub(super) const RULE: Rule = Rule {
    id: FindingId::OssProOnly,
    code: "MAGE409",
    name: "oss-pro-only",
    severity: Severity::Warning,
    summary: "a layer that only Mage Pro reads",
    explanation: "Mage OSS does not know environment defaults (`K8S_EXECUTOR_DEFAULT_*`), guardrails (`K8S_EXECUTOR_MAX_*`), the policy file (`K8S_DEFAULT_CONFIG_PATH`) or `overrides`. In edition `oss` they do nothing.",
    example: Example {
        edition: "oss",
        files: &[            ("metadata.yaml", "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_requests: {cpu: 1, memory: 1Gi}\noverrides:\n  prod:\n    «k8s_executor_config»:\n      namespace: prod\n")],
        flags: &["--server-env=ENV=prod"],
    },
    check: Check::Project(check),
};

fn check(facts: &ProjectFacts<'_>, found: &mut Found) {
    if facts.inputs.edition != Edition::Oss {
        return;
    }
    let overrides = facts.project.root.get("overrides").and_then(|node| node.as_mapping());
    for entry in overrides.into_iter().flat_map(|mapping| &mapping.entries) {
        let inside = entry.value.as_mapping().and_then(|mapping| mapping.entry("k8s_executor_config"));
        if let Some(inside) = inside {
            let message = "Mage OSS does not read `overrides`: these settings do nothing";
            let problem = Problem::new(message).at(&facts.project.file, inside.key.span);
            found.push(problem.hint("choose settings by Jinja, `{{ env_var('ENV') }}`"));
        }
    }
    for (name, _) in SERVER.iter().filter(|(name, _)| is_pro(name)) {
        let Some(variable) = facts.inputs.env.get(name).filter(|v| !v.value.is_empty()) else {
            continue;
        };
        let message = format!("Mage OSS does not read {}: it does nothing", variable.source);
        found.push(Problem::new(message).hint("write the setting in `k8s_executor_config`"));
    }
}

fn is_pro(name: &str) -> bool {
    name.starts_with("K8S_EXECUTOR_") || name == "K8S_DEFAULT_CONFIG_PATH"
}
