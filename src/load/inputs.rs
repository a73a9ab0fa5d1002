//! Everything a command needs to make Jobs, read once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::files::{find_project, read, read_source};
use super::layers::{Body, Edition};
use super::policy::{Policy, parse_policy};
use super::server_env::{EnvFound, ServerEnv};
use super::server_pod::ServerPod;
use super::user_config::UserConfig;
use crate::cli::{ConfigArgs, EditionChoice};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::finding::FindingId;
use crate::yaml::{self, Node, SourceFile, Span, Value};

/// What a cluster (or the kubeconfig alone) says about configuration.
#[derive(Clone, Debug, Default)]
pub struct ClusterFacts {
    /// The namespace of the current context, where it names one.
    pub context_namespace: Option<String>,
    /// The Mage server's pod, as the API gives it.
    pub server_pod: Option<Json>,
    /// Files that the server's environment names, by path in the pod: read from the ConfigMap that
    /// is mounted there, or why they could not be.
    pub pod_files: Vec<(String, Result<Arc<SourceFile>, String>)>,
}

/// Configuration that was read, before any pipeline.
#[derive(Debug)]
pub struct Inputs {
    /// The project's folder, absolute.
    pub project_dir: PathBuf,
    /// The project's `metadata.yaml`.
    pub project_file: Arc<SourceFile>,
    /// Whose merge rules are used.
    pub edition: Edition,
    /// The full template.
    pub template: Option<Body>,
    /// The policy file.
    pub policy: Option<Policy>,
    /// The Mage server's environment.
    pub env: ServerEnv,
    /// The Mage server's pod.
    pub server: Option<ServerPod>,
    /// The namespace of the current context.
    pub context_namespace: Option<String>,
    /// What people should know, one line each.
    pub notices: Vec<String>,
    /// What is doubtful, with its place.
    pub warnings: Vec<Problem>,
    /// Why the template or the policy cannot be used: without them no Job may be sent.
    pub errors: Vec<Problem>,
}

/// Reads the Mage server's environment as far as flags and files give it; what the pod adds comes
/// with [`read_inputs`].
pub fn read_server_env(args: &ConfigArgs) -> Result<ServerEnv, CliError> {
    let file = match &args.server_env_file {
        Some(path) => Some((path.display().to_string(), read(path)?)),
        None => None,
    };
    ServerEnv::new(
        &args.server_env,
        file.as_ref().map(|(name, text)| (name.as_str(), text.as_str())),
    )
}

/// Reads everything but the pipelines.
pub fn read_inputs(
    args: &ConfigArgs,
    mut env: ServerEnv,
    facts: &ClusterFacts,
) -> Result<Inputs, CliError> {
    let project_dir = find_project(args.project.as_deref())?;
    let project_file = read_source(&project_dir.join("metadata.yaml"), &project_dir)?;
    let mut notices = Vec::new();
    let mut warnings = Vec::new();
    let server = server_pod(args, &env, facts, &project_dir)?;
    if let Some(pod) = &server {
        notices.push(format!(
            "server pod {} in namespace {}, container {}: Jobs inherit from it",
            pod.name, pod.namespace, pod.container
        ));
        warnings.extend(pod.warnings.iter().cloned());
        env.add_pod(&pod.env, &format!("pod {}, container {}", pod.name, pod.container));
        for (name, object) in &pod.references {
            let decides = crate::cli::environment::SERVER.iter().any(|(known, _)| known == name);
            if decides && env.get(name).is_none() {
                notices.push(format!(
                    "{name} of the server pod comes from {object}; pass --server-env {name}=… to use it"
                ));
            }
        }
    }
    let (edition, why) = edition(args.edition, server.as_ref())?;
    notices.push(format!("edition {}: {why}", edition.name()));
    let mut errors = Vec::new();
    let mut usable = |error: CliError| errors.extend(error.problems);
    let template =
        named_file(args.template.as_deref(), "K8S_CONFIG_FILE", "--template", &env, facts)
            .and_then(|named| match named {
                Some(name) => body(&name.source(&project_dir)?, "the template", &mut warnings),
                None => Ok(None),
            })
            .map_err(&mut usable)
            .unwrap_or_default();
    let variable = "K8S_DEFAULT_CONFIG_PATH";
    let policy = match edition {
        Edition::Oss if args.policy.is_none() => Ok(None),
        _ => named_file(args.policy.as_deref(), variable, "--policy", &env, facts),
    };
    let policy = policy
        .and_then(|named| match named {
            Some(name) => {
                let file = name.source(&project_dir)?;
                let root = parse(&file, &mut warnings)?;
                parse_policy(&file, root.as_ref()).map(Some).map_err(CliError::usage)
            }
            None => Ok(None),
        })
        .map_err(&mut usable)
        .unwrap_or_default();
    Ok(Inputs {
        project_dir,
        project_file,
        edition,
        template,
        policy,
        env,
        server,
        context_namespace: facts.context_namespace.clone(),
        notices,
        warnings,
        errors,
    })
}

impl Inputs {
    /// Says what was read, one line each.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        let mut details =
            vec![format!("read {}", self.project_dir.join("metadata.yaml").display())];
        let template = self.template.as_ref().map(|body| body.file.name.as_str());
        details.push(format!("template: {}", template.unwrap_or("none")));
        let policy = self.policy.as_ref().map(|policy| policy.file.name.as_str());
        details.push(format!("policy: {}", policy.unwrap_or("none")));
        let namespace = self.context_namespace.as_deref();
        details.push(format!("namespace of the context: {}", namespace.unwrap_or("none")));
        details
    }
}

fn edition(
    choice: EditionChoice,
    server: Option<&ServerPod>,
) -> Result<(Edition, String), CliError> {
    let of = |choice| match choice {
        EditionChoice::Oss => Some(Edition::Oss),
        EditionChoice::Pro => Some(Edition::Pro),
        EditionChoice::Auto => None,
    };
    if let Some(edition) = of(choice) {
        return Ok((edition, "by --edition".to_owned()));
    }
    if let Some(pod) = server.filter(|pod| is_oss_image(&pod.image)) {
        return Ok((Edition::Oss, format!("the server pod runs {}", pod.image)));
    }
    let user = UserConfig::read()?;
    Ok(match user.edition.as_deref() {
        Some("oss") => (Edition::Oss, format!("by {}", user.path.display())),
        Some("pro") => (Edition::Pro, format!("by {}", user.path.display())),
        _ => (Edition::Pro, "as Mage documents; choose with --edition".to_owned()),
    })
}

/// `mageai/mageai` in any registry, with any tag or digest.
fn is_oss_image(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or(image);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    name == "mageai/mageai" || name.ends_with("/mageai/mageai")
}

fn server_pod(
    args: &ConfigArgs,
    env: &ServerEnv,
    facts: &ClusterFacts,
    project: &Path,
) -> Result<Option<ServerPod>, CliError> {
    let container = env.value("MAGE_CONTAINER_NAME");
    let container = container.as_deref();
    let Some(path) = args.server_pod.strip_prefix('@') else {
        let pod = facts.server_pod.as_ref();
        let read = |pod| ServerPod::from_api(pod, pod_container(pod, container).as_deref());
        return pod.map(read).transpose().map_err(CliError::usage);
    };
    let file = read_source(Path::new(path), project)?;
    let Some(node) = parse(&file, &mut Vec::new())? else {
        let problem = Problem::new(format!("{path} is empty"));
        return Err(CliError::usage(problem.hint("write it with `kubectl get pod NAME -o json`")));
    };
    let json = node.to_json();
    let container = pod_container(&json, container);
    ServerPod::from_node(&file, &node, container.as_deref()).map(Some).map_err(CliError::usage)
}

/// `MAGE_CONTAINER_NAME` as given by hand, else as some container of the pod itself has it.
fn pod_container(pod: &Json, given: Option<&str>) -> Option<String> {
    given.map(str::to_owned).or_else(|| {
        let containers = pod["spec"]["containers"].as_array()?;
        containers.iter().find_map(|container| {
            let env = container["env"].as_array()?;
            let variable = env.iter().find(|variable| variable["name"] == "MAGE_CONTAINER_NAME")?;
            let field = variable["valueFrom"]["fieldRef"]["fieldPath"].as_str();
            match (variable["value"].as_str(), field) {
                (Some(value), _) => Some(value.to_owned()),
                (None, Some("metadata.name")) => {
                    pod["metadata"]["name"].as_str().map(str::to_owned)
                }
                _ => None,
            }
        })
    })
}

/// A file that a flag or the server's environment names.
enum Named {
    Local(PathBuf),
    Read(Arc<SourceFile>),
}

impl Named {
    fn source(&self, project: &Path) -> Result<Arc<SourceFile>, CliError> {
        match self {
            Self::Local(path) => read_source(path, project),
            Self::Read(file) => Ok(Arc::clone(file)),
        }
    }
}

/// Finds a file by flag, else by the server's environment. A path that only the server's pod knows
/// is a path in that pod, and is followed to what is mounted there.
fn named_file(
    flag: Option<&Path>,
    variable: &str,
    flag_name: &str,
    env: &ServerEnv,
    facts: &ClusterFacts,
) -> Result<Option<Named>, CliError> {
    if let Some(path) = flag {
        return Ok(Some(Named::Local(path.to_owned())));
    }
    let Some(EnvFound { value, source, local }) = env.get(variable).filter(|e| !e.value.is_empty())
    else {
        return Ok(None);
    };
    if local {
        return Ok(Some(Named::Local(value.into())));
    }
    let why = match facts.pod_files.iter().find(|(path, _)| *path == value) {
        Some((_, Ok(file))) => return Ok(Some(Named::Read(Arc::clone(file)))),
        Some((_, Err(why))) => why.clone(),
        None => "it is a path in the server's pod, which was not followed".to_owned(),
    };
    let problem = Problem::new(format!("cannot read {value}, which {source} names: {why}"))
        .id(FindingId::UnreadableFile);
    Err(CliError::new(
        Exit::Usage,
        problem.hint(format!("copy the file here and pass {flag_name} FILE")),
    ))
}

/// Parses a file; keys given twice become warnings.
pub(super) fn parse(
    file: &Arc<SourceFile>,
    warnings: &mut Vec<Problem>,
) -> Result<Option<Node>, CliError> {
    let document = yaml::parse(file).map_err(|error| CliError::usage(error.to_problem()))?;
    let twice = document.warnings.iter();
    warnings.extend(twice.map(|twice| crate::project::twice_problem(twice, &document.file)));
    Ok(document.root)
}

fn body(
    file: &Arc<SourceFile>,
    what: &str,
    warnings: &mut Vec<Problem>,
) -> Result<Option<Body>, CliError> {
    let Some(node) = parse(file, warnings)? else { return Ok(None) };
    match node.value {
        Value::Null => Ok(None),
        Value::Mapping(_) => Ok(Some(Body { file: Arc::clone(file), node })),
        _ => {
            let message = format!("{what} is {}, not a mapping", node.kind());
            let span = Span { end: node.span.start, ..node.span };
            Err(CliError::usage(
                Problem::new(message)
                    .at(file, span)
                    .hint("give the keys of the template: metadata, pod, container, job"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_oss_image;

    #[test]
    fn mages_own_image_is_told_in_any_registry() {
        for image in ["mageai/mageai", "mageai/mageai:0.9.80", "r.io:5000/mageai/mageai@sha256:ab"]
        {
            assert!(is_oss_image(image), "{image}");
        }
        for image in ["localhost/mage:1", "mageai/mageprodemo:1", "x/mageai-mageai"] {
            assert!(!is_oss_image(image), "{image}");
        }
    }
}
