//! What a cluster says about configuration: connects only where that is needed and allowed.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::cli::{ConfigArgs, ConnectionArgs};
use crate::cluster::{self, Cluster, ClusterError};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::load::{ClusterFacts, ServerEnv};
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

/// Connects to the cluster that the flags name; sends nothing yet.
pub(super) fn connect(flags: &ConnectionArgs) -> Result<Connected, CliError> {
    let runtime = runtime()?;
    let cluster = runtime.block_on(Cluster::connect(&flags.clone().into()))?;
    Ok(Connected { runtime, cluster })
}

/// Looks for the Mage server's pod and the files its environment names. Connects only for
/// `--server-pod auto` or a name; never with `--offline`.
pub(super) fn connect_for_facts(
    args: &ConfigArgs,
    flags: &ConnectionArgs,
    env: &ServerEnv,
) -> Result<(ClusterFacts, Option<Connected>, Vec<String>), CliError> {
    let mut facts = ClusterFacts {
        context_namespace: cluster::context_namespace(&flags.clone().into()),
        ..ClusterFacts::default()
    };
    let wanted = args.server_pod.as_str();
    let mut notices = Vec::new();
    if args.offline || wanted == "none" || wanted.starts_with('@') {
        if args.offline && !wanted.starts_with('@') && !matches!(wanted, "none" | "auto") {
            let problem = Problem::new(format!(
                "--server-pod {wanted} needs a connection, and --offline forbids one"
            ));
            return Err(CliError::usage(problem.hint("pass --server-pod @FILE or none")));
        }
        return Ok((facts, None, notices));
    }
    let runtime = runtime()?;
    let cluster = match runtime.block_on(Cluster::connect(&flags.clone().into())) {
        Ok(cluster) => cluster,
        Err(ClusterError::NoKubeconfig { .. })
            if flags.kubeconfig.is_none() && wanted == "auto" =>
        {
            notices.push("no kubeconfig: going on offline, without the server's pod".to_owned());
            return Ok((facts, None, notices));
        }
        Err(error) => return Err(error.into()),
    };
    let pod = runtime.block_on(find(&cluster, args, env, flags, &mut notices))?;
    if let Some(pod) = pod {
        facts.pod_files = runtime.block_on(pod_files(&cluster, &pod, env));
        facts.server_pod = Some(pod);
    }
    Ok((facts, Some(Connected { runtime, cluster }), notices))
}

async fn find(
    cluster: &Cluster,
    args: &ConfigArgs,
    env: &ServerEnv,
    flags: &ConnectionArgs,
    notices: &mut Vec<String>,
) -> Result<Option<serde_json::Value>, CliError> {
    if args.server_pod != "auto" {
        let (namespace, name) = match args.server_pod.split_once('/') {
            Some((namespace, name)) => (namespace.to_owned(), name),
            None => (cluster.namespace().to_owned(), args.server_pod.as_str()),
        };
        return Ok(Some(cluster.get_pod_json(&namespace, name).await?));
    }
    let mut namespaces: Vec<String> = Vec::new();
    let candidates = [
        flags.namespace.clone(),
        env.value("KUBE_NAMESPACE"),
        Some(cluster.namespace().to_owned()),
    ];
    for namespace in candidates.into_iter().flatten() {
        if !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
    }
    let found = cluster.find_server_pod(&namespaces).await.map_err(|error| {
        let mut error = CliError::from(error);
        if let Some(problem) = error.problems.last_mut() {
            problem.hints.push(
                "to go on without the cluster, pass --offline or --server-pod none".to_owned(),
            );
        }
        error
    })?;
    notices.extend(
        found.refused.iter().map(|why| format!("the server's pod was not looked for: {why}")),
    );
    if found.pod.is_none() {
        notices.push(format!(
            "no Mage server pod in namespace {}: Jobs inherit from none (name it with --server-pod)",
            namespaces.join(", ")
        ));
    }
    Ok(found.pod)
}

/// Follows the template and the policy to what is mounted at their paths in the pod.
async fn pod_files(
    cluster: &Cluster,
    pod: &serde_json::Value,
    env: &ServerEnv,
) -> Vec<(String, Result<Arc<SourceFile>, String>)> {
    let wanted = env.value("MAGE_CONTAINER_NAME");
    let Ok(server) = crate::load::ServerPod::from_api(pod, wanted.as_deref()) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for (name, path) in &server.env {
        if matches!(name.as_str(), "K8S_CONFIG_FILE" | "K8S_DEFAULT_CONFIG_PATH")
            && !path.is_empty()
        {
            let read = cluster.read_pod_file(pod, &server.container, path).await;
            let file = read.map(|(name, text)| SourceFile::new(name, text));
            files.push((path.clone(), file));
        }
    }
    files
}
