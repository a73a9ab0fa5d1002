//! What of a Job that is there can be changed.

use serde_json::Value as Json;

use super::change::Applies;
use crate::config::{JobPath, Segment};

/// Who says what can be changed where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The API server, asked about this very change: it refuses to change these fields.
    ByServer(Vec<JobPath>),
    /// What the API documents of a Job, for want of a server that was asked.
    ByTable(Template),
}

/// What of a Job's pod template can be changed, by what the API documents (`ValidateJobSpecUpdate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Nothing.
    Fixed,
    /// Of a Job that is suspended: labels, annotations, and where its pods may run.
    Scheduling,
    /// The same, and the resources of its containers: from 1.36.
    Resources,
}

impl Template {
    /// Says what of a Job that stands there can be changed by a server of that version, `v1.36.2`.
    #[must_use]
    pub fn of(live: &Json, version: Option<&str>) -> Self {
        let minor = version.and_then(|version| version.split('.').nth(1)?.parse::<u32>().ok());
        let newer = minor.is_some_and(|minor| minor >= 36);
        let has_run = !live["status"]["startTime"].is_null();
        let runs = live["status"]["active"].as_u64().unwrap_or_default() > 0;
        match live["spec"]["suspend"] == true && !runs {
            true if newer => Self::Resources,
            true if !has_run => Self::Scheduling,
            _ => Self::Fixed,
        }
    }

    /// Tells whether a place below `.spec.template` can be changed.
    fn takes(self, path: &JobPath) -> bool {
        let scheduling = match (key(path, 2), key(path, 3)) {
            ("metadata", member) => matches!(member, "labels" | "annotations"),
            ("spec", member) => {
                matches!(member, "affinity" | "nodeSelector" | "schedulingGates" | "tolerations")
            }
            _ => false,
        };
        let resources =
            matches!(key(path, 3), "containers" | "initContainers") && key(path, 5) == "resources";
        match self {
            Self::Fixed => false,
            Self::Scheduling => scheduling,
            Self::Resources => scheduling || resources,
        }
    }
}

/// What of `.spec` can be changed while the Job is there. `ValidateJobSpecUpdate` of Kubernetes
/// (`pkg/apis/batch/validation`) forbids to change the rest, but for the pod template's. `tests/cluster/diff.rs` asks a server about each.
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
            Self::ByTable(_) => "documentation",
        }
    }

    /// Says how a change at a place gets into the Job.
    #[must_use]
    pub fn applies(&self, path: &JobPath) -> Applies {
        let refused = match self {
            Self::ByServer(fields) => {
                is_identity(path) || fields.iter().any(|field| path.starts_with(field))
            }
            Self::ByTable(template) => {
                is_identity(path) || (is_fixed(path) && !is_taken(*template, path))
            }
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

fn is_taken(template: Template, path: &JobPath) -> bool {
    key(path, 0) == "spec" && key(path, 1) == "template" && template.takes(path)
}

fn is_fixed(path: &JobPath) -> bool {
    key(path, 0) == "spec" && !IN_PLACE.contains(&key(path, 1))
}

#[cfg(test)]
mod tests {
    use super::{Decided, Template};
    use crate::config::JobPath;
    use crate::diff::Applies;

    #[test]
    fn the_server_or_the_documentation_says_what_can_be_changed() {
        let applies =
            |decided: &Decided, path: &str| decided.applies(&JobPath::parse(path).expect("a path"));
        let server = Decided::by_refused(["spec.completions"]);
        let table = Decided::ByTable(Template::Fixed);
        let waiting = Decided::ByTable(Template::Scheduling);
        let newer = Decided::ByTable(Template::Resources);
        for (decided, path, expected) in [
            (&waiting, ".spec.template.spec.nodeSelector.zone", Applies::InPlace),
            (&waiting, ".spec.template.spec.containers[0].resources.limits.cpu", Applies::Replace),
            (&newer, ".spec.template.spec.containers[0].resources.limits.cpu", Applies::InPlace),
            (&newer, ".spec.template.spec.containers[0].image", Applies::Replace),
            (&table, ".spec.template.spec.nodeSelector.zone", Applies::Replace),
            (&table, ".spec.template.spec.containers[0].image", Applies::Replace),
            (&table, ".spec.backoffLimit", Applies::InPlace),
            (&table, ".metadata.labels.team", Applies::InPlace),
            (&table, ".metadata.name", Applies::Replace),
            (&table, ".spec.completionMode", Applies::Replace),
            (&server, ".spec.template.spec.containers[0].image", Applies::InPlace),
            (&server, ".spec.completions", Applies::Replace),
            (&server, ".metadata.namespace", Applies::Replace),
        ] {
            assert_eq!(applies(decided, path), expected, "{path}");
        }
    }
}
