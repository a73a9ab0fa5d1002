//! The metadata of the Job and of its pods (`ValidateObjectMeta`).

use super::names::{is_dns_subdomain, is_label_value, is_qualified_name};
use super::{Check, entries_at, items_at, text_at, value_at};
use crate::merge::Tree;

/// All annotations of one object together.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// The longest name: the controller copies it into a label.
const LONGEST_NAME: usize = 63;

impl Check {
    pub(super) fn object_name(&mut self, metadata: &Tree) {
        let Some(name) = value_at(metadata, "name") else { return };
        let text = name.as_str().unwrap_or_default();
        if !is_dns_subdomain(text) || text.len() > LONGEST_NAME {
            let what = format!("is `{text}`, which cannot be the name of a Job");
            self.refuse(name, "metadata.name", &what);
        }
    }

    pub(super) fn metadata(&mut self, metadata: &Tree, path: &str) {
        self.labels(metadata, "labels", path);
        let mut size = 0;
        for (key, value) in entries_at(metadata, "annotations") {
            if !is_qualified_name(&key.to_lowercase()) {
                let path = format!("{path}.annotations");
                self.refuse(value, &path, &format!("have the key `{key}`, which is invalid"));
            }
            size += key.len() + value.as_str().unwrap_or_default().len();
        }
        if size > MOST_ANNOTATIONS {
            self.refuse(metadata, &format!("{path}.annotations"), "are longer than 256 KiB");
        }
        for finalizer in items_at(metadata, "finalizers") {
            let text = finalizer.as_str().unwrap_or_default();
            let is_known = ["kubernetes", "orphan", "foregroundDeletion"].contains(&text);
            if !is_qualified_name(text) || (!text.contains('/') && !is_known) {
                let what = format!("hold `{text}`, which has no domain");
                self.refuse(finalizer, &format!("{path}.finalizers"), &what);
            }
        }
        if !text_at(metadata, "resourceVersion").is_empty() {
            self.refuse(metadata, &format!("{path}.resourceVersion"), "may not be set");
        }
    }

    /// Labels, and what selects by them.
    pub(super) fn labels(&mut self, tree: &Tree, field: &str, path: &str) {
        let path = format!("{path}.{field}");
        for (key, value) in entries_at(tree, field) {
            if !is_qualified_name(key) {
                self.refuse(value, &path, &format!("have the key `{key}`, which is invalid"));
            }
            let text = value.as_str().unwrap_or_default();
            if !is_label_value(text) {
                let what = format!("is `{text}`, which cannot be the value of a label");
                self.refuse(value, &format!("{path}[{key}]"), &what);
            }
        }
    }
}
