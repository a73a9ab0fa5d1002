//! The Lease of a run: who drives it, by the API server's clock alone.

use std::time::Duration;

use http::Request as HttpRequest;
use k8s_openapi::api::coordination::v1::Lease as Object;
use k8s_openapi::jiff::Timestamp;
use kube::api::{GetParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{Request, Status};
use serde_json::{Value, json};

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use super::labels;

/// Who holds a Lease, and since when nobody has heard of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The holder; none when it was given back.
    pub holder: Option<String>,
    /// How long after its last renewal it is good.
    pub duration: Duration,
    /// How long ago it was renewed: the time that the server noted then, against the server's
    /// time now. What the holder's own clock says is never looked at.
    pub age: Option<Duration>,
    /// Since when its holder has it, by the server's clock: its creation, or what whoever took it
    /// over noted of the server's time.
    pub since: Option<Timestamp>,
    /// The server's time when it was read.
    pub now: Option<Timestamp>,
    /// How often it changed hands.
    pub transitions: i32,
    /// What an update names, so that it fails when somebody else was faster.
    pub version: String,
}

/// Who drives a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Driving {
    /// It may not be seen, or nothing tells.
    #[default]
    Unknown,
    /// Nobody.
    Nobody,
    /// Somebody of whom a sign of life was seen.
    By {
        /// Who, as the Lease names them.
        holder: String,
        /// Since when, by the server's clock.
        since: Option<Timestamp>,
    },
}

impl Lease {
    /// Says who drives the run of the Lease.
    #[must_use]
    pub fn driving(&self) -> Driving {
        match self.driver() {
            Some(holder) => Driving::By { holder: holder.to_owned(), since: self.since },
            None => Driving::Nobody,
        }
    }

    /// Returns the holder, if the Lease is still good.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        let good = self.age.is_none_or(|age| age <= self.duration);
        self.holder.as_deref().filter(|_| good)
    }

    fn read(object: &Object, now: Option<Timestamp>) -> Self {
        let spec = object.spec.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let noted = object.metadata.managed_fields.iter().flatten();
        let renewed = noted.filter_map(|entry| Some(entry.time.as_ref()?.0)).max();
        let age = match (renewed, now) {
            (Some(renewed), Some(now)) => {
                Some(Duration::try_from(now.duration_since(renewed)).unwrap_or_default())
            }
            _ => None,
        };
        let transitions = spec.lease_transitions.unwrap_or(0);
        let since = match transitions {
            0 => object.metadata.creation_timestamp.as_ref().map(|time| time.0),
            _ => spec.acquire_time.as_ref().map(|time| time.0),
        };
        Self {
            namespace: object.metadata.namespace.clone().unwrap_or_default(),
            name: object.metadata.name.clone().unwrap_or_default(),
            since,
            now,
            holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
            duration: Duration::from_secs(seconds.unwrap_or(0)),
            age,
            transitions,
            version: object.metadata.resource_version.clone().unwrap_or_default(),
        }
    }
}

fn action(verb: &'static str, namespace: &str, name: &str) -> Action {
    Action {
        verb,
        resource: "leases",
        group: "coordination.k8s.io",
        object: if name.is_empty() { String::new() } else { format!("lease/{name}") },
        namespace: namespace.to_owned(),
    }
}

fn path(namespace: &str) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
}

impl Cluster {
    /// Reads a Lease; none when there is none of that name.
    pub async fn get_lease(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Lease>, ClusterError> {
        let action = action("get", namespace, name);
        let request =
            built(Request::new(path(namespace)).get(name, &GetParams::default()), &action)?;
        match self.lease(&action, request).await {
            Ok(lease) => Ok(Some(lease)),
            Err(ClusterError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the Leases that `selector` names, in one request. No namespace means all of them.
    pub async fn list_leases(
        &self,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Lease>, ClusterError> {
        let action = action("list", namespace.unwrap_or("(all)"), "");
        let everywhere = || "/apis/coordination.k8s.io/v1/leases".to_owned();
        let params = ListParams::default().labels(selector).match_any();
        let listing = Request::new(namespace.map_or_else(everywhere, path)).list(&params);
        let request = built(listing, &action)?;
        let (list, now): (k8s_openapi::List<Object>, _) =
            self.call_with_date(&action, request).await?;
        Ok(list.items.iter().map(|object| Lease::read(object, now)).collect())
    }

    /// Creates a Lease as given.
    pub async fn create_lease(
        &self,
        namespace: &str,
        name: &str,
        body: &Value,
    ) -> Result<Lease, ClusterError> {
        let action = action("create", namespace, name);
        let params =
            PostParams { field_manager: Some(labels::MANAGER.to_owned()), ..Default::default() };
        let bytes = body.to_string().into_bytes();
        let request = built(Request::new(path(namespace)).create(&params, bytes), &action)?;
        self.lease(&action, request).await
    }

    /// Changes a Lease, unless somebody has changed it since `version`.
    pub async fn update_lease(
        &self,
        namespace: &str,
        name: &str,
        version: &str,
        spec: &Value,
    ) -> Result<Lease, ClusterError> {
        let action = action("patch", namespace, name);
        let params = PatchParams {
            field_manager: Some(labels::MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let body = json!({"metadata": {"resourceVersion": version}, "spec": spec});
        let patch = Patch::Merge(&body);
        let request = built(Request::new(path(namespace)).patch(name, &params, &patch), &action)?;
        self.lease(&action, request).await
    }

    async fn lease(
        &self,
        action: &Action,
        request: HttpRequest<Vec<u8>>,
    ) -> Result<Lease, ClusterError> {
        let (object, now) = self.call_with_date::<Object>(action, request).await?;
        Ok(Lease::read(&object, now))
    }
}

/// Reads an answer of the API server.
pub(super) fn status_of(code: u16, body: &[u8]) -> Status {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(body);
        Status::failure(text.lines().next().unwrap_or_default(), "").with_code(code)
    })
}

#[cfg(test)]
mod tests {
    use super::{Driving, Lease};
    use serde_json::json;
    use std::time::Duration;

    fn lease(holder: Option<&str>, now: &str) -> Lease {
        let object = serde_json::from_value(json!({
            "metadata": {
                "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z",
                "managedFields": [{"time": "2026-01-01T00:00:00Z"}, {"time": "2026-01-01T00:00:10Z"}]
            },
            "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": 15,
                // A clock that is an hour wrong.
                "renewTime": "2026-01-01T01:00:00.000000Z"
            }
        }));
        Lease::read(&object.unwrap(), Some(now.parse().unwrap()))
    }

    #[test]
    fn the_servers_clock_decides_who_drives() {
        let fresh = lease(Some("me"), "2026-01-01T00:00:25Z");
        assert_eq!(fresh.age, Some(Duration::from_secs(15)));
        assert_eq!(fresh.driver(), Some("me"));
        assert_eq!(lease(Some("me"), "2026-01-01T00:00:26Z").driver(), None);
        assert_eq!(lease(None, "2026-01-01T00:00:11Z").driver(), None);
        assert_eq!(lease(Some("me"), "2026-01-01T00:00:00Z").driver(), Some("me"));
        let since = fresh.since.map(|since| since.to_string());
        assert_eq!(since.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(fresh.driving(), Driving::By { holder: "me".to_owned(), since: fresh.since });
        assert_eq!(lease(None, "2026-01-01T00:00:11Z").driving(), Driving::Nobody);
    }
}
