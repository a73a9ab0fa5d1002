//! Which of several logs is shown next (pure).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::pending::{Pending, Wait};

/// How long others wait for the rest of a line of which a part is shown, or that is the oldest. A lost
/// connection is made anew within a second, and a line that is torn helps nobody.
const LINE: Duration = Duration::from_secs(2);

/// Which line of several logs is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that came first.
    Arrival,
    /// The one that was written first. A line waits for older ones of other logs, and of those that may
    /// begin yet, for as long as the window at most; where a log has more than can be kept, others that are
    /// silent for longer than that are not waited for.
    Time {
        /// How long.
        window: Duration,
    },
    /// One log after the other, in the order in which they began.
    Sequence,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// To look at what came of a log, up to a limit.
    Look(usize, Limit),
    /// To show what is held of a record.
    LetGo(usize),
    /// To show the rest of a log that has ended.
    Finish(usize),
    /// Nothing until then, or until something comes.
    Wait(Option<Duration>),
}

/// Up to where a log may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// To the end of the batch.
    None,
    /// To the end of the record.
    Record,
    /// Up to the first record that may have to wait for others.
    Time(TimeLimit),
}

/// A place in the order of time: equal times are in the order of the logs.
type Key = (Timestamp, usize);

/// Which records of a log may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeLimit {
    source: usize,
    /// Only what is older than the next of any other log.
    next: Key,
    /// What is older than that need not wait, because nothing older can come.
    safe: Key,
    /// What came until then has waited long enough.
    came: Option<Duration>,
    /// Whether nobody is waited for: memory is full, or something newer has waited long enough.
    is_over: bool,
}

const NEVER: Key = (Timestamp::MAX, usize::MAX);

impl Limit {
    /// Tells whether a record may begin that is of that time and came then.
    #[inline]
    pub(crate) fn lets_begin(&self, time: Timestamp, came: Duration) -> bool {
        let limit = match self {
            Self::None => return true,
            Self::Record => return false,
            Self::Time(limit) => limit,
        };
        let key = (time, limit.source);
        let waited = limit.came.is_some_and(|until| came <= until);
        key < limit.next && (key < limit.safe || waited || limit.is_over)
    }
}

/// Says which log is next.
#[derive(Debug)]
pub(crate) struct Turns {
    order: Order,
    /// Whose batch or notice is next by arrival.
    arrivals: VecDeque<usize>,
    /// The logs, in the order in which they began.
    begun: VecDeque<usize>,
    /// Of whose line a part is shown, so that others wait.
    in_line: Option<usize>,
    others: Others,
}

/// Whether there may be more logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    MayBegin,
    HaveBegun,
}

type Logs = BTreeMap<usize, Pending>;

impl Turns {
    pub(crate) fn new(order: Order) -> Self {
        let (arrivals, begun) = (VecDeque::new(), VecDeque::new());
        Self { order, arrivals, begun, in_line: None, others: Others::MayBegin }
    }

    /// No other log begins.
    pub(crate) fn all_have_begun(&mut self) {
        self.others = Others::HaveBegun;
    }

    /// A log begins.
    pub(crate) fn begin(&mut self, source: usize) {
        if self.order == Order::Sequence {
            self.begun.push_back(source);
        }
    }

    /// Something came of a log.
    pub(crate) fn came(&mut self, source: usize) {
        if self.order == Order::Arrival {
            self.arrivals.push_back(source);
        }
    }

    /// A log was looked at.
    pub(crate) fn looked_at(&mut self, source: usize, log: &Pending) {
        self.in_line = log.is_in_long_line().then_some(source);
    }

    /// Says what is to be done next.
    pub(crate) fn next(&mut self, logs: &Logs, now: Duration) -> Turn {
        if let Some((source, log)) =
            self.in_line.and_then(|source| Some((source, logs.get(&source)?)))
        {
            if !log.is_dry() {
                return Turn::Look(source, Limit::Record);
            }
            if log.has_ended() {
                return Turn::Finish(source);
            }
            if let Wait::Line(came) = log.wait()
                && now < came + LINE
            {
                return Turn::Wait(Some(came + LINE));
            }
        }
        self.in_line = None;
        match self.order {
            Order::Arrival => self.by_arrival(logs, now),
            Order::Time { window } => by_time(logs, self.others, window, now),
            Order::Sequence => self.by_sequence(logs, now),
        }
    }

    fn by_arrival(&mut self, logs: &Logs, now: Duration) -> Turn {
        while let Some(source) = self.arrivals.pop_front() {
            // One that was let finish a line before others is dry when its turn comes.
            if logs.get(&source).is_some_and(|log| !log.is_dry()) {
                return Turn::Look(source, Limit::None);
            }
        }
        let mut due = Due::default();
        for (source, log) in logs {
            if let Some(turn) = due.dry(*source, log, now) {
                return turn;
            }
        }
        Turn::Wait(due.0)
    }

    fn by_sequence(&mut self, logs: &Logs, now: Duration) -> Turn {
        while let Some(source) = self.begun.front() {
            let Some(log) = logs.get(source) else {
                self.begun.pop_front();
                continue;
            };
            if !log.is_dry() {
                return Turn::Look(*source, Limit::None);
            }
            let mut due = Due::default();
            return due.dry(*source, log, now).unwrap_or(Turn::Wait(due.0));
        }
        Turn::Wait(None)
    }
}

/// When there is something to be done at the latest.
#[derive(Default)]
struct Due(Option<Duration>);

impl Due {
    fn at(&mut self, due: Duration) {
        self.0 = Some(self.0.map_or(due, |known| known.min(due)));
    }

    /// Says what is to be done with a log that has nothing more to be looked at.
    fn dry(&mut self, source: usize, log: &Pending, now: Duration) -> Option<Turn> {
        if log.has_ended() {
            return Some(Turn::Finish(source));
        }
        match log.wait() {
            Wait::Record(until) if until <= now => return Some(Turn::LetGo(source)),
            Wait::Record(until) => self.at(until),
            // The rest of a line is sure to come, or the end of the log.
            Wait::Line(_) | Wait::Nothing => {}
        }
        None
    }
}

fn by_time(logs: &Logs, others: Others, window: Duration, now: Duration) -> Turn {
    let mut due = Due::default();
    let mut heads = Heads::default();
    if others == Others::MayBegin {
        heads.safe = (Timestamp::MIN, 0);
    }
    for (source, log) in logs {
        if !log.is_in_record() {
            if log.is_dry() && log.has_ended() {
                return Turn::Finish(*source);
            }
            heads.take(*source, log);
            continue;
        }
        // Nothing comes in between a record.
        if !log.is_dry() {
            return Turn::Look(*source, Limit::Record);
        }
        if let Some(turn) = due.dry(*source, log, now) {
            return turn;
        }
        if let Wait::Line(came) = log.wait()
            && now < came + LINE
        {
            due.at(came + LINE);
        }
    }
    if due.0.is_some() {
        return Turn::Wait(due.0);
    }
    heads.turn(window, now)
}

/// What is next of each log, as far as it matters.
#[derive(Debug)]
struct Heads {
    /// The oldest, and when it came.
    first: Option<(Key, Duration)>,
    second: Key,
    /// When the first of the others came.
    came: Option<Duration>,
    /// Before this nothing can come any more of the logs of which nothing is there.
    safe: Key,
    /// When the last of them was heard of.
    heard: Duration,
    is_full: bool,
}

impl Default for Heads {
    fn default() -> Self {
        Self {
            first: None,
            second: NEVER,
            came: None,
            safe: NEVER,
            heard: Duration::ZERO,
            is_full: false,
        }
    }
}

impl Heads {
    fn take(&mut self, source: usize, log: &Pending) {
        self.is_full |= log.is_full();
        let Some((time, came)) = log.head() else {
            self.safe = self.safe.min((log.time(), source));
            self.heard = self.heard.max(log.heard());
            return;
        };
        let head = ((time, source), came);
        let first = self.first.map_or(head, |first| first.min(head));
        if let Some((key, came)) = self.first.map(|known| known.max(head)) {
            self.second = self.second.min(key);
            self.came = Some(self.came.map_or(came, |known| known.min(came)));
        }
        self.first = Some(first);
    }

    fn turn(&self, window: Duration, now: Duration) -> Turn {
        let Some(((time, source), came)) = self.first else { return Turn::Wait(None) };
        let due = self.came.map_or(came, |other| other.min(came)) + window;
        let silent = self.heard + window;
        let is_overdue = self.came.is_some_and(|came| came + window <= now);
        let limit = Limit::Time(TimeLimit {
            source,
            next: self.second,
            safe: self.safe,
            came: now.checked_sub(window),
            is_over: is_overdue || (self.is_full && silent <= now),
        });
        if limit.lets_begin(time, came) {
            return Turn::Look(source, limit);
        }
        Turn::Wait(Some(if self.is_full { due.min(silent) } else { due }))
    }
}
