//! Everything a command needs to make Jobs, read once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::files::{find_project, read, read_source};
use super::layers::Edition;
use super::policy::{Policy, parse_policy};
use super::server_env::{EnvFound, ServerEnv};
use super::server_pod::ServerPod;
use super::user_config::UserConfig;
use crate::cli::{ConfigArgs, EditionChoice};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::finding::FindingId;
use crate::snapshot::{Masks, PodFile, Snapshot, Variable, container_of, environment};
use crate::yaml::{self, Node, SourceFile, Span, Value};

/// What a cluster (or the kubeconfig alone) says about configuration, live or by a file.
#[derive(Clone, Debug, Default)]
pub struct ClusterFacts {
    /// What it says. Live, only the context and the server's pod are filled.
    pub snapshot: Snapshot,
    /// The snapshot's file, where it was read from one.
    pub file: Option<String>,
}

/// The full template.
#[derive(Debug)]
pub struct Template {
    /// The file.
    pub file: Arc<SourceFile>,
    /// What it holds, a mapping.
    pub node: Node,
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
    /// Why that one.
    pub edition_why: String,
    /// The full template.
    pub template: Option<Template>,
    /// The policy file.
    pub policy: Option<Policy>,
    /// The Mage server's environment.
    pub env: ServerEnv,
    /// The Mage server's pod.
    pub server: Option<ServerPod>,
    /// What the snapshot masks of it.
    pub masks: Masks,
    /// The namespace of the current context.
    pub context_namespace: Option<String>,
    /// Whether the project's `requirements.txt` asks for anything.
    pub requirements: bool,
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
    let mut masks = Masks::default();
    if let Some(pod) = &server {
        if let Some(file) = facts.file.as_deref().filter(|_| !args.server_pod.starts_with('@')) {
            let given = |name: &str| env.given(name).is_some();
            masks = Masks::new(&facts.snapshot, file, &pod.environment, given);
        }
        warnings.extend(pod.warnings.iter().cloned());
        notices.push(inherits(pod, facts, args));
        let (told, doubts) = environment_notices(pod, &env);
        notices.extend(told);
        warnings.extend(doubts);
        env.add_pod(&pod.environment, &format!("pod {}, container {}", pod.name, pod.container));
    }
    let (edition, why) = edition(args, server.as_ref())?;
    notices.push(format!("edition {}: {why}", edition.name()));
    let mut errors = Vec::new();
    let mut usable = |error: CliError| errors.extend(error.problems);
    let read = (&env, server.as_ref());
    let template =
        named_file(args.template.as_deref(), "K8S_CONFIG_FILE", "--template", read, facts)
            .and_then(|named| match named {
                Some(name) => {
                    warnings.extend(name.stale(facts));
                    body(&name.source(&project_dir)?, "the template", &mut warnings)
                }
                None => Ok(None),
            })
            .map_err(&mut usable)
            .unwrap_or_default();
    let variable = "K8S_DEFAULT_CONFIG_PATH";
    let policy = match edition {
        Edition::Oss if args.policy.is_none() => Ok(None),
        _ => named_file(args.policy.as_deref(), variable, "--policy", read, facts),
    };
    let policy = policy
        .and_then(|named| match named {
            Some(name) => {
                warnings.extend(name.stale(facts));
                let file = name.source(&project_dir)?;
                let root = parse(&file, &mut warnings)?;
                parse_policy(&file, root.as_ref()).map(Some).map_err(CliError::usage)
            }
            None => Ok(None),
        })
        .map_err(&mut usable)
        .unwrap_or_default();
    Ok(Inputs {
        requirements: has_requirements(&project_dir),
        project_dir,
        project_file,
        edition,
        edition_why: why,
        template,
        policy,
        env,
        server,
        masks,
        context_namespace: facts.snapshot.context.namespace.clone(),
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

fn edition(args: &ConfigArgs, server: Option<&ServerPod>) -> Result<(Edition, String), CliError> {
    let of = |choice| match choice {
        EditionChoice::Oss => Some(Edition::Oss),
        EditionChoice::Pro => Some(Edition::Pro),
        EditionChoice::Auto => None,
    };
    if let Some(edition) = of(args.edition) {
        let why = if args.edition_is_recorded { "as the run was made" } else { "by --edition" };
        return Ok((edition, why.to_owned()));
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

/// Tells whether a `requirements.txt` is there with anything in it; Mage makes an empty one.
fn has_requirements(project: &Path) -> bool {
    let text = std::fs::read_to_string(project.join("requirements.txt")).unwrap_or_default();
    text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// `mageai/mageai` in any registry, with any tag or digest.
#[must_use]
pub fn is_oss_image(image: &str) -> bool {
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
        let Some(pod) = facts.snapshot.server_pod.pod.as_ref() else { return Ok(None) };
        if args.server_pod == "none" {
            return Ok(None);
        }
        let pod = unmasked(pod, &facts.snapshot.server_pod.masked, env);
        let search = &facts.snapshot.server_pod;
        let wanted = container.or(search.container_name.as_deref());
        let followed = search.container == Some(container_of(&pod, wanted));
        let variables = if followed { search.variables.as_slice() } else { &[] };
        let server = ServerPod::from_api(&pod, wanted, variables);
        return server.map(Some).map_err(CliError::usage);
    };
    let file = read_source(Path::new(path), project)?;
    let Some(node) = parse(&file, &mut Vec::new())? else {
        let problem = Problem::new(format!("{path} is empty"));
        return Err(CliError::usage(problem.hint("write it with `kubectl get pod NAME -o json`")));
    };
    let json = node.to_json();
    let container = container.map(str::to_owned).or_else(|| server_container(&json, &[]));
    ServerPod::from_node(&file, &node, container.as_deref()).map(Some).map_err(CliError::usage)
}

/// Puts values given by `--server-env` where the snapshot masks them: they are the pod's own.
fn unmasked(pod: &Json, masked: &[String], env: &ServerEnv) -> Json {
    let mut pod = pod.clone();
    for field in masked {
        let pointer = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
        let Some(variable) = pointer.strip_suffix("/value").and_then(|p| pod.pointer_mut(p)) else {
            continue;
        };
        let name = variable["name"].as_str().unwrap_or_default();
        if let Some(value) = env.given(name).map(str::to_owned) {
            variable["value"] = value.into();
        }
    }
    pod
}

/// Returns `MAGE_CONTAINER_NAME` as some container of the pod has it.
#[must_use]
pub fn server_container(pod: &Json, variables: &[Variable]) -> Option<String> {
    let containers = pod["spec"]["containers"].as_array()?;
    containers.iter().find_map(|container| {
        let known = environment(pod, container, variables).variables;
        let name = known.into_iter().find(|variable| variable.name == "MAGE_CONTAINER_NAME");
        name.map(|variable| variable.value).filter(|name| !name.is_empty())
    })
}

/// Says which pod Jobs inherit from, and which others were passed over.
fn inherits(pod: &ServerPod, facts: &ClusterFacts, args: &ConfigArgs) -> String {
    let ServerPod { name, namespace, container, .. } = pod;
    let inherits = format!(
        "server pod {name} in namespace {namespace}, container {container}: Jobs inherit from it"
    );
    let search = &facts.snapshot.server_pod;
    let Some(chosen_as) = search.chosen_as.as_ref().filter(|_| !args.server_pod.starts_with('@'))
    else {
        return inherits;
    };
    let others: Vec<String> = search
        .passed_over
        .iter()
        .take(5)
        .map(|other| format!("{} ({})", other.name, other.state))
        .collect();
    let count = search.passed_over.len();
    let more = if count > others.len() { ", …" } else { "" };
    format!("{inherits} (the {chosen_as}; {count} passed over: {}{more})", others.join(", "))
}

/// Says which variables that decide something are not known, and which may be older in the pod.
fn environment_notices(pod: &ServerPod, env: &ServerEnv) -> (Vec<String>, Vec<Problem>) {
    let decides =
        |name: &str| crate::cli::environment::SERVER.iter().any(|(known, _)| *known == name);
    let mut notices = Vec::new();
    for gap in &pod.environment.unknown {
        let why = gap.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        if gap.name.is_empty() {
            notices.push(format!(
                "the server pod takes its variables from {} too, which are not known{why}; pass those that count with --server-env NAME=VALUE",
                gap.object
            ));
        } else if decides(&gap.name) && env.given(&gap.name).is_none() {
            notices.push(format!(
                "{} of the server pod comes from {}, which is not known{why}; pass --server-env {}=… to use it",
                gap.name, gap.object, gap.name
            ));
        }
    }
    let stale = pod.environment.variables.iter().filter_map(|variable| {
        let changed = variable.changed_at.as_ref()?;
        let (object, started) = (variable.object.as_ref()?, pod.started.as_ref()?);
        (decides(&variable.name) && env.given(&variable.name).is_none()).then(|| {
            Problem::new(format!(
                "{} comes from {object}, which was changed at {changed}, after pod/{} started at {started}: the server may still have the older value",
                variable.name, pod.name
            ))
            .id(FindingId::StalePolicy)
            .hint(format!("restart the server, or pass --server-env {}=VALUE", variable.name))
        })
    });
    (notices, stale.collect())
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

    /// Warns of a file that was changed after the pod started and that the pod does not see anew.
    fn stale(&self, facts: &ClusterFacts) -> Option<Problem> {
        let Self::Read(read) = self else { return None };
        let search = &facts.snapshot.server_pod;
        let pod = search.pod.as_ref()?;
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let file = search.files.iter().find(|file| file.object.as_ref() == Some(&read.name))?;
        let changed = file.changed_at.as_ref()?;
        Some(
            Problem::new(format!(
                "{} was changed at {changed}, after pod/{} started at {}; it is mounted at {} with subPath, which is never refreshed: the file in force may be the older one",
                read.name,
                text(&pod["metadata"]["name"]),
                text(&pod["status"]["startTime"]),
                file.path
            ))
            .id(FindingId::StalePolicy)
            .hint("restart the server, or pass the file that it has"),
        )
    }
}

/// Finds a file by flag, else by the server's environment. A path that only the server's pod knows
/// is a path in that pod, and is followed to what is mounted there.
fn named_file(
    flag: Option<&Path>,
    variable: &str,
    flag_name: &str,
    (env, server): (&ServerEnv, Option<&ServerPod>),
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
    let search = &facts.snapshot.server_pod;
    let followed = server.is_some_and(|pod| search.container.as_ref() == Some(&pod.container));
    let file = search.files.iter().find(|file| followed && file.path == value);
    let why = match file {
        Some(PodFile { object: Some(object), text: Some(text), .. }) => {
            return Ok(Some(Named::Read(SourceFile::new(object.clone(), text.clone()))));
        }
        Some(PodFile { why: Some(why), .. }) => why.clone(),
        _ => "it is a path in the server's pod, which was not followed".to_owned(),
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
) -> Result<Option<Template>, CliError> {
    let Some(node) = parse(file, warnings)? else { return Ok(None) };
    match node.value {
        Value::Null => Ok(None),
        Value::Mapping(_) => Ok(Some(Template { file: Arc::clone(file), node })),
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
