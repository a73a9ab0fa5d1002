//! What is told of logs and Jobs as it happens.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::logs::Item;
use crate::run::RunEvent;

/// Whose log it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The block run's uuid; of a Job that is no block's, its name.
    pub block: Arc<str>,
    /// The attempt at the block, from 1: pods and restarts are counted.
    pub attempt: u32,
    /// The container, where it is not the one that runs the block.
    pub container: Option<Arc<str>>,
    /// The pod.
    pub pod: Arc<str>,
    /// Its Job.
    pub job: Option<Arc<str>>,
    /// Their namespace.
    pub namespace: Arc<str>,
    /// The run.
    pub run: Option<Arc<str>>,
}

/// Something to show.
#[derive(Debug)]
pub enum Told {
    /// A log begins.
    Log {
        /// Whose.
        label: Label,
        /// What it says; the log has ended when no more comes.
        items: mpsc::Receiver<Item>,
    },
    /// Something about a Job, a pod or all of it.
    Event(RunEvent),
}
