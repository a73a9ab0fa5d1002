//! What must never be shown: the values of secrets that were learnt on the way. Whatever is said to
//! people of a problem passes through here, so that nobody who words one has to think of it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::error::Problem;
use crate::job::secret::{MASK, mask_urls};

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Shorter texts are hidden only where they stand alone: they are parts of ordinary words.
const SHORT: usize = 8;

/// Texts that are even shorter are hidden only in quotes.
const QUOTED: usize = 4;

/// Makes sure that these texts are not shown from now on.
pub fn never_show(texts: impl IntoIterator<Item = String>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    for text in texts {
        let text = text.trim();
        // A message may show one line of a key.
        let lines = text.lines().map(str::trim).filter(|line| line.len() >= SHORT && *line != text);
        known.extend(lines.map(str::to_owned));
        if !text.is_empty() && text != MASK {
            known.insert(text.to_owned());
        }
    }
}

/// Returns a text without the secrets that are known and without user information in URLs.
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    hushed(text, &known)
}

/// Tells whether a text has a secret in it that is known.
pub(super) fn has_secret(text: &str) -> bool {
    without_secrets(text) != text
}

/// Returns a problem whose texts have no secrets in them.
#[must_use]
pub fn told_without_secrets(problem: Problem) -> Problem {
    problem.map_texts(&|text| without_secrets(text).into_owned())
}

fn hushed<'t>(text: &'t str, known: &BTreeSet<String>) -> Cow<'t, str> {
    let mut text =
        if text.contains("://") { Cow::Owned(mask_urls(text)) } else { Cow::Borrowed(text) };
    // One may have another in it.
    let mut found: Vec<&String> = known.iter().filter(|secret| text.contains(&***secret)).collect();
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in found {
        text = Cow::Owned(replaced(&text, secret));
    }
    text
}

fn replaced(text: &str, secret: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, after) = (&rest[..at], &rest[at + secret.len()..]);
        left.push_str(before);
        let is_edge = |c: char| match secret.len() {
            0..QUOTED => matches!(c, '`' | '"' | '\''),
            _ => !c.is_alphanumeric() && c != '_',
        };
        let ends = (left.chars().next_back(), after.chars().next());
        let stands_alone = ends.0.map_or(secret.len() >= QUOTED, is_edge)
            && ends.1.map_or(secret.len() >= QUOTED, is_edge);
        left.push_str(if secret.len() >= SHORT || stands_alone { MASK } else { secret });
        rest = after;
    }
    left.push_str(rest);
    left
}

#[cfg(test)]
mod tests {
    use super::hushed;

    #[test]
    fn known_secrets_and_users_of_urls_are_hidden() {
        let known = ["hunter2", "Sup3r_Secret!!", "Sup3r_Secret!!-and-more", "ab"];
        let known = known.map(str::to_owned).into();
        for (text, shown) in [
            ("`Sup3r_Secret!!` cannot be a label", "`***` cannot be a label"),
            ("mage-Sup3r_Secret!!-block", "mage-***-block"),
            ("x Sup3r_Secret!!-and-more y", "x *** y"),
            ("a hunter2, hunter22", "a ***, hunter22"),
            ("`ab` is no absolute ab table", "`***` is no absolute ab table"),
            ("hunter2", "***"),
            ("see http://u:p@h/x", "see http://***@h/x"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(hushed(text, &known), shown);
        }
    }
}
