//! What of one log has come and is not shown yet (pure).
//!
//! Lines go out as they come, but what belongs together goes out together: a record of several lines,
//! or one that the filter cannot judge yet, is held until its end, for a short time at most.

use std::collections::VecDeque;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::batch::{Batch, Line};
use super::filter::{Filter, Verdict};
use super::mage::{Level, MageLine, mage_line};
use super::order::Limit;
use super::record::{Place, Reader, Rest, Unit};
use super::shown::{Piece, Show, Shown};

/// How long the rest of a record is waited for that would be half a record without.
const REST_COMES: Duration = Duration::from_millis(200);
/// How long the rest of a record is waited for that may be whole.
const REST_MAY_COME: Duration = Duration::from_millis(50);
/// How many bytes of a record are held.
const LONGEST_HELD: usize = 256 << 10;
/// How many bytes of a line that is longer than that are collected before they are shown.
const PART: usize = 64 << 10;
/// How many bytes may wait to be looked at before no more are wanted.
const MOST_QUEUED: usize = 64 << 10;

/// What came.
#[derive(Debug)]
enum Entry {
    Lines {
        batch: Batch,
        /// How many of them are done.
        done: usize,
        came: Duration,
    },
    Notice {
        time: Timestamp,
        text: String,
        came: Duration,
    },
    Attempt {
        number: u32,
        came: Duration,
    },
}

/// What of one log has come and is not shown.
#[derive(Debug)]
pub(crate) struct Pending {
    queue: VecDeque<Entry>,
    queued: usize,
    /// The time of what is looked at next, and when it came.
    head: Option<(Timestamp, Duration)>,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    line_time: Timestamp,
    /// What became of the beginning before that, where the line is a very long one.
    long: Option<Long>,
    reader: Reader,
    unit: Unit,
    level: Level,
    verdict: Verdict,
    /// Whether the record is not held any more.
    is_let_go: bool,
    held: Batch,
    /// When the last of what was looked at came.
    came: Duration,
    /// When something came at last.
    heard: Duration,
    /// The time of the last line; never goes back.
    time: Timestamp,
    has_ended: bool,
}

/// What became of the beginning of a very long line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    Shown,
    Hidden,
}

/// What a log waits for that has nothing more to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Nothing: all is shown.
    Nothing,
    /// The rest of a record, until then.
    Record(Duration),
    /// The rest of a line, which came in part then.
    Line(Duration),
}

impl Pending {
    /// Makes the beginning of a log that may give something from then on.
    pub(crate) fn new(unit: Unit, now: Duration) -> Self {
        Self {
            queue: VecDeque::new(),
            queued: 0,
            head: None,
            line: Vec::new(),
            line_time: Timestamp::MIN,
            long: None,
            reader: Reader::new(unit),
            unit,
            level: Level::Info,
            verdict: Verdict::Shown,
            is_let_go: false,
            held: Batch::default(),
            came: now,
            heard: now,
            time: Timestamp::MIN,
            has_ended: false,
        }
    }

    /// Takes lines.
    pub(crate) fn take(&mut self, batch: Batch, now: Duration) {
        self.queued += batch.bytes().len();
        self.heard = now;
        self.push(Entry::Lines { batch, done: 0, came: now });
    }

    /// Takes what is to be said at this place.
    pub(crate) fn notice(&mut self, time: Timestamp, text: String, now: Duration) {
        self.push(Entry::Notice { time, text, came: now });
    }

    /// What follows is of another attempt.
    pub(crate) fn go_to(&mut self, number: u32, now: Duration) {
        self.push(Entry::Attempt { number, came: now });
    }

    fn push(&mut self, entry: Entry) {
        self.queue.push_back(entry);
        if self.head.is_none() {
            self.find_head();
        }
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        self.has_ended = true;
    }

    /// Tells whether nothing more comes.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Tells whether more may be taken.
    pub(crate) fn wants(&self) -> bool {
        !self.has_ended && !self.is_full()
    }

    /// Tells whether as much as can be kept waits to be looked at.
    pub(crate) fn is_full(&self) -> bool {
        self.queued >= MOST_QUEUED
    }

    /// Tells whether everything was looked at.
    pub(crate) fn is_dry(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns when something came at last.
    pub(crate) fn heard(&self) -> Duration {
        self.heard
    }

    /// Returns the time of the last line that was looked at.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Tells whether a part of a very long line is shown.
    pub(crate) fn is_in_long_line(&self) -> bool {
        self.long == Some(Long::Shown)
    }

    /// Tells whether a record has begun that is not shown.
    pub(crate) fn is_in_record(&self) -> bool {
        !self.held.is_empty() || !self.line.is_empty() || self.long.is_some()
    }

    /// Returns the time of what is looked at next, and when it came.
    pub(crate) fn head(&self) -> Option<(Timestamp, Duration)> {
        self.head
    }

    fn find_head(&mut self) {
        self.head = self.queue.front().map(|entry| match entry {
            Entry::Notice { came, .. } | Entry::Attempt { came, .. } => (self.time, *came),
            Entry::Lines { batch, done, came } => {
                let next = batch.lines_after(*done).next();
                (next.map_or(self.time, |line| line.time.max(self.time)), *came)
            }
        });
    }

    /// Returns what the log waits for when everything was looked at.
    pub(crate) fn wait(&self) -> Wait {
        if !self.line.is_empty() || self.long.is_some() {
            return Wait::Line(self.came);
        }
        if self.held.is_empty() {
            return Wait::Nothing;
        }
        let patience = match self.reader.rest() {
            Rest::Comes => REST_COMES,
            Rest::IsLikely | Rest::MayCome | Rest::Nothing => REST_MAY_COME,
        };
        Wait::Record(self.came + patience)
    }

    /// Looks at the next batch or notice, up to a limit; shows what is to be shown.
    pub(crate) fn look(&mut self, limit: Limit, filter: &Filter, show: &mut impl Show) {
        self.look_at_next(limit, filter, show);
        self.find_head();
    }

    fn look_at_next(&mut self, limit: Limit, filter: &Filter, show: &mut impl Show) {
        let Some(entry) = self.queue.pop_front() else { return };
        match entry {
            Entry::Notice { time, text, came } => {
                self.finish(filter, show);
                if !limit.lets_begin(self.time, came) {
                    self.queue.push_front(Entry::Notice { time, text, came });
                    return;
                }
                show.notice(time, &text);
            }
            Entry::Attempt { number, .. } => {
                self.finish(filter, show);
                show.go_to(number);
            }
            Entry::Lines { batch, done, came } => {
                let looked_at = self.look_at(&batch, done, came, limit, filter, show);
                if looked_at < batch.len() {
                    self.queue.push_front(Entry::Lines { batch, done: looked_at, came });
                }
            }
        }
    }

    /// Looks at the lines of a batch; returns how many are done.
    fn look_at(
        &mut self,
        batch: &Batch,
        done: usize,
        came: Duration,
        limit: Limit,
        filter: &Filter,
        show: &mut impl Show,
    ) -> usize {
        let mut lines = batch.lines_after(done);
        let mut next = lines.next();
        let mut count = done;
        let mut bytes = 0;
        while let Some(line) = next {
            let time = self.time.max(line.time);
            if !limit.lets_begin(time, came) && self.would_begin(&line) {
                // What is held is whole then.
                self.close(show);
                break;
            }
            next = lines.next();
            self.time = time;
            self.piece(&line, next.as_ref().map(|next| next.bytes), filter, show);
            count += 1;
            bytes += line.bytes.len();
        }
        if count > done {
            self.came = came;
        }
        self.queued -= bytes;
        count
    }

    /// Tells whether a line would begin a record; a piece of one belongs to what is there, as long as
    /// nobody can know better.
    fn would_begin(&self, line: &Line<'_>) -> bool {
        let may = self.line.is_empty() && self.long.is_none();
        may && (line.ends() || self.held.is_empty()) && self.reader.would_begin(line.text())
    }

    /// Takes a piece of a line, mostly a whole one.
    #[inline]
    fn piece(
        &mut self,
        piece: &Line<'_>,
        next: Option<&[u8]>,
        filter: &Filter,
        show: &mut impl Show,
    ) {
        if piece.ends() && self.line.is_empty() && self.long.is_none() {
            self.line(piece, next, filter, show);
            return;
        }
        if self.line.is_empty() && self.long.is_none() {
            self.line_time = piece.time;
        }
        self.line.extend_from_slice(piece.bytes);
        if piece.ends() {
            self.end_line(next, filter, show);
        } else if self.line.len() >= if self.long.is_some() { PART } else { LONGEST_HELD } {
            self.show_part(filter, show);
        }
    }

    /// Takes what was collected of a line as its end.
    fn end_line(&mut self, next: Option<&[u8]>, filter: &Filter, show: &mut impl Show) {
        let mut bytes = std::mem::take(&mut self.line);
        let line = Line { time: self.line_time, bytes: &bytes };
        match self.long.take() {
            None => self.line(&line, next, filter, show),
            Some(Long::Shown) => show.line(&self.shown(&line, None, Piece::Last)),
            Some(Long::Hidden) => {}
        }
        bytes.clear();
        // Memory is kept for the next one, but not that of a very long line.
        bytes.shrink_to(PART);
        self.line = bytes;
    }

    /// Shows what was collected of a very long line, if it is to be shown; it is judged by its
    /// beginning.
    fn show_part(&mut self, filter: &Filter, show: &mut impl Show) {
        let bytes = std::mem::take(&mut self.line);
        let (now, later) = bytes.split_at(whole_characters(&bytes));
        let line = Line { time: self.line_time, bytes: now };
        match self.long {
            Some(Long::Shown) => show.line(&self.shown(&line, None, Piece::Middle)),
            Some(Long::Hidden) => {}
            None => {
                self.place(now, filter, show);
                self.verdict = filter.take(self.verdict, now);
                self.let_go(show);
                if self.is_shown() {
                    show.line(&self.shown(&line, None, Piece::First));
                }
                self.long = Some(if self.is_shown() { Long::Shown } else { Long::Hidden });
            }
        }
        self.line.extend_from_slice(later);
    }

    /// Takes a whole line.
    #[inline]
    fn line(
        &mut self,
        line: &Line<'_>,
        next: Option<&[u8]>,
        filter: &Filter,
        show: &mut impl Show,
    ) {
        let text = line.text();
        let mage = self.place(text, filter, show);
        if let Some(mage) = mage {
            self.mage(line, &mage, filter, show);
            return;
        }
        self.verdict = filter.take(self.verdict, text);
        if self.verdict == Verdict::Hidden {
            self.forget();
        } else if self.is_to_be_held(next) {
            self.held.push(line.time, line.bytes);
            if self.held.bytes().len() >= LONGEST_HELD {
                self.let_go(show);
            }
        } else if self.verdict != Verdict::HiddenSoFar {
            self.show_held(show);
            show.line(&self.shown(line, None, Piece::Whole));
        }
    }

    /// Finds the record of a line; returns what Mage says, if it is one of Mage's own.
    #[inline]
    fn place(&mut self, text: &[u8], filter: &Filter, show: &mut impl Show) -> Option<MageLine> {
        let Place::Begins(level) = self.reader.place(text) else { return None };
        self.close(show);
        self.verdict = filter.begin(level);
        // What is hidden by its first word need not be understood: Mage's lines end like that.
        let is_hidden = self.verdict == Verdict::Hidden;
        let mage = if self.unit == Unit::Line || is_hidden { None } else { mage(text) };
        if mage.is_some() || (is_hidden && text.ends_with(b"}")) {
            self.reader.close();
        }
        self.level = level;
        self.is_let_go = false;
        mage
    }

    /// Shows one of Mage's own lines, if it is to be shown.
    fn mage(&mut self, line: &Line<'_>, mage: &MageLine, filter: &Filter, show: &mut impl Show) {
        // What people see is what their patterns are for: the message, and the level in front of it.
        if self.verdict != Verdict::Shown {
            let word = self.level.as_str().to_ascii_uppercase();
            let seen = format!("{word} {}", mage.text);
            for line in mage.text.split('\n').chain(seen.split('\n').take(1)) {
                self.verdict = filter.take(self.verdict, line.as_bytes());
            }
        }
        if self.is_shown() {
            show.line(&self.shown(line, Some(mage), Piece::Whole));
        }
    }

    fn shown<'a>(&self, line: &Line<'a>, mage: Option<&'a MageLine>, piece: Piece) -> Shown<'a> {
        Shown { time: line.time, bytes: line.bytes, level: self.level, mage, piece }
    }

    fn is_shown(&self) -> bool {
        matches!(self.verdict, Verdict::Shown | Verdict::ShownSoFar)
    }

    /// Tells whether a line of the record waits for what comes after it.
    #[inline]
    fn is_to_be_held(&self, next: Option<&[u8]>) -> bool {
        if self.is_let_go {
            return false;
        }
        match self.reader.rest() {
            Rest::Nothing => false,
            Rest::Comes => true,
            rest => match next {
                Some(next) => self.reader.may_go_on(next),
                None => rest == Rest::IsLikely || self.verdict != Verdict::Shown,
            },
        }
    }

    /// The record is whole: shows what is held of it, if it is to be shown.
    fn close(&mut self, show: &mut impl Show) {
        if self.is_shown() {
            self.show_held(show);
        }
        self.forget();
    }

    /// Forgets what is held; memory is kept for the next record, but not that of a very long one.
    fn forget(&mut self) {
        if self.held.bytes().len() > PART {
            self.held = Batch::default();
        } else {
            self.held.clear();
        }
    }

    /// Shows what is held of the record, and holds nothing more of it.
    pub(crate) fn let_go(&mut self, show: &mut impl Show) {
        self.close(show);
        self.is_let_go = true;
    }

    /// Takes everything that came as whole, because nothing more comes or something else follows.
    pub(crate) fn finish(&mut self, filter: &Filter, show: &mut impl Show) {
        if !self.line.is_empty() || self.long.is_some() {
            self.end_line(None, filter, show);
        }
        self.close(show);
        self.reader.close();
    }

    #[inline]
    fn show_held(&mut self, show: &mut impl Show) {
        if self.held.is_empty() {
            return;
        }
        for line in self.held.lines() {
            show.line(&self.shown(&line, None, Piece::Whole));
        }
        self.forget();
    }
}

/// Returns what Mage says in a line, if it is one of Mage's own.
#[inline]
fn mage(text: &[u8]) -> Option<MageLine> {
    let may_be = matches!(text, [b'C' | b'D' | b'E' | b'I' | b'W', ..]);
    if may_be { mage_line(std::str::from_utf8(text).ok()?) } else { None }
}

/// Returns how many bytes there are before a character that is cut off at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let end = bytes.len();
    for (back, byte) in bytes.iter().rev().take(3).enumerate() {
        let length = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if length > back + 1 { end - back - 1 } else { end };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn characters_are_not_cut() {
        for text in ["", "a", "é", "aé", "€", "a€", "😀", "a😀", "aaaa"] {
            assert_eq!(whole_characters(text.as_bytes()), text.len(), "{text}");
            let start = text.char_indices().last().map_or(0, |(at, _)| at);
            for end in start + 1..text.len() {
                assert_eq!(whole_characters(&text.as_bytes()[..end]), start, "{text} {end}");
            }
        }
        assert_eq!(whole_characters(b"\xff\xff\x80\x80\x80"), 5);
    }
}
