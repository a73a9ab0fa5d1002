//! Every layer of a Job: whether it is there, and where it was looked for.

use super::layers::{Body, Edition, LayerSources, env_defaults};
use super::server_env::ServerEnv;
use crate::config::{LayerKind, Source};
use crate::explain::LayerReport;
use crate::merge::Content;

/// Reports on every layer, lowest first.
#[must_use]
pub fn reports(edition: Edition, sources: &LayerSources<'_>, env: &ServerEnv) -> Vec<LayerReport> {
    let reporting = Reporting { sources, env };
    let report = |kind| {
        let (source, mut looked_for) = reporting.found(kind);
        let is_read = edition == Edition::Pro || reporting.is_read_by_oss(kind);
        if !is_read {
            looked_for.push_str(", which Mage OSS does not read");
        }
        LayerReport { kind, present: source.is_some() && is_read, source, looked_for }
    };
    LayerKind::ALL.into_iter().map(report).collect()
}

/// Where a layer was found, if it was, and where it was looked for.
type Found = (Option<String>, String);

struct Reporting<'a> {
    sources: &'a LayerSources<'a>,
    env: &'a ServerEnv,
}

impl Reporting<'_> {
    fn found(&self, kind: LayerKind) -> Found {
        let sources = self.sources;
        match kind {
            LayerKind::Hardcoded => (Some("built in".to_owned()), self.always_there()),
            LayerKind::Context => self.context(),
            LayerKind::ServerPod => self.server_pod(),
            LayerKind::Template => {
                (body(sources.template), self.named_file("--template", "K8S_CONFIG_FILE"))
            }
            LayerKind::Env => self.env_defaults(),
            LayerKind::Policy | LayerKind::PolicyEnforced => self.policy(kind),
            LayerKind::Project => {
                let looked_for = format!("{}: k8s_executor_config", sources.looked.project_file);
                (body(sources.project), looked_for)
            }
            LayerKind::ProjectOverrides => {
                let looked_for = self.overrides(sources.looked.project_file, "k8s_executor_config");
                (body(sources.project_overrides), looked_for)
            }
            LayerKind::Pipeline => {
                let looked_for = format!("{}: executor_config", sources.looked.pipeline_file);
                (body(sources.pipeline), looked_for)
            }
            LayerKind::PipelineOverrides => {
                let looked_for = self.overrides(sources.looked.pipeline_file, "executor_config");
                (body(sources.pipeline_overrides), looked_for)
            }
            LayerKind::Block => (body(sources.block), self.block()),
            LayerKind::Flag => {
                let flags =
                    [sources.image.map(|_| "--image"), sources.namespace.map(|_| "--namespace")];
                let flags: Vec<&str> = flags.into_iter().flatten().collect();
                ((!flags.is_empty()).then(|| flags.join(", ")), "--image, --namespace".to_owned())
            }
            LayerKind::ApiDefault => (None, "not asked: what the API server adds".to_owned()),
        }
    }

    fn is_read_by_oss(&self, kind: LayerKind) -> bool {
        match kind {
            LayerKind::Env
            | LayerKind::Policy
            | LayerKind::ProjectOverrides
            | LayerKind::PipelineOverrides
            | LayerKind::PolicyEnforced => false,
            LayerKind::Pipeline => self.sources.whole_pipeline,
            _ => true,
        }
    }

    fn always_there(&self) -> String {
        match self.variable("KUBE_NAMESPACE") {
            Some((_, source)) => format!("always there; the namespace by {source}"),
            None => "always there; KUBE_NAMESPACE is not set".to_owned(),
        }
    }

    fn context(&self) -> Found {
        let speaks = self.variable("KUBE_NAMESPACE").is_none() && self.sources.server.is_none();
        let namespace = self.sources.looked.context_namespace;
        let source =
            namespace.filter(|_| speaks).map(|name| format!("kubeconfig, namespace {name}"));
        let looked_for = match namespace {
            Some(_) if speaks => "the namespace of the kubeconfig's current context",
            Some(_) => {
                "the current context's namespace speaks only without KUBE_NAMESPACE and server pod"
            }
            None => "the kubeconfig's current context names no namespace, or there is none",
        };
        (source, looked_for.to_owned())
    }

    fn server_pod(&self) -> Found {
        let looked = &self.sources.looked;
        let source = self.sources.server.map(|pod| {
            let container = &pod.container;
            format!("pod/{} in namespace {}, container {container}", pod.name, pod.namespace)
        });
        let looked_for = match looked.server_pod {
            "auto" if looked.offline => "--offline: not looked for".to_owned(),
            "auto" => "--server-pod auto: by label and image in -n, KUBE_NAMESPACE and the context's namespace".to_owned(),
            name => format!("--server-pod {name}"),
        };
        (source, looked_for)
    }

    fn named_file(&self, flag: &str, name: &str) -> String {
        match self.variable(name) {
            Some((value, source)) => format!("{flag}, else {value} by {source}"),
            None => format!("{flag}; {name} is not set"),
        }
    }

    fn env_defaults(&self) -> Found {
        let mut names: Vec<String> = Vec::new();
        for fragment in env_defaults(self.env) {
            for (_, leaf) in fragment.tree.leaves(&crate::config::JobPath::default()) {
                if let (Content::Leaf(_), Source::Env { .. }) = (&leaf.content, &leaf.origin.source)
                {
                    names.push(leaf.origin.source.to_string());
                }
            }
        }
        let source = (!names.is_empty()).then(|| names.join(", "));
        let looked_for = "K8S_EXECUTOR_DEFAULT_RESOURCE_{REQUESTS,LIMITS}_{CPU,MEMORY}, K8S_EXECUTOR_DEFAULT_SERVICE_ACCOUNT_NAME";
        (source, looked_for.to_owned())
    }

    fn policy(&self, kind: LayerKind) -> Found {
        let looked_for = self.named_file("--policy", "K8S_DEFAULT_CONFIG_PATH");
        let wanted = if kind == LayerKind::Policy { "false" } else { "true" };
        let Some(policy) = self.sources.policy else {
            return (None, format!("{looked_for}; enforce: {wanted}"));
        };
        let name = &policy.file.name;
        if !policy.enabled {
            return (None, format!("{name} says enabled: false"));
        }
        if policy.kind == kind {
            (Some(name.clone()), format!("{looked_for}; enforce: {wanted}"))
        } else {
            let says = if kind == LayerKind::Policy { "true" } else { "false" };
            (None, format!("{name} says enforce: {says}"))
        }
    }

    fn overrides(&self, file: &str, key: &str) -> String {
        match &self.sources.looked.env {
            Some(env) => format!("{file}: overrides.{env}.{key} (ENV is {env})"),
            None => format!("{file}: overrides.<ENV>.{key}; ENV is not set"),
        }
    }

    fn block(&self) -> String {
        let file = self.sources.looked.pipeline_file;
        match self.sources.looked.block {
            Some(block) => format!("{file}: executor_config of block {block}"),
            None => "the pipeline runs in one pod, and no block is asked".to_owned(),
        }
    }

    /// Returns a variable's value and who has it; an empty one counts as unset.
    fn variable(&self, name: &str) -> Option<(String, Source)> {
        let found = self.env.get(name).filter(|found| !found.value.is_empty())?;
        Some((found.value, found.source))
    }
}

fn body(body: Option<Body<'_>>) -> Option<String> {
    let body = body.filter(|body| !body.node.is_null())?;
    let start = body.node.span.start;
    Some(format!("{}:{}:{}", body.file.name, start.line, start.column))
}
