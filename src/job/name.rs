//! Names of Jobs, and of what goes into labels.

use std::fmt::Write as _;

use crate::config::check::is_dns_subdomain;
use sha2::{Digest, Sha256};

/// The longest name of a Job: the Job controller copies it into a label.
pub(super) const LONGEST: usize = 63;

/// Cleans a name as Mage does (`mage_ai/shared/utils.py: clean_name`): what is no word character
/// becomes `_`, a leading digit gets `letter_`, and everything is in lower case.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .filter(|c| !matches!(c, '\u{feff}' | '"' | '$' | '\n' | '\r' | '\t'))
        .map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' })
        .collect();
    if clean.starts_with(|c: char| c.is_numeric()) {
        clean.insert_str(0, "letter_");
    }
    clean.to_lowercase()
}

/// Returns the first `digits` hexadecimal digits of a hash over the parts.
#[must_use]
pub fn short_hash(parts: &[&str], digits: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut text = String::new();
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text.truncate(digits);
    text
}

/// Makes a text fit for a DNS-1123 label, without a limit of length; may be empty.
#[must_use]
pub fn dns_label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => label.push(c),
            _ if label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.trim_matches('-').to_owned()
}

/// Returns what stands for Mage's run id in a Job's name: the parts made safe, and a short hash of
/// the parts as they are.
#[must_use]
pub fn job_id(parts: &[&str]) -> String {
    let safe: Vec<String> =
        parts.iter().map(|part| dns_label(part)).filter(|part| !part.is_empty()).collect();
    let readable: String = safe.join("-").chars().take(36).collect();
    let id = format!("{}-{}", readable.trim_end_matches('-'), short_hash(parts, 8));
    id.trim_start_matches('-').to_owned()
}

/// Puts the trigger's name into a prefix as Mage does, with Python's `str.format`, which is only called
/// where the prefix has `{trigger_name}` in it (`k8s_block_executor.py: _get_job_name_prefix`).
///
/// Returns what Python raises at any other brace.
pub(super) fn formatted_prefix(prefix: &str, trigger: &str) -> Result<String, String> {
    if !prefix.contains("{trigger_name}") {
        return Ok(prefix.to_owned());
    }
    let mut text = String::new();
    let mut rest = prefix;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
        } else if brace == "}" {
            return Err("str.format finds a single `}`".to_owned());
        } else if let Some(after) = rest.strip_prefix("trigger_name}") {
            text.push_str(trigger);
            rest = after;
        } else {
            let field = rest.split(['}', '{']).next().unwrap_or_default();
            return Err(format!("str.format knows nothing for `{{{field}}}`"));
        }
    }
    Ok(text + rest)
}

/// Returns a Job's name in Mage's format, `{cluster}-{prefix}-{kind}-{id}`, made a valid label of
/// at most 63 characters: the front is shortened (and hashed), the id is kept.
#[must_use]
pub fn job_name(cluster: &str, prefix: &str, kind: &str, id: &str) -> String {
    let mages = format!("{cluster}-{prefix}-{kind}-{id}");
    if mages.len() <= LONGEST && !mages.contains('.') && is_dns_subdomain(&mages) {
        return mages;
    }
    let head = dns_label(&format!("{cluster}-{prefix}"));
    let tail = format!("{kind}-{id}");
    let room = LONGEST.saturating_sub(tail.len() + 1);
    if head.len() <= room {
        return dns_label(&format!("{head}-{tail}"));
    }
    let hash = short_hash(&[cluster, prefix], 6);
    let keep: String = head.chars().take(room.saturating_sub(hash.len() + 1)).collect();
    dns_label(&format!("{}-{hash}-{tail}", keep.trim_end_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mages_where_those_are_valid() {
        assert_eq!(job_name("mage", "data-prep", "block", "7"), "mage-data-prep-block-7");
        assert_eq!(job_name("mage", "Data_Prep", "block", "7"), "mage-data-prep-block-7");
        assert_eq!(clean_name("täglich (朝の実行)"), "täglich__朝の実行_");
        assert_eq!(clean_name("7 days"), "letter_7_days");
    }

    #[test]
    fn a_prefix_is_formatted_as_python_does() {
        let format = |prefix| formatted_prefix(prefix, "daily");
        assert_eq!(format("a-{trigger_name}"), Ok("a-daily".to_owned()));
        assert_eq!(format("{other}"), Ok("{other}".to_owned()));
        assert_eq!(format("{{{trigger_name}}}"), Ok("{daily}".to_owned()));
        assert_eq!(format("{{trigger_name}}"), Ok("{trigger_name}".to_owned()));
        assert!(format("{trigger_name}{b}").unwrap_err().contains("`{b}`"));
        assert!(format("{trigger_name}}").is_err());
    }

    #[test]
    fn long_names_keep_their_id() {
        let name = job_name("mage", &"x".repeat(80), "block", "123456");
        assert!(name.len() <= 63 && name.ends_with("-block-123456"), "{name}");
        let id = job_id(&["orders", &"very_long_block_name".repeat(4)]);
        assert!(id.len() <= 45, "{id}");
        assert!(job_name("mage", "data-prep", "block", &id).len() <= 63);
        assert_ne!(job_id(&["a", "b_c"]), job_id(&["a_b", "c"]));
    }
}
