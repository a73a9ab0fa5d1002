//! Lines of one log that came together (pure).

use k8s_openapi::jiff::Timestamp;

/// How many bytes a batch makes room for before it has any.
const LARGEST_ROOM: usize = 128 << 10;

/// One line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// When it was written, by the node's clock.
    pub time: Timestamp,
    /// What was written, with its line end. Without one it is the last line of a log that does not
    /// end in a line end, or a piece of a very long line: the next piece follows, with the same time.
    pub bytes: &'a [u8],
}

impl<'a> Line<'a> {
    /// Returns what was written, without the line end.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes)
    }

    /// Tells whether the line ends here.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.bytes.ends_with(b"\n")
    }
}

/// Lines of one log that came together, in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    lines: Vec<Mark>,
    /// How many bytes and lines the one before had.
    before: (usize, usize),
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.lines == other.lines
    }
}

impl Eq for Batch {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    time: Timestamp,
    end: usize,
}

impl Batch {
    /// Adds a line.
    pub fn push(&mut self, time: Timestamp, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            // What grows step by step leaves memory of every size behind.
            self.bytes.reserve(self.before.0.next_power_of_two());
            self.lines.reserve(self.before.1.next_power_of_two());
        }
        self.bytes.extend_from_slice(bytes);
        self.lines.push(Mark { time, end: self.bytes.len() });
    }

    /// Returns the lines.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        self.lines_after(0)
    }

    /// Returns the lines but for the first few.
    #[must_use]
    pub fn lines_after(&self, count: usize) -> Lines<'_> {
        let last = count.checked_sub(1).and_then(|last| self.lines.get(last));
        Lines { batch: self, next: count, start: last.map_or(0, |mark| mark.end) }
    }

    /// Takes all lines out as a batch of their own. The next lines get as much memory, once they come.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let before = (self.bytes.len().min(LARGEST_ROOM), self.lines.len());
        std::mem::replace(self, Self { before, ..Self::default() })
    }

    /// Takes all lines out, and keeps the memory for others.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }

    /// Returns what was written, all of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns how many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// The lines of a batch.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    batch: &'a Batch,
    next: usize,
    start: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let Mark { time, end } = *self.batch.lines.get(self.next)?;
        let bytes = &self.batch.bytes[self.start..end];
        self.next += 1;
        self.start = end;
        Some(Line { time, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::Batch;
    use k8s_openapi::jiff::Timestamp;

    #[test]
    fn lines_come_out_as_they_went_in() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut batch = Batch::default();
        for (second, bytes) in [(1, &b"a\n"[..]), (2, b"\n"), (2, b"\xff\0")] {
            batch.push(at(second), bytes);
        }
        let lines: Vec<_> =
            batch.lines().map(|line| (line.time.as_second(), line.text(), line.ends())).collect();
        assert_eq!(lines, [(1, &b"a"[..], true), (2, b"", true), (2, b"\xff\0", false)]);
        assert_eq!((batch.len(), batch.bytes()), (3, &b"a\n\n\xff\0"[..]));
        for count in 0..5 {
            assert!(batch.lines_after(count).eq(batch.lines().skip(count)), "{count}");
        }
        let taken = batch.take();
        assert!(taken.len() == 3 && batch == Batch::default());
        batch.push(at(3), b"c\n");
        assert_eq!((batch.len(), batch.bytes.capacity()), (1, 8));
        batch.clear();
        assert!(batch.is_empty() && batch.bytes().is_empty() && batch.lines().next().is_none());
    }
}
