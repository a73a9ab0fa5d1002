//! Words of commands that a person is to type.

use std::borrow::Cow;

/// Quotes a word for a POSIX shell, where it needs to be.
#[must_use]
pub fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_one_word_and_the_same() {
        for word in ["", "a", "a/b:c", "it's", "$(id)", "a b", "`id`", "~", "*", "a\nb", "é", "\\"]
        {
            let command = format!("printf %s {}", quoted(word));
            let said = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), word, "{command}");
        }
        assert_eq!(quoted("mage/run"), "mage/run");
    }
}
