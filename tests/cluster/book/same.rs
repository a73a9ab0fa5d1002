//! Whether a command said what a page says, what differs from run to run apart.

use std::sync::LazyLock;

use regex::Regex;

/// Stands for any lines, or in a line for any text.
const ANY: &str = "…";

/// What differs from run to run, and what stands for it in comparisons.
static DIFFERING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "TIME"),
        (r"\b\d\d:\d\d:\d\d(\.\d+)?", "TIME"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
        (r"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b|\b[0-9a-f]{12}\b", "HASH"),
        (r"\b(?<job>[0-9a-f]{8}(-\d+)?)-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "$job-POD"),
        // The hash in a Job's name depends on the run's.
        (
            r"-(?<run>[bcdfghjklmnpqrstvwxz2456789]{6}-[a-z0-9-]+)-[0-9a-f]{8}\b(?<attempt>-\d+\b)?(-POD)?",
            "-$run-HASH${attempt}",
        ),
        (r"\bprocess \d+", "process PID"),
        // `250m` is a share of a CPU and no time.
        (r"\b\d{1,2}[mhd]\b", "AGE"),
        (r"\b(\d+d)?(\d+h)?(\d+m)?\d+(\.\d+)?(s|ms|µs)\b", "AGE"),
        (r"\b(127\.0\.0\.1|localhost|10\.\d+\.\d+\.\d+):\d+", "ADDRESS"),
        (r"[ \t]{2,}", "  "),
        (r"[─━═]{2,}", "──"),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).expect("a valid pattern"), name))
    .into()
});

fn plain(line: &str) -> String {
    let mut line = line.trim_end().to_owned();
    for (pattern, name) in DIFFERING.iter() {
        line = pattern.replace_all(&line, *name).into_owned();
    }
    line
}

/// Tells whether a line of a page stands for a line that was said.
fn stands_for(expected: &str, said: &str) -> bool {
    let (expected, said) = (plain(expected), plain(said));
    if !expected.contains(ANY) {
        return expected == said;
    }
    let pieces: Vec<String> = expected.split(ANY).map(regex::escape).collect();
    Regex::new(&format!("^{}$", pieces.join(".*"))).is_ok_and(|pattern| pattern.is_match(&said))
}

fn stand_for(expected: &[String], said: &[&str]) -> bool {
    let (Some(first), rest) = (expected.first(), expected.get(1..).unwrap_or_default()) else {
        return said.is_empty();
    };
    if first.trim() == ANY {
        return (0..=said.len()).any(|skipped| stand_for(rest, &said[skipped..]));
    }
    said.first().is_some_and(|line| stands_for(first, line)) && stand_for(rest, &said[1..])
}

/// Returns what differs, as a line of each that is the first without a counterpart; none where
/// nothing does.
pub(super) fn differs(expected: &[String], output: &str) -> Option<String> {
    let said: Vec<&str> = output.lines().collect();
    if stand_for(expected, &said) {
        return None;
    }
    let mut rest = said.iter();
    let missing = expected
        .iter()
        .filter(|line| line.trim() != ANY)
        .find(|line| !rest.any(|said| stands_for(line, said)));
    Some(match missing {
        Some(line) => format!("nothing says, in this order: {line}"),
        None => format!("more is said than is expected:\n{}", expected.join("\n")),
    })
}

/// Returns what was said, with `…` where the page had it, between the lines around it that are
/// still said.
pub(super) fn elided(expected: &[String], output: &str) -> Vec<String> {
    let said: Vec<&str> = output.lines().collect();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    for (at, _) in expected.iter().enumerate().filter(|(_, line)| line.trim() == ANY) {
        let find = |line: &str, from: usize| {
            (from..said.len()).find(|index| stands_for(line, said[*index]))
        };
        let begin = match at.checked_sub(1) {
            Some(before) => find(&expected[before], from).map(|index| index + 1),
            None => Some(0),
        };
        let Some(begin) = begin else { continue };
        let end = expected.get(at + 1).map_or(Some(said.len()), |after| find(after, begin));
        if let Some(end) = end.filter(|end| *end > begin) {
            cuts.push((begin, end));
            from = end;
        }
    }
    let mut lines: Vec<String> = said.iter().map(|line| line.trim_end().to_owned()).collect();
    for (begin, end) in cuts.into_iter().rev() {
        lines.splice(begin..end, [ANY.to_owned()]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{differs, elided};

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_differs_from_run_to_run_counts_for_nothing() {
        for (page, said) in [
            ("a\n…\nd", "a\nb\nc\nd"),
            ("a\n…", "a"),
            ("done in 3s", "done in 1m12s"),
            ("pod/x-e9b4fec7-rsp4d  2s", "pod/x-e9b4fec7-9kzzt    14s"),
            ("at 2026-11-27T10:00:00Z", "at 2027-01-01T01:02:03.5Z"),
            ("load … complete", "load is complete"),
            ("etl-7xk2dq-load-d317c721", "etl-7xk2dq-load-0aa1b2c3"),
            ("pod/etl-7xk2dq-a-b-e9b4fec7-rsp4d", "pod/etl-7xk2dq-a-b-e9b4fec8-9kzzt"),
            ("x-4m9tzq-a-b-e9b4fec7-2-rsp4d,", "x-4m9tzq-a-b-e9b4fec8-2-9kzzt,"),
            ("11m ago", "42s ago"),
        ] {
            assert_eq!(differs(&lines(page), said), None, "{page}");
        }
    }

    #[test]
    fn everything_else_counts() {
        for (page, said) in [
            ("a\nb", "a"),
            ("a", "a\nb"),
            ("a\n…\nd", "a\nb"),
            ("cpu 250m", "cpu 300m"),
            ("6 of 6", "5 of 6"),
            ("x-4m9tzq-a-e9b4fec7-2-rsp4d", "x-4m9tzq-a-e9b4fec7-3-rsp4d"),
            ("x-e9b4fec7-rsp4d", "x-e9b4fec8-rsp4d"),
        ] {
            assert!(differs(&lines(page), said).is_some(), "{page} is not {said}");
        }
    }

    #[test]
    fn what_a_page_left_out_stays_left_out() {
        let kept = elided(&lines("a\n…\nd\ne"), "a\nb\nc\nd\nf");
        assert_eq!(kept, ["a", "…", "d", "f"]);
        assert_eq!(elided(&lines("…\nz"), "x\nz\ny"), ["…", "z", "y"]);
        assert_eq!(elided(&lines("gone\n…\nz"), "x\nz"), ["x", "z"]);
    }
}
