//! The layers a value can come from.

use std::fmt;

/// Where a value comes from. The order of declaration is the precedence, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerKind {
    /// Built into Mage (or this tool), `KUBE_NAMESPACE` included.
    Hardcoded,
    /// The namespace of the current kubeconfig context.
    Context,
    /// The Mage server's own pod; fills only what nobody set, and joins some lists.
    ServerPod,
    /// The full template, `K8S_CONFIG_FILE`.
    Template,
    /// `K8S_EXECUTOR_DEFAULT_*` in the server's environment.
    Env,
    /// The policy file with `enforce: false`.
    Policy,
    /// `k8s_executor_config` of the project.
    Project,
    /// `overrides.<ENV>.k8s_executor_config` of the project.
    ProjectOverrides,
    /// `executor_config` of the pipeline.
    Pipeline,
    /// `overrides.<ENV>.executor_config` of the pipeline.
    PipelineOverrides,
    /// `executor_config` of the block.
    Block,
    /// A flag of this command.
    Flag,
    /// The policy file with `enforce: true`.
    PolicyEnforced,
    /// The API server's defaults and admission.
    ApiDefault,
}

impl LayerKind {
    /// All layers, lowest first.
    pub const ALL: [Self; 14] = [
        Self::Hardcoded,
        Self::Context,
        Self::ServerPod,
        Self::Template,
        Self::Env,
        Self::Policy,
        Self::Project,
        Self::ProjectOverrides,
        Self::Pipeline,
        Self::PipelineOverrides,
        Self::Block,
        Self::Flag,
        Self::PolicyEnforced,
        Self::ApiDefault,
    ];

    /// Returns the name people see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hardcoded => "hardcoded",
            Self::Context => "context",
            Self::ServerPod => "server-pod",
            Self::Template => "template",
            Self::Env => "env",
            Self::Policy => "policy",
            Self::Project => "project",
            Self::ProjectOverrides => "project-overrides",
            Self::Pipeline => "pipeline",
            Self::PipelineOverrides => "pipeline-overrides",
            Self::Block => "block",
            Self::Flag => "flag",
            Self::PolicyEnforced => "policy-enforced",
            Self::ApiDefault => "api-default",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
