//! Reads one container's log: to whoever shows it, and to its file.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::{mpsc, watch};

use super::containers::{Containers, chosen};
use super::options::TailOptions;
use super::queue::{Places, Queued};
use crate::cluster::ContainerView;
use crate::logs::{End, Item, Keeper, LogEnd, LogOf, Part, PodLog, Until, follow};
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
        // Of a container that runs, nobody knows the end yet.
        let ends = part.until == Until::End || view.borrow().has_ended();
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
            kept
        };
        let (end, mut kept) = tokio::join!(reading, keeping);
        let is_complete = ends && matches!(end, End::Complete);
        kept.finish(if is_complete { LogEnd::Complete } else { LogEnd::CutOff }).await;
        end
    }
}

impl Kept {
    /// Keeps a log where logs are to be kept.
    pub(super) fn of(
        options: &TailOptions,
        (server, pod): (&str, &Pod),
        container: &str,
        label: &Label,
        notes: mpsc::UnboundedSender<(Arc<str>, String)>,
    ) -> Option<Self> {
        let folder = options.folder.as_ref()?;
        let mut of = LogOf::read(server, pod, container, &label.block, label.attempt);
        of.restart = options.part.first.of(of.restart);
        of.usual = chosen(pod, &Containers::Main).iter().any(|name| name == container);
        Some(Self { keeper: folder.keeper(of), notes, block: Arc::clone(&label.block) })
    }

    async fn keep(&mut self, item: &Item) {
        let notes = match item {
            Item::Lines(batch) => self.keeper.write(batch).await,
            Item::Restarted => self.keeper.restart().await,
            Item::Gap(_) => {
                self.keeper.gap();
                return;
            }
        };
        self.say(notes);
    }

    async fn flush(&mut self) {
        let notes = self.keeper.flush().await;
        self.say(notes);
    }

    async fn finish(&mut self, end: LogEnd) {
        let notes = self.keeper.finish(end).await;
        self.say(notes);
    }

    fn say(&self, notes: Vec<String>) {
        for note in notes {
            let _ = self.notes.send((Arc::clone(&self.block), note));
        }
    }
}
