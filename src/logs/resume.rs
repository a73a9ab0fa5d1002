//! Where a log stream goes on after it broke (pure).
//!
//! The API can only be asked for whole seconds, so a resumed stream repeats lines. Equal lines are
//! legal, and a runtime may write two streams' lines slightly out of order; so what was seen is
//! remembered by timestamp and count, for the last two seconds seen.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

/// What to do with a line of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It was seen before.
    Drop,
    /// It is new.
    Pass,
    /// It is new, and lines before it are missing: the place where the last stream stopped is gone
    /// from the log, as after a rotation.
    PassAfterGap,
}

/// What was seen of a log so far.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// How many lines of each timestamp were seen, for the timestamps from `floor` on.
    seen: BTreeMap<Timestamp, u32>,
    newest: Option<Timestamp>,
    /// Of a resumed stream: what it is expected to repeat.
    replay: Option<BTreeMap<Timestamp, u32>>,
}

impl Cursor {
    /// Returns the second from which to ask, or nothing for the whole log.
    #[must_use]
    pub fn since_second(&self) -> Option<Timestamp> {
        self.newest.map(|newest| floor(newest, 1))
    }

    /// Notes that a new stream begins, asked for from [`Self::since_second`].
    pub fn resume(&mut self) {
        self.replay = self.newest.map(|_| self.seen.clone());
    }

    /// Decides about a line of that timestamp, and remembers it.
    pub fn admit(&mut self, stamp: Timestamp) -> Admission {
        let mut gap = false;
        if let (Some(replay), Some(newest)) = (&mut self.replay, self.newest) {
            if let Some(count) = replay.get_mut(&stamp).filter(|count| **count > 0) {
                *count -= 1;
                return Admission::Drop;
            }
            if stamp < floor(newest, 1) {
                return Admission::Drop;
            }
            if stamp > newest {
                // The first line past the place: it is sound if the place itself was repeated.
                gap = replay.get(&newest) == self.seen.get(&newest);
                self.replay = None;
            }
        }
        *self.seen.entry(stamp).or_insert(0) += 1;
        if self.newest.is_none_or(|newest| stamp > newest) {
            if self.newest.is_none_or(|newest| stamp.as_second() != newest.as_second()) {
                self.seen = self.seen.split_off(&floor(stamp, 1));
            }
            self.newest = Some(stamp);
        }
        if gap { Admission::PassAfterGap } else { Admission::Pass }
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
        assert_eq!(cursor.admit(at(9_000_000_000)), Admission::PassAfterGap);
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
                        Admission::PassAfterGap => prop_assert!(false, "no line is missing"),
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
