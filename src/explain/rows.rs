//! The default table: one row a setting.

use std::collections::HashMap;
use std::path::PathBuf;

use super::query::{Query, Selection};
use super::shown::shown_with_expression;
use crate::config::{JobPath, Origin, Segment, Source};
use crate::job::{JobValue, RenderedJob};
use crate::merge::Loser;
use crate::project::ExecutorChoice;

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
    /// The file and line of the source, where it is on this machine.
    pub link: Option<(PathBuf, u32)>,
    /// The rule that decided, where more than one layer spoke.
    pub why: String,
    /// Whether it lost.
    pub overridden: bool,
}

/// Returns the rows that a query asks for, in the order of the Job.
#[must_use]
pub fn rows(job: &RenderedJob, query: &Query) -> Vec<Row> {
    let selection = Selection::new(query);
    let mut rows = Rows { query, selection, found: Vec::new(), known: HashMap::new() };
    let mut rest = job.values.as_slice();
    while let Some(first) = rest.first() {
        let length = item_length(&first.path);
        let in_item = |value: &&JobValue| match length {
            Some(length) => value.path.0.get(..length) == first.path.0.get(..length),
            None => false,
        };
        // The leaves of an item stand together.
        let count = rest.iter().take_while(in_item).count().max(1);
        let (leaves, after) = rest.split_at(count);
        rows.push(leaves, length);
        rest = after;
    }
    if query.overridden {
        for (path, loser) in &job.lost {
            if rows.selection.has_path(path) {
                rows.found.push(lost(loser, path, query));
            }
        }
    }
    rows.found
}

struct Rows<'a> {
    query: &'a Query,
    selection: Selection,
    found: Vec<Row>,
    /// Rows by setting, source and value.
    known: HashMap<(String, String, String), usize>,
}

impl Rows<'_> {
    /// Adds one leaf, or the leaves of one item of a list.
    fn push(&mut self, leaves: &[JobValue], item: Option<usize>) {
        let wanted: Vec<&JobValue> =
            leaves.iter().filter(|value| self.selection.has(value)).collect();
        if let Some(length) = item.filter(|length| self.is_folded(&wanted, leaves, *length)) {
            self.found.push(folded(&wanted, length, self.query));
            self.losers(&wanted);
            return;
        }
        for value in wanted {
            let row = winner(value, self.query);
            // What stands both on the Job and on its pods is one setting.
            let key = (row.setting.clone(), row.source.clone(), row.value.clone());
            match self.known.get(&key) {
                Some(index) if !row.setting.is_empty() => {
                    self.found[*index].job_paths.push(value.path.clone());
                }
                _ => {
                    self.known.insert(key, self.found.len());
                    self.found.push(row);
                    self.losers(&[value]);
                }
            }
        }
    }

    fn losers(&mut self, values: &[&JobValue]) {
        if self.query.overridden {
            for value in values {
                let losers = value.overridden.iter().rev();
                self.found.extend(losers.map(|loser| lost(loser, &value.path, self.query)));
            }
        }
    }

    /// Tells whether an item is told in one row: one layer gave all of it, and neither everything
    /// nor something inside is asked for.
    fn is_folded(&self, wanted: &[&JobValue], leaves: &[JobValue], length: usize) -> bool {
        let Some(first) = wanted.first() else { return false };
        let inside =
            |path: &JobPath| path.0.len() > length && path.0[..length] == first.path.0[..length];
        !self.query.all
            && wanted.len() == leaves.len()
            && !self.selection.paths.iter().any(inside)
            && wanted.iter().all(|leaf| leaf.origin.layer == first.origin.layer)
    }
}

/// Lists whose items are told in one row each, where one place gave the whole item.
const FOLDED: [&str; 6] =
    ["env", "envFrom", "volumeMounts", "volumes", "tolerations", "imagePullSecrets"];

/// Returns how much of a path names an item of such a list.
fn item_length(path: &JobPath) -> Option<usize> {
    let at = path.0.windows(2).position(|pair| {
        matches!(pair, [Segment::Key(key), Segment::Index(_)] if FOLDED.contains(&key.as_ref()))
    })?;
    Some(at + 2)
}

/// Tells an item in one row.
fn folded(leaves: &[&JobValue], length: usize, query: &Query) -> Row {
    let first = leaves[0];
    let item = JobPath(first.path.0[..length].to_vec());
    let mut row = winner(first, query);
    row.setting = item_setting(&first.origin.setting, &item);
    row.value = summary(leaves, length, query);
    row.job_paths = vec![item];
    if let Some(decided) = leaves.iter().find_map(|leaf| leaf.rule) {
        row.why = decided.to_string();
    }
    if let Source::Object { object, field } = &first.origin.source {
        let end = field.rfind(']').map_or(field.len(), |end| end + 1);
        row.source = format!("{object} {}", &field[..end]);
    }
    row
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
    let text = |leaf: &JobValue| {
        let masked = leaf.secret && !query.show_secrets;
        shown_with_expression(&leaf.value, &leaf.origin, masked)
    };
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
    let rest: Vec<String> = leaves
        .iter()
        .filter(|leaf| inner(leaf) != "name" && !text(leaf).is_empty())
        .map(|leaf| format!("{}={}", inner(leaf), text(leaf)))
        .collect();
    match find("name") {
        Some(name) if rest.is_empty() => name,
        Some(name) => format!("{name}: {}", rest.join(", ")),
        None => rest.join(", "),
    }
}

/// Returns the file and line of everything that speaks for a Job, by how it is shown.
#[must_use]
pub fn links(job: &RenderedJob, executor: &ExecutorChoice) -> Links {
    let losers = job.values.iter().flat_map(|value| &value.overridden);
    let losers = losers.chain(job.lost.iter().map(|(_, loser)| loser));
    let origins = job.values.iter().map(|value| &value.origin).chain(losers.map(|l| &l.origin));
    let steps = executor.steps.iter().chain(&executor.unasked);
    origins
        .map(|origin| &origin.source)
        .chain(steps.filter_map(|step| step.source.as_ref()))
        .filter_map(|source| Some((source.to_string(), place(source)?)))
        .collect()
}

/// Files and lines by the text that names them.
pub type Links = HashMap<String, (PathBuf, u32)>;

fn link(origin: &Origin) -> Option<(PathBuf, u32)> {
    place(&origin.source)
}

fn place(source: &Source) -> Option<(PathBuf, u32)> {
    match source {
        Source::File { file, span } => Some((file.path.clone()?, span.start.line)),
        _ => None,
    }
}

fn winner(value: &JobValue, query: &Query) -> Row {
    let masked = value.secret && !query.show_secrets;
    Row {
        setting: value.origin.setting.to_string(),
        job_paths: vec![value.path.clone()],
        value: shown_with_expression(&value.value, &value.origin, masked),
        layer: value.origin.layer.name(),
        source: value.origin.source.to_string(),
        link: link(&value.origin),
        why: value.rule.map(|rule| rule.to_string()).unwrap_or_default(),
        overridden: false,
    }
}

fn lost(loser: &Loser, path: &JobPath, query: &Query) -> Row {
    let masked = loser.secret && !query.show_secrets;
    Row {
        setting: loser.origin.setting.to_string(),
        job_paths: vec![path.clone()],
        value: shown_with_expression(&loser.value, &loser.origin, masked),
        layer: loser.origin.layer.name(),
        source: loser.origin.source.to_string(),
        link: link(&loser.origin),
        why: format!("overridden: {}", loser.rule),
        overridden: true,
    }
}
