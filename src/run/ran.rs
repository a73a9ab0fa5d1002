//! How long a block has run before it was seen to run, by the server's clock alone (pure).

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerState, Pod};
use k8s_openapi::jiff::Timestamp;

use crate::cluster::{container_status, main_container};

/// Returns how long ago the first container of these pods of a Job began. A node's clock may be
/// wrong, but no container is older than its Job.
pub(super) fn ran<'a>(job: &Job, pods: impl Iterator<Item = &'a Pod>, now: Timestamp) -> Duration {
    let ago = |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
    let created = job.metadata.creation_timestamp.as_ref().map(|at| ago(at.0));
    let began = pods.filter_map(began).min().map(ago);
    began.zip(created).map_or(Duration::ZERO, |(began, created)| began.min(created))
}

/// Returns when the container of a pod that runs Mage began first, as far as its status tells.
fn began(pod: &Pod) -> Option<Timestamp> {
    let status = container_status(pod, &main_container(pod)?)?;
    let of = |state: &ContainerState| {
        let running = state.running.as_ref().and_then(|running| running.started_at.as_ref());
        let ended = state.terminated.as_ref().and_then(|ended| ended.started_at.as_ref());
        running.or(ended).map(|at| at.0)
    };
    [&status.last_state, &status.state].into_iter().flatten().filter_map(of).min()
}

#[cfg(test)]
mod tests {
    use super::ran;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "p"}, "spec": {"containers": [{"name": "mage"}]},
            "status": {"containerStatuses": [status]},
        }))
        .unwrap()
    }

    fn status(state: &Value, last: &Value) -> Value {
        json!({"name": "mage", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
            "state": state, "lastState": last})
    }

    #[test]
    fn the_first_container_of_a_job_counts_and_a_wrong_clock_does_not() {
        let at = |seconds: u32| json!(format!("2026-01-01T00:00:{seconds:02}Z"));
        let job = serde_json::from_value(json!({"metadata": {"creationTimestamp": at(10)}}));
        let job = job.unwrap();
        let now = "2026-01-01T00:00:50Z".parse().unwrap();
        let seconds = |pods: &[Pod]| ran(&job, pods.iter(), now).as_secs();
        let running = |seconds| json!({"running": {"startedAt": at(seconds)}});
        let ended = |seconds| json!({"terminated": {"exitCode": 1, "startedAt": at(seconds)}});
        let none = json!({});
        assert_eq!(seconds(&[]), 0);
        assert_eq!(seconds(&[pod(&status(&json!({"waiting": {}}), &none))]), 0);
        assert_eq!(seconds(&[pod(&status(&running(20), &none))]), 30);
        // One that was started again, and one whose place another pod took.
        assert_eq!(seconds(&[pod(&status(&running(40), &ended(15)))]), 35);
        let all = [pod(&status(&running(40), &none)), pod(&status(&ended(12), &none))];
        assert_eq!(seconds(&all), 38);
        // A node that is behind, and one that is ahead.
        assert_eq!(seconds(&[pod(&status(&running(1), &none))]), 40);
        assert_eq!(seconds(&[pod(&status(&running(59), &none))]), 0);
    }
}
