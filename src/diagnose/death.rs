//! Why a pod or a Job died.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::cause::Cause;
use super::disruption::disruption;
use super::exit_code::terminated;
use super::memory::killed_child;
use super::traceback::traceback;
use crate::cluster::{BLOCK, JobState, container_status, job_state, main_container};

/// Says why a Job failed, by its conditions, its last pod and the end of its log.
#[must_use]
pub fn job_failure(job: &Job, pods: &[&Pod], tail: &[String]) -> Cause {
    let (reason, message) = match job_state(job) {
        JobState::Failed { reason, message } => (reason, message),
        _ => (String::new(), String::new()),
    };
    if reason == "DeadlineExceeded" {
        return deadline(job);
    }
    let died = pods.iter().rev().find_map(|pod| Some((*pod, pod_death(pod)?)));
    let mut cause = match died {
        Some((pod, death)) => with_log(pod, death, tail),
        None => no_pod_says(&reason, &message),
    };
    let attempts = pods.len();
    if reason == "BackoffLimitExceeded" && attempts > 1 {
        cause.sentence = format!("{}, in the last of {attempts} attempts", cause.sentence);
    }
    cause
}

fn deadline(job: &Job) -> Cause {
    let limit = job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
    let limit = limit.map(|s| format!(" (activeDeadlineSeconds: {s})")).unwrap_or_default();
    Cause::new("DeadlineExceeded", format!("took longer than its deadline{limit}"))
        .hint("raise job.active_deadline_seconds, or make the block faster")
}

/// What Mage's users see of it is only this.
fn no_pod_says(reason: &str, message: &str) -> Cause {
    let reason = if reason.is_empty() { "Failed" } else { reason };
    let sentence = if message.is_empty() { "failed, nobody says why" } else { message };
    Cause::new(reason, sentence)
}

/// Says what the log of a pod that ended with an exit code of its own tells.
pub(super) fn with_log(pod: &Pod, mut cause: Cause, tail: &[String]) -> Cause {
    let Some(code) = cause.exit_code.filter(|_| cause.reason == "Error") else { return cause };
    let main = main_container(pod).unwrap_or_default();
    if let Some(killed) = killed_child(pod, &main, code, tail) {
        return killed;
    }
    if let Some(found) = traceback(tail) {
        cause.sentence = format!("{} ({})", found.exception, cause.sentence);
        let annotations = pod.metadata.annotations.as_ref();
        let block = annotations.and_then(|all| all.get(BLOCK)).map(String::as_str);
        cause.hint = found.remedy(block).or(cause.hint);
    }
    cause
}

/// Says why a pod failed, if it did, by the end of its log too.
#[must_use]
pub fn pod_death_with_log(pod: &Pod, tail: &[String]) -> Option<Cause> {
    pod_death(pod).map(|death| with_log(pod, death, tail))
}

/// Says why a pod failed, if it did.
#[must_use]
pub fn pod_death(pod: &Pod) -> Option<Cause> {
    let status = pod.status.as_ref()?;
    let main = main_container(pod).unwrap_or_default();
    if let Some(cause) = disruption(pod) {
        return Some(cause);
    }
    let init = status.init_container_statuses.iter().flatten().find_map(|container| {
        let ended = container.state.as_ref()?.terminated.as_ref()?;
        (ended.exit_code != 0).then(|| terminated(pod, container, ended, "init container "))
    });
    if init.is_some() {
        return init;
    }
    let of_main = container_status(pod, &main).and_then(|container| {
        let state = container.state.as_ref().and_then(|state| state.terminated.as_ref());
        let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        let ended = state.or(last)?;
        let killed = ended.reason.as_deref() == Some("OOMKilled");
        // A killed child leaves its container at exit 0, and the reason tells.
        (ended.exit_code != 0 || killed).then(|| terminated(pod, container, ended, ""))
    });
    if of_main.is_some() {
        return of_main;
    }
    (status.phase.as_deref() == Some("Failed")).then(|| {
        Cause::new("Failed", "the pod failed, and no container says why")
            .hint("see `kubectl describe pod`, and the node's own logs")
    })
}

#[cfg(test)]
mod tests {
    use super::job_failure;
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn job(reason: &str) -> Job {
        serde_json::from_value(json!({
            "spec": {"template": {}, "activeDeadlineSeconds": 60},
            "status": {"conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "Job has reached the specified backoff limit"}]}
        }))
        .unwrap()
    }

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({
            "spec": {"containers": [{"name": "mage", "resources": {"limits": {"memory": "64Mi"}}}]},
            "status": status
        }))
        .unwrap()
    }

    fn ended(code: i32, reason: &str) -> Value {
        json!({"phase": "Failed", "containerStatuses": [{
            "name": "mage", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": code, "reason": reason}}
        }]})
    }

    #[test]
    fn one_sentence_each() {
        let sentence = |reason: &str, pods: &[Pod], tail: &[&str]| {
            let pods: Vec<&Pod> = pods.iter().collect();
            let tail: Vec<String> = tail.iter().map(|line| (*line).to_owned()).collect();
            job_failure(&job(reason), &pods, &tail).sentence
        };
        let limit = "BackoffLimitExceeded";
        let all = [
            sentence(
                limit,
                &[pod(&ended(1, "Error"))],
                &["Traceback (most recent call last):", "  File", "ValueError: no rows"],
            ),
            sentence(limit, &[pod(&ended(1, "Error")), pod(&ended(3, "Error"))], &[]),
            sentence(limit, &[pod(&ended(137, "OOMKilled"))], &[]),
            sentence(limit, &[pod(&ended(0, "OOMKilled"))], &[]),
            sentence(limit, &[pod(&ended(143, "Error"))], &[]),
            sentence(limit, &[pod(&ended(128, "StartError"))], &[]),
            sentence(
                limit,
                &[pod(
                    &json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
                )],
                &[],
            ),
            sentence(limit, &[], &[]),
            sentence("DeadlineExceeded", &[], &[]),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        ValueError: no rows (ended with exit code 1)
        ended with exit code 3, in the last of 2 attempts
        was killed for using more than its memory limit of 64Mi
        a process of it was killed for using more than its memory limit of 64Mi
        was ended by SIGTERM, exit code 143
        ended with exit code 128 (StartError)
        the pod was evicted from its node: The node was low on resource: memory
        Job has reached the specified backoff limit
        took longer than its deadline (activeDeadlineSeconds: 60)
        ");
    }
}
