//! One value's whole history.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use console::measure_text_width;

use super::query::{matching, matching_lost};
use super::shown::{is_name, shown, steps};
use crate::config::{JobPath, LayerKind, Origin, Segment};
use crate::job::{JobValue, RenderedJob};
use crate::merge::{Loser, joined_by};

/// Returns the history of every value that `path` names, lowest layer first, with the rule at every
/// step. Returns `None` when no layer has set anything there.
#[must_use]
pub fn why(job: &RenderedJob, path: &str, show_secrets: bool) -> Option<String> {
    let values = matching(job, path);
    let mut text = String::new();
    let mut told = vec![false; values.len()];
    let mut list = None;
    for (index, value) in values.iter().enumerate() {
        if told[index] {
            continue;
        }
        let in_list = joined_list(&value.path);
        if let Some((path, key)) = in_list.filter(|(path, _)| list.as_ref() != Some(path)) {
            joined(&mut text, &path, key, &values);
            list = Some(path);
        }
        // What stands both on the Job and on its pods has one history.
        let mut paths = Vec::new();
        for (other, twin) in values.iter().enumerate().skip(index) {
            if other == index || is_twin(value, twin) {
                told[other] = true;
                paths.push(&twin.path);
            }
        }
        history(&mut text, job, value, &paths, show_secrets);
    }
    for (path, loser) in matching_lost(job, path) {
        let _ = writeln!(text, "{} is not in the Job\n  {path}", loser.origin.setting);
        step(&mut text, loser, path, loser.secret && !show_secrets);
        text.push('\n');
    }
    (!text.is_empty()).then(|| format!("{}\n", text.trim_end()))
}

fn is_twin(one: &JobValue, other: &JobValue) -> bool {
    !one.origin.setting.is_empty()
        && one.origin.setting == other.origin.setting
        && one.value == other.value
        && one.origin.source.to_string() == other.origin.source.to_string()
}

/// Returns the list that a value is an item of, or in an item of, where its items are joined. The
/// list of containers is none: the layers speak of the first one without its list.
fn joined_list(path: &JobPath) -> Option<(JobPath, &'static str)> {
    let at = path.0.windows(2).rposition(|pair| {
        matches!(pair, [Segment::Key(name), Segment::Index(_)]
            if &**name != "containers" && joined_by(name).is_some())
    })?;
    let Segment::Key(name) = &path.0[at] else { return None };
    Some((JobPath(path.0[..=at].to_vec()), joined_by(name)?))
}

/// Says of a list whose items several layers gave how they came together.
fn joined(text: &mut String, list: &JobPath, key: &str, values: &[&JobValue]) {
    let mut items: BTreeMap<&Segment, LayerKind> = BTreeMap::new();
    for value in values.iter().filter(|value| value.path.starts_with(list)) {
        if let Some(item) = value.path.0.get(list.0.len()) {
            items.entry(item).or_insert(value.origin.layer);
        }
    }
    let mut layers: BTreeMap<LayerKind, usize> = BTreeMap::new();
    for layer in items.into_values() {
        *layers.entry(layer).or_default() += 1;
    }
    if layers.len() > 1 {
        let told: Vec<String> =
            layers.iter().map(|(layer, count)| format!("{layer} gives {count}")).collect();
        let _ = writeln!(text, "{list}\n  joined by {key}: {}\n", told.join(", "));
    }
}

fn history(
    text: &mut String,
    job: &RenderedJob,
    value: &JobValue,
    paths: &[&JobPath],
    show_secrets: bool,
) {
    let masked = value.secret && !show_secrets;
    let setting = &value.origin.setting;
    let name = if setting.is_empty() { value.path.to_string() } else { setting.to_string() };
    let _ = writeln!(text, "{name} = {}", one_line(&shown(&value.value, masked)));
    for path in paths {
        let _ = writeln!(text, "  {path}");
    }
    for loser in &value.overridden {
        step(text, loser, &value.path, loser.secret && !show_secrets);
    }
    let mut notes = steps(&value.value, &value.origin, &value.path, masked);
    if is_name(&value.path) && job.mage_name != job.name {
        notes.push(format!("Mage's name is {}; made a valid name of it", job.mage_name));
    }
    notes.push(match value.rule {
        Some(rule) => format!("in force: {rule}"),
        None => match joined_list(&value.path) {
            Some((_, key)) => {
                format!("in force: no other layer gives this item, items are joined by {key}")
            }
            None => "in force: no other layer sets it".to_owned(),
        },
    });
    line(text, &value.origin, &shown(&value.value, masked), &notes);
    text.push('\n');
}

fn step(text: &mut String, loser: &Loser, path: &JobPath, masked: bool) {
    let mut notes =
        if is_name(path) { Vec::new() } else { steps(&loser.value, &loser.origin, path, masked) };
    notes.push(format!("overridden: {}", loser.rule));
    line(text, &loser.origin, &shown(&loser.value, masked), &notes);
}

fn line(text: &mut String, origin: &Origin, value: &str, notes: &[String]) {
    let (layer, source) = (origin.layer, &origin.source);
    let value = one_line(value);
    let blanks = 12_usize.saturating_sub(measure_text_width(&value)) + 1;
    let _ = writeln!(text, "  {:<18} {value}{:blanks$}{source}", layer.name(), "");
    for note in notes {
        let _ = writeln!(text, "  {:<18} {}", "", one_line(note));
    }
}

/// Keeps a text from tearing the layout apart.
pub(super) fn one_line(text: &str) -> String {
    text.replace('\r', "\\r").replace('\n', "\\n")
}
