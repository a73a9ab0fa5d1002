//! Everything that is known of one Job, as one cause, one remedy, and what can no longer be known.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::Timestamp;

use super::admission::admission;
use super::cause::{Cause, between};
use super::container_start::container_start;
use super::death::{job_failure, pod_death, with_log};
use super::disruption::{disruption, disruption_by_events};
use super::image::image;
use super::pending::{Pending, PendingKind, pending, pending_by_event};
use super::scheduling::scheduling;
use super::standing::{Standing, standing};
use super::start::start_cause;
use super::traceback::traceback;

/// What could be read of one Job.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// The Job, if it is there and may be read.
    pub job: Option<&'a Job>,
    /// Its pods that are still there, the oldest first.
    pub pods: Vec<&'a Pod>,
    /// The events of the Job and its pods, the oldest first.
    pub events: Vec<&'a Event>,
    /// The last lines of its last pod, or of Mage's own log where all else is gone, readable.
    pub lines: &'a [String],
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// How it stands.
    pub standing: Standing,
    /// Why it failed, or what keeps it from its start; none where nothing is wrong.
    pub cause: Option<Cause>,
    /// Why its earlier pods died, with their names.
    pub earlier: Vec<(String, Cause)>,
    /// What can no longer be known, a sentence each.
    pub unknown: Vec<String>,
}

/// Tells what became of a Job.
#[must_use]
pub fn story(facts: &Facts<'_>) -> Story {
    let standing = standing(facts.job, &facts.pods);
    let mut unknown = Vec::new();
    let cause = match standing {
        Standing::Failed => Some(failure(facts, &mut unknown)),
        Standing::Complete => facts.pods.iter().rev().find_map(|pod| pod_death(pod)).map(|cause| {
            let hint = "the Job is complete all the same: what the block wrote may not be";
            let hint =
                cause.hint.as_ref().map_or(hint.to_owned(), |more| format!("{hint}; {more}"));
            cause.hint(hint)
        }),
        Standing::Suspended => Some(start_cause(
            &Pending {
                kind: PendingKind::NoPod,
                reason: "Suspended".to_owned(),
                message: String::new(),
            },
            None,
        )),
        Standing::NoPod => no_pod(facts, &mut unknown),
        Standing::Pending => waiting(facts),
        Standing::Running | Standing::Deleting => facts.pods.last().and_then(|pod| disruption(pod)),
        Standing::Gone => Some(gone_with_log(facts, &mut unknown)),
    };
    if cause.as_ref().is_some_and(|cause| cause.reason == "OOMKilled") {
        unknown.push("how much memory it wanted: Kubernetes does not record the peak".to_owned());
    }
    Story { standing, cause, earlier: earlier(facts), unknown }
}

/// Explains the pods before the last.
fn earlier(facts: &Facts<'_>) -> Vec<(String, Cause)> {
    let count = facts.pods.len().saturating_sub(1);
    let name = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
    facts.pods[..count].iter().filter_map(|pod| Some((name(pod), pod_death(pod)?))).collect()
}

fn failure(facts: &Facts<'_>, unknown: &mut Vec<String>) -> Cause {
    let cause = match facts.job {
        Some(job) => job_failure(job, &facts.pods, facts.lines),
        None => match facts.pods.last().and_then(|pod| Some((*pod, pod_death(pod)?))) {
            Some((pod, death)) => with_log(pod, death, facts.lines),
            None => Cause::new("Failed", "failed, nobody says why"),
        },
    };
    if facts.pods.is_empty() {
        unknown.push("its exit code and its log: its pods are gone".to_owned());
    }
    if cause.reason == "DeadlineExceeded" {
        return match never_started(facts) {
            Some(why) => Cause {
                hint: why.hint,
                sentence: format!("{}, and never started: {}", cause.sentence, why.sentence),
                ..cause
            },
            None => cause,
        };
    }
    if facts.pods.is_empty() { without_pod(facts, cause) } else { cause }
}

/// Explains a Job that failed and whose pods are gone.
fn without_pod(facts: &Facts<'_>, cause: Cause) -> Cause {
    if let Some(disrupted) = disruption_by_events(facts.events.iter().copied()) {
        return disrupted;
    }
    let last = |reason: &str| facts.events.iter().rev().find(|event| is(event, reason));
    if let Some(killing) = last("Killing").filter(|_| last("SuccessfulDelete").is_none()) {
        let pod = killing.involved_object.name.as_deref().unwrap_or("its pod");
        return Cause::new(
            "PodDeleted",
            format!("pod/{pod} was stopped and deleted from outside: evicted, drained from its node or deleted by hand"),
        )
        .hint("it is not the block's fault: run it again; the audit log of the cluster knows who did it");
    }
    if let Some(why) = never_started(facts) {
        return Cause {
            sentence: format!("{}: {}", cause.sentence, why.sentence),
            hint: why.hint,
            ..cause
        };
    }
    cause.hint("its pods are gone, and their logs with them: run it again to see it fail")
}

/// Explains by events why no container ever started; none where one did, or nothing tells.
fn never_started(facts: &Facts<'_>) -> Option<Cause> {
    if facts.events.iter().any(|event| is(event, "Started")) {
        return None;
    }
    facts.events.iter().rev().find_map(|event| start_event(event))
}

/// Reads an event that keeps a Job or a pod from its start.
fn start_event(event: &Event) -> Option<Cause> {
    let reason = event.reason.as_deref()?;
    let message = event.message.as_deref().unwrap_or_default();
    match reason {
        "FailedCreate" => Some(admission(reason, message)),
        "FailedScheduling" => Some(scheduling("Unschedulable", message, None)),
        "Failed" if message.starts_with("Failed to pull image") => {
            let name = between(message, "image \"", "\"").unwrap_or_default();
            Some(image("ErrImagePull", message, name))
        }
        "Failed" => {
            let message = message.strip_prefix("Error: ")?;
            let known =
                ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"];
            (!known.contains(&message)).then(|| container_start("CreateContainerError", message))
        }
        _ => Some(start_cause(&pending_by_event(reason, message)?, None)),
    }
}

fn no_pod(facts: &Facts<'_>, unknown: &mut Vec<String>) -> Option<Cause> {
    let refused = facts.events.iter().rev().find(|event| is(event, "FailedCreate"));
    if let Some(event) = refused {
        return Some(admission("FailedCreate", event.message.as_deref().unwrap_or_default()));
    }
    let made = facts.events.iter().any(|event| is(event, "SuccessfulCreate"));
    if !made {
        unknown.push("why it has no pod, if it is older than a moment: no event tells".to_owned());
    }
    None
}

/// Explains a pod that waits: its status first, then what only events tell.
fn waiting(facts: &Facts<'_>) -> Option<Cause> {
    if let Some(cause) = facts.pods.last().and_then(|pod| disruption(pod)) {
        return Some(cause);
    }
    let pod = facts.pods.iter().rev().find(|pod| pending(pod).is_some()).copied()?;
    let obstacle = pending(pod)?;
    if obstacle.kind == PendingKind::Preparing {
        let told = facts.events.iter().rev().find_map(|event| {
            pending_by_event(event.reason.as_deref()?, event.message.as_deref().unwrap_or_default())
        });
        return Some(start_cause(&told.unwrap_or(obstacle), Some(pod)));
    }
    let cause = start_cause(&obstacle, Some(pod));
    if obstacle.kind == PendingKind::Scheduling
        && facts.events.iter().any(|event| is(event, "TriggeredScaleUp"))
    {
        return Some(cause.hint("wait: the autoscaler is adding a node"));
    }
    Some(cause)
}

/// Says what events and Mage's own log remember of a Job that is gone.
fn gone_with_log(facts: &Facts<'_>, unknown: &mut Vec<String>) -> Cause {
    let what = if facts.lines.is_empty() {
        "its exit code, its conditions and its log"
    } else {
        "its exit code and its conditions"
    };
    unknown.push(format!("{what}: the Job and its pods are gone"));
    let cause = gone(facts);
    let Some(found) = traceback(facts.lines).filter(|_| cause.reason != "Completed") else {
        return cause;
    };
    let hint = found.remedy(None).unwrap_or_else(|| "see the end of Mage's own log".to_owned());
    let hint = Some(hint);
    if cause.reason == "BackoffLimitExceeded" {
        let sentence = format!("failed and was deleted: {}", found.exception);
        return Cause { sentence, hint, ..cause };
    }
    let sentence = format!("{}; Mage's own log ends with {}", cause.sentence, found.exception);
    Cause { sentence, hint, ..cause }
}

fn gone(facts: &Facts<'_>) -> Cause {
    let last = |reasons: &[&str]| {
        facts
            .events
            .iter()
            .rev()
            .copied()
            .find(|event| reasons.iter().any(|reason| is(event, reason)))
    };
    if facts.events.is_empty() {
        return Cause::new("Gone", "there is neither the Job nor a pod of it, and no event remembers it")
            .hint("see whether the name and the namespace are right; the API server forgets events after an hour");
    }
    if let Some(end) = last(&["DeadlineExceeded", "BackoffLimitExceeded"]) {
        let reason = end.reason.clone().unwrap_or_default();
        let message = end.message.clone().unwrap_or_default();
        let known = Cause::new(reason, message.trim_end_matches('.'));
        let failed = if known.reason == "DeadlineExceeded" {
            known.hint("raise job.active_deadline_seconds, or make the block faster")
        } else {
            without_pod(facts, known)
        };
        return Cause {
            sentence: format!("failed and was deleted: {}", failed.sentence),
            ..failed
        };
    }
    if let Some(done) = last(&["Completed"]) {
        let reason = done.reason.clone().unwrap_or_default();
        return Cause::new(reason, "was complete, and was deleted then")
            .hint("nothing is wrong with it");
    }
    let why = disruption_by_events(facts.events.iter().copied()).or_else(|| never_started(facts));
    match why {
        Some(why) => Cause { sentence: format!("was deleted before it ended; {}", why.sentence), ..why },
        None => Cause::new("JobDeleted", "was deleted before any event told of its end")
            .hint("the Mage server deletes a Job some seconds after its end: its own log of the block tells more"),
    }
}

fn is(event: &Event, reason: &str) -> bool {
    event.reason.as_deref() == Some(reason)
}

/// Returns when an event was seen last.
#[must_use]
pub fn seen_at(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    series
        .map(|time| time.0)
        .or_else(|| event.last_timestamp.as_ref().map(|time| time.0))
        .or_else(|| event.event_time.as_ref().map(|time| time.0))
        .or_else(|| event.metadata.creation_timestamp.as_ref().map(|time| time.0))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::{Facts, seen_at, story};
    use crate::logs::parse_line;
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::{Event, Pod};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Recorded {
        job: serde_json::Value,
        pods: Vec<Pod>,
        events: Vec<Event>,
        log: Vec<String>,
    }

    /// Tells the story of what `tests/fixtures/diagnose/record.py` recorded.
    fn told(name: &str, without_job: bool) -> String {
        let path = format!("{}/tests/fixtures/diagnose/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let recorded: Recorded =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let job: Job = serde_json::from_value(recorded.job).unwrap();
        let mut pods: Vec<&Pod> = recorded.pods.iter().collect();
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
        let mut events: Vec<&Event> = recorded.events.iter().collect();
        events.sort_by_key(|event| seen_at(event));
        let lines: Vec<String> = recorded.log.iter().map(|line| parse_line(line).text).collect();
        let facts = if without_job {
            Facts { events, ..Facts::default() }
        } else {
            Facts { job: Some(&job), pods, events, lines: &lines }
        };
        let story = story(&facts);
        let mut text = format!("{name}: {}", story.standing);
        if let Some(cause) = story.cause {
            let hint = cause.hint.unwrap_or_else(|| "NO REMEDY".to_owned());
            let _ = write!(text, " {}\n  {}\n  hint: {hint}", cause.reason, cause.sentence);
        }
        for (_, cause) in story.earlier {
            let _ = write!(text, "\n  earlier: {}", cause.sentence);
        }
        for unknown in story.unknown {
            let _ = write!(text, "\n  unknown: {unknown}");
        }
        text
    }

    fn all(names: &[&str]) -> String {
        names.iter().map(|name| told(name, false)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_cannot_start() {
        let names = [
            "image-pull",
            "image-name",
            "image-never",
            "missing-secret",
            "missing-key",
            "missing-config-map",
            "run-as-root",
            "container-error",
            "no-command",
            "node-selector",
            "cpu",
            "taint",
            "claim-missing",
            "claim-unbound",
            "mount",
            "quota",
            "limit-range",
            "pod-security",
            "webhook",
            "policy",
            "service-account",
            "suspended",
        ];
        insta::assert_snapshot!(all(&names), @r#"
        image-pull: Pending ImagePullBackOff
          the image localhost:1/no/such:image cannot be pulled: the registry does not answer
          hint: see whether the registry's name is right and the nodes reach it
        image-name: Pending InvalidImageName
          the image's name "No Such:Image" is no valid name
          hint: correct the image's name (container_config.image or --image): HOST/NAME:TAG, in lower case
        image-never: Pending ErrImageNeverPull
          the image localhost/none:1 cannot be pulled: the node does not have it, and imagePullPolicy Never forbids pulling it
          hint: set container_config.image_pull_policy to IfNotPresent, or load the image onto the nodes
        missing-secret: Pending CreateContainerConfigError
          Secret warehouse, which the pod needs, does not exist in its namespace
          hint: create it, or correct the name: `kubectl mage explain-config` shows who names it
        missing-key: Pending CreateContainerConfigError
          Secret warehouse has no key password, which the pod needs
          hint: add the key, or correct its name: `kubectl describe secret warehouse` lists the keys
        missing-config-map: Pending CreateContainerConfigError
          ConfigMap settings, which the pod needs, does not exist in its namespace
          hint: create it, or correct the name: `kubectl mage explain-config` shows who names it
        run-as-root: Pending CreateContainerConfigError
          the image runs as root, and the pod's security context forbids that (runAsNonRoot)
          hint: set security_context.run_as_user to a number other than 0, or use an image with a USER
        container-error: Pending CreateContainerError
          the container cannot be started: failed to create containerd container: cannot load seccomp profile "/var/lib/kubelet/seccomp/none.json": open /var/lib/kubelet/seccomp/none.json: no such file or directory
          hint: see with `kubectl mage explain-config` who sets what it names
        no-command: Failed StartError
          the container cannot be started: /no/such/program is not in the image
          hint: see whether it is an image of Mage, and whether its command was changed
        node-selector: Pending Unschedulable
          no node takes the pod: of 2 nodes 1 lacks the labels of its node selector (workload=batch), 1 has a taint that the pod does not tolerate
          hint: correct pod.node_selector or pod.affinity, or label a node: `kubectl get nodes --show-labels`
        cpu: Pending Unschedulable
          no node takes the pod: of 2 nodes 1 has too little free cpu (it asks for 640), 1 has a taint that the pod does not tolerate
          hint: ask for less with resource_requests.cpu, wait until other pods end, or add a node
        taint: Pending Unschedulable
          no node takes the pod: of 2 nodes 1 lacks the labels of its node selector (diagnose=tainted), 1 has a taint that the pod does not tolerate
          hint: correct pod.node_selector or pod.affinity, or label a node: `kubectl get nodes --show-labels`
        claim-missing: Pending Unschedulable
          PersistentVolumeClaim data does not exist in the pod's namespace
          hint: create it, or correct the name: `kubectl mage explain-config` shows who names it
        claim-unbound: Pending Unschedulable
          PersistentVolumeClaim data has no volume yet
          hint: see `kubectl describe pvc data`: its storage class, and whether anything provides volumes of it
        mount: Pending FailedMount
          volume data needs ConfigMap settings, which does not exist in its namespace
          hint: create it, or correct the name: `kubectl mage explain-config` shows who names it
        quota: Created FailedCreate
          quota team leaves no room: the pod asks for pods=1, pods=0 is in use, the limit is pods=0
          hint: wait until other pods end, ask for less with resource_requests, or have the quota raised: `kubectl describe resourcequota team`
        limit-range: Created FailedCreate
          a LimitRange of the namespace refuses the pod: maximum memory usage per Container is 64Mi, but limit is 1Gi
          hint: change resource_limits or resource_requests to fit: `kubectl describe limitrange`
        pod-security: Created FailedCreate
          the namespace enforces Pod Security level restricted, which the pod violates: allowPrivilegeEscalation != false (container "mage" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "mage" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "mage" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "mage" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")
          hint: set what it names in pod.security_context and container_config.security_context, or use another namespace
        webhook: Created FailedCreate
          admission webhook pods.diagnose.example, which is asked about every pod, does not answer: connection refused
          hint: it is the webhook's fault, not the block's: ask whoever runs it; the pod comes when it answers
        policy: Created FailedCreate
          admission policy diagnose-policy denies the pod: every pod needs the label team
          hint: change the pod as it says, or ask whoever made the policy
        service-account: Created FailedCreate
          ServiceAccount etl does not exist in the Job's namespace
          hint: create it, or correct service_account_name
        suspended: Suspended Suspended
          the Job is suspended: it makes no pod until somebody resumes it
          hint: a queue may hold it (`kubectl get workloads`); else resume it: `kubectl patch job NAME -p '{"spec":{"suspend":false}}'`
        "#);
    }

    #[test]
    fn what_dies() {
        let names = [
            "memory",
            "memory-child",
            "memory-child-fails",
            "evicted-by-kubelet",
            "evicted",
            "evicted-gone",
            "preempted",
            "node-lost",
            "deadline",
            "backoff",
            "traceback",
            "exit-126",
            "exit-127",
            "exit-134",
            "exit-137",
            "exit-139",
            "exit-143",
            "init",
            "running",
            "complete",
        ];
        insta::assert_snapshot!(all(&names), @r#"
        memory: Failed OOMKilled
          was killed for using more than its memory limit of 48Mi
          hint: raise resource_limits.memory, or use less memory: smaller batches, fewer columns
          unknown: how much memory it wanted: Kubernetes does not record the peak
        memory-child: Complete OOMKilled
          a process of it was killed for using more than its memory limit of 48Mi
          hint: the Job is complete all the same: what the block wrote may not be; raise resource_limits.memory, or use less memory: smaller batches, fewer columns
          unknown: how much memory it wanted: Kubernetes does not record the peak
        memory-child-fails: Failed OOMKilled
          a process of it was killed for using more than its memory limit of 48Mi
          hint: raise resource_limits.memory, or use less memory: smaller batches, fewer columns
          unknown: how much memory it wanted: Kubernetes does not record the peak
        evicted-by-kubelet: Failed Evicted
          the pod was evicted from its node: Usage of EmptyDir volume "data" exceeds the limit "1Mi"
          hint: raise the volume's size limit or resource_limits.ephemeral-storage, or write less to the node's disk
        evicted: Running EvictionByEvictionAPI
          the pod was evicted from its node: Eviction API: evicting
          hint: it is not the block's fault: run it again
        evicted-gone: Failed PodDeleted
          pod/mage-data-prep-block-17-6nh84 was stopped and deleted from outside: evicted, drained from its node or deleted by hand
          hint: it is not the block's fault: run it again; the audit log of the cluster knows who did it
          unknown: its exit code and its log: its pods are gone
        preempted: Running PreemptionByScheduler
          the pod was preempted by a pod of higher priority: default-scheduler: preempting to accommodate a higher priority pod
          hint: run it again when the cluster has room, or give it a priority with pod.priority_class_name
        node-lost: Pending DeletionByTaintManager
          the pod lost its node: Taint manager: deleting due to NoExecute taint
          hint: it is not the block's fault: run it again; `kubectl describe node` tells what became of the node
        deadline: Failed DeadlineExceeded
          took longer than its deadline (activeDeadlineSeconds: 2)
          hint: raise job.active_deadline_seconds, or make the block faster
          unknown: its exit code and its log: its pods are gone
        backoff: Failed Error
          ended with exit code 3, in the last of 2 attempts
          hint: its log says more: see its last lines
          earlier: ended with exit code 3
        traceback: Failed Error
          ValueError: stand-in was told to fail in load (ended with exit code 1)
          hint: see line 12 of the block, in load
        exit-126: Failed Error
          ended with exit code 126
          hint: the command cannot be executed: see its permissions in the image
        exit-127: Failed Error
          ended with exit code 127
          hint: the command is not in the image: see the image and the command
        exit-134: Failed Error
          was ended by SIGABRT, exit code 134
          hint: a native library gave up (abort): its message is in the log
        exit-137: Failed Error
          was ended by SIGKILL, exit code 137
          hint: nobody says who killed it: often the node ran out of memory (`kubectl describe node`), or a probe or a person did
        exit-139: Failed Error
          was ended by SIGSEGV, exit code 139
          hint: a native library crashed, not Python: see whether its version fits the image and the node's processor
        exit-143: Failed Error
          was ended by SIGTERM, exit code 143
          hint: something asked it to stop: a deletion, a drained node or a deadline
        init: Failed Error
          init container fetch ended with exit code 6
          hint: its log says more: see its last lines
        running: Running
        complete: Complete
        "#);
    }

    /// The Mage server deletes its Jobs about 9 s after their end.
    #[test]
    fn what_is_gone() {
        let names =
            ["traceback", "complete", "deadline", "evicted-gone", "quota", "running", "image-pull"];
        let texts: Vec<String> = names.iter().map(|name| told(name, true)).collect();
        insta::assert_snapshot!(texts.join("\n"), @r"
        traceback: Gone BackoffLimitExceeded
          failed and was deleted: Job has reached the specified backoff limit
          hint: its pods are gone, and their logs with them: run it again to see it fail
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        complete: Gone Completed
          was complete, and was deleted then
          hint: nothing is wrong with it
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        deadline: Gone DeadlineExceeded
          failed and was deleted: Job was active longer than specified deadline
          hint: raise job.active_deadline_seconds, or make the block faster
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        evicted-gone: Gone PodDeleted
          failed and was deleted: pod/mage-data-prep-block-17-6nh84 was stopped and deleted from outside: evicted, drained from its node or deleted by hand
          hint: it is not the block's fault: run it again; the audit log of the cluster knows who did it
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        quota: Gone FailedCreate
          was deleted before it ended; quota team leaves no room: the pod asks for pods=1, pods=0 is in use, the limit is pods=0
          hint: wait until other pods end, ask for less with resource_requests, or have the quota raised: `kubectl describe resourcequota team`
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        running: Gone JobDeleted
          was deleted before any event told of its end
          hint: the Mage server deletes a Job some seconds after its end: its own log of the block tells more
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        image-pull: Gone ErrImagePull
          was deleted before it ended; the image localhost:1/no/such:image cannot be pulled: the registry does not answer
          hint: see whether the registry's name is right and the nodes reach it
          unknown: its exit code, its conditions and its log: the Job and its pods are gone
        ");
    }
}
