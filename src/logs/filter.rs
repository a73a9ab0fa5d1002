//! Which records of a log are shown (pure).

use regex::bytes::RegexSet;

use super::mage::Level;

/// Which records are shown: those that are grave enough, match one pattern of `grep` if there is any,
/// and none of `exclude`.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    level: Option<Level>,
    grep: Option<RegexSet>,
    exclude: Option<RegexSet>,
}

/// A pattern that is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It cannot be read.
    #[error("`{pattern}` is not a regular expression: {reason}, at character {character}")]
    Syntax {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
        /// Where, counted in characters from 1.
        character: usize,
    },
    /// It would take too much memory.
    #[error("`{pattern}` is too large a regular expression")]
    TooLarge {
        /// The pattern, or all of them.
        pattern: String,
    },
}

/// What a filter thinks of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is shown.
    Shown,
    /// It is shown unless a line to come is excluded.
    ShownSoFar,
    /// It is not shown unless a line to come matches.
    HiddenSoFar,
    /// It is not shown.
    Hidden,
}

impl Filter {
    /// Makes a filter.
    pub fn new(
        level: Option<Level>,
        grep: &[String],
        exclude: &[String],
    ) -> Result<Self, PatternError> {
        Ok(Self { level, grep: set(grep)?, exclude: set(exclude)? })
    }

    /// Returns what it thinks of a record before its first line.
    pub(crate) fn begin(&self, level: Level) -> Verdict {
        match (&self.grep, &self.exclude) {
            _ if self.level.is_some_and(|least| level < least) => Verdict::Hidden,
            (None, None) => Verdict::Shown,
            (None, Some(_)) => Verdict::ShownSoFar,
            (Some(_), _) => Verdict::HiddenSoFar,
        }
    }

    /// Returns what it thinks of a record after one more line, given without its end.
    pub(crate) fn take(&self, verdict: Verdict, line: &[u8]) -> Verdict {
        if matches!(verdict, Verdict::Shown | Verdict::Hidden) {
            return verdict;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(line)) {
            return Verdict::Hidden;
        }
        let matches = |grep: &RegexSet| grep.is_match(line);
        if verdict == Verdict::HiddenSoFar && !self.grep.as_ref().is_none_or(matches) {
            return Verdict::HiddenSoFar;
        }
        if self.exclude.is_some() { Verdict::ShownSoFar } else { Verdict::Shown }
    }
}

fn set(patterns: &[String]) -> Result<Option<RegexSet>, PatternError> {
    for pattern in patterns {
        check(pattern)?;
    }
    if patterns.is_empty() {
        return Ok(None);
    }
    let too_large = |_| PatternError::TooLarge { pattern: patterns.join("`, `") };
    RegexSet::new(patterns).map(Some).map_err(too_large)
}

/// Reads a pattern as the set will, because a set does not say where an error is.
fn check(pattern: &str) -> Result<(), PatternError> {
    let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
    let Err(error) = parser.parse(pattern) else { return Ok(()) };
    let (reason, span) = match &error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), *error.span()),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), *error.span()),
        error => (error.to_string(), regex_syntax::ast::Span::splat(ORIGIN)),
    };
    let before = pattern.get(..span.start.offset).unwrap_or_default();
    let character = before.chars().count() + 1;
    Err(PatternError::Syntax { pattern: pattern.to_owned(), reason, character })
}

const ORIGIN: regex_syntax::ast::Position =
    regex_syntax::ast::Position { offset: 0, line: 1, column: 1 };

#[cfg(test)]
mod tests {
    use super::{Filter, Verdict};
    use crate::logs::Level;

    fn filter(level: Option<Level>, grep: &[&str], exclude: &[&str]) -> Filter {
        let owned =
            |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
        Filter::new(level, &owned(grep), &owned(exclude)).unwrap()
    }

    fn shown(filter: &Filter, level: Level, lines: &[&str]) -> Verdict {
        let take = |verdict, line: &&str| filter.take(verdict, line.as_bytes());
        lines.iter().fold(filter.begin(level), take)
    }

    #[test]
    fn a_record_is_taken_whole() {
        use Level::{Error, Info};
        use Verdict::{Hidden, HiddenSoFar, Shown, ShownSoFar};
        let all = filter(None, &[], &[]);
        let warning = filter(Some(Level::Warning), &[], &[]);
        let grep = filter(None, &["^b", "c$"], &[]);
        let exclude = filter(None, &[], &["x", "y"]);
        let both = filter(None, &["b"], &["x"]);
        for (filter, level, lines, verdict) in [
            (&all, Info, &[][..], Shown),
            (&warning, Info, &[], Hidden),
            (&warning, Error, &[], Shown),
            (&grep, Info, &["a"], HiddenSoFar),
            (&grep, Info, &["a", "ba"], Shown),
            (&grep, Info, &["a", "cc\r"], Shown),
            (&grep, Info, &["a", "ca"], HiddenSoFar),
            (&exclude, Info, &["a", "b"], ShownSoFar),
            (&exclude, Info, &["a", "by", "c"], Hidden),
            (&both, Info, &["a", "b", "c"], ShownSoFar),
            (&both, Info, &["b", "x", "b"], Hidden),
        ] {
            assert_eq!(shown(filter, level, lines), verdict, "{filter:?} {lines:?}");
        }
        let binary = filter(None, &[r"(?-u:\xff)"], &[]);
        assert_eq!(binary.take(binary.begin(Info), b"a\xffb"), Shown);
    }

    #[test]
    fn a_bad_pattern_is_told_with_its_place() {
        let told = |pattern: &str| {
            Filter::new(None, &["fine".to_owned()], &[pattern.to_owned()]).unwrap_err().to_string()
        };
        let patterns = ["é(foo", "a{2", "a\nb*+**[", r"\p{Foo}", "(?:a{1000}){1000}"];
        assert_eq!(
            patterns.map(told),
            [
                "`é(foo` is not a regular expression: unclosed group, at character 2",
                "`a{2` is not a regular expression: unclosed counted repetition, at character 2",
                "`a\nb*+**[` is not a regular expression: unclosed character class, at character 8",
                r"`\p{Foo}` is not a regular expression: Unicode property not found, at character 1",
                "`(?:a{1000}){1000}` is too large a regular expression",
            ]
        );
    }
}
