//! A server that notes who asks, and proxies that note where to.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What was noted: who asked for what, and through which proxy. As text, so that two tools compare.
pub(crate) type Notes = BTreeSet<String>;

#[derive(Default)]
struct State {
    notes: Notes,
    /// The only signature that is accepted; none: every one is.
    accepts: Option<String>,
}

/// The server; it ends with the test.
pub(crate) struct Recorder {
    state: Arc<Mutex<State>>,
    /// By TLS, with a certificate for 127.0.0.1, `::1`, localhost, kubernetes.test and proxy.test.
    pub(crate) port: u16,
    /// By TLS, with a certificate for only-this-name.test.
    pub(crate) named: u16,
    /// By TLS on `::1`, where this machine has that.
    pub(crate) v6: Option<u16>,
    /// Without TLS.
    pub(crate) plain: u16,
    pub(crate) http_proxy: u16,
    pub(crate) https_proxy: u16,
    pub(crate) socks_proxy: u16,
}

/// Returns the path of a file beside the certificates.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubeconfigs").join(name)
}

fn certificates(name: &str) -> Vec<CertificateDer<'static>> {
    let pem = std::fs::read(fixture(name)).unwrap();
    CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect()
}

/// Both protocols, as API servers have them.
const BOTH: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Takes TLS with a certificate of this name, and whatever certificate a client shows.
pub(crate) fn acceptor(name: &str, protocols: &[&[u8]]) -> TlsAcceptor {
    let mut roots = RootCertStore::empty();
    roots.add(certificates("ca.crt").remove(0)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = verifier.allow_unauthenticated().build().unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture(&format!("{name}.key"))).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier);
    let mut config = config.with_single_cert(certificates(&format!("{name}.crt")), key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Takes connections of a listener, each in a task of its own.
fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    each: impl Fn(TcpStream) -> F + Send + 'static,
) -> u16 {
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(each(connection));
        }
    });
    port
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let tls = |listener, name: &str| {
            let (state, acceptor) = (Arc::clone(&state), acceptor(name, &BOTH));
            serve(listener, move |connection| {
                over_tls(acceptor.clone(), connection, Arc::clone(&state))
            })
        };
        let port = tls(listener().await, "server");
        let named = tls(listener().await, "named");
        let v6 = TcpListener::bind("[::1]:0").await.ok().map(|listener| tls(listener, "server"));
        let shared = Arc::clone(&state);
        let plain = serve(listener().await, move |connection| {
            answer(TokioIo::new(connection), None, false, Arc::clone(&shared))
        });
        let shared = Arc::clone(&state);
        let by_http = serve(listener().await, move |connection| {
            tunnel("http", connection, port, Arc::clone(&shared))
        });
        let (shared, by_tls) = (Arc::clone(&state), acceptor("server", &[b"http/1.1"]));
        let over_tls_proxy = serve(listener().await, move |connection| {
            let (shared, by_tls) = (Arc::clone(&shared), by_tls.clone());
            async move {
                if let Ok(connection) = by_tls.accept(connection).await {
                    tunnel("https", connection, port, shared).await;
                }
            }
        });
        let shared = Arc::clone(&state);
        let by_socks = serve(listener().await, move |connection| {
            let shared = Arc::clone(&shared);
            async move { drop(socks(connection, port, shared).await) }
        });
        Self {
            state,
            port,
            named,
            v6,
            plain,
            http_proxy: by_http,
            https_proxy: over_tls_proxy,
            socks_proxy: by_socks,
        }
    }

    /// Returns what was noted, and forgets it.
    pub(crate) fn take(&self) -> Notes {
        std::mem::take(&mut self.state.lock().unwrap().notes)
    }

    /// From now on refuses every other signature with 401.
    pub(crate) fn accept(&self, signature: &str) {
        self.state.lock().unwrap().accepts = Some(signature.to_owned());
    }
}

async fn over_tls(acceptor: TlsAcceptor, connection: TcpStream, state: Arc<Mutex<State>>) {
    let Ok(stream) = acceptor.accept(connection).await else { return };
    let (_, session) = stream.get_ref();
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let shown = session.peer_certificates().and_then(|all| all.first()).cloned();
    let name = shown.map(|shown| {
        let known = ["client", "other"];
        let found = known.iter().find(|name| certificates(&format!("{name}.crt"))[0] == shown);
        (*found.unwrap_or(&"unknown")).to_owned()
    });
    answer(TokioIo::new(stream), name, is_http2, state).await;
}

async fn answer<I>(io: I, certificate: Option<String>, http2: bool, state: Arc<Mutex<State>>)
where
    I: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = note(&request, certificate.as_deref(), &state);
        async move { Ok::<_, Infallible>(answer) }
    });
    if http2 {
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = builder.serve_connection(io, service).await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
    }
}

/// Notes who asks, by everything that says so.
fn note(
    request: &Request<Incoming>,
    certificate: Option<&str>,
    state: &Mutex<State>,
) -> Response<Full<Bytes>> {
    let header = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
    let host = request.uri().authority().map(ToString::to_string).or_else(|| header("host"));
    let path = request.uri().path();
    let prefix = path.find("/api").map_or(path, |at| &path[..at]);
    let mut impersonated: Vec<String> = request
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("impersonate-"))
        .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
        .collect();
    impersonated.sort();
    let signature = header("authorization");
    let mut state = state.lock().unwrap();
    state.notes.insert(format!(
        "host {} prefix {prefix:?} signature {signature:?} impersonates {impersonated:?} certificate {certificate:?}",
        host.unwrap_or_default()
    ));
    let is_accepted = state.accepts.is_none() || state.accepts == signature;
    let (code, text) = if is_accepted {
        (
            200,
            r#"{"kind":"JobList","apiVersion":"batch/v1","metadata":{"resourceVersion":"1"},"items":[]}"#,
        )
    } else {
        (
            401,
            r#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":401,"reason":"Unauthorized","message":"Unauthorized"}"#,
        )
    };
    let answer = Response::builder().status(code).header("content-type", "application/json");
    answer.body(Full::new(Bytes::from(text))).unwrap()
}

/// Notes where a tunnel is to go, and leads it to the server.
async fn tunnel<S>(kind: &str, mut connection: S, port: u16, state: Arc<Mutex<State>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let first = head.lines().next().unwrap_or_default().to_owned();
    let login = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.to_owned())
    });
    state.lock().unwrap().notes.insert(format!("{kind} proxy {first:?} login {login:?}"));
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    if connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
        let _ = tokio::io::copy_bidirectional(&mut connection, &mut server).await;
    }
}

/// The same by SOCKS 5 (RFC 1928, RFC 1929).
async fn socks(mut client: TcpStream, port: u16, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await?;
    let mut methods = vec![0; greeting[1].into()];
    client.read_exact(&mut methods).await?;
    let mut login = None;
    if methods.contains(&2) {
        client.write_all(&[5, 2]).await?;
        client.read_u8().await?;
        login = Some((text(&mut client).await?, text(&mut client).await?));
        client.write_all(&[1, 0]).await?;
    } else {
        client.write_all(&[5, 0]).await?;
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        3 => text(&mut client).await?,
        kind => {
            let mut address = vec![0; if kind == 1 { 4 } else { 16 }];
            client.read_exact(&mut address).await?;
            format!("{address:?}")
        }
    };
    let to = client.read_u16().await?;
    let note = format!("socks proxy {host}:{to} login {login:?}");
    state.lock().unwrap().notes.insert(note);
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

async fn text(client: &mut TcpStream) -> std::io::Result<String> {
    let length = client.read_u8().await?;
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a file beside the certificates as base64.
pub(crate) fn encoded(name: &str) -> String {
    STANDARD.encode(std::fs::read(fixture(name)).unwrap())
}
