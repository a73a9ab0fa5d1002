//! The name of a run: short, readable, safe everywhere in Kubernetes.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// Letters and digits that never make a word or look alike, as Kubernetes uses them.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
const LONGEST_PIPELINE: usize = 20;
const SUFFIX: usize = 6;

/// The name of a run, such as `etl-x7k2dq`: a DNS label of at most 31 characters, so that the
/// names of its Jobs have room for the block's. When it began is on its objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunId(String);

impl RunId {
    /// Makes the name from the pipeline and a random number.
    #[must_use]
    pub fn new(pipeline: &str, random: u64) -> Self {
        let mut rest = random;
        let mut suffix = String::with_capacity(SUFFIX);
        let radix = ALPHABET.len() as u64;
        for _ in 0..SUFFIX {
            let digit = usize::try_from(rest % radix).expect("27 fits a usize");
            suffix.push(char::from(ALPHABET[digit]));
            rest /= radix;
        }
        Self(format!("{}-{suffix}", safe(pipeline)))
    }

    /// Makes the name of a run that starts now.
    #[must_use]
    pub fn fresh(pipeline: &str) -> Self {
        // The standard library seeds every hasher from the operating system.
        Self::new(pipeline, RandomState::new().hash_one(std::process::id()))
    }

    /// Tells whether a text has the form of a run's name; no word ends as one does.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.rsplit_once('-').is_some_and(|(pipeline, suffix)| {
            !pipeline.is_empty()
                && suffix.len() == SUFFIX
                && suffix.bytes().all(|byte| ALPHABET.contains(&byte))
        })
    }

    /// Takes the name of a run that is there.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Makes the start of a DNS label of a pipeline's uuid.
fn safe(pipeline: &str) -> String {
    let mut safe = String::new();
    for c in pipeline.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            safe.push(c);
        } else if !safe.is_empty() && !safe.ends_with('-') {
            safe.push('-');
        }
        if safe.len() == LONGEST_PIPELINE {
            break;
        }
    }
    let safe = safe.trim_end_matches('-');
    // A DNS-1035 label starts with a letter.
    if safe.starts_with(|c: char| c.is_ascii_lowercase()) {
        safe.to_owned()
    } else {
        format!("run-{safe}").trim_end_matches('-').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::RunId;

    #[test]
    fn is_short_readable_and_safe() {
        let id = |pipeline: &str, random| RunId::new(pipeline, random).to_string();
        assert_eq!(id("etl", 0), "etl-bbbbbb");
        assert_eq!(id("My_Pipeline (v2)", 1), "my-pipeline-v2-cbbbbb");
        assert_eq!(id("2024", 26), "run-2024-9bbbbb");
        assert_eq!(id("日本", 27), "run-bcbbbb");
        assert_ne!(RunId::fresh("a"), RunId::fresh("a"));
        assert!(RunId::looks_like("etl-x7k2dq"));
        assert!(!RunId::looks_like("daily-report") && !RunId::looks_like("etl"));
    }

    proptest::proptest! {
        #[test]
        fn is_a_dns_label(pipeline in ".*", random in proptest::prelude::any::<u64>()) {
            let id = RunId::new(&pipeline, random);
            let text = id.as_str();
            assert!(text.len() <= 31, "{text}");
            assert!(text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            assert!(text.starts_with(|c: char| c.is_ascii_lowercase()));
        }
    }
}
