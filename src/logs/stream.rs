//! Follows one container's log to its end, over any number of streams.

use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt};
use k8s_openapi::jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::resume::{Admission, Cursor};
use crate::cluster::{ClusterError, ContainerPhase, ContainerView};

/// A silent stream is replaced after that long: a dead connection looks just like a quiet block,
/// and replacing one costs a request.
const IDLE: Duration = Duration::from_mins(1);
/// A silent stream of a container that has ended is given up after that long.
const IDLE_ENDED: Duration = Duration::from_secs(3);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// How often the API is asked about a container that nobody watches.
const UNWATCHED: Duration = Duration::from_secs(1);
/// How often the log of an ended container is asked for before it is given up.
const TRIES_AFTER_END: u32 = 6;
/// A line longer than this comes in pieces, or memory would have no bound.
const LONGEST_LINE: usize = 16 << 20;

/// What is asked of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whether to stay until the container ends.
    pub follow: bool,
    /// Whether the container before the last restart is meant.
    pub previous: bool,
    /// From which second on.
    pub since_second: Option<Timestamp>,
}

/// Where a log comes from.
pub trait Source: Send + Sync {
    /// The stream.
    type Body: AsyncBufRead + Unpin + Send;
    /// Opens a stream.
    fn open(&self, ask: Ask) -> impl Future<Output = Result<Self::Body, ClusterError>> + Send;
    /// Asks the API how far the container is.
    fn look(&self) -> impl Future<Output = Result<ContainerView, ClusterError>> + Send;
}

/// What following a log gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line, or a piece of a very long one.
    Line {
        /// When it was written, by the node's clock.
        time: Timestamp,
        /// What was written, with its line end if it has one.
        bytes: Vec<u8>,
    },
    /// Lines are missing here: the node rotated them away.
    Gap,
    /// The container was restarted; its lines follow.
    Restarted,
}

/// How following ended.
#[derive(Clone, Debug)]
pub enum End {
    /// The container ended, and its log was read to the end.
    Complete,
    /// The rest could not be read.
    Unreadable(ClusterError),
    /// The pod is gone, and what was not read yet with it.
    Gone,
}

/// How one stream ended.
enum Broke {
    /// It ended cleanly; what stood after the last line end.
    Clean(Option<(Timestamp, Vec<u8>)>),
    Error,
    Idle,
    /// Nobody listens any more.
    Deaf,
}

struct Follower<'a, S> {
    source: &'a S,
    view: watch::Receiver<ContainerView>,
    asked: ContainerView,
    items: &'a mpsc::Sender<Item>,
    cursor: Cursor,
    /// Which run of the container is read: its number of restarts.
    restarts: u32,
    delay: Duration,
    tries_after_end: u32,
}

/// Follows a container from its start to its end, restarts included, and sends what it wrote.
pub async fn follow<S: Source>(
    source: &S,
    view: watch::Receiver<ContainerView>,
    items: &mpsc::Sender<Item>,
) -> End {
    let restarts = view.borrow().restarts;
    let mut follower = Follower {
        source,
        view,
        asked: ContainerView::UNKNOWN,
        items,
        cursor: Cursor::default(),
        restarts,
        delay: FIRST_DELAY,
        tries_after_end: 0,
    };
    follower.run().await
}

impl<S: Source> Follower<'_, S> {
    async fn run(&mut self) -> End {
        loop {
            self.started().await;
            let view = self.current();
            let over = view.restarts > self.restarts
                || view.phase == ContainerPhase::Terminated
                || view.pod_ended;
            match self.read_once(view, over).await {
                Ok(Broke::Deaf) => return End::Complete,
                Ok(Broke::Clean(rest)) if over => {
                    if let Some((time, bytes)) = rest {
                        let _ = self.items.send(Item::Line { time, bytes }).await;
                    }
                    if !self.next_run(view).await {
                        return End::Complete;
                    }
                }
                Ok(Broke::Clean(_)) => {
                    self.look().await;
                }
                Ok(Broke::Error | Broke::Idle) => {
                    self.look().await;
                    if let Some(end) = self.back_off(over, None).await {
                        return end;
                    }
                }
                Err(error) => {
                    if let Some(end) = self.back_off(over, Some(error)).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Returns the newest that is known of the container: from the watch, or asked for.
    fn current(&self) -> ContainerView {
        let watched = *self.view.borrow();
        if rank(self.asked) > rank(watched) { self.asked } else { watched }
    }

    /// Waits until the container has started once.
    async fn started(&mut self) {
        let restarts = self.restarts;
        self.wait_until(|view| {
            view.phase != ContainerPhase::Waiting || view.restarts > restarts || view.pod_ended
        })
        .await;
    }

    async fn wait_until(&mut self, reached: impl Fn(&ContainerView) -> bool) {
        while !reached(&self.current()) {
            if self.view.changed().await.is_err() {
                // The watch is over; from here on only the API itself is asked.
                self.look().await;
                tokio::time::sleep(UNWATCHED).await;
            }
        }
    }

    /// Asks the API how far the container is, in case the watch is behind.
    async fn look(&mut self) {
        if let Ok(view) = self.source.look().await {
            self.asked = view;
        }
    }

    async fn read_once(&mut self, view: ContainerView, over: bool) -> Result<Broke, ClusterError> {
        let ask = Ask {
            follow: !over,
            previous: view.restarts > self.restarts,
            since_second: self.cursor.since_second(),
        };
        let body = self.source.open(ask).await?;
        self.cursor.resume();
        Ok(self.read(body).await)
    }

    async fn read(&mut self, mut body: S::Body) -> Broke {
        let mut line = Vec::new();
        // When the line was written whose pieces come.
        let mut cut = None;
        loop {
            let ended = self.current().phase == ContainerPhase::Terminated;
            let patience = if ended { IDLE_ENDED } else { IDLE };
            let more = match tokio::time::timeout(patience, body.fill_buf()).await {
                Err(_) => return Broke::Idle,
                Ok(Err(_)) => return Broke::Error,
                Ok(Ok(more)) => more,
            };
            if more.is_empty() {
                return Broke::Clean(self.rest(&line, cut));
            }
            // Pieces end at the same bytes in every stream, or a resumed one would double or lose some.
            let more = &more[..more.len().min(LONGEST_LINE - line.len())];
            let end = more.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(more.len(), |end| end + 1);
            line.extend_from_slice(&more[..taken]);
            body.consume_unpin(taken);
            if end.is_some() || line.len() == LONGEST_LINE {
                let Some((time, bytes)) = piece(std::mem::take(&mut line), cut) else {
                    return Broke::Error;
                };
                cut = if end.is_none() { Some(time) } else { None };
                self.delay = FIRST_DELAY;
                if !self.pass(time, bytes).await {
                    return Broke::Deaf;
                }
            }
        }
    }

    /// Returns the last line of a log that does not end in a line end, if it is a new one.
    fn rest(&self, line: &[u8], cut: Option<Timestamp>) -> Option<(Timestamp, Vec<u8>)> {
        let (time, bytes) = piece(line.to_vec(), cut)?;
        (self.cursor.clone().admit(time) != Admission::Drop).then_some((time, bytes))
    }

    /// Sends a line on if it is new; tells whether somebody listens.
    async fn pass(&mut self, time: Timestamp, bytes: Vec<u8>) -> bool {
        match self.cursor.admit(time) {
            Admission::Drop => return true,
            Admission::Pass => {}
            Admission::PassAfterGap => {
                if self.items.send(Item::Gap).await.is_err() {
                    return false;
                }
            }
        }
        self.items.send(Item::Line { time, bytes }).await.is_ok()
    }

    /// Goes on to the container's next run; tells whether there is one.
    async fn next_run(&mut self, view: ContainerView) -> bool {
        self.tries_after_end = 0;
        if view.restarts > self.restarts {
            self.restarts += 1;
            self.cursor = Cursor::default();
            return self.items.send(Item::Restarted).await.is_ok();
        }
        if view.pod_ended {
            return false;
        }
        let restarts = self.restarts;
        self.wait_until(|view| view.restarts > restarts || view.pod_ended).await;
        if self.current().restarts == restarts {
            return false;
        }
        self.restarts += 1;
        self.cursor = Cursor::default();
        self.items.send(Item::Restarted).await.is_ok()
    }

    /// Waits before the next try; returns the end when there is no point in one.
    async fn back_off(&mut self, over: bool, error: Option<ClusterError>) -> Option<End> {
        match error {
            Some(error @ ClusterError::Forbidden { .. }) => return Some(End::Unreadable(error)),
            Some(ClusterError::NotFound { .. }) => return Some(End::Gone),
            Some(error) if over => {
                self.tries_after_end += 1;
                if self.tries_after_end >= TRIES_AFTER_END && !error.is_transient() {
                    return Some(End::Unreadable(error));
                }
            }
            None if over => {
                self.tries_after_end += 1;
                if self.tries_after_end >= TRIES_AFTER_END {
                    return Some(End::Gone);
                }
            }
            // 400: the container is still to start, or nothing is known yet.
            _ => {}
        }
        tokio::time::sleep(self.delay).await;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        None
    }
}

/// Orders views by how far the container is.
fn rank(view: ContainerView) -> (bool, u32, u8) {
    let phase = match view.phase {
        ContainerPhase::Waiting => 0,
        ContainerPhase::Running => 1,
        ContainerPhase::Terminated => 2,
    };
    (view.pod_ended, view.restarts, phase)
}

/// Returns when a piece was written, and what; only the first piece of a line has a time in front.
fn piece(mut line: Vec<u8>, cut: Option<Timestamp>) -> Option<(Timestamp, Vec<u8>)> {
    if let Some(time) = cut {
        return (!line.is_empty()).then_some((time, line));
    }
    let (time, start) = stamp(&line)?;
    line.drain(..start);
    Some((time, line))
}

/// Splits `TIME TEXT` into the time and where the text begins; a line without a time is not the
/// container's but the kubelet's own words, such as `unable to retrieve container logs for
/// containerd://…`, served with status 200.
fn stamp(line: &[u8]) -> Option<(Timestamp, usize)> {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\n')).unwrap_or(line.len());
    let start = if line.get(end) == Some(&b' ') { end + 1 } else { end };
    Some((std::str::from_utf8(&line[..end]).ok()?.parse().ok()?, start))
}

#[cfg(test)]
mod tests {
    use super::{Ask, End, Item, Source, follow};
    use crate::cluster::{ClusterError, ContainerPhase, ContainerView};
    use futures::io::{AllowStdIo, BufReader};
    use std::io::{Cursor, Read};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::{mpsc, watch};

    const RUNNING: ContainerView =
        ContainerView { phase: ContainerPhase::Running, restarts: 0, pod_ended: false };
    const ENDED: ContainerView =
        ContainerView { phase: ContainerPhase::Terminated, restarts: 0, pod_ended: true };

    /// How a stream is to break, after so many bytes.
    #[derive(Clone, Copy, Debug)]
    enum Fault {
        Reset(usize),
        CleanEnd(usize),
        Body(&'static str),
    }

    /// A log that breaks as told, and then is whole.
    struct Faulty {
        log: Vec<u8>,
        faults: Mutex<Vec<Fault>>,
        ended: watch::Sender<ContainerView>,
        asked: AtomicUsize,
    }

    struct Reset;

    impl Read for Reset {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }

    impl Source for Faulty {
        type Body = BufReader<AllowStdIo<Box<dyn Read + Send>>>;

        async fn open(&self, ask: Ask) -> Result<Self::Body, ClusterError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let since = ask.since_second.map(|since| since.to_string());
            let mut bytes: Vec<u8> = Vec::new();
            for line in self.log.split_inclusive(|byte| *byte == b'\n') {
                let stamp = String::from_utf8_lossy(&line[..19]).into_owned();
                if since.as_ref().is_none_or(|since| stamp.as_str() >= &since[..19]) {
                    bytes.extend_from_slice(line);
                }
            }
            let fault = self.faults.lock().unwrap().pop();
            if fault.is_none() {
                self.ended.send_replace(ENDED);
            }
            let body: Box<dyn Read + Send> = match fault {
                None => Box::new(Cursor::new(bytes)),
                Some(Fault::Body(text)) => Box::new(Cursor::new(text.as_bytes())),
                Some(Fault::CleanEnd(at)) => {
                    bytes.truncate(at);
                    Box::new(Cursor::new(bytes))
                }
                Some(Fault::Reset(at)) => {
                    bytes.truncate(at);
                    Box::new(Cursor::new(bytes).chain(Reset))
                }
            };
            Ok(BufReader::new(AllowStdIo::new(body)))
        }

        async fn look(&self) -> Result<ContainerView, ClusterError> {
            Ok(*self.ended.borrow())
        }
    }

    fn read_all(log: impl AsRef<[u8]>, mut faults: Vec<Fault>) -> (Vec<Item>, End) {
        faults.reverse();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (sender, receiver) = watch::channel(RUNNING);
            let source = Faulty {
                log: log.as_ref().to_vec(),
                faults: Mutex::new(faults),
                ended: sender,
                asked: AtomicUsize::new(0),
            };
            let (items, mut read) = mpsc::channel(100_000);
            let end = follow(&source, receiver, &items).await;
            drop(items);
            let mut all = Vec::new();
            while let Some(item) = read.recv().await {
                all.push(item);
            }
            (all, end)
        })
    }

    fn texts(items: &[Item]) -> Vec<&str> {
        items
            .iter()
            .map(|item| match item {
                Item::Line { bytes, .. } => {
                    let text = std::str::from_utf8(bytes).unwrap();
                    text.strip_suffix('\n').unwrap_or(text)
                }
                Item::Gap => "(gap)",
                Item::Restarted => "(restarted)",
            })
            .collect()
    }

    fn bytes(items: &[Item]) -> Vec<u8> {
        let mut all = Vec::new();
        for item in items {
            if let Item::Line { bytes, .. } = item {
                all.extend_from_slice(bytes);
            }
        }
        all
    }

    fn numbered(lines: usize) -> String {
        (0..lines).fold(String::new(), |log, n| {
            log + &format!("2026-11-23T10:00:{:02}.{:09}Z line {n}\n", n / 40, (n % 40) / 2 * 1000)
        })
    }

    #[test]
    fn resets_and_clean_ends_lose_and_double_nothing() {
        let log = numbered(400);
        let faults = vec![
            Fault::Reset(17),
            Fault::CleanEnd(5_000),
            Fault::Reset(0),
            Fault::CleanEnd(0),
            Fault::Reset(4_321),
            Fault::Body("unable to retrieve container logs for containerd://abc"),
            Fault::CleanEnd(6_789),
        ];
        let (items, end) = read_all(&log, faults);
        let expected: Vec<String> = (0..400).map(|n| format!("line {n}")).collect();
        assert_eq!(texts(&items), expected);
        assert!(matches!(end, End::Complete));
    }

    #[test]
    fn odd_lines_come_whole() {
        let long = "x".repeat(1 << 20);
        let text = format!(
            "2026-11-23T10:00:00.1Z {long}\n2026-11-23T10:00:00.2Z \n2026-11-23T10:00:00.3Z a\rb\0c\n2026-11-23T10:00:01Z no end"
        );
        let (items, _) = read_all(&text, vec![Fault::CleanEnd(text.len()), Fault::Reset(100)]);
        assert_eq!(texts(&items), [long.as_str(), "", "a\rb\0c", "no end"]);
    }

    #[test]
    fn bytes_come_as_they_are() {
        let log = b"2026-11-23T10:00:00.1Z \xff\xfe\0 \r\n2026-11-23T10:00:00.2Z \xe9";
        let (items, _) = read_all(log, vec![Fault::CleanEnd(30)]);
        assert_eq!(bytes(&items), b"\xff\xfe\0 \r\n\xe9");
    }

    #[test]
    fn a_line_without_bounds_comes_in_pieces_and_whole() {
        let long = "x".repeat(2 * super::LONGEST_LINE + 100);
        let text = format!("2026-11-23T10:00:00.1Z {long}\n2026-11-23T10:00:00.2Z next\n");
        let (items, _) = read_all(&text, vec![Fault::Reset(super::LONGEST_LINE + 50_000)]);
        assert!(items.len() > 3, "{}", items.len());
        assert!(bytes(&items) == format!("{long}\nnext\n").into_bytes(), "bytes are missing");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_cuts_give_the_same_log(cuts in proptest::collection::vec((0_usize..9_000, proptest::bool::ANY), 0..12)) {
            let log = numbered(200);
            let faults = cuts
                .into_iter()
                .map(|(at, reset)| if reset { Fault::Reset(at) } else { Fault::CleanEnd(at) })
                .collect();
            let (items, _) = read_all(&log, faults);
            let expected: Vec<String> = (0..200).map(|n| format!("line {n}")).collect();
            assert_eq!(texts(&items), expected);
        }
    }
}
