//! From byte offsets to lines and columns.

use super::node::{Position, Span};

/// The byte order mark that an editor may have put in front of a file.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where the lines of a text start.
///
/// A line ends as libyaml ends it: at CR, LF, CRLF, NEL, LS or PS.
#[derive(Clone, Debug)]
pub struct LineIndex<'text> {
    text: &'text str,
    starts: Vec<usize>,
}

impl<'text> LineIndex<'text> {
    /// Reads the lines of `text`. A byte order mark at its start takes no column.
    #[must_use]
    pub fn new(text: &'text str) -> Self {
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut starts = vec![first];
        for (offset, character) in text.char_indices() {
            let end = offset + character.len_utf8();
            let is_break = match character {
                '\r' => !text[end..].starts_with('\n'),
                _ => is_break(character),
            };
            if is_break {
                starts.push(end);
            }
        }
        Self { text, starts }
    }

    /// Returns the text it was made from.
    #[must_use]
    pub fn text(&self) -> &'text str {
        self.text
    }

    /// Returns the place `offset` bytes from the start; an offset past the end, or inside of a
    /// character, is moved back.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let column = self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
        Position { line, column, offset }
    }

    /// Returns the part between two byte offsets.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.position(start), end: self.position(end.max(start)) }
    }
}

/// Tells whether a character ends a line in YAML.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{LineIndex, Position};

    #[test]
    fn counts_every_line_break_of_yaml_and_columns_in_code_points() {
        let index = LineIndex::new("\u{feff}a\r\nbé\u{85}c\rd\u{2028}e\u{2029}😀f\n");
        let place = |needle: char| {
            let offset = index.text().find(needle).unwrap();
            let Position { line, column, offset: same } = index.position(offset);
            assert_eq!(same, offset);
            (line, column)
        };
        assert_eq!(
            ['a', 'b', 'c', 'd', 'e', 'f'].map(place),
            [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2)]
        );
    }

    #[test]
    fn an_offset_outside_is_moved_inside() {
        let index = LineIndex::new("é");
        assert_eq!(index.position(1).offset, 0);
        assert_eq!(index.position(9), Position { line: 1, column: 2, offset: 2 });
    }
}
