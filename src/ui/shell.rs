//! Words of a command that people copy into a shell (pure).

use std::borrow::Cow;

/// Returns a word as a shell takes it for one: quoted where it has to be.
#[must_use]
pub fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./@:=+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn what_a_shell_would_act_upon_is_quoted() {
        for (word, expected) in [
            ("orders/load_orders:3", "orders/load_orders:3"),
            ("pi|pe`x`", "'pi|pe`x`'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), expected);
        }
    }
}
