//! Events about one object: where a Job's missing pod is explained.

use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use kube::core::Request;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFacts {
    /// `FailedCreate`, `FailedScheduling`, …
    pub reason: String,
    /// The words of who reported it.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
}

impl From<&Event> for EventFacts {
    fn from(event: &Event) -> Self {
        Self {
            reason: event.reason.clone().unwrap_or_default(),
            message: event.message.clone().unwrap_or_default(),
            warning: event.type_.as_deref() == Some("Warning"),
        }
    }
}

pub(super) fn action(verb: &'static str, namespace: &str) -> Action {
    Action {
        verb,
        resource: "events",
        group: "",
        object: String::new(),
        namespace: namespace.to_owned(),
    }
}

pub(super) fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/events")
}

impl Cluster {
    /// Lists the events that `fields` names; all of the namespace where it is empty.
    pub async fn list_events(
        &self,
        namespace: &str,
        fields: &str,
    ) -> Result<Vec<Event>, ClusterError> {
        let action = action("list", namespace);
        let mut params = ListParams::default();
        if !fields.is_empty() {
            params = params.fields(fields);
        }
        let request = built(Request::new(path(namespace)).list(&params), &action)?;
        let list: k8s_openapi::List<Event> = self.call(&action, request).await?;
        Ok(list.items)
    }

    /// Lists the reasons of all events about Jobs that are still remembered, with the Jobs' names.
    pub async fn job_events(&self, namespace: &str) -> Result<Vec<(String, String)>, ClusterError> {
        let action = action("list", namespace);
        let params = ListParams::default().fields("involvedObject.kind=Job");
        let request = built(Request::new(path(namespace)).list(&params), &action)?;
        let list: k8s_openapi::List<Event> = self.call(&action, request).await?;
        let of = |event: Event| Some((event.involved_object.name?, event.reason?));
        Ok(list.items.into_iter().filter_map(of).collect())
    }
}
