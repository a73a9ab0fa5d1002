//! What a run tells, event by event.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;

use k8s_openapi::jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::outcome::exit_of;
use crate::logs::Level;

/// How far a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockState {
    /// It waits for its upstream blocks, or for a place.
    Waiting,
    /// An attempt failed, and another one follows.
    Retrying,
    /// Its Job is being created or has been.
    Created,
    /// Its pod, or the lack of one, has a reason to wait that is worth telling.
    Pending,
    /// Its container runs, or ran.
    Running,
    /// Its Job is complete.
    Complete,
    /// Its Job is complete, and its conditional said no.
    ConditionFalse,
    /// Its Job failed.
    Failed,
    /// It ran longer than its `timeout`; its Job was deleted.
    TimedOut,
    /// Its pod could not start; its Job was deleted.
    CouldNotStart,
    /// The API server took no Job of it.
    Refused,
    /// Somebody else deleted its Job.
    Gone,
    /// It was deleted because the run ended.
    Cancelled,
    /// It goes on in the cluster without this process.
    LeftRunning,
    /// It will never start, because of another block.
    Skipped,
    /// It did not start before the run ended.
    NotStarted,
}

impl BlockState {
    /// Every state.
    pub const ALL: [Self; 16] = [
        Self::Waiting,
        Self::Retrying,
        Self::Created,
        Self::Pending,
        Self::Running,
        Self::Complete,
        Self::ConditionFalse,
        Self::Failed,
        Self::TimedOut,
        Self::CouldNotStart,
        Self::Refused,
        Self::Gone,
        Self::Cancelled,
        Self::LeftRunning,
        Self::Skipped,
        Self::NotStarted,
    ];

    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Retrying => "Retrying",
            Self::Created => "Created",
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::ConditionFalse => "ConditionFalse",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::CouldNotStart => "CouldNotStart",
            Self::Refused => "Refused",
            Self::Gone => "Gone",
            Self::Cancelled => "Cancelled",
            Self::LeftRunning => "LeftRunning",
            Self::Skipped => "Skipped",
            Self::NotStarted => "NotStarted",
        }
    }

    /// Tells whether it ended in a way that wants a cause and a remedy.
    #[must_use]
    pub fn went_wrong(self) -> bool {
        exit_of(self).is_some()
    }

    /// Tells whether its Job is somewhere between creation and end.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Running)
    }
}

impl fmt::Display for BlockState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How far the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It begins.
    Started,
    /// It goes on where another client left it.
    Resumed,
    /// It is watched from now on.
    Attached,
    /// It is being cancelled.
    Cancelling,
    /// Every block is complete, or skipped by a condition.
    Complete,
    /// A block failed, could not start or was refused.
    Failed,
    /// A signal came; what runs goes on.
    Paused,
    /// A driver in the cluster goes on with it.
    Detached,
    /// A signal came to somebody who only watched; the run is not touched.
    Left,
    /// A signal came, and what ran was deleted; or somebody else cancelled it.
    Cancelled,
    /// `--timeout` passed.
    TimedOut,
    /// The API server was away for too long; what runs goes on.
    ContactLost,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Self::Started,
        Self::Resumed,
        Self::Attached,
        Self::Cancelling,
        Self::Complete,
        Self::Failed,
        Self::Paused,
        Self::Detached,
        Self::Left,
        Self::Cancelled,
        Self::TimedOut,
        Self::ContactLost,
    ];

    /// Tells whether nothing comes after it.
    #[must_use]
    pub fn is_last(self) -> bool {
        !matches!(self, Self::Started | Self::Resumed | Self::Attached | Self::Cancelling)
    }

    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Resumed => "Resumed",
            Self::Attached => "Attached",
            Self::Cancelling => "Cancelling",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Paused => "Paused",
            Self::Detached => "Detached",
            Self::Left => "Left",
            Self::Cancelled => "Cancelled",
            Self::TimedOut => "TimedOut",
            Self::ContactLost => "ContactLost",
        }
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The run as a whole.
    Run(RunState),
    /// A block changed its state.
    Block(BlockState),
    /// A pod of a block: an attempt failed, or something delays it.
    Pod,
    /// A line of a log.
    Log(Option<Level>),
    /// Something else worth knowing, such as a right that is missing.
    Notice,
}

/// One event.
#[derive(Debug)]
pub struct RunEvent {
    /// When: for a log line by the node's clock, otherwise by this machine's.
    pub time: Timestamp,
    /// About what.
    pub kind: EventKind,
    /// The block run's uuid, if it is about one.
    pub block: Option<Arc<str>>,
    /// The attempt, from 1: which pod of the block, restarts included.
    pub attempt: Option<u32>,
    /// The pod, if it is about one.
    pub pod: Option<Arc<str>>,
    /// One word why.
    pub reason: Option<String>,
    /// A sentence.
    pub message: Option<String>,
    /// The line of the log as the container wrote it.
    pub line: Option<String>,
    /// Given back once the line is written, so that no more than so many wait.
    pub(crate) slot: Option<OwnedSemaphorePermit>,
}

impl RunEvent {
    /// Makes an event of now that says nothing yet.
    #[must_use]
    pub fn new(kind: EventKind) -> Self {
        Self {
            time: Timestamp::now(),
            kind,
            block: None,
            attempt: None,
            pod: None,
            reason: None,
            message: None,
            line: None,
            slot: None,
        }
    }

    /// Gives back the place of a line in the queue; whoever keeps events must, or the logs stall.
    pub fn release(&mut self) {
        self.slot = None;
    }

    /// Says which block it is about.
    #[must_use]
    pub fn block(mut self, block: &Arc<str>) -> Self {
        self.block = Some(Arc::clone(block));
        self
    }

    /// Says which pod it is about.
    #[must_use]
    pub fn pod(mut self, pod: &Arc<str>, attempt: u32) -> Self {
        self.pod = Some(Arc::clone(pod));
        self.attempt = Some(attempt);
        self
    }

    /// Says which attempt it is about, where no pod of it is known.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// Gives the reason, one word.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into()).filter(|reason| !reason.is_empty());
        self
    }

    /// Gives the message, a sentence.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into()).filter(|message| !message.is_empty());
        self
    }
}

/// How many lines may wait to be written. States never wait: a slow terminal must not stall the
/// run.
const LINES_WAITING: usize = 4096;

/// Where events go. Cheap to clone; the stream ends when the last one is dropped.
#[derive(Clone, Debug)]
pub struct EventSender {
    events: mpsc::Sender<RunEvent>,
    slots: Arc<Semaphore>,
}

/// Makes a channel for events: the receiving end belongs to a thread of its own.
#[must_use]
pub fn channel() -> (EventSender, mpsc::Receiver<RunEvent>) {
    let (events, receiver) = mpsc::channel();
    (EventSender { events, slots: Arc::new(Semaphore::new(LINES_WAITING)) }, receiver)
}

impl EventSender {
    /// Sends an event at once. When nobody receives any more, it is lost, which harms nobody.
    pub fn send(&self, event: RunEvent) {
        let _ = self.events.send(event);
    }

    /// Sends a line of a log, once there is room for it.
    pub(crate) async fn send_line(&self, mut event: RunEvent) {
        event.slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        self.send(event);
    }
}
