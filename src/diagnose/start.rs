//! Why something does not start, in plain words with a remedy.

use k8s_openapi::api::core::v1::Pod;

use super::admission::admission;
use super::cause::Cause;
use super::container_start::container_start;
use super::image::image;
use super::pending::{Pending, PendingKind};
use super::sandbox::sandbox;
use super::scheduling::scheduling;

/// Explains what keeps a block from its start; `pod` is the one that waits, if there is one.
#[must_use]
pub fn start_cause(pending: &Pending, pod: Option<&Pod>) -> Cause {
    let Pending { kind, reason, message } = pending;
    match kind {
        PendingKind::Scheduling => scheduling(reason, message, pod),
        PendingKind::Image | PendingKind::Hopeless if is_about_image(reason) => {
            image(reason, message, &pod.map(|pod| waiting_image(pod, reason)).unwrap_or_default())
        }
        PendingKind::Image | PendingKind::Hopeless => container_start(reason, message),
        PendingKind::Sandbox => sandbox(reason, message),
        PendingKind::NoPod if reason == "Suspended" => Cause::new(
            reason.clone(),
            "the Job is suspended: it makes no pod until somebody resumes it",
        )
        .hint("a queue may hold it (`kubectl get workloads`); else resume it: `kubectl patch job NAME -p '{\"spec\":{\"suspend\":false}}'`"),
        PendingKind::NoPod => admission(reason, message),
        PendingKind::Preparing => {
            let what = if message.is_empty() { String::new() } else { format!(": {message}") };
            Cause::new(reason.clone(), format!("the node prepares the pod ({reason}){what}"))
                .hint("wait: nothing is known to be wrong")
        }
    }
}

fn is_about_image(reason: &str) -> bool {
    ["Image", "Registry", "Signature"].iter().any(|word| reason.contains(word))
}

/// Returns the image of the container that waits for this reason.
fn waiting_image(pod: &Pod, reason: &str) -> String {
    let statuses = pod.status.iter().flat_map(|status| {
        let init = status.init_container_statuses.iter().flatten();
        init.chain(status.container_statuses.iter().flatten())
    });
    let waits = |status: &&k8s_openapi::api::core::v1::ContainerStatus| {
        let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting.and_then(|waiting| waiting.reason.as_deref()) == Some(reason)
    };
    statuses.into_iter().find(waits).map(|status| status.image.clone()).unwrap_or_default()
}
