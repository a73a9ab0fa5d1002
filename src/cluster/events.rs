//! Events about one object: where a Job's missing pod is explained.

use k8s_openapi::api::core::v1::Event;

use super::error::Action;

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
