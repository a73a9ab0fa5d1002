//! Why a pod has not started yet.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::start::start_cause;

/// What kind of obstacle it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingKind {
    /// No node takes it, or nobody has decided yet.
    Scheduling,
    /// The image, a Secret or a ConfigMap: the pod as written cannot start, now.
    Image,
    /// It never will: the image's name is no name.
    Hopeless,
    /// A volume or the network is not there, yet.
    Sandbox,
    /// Nothing is wrong; it is being prepared.
    Preparing,
    /// The Job has no pod: a quota, a webhook, a queue.
    NoPod,
}

/// Why something has not started yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What kind of obstacle.
    pub kind: PendingKind,
    /// Kubernetes' word: `Unschedulable`, `ImagePullBackOff`, …
    pub reason: String,
    /// Kubernetes' sentence.
    pub message: String,
}

/// Says what a warning about a pod means for its start, if anything: its status does not tell what
/// keeps volumes and the network from it.
#[must_use]
pub fn pending_by_event(reason: &str, message: &str) -> Option<Pending> {
    let reasons =
        ["FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox"];
    reasons.contains(&reason).then(|| Pending {
        kind: PendingKind::Sandbox,
        reason: reason.to_owned(),
        message: message.to_owned(),
    })
}

/// Says what to do about it.
#[must_use]
pub fn pending_hint(pending: &Pending) -> String {
    let remedy = start_cause(pending, None).hint.unwrap_or_default();
    if pending.kind == PendingKind::Preparing {
        return "raise --pending-timeout if it only needs longer".to_owned();
    }
    remedy
}

/// Says why the pod has not started, if it has not.
#[must_use]
pub fn pending(pod: &Pod) -> Option<Pending> {
    let status = pod.status.as_ref()?;
    if !matches!(status.phase.as_deref(), None | Some("Pending" | "")) {
        return None;
    }
    let waiting = status
        .init_container_statuses
        .iter()
        .flatten()
        .chain(status.container_statuses.iter().flatten())
        .filter_map(waiting)
        .max_by_key(|pending| pending.kind != PendingKind::Preparing);
    if let Some(waiting) = &waiting
        && waiting.kind != PendingKind::Preparing
    {
        return Some(waiting.clone());
    }
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    if let Some(condition) = unscheduled {
        return Some(Pending {
            kind: PendingKind::Scheduling,
            reason: condition.reason.clone().unwrap_or_else(|| "Unschedulable".to_owned()),
            message: condition.message.clone().unwrap_or_default(),
        });
    }
    waiting
}

fn waiting(status: &ContainerStatus) -> Option<Pending> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.clone().unwrap_or_default();
    let kind = match reason.as_str() {
        "InvalidImageName" => PendingKind::Hopeless,
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed"
        | "CreateContainerConfigError"
        | "CreateContainerError"
        | "RunContainerError" => PendingKind::Image,
        _ => PendingKind::Preparing,
    };
    let message = waiting.message.clone().unwrap_or_default();
    let message = match kind {
        PendingKind::Preparing => message,
        _ if message.is_empty() => format!("image {}", status.image),
        // The kubelet's back-off message does not say why; the image at least is a fact.
        _ if reason == "ImagePullBackOff" && !message.contains(&status.image) => {
            format!("image {}: {message}", status.image)
        }
        _ => message,
    };
    Some(Pending { kind, reason, message })
}

#[cfg(test)]
mod tests {
    use super::{PendingKind, pending, pending_by_event, pending_hint};
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn of(status: &Value) -> Option<(PendingKind, String, String)> {
        let pod: Pod = serde_json::from_value(json!({"status": status})).unwrap();
        pending(&pod).map(|p| (p.kind, p.reason, p.message))
    }

    fn container(reason: &str, message: &str) -> Value {
        json!({"phase": "Pending", "containerStatuses": [{
            "name": "c", "image": "reg/x:1", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}}
        }]})
    }

    #[test]
    fn names_the_obstacle() {
        let unschedulable = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
        ]});
        let (kind, reason, message) = of(&unschedulable).unwrap();
        assert_eq!(kind, PendingKind::Scheduling);
        assert_eq!(
            (reason.as_str(), message.as_str()),
            ("Unschedulable", "0/1 nodes are available")
        );
        assert_eq!(
            of(&container("ImagePullBackOff", "Back-off")).unwrap().2,
            "image reg/x:1: Back-off"
        );
        assert_eq!(of(&container("InvalidImageName", "bad")).unwrap().0, PendingKind::Hopeless);
        assert_eq!(
            of(&container("CreateContainerConfigError", "secret \"s\" not found")).unwrap().0,
            PendingKind::Image
        );
        assert_eq!(of(&container("ContainerCreating", "")).unwrap().0, PendingKind::Preparing);
        assert_eq!(of(&json!({"phase": "Running"})), None);
    }
    #[test]
    fn only_some_events_keep_a_pod_from_its_start() {
        let missing = pending_by_event("FailedMount", "configmap \"c\" not found").unwrap();
        assert!(pending_hint(&missing).starts_with("create it"));
        assert!(pending_by_event("FailedAttachVolume", "still attached elsewhere").is_some());
        assert_eq!(pending_by_event("Unhealthy", "probe failed"), None);
    }
}
