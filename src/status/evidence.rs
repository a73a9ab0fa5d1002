//! What a cause rests on: conditions, container states, events, in one line each.

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use k8s_openapi::jiff::Timestamp;

use super::blocks::Block;
use super::view::of;
use crate::diagnose::seen_at;

/// How many events are shown.
const EVENTS: usize = 5;
/// Events that say that all goes well.
const ORDINARY: [&str; 7] =
    ["Scheduled", "Pulled", "Pulling", "Created", "Started", "SuccessfulCreate", "Completed"];

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `condition`, `pod`, `container` or `event`.
    pub kind: &'static str,
    /// What it says.
    pub text: String,
    /// When, where that is known.
    pub at: Option<Timestamp>,
}

/// Lists what is known of a block's Job and last pod.
#[must_use]
pub fn evidence(block: &Block<'_>, events: &[Event]) -> Vec<Evidence> {
    let mut all = Vec::new();
    let status = block.job.and_then(|job| job.status.as_ref());
    for condition in status.iter().flat_map(|status| status.conditions.iter().flatten()) {
        // `FailureTarget` and `SuccessCriteriaMet` say again what `Failed` and `Complete` say.
        if condition.status == "True"
            && !matches!(condition.type_.as_str(), "FailureTarget" | "SuccessCriteriaMet")
        {
            let words = [condition.reason.as_deref(), condition.message.as_deref()];
            let at = condition.last_transition_time.as_ref().map(|time| time.0);
            all.push(Evidence { kind: "condition", text: joined(&condition.type_, &words), at });
        }
    }
    if let Some(pod) = block.last_pod() {
        of_pod(pod, &mut all);
    }
    let telling = |event: &&&Event| !event.reason.as_deref().is_some_and(|r| ORDINARY.contains(&r));
    let own = of(block, events);
    let told: Vec<&&Event> = own.iter().filter(telling).collect();
    for event in told.iter().skip(told.len().saturating_sub(EVENTS)) {
        let count = event.series.as_ref().and_then(|series| series.count).or(event.count);
        let times = count.filter(|count| *count > 1).map(|count| format!(", {count} times"));
        let text = joined(event.reason.as_deref().unwrap_or_default(), &[event.message.as_deref()]);
        let text = format!("{text}{}", times.unwrap_or_default());
        all.push(Evidence { kind: "event", text, at: seen_at(event) });
    }
    all
}

fn of_pod(pod: &Pod, all: &mut Vec<Evidence>) {
    let Some(status) = &pod.status else { return };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let node = node.map(|node| format!(" on node {node}")).unwrap_or_default();
    let phase = status.phase.as_deref().unwrap_or("Unknown");
    let words = [status.reason.as_deref(), status.message.as_deref()];
    let text = joined(&format!("{name} {phase}{node}"), &words);
    all.push(Evidence { kind: "pod", text, at: None });
    for condition in status.conditions.iter().flatten() {
        let telling = match condition.type_.as_str() {
            "PodScheduled" => condition.status == "False",
            "DisruptionTarget" => condition.status == "True",
            _ => false,
        };
        if telling {
            let words = [condition.reason.as_deref(), condition.message.as_deref()];
            let at = condition.last_transition_time.as_ref().map(|time| time.0);
            all.push(Evidence { kind: "condition", text: joined(&condition.type_, &words), at });
        }
    }
    let init = status.init_container_statuses.iter().flatten();
    for container in init.chain(status.container_statuses.iter().flatten()) {
        all.extend(of_container(container));
    }
}

fn of_container(container: &ContainerStatus) -> Option<Evidence> {
    let state = container.state.as_ref()?;
    let (text, at) = if let Some(waiting) = &state.waiting {
        let words = [waiting.reason.as_deref(), waiting.message.as_deref()];
        (joined(&format!("{} waiting", container.name), &words), None)
    } else if let Some(ended) = &state.terminated {
        let words = [ended.reason.as_deref(), ended.message.as_deref()];
        let what = format!("{} terminated, exit code {}", container.name, ended.exit_code);
        (joined(&what, &words), ended.finished_at.as_ref().map(|time| time.0))
    } else {
        let running = state.running.as_ref()?;
        let at = running.started_at.as_ref().map(|time| time.0);
        (format!("{} running", container.name), at)
    };
    let again = container.restart_count;
    let restarts = if again > 0 { format!(", restarted {again} times") } else { String::new() };
    Some(Evidence { kind: "container", text: format!("{text}{restarts}"), at })
}

/// Joins a head, a reason and a message, of which the last two may be missing.
fn joined(head: &str, words: &[Option<&str>]) -> String {
    let mut text = head.to_owned();
    for word in words.iter().flatten().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        text.push_str(": ");
        text.push_str(word);
    }
    text
}
