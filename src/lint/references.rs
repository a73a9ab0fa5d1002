//! The objects that a Job's pod names.

use super::facts::{Found, JobFacts};
use super::place::at_value;
use crate::config::Segment;
use crate::error::Problem;
use crate::job::JobValue;
use crate::snapshot::NamespaceView;

/// A kind of object that a pod can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Referenced {
    /// A claim of a volume.
    Claim,
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

/// Adds a finding for every object of a kind that the pod names and that is certainly not in the Job's
/// namespace; the kind comes with its name and a hint.
pub(super) fn tell_missing(
    facts: &JobFacts<'_>,
    found: &mut Found,
    (kind, what, hint): (Referenced, &str, &str),
    is_missing: impl Fn(NamespaceView<'_>, &str) -> bool,
) {
    let Some(cluster) = facts.cluster else { return };
    let place = &facts.job.namespace;
    let namespace = cluster.namespace(place);
    if namespace.exists().is_no() {
        return;
    }
    for (name, value) in referenced(facts, kind) {
        if is_missing(namespace, name) {
            let message = format!("{what} {name} does not exist in namespace {place}");
            found.push(at_value(Problem::new(message), Some(value), facts).hint(hint));
        }
    }
}

/// Returns the names of the objects of a kind that must exist, and the values that name them.
fn referenced<'a>(
    facts: &JobFacts<'a>,
    kind: Referenced,
) -> impl Iterator<Item = (&'a str, &'a JobValue)> {
    let job = &facts.job.job;
    facts.job.values.iter().filter_map(move |value| {
        (kind_of(value)? == kind).then_some(())?;
        let parent = value.path.0.split_last()?.1;
        let optional = parent.iter().try_fold(job, |at, segment| match segment {
            Segment::Key(key) => at.get(&**key),
            Segment::Index(index) => at.get(index),
        });
        if optional.is_some_and(|parent| parent["optional"] == true) {
            return None;
        }
        Some((value.value.as_str()?, value))
    })
}

fn kind_of(value: &JobValue) -> Option<Referenced> {
    let [.., parent, Segment::Key(last)] = value.path.0.as_slice() else { return None };
    let parent = match parent {
        Segment::Key(key) => key.as_ref(),
        // An item of a list: the list's name says what it is.
        Segment::Index(_) => match value.path.0.iter().rev().nth(2)? {
            Segment::Key(name) => name.as_ref(),
            Segment::Index(_) => return None,
        },
    };
    match (parent, last.as_ref()) {
        ("persistentVolumeClaim", "claimName") => Some(Referenced::Claim),
        ("secretKeyRef" | "secretRef" | "imagePullSecrets", "name")
        | ("secret", "secretName" | "name") => Some(Referenced::Secret),
        ("configMapKeyRef" | "configMapRef" | "configMap", "name") => Some(Referenced::ConfigMap),
        _ => None,
    }
}
