//! Volumes (`ValidateVolumes`).

use std::collections::HashSet;
use std::sync::Arc;

use super::names::{
    descends, goes_not_back, is_data_key, is_dns_label, is_dns_subdomain, is_driver_name,
};
use super::{Check, items_at, text_at, value_at};
use crate::job::Quantity;
use crate::merge::{Content, Tree};

/// The most that a mode of a file can be, 0777.
const MOST_MODE: i64 = 0o777;

const HOST_PATH_TYPES: [&str; 7] = [
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

impl Check {
    /// Returns the names of the volumes that may be mounted.
    pub(super) fn volumes<'a>(&mut self, pod: &'a Tree, path: &str) -> HashSet<&'a str> {
        let mut names = HashSet::new();
        for (index, volume) in items_at(pod, "volumes").iter().enumerate() {
            let path = format!("{path}.volumes[{index}]");
            let before = self.found.len();
            if self.required(volume, "name", &path) {
                let wanted = "a label: lower-case letters, digits and `-`, at most 63";
                self.valid(volume, "name", &path, is_dns_label, wanted);
            }
            let name = text_at(volume, "name");
            if names.contains(name) {
                self.refuse(volume, &path, &format!("is the second volume named `{name}`"));
            }
            self.volume_source(volume, &path);
            if self.found.len() == before {
                names.insert(name);
            }
        }
        names
    }

    fn volume_source(&mut self, volume: &Tree, path: &str) {
        let sources: Vec<(&Arc<str>, &Tree)> = volume
            .as_map()
            .into_iter()
            .flatten()
            .filter(|(key, value)| {
                &***key != "name"
                    && !matches!(value.content, Content::Leaf(serde_json::Value::Null))
            })
            .collect();
        match sources.as_slice() {
            // The API server makes it an `emptyDir`.
            [] => {}
            [(kind, source)] => self.source(kind, source, &format!("{path}.{kind}")),
            _ => self.refuse(volume, path, "names more than one kind of volume"),
        }
    }

    fn source(&mut self, kind: &str, source: &Tree, path: &str) {
        match kind {
            "emptyDir" => {
                if let Some(limit) = value_at(source, "sizeLimit")
                    && quantity(limit) < Quantity::parse("0")
                {
                    self.refuse(limit, &format!("{path}.sizeLimit"), "is negative");
                }
            }
            "persistentVolumeClaim" => {
                self.required(source, "claimName", path);
            }
            "secret" => {
                self.required(source, "secretName", path);
                self.files(source, path);
            }
            "configMap" => {
                self.required(source, "name", path);
                self.files(source, path);
            }
            "hostPath" => {
                self.required(source, "path", path);
                self.valid(source, "path", path, goes_not_back, "a path without `..`");
                self.one_of(source, "type", path, &HOST_PATH_TYPES);
            }
            "csi" => {
                self.required(source, "driver", path);
                self.valid(source, "driver", path, is_driver_name, "the name of a driver");
            }
            "nfs" => {
                self.required(source, "server", path);
                self.required(source, "path", path);
                self.valid(source, "path", path, |path| path.starts_with('/'), "an absolute path");
            }
            "projected" => self.projected(source, path),
            "downwardAPI" => self.mode(source, "defaultMode", path),
            _ => {}
        }
    }

    fn projected(&mut self, source: &Tree, path: &str) {
        self.mode(source, "defaultMode", path);
        for (index, part) in items_at(source, "sources").iter().enumerate() {
            let path = format!("{path}.sources[{index}]");
            let kinds: Vec<(&Arc<str>, &Tree)> = part.as_map().into_iter().flatten().collect();
            if kinds.len() != 1 {
                self.refuse(part, &path, "must name one source");
            }
            for (kind, inner) in kinds {
                let path = format!("{path}.{kind}");
                match kind.as_ref() {
                    "configMap" | "secret" => {
                        self.required(inner, "name", &path);
                        self.files(inner, &path);
                    }
                    "serviceAccountToken" => {
                        self.range(inner, "expirationSeconds", &path, 600, 1 << 32);
                        self.required(inner, "path", &path);
                    }
                    _ => {}
                }
            }
        }
    }

    fn files(&mut self, source: &Tree, path: &str) {
        self.mode(source, "defaultMode", path);
        for (index, item) in items_at(source, "items").iter().enumerate() {
            let path = format!("{path}.items[{index}]");
            self.valid(item, "key", &path, is_data_key, "a key of a ConfigMap or Secret");
            self.valid(item, "path", &path, descends, "a relative path without `..`");
            self.mode(item, "mode", &path);
        }
    }

    fn mode(&mut self, tree: &Tree, field: &str, path: &str) {
        self.range(tree, field, path, 0, MOST_MODE);
    }

    /// The object that a reference names.
    pub(super) fn object_reference(&mut self, tree: &Tree, path: &str) {
        let wanted = "the name of an object: lower-case letters, digits, `-` and `.`";
        self.valid(tree, "name", path, is_dns_subdomain, wanted);
    }
}

pub(super) fn quantity(tree: &Tree) -> Option<Quantity> {
    match &tree.content {
        Content::Leaf(serde_json::Value::String(text)) => Quantity::parse(text),
        Content::Leaf(serde_json::Value::Number(number)) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}
