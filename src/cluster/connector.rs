//! The HTTP clients beneath kube's: a connector of our own.
//!
//! kube's default leaves Nagle's algorithm on, and the first request then waits 40 ms for the
//! server's delayed acknowledgement.

use std::time::Duration;

use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt};

use tower::{BoxError, ServiceExt};

use super::error::ClusterError;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Requests and watches: one HTTP/2 connection, kept honest by pings.
    Control,
    /// Log streams: HTTP/1.1, a connection each, so that none slows another.
    Streams,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_ANSWER: Duration = Duration::from_secs(10);

/// Builds a kube client for `purpose`.
pub(super) fn client(
    config: &kube::Config,
    purpose: Purpose,
) -> Result<kube::Client, ClusterError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    match &config.proxy_url {
        None => with_tls(config, purpose, tcp),
        Some(proxy) if proxy.scheme_str() == Some("socks5") => {
            with_tls(config, purpose, SocksV5::new(proxy.clone(), tcp))
        }
        Some(proxy) if proxy.scheme_str() == Some("http") => {
            with_tls(config, purpose, Tunnel::new(proxy.clone(), tcp))
        }
        Some(proxy) => Err(setup(config, &format!("the proxy {proxy} is neither http nor socks5"))),
    }
}

fn setup(config: &kube::Config, cause: &dyn std::fmt::Display) -> ClusterError {
    ClusterError::Setup { server: config.cluster_url.to_string(), cause: cause.to_string() }
}

fn with_tls<C>(
    config: &kube::Config,
    purpose: Purpose,
    connector: C,
) -> Result<kube::Client, ClusterError>
where
    HttpsConnector<C>: Connect + Clone + Send + Sync + 'static,
{
    let tls = config.rustls_client_config().map_err(|error| setup(config, &error))?;
    let mut builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = name.clone().try_into().map_err(|error| {
            setup(config, &format!("tls-server-name {name:?} is not a name: {error}"))
        })?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    let connector = match purpose {
        Purpose::Control => builder.enable_http1().enable_http2().wrap_connector(connector),
        Purpose::Streams => builder.enable_http1().wrap_connector(connector),
    };
    let http: Client<_, Body> = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_ANSWER)
        .build(connector);
    let headers = config.extra_headers_layer().map_err(|error| setup(config, &error))?;
    let auth = config.auth_layer().map_err(|error| setup(config, &error))?;
    let http = http.map_err(BoxError::from as fn(_) -> _);
    let stack = ClientBuilder::new(http, config.default_namespace.clone()).with_layer(&headers);
    Ok(match auth {
        Some(auth) => stack.with_layer(&auth).with_layer(&config.base_uri_layer()).build(),
        None => stack.with_layer(&config.base_uri_layer()).build(),
    })
}
