//! What is told of logs and Jobs as it happens.

use tokio::sync::mpsc;

use crate::logs::Item;
use crate::run::RunEvent;
use crate::ui::Label;

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
