//! What a cluster says about configuration: connects only where that is needed and allowed.

use tokio::runtime::{Builder, Runtime};

use super::targets::meant;
use crate::cli::{ConfigArgs, ConnectionArgs, environment};
use crate::cluster::{self, Cluster, ClusterError};
use crate::config::check::{is_dns_label, is_dns_subdomain};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::{ClusterFacts, ServerEnv, read, server_container};
use crate::run::Signals;
use crate::snapshot::{ServerSearch, Snapshot, container_of, parse_snapshot, prune, references};
use crate::yaml::SourceFile;

/// A connection and the runtime it lives in.
pub(super) struct Connected {
    pub(super) runtime: Runtime,
    pub(super) cluster: Cluster,
}

/// Makes the runtime of the asynchronous modules.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    Builder::new_current_thread().enable_all().build().map_err(|error| {
        CliError::new(Exit::Cluster, Problem::new(format!("cannot start the event loop: {error}")))
    })
}

/// Takes signals as input from now on; within a runtime.
pub(super) fn listen() -> Result<Signals, CliError> {
    Signals::listen().map_err(|error| {
        CliError::usage(Problem::new(format!("cannot listen for signals: {error}")))
    })
}

/// Connects to the cluster that the flags name; sends nothing yet.
pub(super) fn connect(flags: &ConnectionArgs) -> Result<Connected, CliError> {
    let runtime = runtime()?;
    let cluster = runtime.block_on(Cluster::connect(&flags.clone().into()))?;
    Ok(Connected { runtime, cluster })
}

/// Takes what `--snapshot` says, else looks for the Mage server's pod and what its environment
/// names. Connects only for `--server-pod auto` or a name; never with `--offline` or `--snapshot`.
pub(super) fn connect_for_facts(
    args: &ConfigArgs,
    flags: &ConnectionArgs,
    env: &ServerEnv,
) -> Result<(ClusterFacts, Option<Connected>, Vec<String>), CliError> {
    let mut notices = Vec::new();
    if args.snapshot.is_some() {
        return Ok((from_file(args, &mut notices)?, None, notices));
    }
    let mut snapshot = Snapshot::default();
    snapshot.context.namespace = cluster::context_namespace(&flags.clone().into());
    let wanted = args.server_pod.as_str();
    if args.offline || wanted == "none" || wanted.starts_with('@') {
        if args.offline && !wanted.starts_with('@') && !matches!(wanted, "none" | "auto") {
            let problem = Problem::new(format!(
                "--server-pod {wanted} needs a connection, and --offline forbids one"
            ));
            return Err(CliError::usage(problem.hint("pass --server-pod @FILE or none")));
        }
        return Ok((ClusterFacts { snapshot, file: None }, None, notices));
    }
    let runtime = runtime()?;
    let cluster = match runtime.block_on(Cluster::connect(&flags.clone().into())) {
        Ok(cluster) => cluster,
        Err(ClusterError::NoKubeconfig { .. })
            if flags.kubeconfig.is_none() && wanted == "auto" =>
        {
            notices.push("no kubeconfig: going on offline, without the server's pod".to_owned());
            return Ok((ClusterFacts { snapshot, file: None }, None, notices));
        }
        Err(error) => return Err(error.into()),
    };
    let connected = Connected { runtime, cluster };
    let facts = facts_of(&connected, args, flags, env)?;
    tell_search(&facts.snapshot.server_pod, &mut notices);
    Ok((facts, Some(connected), notices))
}

/// Looks for the Mage server's pod by a connection that is there.
pub(super) fn facts_of(
    connected: &Connected,
    args: &ConfigArgs,
    flags: &ConnectionArgs,
    env: &ServerEnv,
) -> Result<ClusterFacts, CliError> {
    let mut snapshot = Snapshot::default();
    snapshot.context.namespace = cluster::context_namespace(&flags.clone().into());
    if args.server_pod != "none" && !args.server_pod.starts_with('@') {
        let search = search(&connected.cluster, args, flags.given_namespace(), env);
        snapshot.server_pod = connected.runtime.block_on(search)?;
    }
    Ok(ClusterFacts { snapshot, file: None })
}

/// Reads `--snapshot`. A pod named with `--server-pod` must be the one in it.
pub(super) fn from_file(
    args: &ConfigArgs,
    notices: &mut Vec<String>,
) -> Result<ClusterFacts, CliError> {
    let path = args.snapshot.clone().unwrap_or_default();
    let name = path.display().to_string();
    let file = SourceFile::new(name.clone(), read(&path)?);
    let snapshot = parse_snapshot(&file).map_err(CliError::usage)?;
    notices.push(format!("the snapshot {name} stands for the cluster"));
    let wanted = args.server_pod.as_str();
    let by_name = !matches!(wanted, "auto" | "none") && !wanted.starts_with('@');
    let held = snapshot.server_pod.pod.as_ref().map(|pod| {
        let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
        (text("namespace"), text("name"))
    });
    let is_held = held.as_ref().is_some_and(|(namespace, pod)| {
        wanted == pod || wanted.split_once('/') == Some((namespace.as_str(), pod.as_str()))
    });
    if by_name && !is_held {
        let held = held.map_or("no server pod".to_owned(), |(namespace, pod)| {
            format!("pod/{pod} in namespace {namespace}")
        });
        let message =
            format!("--server-pod {wanted} is not in the snapshot {name}, which has {held}");
        let hint = format!("write one with `kubectl mage snapshot --server-pod {wanted}`");
        return Err(CliError::usage(Problem::new(message).hint(hint)));
    }
    if wanted == "auto" {
        tell_search(&snapshot.server_pod, notices);
    }
    Ok(ClusterFacts { snapshot, file: Some(name) })
}

/// Looks for the server's pod, or takes the one named, and follows its environment.
pub(super) async fn search(
    cluster: &Cluster,
    args: &ConfigArgs,
    namespace: Option<&str>,
    env: &ServerEnv,
) -> Result<ServerSearch, CliError> {
    let mut search = find(cluster, args, namespace, env).await?;
    let Some(pod) = search.pod.clone() else { return Ok(search) };
    let decides = |name: &str| environment::SERVER.iter().any(|(known, _)| *known == name);
    if let Some(holder) = holder_of_name(&pod) {
        cluster.follow_environment(&mut search, &holder, &|name| name == CONTAINER_NAME).await;
    }
    search.container_name = server_container(&pod, &search.variables);
    let wanted = env.given(CONTAINER_NAME).or(search.container_name.as_deref());
    let container = container_of(&pod, wanted);
    cluster.follow_environment(&mut search, &container, &decides).await;
    Ok(search)
}

const CONTAINER_NAME: &str = "MAGE_CONTAINER_NAME";

/// Returns the container in which `MAGE_CONTAINER_NAME` comes from another object, if one has it.
fn holder_of_name(pod: &serde_json::Value) -> Option<String> {
    let containers = pod["spec"]["containers"].as_array();
    let holds = |container: &&serde_json::Value| {
        let from = references(container).0;
        from.iter().any(|reference| reference.name == CONTAINER_NAME)
    };
    let holder = containers.into_iter().flatten().find(holds)?;
    holder["name"].as_str().map(str::to_owned)
}

async fn find(
    cluster: &Cluster,
    args: &ConfigArgs,
    namespace: Option<&str>,
    env: &ServerEnv,
) -> Result<ServerSearch, CliError> {
    if args.server_pod != "auto" {
        let (namespace, name) = match args.server_pod.split_once('/') {
            Some((namespace, name)) => (namespace.to_owned(), name),
            None => (cluster.namespace().to_owned(), args.server_pod.as_str()),
        };
        if !is_dns_label(&namespace) || !is_dns_subdomain(name) {
            let problem = Problem::new(format!("--server-pod {} names no pod", args.server_pod));
            let hint = "write NAME or NAMESPACE/NAME, @FILE, auto or none";
            return Err(CliError::usage(problem.hint(hint)));
        }
        let pod = match cluster.get_pod_json(&namespace, name).await {
            Ok(pod) => pod,
            Err(error) => return Err(with_pods(error, cluster, &namespace, name).await),
        };
        return Ok(ServerSearch {
            namespaces: vec![namespace],
            pod: Some(prune(&pod)),
            ..ServerSearch::default()
        });
    }
    let mut namespaces: Vec<String> = Vec::new();
    let candidates = [
        namespace.map(str::to_owned),
        env.value("KUBE_NAMESPACE"),
        Some(cluster.namespace().to_owned()),
    ];
    for namespace in candidates.into_iter().flatten() {
        if !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
    }
    cluster.find_server_pod(&namespaces).await.map_err(|error| {
        let mut error = CliError::from(error);
        if let Some(problem) = error.problems.last_mut() {
            problem.hints.push(
                "what only reads files does without the cluster by --offline: render, explain-config, lint, graph, diff --against".to_owned(),
            );
        }
        error
    })
}

/// Adds to the error that a pod is not there which pods are.
async fn with_pods(
    error: ClusterError,
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> CliError {
    let is_missing = matches!(error, ClusterError::NotFound { .. });
    let mut error = CliError::from(error);
    if is_missing && let Ok(names) = cluster.pod_names(namespace).await {
        let hint = if names.is_empty() {
            format!("namespace {namespace} has no pods")
        } else {
            meant(name, &names)
        };
        error.problems.iter_mut().for_each(|problem| problem.hints.insert(0, hint.clone()));
    }
    error
}

/// Says what was looked for and not found.
fn tell_search(search: &ServerSearch, notices: &mut Vec<String>) {
    notices.extend(
        search.refused.iter().map(|why| format!("the server's pod was not looked for: {why}")),
    );
    if search.pod.is_none() && search.namespaces.is_empty() {
        notices.push("it has no Mage server pod: Jobs inherit from none".to_owned());
    } else if search.pod.is_none() {
        let namespaces = search.namespaces.join(", ");
        let found = if search.refused.is_empty() {
            format!("no Mage server pod in namespace {namespaces}")
        } else {
            format!("whether namespace {namespaces} has a Mage server pod is not known")
        };
        notices.push(format!("{found}: Jobs inherit from none (name it with --server-pod)"));
    }
}
