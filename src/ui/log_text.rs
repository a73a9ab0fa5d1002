//! Lines of logs as text: what the container wrote, behind the name of its block; or nothing else than
//! what it wrote (pure).

use k8s_openapi::jiff::Timestamp;

use super::color::Paint;
use super::log_label::Label;
use super::log_time::{Clock, Zone};
use super::run_text::{Style, level_word, log_prefix, note_prefix};
use super::sanitize::{line_for_terminal, push_harmless};
use crate::logs::{Level, MageLine, Piece, Shown};

/// Names longer than that have no others aligned to them.
const LONGEST_NAME: usize = 32;
/// The width of the column of levels, which `WARNING` fills.
const LEVEL: usize = 7;

/// Writes lines behind the names of their blocks.
#[derive(Debug)]
pub(super) struct TextWriter {
    style: Style,
    timestamps: Option<Clock>,
    clock: Clock,
    levels: [String; 4],
    /// Whose line was begun and has no end yet.
    open: Option<usize>,
}

/// What stands in front of the lines of one log.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    log: Vec<u8>,
    note: Vec<u8>,
    width: Option<usize>,
}

impl TextWriter {
    pub(super) fn new(harmless: bool, color: bool, timestamps: Option<Zone>, clock: Zone) -> Self {
        let style = Style { width: 0, harmless, color };
        let levels = Level::ALL.map(|level| {
            let word = level_word(level, style);
            let width = level.as_str().len();
            format!("{word}{:1$} ", "", LEVEL.saturating_sub(width))
        });
        let timestamps = timestamps.map(Clock::new);
        Self { style, timestamps, clock: Clock::new(clock), levels, open: None }
    }

    /// Returns the width of the column of names.
    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// Makes room for the name of a log.
    pub(super) fn make_room(&mut self, label: &Label) {
        let width = label.name().chars().count().min(LONGEST_NAME);
        self.style.width = self.style.width.max(width);
    }

    /// Brings what stands in front of the lines of a log up to date.
    pub(super) fn refresh(&self, label: &Label, prefixes: &mut Prefixes) {
        if prefixes.width != Some(self.style.width) {
            let name = label.name();
            prefixes.log = log_prefix(&label.block, &name, self.style).into_bytes();
            prefixes.note = note_prefix(&label.block, &name, self.style).into_bytes();
            prefixes.width = Some(self.style.width);
        }
    }

    /// Writes a line, or a part of one.
    #[inline]
    pub(super) fn line(
        &mut self,
        source: usize,
        prefixes: &Prefixes,
        shown: &Shown<'_>,
        out: &mut Vec<u8>,
    ) {
        if let Some(mage) = shown.mage {
            self.mage(prefixes, shown, mage, out);
            return;
        }
        let goes_on = self.open.is_some()
            && self.open == Some(source)
            && matches!(shown.piece, Piece::Middle | Piece::Last);
        if !goes_on {
            self.begin(shown.time, out);
            out.extend_from_slice(&prefixes.log);
        }
        if self.style.harmless {
            push_harmless(shown.bytes.strip_suffix(b"\n").unwrap_or(shown.bytes), out);
        } else {
            out.extend_from_slice(shown.bytes);
        }
        match shown.piece {
            Piece::Whole | Piece::Last => {
                if self.style.harmless || !shown.bytes.ends_with(b"\n") {
                    out.push(b'\n');
                }
                self.open = None;
            }
            Piece::First | Piece::Middle => self.open = Some(source),
        }
    }

    /// Begins a line, with its time if that is asked for.
    #[inline]
    fn begin(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        // What was begun of another one has no end.
        if self.open.take().is_some() {
            out.push(b'\n');
        }
        if let Some(clock) = &mut self.timestamps {
            clock.write_full(time, out);
            out.push(b' ');
        }
    }

    /// Writes what Mage says: time, level and message.
    fn mage(&mut self, prefixes: &Prefixes, shown: &Shown<'_>, mage: &MageLine, out: &mut Vec<u8>) {
        for (index, line) in mage.text.split('\n').enumerate() {
            self.begin(shown.time, out);
            out.extend_from_slice(&prefixes.log);
            if index == 0 {
                if self.timestamps.is_none() {
                    self.short_time(shown, out);
                }
                out.extend_from_slice(self.levels[shown.level as usize].as_bytes());
            }
            if self.style.harmless {
                out.extend_from_slice(line_for_terminal(line).as_bytes());
            } else {
                out.extend_from_slice(line.as_bytes());
            }
            out.push(b'\n');
        }
    }

    fn short_time(&mut self, shown: &Shown<'_>, out: &mut Vec<u8>) {
        let mut time = Vec::new();
        self.clock.write_short(shown.time, &mut time);
        if self.style.color {
            let time = String::from_utf8_lossy(&time);
            out.extend_from_slice(Paint::Dim.on(&time).as_bytes());
        } else {
            out.extend_from_slice(&time);
        }
        out.push(b' ');
    }

    /// Writes what is said about a log.
    pub(super) fn notice(
        &mut self,
        prefixes: &Prefixes,
        time: Timestamp,
        text: &str,
        out: &mut Vec<u8>,
    ) {
        self.begin(time, out);
        out.extend_from_slice(&prefixes.note);
        let text = text.replace('\n', " ");
        let text = if self.style.harmless { line_for_terminal(&text).into_owned() } else { text };
        let text = if self.style.color { Paint::Warn.on(&text) } else { text };
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
}

/// Writes what the containers wrote and nothing else.
#[derive(Debug)]
pub(super) struct RawWriter {
    harmless: bool,
    timestamps: Option<Clock>,
    /// Whose last line has no end.
    open: Option<usize>,
}

impl RawWriter {
    pub(super) fn new(harmless: bool, timestamps: Option<Zone>) -> Self {
        Self { harmless, timestamps: timestamps.map(Clock::new), open: None }
    }

    /// Writes a line, or a part of one.
    #[inline]
    pub(super) fn line(&mut self, source: usize, shown: &Shown<'_>, out: &mut Vec<u8>) {
        let begins = matches!(shown.piece, Piece::Whole | Piece::First);
        if self.open.is_some_and(|open| open != source || (begins && self.timestamps.is_some())) {
            out.push(b'\n');
        }
        if let Some(clock) = &mut self.timestamps
            && (begins || self.open != Some(source))
        {
            clock.write_full(shown.time, out);
            out.push(b' ');
        }
        if self.harmless {
            let text = shown.bytes.strip_suffix(b"\n");
            push_harmless(text.unwrap_or(shown.bytes), out);
            out.extend(text.map(|_| b'\n'));
        } else {
            out.extend_from_slice(shown.bytes);
        }
        self.open = (!shown.bytes.ends_with(b"\n")).then_some(source);
    }
}
