//! `explain-config -o json`.

use serde_json::{Map, Value as Json, json};

use super::report::LayerReport;
use super::rows::{Query, is_set};
use crate::config::{Origin, Source, job_paths};
use crate::job::secret::MASK;
use crate::job::{JobValue, RenderedJob};

/// Returns the documented object for one block.
#[must_use]
pub fn job_json(job: &RenderedJob, edition: &str, layers: &[LayerReport], query: &Query) -> Json {
    let paths: Vec<_> = query.paths.iter().flat_map(|path| job_paths(path)).collect();
    let values: Vec<Json> = job
        .values
        .iter()
        .filter(|value| query.all || !paths.is_empty() || is_set(value))
        .filter(|value| paths.is_empty() || paths.iter().any(|path| value.path.starts_with(path)))
        .map(|value| value_json(value, query.show_secrets))
        .collect();
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

fn value_json(value: &JobValue, show_secrets: bool) -> Json {
    let redacted = value.secret && !show_secrets;
    let masked = |plain: &Json| if redacted { Json::from(MASK) } else { plain.clone() };
    let overridden: Vec<Json> = value
        .overridden
        .iter()
        .map(|loser| {
            json!({
                "value": masked(&loser.value),
                "layer": loser.origin.layer.name(),
                "source": source_json(&loser.origin),
                "reason": loser.rule.to_string(),
            })
        })
        .collect();
    let setting = &value.origin.setting;
    json!({
        "path": if setting.is_empty() { Json::Null } else { Json::from(setting.as_str()) },
        "jobPath": value.path.to_string(),
        "value": masked(&value.value),
        "layer": value.origin.layer.name(),
        "source": source_json(&value.origin),
        "rule": value.rule.map(|rule| rule.to_string()),
        "redacted": redacted,
        "overridden": overridden,
    })
}

fn source_json(origin: &Origin) -> Json {
    let mut map = Map::new();
    for key in ["kind", "file", "line", "column", "name", "object"] {
        map.insert(key.to_owned(), Json::Null);
    }
    let mut set = |key: &str, value: Json| map.insert(key.to_owned(), value);
    match &origin.source {
        Source::File { file, span } => {
            set("kind", "file".into());
            set("file", file.name.as_str().into());
            set("line", span.start.line.into());
            set("column", span.start.column.into());
        }
        Source::Env { name, holder } => {
            set("kind", "env".into());
            set("name", name.as_str().into());
            set("object", holder.as_str().into());
        }
        Source::Object { object, field } => {
            set("kind", "object".into());
            set("object", object.as_str().into());
            set("name", field.as_str().into());
        }
        Source::Flag { name } => {
            set("kind", "flag".into());
            set("name", name.as_str().into());
        }
        Source::BuiltIn => {
            set("kind", "builtin".into());
        }
        Source::Api => {
            set("kind", "api".into());
        }
    }
    if let Some(expression) = &origin.expression {
        map.insert("expression".to_owned(), expression.as_ref().into());
    }
    Json::Object(map)
}
