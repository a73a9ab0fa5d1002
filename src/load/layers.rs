//! What was read, as the layers that each edition merges.

use std::sync::Arc;

use super::policy::Policy;
use super::server_env::ServerEnv;
use super::server_pod::ServerPod;
use crate::config::{Convert, Fragment, LayerKind, Origin, Source, settings};
use crate::error::Problem;
use crate::finding::{Finding, FindingId};
use crate::job::Guardrail;
use crate::merge::{Merge, OssInput, OssLayer, Pro, ProLayer, Tree, merge_oss, merge_oss_unlike};
use crate::yaml::{Mapping, Node, SourceFile, Value};

/// Whose merge rules are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// What a Mage OSS server really does.
    Oss,
    /// What Mage documents.
    Pro,
}

impl Edition {
    /// Returns the name people see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Oss => "oss",
            Self::Pro => "pro",
        }
    }
}

/// A setting's body in a file: `k8s_executor_config`, `executor_config`, the template.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// The file.
    pub file: &'a Arc<SourceFile>,
    /// The value; may be null.
    pub node: &'a Node,
}

impl<'a> Body<'a> {
    /// Returns the mapping; a value of another kind is a problem, null is nothing.
    fn mapping(self, what: &str) -> Result<Option<&'a Mapping>, Problem> {
        match &self.node.value {
            Value::Null => Ok(None),
            Value::Mapping(mapping) => Ok(Some(mapping)),
            _ => Err(Problem::new(format!("{what} is {}, not a mapping", self.node.kind()))
                .id(FindingId::WrongType)
                .at(self.file, self.node.span)
                .hint("give a mapping of settings or leave it out")),
        }
    }
}

/// Everything that speaks for the Jobs of one block (or of a pipeline in one pod).
#[derive(Debug, Default)]
pub struct LayerSources<'a> {
    /// The full template.
    pub template: Option<Body<'a>>,
    /// The policy file.
    pub policy: Option<&'a Policy>,
    /// `k8s_executor_config`.
    pub project: Option<Body<'a>>,
    /// `overrides.<ENV>.k8s_executor_config`.
    pub project_overrides: Option<Body<'a>>,
    /// The pipeline's `executor_config`.
    pub pipeline: Option<Body<'a>>,
    /// `overrides.<ENV>.executor_config` of the pipeline.
    pub pipeline_overrides: Option<Body<'a>>,
    /// The block's `executor_config`; absent for a pipeline in one pod.
    pub block: Option<Body<'a>>,
    /// Whether this is the Job of a whole pipeline.
    pub whole_pipeline: bool,
    /// `--image`.
    pub image: Option<&'a str>,
    /// `-n`.
    pub namespace: Option<&'a str>,
    /// The Mage server's pod.
    pub server: Option<&'a ServerPod>,
    /// Where what is not there was looked for.
    pub looked: LookedFor<'a>,
}

/// Where layers were looked for, for people who miss one.
#[derive(Debug, Default)]
pub struct LookedFor<'a> {
    /// The project's file.
    pub project_file: &'a str,
    /// The pipeline's file.
    pub pipeline_file: &'a str,
    /// The block; absent for a pipeline in one pod.
    pub block: Option<&'a str>,
    /// `ENV`, which picks the overrides.
    pub env: Option<String>,
    /// `--server-pod`.
    pub server_pod: &'a str,
    /// `--offline`, with no snapshot that stands for the cluster.
    pub offline: bool,
    /// The namespace of the current context, where one is known.
    pub context_namespace: Option<&'a str>,
}

/// What came of the layers.
#[derive(Debug)]
pub struct MergedLayers {
    /// The merged tree.
    pub root: Tree,
    /// What lost.
    pub merge: Merge,
    /// What was found on the way.
    pub findings: Vec<Finding>,
}

/// What is the same for every block of a pipeline: the layers below the block's.
#[derive(Debug, Default)]
pub struct Base {
    merged: Pro,
    /// What was found in these layers; where an error is among them, no Job may be made.
    pub findings: Vec<Finding>,
}

impl Base {
    /// Merges the layers below the block's. Edition `oss` joins its layers before it reads them, so
    /// that there is nothing to merge.
    #[must_use]
    pub fn new(edition: Edition, sources: &LayerSources<'_>, env: &ServerEnv) -> Self {
        let mut base = Self::default();
        if edition == Edition::Pro {
            let mut layers = bodies(
                &[
                    (LayerKind::Template, sources.template, false),
                    (LayerKind::Project, sources.project, sources.project_overrides.is_some()),
                    (LayerKind::ProjectOverrides, sources.project_overrides, false),
                    (LayerKind::Pipeline, sources.pipeline, sources.pipeline_overrides.is_some()),
                    (LayerKind::PipelineOverrides, sources.pipeline_overrides, false),
                ],
                &mut base.findings,
            );
            let fragments = env_defaults(env);
            layers.push(ProLayer { kind: LayerKind::Env, fragments, replaced: false });
            layers.extend(policy(sources, LayerKind::Policy, &mut base.findings));
            base.merged.lay(layers);
        }
        base
    }
}

/// Merges the layers of one Job in the edition's way. Where an error is among the findings, no Job
/// may be made of it.
#[must_use]
pub fn merge_layers(edition: Edition, base: &Base, sources: &LayerSources<'_>) -> MergedLayers {
    match edition {
        Edition::Pro => {
            let mut findings = Vec::new();
            let mut layers = bodies(&[(LayerKind::Block, sources.block, false)], &mut findings);
            let fragments = flags(sources);
            layers.push(ProLayer { kind: LayerKind::Flag, fragments, replaced: false });
            layers.extend(policy(sources, LayerKind::PolicyEnforced, &mut findings));
            let mut merged = base.merged.clone();
            merged.lay(layers);
            let (root, merge) = merged.join(sources.server.map(|pod| pod.tree.clone()));
            MergedLayers { root, merge, findings }
        }
        Edition::Oss => {
            let (input, mut findings) = oss_input(sources);
            let (mut root, mut merge, found) = merge_oss(&input);
            findings.extend(found);
            for fragment in flags(sources) {
                root = merge.overlay(root, fragment.tree, &crate::config::JobPath::default());
            }
            MergedLayers { root, merge, findings }
        }
    }
}

/// Merges the layers of one Job in the edition's way, unless that gives the values that the other
/// edition gave.
#[must_use]
pub fn merge_layers_unlike(
    edition: Edition,
    base: &Base,
    sources: &LayerSources<'_>,
    other: &Tree,
) -> Option<MergedLayers> {
    if edition == Edition::Oss && flags(sources).is_empty() {
        let (input, mut findings) = oss_input(sources);
        let (root, merge, found) = merge_oss_unlike(&input, other)?;
        findings.extend(found);
        return Some(MergedLayers { root, merge, findings });
    }
    let merged = merge_layers(edition, base, sources);
    (!merged.root.holds_same(other)).then_some(merged)
}

/// Converts the bodies of layers; a third member that is true says that `overrides` replace it.
fn bodies(
    given: &[(LayerKind, Option<Body<'_>>, bool)],
    findings: &mut Vec<Finding>,
) -> Vec<ProLayer> {
    let mut layers = Vec::new();
    for (kind, body, replaced) in given {
        let Some(body) = body else { continue };
        match body.mapping(what(*kind)) {
            Ok(None) => {}
            Ok(Some(mapping)) => {
                let mut convert = Convert::new(*kind, body.file);
                let fragments = settings(&mut convert, &mapping.entries);
                findings.append(&mut convert.findings);
                layers.push(ProLayer { kind: *kind, fragments, replaced: *replaced });
            }
            Err(problem) => findings.push(Finding::error(problem)),
        }
    }
    layers
}

/// Names the setting that holds a layer's body.
fn what(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Template => "the template",
        LayerKind::Project | LayerKind::ProjectOverrides => "`k8s_executor_config`",
        _ => "`executor_config`",
    }
}

/// Converts the policy, where it is of this kind and not switched off.
fn policy(
    sources: &LayerSources<'_>,
    kind: LayerKind,
    findings: &mut Vec<Finding>,
) -> Option<ProLayer> {
    let policy = sources.policy.filter(|policy| policy.enabled && policy.kind == kind)?;
    let mut convert = Convert::new(kind, &policy.file);
    let fragments = settings(&mut convert, &policy.body.entries);
    findings.append(&mut convert.findings);
    Some(ProLayer { kind, fragments, replaced: false })
}

fn flags(sources: &LayerSources<'_>) -> Vec<Fragment> {
    let flag = |name: &str, setting: &str, part: &[&str], value: &str| {
        let source = Source::Flag { name: name.into() };
        let leaf = Tree::leaf(value, Origin::new(LayerKind::Flag, source, setting));
        Fragment { rank: 0, tree: Tree::nest(part, leaf) }
    };
    let image = sources
        .image
        .map(|image| flag("--image", "container.image", &["container", "image"], image));
    let namespace =
        sources.namespace.map(|name| flag("--namespace", "namespace", &["namespace"], name));
    image.into_iter().chain(namespace).collect()
}

/// Reads `K8S_EXECUTOR_DEFAULT_*`.
pub(super) fn env_defaults(env: &ServerEnv) -> Vec<Fragment> {
    let mut fragments = Vec::new();
    for (name, setting, part) in [
        (
            "RESOURCE_REQUESTS_CPU",
            "resource_requests.cpu",
            &["container", "resources", "requests", "cpu"][..],
        ),
        (
            "RESOURCE_REQUESTS_MEMORY",
            "resource_requests.memory",
            &["container", "resources", "requests", "memory"],
        ),
        (
            "RESOURCE_LIMITS_CPU",
            "resource_limits.cpu",
            &["container", "resources", "limits", "cpu"],
        ),
        (
            "RESOURCE_LIMITS_MEMORY",
            "resource_limits.memory",
            &["container", "resources", "limits", "memory"],
        ),
        ("SERVICE_ACCOUNT_NAME", "service_account_name", &["pod", "serviceAccountName"]),
    ] {
        let name = format!("K8S_EXECUTOR_DEFAULT_{name}");
        if let Some(found) = env.get(&name).filter(|found| !found.value.is_empty()) {
            let origin = Origin::new(LayerKind::Env, found.source, setting);
            let leaf = Tree::leaf(found.value, origin);
            fragments.push(Fragment { rank: 0, tree: Tree::nest(part, leaf) });
        }
    }
    fragments
}

/// Reads `K8S_EXECUTOR_MAX_RESOURCE_*`.
#[must_use]
pub fn guardrails(env: &ServerEnv) -> Vec<Guardrail> {
    let mut guardrails = Vec::new();
    for (group, group_name) in [("requests", "REQUESTS"), ("limits", "LIMITS")] {
        for (resource, resource_name) in [("cpu", "CPU"), ("memory", "MEMORY")] {
            let name = format!("K8S_EXECUTOR_MAX_RESOURCE_{group_name}_{resource_name}");
            if let Some(found) = env.get(&name).filter(|found| !found.value.is_empty()) {
                let holder = match found.source {
                    Source::Env { holder, .. } => holder.to_string(),
                    other => other.to_string(),
                };
                guardrails.push(Guardrail { name, holder, group, resource, value: found.value });
            }
        }
    }
    guardrails
}

/// Mage OSS reads the template, the project, and the block (or, for a whole pipeline, its config).
fn oss_input<'a>(sources: &LayerSources<'a>) -> (OssInput<'a>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut layer = |kind, body: Option<Body<'a>>| {
        // What Python takes for false, `''` or `[]`, is as good as nothing to Mage.
        let body = body.filter(|body| body.node.is_truthy())?;
        match body.mapping(what(kind)) {
            Ok(mapping) => Some(OssLayer { kind, file: body.file, body: mapping? }),
            Err(problem) => {
                findings.push(Finding::error(problem));
                None
            }
        }
    };
    let template = layer(LayerKind::Template, sources.template);
    let project = layer(LayerKind::Project, sources.project);
    let last = if sources.whole_pipeline {
        layer(LayerKind::Pipeline, sources.pipeline)
    } else {
        layer(LayerKind::Block, sources.block)
    };
    let layers = project.into_iter().chain(last).collect();
    let server = sources.server.map(|pod| &pod.tree);
    (OssInput { template, layers, server }, findings)
}

/// Says that Mage OSS would look for its own pod in the wrong namespace: without `KUBE_NAMESPACE` it
/// takes the Job's (`mage_ai/services/k8s/job_manager.py: JobManager.__init__`).
#[must_use]
pub fn server_pod_not_found(
    pod: &ServerPod,
    env: &ServerEnv,
    namespace: &str,
    origin: Option<&Origin>,
) -> Option<Finding> {
    const NAME: &str = "KUBE_NAMESPACE";
    let unknown = &pod.environment.unknown;
    let is_set = env.value(NAME).is_some() || unknown.iter().any(|unknown| unknown.name == NAME);
    if is_set || pod.namespace == namespace || pod.namespace.is_empty() {
        return None;
    }
    // Of an object whose keys are not known, any variable may come.
    let maybe = unknown.iter().find(|unknown| unknown.name.is_empty());
    let message = match maybe {
        Some(unknown) => format!(
            "Mage OSS fails here unless {} sets KUBE_NAMESPACE: without it, the server looks for its pod in `{namespace}` instead of `{}`",
            unknown.object, pod.namespace
        ),
        None => format!(
            "Mage OSS fails here: KUBE_NAMESPACE is not set, so the server looks for its pod in `{namespace}` instead of `{}`",
            pod.namespace
        ),
    };
    let problem = Problem::new(message).id(FindingId::ServerNamespace);
    let problem = match origin.map(|origin| &origin.source) {
        Some(Source::File { file, span }) => problem.at(file, *span),
        _ => problem,
    };
    let hint = "set KUBE_NAMESPACE in the server from `fieldRef: metadata.namespace`";
    Some(Finding::warning(problem.hint(hint)))
}
