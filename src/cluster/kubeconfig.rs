//! Reads the kubeconfig files as kubectl does, and applies the flags.

use std::path::{Path, PathBuf};

use http::HeaderValue;
use kube::config::{KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};

use super::error::ClusterError;
use super::flags::ConnectionFlags;
use super::proxy::{self, ProxyVariables};

/// What the API server's audit log says of who asked.
const USER_AGENT: &str = concat!("kubectl-mage/", env!("CARGO_PKG_VERSION"));

/// A resolved kubeconfig: how to connect, and the names people know it by.
pub(super) struct Resolved {
    pub(super) config: kube::Config,
    /// The context used; none in a pod or with `--server` alone.
    pub(super) context: Option<String>,
    /// The user, as the kubeconfig names it or `--as` does.
    pub(super) user: Option<String>,
}

/// Reads the files, chooses the context and applies every flag.
pub(super) async fn resolve(flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
    let paths = paths(flags);
    let mut merged: Option<Kubeconfig> = None;
    for path in &paths {
        if !path.exists() && flags.kubeconfig.is_none() {
            continue;
        }
        if !path.exists() {
            return Err(ClusterError::NoKubeconfig { looked: paths });
        }
        let next = Kubeconfig::read_from(path).map_err(|error| unreadable(path, &error))?;
        merged = Some(match merged {
            Some(merged) => merged.merge(next).map_err(|error| unreadable(path, &error))?,
            None => next,
        });
    }
    let mut resolved = match merged {
        Some(kubeconfig) => from_files(kubeconfig, flags).await?,
        None => without_files(flags, &paths)?,
    };
    apply(&mut resolved.config, flags)?;
    if let Some(user) = &flags.as_ {
        resolved.user = Some(user.clone());
    }
    Ok(resolved)
}

/// Returns the namespace that the current context names, from the files alone; whatever is wrong with
/// them is told by whoever connects.
#[must_use]
pub fn context_namespace(flags: &ConnectionFlags) -> Option<String> {
    let mut merged: Option<Kubeconfig> = None;
    for path in paths(flags).iter().filter(|path| path.exists()) {
        let next = Kubeconfig::read_from(path).ok()?;
        merged = Some(match merged {
            Some(merged) => merged.merge(next).ok()?,
            None => next,
        });
    }
    let kubeconfig = merged?;
    let name = flags.context.clone().or(kubeconfig.current_context)?;
    let context = kubeconfig.contexts.into_iter().find(|context| context.name == name)?;
    context.context?.namespace.filter(|namespace| !namespace.is_empty())
}

/// Keeps the first line only: what follows shows the file, in which secrets may stand.
fn unreadable(path: &Path, error: &kube::config::KubeconfigError) -> ClusterError {
    let text = error.to_string();
    let cause = text.lines().next().unwrap_or_default();
    ClusterError::Kubeconfig { cause: format!("{}: {cause}", path.display()) }
}

fn broken(error: &kube::config::KubeconfigError) -> ClusterError {
    ClusterError::Kubeconfig { cause: error.to_string() }
}

fn paths(flags: &ConnectionFlags) -> Vec<PathBuf> {
    if let Some(path) = &flags.kubeconfig {
        return vec![path.clone()];
    }
    let named: Vec<PathBuf> = std::env::var_os("KUBECONFIG")
        .map(|value| {
            std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect()
        })
        .unwrap_or_default();
    if !named.is_empty() {
        return named;
    }
    dirs::home_dir().map(|home| vec![home.join(".kube").join("config")]).unwrap_or_default()
}

async fn from_files(
    mut kubeconfig: Kubeconfig,
    flags: &ConnectionFlags,
) -> Result<Resolved, ClusterError> {
    let name = flags.context.clone().or_else(|| kubeconfig.current_context.clone());
    let name = match name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None if flags.server.is_some() || flags.cluster.is_some() => {
            // kubectl makes do with the flags alone; so a context of nothing but their names.
            let context = kube::config::Context {
                cluster: flags.cluster.clone().unwrap_or_default(),
                user: flags.user.clone(),
                ..Default::default()
            };
            kubeconfig.contexts.push(NamedContext {
                name: String::new(),
                context: Some(context),
                ..Default::default()
            });
            String::new()
        }
        None => {
            return Err(ClusterError::NoContext {
                known: names(&kubeconfig.contexts, context_name),
            });
        }
    };
    let Some(context) = kubeconfig.contexts.iter().find(|context| context.name == name) else {
        let known = names(&kubeconfig.contexts, context_name);
        return Err(ClusterError::UnknownName { what: "context", name, known });
    };
    let cluster =
        flags.cluster.clone().or_else(|| context.context.as_ref().map(|c| c.cluster.clone()));
    let cluster = cluster.unwrap_or_default();
    let user = flags.user.clone().or_else(|| context.context.as_ref()?.user.clone());
    prepare_cluster(&mut kubeconfig, &cluster, flags)?;
    if let Some(user) = &flags.user
        && !kubeconfig.auth_infos.iter().any(|known| &known.name == user)
    {
        let known = names(&kubeconfig.auth_infos, user_name);
        return Err(ClusterError::UnknownName { what: "user", name: user.clone(), known });
    }
    let configured = kubeconfig
        .clusters
        .iter()
        .find(|known| known.name == cluster)
        .and_then(|known| known.cluster.as_ref()?.proxy_url.clone());
    let options = KubeConfigOptions {
        context: Some(name.clone()),
        cluster: Some(cluster),
        user: flags.user.clone(),
    };
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| broken(&error))?;
    set_proxy(&mut config, configured.as_deref())?;
    let context = Some(name).filter(|name| !name.is_empty());
    Ok(Resolved { config, context, user: user.filter(|user| !user.is_empty()) })
}

fn prepare_cluster(
    kubeconfig: &mut Kubeconfig,
    cluster: &str,
    flags: &ConnectionFlags,
) -> Result<(), ClusterError> {
    if !kubeconfig.clusters.iter().any(|known| known.name == cluster) {
        if flags.server.is_none() || flags.cluster.is_some() {
            let known = names(&kubeconfig.clusters, cluster_name);
            let name = cluster.to_owned();
            return Err(ClusterError::UnknownName { what: "cluster", name, known });
        }
        kubeconfig.clusters.push(NamedCluster {
            name: cluster.to_owned(),
            cluster: Some(kube::config::Cluster::default()),
            ..Default::default()
        });
    }
    let named = kubeconfig.clusters.iter_mut().find(|known| known.name == cluster);
    if let (Some(server), Some(named)) = (&flags.server, named) {
        named.cluster.get_or_insert_default().server = Some(with_scheme(server));
    }
    Ok(())
}

/// kubectl takes a bare `host:port` for `http://host:port`.
fn with_scheme(server: &str) -> String {
    if server.contains("://") { server.to_owned() } else { format!("http://{server}") }
}

fn without_files(flags: &ConnectionFlags, looked: &[PathBuf]) -> Result<Resolved, ClusterError> {
    if let Some(name) = &flags.context {
        let name = name.clone();
        return Err(ClusterError::UnknownName { what: "context", name, known: Vec::new() });
    }
    let mut config = if let Some(server) = &flags.server {
        let url = with_scheme(server).parse().map_err(|error: http::uri::InvalidUri| {
            ClusterError::Kubeconfig { cause: format!("--server {server:?}: {error}") }
        })?;
        kube::Config::new(url)
    } else {
        kube::Config::incluster()
            .map_err(|_| ClusterError::NoKubeconfig { looked: looked.to_vec() })?
    };
    set_proxy(&mut config, None)?;
    Ok(Resolved { config, context: None, user: None })
}

fn set_proxy(config: &mut kube::Config, configured: Option<&str>) -> Result<(), ClusterError> {
    let chosen = proxy::choose(&config.cluster_url, configured, &ProxyVariables::read());
    config.proxy_url = match chosen {
        Some(url) => Some(url.parse().map_err(|error| ClusterError::Kubeconfig {
            cause: format!("the proxy {url:?} is not a URL: {error}"),
        })?),
        None => None,
    };
    Ok(())
}

fn apply(config: &mut kube::Config, flags: &ConnectionFlags) -> Result<(), ClusterError> {
    config.headers.push((http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
    if let Some(namespace) = &flags.namespace {
        config.default_namespace.clone_from(namespace);
    }
    if flags.insecure_skip_tls_verify {
        config.accept_invalid_certs = true;
    }
    if let Some(token) = &flags.token {
        // A token beats whatever else the user has, as in kubectl.
        config.auth_info = kube::config::AuthInfo {
            token: Some(token.clone().into()),
            ..kube::config::AuthInfo::default()
        };
    }
    if let Some(user) = &flags.as_ {
        config.auth_info.impersonate = Some(user.clone());
    }
    if !flags.as_group.is_empty() {
        if config.auth_info.impersonate.is_none() {
            return Err(ClusterError::Kubeconfig {
                cause: "--as-group needs --as: a group is impersonated only with a user".to_owned(),
            });
        }
        config.auth_info.impersonate_groups = Some(flags.as_group.clone());
    }
    let plain = config.cluster_url.scheme_str() == Some("http");
    if (config.accept_invalid_certs || plain) && config.root_cert.is_none() {
        // Nothing is verified, so the machine's 150 certificates need not be read.
        config.root_cert = Some(Vec::new());
    }
    Ok(())
}

fn names<T>(items: &[T], name: impl Fn(&T) -> &String) -> Vec<String> {
    items.iter().map(|item| name(item).clone()).collect()
}

fn context_name(context: &NamedContext) -> &String {
    &context.name
}

fn cluster_name(cluster: &NamedCluster) -> &String {
    &cluster.name
}

fn user_name(user: &NamedAuthInfo) -> &String {
    &user.name
}

#[cfg(test)]
mod tests {
    use super::{Resolved, resolve};
    use crate::cluster::{ClusterError, ConnectionFlags};

    const TEXT: &str = "
apiVersion: v1
kind: Config
current-context: dev
clusters:
- {name: c, cluster: {server: 'https://dev:6443', insecure-skip-tls-verify: true}}
contexts:
- {name: dev, context: {cluster: c, user: u, namespace: etl}}
- {name: broken, context: {cluster: gone, user: u}}
users:
- {name: u, user: {token: secret}}
";

    async fn resolved(change: impl FnOnce(&mut ConnectionFlags)) -> Result<Resolved, ClusterError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, TEXT).unwrap();
        let mut flags = ConnectionFlags { kubeconfig: Some(file), ..ConnectionFlags::default() };
        change(&mut flags);
        resolve(&flags).await
    }

    #[tokio::test]
    async fn the_context_and_the_flags_decide() {
        let plain = resolved(|_| {}).await.unwrap();
        assert_eq!(plain.context.as_deref(), Some("dev"));
        assert_eq!(plain.user.as_deref(), Some("u"));
        assert_eq!(plain.config.default_namespace, "etl");
        // Nothing is verified, so the machine's certificates are not read.
        assert_eq!(plain.config.root_cert, Some(Vec::new()));
        let changed = resolved(|flags| {
            flags.namespace = Some("other".to_owned());
            flags.server = Some("10.0.0.1:80".to_owned());
            flags.as_ = Some("me".to_owned());
            flags.token = Some("t".to_owned());
        });
        let config = changed.await.unwrap().config;
        assert_eq!(config.default_namespace, "other");
        assert_eq!(config.cluster_url, "http://10.0.0.1:80");
        assert_eq!(config.auth_info.impersonate.as_deref(), Some("me"));
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let message = async |change: fn(&mut ConnectionFlags)| {
            resolved(change).await.map(|_| ()).unwrap_err().to_string()
        };
        let errors = [
            message(|flags| flags.context = Some("prod".to_owned())).await,
            message(|flags| flags.context = Some("broken".to_owned())).await,
            message(|flags| flags.cluster = Some("x".to_owned())).await,
            message(|flags| flags.user = Some("x".to_owned())).await,
            message(|flags| flags.as_group = vec!["g".to_owned()]).await,
            message(|flags| flags.kubeconfig = Some("/no/such/file".into())).await,
        ];
        insta::assert_snapshot!(errors.join("\n"), @r#"
        the kubeconfig has no context "prod"
        the kubeconfig has no cluster "gone"
        the kubeconfig has no cluster "x"
        the kubeconfig has no user "x"
        cannot read the kubeconfig: --as-group needs --as: a group is impersonated only with a user
        there is no kubeconfig: looked at /no/such/file
        "#);
    }
}
