//! From byte offsets to lines and columns.

use super::node::{Position, Span};

/// The byte order mark that an editor may have put in front of a file.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The most bytes between two known places: a line may be as long as the file.
const STRIDE: usize = 256;

/// Where the lines of a text start.
///
/// A line ends as libyaml ends it: at CR, LF, CRLF, NEL, LS or PS.
#[derive(Clone, Debug)]
pub struct LineIndex<'text> {
    text: &'text str,
    /// The start of every line and, in long lines, places on the way, in order.
    known: Vec<Position>,
    /// Every character is one byte, so columns need no counting.
    is_ascii: bool,
}

impl<'text> LineIndex<'text> {
    /// Reads the lines of `text`. A byte order mark at its start takes no column.
    #[must_use]
    pub fn new(text: &'text str) -> Self {
        let first = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut here = Position { line: 1, column: 1, offset: small(first) };
        let mut known = vec![here];
        let mut last = first;
        for (offset, character) in text[first..].char_indices() {
            let end = first + offset + character.len_utf8();
            let is_break = match character {
                '\r' => !text[end..].starts_with('\n'),
                _ => is_break(character),
            };
            here = if is_break {
                Position { line: here.line.saturating_add(1), column: 1, offset: small(end) }
            } else {
                let column = here.column.saturating_add(1);
                Position { column, offset: small(end), ..here }
            };
            if is_break || end - last >= STRIDE {
                known.push(here);
                last = end;
            }
        }
        Self { text, known, is_ascii: text.is_ascii() }
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
        while !self.is_ascii && !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let at = small(offset);
        let after = self.known.partition_point(|known| known.offset <= at);
        let Position { line, column, offset: start } = self.known[after.saturating_sub(1)];
        let between = usize::try_from(start).ok().and_then(|start| self.text.get(start..offset));
        let length = |text: &str| if self.is_ascii { text.len() } else { text.chars().count() };
        let between = between.map_or(0, length);
        Position { line, column: column.saturating_add(small(between)), offset: at }
    }

    /// Returns the part between two byte offsets.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.position(start), end: self.position(end.max(start)) }
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Tells whether a character ends a line in YAML.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{LineIndex, Position, small};

    #[test]
    fn counts_every_line_break_of_yaml_and_columns_in_code_points() {
        let index = LineIndex::new("\u{feff}a\r\nbé\u{85}c\rd\u{2028}e\u{2029}😀f\n");
        let place = |needle: char| {
            let offset = index.text().find(needle).unwrap();
            let Position { line, column, offset: same } = index.position(offset);
            assert_eq!(same, small(offset));
            (line, column)
        };
        assert_eq!(
            ['a', 'b', 'c', 'd', 'e', 'f'].map(place),
            [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2)]
        );
    }

    #[test]
    fn long_lines_are_counted_as_short_ones_are() {
        let text = format!("{}\n{}", "é日x".repeat(500), "ab".repeat(700));
        let index = LineIndex::new(&text);
        let (mut line, mut column) = (1, 1);
        for (offset, character) in text.char_indices() {
            let here = Position { line, column, offset: small(offset) };
            assert_eq!(index.position(offset), here);
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
    }

    #[test]
    fn an_offset_outside_is_moved_inside() {
        let index = LineIndex::new("é");
        assert_eq!(index.position(1).offset, 0);
        assert_eq!(index.position(9), Position { line: 1, column: 2, offset: 2 });
    }
}
