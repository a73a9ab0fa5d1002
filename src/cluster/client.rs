//! A connection to one cluster.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use k8s_openapi::jiff::Timestamp;
use kube::client::Body;
use kube::core::response::StatusCause;
use serde::de::DeserializeOwned;

use super::connector::{Connector, Purpose};
use super::credentials;
use super::error::{Action, Cause, ClusterError};
use super::flags::ConnectionFlags;
use super::kubeconfig;
use super::leases::status_of;
use super::log_connections::LogConnections;
use super::requests::address;
use crate::error::without_numbers;

/// How long a request may take when `--request-timeout` says nothing. kubectl would wait for ever,
/// but here a lost answer is asked for again.
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server answered, and what stands beside that.
pub(super) struct Answer<T> {
    pub(super) object: T,
    /// What time it was for the server.
    pub(super) date: Option<Timestamp>,
    /// Whether the object is new is told by the code alone.
    pub(super) code: StatusCode,
}

/// A connection to one cluster, cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    control: kube::Client,
    commands: kube::Client,
    logs: Arc<LogConnections>,
    context: Option<String>,
    user: Option<String>,
    namespace: String,
    server: String,
    request_timeout: Duration,
    /// What time it was for the server, and when that was heard.
    clock: Arc<Mutex<Option<(Timestamp, Instant)>>>,
}

impl Cluster {
    /// Reads the kubeconfig and makes the clients; sends nothing yet.
    #[expect(clippy::unused_async, reason = "clients want the runtime that a future is polled in")]
    pub async fn connect(flags: &ConnectionFlags) -> Result<Self, ClusterError> {
        let resolved = kubeconfig::resolve(flags)?;
        let config = resolved.config;
        let connector = Connector::new(&config, flags.plugins)?;
        Ok(Self {
            control: connector.client(Purpose::Control)?,
            commands: connector.client(Purpose::Commands)?,
            logs: Arc::new(LogConnections::new(connector)?),
            context: resolved.context,
            user: resolved.user,
            namespace: config.default_namespace.clone(),
            server: address(&config.cluster_url).trim_end_matches('/').to_owned(),
            request_timeout: flags
                .request_timeout
                .filter(|timeout| !timeout.is_zero())
                .unwrap_or(DEFAULT_REQUEST_TIMEOUT),
            clock: Arc::default(),
        })
    }

    /// Makes a cluster of a client whose answers a test gives.
    #[cfg(test)]
    pub(crate) fn of_client(client: kube::Client) -> Self {
        Self {
            logs: Arc::new(LogConnections::of_client(client.clone())),
            commands: client.clone(),
            control: client,
            context: None,
            user: None,
            namespace: "default".to_owned(),
            server: "https://test".to_owned(),
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            clock: Arc::default(),
        }
    }

    /// Returns the name of the context in use; none in a pod or with `--server` alone.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Returns the kubeconfig's name for whoever asks, or whom they impersonate.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns `-n`, else the context's namespace, else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the API server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns what time it is for the server, if it has said so; not what this machine's clock says.
    #[must_use]
    pub fn server_time(&self) -> Option<Timestamp> {
        let (then, heard) = (*self.clock.lock().ok()?)?;
        then.checked_add(heard.elapsed()).ok()
    }

    /// Returns kube's client, for requests this module has no function for.
    #[must_use]
    pub fn client(&self) -> &kube::Client {
        &self.control
    }

    /// Returns the client for commands in pods.
    pub(super) fn commands(&self) -> &kube::Client {
        &self.commands
    }

    /// Returns the connections for logs.
    pub(super) fn logs(&self) -> &LogConnections {
        &self.logs
    }

    /// Returns how long one request may take.
    pub(super) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Sends one request and reads its whole answer, within the request timeout.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        action: &Action,
        request: Request<Vec<u8>>,
    ) -> Result<T, ClusterError> {
        self.answer(action, self.control.request::<T>(request)).await
    }

    /// The same for an answer that is text.
    pub(super) async fn call_text(
        &self,
        action: &Action,
        request: Request<Vec<u8>>,
    ) -> Result<String, ClusterError> {
        self.answer(action, self.control.request_text(request)).await
    }

    pub(super) async fn answer<T>(
        &self,
        action: &Action,
        asked: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(self.request_timeout, asked).await {
            Ok(answer) => answer.map_err(|error| self.explain(action, error)),
            Err(_) => Err(ClusterError::TimedOut {
                server: self.server.clone(),
                action: Box::new(action.clone()),
                after: self.request_timeout,
            }),
        }
    }

    /// Sends one request like [`Self::call`]; returns the server's time beside its answer.
    pub(super) async fn call_with_date<T: DeserializeOwned>(
        &self,
        action: &Action,
        request: Request<Vec<u8>>,
    ) -> Result<(T, Option<Timestamp>), ClusterError> {
        let answer = self.call_for_answer(action, request).await?;
        Ok((answer.object, answer.date))
    }

    /// Sends one request like [`Self::call`]; returns what stands beside its answer, too.
    pub(super) async fn call_for_answer<T: DeserializeOwned>(
        &self,
        action: &Action,
        request: Request<Vec<u8>>,
    ) -> Result<Answer<T>, ClusterError> {
        let asked = async {
            let answer = self.control.send(request.map(Body::from)).await?;
            let code = answer.status();
            let date = answer.headers().get(http::header::DATE);
            let date = date.and_then(|date| http_date(date.to_str().ok()?));
            if let (Some(date), Ok(mut clock)) = (date, self.clock.lock()) {
                *clock = Some((date, Instant::now()));
            }
            let bytes = answer.into_body().collect_bytes().await?;
            if !code.is_success() {
                return Err(kube::Error::Api(status_of(code.as_u16(), &bytes).boxed()));
            }
            let text = String::from_utf8(bytes.into()).map_err(kube::Error::FromUtf8)?;
            let object = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
            Ok(Answer { object, date, code })
        };
        self.answer(action, asked).await
    }

    /// Asks what time it is for the server.
    pub async fn ask_time(&self) -> Result<Timestamp, ClusterError> {
        let action = Action {
            verb: "get",
            resource: "version",
            group: "",
            object: "/version".to_owned(),
            namespace: String::new(),
        };
        let request = Request::get("/version").body(Vec::new()).expect("the path is a constant");
        let (_, date) = self.call_with_date::<serde_json::Value>(&action, request).await?;
        // Every server says so; one that does not is taken for one whose clock is right.
        Ok(date.unwrap_or_else(Timestamp::now))
    }

    /// Says what kube's error means for `action`.
    pub(super) fn explain(&self, action: &Action, error: kube::Error) -> ClusterError {
        let boxed = Box::new(action.clone());
        let status = match error {
            kube::Error::Api(status) => status,
            kube::Error::Auth(error) => {
                return ClusterError::Setup {
                    server: self.server.clone(),
                    cause: credentials::refusal(&error),
                };
            }
            error => {
                let cause = root_cause(&error);
                return ClusterError::Unreachable {
                    server: self.server.clone(),
                    action: boxed,
                    cause,
                };
            }
        };
        let message = if status.message.is_empty() {
            format!("the API server answered {}", status.code)
        } else {
            status.message.clone()
        };
        match status.code {
            401 => ClusterError::Unauthorized { server: self.server.clone(), action: boxed },
            403 if message.contains("exceeded quota") => {
                ClusterError::Quota { action: boxed, message }
            }
            403 => ClusterError::Forbidden { action: boxed, message },
            404 => ClusterError::NotFound { action: boxed, message },
            code => {
                let details = status.details.map(|all| (all.causes, all.retry_after_seconds));
                let (causes, seconds) = details.unwrap_or_default();
                let cause =
                    |StatusCause { reason, field, message }| Cause { reason, field, message };
                ClusterError::Refused {
                    action: boxed,
                    code,
                    reason: status.reason,
                    message,
                    causes: causes.into_iter().map(cause).collect(),
                    retry_after: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
                }
            }
        }
    }
}

/// Reads the time as HTTP writes it: `Wed, 25 Nov 2026 00:47:53 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    k8s_openapi::jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Returns the innermost cause, which is the one that says something.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    let text = current.to_string();
    if text.contains("close_notify") {
        // rustls adds a paragraph of advice for programmers.
        return "the connection was closed".to_owned();
    }
    without_numbers(text)
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn reads_the_time_as_http_writes_it() {
        let read = http_date("Wed, 25 Nov 2026 00:47:53 GMT").map(|time| time.to_string());
        assert_eq!(read.as_deref(), Some("2026-11-25T00:47:53Z"));
    }
}
