//! Asks the API server about a Job or a pod without creating it.

use std::time::Duration;

use kube::api::PostParams;
use kube::core::Request;
use kube::core::request::Error;
use serde_json::Value;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::{self, built};
use super::labels;

/// How often a server that is too busy is asked again.
const ATTEMPTS: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// What the server does with fields it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// It names them and takes nothing.
    Refused,
    /// It leaves them out.
    Dropped,
}

impl UnknownFields {
    /// As `kubectl --validate` sends it.
    fn parameter(self) -> &'static str {
        match self {
            Self::Refused => "Strict",
            Self::Dropped => "Ignore",
        }
    }
}

/// What is asked about.
struct Asked<'a> {
    action: Action,
    path: String,
    object: &'a Value,
    unknown: UnknownFields,
}

/// Asks again, a few times, where the server only had too much to do.
pub(super) async fn patiently<T>(
    ask: impl AsyncFn() -> Result<T, ClusterError>,
) -> Result<T, ClusterError> {
    let mut delay = FIRST_DELAY;
    for _ in 1..ATTEMPTS {
        match ask().await {
            Err(error) if error.is_busy() => {
                tokio::time::sleep(error.retry_after().unwrap_or(delay)).await;
                delay *= 2;
            }
            answer => return answer,
        }
    }
    ask().await
}

impl Cluster {
    /// Returns the Job as the server would store it: with its defaults, and through admission.
    /// Nothing is created.
    pub async fn dry_run_job(
        &self,
        namespace: &str,
        job: &Value,
        unknown: UnknownFields,
    ) -> Result<Value, ClusterError> {
        let name = job.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let action = jobs::action("create", namespace, name);
        let path = jobs::path(namespace);
        self.dry_run(&Asked { action, path, object: job, unknown }).await
    }

    /// Returns a pod as the server would store it. Nothing is created.
    pub async fn dry_run_pod(&self, namespace: &str, pod: &Value) -> Result<Value, ClusterError> {
        let action = Action {
            verb: "create",
            resource: "pods",
            group: "",
            object: String::new(),
            namespace: namespace.to_owned(),
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let unknown = UnknownFields::Dropped;
        self.dry_run(&Asked { action, path, object: pod, unknown }).await
    }

    async fn dry_run(&self, asked: &Asked<'_>) -> Result<Value, ClusterError> {
        patiently(|| self.dry_run_once(asked)).await
    }

    async fn dry_run_once(&self, asked: &Asked<'_>) -> Result<Value, ClusterError> {
        let Asked { action, path, object, unknown } = asked;
        let params = PostParams { field_manager: Some(labels::MANAGER.to_owned()), dry_run: true };
        let body = object.to_string().into_bytes();
        let mut request = built(Request::new(path).create(&params, body), action)?;
        // kube knows no parameter for it, and has put its own behind the `?`.
        let address = format!("{}&fieldValidation={}", request.uri(), unknown.parameter());
        let address = address
            .parse()
            .map_err(|error: http::uri::InvalidUri| Error::BuildRequest(error.into()));
        *request.uri_mut() = built(address, action)?;
        self.call(action, request).await
    }
}
