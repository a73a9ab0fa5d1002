//! The timestamps of many lines in few bytes (pure).
//!
//! A container may write a million lines a second, and each has to be known again.

use std::collections::VecDeque;

use k8s_openapi::jiff::Timestamp;

/// How many bytes are kept of more than the last two seconds.
const MORE: usize = 256 << 10;
/// How many seconds are kept at most.
const SECONDS: usize = 32;

/// The timestamps of the lines of the newest second and of the one before, and of some before them.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    before: VecDeque<Deltas>,
    now: Deltas,
}

impl Trail {
    /// Adds the timestamp of a line.
    pub(super) fn push(&mut self, stamp: Timestamp) {
        self.now.push(nanoseconds(stamp));
    }

    /// Begins another second and forgets what is too much of the older ones.
    pub(super) fn next_second(&mut self) {
        self.before.push_back(std::mem::take(&mut self.now));
        let mut size: usize = self.before.iter().map(|deltas| deltas.bytes.len()).sum();
        while self.before.len() > 1 && size > MORE {
            size -= self.before.pop_front().map_or(0, |oldest| oldest.bytes.len());
        }
        // A log of few lines has many seconds.
        while self.before.len() > SECONDS {
            self.before.pop_front();
        }
    }

    /// Tells whether a line of that time is remembered.
    pub(super) fn holds(&self, stamp: Timestamp) -> bool {
        let wanted = nanoseconds(stamp);
        let mut found = false;
        self.for_each(|nanoseconds| found |= nanoseconds == wanted);
        found
    }

    /// Returns what is remembered of the time from `from` on, to see it come again.
    pub(super) fn again(&self, from: Option<Timestamp>) -> Again {
        let from = from.map_or(i64::MIN, nanoseconds);
        let mut stamps = Vec::new();
        self.for_each(|nanoseconds| {
            if nanoseconds >= from {
                stamps.push(nanoseconds);
            }
        });
        stamps.sort_unstable();
        let mut left: Vec<u32> = Vec::new();
        let mut last = None;
        stamps.retain(|stamp| {
            let is_new = last.replace(*stamp) != Some(*stamp);
            match left.last_mut().filter(|_| !is_new) {
                Some(count) => *count = count.saturating_add(1),
                None => left.push(1),
            }
            is_new
        });
        Again { stamps, left }
    }

    /// Goes through what is remembered, in the order in which it came.
    fn for_each(&self, mut take: impl FnMut(i64)) {
        for deltas in self.before.iter().chain([&self.now]) {
            deltas.for_each(&mut take);
        }
    }
}

/// The timestamps of lines that are to come again, with how often each is still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Again {
    stamps: Vec<i64>,
    left: Vec<u32>,
}

impl Again {
    /// Returns how many lines of that time are still to come; none where none was.
    pub(super) fn left(&self, stamp: Timestamp) -> Option<u32> {
        Some(self.left[self.place(stamp)?])
    }

    /// Takes a line; tells whether one of that time was still to come.
    pub(super) fn take(&mut self, stamp: Timestamp) -> bool {
        let Some(at) = self.place(stamp).filter(|at| self.left[*at] > 0) else { return false };
        self.left[at] -= 1;
        true
    }

    fn place(&self, stamp: Timestamp) -> Option<usize> {
        self.stamps.binary_search(&nanoseconds(stamp)).ok()
    }
}

/// Numbers as differences, each in as many bytes as it needs (LEB128).
#[derive(Clone, Debug, Default)]
struct Deltas {
    bytes: Vec<u8>,
    last: i64,
}

impl Deltas {
    fn push(&mut self, number: i64) {
        let delta = number.wrapping_sub(self.last);
        self.last = number;
        // Small numbers of either sign become small ones: 0, -1, 1, -2 …
        let mut rest = ((delta << 1) ^ (delta >> 63)).cast_unsigned();
        while rest >= 0x80 {
            self.bytes.push(low_bits(rest) | 0x80);
            rest >>= 7;
        }
        self.bytes.push(low_bits(rest));
    }

    fn for_each(&self, mut take: impl FnMut(i64)) {
        let (mut number, mut rest, mut shift) = (0_i64, 0_u64, 0);
        for byte in &self.bytes {
            rest |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                let delta = (rest >> 1).cast_signed() ^ -(rest & 1).cast_signed();
                number = number.wrapping_add(delta);
                take(number);
                (rest, shift) = (0, 0);
            }
        }
    }
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits fit a byte")
}

/// Returns the nanoseconds since 1970; what is out of reach is taken for the last of them, in 2262.
fn nanoseconds(stamp: Timestamp) -> i64 {
    i64::try_from(stamp.as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Deltas, Trail};
    use k8s_openapi::jiff::Timestamp;

    proptest::proptest! {
        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(proptest::num::i64::ANY, 0..50)) {
            let mut deltas = Deltas::default();
            for number in &numbers {
                deltas.push(*number);
            }
            let mut back = Vec::new();
            deltas.for_each(|number| back.push(number));
            proptest::prop_assert_eq!(back, numbers);
        }
    }

    #[test]
    fn a_million_lines_a_second_take_few_megabytes() {
        let mut trail = Trail::default();
        for line in 0..1_000_000 {
            trail.push(
                Timestamp::from_nanosecond(1_764_000_000_000_000_000 + line * 1_000).unwrap(),
            );
        }
        assert!(trail.now.bytes.len() < 2_100_000, "{}", trail.now.bytes.len());
        let count = |trail: &Trail| {
            let mut count = 0;
            trail.for_each(|_| count += 1);
            count
        };
        let stamp = Timestamp::from_nanosecond(1_764_000_000_000_005_000).unwrap();
        trail.push(stamp);
        assert!(trail.holds(stamp));
        let mut again = trail.again(Some(stamp));
        assert_eq!(again.stamps.len(), 999_995);
        assert_eq!(again.left(stamp), Some(2));
        assert!(again.take(stamp) && again.take(stamp) && !again.take(stamp));
        assert_eq!(again.left(stamp), Some(0));
        assert_eq!(again.left(Timestamp::UNIX_EPOCH), None);
        trail.next_second();
        assert_eq!(count(&trail), 1_000_001);
        // What is too much goes as soon as it is of neither of the last two seconds.
        trail.push(Timestamp::from_second(1_764_000_001).unwrap());
        trail.next_second();
        assert_eq!(count(&trail), 1);
        trail.next_second();
        assert_eq!(count(&trail), 1);
    }
}
