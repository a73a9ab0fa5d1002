//! This tool's own labels and annotations, put on Jobs and taken off again.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value, json};

use super::labels::{BLOCK, MANAGED_BY, MANAGER, PIPELINE, label_value};

/// What this tool's own labels and annotations begin with.
const OURS: &str = "kubectl-mage/";

/// Which parts of a Job are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The Job and its pods.
    All,
    /// The Job alone: the pods of one that stands there may not be changed.
    JobOnly,
}

/// Marks a Job that is of no run as this tool's, and says of which block it is.
pub fn mark_as_ours(job: &mut Value, pipeline: &str, block: &str, marked: Marked) {
    let labels = [
        (MANAGED_BY, MANAGER.to_owned()),
        (PIPELINE, label_value(pipeline)),
        (BLOCK, label_value(block)),
    ];
    let annotations = [(PIPELINE, pipeline.to_owned()), (BLOCK, block.to_owned())];
    if marked == Marked::All {
        let template = member(member(job, "spec"), "template");
        mark(template, &labels, &annotations);
    }
    mark(job, &labels, &annotations);
}

/// Tells whether an object is labelled as this tool's.
#[must_use]
pub fn is_ours(object: &Value) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == MANAGER
}

/// The same of metadata that was read.
pub(crate) fn is_made_here(metadata: &ObjectMeta) -> bool {
    let labels = metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(MANAGED_BY)).is_some_and(|manager| manager == MANAGER)
}

/// Adds labels and annotations to the metadata of an object.
pub(crate) fn mark(object: &mut Value, labels: &[(&str, String)], annotations: &[(&str, String)]) {
    let metadata = member(object, "metadata");
    for (name, entries) in [("labels", labels), ("annotations", annotations)] {
        let Value::Object(map) = member(metadata, name) else { continue };
        for (key, value) in entries {
            map.insert((*key).to_owned(), json!(value));
        }
    }
}

/// Takes this tool's own labels and annotations away.
pub(crate) fn unmark(object: &mut Value) {
    let metadata = member(object, "metadata");
    for name in ["labels", "annotations"] {
        let Value::Object(map) = member(metadata, name) else { continue };
        map.retain(|key, _| !is_mark(key));
    }
    if let Value::Object(map) = metadata {
        map.retain(|_, value| value.as_object().is_none_or(|object| !object.is_empty()));
    }
}

/// Tells whether a label or an annotation is this tool's own.
pub(crate) fn is_mark(key: &str) -> bool {
    key == MANAGED_BY || key.starts_with(OURS)
}

/// Returns the member of that name, an empty object where there is none.
pub(crate) fn member<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let map = value.as_object_mut().expect("it was made an object above");
    let member = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if member.is_null() {
        *member = Value::Object(Map::new());
    }
    member
}
