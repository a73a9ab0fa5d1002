//! Follows one container's log to its end, over any number of streams.

use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::batch::Batch;
use super::lines::{Cut, Lines};
use super::patience::Patience;
use super::resume::{Admission, Cursor};
use super::source::{Ask, End, FirstRun, Gap, Item, Part, Source, Until};
use crate::cluster::{ClusterError, ContainerPhase, ContainerView};

/// A silent stream that followed a container which has ended is given up after that long.
const IDLE_ENDED: Duration = Duration::from_secs(3);
/// How often the API is asked about a container that nobody watches.
const UNWATCHED: Duration = Duration::from_secs(1);
/// How long a log that may not change any more is asked for in vain, before it is given up. A kubelet under
/// load is silent for long while it looks for the second that is asked for, in files of gibibytes.
const FRUITLESS: Duration = Duration::from_mins(5);
/// The same while the API server itself is away, or takes the credentials for none.
const AWAY: Duration = Duration::from_mins(10);
/// The same for whoever only wants what is there now.
const AWAY_NOW: Duration = Duration::from_secs(30);
/// How long nothing may be said but that there is no log, before it is believed.
const NO_LOG: Duration = Duration::from_secs(5);
/// How many streams have to end in the same place, where that is not right after the last line seen.
const AGREEING: u32 = 3;
/// How often a log is read that grows all the time, for whoever only wants what is there now.
const ENOUGH_NOW: u32 = 16;
/// A stream that nobody could take from for so long is replaced: a kubelet that cannot go on misses
/// files that the node rotates meanwhile, and says nothing of it.
const STALE: Duration = Duration::from_secs(3);
/// The same where two lines are so far apart in time, after so many bytes that a file may have come to its
/// end between them.
const JUMP: SignedDuration = SignedDuration::from_secs(1);
const LONG: u64 = 1 << 20;
/// How much comes together at most.
const LARGEST_BATCH: usize = 64 << 10;

/// How one stream ended.
enum Broke {
    /// It ended cleanly.
    Clean,
    Error,
    Idle,
    /// The kubelet may have left something out.
    Stale,
    /// It held something that the kubelet said in the place of a log.
    Words,
    /// Nobody listens any more.
    Deaf,
}

/// Whether to go on.
enum Step {
    Again,
    End(End),
}

struct Follower<'a, S> {
    source: &'a S,
    part: Part,
    view: watch::Receiver<ContainerView>,
    asked: ContainerView,
    items: &'a mpsc::Sender<Item>,
    cursor: Cursor,
    lines: Lines,
    /// Which run of the container is read: its number of restarts.
    restarts: u32,
    patience: Patience,
    /// Whether the present stream stays until the container ends.
    follows: bool,
    /// Whether it gave something new.
    news: bool,
    /// Whether something new came of a run that had ended already, so that it may be the next one's.
    is_doubtful: bool,
    /// Where the last stream ended that ended cleanly, and how many in a row did there.
    ended_at: Option<(Cut, u32)>,
    /// How often a stream of a container that runs ended cleanly.
    well_ended: u32,
    /// Since when nothing new has come.
    fruitless: Instant,
    /// Since when nothing but that there is no log is said.
    no_log: Option<Instant>,
}

/// Reads a part of a container's log and sends what it wrote: by default from its start to its end,
/// restarts included.
pub async fn follow<S: Source>(
    source: &S,
    part: Part,
    view: watch::Receiver<ContainerView>,
    items: &mpsc::Sender<Item>,
) -> End {
    let restarts = part.first.of(view.borrow().restarts);
    let mut follower = Follower {
        source,
        part,
        view,
        asked: ContainerView::UNKNOWN,
        items,
        cursor: part.since.map_or_else(Cursor::default, Cursor::since),
        lines: Lines::default(),
        restarts,
        patience: Patience::default(),
        follows: false,
        news: false,
        is_doubtful: false,
        ended_at: None,
        well_ended: 0,
        fruitless: Instant::now(),
        no_log: None,
    };
    loop {
        if let Step::End(end) = follower.step().await {
            return end;
        }
    }
}

impl<S: Source> Follower<'_, S> {
    /// Reads one stream and decides what comes then.
    async fn step(&mut self) -> Step {
        if self.part.until == Until::End {
            self.started().await;
        } else if self.current().phase == ContainerPhase::Waiting && !self.is_past(self.current()) {
            return Step::End(End::Complete);
        }
        if self.may_be_restarted() {
            // Whose log the API gives, it does not say: nobody is to take that of the next run for this one's.
            self.look().await;
        }
        let view = self.current();
        if view.restarts > self.restarts + 1 {
            // Nodes keep the log of the last run but one at most.
            return self.skip_to(view.restarts - 1).await;
        }
        let over = self.is_over(view);
        match self.read_once(view, over).await {
            Ok(Broke::Deaf) => Step::End(End::Complete),
            Ok(Broke::Clean) => self.clean(view, over).await,
            Ok(Broke::Idle) => {
                self.patience.silent();
                self.look().await;
                if over { self.back_off(over, None).await } else { Step::Again }
            }
            Ok(Broke::Stale) => Step::Again,
            Ok(Broke::Words) if over && self.is_gone() => self.without_log(view).await,
            Ok(Broke::Error | Broke::Words) => {
                self.look().await;
                self.back_off(over, None).await
            }
            Err(error) => self.back_off(over, Some(error)).await,
        }
    }

    /// Tells whether the run that is read has ended, and another one may begin at any moment.
    fn may_be_restarted(&self) -> bool {
        let view = self.current();
        view.phase == ContainerPhase::Terminated && !view.pod_ended && !self.is_past(view)
    }

    /// Notes that the kubelet knows of no log; tells whether it has said so for long enough.
    fn is_gone(&mut self) -> bool {
        self.no_log.get_or_insert_with(Instant::now).elapsed() >= NO_LOG
    }

    /// Goes on without the log of a run that the node keeps no more.
    async fn without_log(&mut self, view: ContainerView) -> Step {
        if self.is_past(view) && self.part.first != FirstRun::OnlyPrevious {
            return self.skip_to(view.restarts).await;
        }
        Step::End(End::Gone)
    }

    /// Tells whether the run that is read is not the present one.
    fn is_past(&self, view: ContainerView) -> bool {
        view.restarts > self.restarts
    }

    /// Tells whether the run that is read has ended.
    fn is_over(&self, view: ContainerView) -> bool {
        self.is_past(view) || view.has_ended()
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
        let fresh = self.cursor.newest().is_none();
        let ask = Ask {
            follow: !over && self.part.until == Until::End,
            // While it waits to be started again, that means the same before and after.
            previous: self.is_past(view) || view.phase == ContainerPhase::BackOff,
            since_second: self.cursor.since_second(),
            tail_lines: self.part.tail_lines.filter(|_| fresh),
        };
        self.news = false;
        self.follows = ask.follow;
        let body = self.source.open(ask).await?;
        self.cursor.resume();
        self.lines.begin();
        let broke = self.read(body).await;
        self.is_doubtful |= self.news && !ask.previous && view.phase == ContainerPhase::Terminated;
        if !matches!(broke, Broke::Words) {
            self.no_log = None;
        }
        Ok(broke)
    }

    async fn read(&mut self, body: S::Body) -> Broke {
        let mut batch = Batch::default();
        let (Ok(broke) | Err(broke)) = self.read_into(body, &mut batch).await;
        // However it ended, what was taken from it counts as read.
        match send(self.items, &mut batch).await {
            Err(Broke::Deaf) => Broke::Deaf,
            _ => broke,
        }
    }

    /// Reads a stream to its end, of which the last lines may be left in the batch; the error is an end
    /// that this side makes.
    async fn read_into(&mut self, mut body: S::Body, batch: &mut Batch) -> Result<Broke, Broke> {
        loop {
            let next = if let Some(next) = body.next().now_or_never() {
                next
            } else {
                // Nothing more is here yet, so nobody is to wait for what is.
                self.send(batch).await?;
                match self.wait_for(&mut body).await {
                    Some(next) => next,
                    None => return Ok(Broke::Idle),
                }
            };
            match next {
                Some(Ok(bytes)) => {
                    let taken = self.take(&bytes, batch).await;
                    if self.news {
                        self.fruitless = Instant::now();
                        self.patience.progress();
                    }
                    taken?;
                }
                Some(Err(_)) => return Ok(Broke::Error),
                None if self.lines.has_words() => return Ok(Broke::Words),
                None => return Ok(Broke::Clean),
            }
        }
    }

    /// Sends what came together. A log that grows no more is not rotated either.
    async fn send(&self, batch: &mut Batch) -> Result<(), Broke> {
        match send(self.items, batch).await {
            Err(Broke::Stale) if !self.follows => Ok(()),
            sent => sent,
        }
    }

    /// Waits for more of a stream, as long as is reasonable.
    async fn wait_for(&self, body: &mut S::Body) -> Option<Option<Result<Bytes, S::Error>>> {
        let ended = self.follows && self.is_over(self.current());
        let patience = if ended { IDLE_ENDED } else { self.patience.idle() };
        tokio::time::timeout(patience, body.next()).await.ok()
    }

    /// Takes in what a stream gave.
    async fn take(&mut self, mut bytes: &[u8], batch: &mut Batch) -> Result<(), Broke> {
        let is_long = self.follows && self.lines.length() >= LONG;
        let jumps = |newest: Timestamp, time: Timestamp| time.duration_since(newest) > JUMP;
        while let Some((time, line)) = self.lines.next(&mut bytes) {
            if is_long && self.cursor.newest().is_some_and(|newest| jumps(newest, time)) {
                return Err(Broke::Stale);
            }
            match self.cursor.admit(time) {
                Admission::Drop => continue,
                Admission::Pass => {}
                Admission::PassAfterGap { last } => {
                    let gap = Item::Gap(Gap { last: Some(last), next: Some(time) });
                    // The line itself is still to be taken, whatever becomes of the stream.
                    if let Err(Broke::Deaf) = send(self.items, batch).await {
                        return Err(Broke::Deaf);
                    }
                    self.items.send(gap).await.map_err(|_| Broke::Deaf)?;
                }
            }
            self.news = true;
            batch.push(time, line);
            if self.part.tail_lines.is_some() {
                self.cursor.begin_here();
            }
            if batch.bytes().len() >= LARGEST_BATCH {
                self.send(batch).await?;
            }
        }
        Ok(())
    }

    /// Decides what a clean end means.
    async fn clean(&mut self, view: ContainerView, over: bool) -> Step {
        if !over && self.part.until == Until::End {
            self.look().await;
            return self.back_off(false, None).await;
        }
        if !over && self.cursor.newest().is_some() && self.cursor.lost().is_none() {
            // Whoever writes all the time would be followed for ever.
            self.well_ended += 1;
            if self.well_ended == ENOUGH_NOW {
                return Step::End(End::Complete);
            }
        }
        if !self.is_settled() {
            let wait = self.patience.wait(self.news, None);
            tokio::time::sleep(wait).await;
            return Step::Again;
        }
        if !self.finish().await {
            return Step::End(End::Complete);
        }
        self.next_run(view).await
    }

    /// Tells whether a clean end is the log's. A stream may be cut off cleanly at any byte, so it is only
    /// if it comes right after the last line seen, or if several streams end in the same place.
    fn is_settled(&mut self) -> bool {
        let place = self.lines.rest();
        let before = self.ended_at.filter(|(before, _)| *before == place && !self.news);
        let agreeing = before.map_or(1, |(_, count)| count + 1);
        self.ended_at = Some((place, agreeing));
        let reached = self.cursor.newest().is_some() && self.cursor.lost().is_none();
        let enough = if !reached {
            AGREEING
        } else if place.is_nothing() {
            1
        } else {
            2
        };
        !self.news && agreeing >= enough
    }

    /// Sends what stands after the last line end, and says if the end is gone; tells whether somebody
    /// listens.
    async fn finish(&mut self) -> bool {
        if let Some(last) = self.cursor.lost() {
            let gap = Item::Gap(Gap { last: Some(last), next: None });
            if self.items.send(gap).await.is_err() {
                return false;
            }
        }
        let mut batch = Batch::default();
        if let Some((time, bytes)) = self.lines.take_rest()
            && self.cursor.admit(time) != Admission::Drop
        {
            batch.push(time, &bytes);
        }
        !matches!(send(self.items, &mut batch).await, Err(Broke::Deaf))
    }

    /// Goes on to the container's next run, if there is one.
    async fn next_run(&mut self, view: ContainerView) -> Step {
        if self.part.first == FirstRun::OnlyPrevious
            || (self.part.until != Until::End && !self.is_past(view))
        {
            return Step::End(End::Complete);
        }
        if self.is_past(view) {
            // What may have been the next run's is not taken twice.
            let seen = self.cursor.newest().filter(|_| self.is_doubtful);
            return self.restart(self.restarts + 1, seen).await;
        }
        if view.pod_ended {
            return Step::End(End::Complete);
        }
        self.look().await;
        let restarts = self.restarts;
        // What was read may have been the next run's already: the API does not say whose log it gives.
        let doubtful = view.phase != ContainerPhase::BackOff && self.current().restarts > restarts;
        self.wait_until(|view| view.restarts > restarts || view.pod_ended).await;
        if self.current().restarts == restarts {
            return Step::End(End::Complete);
        }
        let seen = self.cursor.newest().filter(|_| doubtful);
        self.restart(restarts + 1, seen).await
    }

    /// Goes to the log of another run of the container, of which it may be that some was seen already.
    async fn restart(&mut self, restarts: u32, seen: Option<Timestamp>) -> Step {
        self.restarts = restarts;
        self.is_doubtful = false;
        let unseen = seen.and_then(|seen| seen.checked_add(SignedDuration::from_nanos(1)).ok());
        self.cursor = unseen.or(self.part.since).map_or_else(Cursor::default, Cursor::since);
        self.fruitless = Instant::now();
        self.no_log = None;
        self.ended_at = None;
        self.patience = Patience::default();
        let told = self.items.send(Item::Restarted).await;
        if told.is_ok() { Step::Again } else { Step::End(End::Complete) }
    }

    /// Goes past runs of the container whose logs the node has no more.
    async fn skip_to(&mut self, restarts: u32) -> Step {
        let gap = Gap { last: self.cursor.newest(), next: None };
        if self.items.send(Item::Gap(gap)).await.is_err() {
            return Step::End(End::Complete);
        }
        self.restart(restarts, None).await
    }

    /// Waits before the next try; returns the end when there is no point in one.
    async fn back_off(&mut self, over: bool, error: Option<ClusterError>) -> Step {
        let bounded = over || self.part.until != Until::End;
        let wait = self.patience.wait(self.news, error.as_ref());
        match error {
            Some(error @ ClusterError::Forbidden { .. }) => {
                return Step::End(End::Unreadable(error));
            }
            Some(ClusterError::NotFound { .. }) => return Step::End(End::Gone),
            Some(error) if bounded => {
                let patience = match self.part.until {
                    Until::End => AWAY,
                    Until::Now => AWAY_NOW,
                };
                let is_final = if error.is_loss() {
                    self.no_log = None;
                    self.fruitless.elapsed() >= patience
                } else {
                    self.is_gone()
                };
                if is_final {
                    return Step::End(End::Unreadable(error));
                }
            }
            None if bounded && self.fruitless.elapsed() >= FRUITLESS => {
                return Step::End(End::Gone);
            }
            // 400: the container is still to start, or nothing is known yet.
            _ => {}
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Step::Again
    }
}

/// Sends what came together; tells whether somebody listens, or else how the stream is to end.
async fn send(items: &mpsc::Sender<Item>, batch: &mut Batch) -> Result<(), Broke> {
    if batch.is_empty() {
        return if items.is_closed() { Err(Broke::Deaf) } else { Ok(()) };
    }
    let item = Item::Lines(batch.take());
    let item = match items.try_send(item) {
        Ok(()) => return Ok(()),
        Err(TrySendError::Closed(_)) => return Err(Broke::Deaf),
        Err(TrySendError::Full(item)) => item,
    };
    let begun = Instant::now();
    items.send(item).await.map_err(|_| Broke::Deaf)?;
    if begun.elapsed() < STALE { Ok(()) } else { Err(Broke::Stale) }
}

/// Orders views by how far the container is.
fn rank(view: ContainerView) -> (bool, u32, u8) {
    let phase = match view.phase {
        ContainerPhase::Waiting => 0,
        ContainerPhase::Running => 1,
        ContainerPhase::Terminated => 2,
        ContainerPhase::BackOff => 3,
    };
    (view.pod_ended, view.restarts, phase)
}

#[cfg(test)]
mod tests {
    use super::{Ask, End, Item, Part, Source, Until, follow};
    use crate::cluster::{ClusterError, ContainerPhase, ContainerView};
    use bytes::Bytes;
    use futures::StreamExt;
    use futures::stream::{self, BoxStream};
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

    impl Source for Faulty {
        type Body = BoxStream<'static, Result<Bytes, ()>>;
        type Error = ();

        async fn open(&self, ask: Ask) -> Result<Self::Body, ClusterError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let since = ask.since_second.map(|since| since.to_string());
            let mut lines: Vec<&[u8]> = Vec::new();
            for line in self.log.split_inclusive(|byte| *byte == b'\n') {
                let stamp = String::from_utf8_lossy(&line[..19]).into_owned();
                if since.as_ref().is_none_or(|since| stamp.as_str() >= &since[..19]) {
                    lines.push(line);
                }
            }
            let last = ask.tail_lines.map_or(lines.len(), |count| count as usize);
            let mut bytes = lines[lines.len().saturating_sub(last)..].concat();
            let fault = self.faults.lock().unwrap().pop();
            if fault.is_none() {
                self.ended.send_replace(ENDED);
            }
            let mut broken = None;
            match fault {
                None => {}
                Some(Fault::Body(text)) => bytes = text.into(),
                Some(Fault::CleanEnd(at)) => bytes.truncate(at),
                Some(Fault::Reset(at)) => {
                    bytes.truncate(at);
                    broken = Some(Err(()));
                }
            }
            let chunks: Vec<_> = bytes.chunks(777).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
            Ok(stream::iter(chunks.into_iter().chain(broken)).boxed())
        }

        async fn look(&self) -> Result<ContainerView, ClusterError> {
            Ok(*self.ended.borrow())
        }
    }

    fn read_all(log: impl AsRef<[u8]>, faults: Vec<Fault>) -> (Vec<Item>, End) {
        read_from(RUNNING, Part::default(), log, faults)
    }

    fn read_from(
        view: ContainerView,
        part: Part,
        log: impl AsRef<[u8]>,
        mut faults: Vec<Fault>,
    ) -> (Vec<Item>, End) {
        faults.reverse();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (sender, receiver) = watch::channel(view);
            let source = Faulty {
                log: log.as_ref().to_vec(),
                faults: Mutex::new(faults),
                ended: sender,
                asked: AtomicUsize::new(0),
            };
            let (items, mut read) = mpsc::channel(100_000);
            let end = follow(&source, part, receiver, &items).await;
            drop(items);
            let mut all = Vec::new();
            while let Some(item) = read.recv().await {
                all.push(item);
            }
            (all, end)
        })
    }

    fn texts(items: &[Item]) -> Vec<String> {
        let mut text = String::new();
        for item in items {
            match item {
                Item::Lines(batch) => text.push_str(std::str::from_utf8(batch.bytes()).unwrap()),
                Item::Gap(gap) if gap.next.is_some() => text.push_str("(gap)\n"),
                Item::Gap(_) => text.push_str("(gap to the end)\n"),
                Item::Restarted => text.push_str("(restarted)\n"),
            }
        }
        text.lines().map(str::to_owned).collect()
    }

    fn bytes(items: &[Item]) -> Vec<u8> {
        let mut all = Vec::new();
        for item in items {
            if let Item::Lines(batch) = item {
                all.extend_from_slice(batch.bytes());
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
    fn a_line_without_bounds_comes_whole() {
        let long = "x".repeat(5 << 20);
        let text = format!("2026-11-23T10:00:00.1Z {long}\n2026-11-23T10:00:00.2Z next\n");
        let (items, _) = read_all(&text, vec![Fault::Reset((2 << 20) + 50_000)]);
        assert!(bytes(&items) == format!("{long}\nnext\n").into_bytes(), "bytes are missing");
    }

    #[test]
    fn only_the_last_lines_are_read_whatever_breaks() {
        let part = Part { tail_lines: Some(70), ..Part::default() };
        let faults = vec![Fault::Reset(10), Fault::Reset(300), Fault::CleanEnd(1_500)];
        let (items, _) = read_from(RUNNING, part, numbered(400), faults);
        let expected: Vec<String> = (330..400).map(|n| format!("line {n}")).collect();
        assert_eq!(texts(&items), expected);
    }

    #[test]
    fn a_jump_in_time_far_into_a_stream_loses_nothing() {
        let mut log = numbered(40).replace("line", &"x".repeat(1 << 15));
        log.push_str("2026-11-23T10:00:30.000000001Z late\n2026-11-23T10:00:30.000000002Z later\n");
        let (items, _) = read_all(&log, Vec::new());
        assert!(bytes(&items).ends_with(b"\nlate\nlater\n"));
        assert_eq!(texts(&items).len(), 42);
    }

    #[test]
    fn what_is_gone_is_told() {
        // The node rotates all but the last line away while the stream is broken.
        let log = "2026-11-23T10:00:00.1Z a\n2026-11-23T10:00:00.2Z b\n";
        let cut = log.find('b').unwrap() + 2;
        let (items, _) =
            read_all(log, vec![Fault::Reset(cut), Fault::Body("2026-11-23T10:00:07Z z\n")]);
        assert_eq!(texts(&items), ["a", "b", "(gap)", "z", "(gap to the end)"]);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_cuts_give_the_same_log(how in 0..3, cuts in proptest::collection::vec((0_usize..9_000, proptest::bool::ANY), 0..12)) {
            let log = numbered(200);
            let faults = cuts
                .into_iter()
                .map(|(at, reset)| if reset { Fault::Reset(at) } else { Fault::CleanEnd(at) })
                .collect();
            // While it runs, once it has ended, and only as far as it goes now.
            let now = Part { until: Until::Now, ..Part::default() };
            let (items, _) = match how {
                0 => read_all(&log, faults),
                1 => read_from(ENDED, Part::default(), &log, faults),
                _ => read_from(RUNNING, now, &log, faults),
            };
            let expected: Vec<String> = (0..200).map(|n| format!("line {n}")).collect();
            assert_eq!(texts(&items), expected);
        }
    }
}
