//! Reads one container's log: to whoever shows it, and to its file.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::queue::{Places, Queued};
use crate::cluster::ContainerView;
use crate::logs::{End, Item, Keeper, LogFolder, Part, PodLog, follow};
use crate::ui::Label;

/// How many batches wait to be shown.
const WAITING: usize = 2;

/// What to read, and where it goes.
pub(super) struct Reader {
    pub(super) log: PodLog,
    pub(super) places: Places,
    pub(super) part: Part,
    pub(super) view: watch::Receiver<ContainerView>,
    pub(super) items: mpsc::Sender<Item>,
    pub(super) kept: Option<Kept>,
}

/// Where a log is kept.
pub(super) struct Kept {
    pub(super) keeper: Keeper,
    pub(super) attempt: u32,
    /// Takes what is to be said about it.
    pub(super) notes: mpsc::UnboundedSender<(Arc<str>, String)>,
    pub(super) block: Arc<str>,
}

/// Makes the channel by which a log is shown.
pub(super) fn channel() -> (mpsc::Sender<Item>, mpsc::Receiver<Item>) {
    mpsc::channel(WAITING)
}

impl Reader {
    /// Reads to the end.
    pub(super) async fn run(self) -> End {
        let source = Queued { source: self.log, places: self.places };
        let Some(kept) = self.kept else {
            return follow(&source, self.part, self.view, &self.items).await;
        };
        let (sender, mut received) = mpsc::channel(WAITING);
        let (part, view) = (self.part, self.view);
        let reading = async move {
            let end = follow(&source, part, view, &sender).await;
            drop(sender);
            end
        };
        let keeping = async {
            let mut kept = kept;
            while let Some(item) = received.recv().await {
                kept.keep(&item).await;
                if received.is_empty() {
                    kept.flush().await;
                }
                // Whoever no longer looks does not end the keeping.
                let _ = self.items.send(item).await;
            }
            kept.flush().await;
        };
        let (end, ()) = tokio::join!(reading, keeping);
        end
    }
}

impl Kept {
    /// Keeps a log in a folder.
    pub(super) fn of(
        folder: &LogFolder,
        label: &Label,
        notes: mpsc::UnboundedSender<(Arc<str>, String)>,
    ) -> Self {
        let stem: Arc<str> = match &label.container {
            None => Arc::clone(&label.block),
            Some(container) => format!("{}.{container}", label.block).into(),
        };
        let keeper = folder.keeper(&stem, label.attempt);
        Self { keeper, attempt: label.attempt, notes, block: Arc::clone(&label.block) }
    }

    async fn keep(&mut self, item: &Item) {
        let note = match item {
            Item::Lines(batch) => self.keeper.write(batch.bytes()).await,
            Item::Restarted => {
                self.attempt += 1;
                self.keeper.go_to(self.attempt).await
            }
            Item::Gap(_) => None,
        };
        self.say(note);
    }

    async fn flush(&mut self) {
        let note = self.keeper.flush().await;
        self.say(note);
    }

    fn say(&self, note: Option<String>) {
        if let Some(note) = note {
            let _ = self.notes.send((Arc::clone(&self.block), note));
        }
    }
}
