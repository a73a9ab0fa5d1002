//! Why a pod or a Job died.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use crate::cluster::{JobState, container_status, job_state, main_container};
use crate::logs::last_error_line;

/// Why something failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// One word: `OOMKilled`, `Error`, `DeadlineExceeded`, …
    pub reason: String,
    /// One sentence without a final stop.
    pub sentence: String,
    /// The container's exit code, if it has one.
    pub exit_code: Option<i32>,
    /// The next step, if there is an obvious one.
    pub hint: Option<String>,
}

/// Says why a Job failed, by its conditions, its last pod and the end of its log.
#[must_use]
pub fn job_failure(job: &Job, pods: &[&Pod], tail: &[String]) -> Cause {
    let (reason, message) = match job_state(job) {
        JobState::Failed { reason, message } => (reason, message),
        _ => (String::new(), String::new()),
    };
    let death = pods.iter().rev().find_map(|pod| pod_death(pod));
    if reason == "DeadlineExceeded" {
        let limit = job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
        let limit = limit.map(|s| format!(" (activeDeadlineSeconds: {s})")).unwrap_or_default();
        return Cause {
            reason,
            sentence: format!("took longer than its deadline{limit}"),
            exit_code: None,
            hint: Some("raise job.active_deadline_seconds, or make the block faster".to_owned()),
        };
    }
    let mut cause = death.unwrap_or_else(|| Cause {
        reason: if reason.is_empty() { "Failed".to_owned() } else { reason.clone() },
        sentence: if message.is_empty() { "failed, nobody says why".to_owned() } else { message },
        exit_code: None,
        hint: None,
    });
    if cause.exit_code.is_some()
        && cause.reason == "Error"
        && let Some(error) = last_error_line(tail)
    {
        cause.sentence = format!("{error} ({})", cause.sentence);
    }
    let attempts = pods.len();
    if reason == "BackoffLimitExceeded" && attempts > 1 {
        cause.sentence = format!("{}, in the last of {attempts} attempts", cause.sentence);
    }
    cause
}

/// Says why a pod failed, if it did.
#[must_use]
pub fn pod_death(pod: &Pod) -> Option<Cause> {
    let status = pod.status.as_ref()?;
    let main = main_container(pod).unwrap_or_default();
    if let Some(reason) = status.reason.as_deref().filter(|reason| !reason.is_empty()) {
        let message = status.message.clone().unwrap_or_default();
        return Some(pod_reason(reason, &message));
    }
    let disruption = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True");
    if let Some(condition) = disruption {
        let reason = condition.reason.clone().unwrap_or_else(|| "DisruptionTarget".to_owned());
        return Some(pod_reason(&reason, condition.message.as_deref().unwrap_or_default()));
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
    (status.phase.as_deref() == Some("Failed")).then(|| Cause {
        reason: "Failed".to_owned(),
        sentence: "the pod failed, and no container says why".to_owned(),
        exit_code: None,
        hint: None,
    })
}

fn pod_reason(reason: &str, message: &str) -> Cause {
    let what = match reason {
        "Evicted" | "EvictionByEvictionAPI" | "TerminationByKubelet" => "was evicted from its node",
        "PreemptionByScheduler" | "Preempting" => "was preempted by a pod of higher priority",
        "DeletionByTaintManager" | "DeletionByPodGC" | "NodeLost" => "lost its node",
        "DeadlineExceeded" => "took longer than its deadline",
        "Shutdown" | "Terminated" | "NodeShutdown" => "ended because its node shut down",
        _ => "failed",
    };
    let message = message.trim().trim_end_matches('.');
    Cause {
        reason: reason.to_owned(),
        sentence: if message.is_empty() {
            format!("the pod {what}")
        } else {
            format!("the pod {what}: {message}")
        },
        exit_code: None,
        hint: None,
    }
}

fn terminated(
    pod: &Pod,
    container: &ContainerStatus,
    ended: &ContainerStateTerminated,
    kind: &str,
) -> Cause {
    let name = if kind.is_empty() { String::new() } else { format!("{kind}{} ", container.name) };
    let code = ended.exit_code;
    let reason = ended.reason.clone().unwrap_or_else(|| "Error".to_owned());
    if reason == "OOMKilled" {
        let limit = memory_limit(pod, &container.name);
        let limit = match &limit {
            Some(limit) => format!("its memory limit of {limit}"),
            None => "the memory there is (it has no limit of its own)".to_owned(),
        };
        let child = if code == 0 { "a process of it " } else { "" };
        return Cause {
            reason,
            sentence: format!("{name}{child}was killed for using more than {limit}"),
            exit_code: Some(code),
            hint: Some(
                "raise resource_limits.memory of the block, or read the data in parts".to_owned(),
            ),
        };
    }
    let message = ended.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
    let mut sentence = match signal_name(code) {
        Some(signal) => format!("{name}was ended by {signal}, exit code {code}"),
        None => format!("{name}ended with exit code {code}"),
    };
    if !matches!(reason.as_str(), "Error" | "Completed") {
        sentence = format!("{sentence} ({reason})");
    }
    if let Some(message) = message {
        let first = message.lines().last().unwrap_or_default();
        sentence = format!("{sentence}: {first}");
    }
    let hint = match code {
        126 => Some("the command cannot be executed: see its permissions".to_owned()),
        127 => Some("the command is not in the image: see the image and the command".to_owned()),
        _ => None,
    };
    Cause { reason, sentence, exit_code: Some(code), hint }
}

fn memory_limit(pod: &Pod, container: &str) -> Option<String> {
    let containers = &pod.spec.as_ref()?.containers;
    let container = containers.iter().find(|c| c.name == container)?;
    Some(container.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

/// Names the signal an exit code above 128 stands for.
fn signal_name(code: i32) -> Option<&'static str> {
    Some(match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        141 => "SIGPIPE",
        143 => "SIGTERM",
        _ => return None,
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
