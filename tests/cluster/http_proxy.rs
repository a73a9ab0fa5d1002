//! A proxy that speaks HTTP in front of the API server: it answers in its stead, or takes something
//! out of what it says, as a test tells it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::kubeconfigs::acceptor;

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

/// What is done to a request instead of passing it on and its answer back.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This is answered, as JSON where it looks like it.
    Answer(u16, &'static str),
    /// The same, and how many seconds to wait.
    Busy(u16, u32),
    /// It is passed on, but its answer is lost: the client gets a 504.
    LoseAnswer,
    /// It is passed on, and lines of the answer that hold this text are dropped.
    DropLines(&'static str),
}

/// The next so many requests that fit.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) method: Method,
    /// Each has to be in path and query.
    pub(crate) holds: Vec<String>,
    pub(crate) times: usize,
    pub(crate) fault: Fault,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    /// The only token that is accepted; none: everything is.
    token: Option<String>,
    refused: usize,
}

/// The proxy; it ends with the test.
pub(crate) struct HttpProxy {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl HttpProxy {
    pub(crate) async fn start(client: kube::Client) -> Self {
        Self::listen(client, None).await
    }

    /// The same by TLS, which credentials are sent over, for whoever trusts
    /// `tests/fixtures/kubeconfigs/ca.crt`.
    pub(crate) async fn start_secured(client: kube::Client) -> Self {
        Self::listen(client, Some(acceptor("server", &[b"http/1.1"]))).await
    }

    async fn listen(client: kube::Client, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (client, state, tls) = (client.clone(), Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(TokioIo::new(connection), client, state).await,
                        Some(tls) => {
                            if let Ok(connection) = tls.accept(connection).await {
                                serve(TokioIo::new(connection), client, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url, state }
    }

    /// Adds a rule; the first that fits a request is used up by it.
    pub(crate) fn rule(&self, method: Method, holds: &[&str], times: usize, fault: Fault) {
        let holds = holds.iter().map(|&text| text.to_owned()).collect();
        self.state.lock().unwrap().rules.push(Rule { method, holds, times, fault });
    }

    /// Forgets all rules.
    pub(crate) fn relent(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// Accepts this token from now on, and no other.
    pub(crate) fn accept(&self, token: &str) {
        self.state.lock().unwrap().token = Some(token.to_owned());
    }

    /// Returns how many requests had a token that was not accepted.
    pub(crate) fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    /// Returns the rules that are not used up.
    pub(crate) fn unused(&self) -> Vec<Rule> {
        self.state.lock().unwrap().rules.clone()
    }
}

async fn serve<I>(io: I, client: kube::Client, state: Arc<Mutex<State>>)
where
    I: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let (client, state) = (client.clone(), Arc::clone(&state));
        async move { Ok::<_, Infallible>(handle(client, &state, request).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
}

impl State {
    /// Takes the fault for a request, if there is one.
    fn fault(&mut self, request: &Request<Incoming>) -> Option<Fault> {
        if let Some(token) = &self.token {
            let given = request.headers().get(http::header::AUTHORIZATION);
            let expected = format!("Bearer {token}");
            if given.and_then(|given| given.to_str().ok()) != Some(expected.as_str()) {
                self.refused += 1;
                return Some(Fault::Answer(
                    401,
                    r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}"#,
                ));
            }
        }
        let asked = request.uri().path_and_query()?.as_str();
        let at = self.rules.iter().position(|rule| {
            rule.method == *request.method() && rule.holds.iter().all(|text| asked.contains(text))
        })?;
        self.rules[at].times -= 1;
        let fault = self.rules[at].fault.clone();
        if self.rules[at].times == 0 {
            self.rules.remove(at);
        }
        Some(fault)
    }
}

async fn handle(client: kube::Client, state: &Mutex<State>, request: Request<Incoming>) -> Answer {
    let fault = state.lock().unwrap().fault(&request);
    match fault {
        None => pass(client, request).await,
        Some(Fault::Answer(code, text)) => answer(code, text.to_owned(), None),
        // The words of the API server's own filter, which sends no Status.
        Some(Fault::Busy(code, seconds)) => {
            answer(code, "Too many requests, please try again later.\n".to_owned(), Some(seconds))
        }
        Some(Fault::LoseAnswer) => {
            drop(pass(client, request).await);
            let text = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Timeout", "code": 504, "message": "the answer was lost"});
            answer(504, text.to_string(), None)
        }
        Some(Fault::DropLines(text)) => without_lines(pass(client, request).await, text),
    }
}

fn answer(code: u16, text: String, retry_after: Option<u32>) -> Answer {
    let kind = if text.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
    let mut answer = Response::builder().status(code).header(http::header::CONTENT_TYPE, kind);
    if let Some(seconds) = retry_after {
        answer = answer.header(http::header::RETRY_AFTER, seconds);
    }
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {});
    answer.body(body.boxed_unsync()).unwrap()
}

/// Sends the request with the credentials of the bench.
async fn pass(client: kube::Client, request: Request<Incoming>) -> Answer {
    let (mut head, body) = request.into_parts();
    head.headers.remove(http::header::AUTHORIZATION);
    head.headers.remove(http::header::HOST);
    head.version = http::Version::default();
    let Ok(body) = body.collect().await else { return answer(400, String::new(), None) };
    let request = Request::from_parts(head, Body::from(body.to_bytes().to_vec()));
    match client.send(request).await {
        Ok(mut response) => {
            response.headers_mut().remove(http::header::TRANSFER_ENCODING);
            *response.version_mut() = http::Version::HTTP_11;
            response.map(BodyExt::boxed_unsync)
        }
        Err(error) => answer(StatusCode::BAD_GATEWAY.as_u16(), error.to_string(), None),
    }
}

fn without_lines(response: Answer, text: &'static str) -> Answer {
    response.map(|body| {
        let mut rest = Vec::new();
        let lines = BodyStream::new(body).map(move |frame| {
            rest.extend_from_slice(&frame?.into_data().unwrap_or_default());
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let ready: Vec<u8> = rest.drain(..whole).collect();
            let kept = ready
                .split_inclusive(|byte| *byte == b'\n')
                .filter(|line| !String::from_utf8_lossy(line).contains(text))
                .flatten()
                .copied()
                .collect::<Vec<u8>>();
            Ok::<_, kube::Error>(Frame::data(kept.into()))
        });
        StreamBody::new(lines).boxed_unsync()
    })
}
