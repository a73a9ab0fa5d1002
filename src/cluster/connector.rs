//! The HTTP clients beneath kube's: a connector of our own.
//!
//! kube's default leaves Nagle's algorithm on, and the first request then waits 40 ms for the
//! server's delayed acknowledgement.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper_rustls::builderstates::WantsProtocols1;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt};
use rustls::ClientConfig;
use tower::{BoxError, ServiceExt};

use super::bounded::{Bounded, Bounding};
use super::credentials::Credentials;
use super::error::ClusterError;
use super::flags::Plugins;
use super::proxy;
use super::requests::address;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Requests and watches: one HTTP/2 connection, kept honest by pings.
    Control,
    /// Log streams: HTTP/2 too, many in one connection of their own.
    Logs,
    /// Commands in a pod, which need HTTP/1.1.
    Commands,
}

/// How many log streams share a connection; API servers allow a hundred.
pub(super) const LOGS_TOGETHER: u16 = 32;
/// How much of one log may be under way: what 40 MB/s need at 12 ms of round-trip time.
const LOG_WINDOW: u32 = 512 << 10;
/// The same for all logs of a connection, so that one that nobody reads stalls no other.
const LOGS_WINDOW: u32 = LOG_WINDOW * (LOGS_TOGETHER as u32);
const LOG_FRAME: u32 = 64 << 10;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A dead connection is noticed within 13 seconds.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_ANSWER: Duration = Duration::from_secs(8);

/// Makes clients that share credentials, each with connections of its own.
///
/// An exec plugin may take a second, so it is run once; kube's own way runs it for the token and
/// again for a certificate, for each client.
pub(super) struct Connector {
    config: kube::Config,
    credentials: Credentials,
    tls: ClientConfig,
}

impl Connector {
    /// Gets the credentials, which may run an exec plugin; connects to nothing yet.
    pub(super) fn new(config: &kube::Config, plugins: Plugins) -> Result<Self, ClusterError> {
        let got = Credentials::get(&config.auth_info, plugins);
        let (credentials, identity) = got.map_err(|why| setup(config, &why))?;
        let mut for_tls = config.clone();
        for_tls.auth_info.exec = None;
        if let Some((certificate, key)) = identity {
            for_tls.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
            for_tls.auth_info.client_key_data = Some(STANDARD.encode(key).into());
        }
        let tls = for_tls.rustls_client_config().map_err(|error| setup(config, &error))?;
        Ok(Self { config: config.clone(), credentials, tls })
    }

    /// Makes a client.
    pub(super) fn client(&self, purpose: Purpose) -> Result<kube::Client, ClusterError> {
        let builder =
            HttpsConnectorBuilder::new().with_tls_config(self.tls.clone()).https_or_http();
        client(self, purpose, builder)
    }
}

fn client(
    connector: &Connector,
    purpose: Purpose,
    mut builder: HttpsConnectorBuilder<WantsProtocols1>,
) -> Result<kube::Client, ClusterError> {
    let Connector { config, credentials, tls } = connector;
    if let Some(name) = &config.tls_server_name {
        let name = name.clone().try_into().map_err(|error| {
            setup(config, &format!("tls-server-name {name:?} is not a name: {error}"))
        })?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let Some(proxy) = &config.proxy_url else {
        return finish(config, credentials, purpose, builder, tcp);
    };
    let login = proxy::login(proxy).map_err(|why| setup(config, &why))?;
    match proxy.scheme_str() {
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(proxy.clone(), tcp);
            if let Some((user, password)) = login {
                socks = socks.with_auth(user, password);
            }
            finish(config, credentials, purpose, builder, socks)
        }
        Some("http") => {
            let tunnel = with_login(Tunnel::new(proxy.clone(), tcp), login);
            finish(config, credentials, purpose, builder, tunnel)
        }
        Some("https") => {
            // As in Go, the proxy's certificate is verified by the cluster's authority.
            let https = HttpsConnectorBuilder::new().with_tls_config(tls.clone());
            let https = https.https_or_http().enable_http1().wrap_connector(tcp);
            let tunnel = with_login(Tunnel::new(proxy.clone(), https), login);
            finish(config, credentials, purpose, builder, tunnel)
        }
        _ => Err(setup(config, &"the proxy is none of http, https and socks5")),
    }
}

fn with_login<C>(tunnel: Tunnel<C>, login: Option<(String, String)>) -> Tunnel<C> {
    let Some((user, password)) = login else { return tunnel };
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    match HeaderValue::from_str(&basic) {
        Ok(value) => tunnel.with_auth(value),
        Err(_) => tunnel,
    }
}

fn setup(config: &kube::Config, cause: &dyn std::fmt::Display) -> ClusterError {
    ClusterError::Setup { server: address(&config.cluster_url), cause: cause.to_string() }
}

fn finish<C>(
    config: &kube::Config,
    credentials: &Credentials,
    purpose: Purpose,
    builder: HttpsConnectorBuilder<WantsProtocols1>,
    tcp: C,
) -> Result<kube::Client, ClusterError>
where
    HttpsConnector<C>: Connect + Clone + Send + Sync + 'static,
{
    let connector = match purpose {
        Purpose::Control | Purpose::Logs => {
            builder.enable_http1().enable_http2().wrap_connector(tcp)
        }
        Purpose::Commands => builder.enable_http1().wrap_connector(tcp),
    };
    let mut http = Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_ANSWER);
    if purpose == Purpose::Logs {
        http.http2_initial_stream_window_size(LOG_WINDOW)
            .http2_initial_connection_window_size(LOGS_WINDOW)
            .http2_max_frame_size(LOG_FRAME);
    }
    let http: Client<_, Body> = http.build(connector);
    let headers = config.extra_headers_layer().map_err(|error| setup(config, &error))?;
    let http = Bounding(http.map_err(BoxError::from as fn(_) -> _))
        .map_response(told_to_wait as fn(_) -> _);
    Ok(ClientBuilder::new(http, config.default_namespace.clone())
        .with_layer(&headers)
        .with_layer(credentials)
        .with_layer(&config.base_uri_layer())
        .build())
}

/// Makes a Status of an answer that is none but says how long to wait, such as the one of the API
/// server's own filter when it has too much to do: kube keeps no headers.
fn told_to_wait(
    answer: Response<Bounded<Incoming>>,
) -> Response<Either<Bounded<Incoming>, Full<Bytes>>> {
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let code = answer.status();
    let seconds = text(header::RETRY_AFTER).and_then(|text| text.parse::<u32>().ok());
    let is_status = text(header::CONTENT_TYPE).is_some_and(|kind| kind.contains("json"));
    match seconds {
        Some(seconds) if !code.is_success() && !is_status => {
            let reason = code.canonical_reason().unwrap_or_default();
            let status = serde_json::json!({
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "code": code.as_u16(),
                "reason": reason.replace(' ', ""),
                "message": format!("the API server answered {} {reason}", code.as_u16()),
                "details": {"retryAfterSeconds": seconds},
            });
            answer.map(|_| Either::Right(Full::new(status.to_string().into())))
        }
        _ => answer.map(Either::Left),
    }
}
