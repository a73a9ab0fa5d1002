//! At most so many logs are open at once; the others take turns.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use crate::cluster::{ClusterError, ContainerView};
use crate::logs::{Ask, Source};

/// A log that is followed gives its place up after that long, if another one waits for it.
const TURN: Duration = Duration::from_secs(10);

/// The places for open logs.
#[derive(Clone, Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            waiting: Arc::default(),
        }
    }

    /// Returns how many logs wait for a place.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.free);
        if let Ok(permit) = Arc::clone(&free).try_acquire_owned() {
            return Some(permit);
        }
        let _waits = Waits::begin(&self.waiting);
        // Nobody closes it; without a place a log is read all the same.
        free.acquire_owned().await.ok()
    }
}

/// Counts one that waits for as long as it lives.
struct Waits(Arc<AtomicUsize>);

impl Waits {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A source that waits for a place before it opens a log.
pub(super) struct Queued<S> {
    pub(super) source: S,
    pub(super) places: Places,
}

/// A log that takes up a place.
pub(super) struct Turn<B> {
    body: B,
    places: Places,
    _place: Option<OwnedSemaphorePermit>,
    /// When its turn is over; one that is not followed ends by itself.
    over: Option<Pin<Box<Sleep>>>,
}

/// Why a stream broke.
pub(super) enum Broken {
    /// It was another one's turn.
    TurnOver,
    /// By itself.
    Stream,
}

impl<S: Source> Source for Queued<S> {
    type Body = Turn<S::Body>;
    type Error = Broken;

    async fn open(&self, ask: Ask) -> Result<Self::Body, ClusterError> {
        let place = self.places.take().await;
        let body = self.source.open(ask).await?;
        let over = ask.follow.then(|| Box::pin(tokio::time::sleep(TURN)));
        Ok(Turn { body, places: self.places.clone(), _place: place, over })
    }

    async fn look(&self) -> Result<ContainerView, ClusterError> {
        self.source.look().await
    }
}

impl<B, E> Stream for Turn<B>
where
    B: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(over) = &mut this.over
            && over.as_mut().poll(context).is_ready()
        {
            if this.places.waiting() > 0 {
                return Poll::Ready(Some(Err(Broken::TurnOver)));
            }
            over.as_mut().reset(Instant::now() + TURN);
            let _ = over.as_mut().poll(context);
        }
        this.body
            .poll_next_unpin(context)
            .map(|next| next.map(|bytes| bytes.map_err(|_| Broken::Stream)))
    }
}
