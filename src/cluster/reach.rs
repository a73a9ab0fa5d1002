//! How far a request to the API server comes, and what time it is there.

use std::error::Error;
use std::io::{self, ErrorKind};

use http::Request;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::client::Body;

use super::client::{Cluster, http_date, root_cause};
use super::credentials;
use super::leases::status_of;
use crate::doctor::{Reach, Stage};

impl Cluster {
    /// Asks for the version, which needs no right; says what failed, or how far this machine's
    /// clock is ahead of the server's.
    pub async fn reach(&self) -> (Reach, Option<SignedDuration>) {
        let before = Timestamp::now();
        let asked = tokio::time::timeout(self.request_timeout(), self.ask_version());
        let Ok(answer) = asked.await else {
            let cause = format!("no answer within {:?}", self.request_timeout());
            return (Reach::No { stage: Stage::Http, cause }, None);
        };
        match answer {
            Ok((version, date)) => {
                let middle = before + Timestamp::now().duration_since(before) / 2;
                // The server tells whole seconds.
                let ahead =
                    date.map(|date| middle.duration_since(date + SignedDuration::from_millis(500)));
                (Reach::Yes { version }, ahead)
            }
            Err((stage, cause)) => (Reach::No { stage, cause }, None),
        }
    }

    async fn ask_version(&self) -> Result<(Option<String>, Option<Timestamp>), (Stage, String)> {
        let request = Request::get("/version").body(Body::empty()).expect("the path is a constant");
        let answer = self.client().send(request).await.map_err(|error| failure(&error))?;
        let code = answer.status();
        let date = answer.headers().get(http::header::DATE);
        let date = date.and_then(|date| http_date(date.to_str().ok()?));
        let bytes = answer.into_body().collect_bytes().await.map_err(|error| failure(&error))?;
        let json = serde_json::from_slice::<serde_json::Value>(&bytes);
        match (code.as_u16(), json) {
            // A server that lets nobody see its version was reached nevertheless.
            (403, Ok(_)) => Ok((None, date)),
            (401, _) => {
                let said = status_of(401, &bytes).message;
                let said = if said.is_empty() { "401 Unauthorized".to_owned() } else { said };
                Err((Stage::Authentication, said))
            }
            (200, Ok(version)) => Ok((version["gitVersion"].as_str().map(str::to_owned), date)),
            (code, _) => Err((Stage::Http, format!("it answers {code} to GET /version"))),
        }
    }
}

/// Says what of reaching the server failed.
pub(super) fn failure(error: &kube::Error) -> (Stage, String) {
    if let kube::Error::Auth(error) = error {
        return (Stage::Credentials, credentials::refusal(error));
    }
    let mut stage = Stage::Http;
    let mut current: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(found) = stage_of(error) {
            stage = found;
        }
        if stage == Stage::Proxy {
            break;
        }
        current = error.source();
    }
    (stage, root_cause(error))
}

/// Says of one link of a chain of errors what failed.
fn stage_of(error: &(dyn Error + 'static)) -> Option<Stage> {
    if error.downcast_ref::<rustls::Error>().is_some() {
        return Some(Stage::Tls);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        let inner = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
        return match error.kind() {
            _ if inner.and_then(stage_of) == Some(Stage::Tls) => Some(Stage::Tls),
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut => Some(Stage::Tcp),
            _ => inner.and_then(stage_of),
        };
    }
    let text = error.to_string();
    if text.contains("dns error") {
        Some(Stage::Name)
    } else if text.contains("tunnel error") || text.to_lowercase().contains("socks") {
        Some(Stage::Proxy)
    } else {
        None
    }
}
