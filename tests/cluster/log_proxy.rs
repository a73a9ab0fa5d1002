//! A proxy before the API server that breaks logs by chance, the same way for the same seed.
//!
//! It speaks TLS with the API server's own key and offers HTTP/2, or HTTP/1.1 only. Whoever asks is
//! asked for on, with the credentials they gave, by a connection of its own each time.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::stream::poll_fn;
use http::{Request, Response, Uri, Version, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::chance::random;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What a client may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// How fine the clock is that stamps lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// As the node has it.
    Nanoseconds,
    /// Many lines have the same time.
    Milliseconds,
}

/// What happens to one request of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The body breaks off, its end was not seen.
    Broken,
    /// The whole connection is reset.
    Reset,
    /// The body ends as if that were all.
    CleanEnd,
    /// Nothing more comes of this body.
    FrozenBody,
    /// Nothing moves in the whole connection, in neither direction.
    FrozenConnection,
    /// This is answered instead.
    Answer(u16),
    /// The kubelet's words of a log that it cannot find, with code 200.
    NoLog,
}

/// What a proxy does.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) protocol: Protocol,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    /// How many requests of each log are broken; those after them pass.
    pub(crate) faults: u64,
    /// What tells the logs apart: each has this in its pod's name.
    pub(crate) logs: Vec<String>,
}

/// The proxy; it ends with the test.
pub(crate) struct LogProxy {
    pub(crate) url: String,
    state: Arc<State>,
}

struct State {
    settings: Settings,
    upstream: String,
    connector: TlsConnector,
    /// How often each log was asked for.
    asked: Mutex<BTreeMap<usize, u64>>,
    hits: Mutex<BTreeMap<Fault, usize>>,
    /// Whether there are no logs for now.
    refusing: watch::Sender<bool>,
}

impl LogProxy {
    /// Starts it before a cluster of `tests/local-cluster`, whose keys are in the folder `tls`.
    pub(crate) async fn start(server: &str, tls: &Path, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let acceptor = acceptor(tls, settings.protocol);
        let state = Arc::new(State {
            settings,
            upstream: server.trim_start_matches("https://").to_owned(),
            connector: connector(tls),
            asked: Mutex::default(),
            hits: Mutex::default(),
            refusing: watch::Sender::default(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    socket.set_nodelay(true).unwrap();
                    if let Ok(tls) = acceptor.accept(socket).await {
                        serve(tls, state).await;
                    }
                });
            }
        });
        Self { url, state }
    }

    /// Breaks every log and gives none, until told otherwise.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.state.refusing.send_replace(refusing);
    }

    /// Returns how often each fault came to pass.
    pub(crate) fn hits(&self) -> BTreeMap<Fault, usize> {
        self.state.hits.lock().unwrap().clone()
    }
}

fn acceptor(tls: &Path, protocol: Protocol) -> TlsAcceptor {
    let certificates = CertificateDer::pem_file_iter(tls.join("server.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls.join("server.key")).unwrap();
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates.map(Result::unwrap).collect(), key)
        .unwrap();
    config.alpn_protocols = match protocol {
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    TlsAcceptor::from(Arc::new(config))
}

fn connector(tls: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tls.join("ca.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn serve(tls: TlsStream<TcpStream>, state: Arc<State>) {
    let speaks_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let wire = Arc::new(Wire::default());
    let socket = TokioIo::new(Socket { tls, wire: Arc::clone(&wire) });
    let service = service_fn(move |request| {
        let (state, wire) = (Arc::clone(&state), Arc::clone(&wire));
        async move { Ok::<_, Infallible>(handle(state, wire, request).await) }
    });
    if speaks_http2 {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(socket, service).await;
    } else {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(socket, service).await;
    }
}

/// What a connection does.
#[derive(Default)]
struct Wire(AtomicU8);

impl Wire {
    const PASSES: u8 = 0;
    const FROZEN: u8 = 1;
    const RESET: u8 = 2;
}

struct Socket {
    tls: TlsStream<TcpStream>,
    wire: Arc<Wire>,
}

impl Socket {
    /// Returns what any reading or writing gives, if the connection passes nothing.
    fn stopped<T>(&self) -> Option<Poll<io::Result<T>>> {
        match self.wire.0.load(Ordering::Relaxed) {
            Wire::PASSES => None,
            // For ever: nobody wakes it.
            Wire::FROZEN => Some(Poll::Pending),
            _ => {
                let _ = self.tls.get_ref().0.set_zero_linger();
                Some(Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())))
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stopped().unwrap_or_else(|| Pin::new(&mut self.tls).poll_read(context, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stopped().unwrap_or_else(|| Pin::new(&mut self.tls).poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stopped().unwrap_or_else(|| Pin::new(&mut self.tls).poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stopped().unwrap_or_else(|| Pin::new(&mut self.tls).poll_shutdown(context))
    }
}

impl State {
    /// Returns what is to happen to a request, and after how many bytes of the body.
    fn fault(&self, uri: &Uri) -> Option<(Fault, usize)> {
        let asked = uri.path().strip_suffix("/log")?;
        if *self.refusing.borrow() {
            return Some((Fault::Answer(503), 0));
        }
        let log = self.settings.logs.iter().position(|name| asked.contains(name))?;
        let nth = {
            let mut asked = self.asked.lock().unwrap();
            let times = asked.entry(log).or_default();
            *times += 1;
            *times
        };
        (nth <= self.settings.faults).then(|| chosen(self.settings.seed, log, nth))
    }

    fn hit(&self, fault: Fault) {
        *self.hits.lock().unwrap().entry(fault).or_default() += 1;
    }
}

/// Chooses the fault of a log's request.
fn chosen(seed: u64, log: usize, nth: u64) -> (Fault, usize) {
    let mut state = seed ^ ((log as u64) << 32) ^ nth;
    // Frozen ones are rare, for each costs the time until it is noticed.
    let fault = match random(&mut state, 100) {
        0..26 => Fault::Broken,
        26..36 => Fault::Reset,
        36..64 => Fault::CleanEnd,
        64..68 => Fault::FrozenBody,
        68..70 => Fault::FrozenConnection,
        70..76 => Fault::Answer(401),
        76..80 => Fault::Answer(410),
        80..85 => Fault::Answer(429),
        85..90 => Fault::Answer(500),
        90..95 => Fault::Answer(503),
        _ => Fault::NoLog,
    };
    // From one byte to a megabyte, each order of magnitude as often.
    let order = u32::try_from(random(&mut state, 20)).unwrap();
    let after = (1 << order) + random(&mut state, 1 << order);
    (fault, usize::try_from(after).unwrap())
}

async fn handle(state: Arc<State>, wire: Arc<Wire>, request: Request<Incoming>) -> Response<Body> {
    let fault = state.fault(request.uri());
    if let Some((fault, _)) = fault
        && let Some(answer) = answer(fault)
    {
        state.hit(fault);
        return answer;
    }
    let is_log = request.uri().path().ends_with("/log");
    let (mut head, body) = match pass(&state, request).await {
        Ok(response) => response.into_parts(),
        Err(error) => return whole(502, error.to_string()),
    };
    for name in [header::TRANSFER_ENCODING, header::CONNECTION] {
        head.headers.remove(name);
    }
    head.version = Version::default();
    if !is_log || !head.status.is_success() {
        return Response::from_parts(head, body.map_err(io::Error::other).boxed_unsync());
    }
    head.headers.remove(header::CONTENT_LENGTH);
    let (sender, mut frames) = mpsc::channel(1);
    tokio::spawn(pump(Pump { state, wire, fault, sender, column: 0 }, body));
    let frames = StreamBody::new(poll_fn(move |context| frames.poll_recv(context)));
    Response::from_parts(head, frames.boxed_unsync())
}

/// Returns what is answered in the API server's stead.
fn answer(fault: Fault) -> Option<Response<Body>> {
    let code = match fault {
        Fault::NoLog => {
            let text = "unable to retrieve container logs for containerd://0123456789abcdef";
            return Some(whole(200, text.to_owned()));
        }
        Fault::Answer(code) => code,
        _ => return None,
    };
    // The words of the API server's own filter, which sends no Status.
    let busy = "Too many requests, please try again later.\n".to_owned();
    let (message, reason) = match code {
        401 => ("Unauthorized", "Unauthorized"),
        410 => ("too old resource version", "Expired"),
        500 => ("etcdserver: leader changed", "InternalError"),
        503 => ("the server is currently unable to handle the request", "ServiceUnavailable"),
        _ => ("", ""),
    };
    let status = format!(
        r#"{{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "{message}", "reason": "{reason}", "code": {code}}}"#
    );
    let mut answer = whole(code, if code == 429 { busy } else { status });
    if code == 429 {
        answer.headers_mut().insert(header::RETRY_AFTER, 1.into());
    }
    Some(answer)
}

fn whole(code: u16, text: String) -> Response<Body> {
    let kind = if text.starts_with('{') { "application/json" } else { "text/plain" };
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
    let answer = Response::builder().status(code).header(header::CONTENT_TYPE, kind);
    answer.body(body.boxed_unsync()).unwrap()
}

/// Sends a request on.
async fn pass(state: &State, request: Request<Incoming>) -> io::Result<Response<Incoming>> {
    let socket = TcpStream::connect(&state.upstream).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
    let tls = state.connector.connect(name, socket).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    head.uri = head.uri.path_and_query().map_or("/", |asked| asked.as_str()).parse().unwrap();
    head.version = Version::HTTP_11;
    head.headers.remove(header::CONNECTION);
    head.headers.insert(header::HOST, state.upstream.parse().unwrap());
    sender.send_request(Request::from_parts(head, body)).await.map_err(io::Error::other)
}

/// Passes a log's body on, as far as it is to come.
struct Pump {
    state: Arc<State>,
    wire: Arc<Wire>,
    fault: Option<(Fault, usize)>,
    sender: mpsc::Sender<io::Result<Frame<Bytes>>>,
    /// How many bytes of the line were passed on.
    column: usize,
}

/// Waits until there are no logs for now.
async fn refused(refusing: &mut watch::Receiver<bool>) {
    let _ = refusing.wait_for(|refusing| *refusing).await;
}

async fn pump(mut pump: Pump, mut body: Incoming) {
    let mut refusing = pump.state.refusing.subscribe();
    let mut left = pump.fault.map_or(usize::MAX, |(_, after)| after);
    loop {
        let frame = tokio::select! {
            () = pump.sender.closed() => return,
            () = refused(&mut refusing) => {
                return pump.break_off(Fault::Broken).await;
            }
            frame = body.frame() => frame,
        };
        let mut bytes = match frame {
            None => return,
            Some(Err(error)) => {
                let _ = pump.sender.send(Err(io::Error::other(error))).await;
                return;
            }
            Some(Ok(frame)) => BytesMut::from(frame.into_data().unwrap_or_default()),
        };
        bytes.truncate(left);
        left -= bytes.len();
        if pump.state.settings.clock == Clock::Milliseconds {
            pump.coarsen(&mut bytes);
        }
        if pump.sender.send(Ok(Frame::data(bytes.freeze()))).await.is_err() {
            return;
        }
        if let Some((fault, _)) = pump.fault
            && left == 0
        {
            drop(body);
            return pump.break_off(fault).await;
        }
    }
}

impl Pump {
    async fn break_off(self, fault: Fault) {
        self.state.hit(fault);
        match fault {
            Fault::Broken | Fault::Reset => {
                if fault == Fault::Reset {
                    self.wire.0.store(Wire::RESET, Ordering::Relaxed);
                }
                let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                let _ = self.sender.send(Err(reset)).await;
            }
            Fault::FrozenBody => self.sender.closed().await,
            Fault::FrozenConnection => {
                self.wire.0.store(Wire::FROZEN, Ordering::Relaxed);
                self.sender.closed().await;
            }
            Fault::CleanEnd | Fault::Answer(_) | Fault::NoLog => {}
        }
    }

    /// Takes the microseconds from the times that lines begin with, `2026-11-27T12:47:53.935306172Z`.
    fn coarsen(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if (23..29).contains(&self.column) {
                *byte = b'0';
            }
            self.column = if *byte == b'\n' { 0 } else { self.column + 1 };
        }
    }
}
