//! How what is learned of pods and their logs changes the state of a run.

use k8s_openapi::api::core::v1::Pod;

use super::dispatcher::Dispatcher;
use super::events::{BlockState, EventKind, RunEvent};
use super::follow::Follow;
use super::input::LogEnd;
use super::options::Logs;
use super::settle::job_uid;
use super::track::{Absence, PodTrack};
use crate::cluster::{BLOCK, ContainerPhase, Watched, main_container};
use crate::diagnose::{pending, pod_death};

impl Dispatcher<'_> {
    pub(super) fn take_pods(&mut self, seen: Watched<Pod>) {
        match seen {
            Watched::Applied(pod) => self.take_pod(pod),
            Watched::Deleted(pod) => {
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                self.take_pod(pod);
                self.pod_gone(&uid);
            }
            Watched::Listed(pods) => {
                let here: Vec<String> =
                    pods.iter().filter_map(|pod| pod.metadata.uid.clone()).collect();
                for pod in pods {
                    self.take_pod(pod);
                }
                let known: Vec<String> =
                    self.tracks.iter().flat_map(|track| track.pods.keys().cloned()).collect();
                for uid in known.iter().filter(|uid| !here.contains(uid)) {
                    self.pod_gone(uid);
                }
            }
            // The watch on Jobs tells about contact.
            Watched::Lost(_) | Watched::Regained => {}
            Watched::Refused(error) => {
                self.notice(format!("pods and their logs are not shown: {error}"));
            }
        }
    }

    fn pod_gone(&mut self, uid: &str) {
        if let Some(pod) = self.tracks.iter_mut().find_map(|track| track.pods.get_mut(uid)) {
            pod.gone();
        }
    }

    fn take_pod(&mut self, pod: Pod) {
        let annotation = pod.metadata.annotations.as_ref().and_then(|all| all.get(BLOCK));
        let owner = job_uid(&pod);
        let block = owner.and_then(|uid| self.by_job_uid.get(uid).copied()).or_else(|| {
            // The pod may be seen before the answer to the POST.
            self.tracks.iter().position(|track| {
                track.is_in_flight()
                    && track.uid.is_none()
                    && Some(&*track.name) == annotation.map(String::as_str)
            })
        });
        let (Some(block), Some(uid)) = (block, pod.metadata.uid.clone()) else { return };
        let track = &mut self.tracks[block];
        let next = track
            .pods
            .values()
            .map(|pod| pod.attempt + pod.view.borrow().restarts)
            .max()
            .unwrap_or(0)
            + 1;
        let new = !track.pods.contains_key(&uid);
        let entry =
            track.pods.entry(uid.clone()).or_insert_with(|| PodTrack::new(pod.clone(), next));
        let view = entry.update(pod);
        if let Some(task) = track.event_watch.take() {
            task.abort();
        }
        if new {
            self.follow(block, &uid);
        }
        self.judge_pod(block, &uid, view.phase);
    }

    /// Draws conclusions from a pod's newest state.
    fn judge_pod(&mut self, block: usize, uid: &str, phase: ContainerPhase) {
        let track = &self.tracks[block];
        let Some(pod) = track.pods.get(uid) else { return };
        if !track.state.is_active() || track.absence == Absence::Removing {
            return;
        }
        if phase == ContainerPhase::Waiting {
            let why = pending(&pod.pod);
            if track.state != BlockState::Running {
                self.note_pending(block, why);
            }
            return;
        }
        let (name, attempt) = (pod.name.clone(), pod.attempt);
        let death =
            if pod.view.borrow().pod_ended && !pod.death_told { pod_death(&pod.pod) } else { None };
        let track = &mut self.tracks[block];
        if track.state != BlockState::Running {
            track.state = BlockState::Running;
            track.pending = None;
            track.image_trouble = None;
            let event = RunEvent::new(EventKind::Block(BlockState::Running))
                .block(&track.name)
                .pod(&name, attempt);
            self.tell(event);
        }
        if let Some(cause) = death {
            let track = &mut self.tracks[block];
            if let Some(pod) = track.pods.get_mut(uid) {
                pod.death_told = true;
            }
            let event = RunEvent::new(EventKind::Pod)
                .block(&track.name)
                .pod(&name, attempt)
                .reason(cause.reason)
                .message(format!("attempt {attempt}: {}", cause.sentence));
            self.tell(event);
            if self.read_jobs {
                self.read_job(block);
            }
        } else if self.read_jobs && phase == ContainerPhase::Terminated {
            self.read_job(block);
        }
    }

    fn follow(&mut self, block: usize, uid: &str) {
        if self.options.logs == Logs::None {
            return;
        }
        let track = &mut self.tracks[block];
        let Some(pod) = track.pods.get_mut(uid) else { return };
        let Some(container) = main_container(&pod.pod) else { return };
        pod.reading = true;
        let follow = Follow {
            cluster: self.cluster.clone(),
            namespace: self.plan.blocks[block].namespace.clone(),
            pod: pod.name.clone(),
            uid: uid.to_owned(),
            container,
            block,
            block_name: track.name.clone(),
            attempt: pod.attempt,
            logs: self.options.logs,
            view: pod.view.subscribe(),
            failed: pod.failed.subscribe(),
            events: self.events.clone(),
            inputs: self.inputs.clone(),
        };
        self.tasks.spawn(follow.run());
    }

    pub(super) fn take_log_end(&mut self, end: LogEnd) {
        let track = &mut self.tracks[end.block];
        track.condition_false |= end.condition_false;
        let newest = track.pods.keys().last() == Some(&end.pod);
        if newest && !end.tail.is_empty() {
            track.tail = end.tail;
        }
        let Some(pod) = track.pods.get_mut(&end.pod) else { return };
        pod.reading = false;
        if let Some(trouble) = end.trouble {
            let event = RunEvent::new(EventKind::Pod)
                .block(&track.name)
                .pod(&pod.name, pod.attempt)
                .message(trouble);
            self.tell(event);
        }
    }
}
