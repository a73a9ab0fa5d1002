//! Reads the kubeconfig files as kubectl does, and applies the flags.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::config::{
    AuthInfo, Cluster as KubeCluster, Context, ExecAuthCluster, Kubeconfig, KubeconfigError,
    NamedAuthInfo, NamedCluster, NamedContext,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::ClusterError;
use super::flags::ConnectionFlags;
use super::kubeconfig_checks as checks;
use super::proxy::{self, ProxyVariables};
use crate::config::check::is_dns_label;

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
pub(super) fn resolve(flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
    let paths = paths(flags);
    if flags.kubeconfig.is_some() && !paths.iter().all(|path| path.exists()) {
        return Err(ClusterError::NoKubeconfig { looked: paths });
    }
    let found: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    let kubeconfig = merged(&found)?;
    let names_a_cluster = flags.server.is_some() || flags.cluster.is_some();
    let name = flags.context.clone().or_else(|| kubeconfig.current_context.clone());
    let mut resolved = match name {
        // As client-go does, also where files name contexts and none of them as the current one.
        None if !names_a_cluster => match in_cluster(flags)? {
            Some(resolved) => resolved,
            None if found.is_empty() => return Err(ClusterError::NoKubeconfig { looked: paths }),
            None => {
                let known = names(&kubeconfig.contexts, context_name);
                return Err(ClusterError::NoContext { known });
            }
        },
        name => from_files(&kubeconfig, name, flags)?,
    };
    if let Some(user) = &flags.as_ {
        resolved.user = Some(user.clone());
    }
    Ok(resolved)
}

/// Reads the files and merges them: the first that names something has it, whole.
fn merged(paths: &[&PathBuf]) -> Result<Kubeconfig, ClusterError> {
    let mut merged: Option<Kubeconfig> = None;
    for path in paths {
        let mut next = Kubeconfig::read_from(path).map_err(|error| unreadable(path, &error))?;
        next.current_context = next.current_context.filter(|name| !name.is_empty());
        checks::tidy_paths(&mut next, path);
        merged = Some(match merged {
            Some(merged) => merged.merge(next).map_err(|error| unreadable(path, &error))?,
            None => next,
        });
    }
    Ok(merged.unwrap_or_default())
}

/// Returns the namespace that the current context names, from the files alone; whatever is wrong with
/// them is told by whoever connects.
#[must_use]
pub fn context_namespace(flags: &ConnectionFlags) -> Option<String> {
    let paths = paths(flags);
    let found: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    let kubeconfig = merged(&found).ok()?;
    let name = flags.context.clone().or(kubeconfig.current_context)?;
    let context = kubeconfig.contexts.into_iter().find(|context| context.name == name)?;
    context.context?.namespace.filter(|namespace| !namespace.is_empty())
}

/// What the kubeconfig files name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeconfigNames {
    /// Contexts.
    pub contexts: Vec<String>,
    /// Clusters.
    pub clusters: Vec<String>,
    /// Users.
    pub users: Vec<String>,
}

/// Returns the names in the files; none where they cannot be read.
#[must_use]
pub fn kubeconfig_names(flags: &ConnectionFlags) -> KubeconfigNames {
    let paths = paths(flags);
    let found: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    let Ok(kubeconfig) = merged(&found) else { return KubeconfigNames::default() };
    KubeconfigNames {
        contexts: names(&kubeconfig.contexts, context_name),
        clusters: names(&kubeconfig.clusters, cluster_name),
        users: names(&kubeconfig.auth_infos, user_name),
    }
}

/// Keeps the first line only: what follows shows the file, in which secrets may stand.
fn unreadable(path: &Path, error: &KubeconfigError) -> ClusterError {
    let text = match error {
        KubeconfigError::ReadConfig(error, _) if error.kind() == ErrorKind::IsADirectory => {
            "it is a folder".to_owned()
        }
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        error => error.to_string(),
    };
    let cause = text.lines().next().unwrap_or_default();
    ClusterError::Kubeconfig { cause: format!("{}: {cause}", path.display()) }
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

/// Chooses context, cluster and user, lays the flags over them, and checks them as client-go does.
fn from_files(
    kubeconfig: &Kubeconfig,
    name: Option<String>,
    flags: &ConnectionFlags,
) -> Result<Resolved, ClusterError> {
    let context = context(kubeconfig, name.as_deref())?;
    let mut cluster = cluster(kubeconfig, &context, flags)?;
    let (user_name, mut user) = user(kubeconfig, &context, flags)?;
    if !flags.as_group.is_empty() && flags.as_.is_none() && user.impersonate.is_none() {
        return Err(ClusterError::GroupAlone);
    }
    lay_over(flags, &mut cluster, &mut user);
    let mut wrong = checks::wrong_cluster(&cluster);
    wrong.extend(checks::wrong_user(&user));
    let url = server_url(&cluster)?;
    if url.scheme_str() == Some("https") && !checks::can_identify(&user) {
        wrong.push("the user has nothing to say who they are with (kubectl would ask for a name and a password)".to_owned());
    }
    if !wrong.is_empty() {
        let of = name.map(|name| format!("context {name}: ")).unwrap_or_default();
        return Err(ClusterError::Kubeconfig { cause: format!("{of}{}", wrong.join("; ")) });
    }
    if url.scheme_str() == Some("http") {
        // client-go sends no credentials where everybody could read them.
        user = checks::without_credentials(user);
    }
    checks::settle_provider(&mut user).map_err(|cause| ClusterError::Kubeconfig { cause })?;
    let namespace = context.namespace.filter(|namespace| !namespace.is_empty());
    if let Some(wrong) = namespace.as_deref().filter(|namespace| !is_dns_label(namespace))
        && flags.namespace.is_none()
    {
        let of = name.unwrap_or_default();
        let cause = format!("context {of}: its namespace {wrong:?} cannot be one");
        return Err(ClusterError::Kubeconfig { cause });
    }
    let config = built(url, &cluster, user, flags, namespace)?;
    Ok(Resolved { config, context: name, user: user_name })
}

fn context(kubeconfig: &Kubeconfig, name: Option<&str>) -> Result<Context, ClusterError> {
    let Some(name) = name else { return Ok(Context::default()) };
    if let Some(found) = kubeconfig.contexts.iter().find(|known| known.name == name) {
        return Ok(found.context.clone().unwrap_or_default());
    }
    let known = names(&kubeconfig.contexts, context_name);
    Err(ClusterError::UnknownName { what: "context", name: name.to_owned(), known })
}

fn cluster(
    kubeconfig: &Kubeconfig,
    context: &Context,
    flags: &ConnectionFlags,
) -> Result<KubeCluster, ClusterError> {
    let name = flags.cluster.as_ref().unwrap_or(&context.cluster);
    let known = kubeconfig.clusters.iter().find(|known| known.name == *name);
    if known.is_none() && (flags.server.is_none() || flags.cluster.is_some()) {
        let known = names(&kubeconfig.clusters, cluster_name);
        return Err(ClusterError::UnknownName { what: "cluster", name: name.clone(), known });
    }
    let mut cluster = known.and_then(|known| known.cluster.clone()).unwrap_or_default();
    checks::tidy_cluster(&mut cluster);
    Ok(cluster)
}

/// A user that a flag names must be there; one that a context names need not, as in kubectl.
fn user(
    kubeconfig: &Kubeconfig,
    context: &Context,
    flags: &ConnectionFlags,
) -> Result<(Option<String>, AuthInfo), ClusterError> {
    let name = flags.user.clone().or_else(|| context.user.clone()).filter(|name| !name.is_empty());
    let known = kubeconfig.auth_infos.iter().find(|known| Some(&known.name) == name.as_ref());
    if let (Some(name), None) = (&flags.user, known) {
        let known = names(&kubeconfig.auth_infos, user_name);
        return Err(ClusterError::UnknownName { what: "user", name: name.clone(), known });
    }
    let mut user = known.and_then(|known| known.auth_info.clone()).unwrap_or_default();
    checks::tidy_user(&mut user);
    Ok((name, user))
}

/// Lays flags over what the files say
/// (`client-go/tools/clientcmd/client_config.go: getCluster, getAuthInfo`).
fn lay_over(flags: &ConnectionFlags, cluster: &mut KubeCluster, user: &mut AuthInfo) {
    if let Some(server) = &flags.server {
        cluster.server = Some(server.clone());
        // The name was for the server of the file.
        cluster.tls_server_name = None;
    }
    if flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if let Some(token) = &flags.token {
        // A token's file still counts before it, as in client-go.
        user.token = Some(token.clone().into());
    }
    if let Some(name) = &flags.as_ {
        user.impersonate = Some(name.clone());
    }
    if !flags.as_group.is_empty() {
        user.impersonate_groups = Some(flags.as_group.clone());
    }
}

/// Returns the server's URL; without a scheme it is http, as in kubectl.
fn server_url(cluster: &KubeCluster) -> Result<http::Uri, ClusterError> {
    let server = cluster.server.as_deref().unwrap_or_default();
    if server.is_empty() {
        return Err(ClusterError::Kubeconfig { cause: "the cluster has no server".to_owned() });
    }
    let url = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    url.parse().map_err(|error| ClusterError::Kubeconfig {
        cause: format!("the server {server:?} is no URL: {error}"),
    })
}

fn built(
    url: http::Uri,
    cluster: &KubeCluster,
    mut user: AuthInfo,
    flags: &ConnectionFlags,
    namespace: Option<String>,
) -> Result<kube::Config, ClusterError> {
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        let told = ExecAuthCluster::try_from(cluster);
        exec.cluster =
            Some(told.map_err(|error| ClusterError::Kubeconfig { cause: error.to_string() })?);
    }
    let mut config = kube::Config::new(url);
    config.root_cert = authorities(cluster)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify == Some(true);
    config.disable_compression = cluster.disable_compression == Some(true);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.auth_info = user;
    if let Some(namespace) = namespace {
        config.default_namespace = namespace;
    }
    set_proxy(&mut config, cluster.proxy_url.as_deref())?;
    finish(&mut config, flags);
    Ok(config)
}

/// Reads the certificates by which the server's is verified.
fn authorities(cluster: &KubeCluster) -> Result<Option<Vec<Vec<u8>>>, ClusterError> {
    let wrong = |cause: String| ClusterError::Kubeconfig { cause };
    let (what, pem) = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => {
            let decoded = STANDARD.decode(data);
            ("certificate-authority-data".to_owned(), decoded.map_err(|error| error.to_string()))
        }
        (None, Some(file)) => (
            format!("certificate-authority {file}"),
            std::fs::read(file).map_err(|error| error.to_string()),
        ),
        (None, None) => return Ok(None),
    };
    let pem = pem.map_err(|why| wrong(format!("{what}: {why}")))?;
    let found = CertificateDer::pem_slice_iter(&pem)
        .map(|one| one.map(|certificate| certificate.to_vec()))
        .collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(Some(found)),
        Ok(_) => Err(wrong(format!("{what} holds no certificate"))),
        Err(error) => Err(wrong(format!("{what}: {error}"))),
    }
}

/// Takes what a pod is given, where this is one; a flag for the user lies over it.
fn in_cluster(flags: &ConnectionFlags) -> Result<Option<Resolved>, ClusterError> {
    let Ok(mut config) = kube::Config::incluster() else { return Ok(None) };
    if let Some(name) = &flags.user {
        let name = name.clone();
        return Err(ClusterError::UnknownName { what: "user", name, known: Vec::new() });
    }
    lay_over(flags, &mut KubeCluster::default(), &mut config.auth_info);
    if let Some(why) = checks::wrong_user(&config.auth_info).into_iter().next() {
        return Err(ClusterError::Kubeconfig { cause: why });
    }
    config.accept_invalid_certs = flags.insecure_skip_tls_verify;
    set_proxy(&mut config, None)?;
    finish(&mut config, flags);
    Ok(Some(Resolved { config, context: None, user: None }))
}

fn set_proxy(config: &mut kube::Config, configured: Option<&str>) -> Result<(), ClusterError> {
    let chosen = proxy::choose(&config.cluster_url, configured, &ProxyVariables::read());
    config.proxy_url = match chosen {
        // A login may stand in it, so it is not shown.
        Some(url) => Some(url.parse().map_err(|error| ClusterError::Kubeconfig {
            cause: format!("the proxy is not a URL: {error}"),
        })?),
        None => None,
    };
    Ok(())
}

fn finish(config: &mut kube::Config, flags: &ConnectionFlags) {
    config.headers.push((http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
    if let Some(namespace) = &flags.namespace {
        config.default_namespace.clone_from(namespace);
    }
    let plain = config.cluster_url.scheme_str() == Some("http");
    if (config.accept_invalid_certs || plain) && config.root_cert.is_none() {
        // Nothing is verified, so the machine's 150 certificates need not be read.
        config.root_cert = Some(Vec::new());
    }
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

    fn resolved(change: impl FnOnce(&mut ConnectionFlags)) -> Result<Resolved, ClusterError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, TEXT).unwrap();
        let mut flags = ConnectionFlags { kubeconfig: Some(file), ..ConnectionFlags::default() };
        change(&mut flags);
        resolve(&flags)
    }

    #[test]
    fn the_context_and_the_flags_decide() {
        let plain = resolved(|_| {}).unwrap();
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
        let config = changed.unwrap().config;
        assert_eq!(config.default_namespace, "other");
        assert_eq!(config.cluster_url, "http://10.0.0.1:80");
        assert_eq!(config.auth_info.impersonate.as_deref(), Some("me"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let message = |change: fn(&mut ConnectionFlags)| {
            resolved(change).map(|_| ()).unwrap_err().to_string()
        };
        let errors = [
            message(|flags| flags.context = Some("prod".to_owned())),
            message(|flags| flags.context = Some("broken".to_owned())),
            message(|flags| flags.cluster = Some("x".to_owned())),
            message(|flags| flags.user = Some("x".to_owned())),
            message(|flags| flags.as_group = vec!["g".to_owned()]),
            message(|flags| flags.kubeconfig = Some("/no/such/file".into())),
        ];
        insta::assert_snapshot!(errors.join("\n"), @r#"
        the kubeconfig has no context "prod"
        the kubeconfig has no cluster "gone"
        the kubeconfig has no cluster "x"
        the kubeconfig has no user "x"
        --as-group needs --as: groups are impersonated only with a user
        there is no kubeconfig: looked at /no/such/file
        "#);
    }
}
