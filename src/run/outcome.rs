//! How a run ended, for the summary and the exit code.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::attempts::AttemptReport;
use super::events::{BlockState, RunState};
use super::signals::Signal;
use crate::cluster::ClusterError;
use crate::diagnose::Cause;
use crate::exit::Exit;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The run's id.
    pub run: String,
    /// Its state.
    pub state: RunState,
    /// The exit code it stands for.
    pub exit: Exit,
    /// The blocks, in the plan's order.
    pub blocks: Vec<BlockReport>,
    /// How long it took.
    pub duration: SignedDuration,
    /// What stopped it from outside, if something did: for messages.
    pub stopped_by: Option<Stop>,
    /// Jobs or pods that are still there although they should not, as `job.batch/NAME in namespace NS`.
    pub remaining: Vec<String>,
    /// Whether the plan, or an outline of it, is recorded in the cluster.
    pub recorded: bool,
    /// The namespace of the plan.
    pub plan_namespace: String,
}

/// How a block ended.
#[derive(Clone, Debug)]
pub struct BlockReport {
    /// The block run's uuid.
    pub uuid: String,
    /// Its type.
    pub block_type: String,
    /// Its last state.
    pub state: BlockState,
    /// The namespace of its Job.
    pub namespace: String,
    /// Its Job's name.
    pub job: String,
    /// Its last pod.
    pub pod: Option<String>,
    /// How many pods (or container runs) it took.
    pub attempts: u32,
    /// When its Job was created, by the server's clock.
    pub started: Option<Timestamp>,
    /// From its Job's creation to its end, by the server's clock.
    pub duration: Option<SignedDuration>,
    /// Why it is not complete.
    pub cause: Option<Cause>,
    /// The last lines of its log.
    pub tail: Vec<String>,
    /// Each attempt of which something is known.
    pub history: Vec<AttemptReport>,
}

/// What stops a run before its blocks are through.
#[derive(Clone, Debug)]
pub enum Stop {
    /// A signal.
    Signal(Signal),
    /// `--timeout`.
    TimedOut,
    /// Somebody else deleted the plan, or every Job.
    CancelledElsewhere,
    /// Nothing runs any more, and nobody drives the run that was watched.
    Undriven,
    /// Somebody gave the run another plan.
    Replanned,
    /// The API server was away for too long.
    ContactLost(ClusterError),
}

impl Stop {
    /// Returns the exit code it stands for.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Signal(signal) => signal.exit(),
            Self::TimedOut => Exit::TimedOut,
            Self::Undriven => Exit::No,
            Self::CancelledElsewhere => Exit::Cancelled,
            Self::Replanned | Self::ContactLost(_) => Exit::Cluster,
        }
    }
}

/// Returns the exit code of a block's end, if it is not a good one.
pub(super) fn exit_of(state: BlockState) -> Option<Exit> {
    match state {
        BlockState::Failed | BlockState::TimedOut | BlockState::Gone => Some(Exit::No),
        BlockState::CouldNotStart => Some(Exit::CouldNotStart),
        BlockState::Refused => Some(Exit::Cluster),
        _ => None,
    }
}
