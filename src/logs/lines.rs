//! Splits a log stream into lines and their times (pure).

use k8s_openapi::jiff::Timestamp;

/// A line longer than this comes in pieces, or memory would have no bound.
pub(super) const LONGEST_PIECE: usize = 1 << 20;

/// How long the part of a time stamp is that stays the same for a second: `2026-11-23T10:00:00`.
const SECOND: usize = 19;
/// How long a time stamp is as kubelets write them: `2026-11-23T10:00:00.123456789Z`.
const STAMP: usize = 30;

/// Splits one stream after another.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What came of a line that has not ended.
    rest: Vec<u8>,
    /// Whether `rest` was handed out as a line.
    is_taken: bool,
    /// When the line was written whose pieces come.
    cut: Option<Timestamp>,
    /// Whether the last line was none of the container's.
    words: bool,
    /// How many bytes the stream gave.
    length: u64,
    last_second: ([u8; SECOND], i64),
}

/// What a stream ended with that is not a whole line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    time: Option<Timestamp>,
    rest: usize,
    /// How many bytes the whole stream gave.
    length: u64,
}

impl Cut {
    /// Tells whether the last line was whole.
    pub(super) fn is_nothing(self) -> bool {
        self.rest == 0
    }
}

impl Lines {
    /// Begins with another stream.
    pub(super) fn begin(&mut self) {
        self.rest.clear();
        self.is_taken = false;
        self.cut = None;
        self.words = false;
        self.length = 0;
    }

    /// Takes the next line, or a piece of a long one, off the bytes; none when they are used up.
    /// Pieces end at the same bytes in every stream, or a resumed one would double or lose some.
    pub(super) fn next<'s, 'b: 's>(
        &'s mut self,
        bytes: &mut &'b [u8],
    ) -> Option<(Timestamp, &'s [u8])> {
        loop {
            if std::mem::take(&mut self.is_taken) {
                self.rest.clear();
            }
            let room = LONGEST_PIECE - self.rest.len();
            let more = &bytes[..bytes.len().min(room)];
            let end = memchr::memchr(b'\n', more);
            if end.is_none() && more.len() < room {
                self.rest.extend_from_slice(more);
                self.length += more.len() as u64;
                *bytes = &[];
                return None;
            }
            let (line, after) = bytes.split_at(end.map_or(room, |end| end + 1));
            *bytes = after;
            self.length += line.len() as u64;
            let is_in_rest = !self.rest.is_empty();
            if is_in_rest {
                self.rest.extend_from_slice(line);
                self.is_taken = true;
            }
            let parsed = match self.cut {
                Some(time) => Some((time, 0)),
                None => self.stamp(if is_in_rest { None } else { Some(line) }),
            };
            self.words = parsed.is_none();
            let Some((time, start)) = parsed else { continue };
            self.cut = end.is_none().then_some(time);
            // Where the line is can only be told again here: the loop may not hold on to it.
            return Some((time, &(if is_in_rest { &self.rest } else { line })[start..]));
        }
    }

    /// Tells whether the stream ended with something that is not the container's but the kubelet's own
    /// words, such as `unable to retrieve container logs for containerd://…`, served with status 200.
    pub(super) fn has_words(&self) -> bool {
        self.words || (!self.is_whole() && self.rest_time().is_none())
    }

    /// Returns how many bytes the stream has given.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns what the stream ended with after the last line end.
    pub(super) fn rest(&self) -> Cut {
        let rest = if self.is_whole() { 0 } else { self.rest.len() };
        Cut { time: self.rest_time(), rest, length: self.length }
    }

    /// Takes the last line of a log that does not end in a line end.
    pub(super) fn take_rest(&mut self) -> Option<(Timestamp, Vec<u8>)> {
        if self.is_whole() {
            return None;
        }
        let (time, start) = match self.cut {
            Some(time) => (time, 0),
            None => parse(&self.rest)?,
        };
        let rest = std::mem::take(&mut self.rest);
        Some((time, rest[start..].to_vec()))
    }

    fn is_whole(&self) -> bool {
        self.rest.is_empty() || self.is_taken
    }

    fn rest_time(&self) -> Option<Timestamp> {
        if self.is_whole() {
            return None;
        }
        self.cut.or_else(|| parse(&self.rest).map(|(time, _)| time))
    }

    /// Splits `TIME TEXT` into the time and where the text begins, by what was found out about the
    /// second of the line before: a time is read a million times a second.
    fn stamp(&mut self, line: Option<&[u8]>) -> Option<(Timestamp, usize)> {
        let line = line.unwrap_or(&self.rest);
        let usual = line.len() > STAMP
            && line[SECOND] == b'.'
            && line[STAMP - 1] == b'Z'
            && line[STAMP] == b' ';
        if !usual {
            return parse(line);
        }
        let (second, fraction) = (&line[..SECOND], &line[SECOND + 1..STAMP - 1]);
        if second != self.last_second.0 {
            let (time, _) = parse(line)?;
            self.last_second = (second.try_into().ok()?, time.as_second());
        }
        let digits = fraction.iter().try_fold(0_i32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0'))
        })?;
        Some((Timestamp::new(self.last_second.1, digits).ok()?, STAMP + 1))
    }
}

/// Splits `TIME TEXT` into the time and where the text begins; none where there is no time.
fn parse(line: &[u8]) -> Option<(Timestamp, usize)> {
    let end = line.iter().take(64).position(|byte| matches!(byte, b' ' | b'\n'));
    let end = end.unwrap_or(line.len());
    let start = if line.get(end) == Some(&b' ') { end + 1 } else { end };
    let time = line.get(..end).filter(|time| time.len() <= 64)?;
    Some((std::str::from_utf8(time).ok()?.parse().ok()?, start))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PIECE, Lines};
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]]) -> (Vec<(String, Vec<u8>)>, Lines) {
        let mut lines = Lines::default();
        lines.begin();
        let mut all = Vec::new();
        for chunk in chunks {
            let mut bytes = *chunk;
            while let Some((time, line)) = lines.next(&mut bytes) {
                all.push((time.to_string(), line.to_vec()));
            }
        }
        (all, lines)
    }

    #[test]
    fn times_are_read_in_every_form() {
        for (stamp, time) in [
            ("2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00.123456789Z"),
            ("2026-11-23T10:00:00.000000000Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23T12:00:00.5+02:00", "2026-11-23T10:00:00.5Z"),
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ] {
            let text = format!("{stamp} a b\n{stamp} c\n");
            let (all, _) = split(&[text.as_bytes()]);
            let expected =
                [(time.to_owned(), b"a b\n".to_vec()), (time.to_owned(), b"c\n".to_vec())];
            assert_eq!(all, expected, "{stamp}");
        }
    }

    #[test]
    fn what_the_kubelet_says_is_no_line() {
        for words in
            ["unable to retrieve container logs for containerd://abc", "failed\n", "2026-11-\n"]
        {
            let (all, lines) = split(&[words.as_bytes()]);
            assert!(all.is_empty() && lines.has_words(), "{words}");
        }
        let text = b"the end of a long line\n2026-11-23T10:00:00Z x\n";
        let (all, lines) = split(&[text]);
        assert_eq!((all.len(), lines.has_words()), (1, false));
    }

    #[test]
    fn a_line_without_bounds_comes_in_pieces_of_one_time() {
        let long = "x".repeat(2 * LONGEST_PIECE + 100);
        let text = format!(
            "2026-11-23T10:00:00.1Z {long}\n2026-11-23T10:00:00.2Z next\n2026-11-23T10:00:00.3Z rest"
        );
        let (all, mut lines) = split(&[text.as_bytes()]);
        let times: Vec<&str> = all.iter().map(|(time, _)| time.as_str()).collect();
        let first = "2026-11-23T10:00:00.1Z";
        assert_eq!(times, [first, first, first, "2026-11-23T10:00:00.2Z"]);
        let bytes: Vec<u8> = all.iter().flat_map(|(_, line)| line.clone()).collect();
        assert!(bytes == format!("{long}\nnext\n").into_bytes(), "bytes are missing");
        assert!(!lines.rest().is_nothing());
        assert_eq!(lines.take_rest().map(|(_, rest)| rest).as_deref(), Some(&b"rest"[..]));
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            texts in proptest::collection::vec("[a-z\\x00\r]{0,12}", 1..20),
            cuts in proptest::collection::vec(0_usize..600, 0..20),
        ) {
            let mut log = Vec::new();
            for (n, text) in texts.iter().enumerate() {
                log.extend_from_slice(format!("2026-11-23T10:00:0{}.{:09}Z {text}\n", n / 4, n).as_bytes());
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(log.len())).collect();
            cuts.extend([0, log.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &log[pair[0]..pair[1]]).collect();
            let (all, lines) = split(&chunks);
            let read: Vec<String> =
                all.into_iter().map(|(_, line)| String::from_utf8(line).unwrap()).collect();
            let expected: Vec<String> = texts.iter().map(|text| format!("{text}\n")).collect();
            prop_assert_eq!(read, expected);
            prop_assert!(lines.rest().is_nothing());
        }
    }
}
