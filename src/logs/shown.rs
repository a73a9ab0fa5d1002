//! What is to be shown of a log (pure).

use k8s_openapi::jiff::Timestamp;

use super::mage::{Level, MageLine};

/// A line, or a part of a very long one, to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// When it was written, by the node's clock.
    pub(crate) time: Timestamp,
    /// What was written, with its line end if it has one.
    pub(crate) bytes: &'a [u8],
    /// How grave the record is.
    pub(crate) level: Level,
    /// What Mage says in it, if it is one of Mage's own.
    pub(crate) mage: Option<&'a MageLine>,
    /// Which part of a line it is.
    pub(crate) piece: Piece,
}

/// Which part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// All of it.
    Whole,
    /// Its beginning; more follows.
    First,
    /// More of it; more follows.
    Middle,
    /// The rest of it, perhaps nothing.
    Last,
}

/// Takes what is to be shown of a log.
pub(crate) trait Show {
    /// Shows a line, or a part of one.
    fn line(&mut self, line: &Shown<'_>);
    /// Shows what is said about the log at this place of it.
    fn notice(&mut self, time: Timestamp, text: &str);
    /// What follows is of another attempt.
    fn go_to(&mut self, attempt: u32);
}
