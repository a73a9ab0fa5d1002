//! Lines in hunks, as `diff -u` writes them.

use super::lines::{Line, Mark};

/// How many lines of both Jobs stand around those that differ.
const AROUND: usize = 3;

/// Lines that differ, with some around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// `@@ -1,3 +1,4 @@`
    pub header: String,
    /// The lines.
    pub lines: &'a [Line],
}

/// Puts lines that differ into hunks.
#[must_use]
pub fn hunks(lines: &[Line]) -> Vec<Hunk<'_>> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (index, _) in lines.iter().enumerate().filter(|(_, line)| line.mark != Mark::Both) {
        let (start, end) = (index.saturating_sub(AROUND), (index + AROUND + 1).min(lines.len()));
        match spans.last_mut() {
            Some((_, last)) if start <= *last => *last = end,
            _ => spans.push((start, end)),
        }
    }
    let hunk = |(start, end): (usize, usize)| Hunk {
        header: format!(
            "@@ -{} +{} @@",
            range(lines, start, end, Mark::New),
            range(lines, start, end, Mark::Old)
        ),
        lines: &lines[start..end],
    };
    spans.into_iter().map(hunk).collect()
}

/// Writes which lines of one Job a hunk has; `not` are those of the other alone.
fn range(lines: &[Line], start: usize, end: usize, not: Mark) -> String {
    let count = |lines: &[Line]| lines.iter().filter(|line| line.mark != not).count();
    let (before, inside) = (count(&lines[..start]), count(&lines[start..end]));
    match inside {
        // Of none, it is the line before.
        0 => format!("{before},0"),
        1 => format!("{}", before + 1),
        _ => format!("{},{inside}", before + 1),
    }
}
