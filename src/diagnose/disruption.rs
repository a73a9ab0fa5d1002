//! The pod was taken away: eviction, preemption, a lost node. None of it is the block's own fault,
//! a limit on disk apart.

use k8s_openapi::api::core::v1::{Event, Pod};

use super::cause::{Cause, fragment};

const AGAIN: &str = "it is not the block's fault: run it again";

/// Explains a pod that its status or its `DisruptionTarget` condition calls disrupted.
pub(super) fn disruption(pod: &Pod) -> Option<Cause> {
    let status = pod.status.as_ref()?;
    if let Some(reason) = status.reason.as_deref().filter(|reason| !reason.is_empty()) {
        return Some(disrupted(reason, status.message.as_deref().unwrap_or_default()));
    }
    let condition =
        status.conditions.iter().flatten().find(|condition| {
            condition.type_ == "DisruptionTarget" && condition.status == "True"
        })?;
    let reason = condition.reason.as_deref().unwrap_or("DisruptionTarget");
    Some(disrupted(reason, condition.message.as_deref().unwrap_or_default()))
}

/// Explains a pod that is gone, by what its events say of its end.
pub(super) fn disruption_by_events<'a>(events: impl Iterator<Item = &'a Event>) -> Option<Cause> {
    let known = ["Preempted", "Evicted", "TaintManagerEviction", "NodeNotReady", "NodeShutdown"];
    events
        .filter(|event| event.involved_object.kind.as_deref() == Some("Pod"))
        .filter(|event| event.reason.as_deref().is_some_and(|reason| known.contains(&reason)))
        .last()
        .map(|event| {
            disrupted(
                event.reason.as_deref().unwrap_or_default(),
                event.message.as_deref().unwrap_or_default(),
            )
        })
}

fn disrupted(reason: &str, message: &str) -> Cause {
    let message = fragment(message);
    let what = match reason {
        "Evicted" | "EvictionByEvictionAPI" | "TerminationByKubelet" => "was evicted from its node",
        "PreemptionByScheduler" | "Preempting" | "Preempted" => {
            "was preempted by a pod of higher priority"
        }
        "DeletionByTaintManager"
        | "DeletionByPodGC"
        | "NodeLost"
        | "TaintManagerEviction"
        | "NodeNotReady" => "lost its node",
        "DeadlineExceeded" => "took longer than its deadline",
        "Shutdown" | "Terminated" | "NodeShutdown" => "ended because its node shut down",
        _ => "failed",
    };
    let sentence = if message.is_empty() {
        format!("the pod {what}")
    } else {
        format!("the pod {what}: {message}")
    };
    Cause::new(reason, sentence).hint(remedy(reason, message))
}

fn remedy(reason: &str, message: &str) -> &'static str {
    if message.contains("EmptyDir") || message.contains("ephemeral") {
        return "raise the volume's size limit or resource_limits.ephemeral-storage, or write less to the node's disk";
    }
    if message.contains("low on resource: memory") {
        return "the node ran short of memory: ask for what the block needs with resource_requests.memory, then it is not the first to go";
    }
    match reason {
        "PreemptionByScheduler" | "Preempting" | "Preempted" => {
            "run it again when the cluster has room, or give it a priority with pod.priority_class_name"
        }
        "DeadlineExceeded" => "raise pod.active_deadline_seconds, or make the block faster",
        "DeletionByTaintManager" | "TaintManagerEviction" => {
            "it is not the block's fault: run it again; `kubectl describe node` tells what became of the node"
        }
        _ => AGAIN,
    }
}
