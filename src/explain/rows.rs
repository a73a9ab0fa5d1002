//! The default table: one row a setting.

use serde_json::Value as Json;

use crate::config::{JobPath, LayerKind, Source, job_paths};
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
    for value in &job.values {
        let asked = query.all || !paths.is_empty() || is_set(value);
        if !asked || !is_wanted(&paths, &value.path) {
            continue;
        }
        let row = winner(value, query);
        // What stands both on the Job and on its pods is one setting.
        let same = |known: &&mut Row| {
            !row.setting.is_empty()
                && known.setting == row.setting
                && known.source == row.source
                && known.value == row.value
                && !known.overridden
        };
        if let Some(known) = rows.iter_mut().find(same) {
            known.job_paths.push(value.path.clone());
            continue;
        }
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
