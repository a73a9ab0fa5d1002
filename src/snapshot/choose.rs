//! Which of several pods of Mage is the one that makes Jobs.

use serde_json::Value as Json;

use super::model::PassedOver;

/// The pod chosen, and the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The pod.
    pub pod: Json,
    /// Why this one, where there were several: `newest ready scheduler`.
    pub chosen_as: Option<String>,
    /// The others, by name.
    pub passed_over: Vec<PassedOver>,
}

/// Which part of Mage a pod is; later ones are chosen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// The web server of a split installation, which makes no Jobs.
    Web,
    /// Server and scheduler in one.
    Server,
    /// The scheduler of a split installation (`standaloneScheduler` of the chart).
    Scheduler,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Web => "web server",
            Self::Server => "server",
            Self::Scheduler => "scheduler",
        }
    }
}

/// Chooses a scheduler before a server before a web server, of these a ready one, of these the newest.
/// Pods that end are never chosen; pods of Jobs are Mage's blocks and do not count.
///
/// `labelled` says that the pods carry the labels of Mage's chart; others must run Mage's image.
#[must_use]
pub fn choose(pods: Vec<Json>, labelled: bool) -> Option<Choice> {
    let mut pods: Vec<Json> =
        pods.into_iter().filter(|pod| !owned_by_job(pod) && (labelled || runs_mage(pod))).collect();
    let best =
        pods.iter().enumerate().filter(|(_, pod)| ending(pod).is_none()).max_by_key(|(_, pod)| {
            (part(pod), is_ready(pod), text(&pod["metadata"]["creationTimestamp"]), name(pod))
        });
    let index = best?.0;
    let pod = pods.swap_remove(index);
    let mut passed_over: Vec<PassedOver> = pods.iter().map(passed_over).collect();
    passed_over.sort();
    let ready = if is_ready(&pod) { "newest ready" } else { "newest" };
    let chosen_as = (!passed_over.is_empty()).then(|| format!("{ready} {}", part(&pod).name()));
    Some(Choice { pod, chosen_as, passed_over })
}

fn passed_over(pod: &Json) -> PassedOver {
    let state = match (ending(pod), is_ready(pod)) {
        (Some(why), _) => why.to_owned(),
        (None, true) => "ready".to_owned(),
        (None, false) => "not ready".to_owned(),
    };
    let state = match part(pod) {
        Part::Server => state,
        part => format!("{state} {}", part.name()),
    };
    PassedOver { name: name(pod), state }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn name(pod: &Json) -> String {
    text(&pod["metadata"]["name"])
}

fn ending(pod: &Json) -> Option<&'static str> {
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return Some("terminating");
    }
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")).then_some("finished")
}

/// Reads the chart's `INSTANCE_TYPE`, its label, and last the pod's name.
fn part(pod: &Json) -> Part {
    let containers = pod["spec"]["containers"].as_array();
    let variables =
        containers.into_iter().flatten().flat_map(|c| c["env"].as_array().into_iter().flatten());
    let instance = variables
        .filter(|variable| variable["name"] == "INSTANCE_TYPE")
        .find_map(|variable| variable["value"].as_str());
    match instance {
        Some("scheduler") => return Part::Scheduler,
        Some("web_server") => return Part::Web,
        _ => {}
    }
    let label = &pod["metadata"]["labels"]["app.kubernetes.io/name"];
    if [label, &pod["metadata"]["name"]].iter().any(|t| text(t).contains("scheduler")) {
        Part::Scheduler
    } else {
        Part::Server
    }
}

fn owned_by_job(pod: &Json) -> bool {
    let owners = pod["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| owner["kind"] == "Job")
}

/// Looks at the containers only: an init container of Mage's image does not make a server.
fn runs_mage(pod: &Json) -> bool {
    let containers = pod["spec"]["containers"].as_array();
    containers.into_iter().flatten().any(|container| {
        container["image"].as_str().is_some_and(|image| image.contains("mageai/mageai"))
    })
}

fn is_ready(pod: &Json) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, day: u8, ready: bool) -> Json {
        json!({
            "metadata": {"name": name, "creationTimestamp": format!("2026-01-{day:02}T00:00:00Z")},
            "spec": {"containers": [{"name": "mage", "image": "mageai/mageai:1"}]},
            "status": {"phase": "Running",
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}
        })
    }

    fn chosen(pods: Vec<Json>) -> String {
        choose(pods, false).map_or_else(String::new, |choice| name(&choice.pod))
    }

    #[test]
    fn ready_ones_come_first_and_then_the_newest() {
        assert_eq!(chosen(vec![pod("old", 1, true), pod("new", 2, true)]), "new");
        assert_eq!(chosen(vec![pod("old", 1, true), pod("new", 2, false)]), "old");
        assert_eq!(chosen(vec![pod("a", 1, true), pod("b", 1, true)]), "b");
    }

    #[test]
    fn the_scheduler_makes_the_jobs() {
        let mut web = pod("mageai-web", 3, true);
        web["spec"]["containers"][0]["env"] =
            json!([{"name": "INSTANCE_TYPE", "value": "web_server"}]);
        let scheduler = pod("mageai-scheduler-0", 1, false);
        let choice = choose(vec![web, scheduler, pod("mageai-0", 2, true)], false).unwrap();
        assert_eq!(name(&choice.pod), "mageai-scheduler-0");
        assert_eq!(choice.chosen_as.as_deref(), Some("newest scheduler"));
        let states: Vec<&str> = choice.passed_over.iter().map(|over| over.state.as_str()).collect();
        assert_eq!(states, ["ready", "ready web server"]);
    }

    #[test]
    fn pods_that_end_and_blocks_are_not_servers() {
        let mut terminating = pod("mage-2", 9, true);
        terminating["metadata"]["deletionTimestamp"] = "2026-01-10T00:00:00Z".into();
        let mut block = pod("block", 8, true);
        block["metadata"]["ownerReferences"] = json!([{"kind": "Job"}]);
        let mut other = pod("nginx", 8, true);
        other["spec"]["containers"][0]["image"] = "nginx:1".into();
        other["spec"]["initContainers"] = json!([{"name": "m", "image": "mageai/mageai:1"}]);
        let choice = choose(vec![terminating.clone(), block, other, pod("mage-1", 1, true)], false);
        let choice = choice.unwrap();
        assert_eq!(name(&choice.pod), "mage-1");
        let over = PassedOver { name: "mage-2".into(), state: "terminating".into() };
        assert_eq!(choice.passed_over, [over]);
        assert_eq!(choose(vec![terminating], true), None);
    }
}
