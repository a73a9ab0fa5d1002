//! `-w`: what changes is printed again, until a signal or a closed pipe ends it.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::entry::written;
use crate::cli::TableOutput;
use crate::cluster::Watched;
use crate::error::CliError;
use crate::ui::{Printer, manifest};

/// Changes that come together are shown together.
pub(super) const TOGETHER: Duration = Duration::from_millis(100);
/// How often what may not be watched is read.
pub(super) const POLL_EVERY: Duration = Duration::from_secs(2);

/// The objects that a watch tells of, by UID.
pub(super) struct Mirror<K>(BTreeMap<String, K>);

impl<K: Metadata<Ty = ObjectMeta> + Clone> Mirror<K> {
    pub(super) fn new(items: &[K]) -> Self {
        let mut mirror = Self(BTreeMap::new());
        mirror.replace(items.to_vec());
        mirror
    }

    pub(super) fn items(&self) -> Vec<K> {
        self.0.values().cloned().collect()
    }

    fn replace(&mut self, items: Vec<K>) {
        self.0 = items.into_iter().map(|item| (uid(&item), item)).collect();
    }

    /// Takes in a change; tells whether it may still be watched.
    pub(super) fn take(&mut self, seen: Watched<K>) -> Result<(), crate::cluster::ClusterError> {
        match seen {
            Watched::Listed(items) => self.replace(items),
            Watched::Applied(item) => drop(self.0.insert(uid(&item), item)),
            Watched::Deleted(item) => drop(self.0.remove(&uid(&item))),
            Watched::Refused(error) => return Err(error),
            Watched::Lost(_) | Watched::Regained => {}
        }
        Ok(())
    }
}

fn uid<K: Metadata<Ty = ObjectMeta>>(item: &K) -> String {
    item.metadata().uid.clone().unwrap_or_default()
}

/// One row as it is printed: what tells it from the others, and its state without its age.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) state: Value,
}

/// What was printed last.
#[derive(Default)]
pub(super) struct Shown(BTreeMap<String, Value>);

impl Shown {
    /// Returns the indices of the rows that are not as they were printed, and keeps them.
    pub(super) fn changed(&mut self, rows: &[Row]) -> Vec<usize> {
        let mut changed = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if self.0.get(&row.key) != Some(&row.state) {
                self.0.insert(row.key.clone(), row.state.clone());
                changed.push(index);
            }
        }
        changed
    }
}

/// Tells whether somebody still reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    There,
    Gone,
}

/// Prints the rows that changed. `table` renders all of them without headers, a line each.
pub(super) fn print_changed(
    printer: Printer,
    output: TableOutput,
    rows: &[Row],
    changed: &[usize],
    table: &str,
) -> Result<Reader, CliError> {
    let mut text = String::new();
    let lines: Vec<&str> = table.lines().collect();
    for index in changed {
        match output {
            TableOutput::Table | TableOutput::Wide => {
                text.push_str(lines.get(*index).copied().unwrap_or_default());
                text.push('\n');
            }
            TableOutput::Json => text.push_str(&manifest::json(&rows[*index].state)),
            TableOutput::Yaml => {
                text.push_str("---\n");
                text.push_str(&manifest::yaml(&rows[*index].state));
            }
            TableOutput::Name => {
                text.push_str(&rows[*index].key);
                text.push('\n');
            }
        }
    }
    if text.is_empty() {
        return Ok(Reader::There);
    }
    match printer.data(&text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        result => written(result).map(|()| Reader::There),
    }
}
