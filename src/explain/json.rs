//! `explain-config -o json`.

use serde_json::{Map, Value as Json, json};

use super::executor::executor_json;
use super::query::{Query, Selection};
use super::report::LayerReport;
use crate::config::{JobPath, Source};
use crate::job::secret::MASK;
use crate::job::{JobValue, RenderedJob};
use crate::merge::Loser;
use crate::project::ExecutorChoice;

/// Returns the documented object for one block.
#[must_use]
pub fn job_json(
    job: &RenderedJob,
    executor: &ExecutorChoice,
    edition: &str,
    layers: &[LayerReport],
    query: &Query,
) -> Json {
    let selection = Selection::new(query);
    let mut values: Vec<Json> = job
        .values
        .iter()
        .filter(|value| selection.has(value))
        .map(|value| value_json(value, query.show_secrets))
        .collect();
    if query.overridden {
        let lost = job.lost.iter().filter(|(path, _)| selection.has_path(path));
        values.extend(lost.map(|(path, loser)| lost_json(path, loser, query.show_secrets)));
    }
    if query.asks_for_executor() {
        values.push(executor_json(executor));
    }
    let layers: Vec<Json> = layers
        .iter()
        .map(|layer| {
            json!({
                "layer": layer.kind.name(),
                "present": layer.present,
                "source": layer.source,
                "lookedFor": layer.looked_for,
            })
        })
        .collect();
    json!({
        "pipeline": job.pipeline,
        "block": job.block,
        "edition": edition,
        "job": {"namespace": job.namespace, "name": job.name},
        "values": values,
        "layers": layers,
    })
}

fn masked(value: &Json, masked: bool) -> Json {
    if masked { Json::from(MASK) } else { value.clone() }
}

fn value_json(value: &JobValue, show_secrets: bool) -> Json {
    let redacted = value.secret && !show_secrets;
    let losers = value.overridden.iter().map(|loser| loser_json(loser, show_secrets));
    json!({
        "path": path_json(&value.origin.setting),
        "jobPath": value.path.to_string(),
        "value": masked(&value.value, redacted),
        "layer": value.origin.layer.name(),
        "source": source_json(&value.origin.source),
        "rule": value.rule.map(|rule| rule.to_string()),
        "redacted": redacted,
        "overridden": losers.collect::<Vec<_>>(),
    })
}

fn path_json(setting: &str) -> Json {
    if setting.is_empty() { Json::Null } else { setting.into() }
}

/// What lost and has no place in the Job: a value that nobody gives.
fn lost_json(path: &JobPath, loser: &Loser, show_secrets: bool) -> Json {
    json!({
        "path": path_json(&loser.origin.setting),
        "jobPath": path.to_string(),
        "value": null,
        "layer": null,
        "source": null,
        "rule": loser.rule.to_string(),
        "redacted": loser.secret && !show_secrets,
        "overridden": [loser_json(loser, show_secrets)],
    })
}

fn loser_json(loser: &Loser, show_secrets: bool) -> Json {
    json!({
        "value": masked(&loser.value, loser.secret && !show_secrets),
        "layer": loser.origin.layer.name(),
        "source": source_json(&loser.origin.source),
        "reason": loser.rule.to_string(),
    })
}

/// Returns the documented object for a place that gives a value.
pub(crate) fn source_json(source: &Source) -> Json {
    let mut map = Map::new();
    for key in ["kind", "file", "line", "column", "name", "object"] {
        map.insert(key.to_owned(), Json::Null);
    }
    let mut set = |key: &str, value: Json| map.insert(key.to_owned(), value);
    match source {
        Source::File { file, span } => {
            // A key of an object in the cluster is read as a file is.
            if let Some((object, key)) = file.object_key() {
                set("kind", "object".into());
                set("object", object.into());
                set("name", key.into());
            } else {
                set("kind", "file".into());
                set("file", file.name.as_str().into());
            }
            set("line", span.start.line.into());
            set("column", span.start.column.into());
        }
        Source::Env { name, holder } => {
            set("kind", "env".into());
            set("name", name.as_ref().into());
            set("object", holder.as_ref().into());
        }
        Source::Object { object, field } => {
            set("kind", "object".into());
            set("object", object.as_ref().into());
            set("name", field.as_ref().into());
        }
        Source::Flag { name } => {
            set("kind", "flag".into());
            set("name", name.as_ref().into());
        }
        Source::BuiltIn => {
            set("kind", "builtin".into());
        }
        Source::Api => {
            set("kind", "api".into());
        }
    }
    Json::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Position, SourceFile, Span};

    #[test]
    fn a_key_of_a_configmap_is_an_object() {
        let file = SourceFile::new("configmap/mage-config:config.yaml", "a: 1\n");
        let start = Position { line: 4, column: 8, offset: 0 };
        let source = Source::File { file, span: Span { start, end: start } };
        assert_eq!(source.to_string(), "configmap/mage-config:config.yaml:4:8");
        let expected = json!({
            "kind": "object",
            "file": null,
            "line": 4,
            "column": 8,
            "name": "config.yaml",
            "object": "configmap/mage-config",
        });
        assert_eq!(source_json(&source), expected);
    }
}
