//! What the clock brings: deadlines, and looks at what says nothing by itself.

use std::time::{Duration, Instant};

use super::dispatcher::{Dispatcher, Role};
use super::events::BlockState;
use super::input::Input;
use super::outcome::Stop;
use super::scheduler::Fault;
use super::track::Absence;
use crate::cluster::{Cluster, ClusterError, JobIdentity};
use crate::diagnose::Cause;

/// What has not started after that long has a reason, which events tell.
const PODLESS: Duration = Duration::from_millis(1500);
/// How often a Job is read that cannot be watched.
const READ_EVERY: Duration = Duration::from_secs(2);
/// How often a Job is read whose pod has ended, and of whose own end no watch has told.
const READ_ENDED_EVERY: Duration = Duration::from_secs(10);

impl Dispatcher<'_> {
    /// Looks at the clock.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.stop.is_some() {
            return;
        }
        let driver = self.role == Role::Driver;
        if driver && self.options.timeout.is_some_and(|limit| self.age(now) >= limit) {
            self.stop = Some(Stop::TimedOut);
            return;
        }
        self.tick_contact(now);
        self.tick_driver(now);
        for block in 0..self.tracks.len() {
            let track = &self.tracks[block];
            if track.state.is_active() || (!driver && self.read_jobs && !track.is_over()) {
                self.tick_block(block, now);
            }
        }
    }

    fn tick_block(&mut self, block: usize, now: Instant) {
        let track = &self.tracks[block];
        if track.completed.is_some()
            && let Some(job) = track.job.clone()
        {
            self.take_job(job);
            return;
        }
        let overdue = track.overdue(self.options, now).filter(|_| self.role == Role::Driver);
        if let Some(cause) = overdue {
            self.give_up(block, BlockState::CouldNotStart, cause);
            return;
        }
        let overran = track.overran(&self.plan.blocks[block], now);
        if let Some(cause) = overran.filter(|_| self.role == Role::Driver) {
            self.give_up(block, BlockState::TimedOut, cause);
            return;
        }
        let age = track.launched.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        if track.event_watch.is_none()
            && age >= PODLESS
            && let Some(uid) = track.unexplained()
        {
            self.watch_events(block, &uid);
        }
        let read_jobs = self.read_jobs;
        let track = &mut self.tracks[block];
        let known = track.uid.is_some() || self.role == Role::Watcher;
        let ended = track.pods.values().last().is_some_and(|pod| pod.view.borrow().pod_ended);
        track.pod_ended = if ended { track.pod_ended.or(Some(now)) } else { None };
        let (every, since) = match track.pod_ended {
            _ if read_jobs => (READ_EVERY, None),
            Some(at) => (READ_ENDED_EVERY, Some(at)),
            None => return,
        };
        let due = |at: Instant| now.saturating_duration_since(at) >= every;
        if known && since.is_none_or(due) && track.last_read.is_none_or(due) {
            self.read_job(block);
        }
    }

    /// Deletes the Job of a block that cannot start, for it would run later, unseen, or that runs too
    /// long.
    fn give_up(&mut self, block: usize, state: BlockState, mut cause: Cause) {
        let planned = &self.plan.blocks[block];
        let attempt = self.tracks[block].attempt;
        let (namespace, name) = (planned.namespace.clone(), planned.job_name_of(attempt));
        let sentence = cause.sentence.trim_end_matches('.');
        cause.sentence = format!("{sentence}; job.batch/{name} is deleted");
        let track = &mut self.tracks[block];
        track.absence = Absence::Removing;
        let (uid, identity) = (track.uid.clone(), planned.identity(self.run, attempt));
        let (cluster, inputs) = (self.cluster.clone(), self.inputs.clone());
        self.tasks.spawn(async move {
            let removed = remove(&cluster, &namespace, &name, uid, &identity).await;
            let _ = inputs.send(Input::Removed(block, removed));
        });
        if state == BlockState::TimedOut {
            self.attempt_ended(block, state, Some(cause), Fault::Own);
        } else {
            self.finish(block, state, Some(cause));
        }
    }

    /// Tells about a loss that lasts, and gives up on one that lasts too long.
    fn tick_contact(&mut self, now: Instant) {
        match self.contact.tick(now) {
            Ok(news) => news.into_iter().for_each(|text| self.notice(text)),
            Err(error) => self.stop = Some(Stop::ContactLost(error)),
        }
    }
}

/// Deletes a Job by UID; one whose POST was never answered only if it turns out to be ours.
async fn remove(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    uid: Option<String>,
    identity: &JobIdentity,
) -> Result<(), ClusterError> {
    let uid = match uid {
        Some(uid) => Some(uid),
        None => cluster
            .get_job(namespace, name)
            .await?
            .filter(|job| identity.matches(job))
            .and_then(|job| job.metadata.uid),
    };
    match uid {
        Some(uid) => cluster.delete_job(namespace, name, &uid).await.map(drop),
        None => Ok(()),
    }
}
