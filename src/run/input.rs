//! What the dispatcher learns from its workers.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};

use super::launch::Refusal;
use super::lease::LeaseNews;
use crate::cluster::{ClusterError, Watched};
use crate::logs::FalseCondition;

/// One thing learned.
#[derive(Debug)]
pub(super) enum Input {
    /// From the watch on Jobs, of a namespace.
    Job(Box<Watched<Job>>),
    /// From the watch on pods.
    Pod(Box<Watched<Pod>>),
    /// From the watch on the recorded plan.
    Plan(Box<Watched<ConfigMap>>),
    /// The plan was read: somebody cancelled the run.
    Cancelled,
    /// From the watch on the events of one Job.
    Event(usize, Box<Watched<Event>>),
    /// The Job of a block and attempt stands in the cluster, or never will.
    Launched(usize, u32, Box<Result<Job, Refusal>>),
    /// A Job could not be created just now; it is tried again.
    LaunchDelayed(usize, ClusterError),
    /// The Job of a block and attempt was read by name.
    Read(usize, u32, Result<Option<Box<Job>>, ClusterError>),
    /// A pod's log was read to its end.
    LogEnded(LogEnd),
    /// What is left of a run of which a Job was deleted by somebody else.
    Presence(usize, Presence),
    /// Who drives the run.
    Lease(LeaseNews),
    /// Something was noted with the plan, or could not be.
    Noted(Result<(), ClusterError>),
    /// What is about to start could not be noted; it starts all the same.
    BeginNotNoted(ClusterError),
    /// The Job of a block that could not start was deleted, or not.
    Removed(usize, Result<(), ClusterError>),
}

/// What a pod's log held at its end.
#[derive(Debug)]
pub(super) struct LogEnd {
    /// The block.
    pub(super) block: usize,
    /// The pod's UID.
    pub(super) pod: String,
    /// Its last lines, readable.
    pub(super) tail: Vec<String>,
    /// Its last traceback, which may be long before them.
    pub(super) traceback: Vec<String>,
    /// Why the block did not run, if a conditional of it said no.
    pub(super) condition: Option<FalseCondition>,
    /// Whether the log tells of that at all.
    pub(super) is_decided: bool,
    /// What Mage did inside of the pod that its end does not tell, a sentence each.
    pub(super) notes: Vec<String>,
    /// Why the rest could not be read, if it could not.
    pub(super) trouble: Option<String>,
}

/// What is left of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// The plan and other Jobs are there: only this Job was deleted.
    Rest,
    /// The plan says so, or it or every Job is gone: somebody cancelled the run.
    Nothing,
}
