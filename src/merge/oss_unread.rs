//! What Mage OSS never looks at: no value that somebody wrote is lost without a word.

use std::collections::{HashMap, HashSet};

use super::oss::{Effective, trees};
use super::oss_reader::{Reader, Scalar, scalars};
use super::overlay::Merge;
use super::tree::{Loser, Rule, Tree};
use crate::config::{JobPath, LayerKind, Origin, Source};

/// One use of a scalar: its layer, where it stands, and the setting it is.
type Use = (LayerKind, u32, String);

fn use_of(origin: &Origin) -> Option<Use> {
    match &origin.source {
        Source::File { span, .. } => {
            Some((origin.layer, span.start.offset, origin.setting.to_string()))
        }
        _ => None,
    }
}

/// Records every scalar of the keys in force that is neither in the tree nor lost yet.
pub(super) fn lose_unread(keys: &[Effective<'_>], root: &Tree, merge: &mut Merge) {
    let mut read: HashSet<Use> = merge.lost.iter().filter_map(|(_, l)| use_of(&l.origin)).collect();
    read.extend(
        root.leaves(&JobPath::default()).iter().filter_map(|(_, leaf)| use_of(&leaf.origin)),
    );
    for key in keys {
        let scalars = unread(key, &read);
        if !scalars.is_empty() {
            lose(key, &scalars, merge, |scalar| {
                if scalar.node.is_truthy() { Rule::OssIgnores } else { Rule::OssEmpty }
            });
        }
    }
}

fn unread<'a>(key: &'a Effective<'a>, read: &HashSet<Use>) -> Vec<Scalar<'a>> {
    let mut found = Vec::new();
    scalars(&key.entry.value, key.key(), &mut found);
    found.retain(|scalar| {
        !read.contains(&(key.layer, scalar.node.span.start.offset, scalar.setting.clone()))
    });
    found
}

/// Records every scalar of a key that another layer's replaces.
pub(super) fn lose_whole(key: &Effective<'_>, winner: LayerKind, merge: &mut Merge) {
    let mut found = Vec::new();
    scalars(&key.entry.value, key.key(), &mut found);
    lose(key, &found, merge, |_| Rule::OssWholeKey(winner));
}

fn lose(
    key: &Effective<'_>,
    scalars: &[Scalar<'_>],
    merge: &mut Merge,
    rule: impl Fn(&Scalar<'_>) -> Rule,
) {
    let mut paths = paths(key);
    for scalar in scalars {
        let known = paths.get_mut(&scalar.node.span.start.offset).and_then(Vec::pop);
        let path = known.unwrap_or_else(|| as_written(&scalar.setting));
        let origin = Reader { key }.origin(scalar.node, &scalar.setting);
        merge.lost.push((path, Loser::new(scalar.value(), origin, rule(scalar))));
    }
}

/// Where each scalar would be in the Job if it were read as it is meant; an anchor's may be in
/// several places.
fn paths(key: &Effective<'_>) -> HashMap<u32, Vec<JobPath>> {
    let mut paths: HashMap<u32, Vec<JobPath>> = HashMap::new();
    for fragment in trees(key, &mut Vec::new()) {
        for (path, leaf) in fragment.tree.leaves(&JobPath::default()) {
            if let Source::File { span, .. } = &leaf.origin.source {
                paths.entry(span.start.offset).or_default().insert(0, path);
            }
        }
    }
    paths
}

/// A setting that has no place in a Job keeps its own path, below the part it was meant for.
fn as_written(setting: &str) -> JobPath {
    JobPath::parse(setting).unwrap_or_default()
}
