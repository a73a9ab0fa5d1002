//! How a Job stands, and what is told of that (pure).

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::Timestamp;

use super::containers::has_begun;
use crate::cluster::{container_view, ended_at, main_container};
use crate::diagnose::{Facts, PendingKind, Standing, Story, pending, pod_death, story};
use crate::run::{BlockState, EventKind, RunEvent};

/// How a Job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobEnd {
    /// It is complete; or it is gone, and its last pod had succeeded.
    Complete,
    /// It failed.
    Failed,
    /// It was deleted, or failed, before its pod could start.
    CouldNotStart,
    /// It was deleted before it ended.
    Gone,
}

/// What is known of one Job, and what was told.
pub(crate) struct Stand {
    /// The block, or the Job's name.
    pub(super) name: Arc<str>,
    /// The run's attempt at the block.
    pub(super) attempt: u32,
    pub(crate) end: Option<JobEnd>,
    created_told: bool,
    told: Option<(Standing, String)>,
    /// Pods of which was told that they run, and that they died.
    running: Vec<String>,
    dead: Vec<String>,
    /// Whether its last known state was one from which it did not start.
    stuck: bool,
}

impl Stand {
    pub(crate) fn new(name: Arc<str>, attempt: u32) -> Self {
        Self {
            name,
            attempt,
            end: None,
            created_told: false,
            told: None,
            running: Vec::new(),
            dead: Vec::new(),
            stuck: false,
        }
    }

    /// Looks at the Job anew; returns what is news. `number` says which attempt a pod is.
    pub(crate) fn look(
        &mut self,
        job: Option<&Job>,
        pods: &[&Pod],
        events: &[&Event],
        number: impl Fn(&Pod) -> u32,
    ) -> Vec<RunEvent> {
        if self.end.is_some() {
            return Vec::new();
        }
        let facts = Facts { job, pods: pods.to_vec(), events: events.to_vec(), lines: &[] };
        let mut told = story(&facts);
        if told.standing == Standing::Pending && !is_stuck(pods) {
            // Nothing is wrong: the node prepares the pod.
            told.cause = None;
        }
        let mut news = Vec::new();
        let over = told.standing.is_over();
        if let Some(job) = job.filter(|_| !self.created_told && !over) {
            let name = job.metadata.name.clone().unwrap_or_default();
            let event = self.event(BlockState::Created).message(format!("job.batch/{name}"));
            news.push(event.attempt(self.attempt));
        }
        self.created_told = true;
        for pod in pods {
            self.look_at_pod(pod, number(pod), over, &mut news);
        }
        self.stuck = match told.standing {
            Standing::NoPod | Standing::Suspended => self.stuck || told.cause.is_some(),
            Standing::Pending => is_stuck(pods),
            Standing::Deleting => self.stuck,
            _ => false,
        };
        news.extend(self.standing(&told, job));
        news
    }

    /// Says what became of a Job that is gone.
    pub(crate) fn gone(&mut self, pods: &[&Pod]) -> Vec<RunEvent> {
        if self.end.is_some() {
            return Vec::new();
        }
        let phase = |pod: &&Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
        let last = pods.last().and_then(phase).unwrap_or_default();
        let (end, state, message) = match last.as_str() {
            "Succeeded" => {
                let message = "its pod had succeeded; the Job was deleted";
                (JobEnd::Complete, BlockState::Complete, message)
            }
            "Failed" => {
                (JobEnd::Failed, BlockState::Failed, "its pod had failed; the Job was deleted")
            }
            _ if self.stuck => {
                let message = "the Job was deleted before its pod could start";
                (JobEnd::CouldNotStart, BlockState::CouldNotStart, message)
            }
            _ => (JobEnd::Gone, BlockState::Gone, "the Job was deleted before it ended"),
        };
        self.end = Some(end);
        vec![self.event(state).message(message)]
    }

    fn event(&self, state: BlockState) -> RunEvent {
        RunEvent::new(EventKind::Block(state)).block(&self.name)
    }

    fn look_at_pod(&mut self, pod: &Pod, attempt: u32, over: bool, news: &mut Vec<RunEvent>) {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let Some(main) = main_container(pod) else { return };
        let view = container_view(pod, &main);
        let shown: Arc<str> = name.as_str().into();
        if has_begun(pod, &main) && !self.running.contains(&name) {
            self.running.push(name.clone());
            if !over {
                news.push(self.event(BlockState::Running).pod(&shown, attempt));
            }
        }
        if view.pod_ended
            && !self.dead.contains(&name)
            && let Some(cause) = pod_death(pod)
        {
            self.dead.push(name);
            if !over {
                let event = RunEvent::new(EventKind::Pod).block(&self.name).pod(&shown, attempt);
                let message = format!("attempt {attempt}: {}", cause.sentence);
                news.push(event.reason(cause.reason).message(message));
            }
        }
    }

    /// Says how the Job stands, if that is news.
    fn standing(&mut self, told: &Story, job: Option<&Job>) -> Option<RunEvent> {
        let sentence = told.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default();
        let now = (told.standing, sentence.clone());
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now);
        let reason = told.cause.as_ref().map(|cause| cause.reason.clone()).unwrap_or_default();
        let state = match told.standing {
            Standing::Complete => {
                self.end = Some(JobEnd::Complete);
                return Some(self.event(BlockState::Complete).message(duration(job)));
            }
            Standing::Failed => {
                let unstarted = self.running.is_empty() && self.stuck;
                self.end = Some(if unstarted { JobEnd::CouldNotStart } else { JobEnd::Failed });
                if unstarted { BlockState::CouldNotStart } else { BlockState::Failed }
            }
            Standing::Suspended | Standing::NoPod | Standing::Pending if !sentence.is_empty() => {
                BlockState::Pending
            }
            _ => return None,
        };
        Some(self.event(state).reason(reason).message(sentence))
    }
}

/// Tells whether a pod that waits has a reason that does not pass by itself.
fn is_stuck(pods: &[&Pod]) -> bool {
    let last = pods.last().and_then(|pod| pending(pod));
    last.is_some_and(|pending| pending.kind != PendingKind::Preparing)
}

/// Says how long a Job took.
fn duration(job: Option<&Job>) -> String {
    let Some(job) = job else { return String::new() };
    let started = job.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|at| at.0);
    let took = |from: Timestamp| Some(ended_at(job)?.duration_since(from));
    let Some(took) = started.and_then(took) else { return String::new() };
    format!("after {}", crate::ui::duration(took))
}

#[cfg(test)]
mod tests {
    use super::{JobEnd, Stand};
    use crate::run::{EventKind, RunEvent};
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    fn job(status: &Value) -> Job {
        serde_json::from_value(
            json!({"metadata": {"name": "j"}, "spec": {"template": {}}, "status": status}),
        )
        .unwrap()
    }

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "j-abcde"},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "mage"}]},
            "status": status
        }))
        .unwrap()
    }

    fn words(news: Vec<RunEvent>) -> Vec<String> {
        let word = |event: RunEvent| match event.kind {
            EventKind::Block(state) => format!("{state} {}", event.message.unwrap_or_default()),
            _ => event.message.unwrap_or_default(),
        };
        news.into_iter().map(word).map(|text| text.trim().to_owned()).collect()
    }

    fn container(state: &Value) -> Value {
        json!([{"name": "mage", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
    }

    #[test]
    fn each_change_is_told_once() {
        let mut stand = Stand::new("load".into(), 1);
        let active = job(&json!({"active": 1}));
        let unscheduled = pod(&json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}
        ]}));
        let news = words(stand.look(Some(&active), &[&unscheduled], &[], |_| 1));
        assert_eq!(news[0], "Created job.batch/j");
        assert!(news[1].starts_with("Pending "), "{news:?}");
        assert!(stand.look(Some(&active), &[&unscheduled], &[], |_| 1).is_empty());
        let running = pod(
            &json!({"phase": "Running", "containerStatuses": container(&json!({"running": {}}))}),
        );
        assert_eq!(words(stand.look(Some(&active), &[&running], &[], |_| 1)), ["Running"]);
        let failed = pod(
            &json!({"phase": "Failed", "containerStatuses": container(&json!({"terminated": {"exitCode": 3, "reason": "Error"}}))}),
        );
        let news = words(stand.look(Some(&active), &[&failed], &[], |_| 1));
        assert!(news[0].starts_with("attempt 1: "), "{news:?}");
        let complete = job(&json!({"conditions": [{"type": "Complete", "status": "True"}]}));
        let news = words(stand.look(Some(&complete), &[&failed], &[], |_| 1));
        assert_eq!((news, stand.end), (vec!["Complete".to_owned()], Some(JobEnd::Complete)));
        assert!(stand.gone(&[]).is_empty());
    }

    #[test]
    fn a_job_that_is_gone_ended_as_its_last_pod_did() {
        let gone = |phase: Option<&str>| {
            let mut stand = Stand::new("load".into(), 1);
            let pods: Vec<Pod> = phase.iter().map(|phase| pod(&json!({"phase": phase}))).collect();
            let pods: Vec<&Pod> = pods.iter().collect();
            stand.look(Some(&job(&json!({}))), &pods, &[], |_| 1);
            stand.gone(&pods);
            stand.end
        };
        assert_eq!(gone(Some("Succeeded")), Some(JobEnd::Complete));
        assert_eq!(gone(Some("Failed")), Some(JobEnd::Failed));
        assert_eq!(gone(Some("Running")), Some(JobEnd::Gone));
        assert_eq!(gone(None), Some(JobEnd::Gone));
    }
}
