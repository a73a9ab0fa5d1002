//! How what is learned of pods and their logs changes the state of a run.

use std::collections::BTreeMap;
use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;

use super::dispatcher::{Dispatcher, Role};
use super::events::{BlockState, EventKind, RunEvent};
use super::follow::Follow;
use super::input::LogEnd;
use super::options::Logs;
use super::ran::ran;
use super::settle::job_uid;
use super::track::{Absence, PodTrack, Track};
use crate::cluster::{ATTEMPT, BLOCK, ContainerPhase, Watched, main_container};
use crate::diagnose::{pending, pod_death};
use crate::logs::LogOf;

impl Dispatcher<'_> {
    pub(super) fn take_pods(&mut self, seen: Watched<Pod>) {
        match seen {
            Watched::Applied(pod) => self.take_pod(pod),
            Watched::Deleted(pod) => {
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                self.take_pod(pod);
                self.pod_gone(&uid);
            }
            Watched::Listed(mut pods) => {
                self.unlisted = self.unlisted.saturating_sub(1);
                // Attempts are counted in the order in which they were made.
                pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone().map(|time| time.0));
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
            Watched::Lost(error) => self.watch_lost(error),
            Watched::Regained => self.watch_regained(),
            Watched::Refused(error) => {
                self.unlisted = 0;
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
        let Some((block, of_job)) = self.owner_of(&pod) else { return };
        let Some(uid) = pod.metadata.uid.clone() else { return };
        let track = &mut self.tracks[block];
        let number = track.number_of_next(of_job);
        let new = !track.pods.contains_key(&uid);
        let entry = track
            .pods
            .entry(uid.clone())
            .or_insert_with(|| PodTrack::new(pod.clone(), number, of_job));
        let view = entry.update(pod);
        if of_job < track.attempt {
            // Its Job has failed; only its log is of interest.
            entry.failed.send_replace(Some(true));
            if new {
                self.follow(block, &uid);
            }
            return;
        }
        if let Some(task) = track.event_watch.take() {
            task.abort();
        }
        if new {
            self.follow(block, &uid);
        }
        if self.tracks[block].state.is_active() {
            self.tell_created(block);
        }
        self.judge_pod(block, &uid, view.phase);
    }

    /// Finds the block and the attempt that a pod belongs to.
    fn owner_of(&self, pod: &Pod) -> Option<(usize, u32)> {
        let uid = job_uid(pod)?;
        let of_known = |track: &Track| track.pods.get(pod.metadata.uid.as_ref()?).map(|p| p.of_job);
        if let Some(&block) = self.by_job_uid.get(uid) {
            let track = &self.tracks[block];
            let now = track.uid.as_deref() == Some(uid);
            return Some((block, if now { track.attempt } else { of_known(track)? }));
        }
        let of =
            |all: &Option<BTreeMap<String, String>>, key: &str| all.as_ref()?.get(key).cloned();
        let name = of(&pod.metadata.annotations, BLOCK)?;
        let attempt: u32 = of(&pod.metadata.labels, ATTEMPT)?.parse().ok()?;
        let block = self.tracks.iter().position(|track| *track.name == *name)?;
        let track = &self.tracks[block];
        // The pod may be seen before the answer to the POST.
        let awaited = attempt == track.attempt && track.is_in_flight() && track.uid.is_none();
        // Whoever watches wants to read all that is left, and reports tell of all.
        let earlier = attempt < track.attempt;
        (awaited || earlier).then_some((block, attempt))
    }

    /// Draws conclusions from a pod's newest state.
    fn judge_pod(&mut self, block: usize, uid: &str, phase: ContainerPhase) {
        let track = &self.tracks[block];
        let Some(pod) = track.pods.get(uid) else { return };
        if !track.state.is_active() || track.absence == Absence::Removing {
            return;
        }
        if phase.is_waiting() {
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
            track.running = Some(Instant::now());
            if let (Some(job), Some(now)) = (&track.job, self.cluster.server_time()) {
                track.ran_before = ran(job, track.pods_now().map(|pod| &*pod.pod), now);
            }
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
        let track = &mut self.tracks[block];
        let keeping = self.options.log_folder.as_ref();
        let Some(pod) = track.pods.get_mut(uid) else { return };
        // What another client saw to its end was shown then. Otherwise logs are read also where none
        // is shown: whether a conditional said no stands only there.
        let past = pod.of_job < track.attempt && self.role == Role::Driver;
        let told_before = track.settled_before || past;
        if told_before && keeping.is_none() {
            return;
        }
        let Some(container) = main_container(&pod.pod) else { return };
        pod.reading = true;
        let keeper = keeping.map(|folder| {
            let server = self.cluster.server();
            folder.keeper(LogOf::read(server, &pod.pod, &container, &track.name, pod.attempt))
        });
        let follow = Follow {
            cluster: self.cluster.clone(),
            namespace: self.plan.blocks[block].namespace.clone(),
            pod: pod.name.clone(),
            uid: uid.to_owned(),
            container,
            block,
            block_name: track.name.clone(),
            attempt: pod.attempt,
            logs: if told_before { Logs::None } else { self.options.logs },
            told_before,
            keeper,
            view: pod.view.subscribe(),
            failed: pod.failed.subscribe(),
            events: self.events.clone(),
            inputs: self.inputs.clone(),
        };
        self.tasks.spawn(follow.run());
    }

    pub(super) fn take_log_end(&mut self, end: LogEnd) {
        let track = &mut self.tracks[end.block];
        let of_now = track.pods.get(&end.pod).is_some_and(|pod| pod.of_job == track.attempt);
        let newest = of_now && track.pods.keys().last() == Some(&end.pod);
        if newest && !end.tail.is_empty() {
            track.tail.clone_from(&end.tail);
            track.traceback.clone_from(&end.traceback);
        }
        let Some(pod) = track.pods.get_mut(&end.pod) else { return };
        pod.reading = false;
        pod.tail = end.tail;
        pod.traceback = end.traceback;
        pod.notes = end.notes;
        pod.condition = end.condition;
        pod.is_decided = end.is_decided;
        if let Some(trouble) = end.trouble {
            let event = RunEvent::new(EventKind::Pod)
                .block(&track.name)
                .pod(&pod.name, pod.attempt)
                .message(trouble);
            self.tell(event);
        }
        let track = &self.tracks[end.block];
        if track.completed.is_some()
            && let Some(job) = track.job.clone()
        {
            self.take_job(job);
        }
    }
}
