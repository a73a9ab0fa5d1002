//! From a rendered template back to the file as written.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::node::{SourceFile, Span};
use super::position::LineIndex;

/// Where each part of a rendered text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceMap {
    /// The text was not changed (a final newline may be missing).
    Identity,
    /// Each part of the rendered text, in its order and without gaps.
    Pieces(Vec<Piece>),
    /// It could not be told: places are in this text, as rendered.
    Rendered(Arc<SourceFile>),
}

/// A part of a rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes in the rendered text.
    pub rendered: Range<usize>,
    /// Where it comes from.
    pub source: PieceSource,
}

/// Where a part of a rendered text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceSource {
    /// Copied from the file, from this byte on.
    Literal(usize),
    /// The value of the expression in these bytes of the file.
    Expression(Range<usize>),
}

impl SourceMap {
    /// Returns the file that mapped places point into.
    #[must_use]
    pub fn file(&self, original: &Arc<SourceFile>) -> Arc<SourceFile> {
        match self {
            Self::Identity | Self::Pieces(_) => Arc::clone(original),
            Self::Rendered(file) => Arc::clone(file),
        }
    }
}

/// Turns byte ranges of the text that was parsed into places in the file.
pub(super) struct Places<'a> {
    lines: LineIndex<'a>,
    pieces: Option<&'a [Piece]>,
    /// The texts of expressions; a loop gives many values from one.
    expressions: RefCell<HashMap<(usize, usize), Arc<str>>>,
}

impl<'a> Places<'a> {
    /// `file` is the text as written; without `pieces` it is the parsed text too.
    pub(super) fn new(file: &'a SourceFile, pieces: Option<&'a [Piece]>) -> Self {
        Self { lines: LineIndex::new(&file.text), pieces, expressions: RefCell::default() }
    }

    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        let Some(pieces) = self.pieces else { return self.lines.span(range.start, range.end) };
        let start = start_of(pieces, range.start);
        if range.is_empty() {
            return self.lines.span(start, start);
        }
        // An end before the start comes from a loop: the value ends in an earlier line of it.
        self.lines.span(start, end_of(pieces, range.end).max(start))
    }

    /// Returns the text of the expressions that gave a part of the range, as written.
    pub(super) fn expression(&self, range: &Range<usize>) -> Option<Arc<str>> {
        let pieces = self.pieces?;
        let first = pieces.partition_point(|piece| piece.rendered.end <= range.start);
        let mut expressions = pieces[first..]
            .iter()
            .take_while(|piece| piece.rendered.start < range.end)
            .filter_map(|piece| match &piece.source {
                PieceSource::Expression(source) => Some(source),
                PieceSource::Literal(_) => None,
            });
        let first = expressions.next()?;
        let end = expressions.map(|source| source.end).filter(|end| *end > first.start).last();
        Some(self.written(first.start..end.unwrap_or(first.end)))
    }

    fn written(&self, range: Range<usize>) -> Arc<str> {
        let mut expressions = self.expressions.borrow_mut();
        let text = &self.lines.text()[range.clone()];
        Arc::clone(expressions.entry((range.start, range.end)).or_insert_with(|| text.into()))
    }

    /// Returns the text of the expression that gave all of the range, as written.
    pub(super) fn whole_expression(&self, range: &Range<usize>) -> Option<Arc<str>> {
        let pieces = self.pieces?;
        let piece = &pieces.get(pieces.partition_point(|p| p.rendered.end <= range.start))?;
        match &piece.source {
            PieceSource::Expression(source) if range.end <= piece.rendered.end => {
                Some(self.written(source.clone()))
            }
            PieceSource::Expression(_) | PieceSource::Literal(_) => None,
        }
    }
}

fn start_of(pieces: &[Piece], offset: usize) -> usize {
    let at = pieces.partition_point(|piece| piece.rendered.end <= offset);
    match pieces.get(at) {
        Some(Piece { rendered, source: PieceSource::Literal(from) }) => {
            from + offset.saturating_sub(rendered.start)
        }
        Some(Piece { source: PieceSource::Expression(source), .. }) => source.start,
        None if offset == 0 => 0,
        None => end_of(pieces, offset),
    }
}

/// `offset` is just past the last byte meant, so that the piece is the one with the byte before.
fn end_of(pieces: &[Piece], offset: usize) -> usize {
    let at = pieces.partition_point(|piece| piece.rendered.end < offset);
    match pieces.get(at).or(pieces.last()) {
        Some(Piece { rendered, source: PieceSource::Literal(from) }) => {
            from + offset.min(rendered.end).saturating_sub(rendered.start)
        }
        Some(Piece { source: PieceSource::Expression(source), .. }) => source.end,
        None => 0,
    }
}
