//! What of a Job that is there can be changed.

use super::change::Applies;
use crate::config::{JobPath, Segment};

/// Who says what can be changed where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The API server, asked about this very change: it refuses to change these fields.
    ByServer(Vec<JobPath>),
    /// What the API documents of a Job, for want of a server that was asked.
    ByTable,
}

/// What of `.spec` can be changed while the Job is there. `ValidateJobSpecUpdate` of Kubernetes
/// (`pkg/apis/batch/validation`) forbids to change the rest; of a suspended Job it takes more of the
/// pod template, which only the server can tell. `tests/cluster/diff.rs` asks a server about each.
const IN_PLACE: [&str; 7] = [
    "activeDeadlineSeconds",
    "backoffLimit",
    "maxFailedIndexes",
    "parallelism",
    "podReplacementPolicy",
    "suspend",
    "ttlSecondsAfterFinished",
];

impl Decided {
    /// Takes the fields that the server refused to change, `spec.template`.
    #[must_use]
    pub fn by_refused<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        Self::ByServer(fields.into_iter().filter_map(JobPath::parse).collect())
    }

    /// Returns the words for it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ByServer(_) => "server",
            Self::ByTable => "documentation",
        }
    }

    /// Says how a change at a place gets into the Job.
    #[must_use]
    pub fn applies(&self, path: &JobPath) -> Applies {
        let refused = match self {
            Self::ByServer(fields) => {
                is_identity(path) || fields.iter().any(|field| path.starts_with(field))
            }
            Self::ByTable => is_identity(path) || is_fixed(path),
        };
        if refused { Applies::Replace } else { Applies::InPlace }
    }
}

fn key(path: &JobPath, index: usize) -> &str {
    match path.0.get(index) {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}

/// Under another name or in another namespace it is another Job.
fn is_identity(path: &JobPath) -> bool {
    let is_member = path.0.len() == 2 && key(path, 0) == "metadata";
    matches!(key(path, 0), "kind" | "apiVersion")
        || (is_member && matches!(key(path, 1), "name" | "namespace"))
}

fn is_fixed(path: &JobPath) -> bool {
    key(path, 0) == "spec" && !IN_PLACE.contains(&key(path, 1))
}

#[cfg(test)]
mod tests {
    use super::Decided;
    use crate::config::JobPath;
    use crate::diff::Applies;

    #[test]
    fn the_server_or_the_documentation_says_what_can_be_changed() {
        let applies =
            |decided: &Decided, path: &str| decided.applies(&JobPath::parse(path).expect("a path"));
        let server = Decided::by_refused(["spec.completions"]);
        for (decided, path, expected) in [
            (&Decided::ByTable, ".spec.template.spec.containers[0].image", Applies::Replace),
            (&Decided::ByTable, ".spec.backoffLimit", Applies::InPlace),
            (&Decided::ByTable, ".metadata.labels.team", Applies::InPlace),
            (&Decided::ByTable, ".metadata.name", Applies::Replace),
            (&Decided::ByTable, ".spec.completionMode", Applies::Replace),
            (&server, ".spec.template.spec.containers[0].image", Applies::InPlace),
            (&server, ".spec.completions", Applies::Replace),
            (&server, ".metadata.namespace", Applies::Replace),
        ] {
            assert_eq!(applies(decided, path), expected, "{path}");
        }
    }
}
