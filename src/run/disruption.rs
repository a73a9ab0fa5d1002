//! Whether something took a pod away, or the block failed by itself (pure).

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::scheduler::Fault;

/// Reasons that the kubelet gives to the pod as a whole when it ends it for its own sake.
const BY_KUBELET: [&str; 7] =
    ["Evicted", "NodeAffinity", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated"];

/// Says how an attempt failed whose last pod this was.
pub(super) fn fault(pod: &Pod) -> Fault {
    if is_disrupted(pod) && !has_started(pod) { Fault::Unstarted } else { Fault::Own }
}

fn is_disrupted(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let condition = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True");
    condition || status.reason.as_deref().is_some_and(|reason| BY_KUBELET.contains(&reason))
}

/// Tells whether any container of the pod ever ran: what it did then may not bear being done twice.
fn has_started(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let started = |container: &ContainerStatus| {
        let state = container.state.as_ref();
        container.restart_count > 0
            || state.is_some_and(|state| state.running.is_some())
            || state
                .and_then(|state| state.terminated.as_ref())
                .is_some_and(|ended| ended.started_at.is_some())
            || container.last_state.as_ref().is_some_and(|last| last.terminated.is_some())
    };
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).any(started)
}

#[cfg(test)]
mod tests {
    use super::fault;
    use crate::run::scheduler::Fault;
    use serde_json::{Value, json};

    #[test]
    fn only_what_was_taken_away_before_it_began_is_no_fault_of_its_own() {
        let target = json!([{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]);
        let container = |state: &Value| json!([{"name": "mage", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
        let of = |status: Value| {
            fault(
                &serde_json::from_value(json!({"spec": {"containers": []}, "status": status}))
                    .unwrap(),
            )
        };
        let waiting = container(&json!({"waiting": {}}));
        let lost = container(&json!({"terminated": {"exitCode": 137, "startedAt": null}}));
        let ran = container(
            &json!({"terminated": {"exitCode": 137, "startedAt": "2026-01-01T00:00:00Z"}}),
        );
        for (status, expected) in [
            (json!({"conditions": target}), Fault::Unstarted),
            (json!({"conditions": target, "containerStatuses": waiting}), Fault::Unstarted),
            (json!({"conditions": target, "containerStatuses": lost}), Fault::Unstarted),
            (json!({"reason": "Evicted"}), Fault::Unstarted),
            (json!({"conditions": target, "containerStatuses": ran}), Fault::Own),
            (json!({"conditions": target, "initContainerStatuses": ran}), Fault::Own),
            (json!({"containerStatuses": lost}), Fault::Own),
            (json!({}), Fault::Own),
        ] {
            assert_eq!(of(status.clone()), expected, "{status}");
        }
    }
}
