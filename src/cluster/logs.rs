//! A container's log as the API serves it.

use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http_body_util::{BodyDataStream, BodyExt};
use k8s_openapi::jiff::Timestamp;
use kube::client::Body;
use tokio::sync::OwnedSemaphorePermit;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::leases::status_of;

/// Which part of which log is asked for; timestamps are always asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRequest {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether to stay until the container ends.
    pub follow: bool,
    /// Whether the container before the last restart is meant.
    pub previous: bool,
    /// From this second on; the API has no finer grain.
    pub since_second: Option<Timestamp>,
    /// Only that many lines from the end.
    pub tail_lines: Option<u32>,
}

impl LogRequest {
    fn action(&self) -> Action {
        Action {
            verb: "get",
            resource: "pods/log",
            group: "",
            object: format!("the log of pod/{}", self.pod),
            namespace: self.namespace.clone(),
        }
    }

    /// Returns the path and query. Written by hand: kube rounds the time to the nearest second,
    /// half a second of lines into the future.
    fn path_and_query(&self) -> String {
        let mut query = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true",
            self.namespace, self.pod, self.container
        );
        if self.follow {
            query.push_str("&follow=true");
        }
        if self.previous {
            query.push_str("&previous=true");
        }
        if let Some(since) = self.since_second {
            let whole = Timestamp::from_second(since.as_second()).unwrap_or(since);
            let _ = write!(query, "&sinceTime={whole}");
        }
        if let Some(lines) = self.tail_lines {
            let _ = write!(query, "&tailLines={lines}");
        }
        query
    }
}

/// How a stream of a log breaks.
pub type LogStreamError = kube::Error;

/// The bytes of a log as they come.
pub struct LogStream {
    body: BodyDataStream<Body>,
    /// The place in a connection, given back with the stream.
    _place: OwnedSemaphorePermit,
}

impl Stream for LogStream {
    type Item = Result<Bytes, LogStreamError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.body.poll_next_unpin(context)
    }
}

/// How long a log is waited for to be opened. The server may only say so much after a while, but a
/// dead connection says nothing at all.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

impl Cluster {
    /// Opens a log; the stream itself has no time limit.
    pub async fn open_log(&self, request: &LogRequest) -> Result<LogStream, ClusterError> {
        let action = request.action();
        let http = http::Request::get(request.path_and_query())
            .body(Body::empty())
            .expect("names from the API make a valid path");
        let timeout = self.request_timeout().min(OPEN_TIMEOUT);
        let opening = self.logs().send(async |client| {
            let answer = client.send(http).await?;
            let code = answer.status();
            let body = answer.into_body();
            if code.is_success() {
                return Ok(body);
            }
            let bytes = body.collect_bytes().await?;
            Err(kube::Error::Api(status_of(code.as_u16(), &bytes).boxed()))
        });
        match tokio::time::timeout(timeout, opening).await {
            Ok(opened) => {
                let (body, place) = opened?;
                let body = body.map_err(|error| self.explain(&action, error))?;
                Ok(LogStream { body: body.into_data_stream(), _place: place })
            }
            Err(_) => Err(ClusterError::TimedOut {
                server: self.server().to_owned(),
                action: Box::new(action),
                after: timeout,
            }),
        }
    }
}

/// How much of the end of a log is read at most.
const LONGEST_TAIL: usize = 256 * 1024;

impl Cluster {
    /// Reads the last lines of a log, without their timestamps, by the connection that is open.
    pub async fn read_tail(&self, request: &LogRequest) -> Result<Vec<String>, ClusterError> {
        let action = request.action();
        let query = format!("{}&limitBytes={LONGEST_TAIL}", request.path_and_query());
        let http = http::Request::get(query)
            .body(Vec::new())
            .expect("names from the API make a valid path");
        let text = self.call_text(&action, http).await?;
        // The kubelet answers for a container that is gone with a sentence that has no timestamp.
        let stamped = text.lines().filter_map(|line| line.split_once(' '));
        let lines = stamped.filter(|(stamp, _)| stamp.parse::<Timestamp>().is_ok());
        Ok(lines.map(|(_, line)| line.to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::LogRequest;

    #[test]
    fn since_is_cut_to_the_second_never_rounded() {
        let request = LogRequest {
            namespace: "n".to_owned(),
            pod: "p".to_owned(),
            container: "c".to_owned(),
            follow: true,
            previous: false,
            since_second: Some("2026-11-23T10:00:00.9Z".parse().unwrap()),
            tail_lines: None,
        };
        assert_eq!(
            request.path_and_query(),
            "/api/v1/namespaces/n/pods/p/log?container=c&timestamps=true&follow=true&sinceTime=2026-11-23T10:00:00Z"
        );
    }
}
