//! What is told of logs and Jobs as it happens.

use tokio::sync::mpsc;

use crate::logs::Item;
use crate::run::RunEvent;
use crate::ui::Label;

/// A log that begins.
#[derive(Debug)]
pub struct Told {
    /// Whose.
    pub label: Label,
    /// What it says; the log has ended when no more comes.
    pub items: mpsc::Receiver<Item>,
}

/// Takes what is to be shown; none of it waits for the other.
#[derive(Clone, Debug)]
pub struct Teller {
    /// Logs that begin.
    pub logs: mpsc::UnboundedSender<Told>,
    /// What is to be said about Jobs, pods or all of it.
    pub events: mpsc::UnboundedSender<RunEvent>,
}
