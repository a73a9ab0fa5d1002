//! The labels by which Jobs, pods and plans of a run are found again.

use sha2::{Digest, Sha256};

/// Who made an object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`] on everything this tool makes.
pub const MANAGER: &str = "kubectl-mage";
/// The pipeline; the annotation of the same name holds it exactly.
pub const PIPELINE: &str = "kubectl-mage/pipeline";
/// The block run's uuid; the annotation of the same name holds it exactly.
pub const BLOCK: &str = "kubectl-mage/block";
/// The run.
pub const RUN: &str = "kubectl-mage/run";
/// The attempt of the run at the block, from 1.
pub const ATTEMPT: &str = "kubectl-mage/attempt";

/// On a run's driver Job and its pods, which are no block's.
pub const DRIVER: &str = "kubectl-mage/driver";

/// The label that the Job controller puts on its pods.
pub const OF_A_JOB: &str = "job-name";

const LONGEST: usize = 63;

/// Makes a label value of any text: the text itself where it is one, otherwise what is allowed of
/// it and a hash that tells it from its neighbours.
#[must_use]
pub fn label_value(raw: &str) -> String {
    if is_label_value(raw) {
        return raw.to_owned();
    }
    let hash = short_hash(raw);
    let safe: String = raw
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .take(LONGEST - 1 - hash.len())
        .collect();
    let safe = safe.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if safe.is_empty() { hash } else { format!("{safe}-{hash}") }
}

/// Returns the selector of everything that belongs to `run`.
#[must_use]
pub fn run_selector(run: &str) -> String {
    format!("{RUN}={}", label_value(run))
}

/// Returns the selector of the Jobs of `run`'s blocks and their pods.
#[must_use]
pub fn blocks_selector(run: &str) -> String {
    format!("{},!{DRIVER}", run_selector(run))
}

/// Returns the first eight hexadecimal digits of the text's SHA-256.
pub(crate) fn short_hash(raw: &str) -> String {
    let digest = Sha256::digest(raw.as_bytes());
    let mut head = [0; 4];
    head.copy_from_slice(&digest[..4]);
    format!("{:08x}", u32::from_be_bytes(head))
}

fn is_label_value(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    !text.is_empty()
        && text.len() <= LONGEST
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && edge(text.chars().next())
        && edge(text.chars().last())
}

#[cfg(test)]
mod tests {
    use super::{is_label_value, label_value};

    #[test]
    fn keeps_what_is_safe_and_hashes_the_rest() {
        assert_eq!(label_value("load_data.v2"), "load_data.v2");
        assert_eq!(label_value("copy:orig"), "copy-orig-57b6f8e2");
        assert_ne!(label_value("copy:orig"), label_value("copy/orig"));
        assert_eq!(label_value("日本").len(), 8);
        for raw in ["", "-", "_x_", "a b", &"x".repeat(64), "é", "a/b:c"] {
            assert!(is_label_value(&label_value(raw)), "{raw:?}");
        }
    }
}
