//! The default table: one row a setting.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::config::{JobPath, LayerKind, Segment, Source, job_paths};
use crate::job::secret::MASK;
use crate::job::{JobValue, RenderedJob};
use crate::merge::Loser;

/// What to show.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only these values and what is below them, as typed; empty for everything.
    pub paths: Vec<String>,
    /// Add what is built in.
    pub all: bool,
    /// Add what lost.
    pub overridden: bool,
    /// Show secrets.
    pub show_secrets: bool,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The setting in Mage's spelling; empty where Mage has no name for it.
    pub setting: String,
    /// The places in the Job that it decides.
    pub job_paths: Vec<JobPath>,
    /// The value.
    pub value: String,
    /// The layer's name.
    pub layer: &'static str,
    /// Where it is said.
    pub source: String,
    /// The rule that decided, where more than one layer spoke.
    pub why: String,
    /// Whether it lost.
    pub overridden: bool,
}

/// Returns a value as people read it: text as it is, everything else as JSON.
pub(super) fn shown(value: &Json, secret: bool) -> String {
    match value {
        _ if secret => MASK.to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(super) fn shown_value(value: &JobValue, query_secrets: bool) -> String {
    let text = shown(&value.value, value.secret && !query_secrets);
    match &value.origin.expression {
        Some(expression) => format!("{text}  ({expression})"),
        None => text,
    }
}

/// Tells whether somebody set this value, rather than Mage or this tool.
pub(super) fn is_set(value: &JobValue) -> bool {
    match (&value.origin.layer, &value.origin.source) {
        (LayerKind::ApiDefault, _) => false,
        (LayerKind::Hardcoded, source) => matches!(source, Source::Env { .. }),
        (_, Source::Flag { name }) => name != "TARGET",
        _ => true,
    }
}

/// Returns the values that a path, in either spelling, names.
#[must_use]
pub fn matching<'a>(job: &'a RenderedJob, path: &str) -> Vec<&'a JobValue> {
    let paths = job_paths(path);
    job.values
        .iter()
        .filter(|value| paths.iter().any(|path| value.path.starts_with(path)))
        .collect()
}

fn is_wanted(paths: &[JobPath], value: &JobPath) -> bool {
    paths.is_empty() || paths.iter().any(|path| value.starts_with(path))
}

/// Returns the rows that a query asks for, in the order of the Job.
#[must_use]
pub fn rows(job: &RenderedJob, query: &Query) -> Vec<Row> {
    let paths: Vec<JobPath> = query.paths.iter().flat_map(|path| job_paths(path)).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut known: HashMap<(String, String, String), usize> = HashMap::new();
    let mut items = Items::default();
    for (index, value) in job.values.iter().enumerate() {
        let asked = query.all || !paths.is_empty() || is_set(value);
        if !asked || !is_wanted(&paths, &value.path) {
            continue;
        }
        if let Some(item) = items.folded(job, index, query, &paths) {
            match item {
                Folded::First(row) => rows.push(row),
                Folded::Rest => {}
            }
            if query.overridden {
                let secret = value.secret && !query.show_secrets;
                rows.extend(value.overridden.iter().rev().map(|lo| lost(lo, &value.path, secret)));
            }
            continue;
        }
        let row = winner(value, query);
        // What stands both on the Job and on its pods is one setting.
        let same = (row.setting.clone(), row.source.clone(), row.value.clone());
        if let Some(first) = known.get(&same).filter(|_| !row.setting.is_empty()) {
            rows[*first].job_paths.push(value.path.clone());
            continue;
        }
        known.insert(same, rows.len());
        rows.push(row);
        if query.overridden {
            let secret = value.secret && !query.show_secrets;
            rows.extend(
                value.overridden.iter().rev().map(|loser| lost(loser, &value.path, secret)),
            );
        }
    }
    if query.overridden {
        let homeless = job.lost.iter().filter(|(path, _)| is_wanted(&paths, path));
        rows.extend(homeless.map(|(path, loser)| lost(loser, path, is_secret(path, query))));
    }
    rows
}

/// A leaf of a list's item that one layer gave: the item is one row.
enum Folded {
    First(Row),
    Rest,
}

/// Lists whose items are told in one row each, where one place gave the whole item.
const FOLDED: [&str; 6] =
    ["env", "envFrom", "volumeMounts", "volumes", "tolerations", "imagePullSecrets"];

/// The item that was folded last: its leaves stand one behind the other.
#[derive(Default)]
struct Items {
    /// The index of the value behind the item's last.
    end: usize,
    folds: bool,
}

impl Items {
    /// Folds an item of such a list into one row, at its first leaf.
    fn folded(
        &mut self,
        job: &RenderedJob,
        index: usize,
        query: &Query,
        paths: &[JobPath],
    ) -> Option<Folded> {
        if index < self.end {
            return self.folds.then_some(Folded::Rest);
        }
        let (item, length) = item_of(&job.values[index].path)?;
        let inside = |path: &JobPath| path.0.len() > length && path.starts_with(&item);
        if query.all || paths.iter().any(inside) {
            return None;
        }
        let leaves: Vec<&JobValue> =
            job.values[index..].iter().take_while(|leaf| leaf.path.starts_with(&item)).collect();
        let layer = leaves[0].origin.layer;
        self.end = index + leaves.len();
        self.folds = leaves.iter().all(|leaf| leaf.origin.layer == layer);
        self.folds.then(|| Folded::First(item_row(&leaves, item, length, query)))
    }
}

/// Returns the item of such a list that a path is in, and the length of its path.
fn item_of(path: &JobPath) -> Option<(JobPath, usize)> {
    let length = path.0.windows(2).position(|pair| {
        matches!(pair, [Segment::Key(key), Segment::Index(_)] if FOLDED.contains(&key.as_str()))
    })? + 2;
    Some((JobPath(path.0[..length].to_vec()), length))
}

fn item_row(leaves: &[&JobValue], item: JobPath, length: usize, query: &Query) -> Row {
    let first = leaves[0];
    let mut row = winner(first, query);
    row.setting = item_setting(&first.origin.setting, &item);
    row.job_paths = vec![item];
    row.value = shortened(&summary(leaves, length, query));
    if let Some(decided) = leaves.iter().find_map(|leaf| leaf.rule) {
        row.why = decided.to_string();
    }
    if let Source::Object { object, field } = &first.origin.source {
        let end = field.rfind(']').map_or(field.len(), |end| end + 1);
        row.source = format!("{object} {}", &field[..end]);
    }
    row
}

/// Cuts a summary to what a table has room for; `--why` and `-o json` have the whole.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Cuts a setting after the index of the item.
fn item_setting(setting: &str, item: &JobPath) -> String {
    let Some(Segment::Index(index)) = item.0.last() else { return setting.to_owned() };
    let list = setting.split('[').next().unwrap_or(setting);
    format!("{list}[{index}]")
}

/// Says an item in a few words: `NAME=VALUE`, `NAME at /PATH`, or its parts.
fn summary(leaves: &[&JobValue], length: usize, query: &Query) -> String {
    let inner = |leaf: &JobValue| {
        let path = JobPath(leaf.path.0[length..].to_vec()).to_string();
        path.trim_start_matches('.').to_owned()
    };
    let text = |leaf: &JobValue| shown_value(leaf, query.show_secrets);
    let find = |name: &str| leaves.iter().find(|leaf| inner(leaf) == name).map(|leaf| text(leaf));
    if let (2, Some(name), Some(value)) = (leaves.len(), find("name"), find("value")) {
        return format!("{name}={value}");
    }
    if let (Some(path), Some(name)) = (find("mountPath"), find("name")) {
        let read_only =
            if find("readOnly").is_some_and(|value| value == "true") { ", read-only" } else { "" };
        let sub = find("subPath").map(|sub| format!(", subPath {sub}")).unwrap_or_default();
        return format!("{name} at {path}{sub}{read_only}");
    }
    let name = find("name").map(|name| format!("{name}: ")).unwrap_or_default();
    let rest: Vec<String> = leaves
        .iter()
        .filter(|leaf| inner(leaf) != "name" && !text(leaf).is_empty())
        .take(3)
        .map(|leaf| format!("{}={}", inner(leaf), text(leaf)))
        .collect();
    let more = if leaves.len() > 5 { ", …" } else { "" };
    format!("{name}{}{more}", rest.join(", "))
}

fn is_secret(path: &JobPath, query: &Query) -> bool {
    !query.show_secrets && crate::job::secret::is_secret_name(&path.to_string())
}

fn winner(value: &JobValue, query: &Query) -> Row {
    Row {
        setting: value.origin.setting.clone(),
        job_paths: vec![value.path.clone()],
        value: shown_value(value, query.show_secrets),
        layer: value.origin.layer.name(),
        source: value.origin.source.to_string(),
        why: value.rule.map(|rule| rule.to_string()).unwrap_or_default(),
        overridden: false,
    }
}

fn lost(loser: &Loser, path: &JobPath, secret: bool) -> Row {
    Row {
        setting: loser.origin.setting.clone(),
        job_paths: vec![path.clone()],
        value: shown(&loser.value, secret),
        layer: loser.origin.layer.name(),
        source: loser.origin.source.to_string(),
        why: format!("overridden: {}", loser.rule),
        overridden: true,
    }
}
