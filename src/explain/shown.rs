//! Values as people read them, and what was done to them on the way into the Job.

use serde_json::Value as Json;

use crate::config::{JobPath, Origin, Segment, Source, camel_to_snake, scalar_text};
use crate::job::secret::{MASK, mask_expression};
use crate::yaml::{self, SourceFile};

/// Returns a value as people read it: text as it is, everything else as JSON.
pub(super) fn shown(value: &Json, masked: bool) -> String {
    match value {
        _ if masked => MASK.to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns a value with the expression that gave it.
pub(super) fn shown_with_expression(value: &Json, origin: &Origin, masked: bool) -> String {
    let text = shown(value, masked);
    match expression(origin, masked) {
        Some(expression) => format!("{text}  ({expression})"),
        None => text,
    }
}

/// Returns the expression that gave a value; of a secret's only the names it looks up.
pub(super) fn expression(origin: &Origin, masked: bool) -> Option<String> {
    let expression = origin.expression.as_deref()?;
    Some(if masked { mask_expression(expression) } else { expression.to_owned() })
}

/// Says what happened to a value between its place and the Job, one step a line.
pub(super) fn steps(value: &Json, origin: &Origin, path: &JobPath, masked: bool) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(at) = origin.alias {
        let file = match &origin.source {
            Source::File { file, .. } => file.name.as_str(),
            _ => "",
        };
        steps.push(format!("brought in by the alias at {file}:{}:{}", at.line, at.column));
    }
    match expression(origin, masked) {
        Some(expression) => steps.push(format!("rendered from {expression}")),
        None if masked => {}
        None => steps.extend(converted(value, origin, path)),
    }
    steps.extend(spelling(origin, path));
    steps
}

/// Says how a scalar is written, where that is not how it stands in the Job.
fn converted(value: &Json, origin: &Origin, path: &JobPath) -> Option<String> {
    let Source::File { file, span } = &origin.source else { return None };
    let written = file.text.get(span.bytes())?;
    if is_name(path) {
        return Some(format!("the prefix is written {written}"));
    }
    let node = yaml::parse(&SourceFile::new("", written)).ok()?.root?;
    let text = scalar_text(&node)?;
    let is_text = node.as_str().is_some();
    let kind = node.kind();
    match value {
        Json::Object(_) | Json::Array(_) => None,
        Json::String(value) if is_text && *value == text => None,
        Json::String(value) if is_text && *value == text.trim() => {
            let ends = if *value == text.trim_end() { "its end" } else { "its ends" };
            Some(format!("the blanks at {ends} are trimmed"))
        }
        Json::String(value) if !is_text && value == written => {
            Some(format!("written as {kind}, taken as text"))
        }
        other if !is_text && shown(other, false) == written => None,
        _ => Some(format!("written {written}, {kind}, converted")),
    }
}

/// Tells whether a path is that of the Job's name, which is derived from a prefix.
pub(super) fn is_name(path: &JobPath) -> bool {
    let text = path.to_string();
    matches!(text.as_str(), ".metadata.name" | ".spec.template.metadata.name")
}

/// Says which keys are spelt otherwise in the Job than in the configuration.
fn spelling(origin: &Origin, path: &JobPath) -> Option<String> {
    let setting = JobPath::parse(&origin.setting)?;
    let keys = |path: &JobPath| {
        let keys = path.0.iter().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.clone()),
            Segment::Index(_) => None,
        });
        keys.collect::<Vec<_>>()
    };
    let in_job = keys(path);
    let mut changed: Vec<String> = Vec::new();
    for key in keys(&setting) {
        let twin = in_job.iter().find(|other| **other != key && camel_to_snake(other) == *key);
        let written = origin.spelled.as_deref().filter(|written| camel_to_snake(written) == *key);
        match (written, twin) {
            (Some(written), Some(twin)) if *written == **twin => {
                changed.push(format!("{written}, which Mage spells {key}"));
            }
            (Some(written), _) => changed.push(format!("{written} is read as {key}")),
            (None, Some(twin)) => changed.push(format!("{key} is {twin} in the Job")),
            (None, None) => {}
        }
    }
    (!changed.is_empty()).then(|| format!("spelling: {}", changed.join(", ")))
}
