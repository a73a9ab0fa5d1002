//! The leaves of a Job, each with its whole history.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value as Json;

use super::secret;
use crate::config::{CONTAINER, JobPath, Origin, Segment, part_to_job};
use crate::merge::{Loser, Rule, Tree};

/// A value of the Job with its whole history.
#[derive(Clone, Debug)]
pub struct JobValue {
    /// Where it stands in the Job.
    pub path: JobPath,
    /// The value.
    pub value: Json,
    /// Who gave it.
    pub origin: Origin,
    /// The rule that decided, when more than one layer spoke.
    pub rule: Option<Rule>,
    /// What lost against it, lowest layer first.
    pub overridden: Vec<Loser>,
    /// Whether it must not be shown to people.
    pub secret: bool,
}

/// Flattens the Job, and gives what lost to the leaf that took its place; what has none comes
/// apart, with the path it would have had.
pub(super) fn values(
    tree: &Tree,
    lost: Vec<(JobPath, Loser)>,
    secrets: &[String],
) -> (Vec<JobValue>, Vec<(JobPath, Loser)>) {
    let mut values: Vec<JobValue> = tree
        .leaves(&JobPath::default())
        .into_iter()
        .map(|(path, leaf)| value(path, leaf))
        .collect();
    for value in &mut values {
        value.secret = tree.is_value_of_secret_name(&value.path.0)
            || secret::is_secret(&value.path, &value.value, &value.origin)
            || secret::holds_any(&value.value, secrets);
    }
    for index in 1..values.len() {
        let (before, value) = (&values[index - 1], &values[index]);
        let follows = value.path.0.last().is_some_and(|last| matches!(last, Segment::Index(_)))
            && value.path.0.len() == before.path.0.len()
            && value.path.0[..value.path.0.len() - 1] == before.path.0[..before.path.0.len() - 1];
        if follows && secret::follows_secret_flag(&before.value, &value.value) {
            values[index].secret = true;
        }
    }
    let mut homeless = give_losers(&mut values, lost);
    for (path, loser) in &mut homeless {
        loser.secret |= secret::is_secret(path, &loser.value, &loser.origin)
            || secret::holds_any(&loser.value, secrets);
    }
    for value in &mut values {
        value.overridden.sort_by_key(|loser| loser.origin.layer);
        for loser in &mut value.overridden {
            loser.secret |= value.secret
                || secret::is_secret(&value.path, &loser.value, &loser.origin)
                || secret::holds_any(&loser.value, secrets);
        }
    }
    (values, homeless)
}

fn value(path: JobPath, leaf: &Tree) -> JobValue {
    JobValue {
        value: leaf.to_json(),
        origin: placed(leaf.origin.clone(), &path),
        rule: leaf.rule,
        overridden: leaf.losers.clone(),
        secret: false,
        path,
    }
}

fn give_losers(values: &mut [JobValue], lost: Vec<(JobPath, Loser)>) -> Vec<(JobPath, Loser)> {
    if lost.is_empty() {
        return Vec::new();
    }
    let index: HashMap<JobPath, usize, foldhash::fast::RandomState> =
        values.iter().enumerate().map(|(index, value)| (value.path.clone(), index)).collect();
    let mut homeless = Vec::new();
    for (part, loser) in lost {
        let paths = part_to_job(&part);
        let mut found = false;
        for index in paths.iter().filter_map(|path| index.get(path)) {
            let value = &mut values[*index];
            value.overridden.push(loser.clone());
            value.rule = value.rule.or(Some(loser.rule));
            found = true;
        }
        if !found {
            homeless.push((paths.into_iter().next().unwrap_or(part), loser));
        }
    }
    homeless
}

static IN_CONTAINER: LazyLock<JobPath> =
    LazyLock::new(|| JobPath::parse(CONTAINER).unwrap_or_default());

/// Gives a setting inside a list the index it has in the Job: the layer's own may be another, for
/// layers are joined.
fn placed(origin: Origin, path: &JobPath) -> Origin {
    if !origin.setting.contains('[') {
        return origin;
    }
    let skip = if path.starts_with(&IN_CONTAINER) { IN_CONTAINER.0.len() } else { 0 };
    let indices: Vec<usize> = path.0[skip..]
        .iter()
        .filter_map(|segment| match segment {
            Segment::Index(index) => Some(*index),
            Segment::Key(_) => None,
        })
        .collect();
    if plain_indices(&origin.setting).is_some_and(|own| own == indices) {
        return origin;
    }
    let Some(setting) = JobPath::parse(&origin.setting) else { return origin };
    let numbered = setting.0.iter().filter(|segment| matches!(segment, Segment::Index(_))).count();
    if indices.is_empty() || numbered != indices.len() {
        return origin;
    }
    let mut indices = indices.into_iter();
    let segments = setting.0.into_iter().map(|segment| match segment {
        Segment::Index(own) => Segment::Index(indices.next().unwrap_or(own)),
        key @ Segment::Key(_) => key,
    });
    let text = JobPath(segments.collect()).to_string();
    origin.with_setting(text.trim_start_matches('.'))
}

/// Returns the indices in a setting without quoted keys.
fn plain_indices(setting: &str) -> Option<Vec<usize>> {
    let index = |part: &str| part.split_once(']')?.0.parse().ok();
    if setting.contains('"') {
        return None;
    }
    setting.split('[').skip(1).map(index).collect()
}
