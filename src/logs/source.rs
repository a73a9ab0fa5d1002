//! Where a log comes from, which part of it is read, and what that gives.

use bytes::Bytes;
use futures::Stream;
use k8s_openapi::jiff::Timestamp;

use super::batch::Batch;
use crate::cluster::{ClusterError, ContainerView};

/// What is asked of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whether to stay until the container ends.
    pub follow: bool,
    /// Whether the container before the last restart is meant.
    pub previous: bool,
    /// From which second on.
    pub since_second: Option<Timestamp>,
    /// Only that many lines from the end.
    pub tail_lines: Option<u32>,
}

/// Where a log comes from.
pub trait Source: Send + Sync {
    /// The stream.
    type Body: Stream<Item = Result<Bytes, Self::Error>> + Unpin + Send;
    /// How a stream breaks.
    type Error: Send;
    /// Opens a stream.
    fn open(&self, ask: Ask) -> impl Future<Output = Result<Self::Body, ClusterError>> + Send;
    /// Asks the API how far the container is.
    fn look(&self) -> impl Future<Output = Result<ContainerView, ClusterError>> + Send;
}

/// What following a log gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Lines that came together; of a very long line it may be a piece.
    Lines(Batch),
    /// Lines are missing here: the node rotated them away.
    Gap(Gap),
    /// The container was restarted; its lines follow.
    Restarted,
}

/// Where lines are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the line before it was written, if there was one.
    pub last: Option<Timestamp>,
    /// When the line after it was written, if there is one.
    pub next: Option<Timestamp>,
}

impl Gap {
    /// Says what is missing, and how much that is in time.
    #[must_use]
    pub fn sentence(&self) -> String {
        match (self.last, self.next) {
            (Some(last), Some(next)) => {
                let seconds = next.duration_since(last).as_secs_f64();
                format!(
                    "up to {seconds:.3} s of the log may be missing here, from {last} to {next}: the node has rotated it"
                )
            }
            (Some(last), None) => {
                format!("the log may go on after {last}: the node has rotated it away")
            }
            (None, _) => "the log before this is gone from the node".to_owned(),
        }
    }
}

/// How following ended.
#[derive(Clone, Debug)]
pub enum End {
    /// The container ended, and its log was read to the end; or as far as it was asked for.
    Complete,
    /// The rest could not be read.
    Unreadable(ClusterError),
    /// The pod is gone, and what was not read yet with it.
    Gone,
}

/// Which part of a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// How far.
    pub until: Until,
    /// Which run of the container comes first.
    pub first: FirstRun,
    /// From when on.
    pub since: Option<Timestamp>,
    /// Only that many lines from the end of what is there.
    pub tail_lines: Option<u32>,
}

/// How far a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// To the end of the container, restarts included.
    #[default]
    End,
    /// As far as it goes now.
    Now,
}

/// Which run of a container is read first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstRun {
    /// The present one.
    #[default]
    Present,
    /// The one before it, if there was one; of older ones nodes keep no log.
    Previous,
    /// The one before it and no other.
    OnlyPrevious,
}

impl FirstRun {
    /// Returns that run, of a container that was restarted so often.
    pub(crate) fn of(self, restarts: u32) -> u32 {
        if self == Self::Present { restarts } else { restarts.saturating_sub(1) }
    }
}
