//! Logs of many containers as the bytes that go to stdout (pure): which line is next, which are shown,
//! and how.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::log_json::{JsonWriter, Members};
use super::log_label::Label;
use super::log_text::{Prefixes, RawWriter, TextWriter};
use super::log_time::Zone;
use crate::logs::{Batch, Filter, Order, Pending, Show, Shown, Turn, Turns, Unit};
use crate::run::RunEvent;

/// How lines are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogForm {
    /// Behind the name of the block, Mage's own as time, level and message.
    #[default]
    Text,
    /// What the containers wrote and nothing else.
    Raw,
    /// One JSON object a line.
    Json,
}

/// What stdout is to have.
#[derive(Clone, Debug)]
pub struct LogStyle {
    /// How lines are shown.
    pub form: LogForm,
    /// Whether stdout is a terminal, on which nothing may do anything but be shown.
    pub terminal: bool,
    /// Whether there are to be colours.
    pub color: bool,
    /// The zone of the full times in front of lines, if there are to be any.
    pub timestamps: Option<Zone>,
    /// The zone of the short times of Mage's own lines, which are shown where full ones are not.
    pub clock: Zone,
}

/// Makes the bytes for stdout of what the logs give.
///
/// A source is the number of one log. Times called `now` are counted from any one moment on and never go back.
#[derive(Debug)]
pub struct Composer {
    filter: Filter,
    turns: Turns,
    writer: Writer,
    unit: Unit,
    logs: BTreeMap<usize, Pending>,
    faces: BTreeMap<usize, Face>,
    due: Option<Duration>,
}

impl Composer {
    /// Makes one without logs.
    #[must_use]
    pub fn new(style: LogStyle, filter: Filter, order: Order) -> Self {
        let LogStyle { form, terminal, color, timestamps, clock } = style;
        let writer = match form {
            LogForm::Text => Writer::Text(TextWriter::new(terminal, color, timestamps, clock)),
            LogForm::Raw => Writer::Raw(RawWriter::new(terminal, timestamps)),
            LogForm::Json => Writer::Json(JsonWriter::new(terminal, timestamps)),
        };
        let unit = if form == LogForm::Raw { Unit::Line } else { Unit::Whole };
        let (logs, faces) = (BTreeMap::new(), BTreeMap::new());
        Self { filter, turns: Turns::new(order), writer, unit, logs, faces, due: None }
    }

    /// A log may come from now on. No number stands for two logs.
    pub fn begin(&mut self, source: usize, label: Label, now: Duration) {
        if let Writer::Text(writer) = &mut self.writer {
            writer.make_room(&label);
        }
        self.turns.begin(source);
        self.logs.insert(source, Pending::new(self.unit, now));
        self.faces.insert(source, Face::new(label, &self.writer));
    }

    /// No other log begins, so that nothing has to wait for one.
    pub fn all_have_begun(&mut self) {
        self.turns.all_have_begun();
    }

    /// Takes lines of a log that has begun.
    pub fn take(&mut self, source: usize, batch: Batch, now: Duration) {
        if let Some(log) = self.logs.get_mut(&source) {
            log.take(batch, now);
            self.turns.came(source);
        }
    }

    /// Takes what is to be said at this place of a log, and when that was found.
    pub fn notice(&mut self, source: usize, time: Timestamp, text: &str, now: Duration) {
        if let Some(log) = self.logs.get_mut(&source) {
            log.notice(time, text.to_owned(), now);
            self.turns.came(source);
        }
    }

    /// What follows of a log is of another attempt: the container was restarted.
    pub fn restart(&mut self, source: usize, attempt: u32, now: Duration) {
        if let Some(log) = self.logs.get_mut(&source) {
            log.go_to(attempt, now);
            self.turns.came(source);
        }
    }

    /// Nothing more comes of a log.
    pub fn end(&mut self, source: usize) {
        if let Some(log) = self.logs.get_mut(&source) {
            log.end();
        }
    }

    /// Tells whether more lines of a log may be taken now; they are not lost otherwise, but kept
    /// without bound.
    #[must_use]
    pub fn wants(&self, source: usize) -> bool {
        self.logs.get(&source).is_some_and(Pending::wants)
    }

    /// Adds all that can be shown now.
    pub fn show(&mut self, now: Duration, out: &mut Vec<u8>) {
        loop {
            let turn = self.turns.next(&self.logs, now);
            let source = match turn {
                Turn::Look(source, _) | Turn::LetGo(source) | Turn::Finish(source) => source,
                Turn::Wait(due) => {
                    self.due = due;
                    return;
                }
            };
            let (Some(log), Some(face)) = (self.logs.get_mut(&source), self.faces.get_mut(&source))
            else {
                continue;
            };
            face.refresh(&self.writer);
            let mut shower = Shower { source, face, writer: &mut self.writer, out };
            match turn {
                Turn::Look(_, limit) => log.look(limit, &self.filter, &mut shower),
                Turn::LetGo(_) => log.let_go(&mut shower),
                Turn::Finish(_) => log.finish(&self.filter, &mut shower),
                Turn::Wait(_) => {}
            }
            self.turns.looked_at(source, log);
            if matches!(turn, Turn::Finish(_)) {
                self.logs.remove(&source);
                self.faces.remove(&source);
            }
        }
    }

    /// Adds what is said about a Job, a pod or all of it, in the form that has a place for it.
    pub fn event(&mut self, event: &RunEvent, out: &mut Vec<u8>) {
        if let Writer::Json(writer) = &mut self.writer {
            writer.event(event, out);
        }
    }

    /// Returns the width of the column of names.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.writer {
            Writer::Text(writer) => writer.width(),
            Writer::Raw(_) | Writer::Json(_) => 0,
        }
    }

    /// Returns when [`Self::show`] has something to do at the latest, if nothing comes until then.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Tells whether every log that has begun has ended and is shown.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.logs.is_empty()
    }
}

/// What stands around the lines of one log.
#[derive(Debug)]
enum Face {
    Text(Label, Prefixes),
    Raw,
    Json(Label, Members),
}

impl Face {
    fn new(label: Label, writer: &Writer) -> Self {
        match writer {
            Writer::Text(_) => Self::Text(label, Prefixes::default()),
            Writer::Raw(_) => Self::Raw,
            Writer::Json(_) => {
                let members = Members::new(&label);
                Self::Json(label, members)
            }
        }
    }

    /// Brings it up to date with the names of the other logs.
    fn refresh(&mut self, writer: &Writer) {
        if let (Self::Text(label, prefixes), Writer::Text(writer)) = (self, writer) {
            writer.refresh(label, prefixes);
        }
    }
}

#[derive(Debug)]
enum Writer {
    Text(TextWriter),
    Raw(RawWriter),
    Json(JsonWriter),
}

/// Shows the lines of one log.
struct Shower<'a> {
    source: usize,
    face: &'a mut Face,
    writer: &'a mut Writer,
    out: &'a mut Vec<u8>,
}

impl Show for Shower<'_> {
    #[inline]
    fn line(&mut self, line: &Shown<'_>) {
        match (&mut *self.writer, &*self.face) {
            (Writer::Text(writer), Face::Text(_, prefixes)) => {
                writer.line(self.source, prefixes, line, self.out);
            }
            (Writer::Raw(writer), _) => writer.line(self.source, line, self.out),
            (Writer::Json(writer), Face::Json(_, members)) => writer.line(members, line, self.out),
            // A face is made for the writer.
            (Writer::Text(_) | Writer::Json(_), _) => {}
        }
    }

    fn notice(&mut self, time: Timestamp, text: &str) {
        match (&mut *self.writer, &*self.face) {
            (Writer::Text(writer), Face::Text(_, prefixes)) => {
                writer.notice(prefixes, time, text, self.out);
            }
            (Writer::Json(writer), Face::Json(_, members)) => {
                writer.notice(members, time, text, self.out);
            }
            (Writer::Raw(_) | Writer::Text(_) | Writer::Json(_), _) => {}
        }
    }

    fn go_to(&mut self, attempt: u32) {
        match self.face {
            Face::Text(label, prefixes) => {
                label.attempt = attempt;
                *prefixes = Prefixes::default();
                if let Writer::Text(writer) = &mut self.writer {
                    writer.make_room(label);
                }
                self.face.refresh(self.writer);
            }
            Face::Json(label, members) => {
                label.attempt = attempt;
                *members = Members::new(label);
            }
            Face::Raw => {}
        }
    }
}

#[cfg(test)]
mod tests;
