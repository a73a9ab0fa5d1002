//! Where a log stream goes on after it broke (pure).
//!
//! The API can only be asked for whole seconds, so a resumed stream repeats lines. Equal lines are
//! legal, and a runtime may write two streams' lines slightly out of order; so what was seen is
//! remembered by timestamp and count, for the last two seconds seen.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::trail::{Again, Trail};

/// What to do with a line of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It was seen before, or is from before the place where reading began.
    Drop,
    /// It is new.
    Pass,
    /// It is new, and lines before it are missing: the place where the last stream stopped is gone
    /// from the log, as after a rotation.
    PassAfterGap {
        /// When the last line before the gap was written.
        last: Timestamp,
    },
}

/// What was seen of a log so far.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// The timestamps seen from the second before the newest on, and some before them.
    seen: Trail,
    newest: Option<Timestamp>,
    /// Lines before it are not wanted.
    begin: Option<Begin>,
    /// What is expected to come again.
    replay: Option<Replay>,
    /// How often it was looked for a line among those seen, in this second.
    looks: u32,
}

#[derive(Clone, Copy, Debug)]
enum Begin {
    /// At this time, wherever it falls.
    At(Timestamp),
    /// At the first line of that time which was seen: those that come up before it were not asked for.
    Line(Timestamp),
}

#[derive(Clone, Debug)]
struct Replay {
    why: Why,
    /// How many lines of each timestamp are still to come again.
    left: Again,
    /// Whether a line as new as the newest one has come again.
    reached: bool,
}

/// Why lines come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The stream was asked for from before the place on.
    Resumed,
    /// The kubelet reads a file again: when it has gone on to a new one and hears only then that there
    /// is one (`pkg/kubelet/kuberuntime/logs: ReadLogs`).
    ReadAgain,
}

/// Times that are less apart may be those of lines that changed places.
const SWAPPED: SignedDuration = SignedDuration::from_micros(100);
/// How often in a second it is found out whether a line came before: it takes a look at all of them.
const LOOKS: u32 = 100;

impl Cursor {
    /// Begins at that time.
    #[must_use]
    pub fn since(time: Timestamp) -> Self {
        Self { begin: Some(Begin::At(time)), ..Self::default() }
    }

    /// Returns the second from which to ask, or nothing for the whole log.
    #[must_use]
    pub fn since_second(&self) -> Option<Timestamp> {
        match (self.newest, self.begin) {
            (Some(newest), _) => Some(floor(newest, 1)),
            (None, Some(Begin::At(time))) => Some(floor(time, 0)),
            (None, _) => None,
        }
    }

    /// Returns when the newest line was written, if one was seen.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Notes that the next line seen is the first one wanted, as when only the last lines are asked
    /// for.
    pub fn begin_here(&mut self) {
        if let (None, Some(first)) = (self.begin, self.newest) {
            self.begin = Some(Begin::Line(first));
        }
    }

    /// Notes that a new stream begins, asked for from [`Self::since_second`].
    pub fn resume(&mut self) {
        self.replay = self.newest.map(|_| self.again(Why::Resumed));
    }

    fn again(&self, why: Why) -> Replay {
        let from = match why {
            Why::Resumed => self.since_second(),
            Why::ReadAgain => None,
        };
        Replay { why, left: self.seen.again(from), reached: false }
    }

    /// Tells whether a line that goes back in time was seen before. Where the clock is coarse its time may
    /// be that of another line, and nothing tells.
    fn is_read_again(&mut self, stamp: Timestamp) -> bool {
        let is_coarse = stamp.subsec_nanosecond() % 1000 == 0;
        let Some(newest) = self.newest.filter(|_| !is_coarse && self.looks < LOOKS) else {
            return false;
        };
        if newest.duration_since(stamp) < SWAPPED {
            return false;
        }
        self.looks += 1;
        self.seen.holds(stamp)
    }

    /// Tells when the last line was written, if the stream that ended now did not come by it: what
    /// followed it is gone, too.
    #[must_use]
    pub fn lost(&self) -> Option<Timestamp> {
        let replay = self.replay.as_ref().filter(|replay| replay.why == Why::Resumed)?;
        self.newest.filter(|_| !replay.reached)
    }

    /// Decides about a line of that timestamp, and remembers it.
    pub fn admit(&mut self, stamp: Timestamp) -> Admission {
        let mut gap = None;
        if let Some(begin) = self.begin
            && !begin.wants(stamp)
        {
            return Admission::Drop;
        }
        if self.goes_back(stamp) && self.is_read_again(stamp) {
            self.replay = Some(self.again(Why::ReadAgain));
        }
        if let (Some(replay), Some(newest)) = (&mut self.replay, self.newest) {
            replay.reached |= stamp == newest;
            if replay.left.take(stamp) {
                return Admission::Drop;
            }
            let resumed = replay.why == Why::Resumed;
            let before_line = matches!(self.begin, Some(Begin::Line(first)) if stamp == first);
            if resumed && (before_line || stamp < floor(newest, 1)) {
                return Admission::Drop;
            }
            if stamp > newest {
                // The first line past the place: it is sound if the place itself was repeated.
                gap = (resumed && !replay.reached).then_some(newest);
                self.replay = None;
            }
        }
        match self.newest {
            Some(newest) if stamp <= newest => {}
            newest => {
                if newest.is_some_and(|newest| newest.as_second() != stamp.as_second()) {
                    self.seen.next_second();
                    self.looks = 0;
                }
                self.newest = Some(stamp);
            }
        }
        self.seen.push(stamp);
        gap.map_or(Admission::Pass, |last| Admission::PassAfterGap { last })
    }
}

impl Cursor {
    /// Tells whether a line goes back to before the newest, although nothing of it is to come again.
    fn goes_back(&self, stamp: Timestamp) -> bool {
        let expected = match &self.replay {
            None => false,
            Some(replay) if replay.why == Why::Resumed => true,
            Some(replay) => replay.left.left(stamp).is_none_or(|count| count > 0),
        };
        !expected && self.newest.is_some_and(|newest| stamp < newest)
    }
}

impl Begin {
    fn wants(self, stamp: Timestamp) -> bool {
        match self {
            Self::At(time) | Self::Line(time) => stamp >= time,
        }
    }
}

/// Returns the start of the second `before` seconds before that of `stamp`.
fn floor(stamp: Timestamp, before: i64) -> Timestamp {
    Timestamp::from_second(stamp.as_second() - before).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::{Admission, Cursor};
    use k8s_openapi::jiff::Timestamp;
    use proptest::prelude::*;

    fn at(nanos: i128) -> Timestamp {
        Timestamp::from_nanosecond(1_700_000_000_000_000_000 + nanos).unwrap()
    }

    #[test]
    fn a_lost_place_is_a_gap() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.admit(at(5)), Admission::Pass);
        cursor.resume();
        assert_eq!(cursor.lost(), Some(at(5)));
        assert_eq!(cursor.admit(at(9_000_000_000)), Admission::PassAfterGap { last: at(5) });
        assert_eq!(cursor.lost(), None);
        assert_eq!(cursor.admit(at(9_000_000_001)), Admission::Pass);
    }

    #[test]
    fn equal_lines_at_the_cut_are_counted() {
        let mut cursor = Cursor::default();
        for _ in 0..3 {
            cursor.admit(at(5));
        }
        cursor.resume();
        let admitted: Vec<_> = (0..5).map(|_| cursor.admit(at(5))).collect();
        let [old, new] = [Admission::Drop, Admission::Pass];
        assert_eq!(admitted, [old, old, old, new, new]);
    }

    #[test]
    fn a_file_that_is_read_again_doubles_nothing() {
        let admitted = |step: i128, order: &[i128]| -> Vec<i128> {
            let mut cursor = Cursor::default();
            let mut passes = |line: &&i128| cursor.admit(at(**line * step + 1)) == Admission::Pass;
            order.iter().filter(|line| passes(line)).copied().collect()
        };
        // Twice from the third line on, then all goes on.
        let order = [1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 5, 6, 7, 8];
        assert_eq!(admitted(1_000_000, &order), [1, 2, 3, 4, 5, 6, 7, 8]);
        // Lines that changed places were not seen before.
        assert_eq!(admitted(1_000_000, &[1, 2, 4, 3, 5]), [1, 2, 4, 3, 5]);
    }

    #[test]
    fn a_coarse_clock_does_not_make_a_line_one_that_was_seen() {
        let mut cursor = Cursor::default();
        let stamps = [0, 15_000_000, 15_000_000, 30_000_000, 15_000_000, 30_000_000];
        assert!(stamps.iter().all(|stamp| cursor.admit(at(*stamp)) == Admission::Pass));
    }

    #[test]
    fn what_came_before_the_last_lines_asked_for_stays_out() {
        let mut cursor = Cursor::default();
        cursor.admit(at(7));
        cursor.begin_here();
        cursor.admit(at(8));
        cursor.resume();
        let admitted: Vec<_> = [5, 7, 7, 8, 8].map(|nanos| cursor.admit(at(nanos))).into();
        let [old, new] = [Admission::Drop, Admission::Pass];
        assert_eq!(admitted, [old, old, old, old, new]);
    }

    #[test]
    fn the_second_asked_for_is_read_from_its_fraction_on() {
        let mut cursor = Cursor::since(at(500));
        assert_eq!(cursor.since_second(), Some(at(0)));
        cursor.resume();
        assert_eq!(
            [499, 500].map(|nanos| cursor.admit(at(nanos))),
            [Admission::Drop, Admission::Pass]
        );
    }

    proptest! {
        /// Whatever the cuts, each line comes out once and in order, even where timestamps are
        /// equal or swapped within a second.
        #[test]
        fn cuts_neither_lose_nor_double(
            steps in proptest::collection::vec(-300_000_000_i64..900_000_000, 1..80),
            cuts in proptest::collection::vec(0_usize..12, 1..40),
        ) {
            let mut nanos = 10_000_000_000_i128;
            let mut high = nanos;
            let log: Vec<Timestamp> = steps
                .iter()
                .map(|step| {
                    // At most 0.3 s behind what was written before.
                    nanos = (nanos + i128::from(*step).max(-100_000_000)).max(high - 300_000_000);
                    high = high.max(nanos);
                    at(nanos / 50_000_000 * 50_000_000)
                })
                .collect();
            let mut cursor = Cursor::default();
            let mut seen = Vec::new();
            let mut cuts = cuts.into_iter().chain(std::iter::repeat(usize::MAX));
            loop {
                cursor.resume();
                let since = cursor.since_second();
                let from = since.map_or(0, |since| {
                    log.iter().position(|stamp| *stamp >= since).unwrap()
                });
                let length = cuts.next().unwrap();
                // A stream that is cut gets a little further than the repeated part.
                let repeated = seen.len().saturating_sub(from);
                let end = log.len().min(from.saturating_add(repeated).saturating_add(length));
                for (index, stamp) in log.iter().enumerate().take(end).skip(from) {
                    match cursor.admit(*stamp) {
                        Admission::Drop => {}
                        Admission::Pass => seen.push(index),
                        Admission::PassAfterGap { .. } => prop_assert!(false, "no line is missing"),
                    }
                }
                if length == usize::MAX {
                    break;
                }
            }
            prop_assert_eq!(seen, (0..log.len()).collect::<Vec<_>>());
        }
    }
}
