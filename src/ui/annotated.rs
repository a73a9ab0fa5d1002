//! A Job as YAML with a comment behind each line.

use serde_json::Value as Json;

use super::manifest::{is_printable, scalar};
use crate::config::JobPath;

/// The column from which comments stand, where the line is not longer.
const COLUMN: usize = 56;

/// Writes a manifest, a key or item a line, with what `comment` says of its path behind it.
pub fn annotated(manifest: &Json, comment: &dyn Fn(&JobPath) -> Option<String>) -> String {
    let mut writer = Writer { comment, text: String::new() };
    writer.inside(manifest, &JobPath::default(), 0, String::new());
    writer.text
}

struct Writer<'a> {
    comment: &'a dyn Fn(&JobPath) -> Option<String>,
    text: String,
}

impl Writer<'_> {
    /// Writes what is inside of a collection; `lead` stands before its first line instead of blanks.
    fn inside(&mut self, value: &Json, path: &JobPath, indent: usize, mut lead: String) {
        match value {
            Json::Object(map) => {
                for (key, value) in map {
                    let before = take(&mut lead, indent);
                    self.entry(
                        &format!("{before}{}:", scalar(&Json::from(key.as_str()))),
                        value,
                        &path.key(key),
                        indent,
                    );
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let before = take(&mut lead, indent);
                    self.item(format!("{before}- "), item, &path.index(index), indent);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, key: &str, value: &Json, path: &JobPath, indent: usize) {
        if is_open(value) {
            self.line(key, path);
            // kubectl does not indent lists.
            let below = if value.is_array() { indent } else { indent + 2 };
            self.inside(value, path, below, String::new());
        } else {
            self.line(&format!("{key} {}", scalar(value)), path);
        }
    }

    fn item(&mut self, lead: String, item: &Json, path: &JobPath, indent: usize) {
        if is_open(item) {
            self.inside(item, path, indent + 2, lead);
        } else {
            self.line(&format!("{lead}{}", scalar(item)), path);
        }
    }

    fn line(&mut self, line: &str, path: &JobPath) {
        self.text.push_str(line);
        if let Some(comment) = (self.comment)(path) {
            let blanks = COLUMN.saturating_sub(console::measure_text_width(line)).max(1);
            self.text.push_str(&" ".repeat(blanks));
            self.text.push_str("# ");
            self.text.extend(comment.chars().map(|c| if is_printable(c) { c } else { ' ' }));
        }
        self.text.push('\n');
    }
}

fn take(lead: &mut String, indent: usize) -> String {
    if lead.is_empty() { " ".repeat(indent) } else { std::mem::take(lead) }
}

fn is_open(value: &Json) -> bool {
    match value {
        Json::Object(map) => !map.is_empty(),
        Json::Array(items) => !items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::annotated;
    use crate::yaml::{SourceFile, parse};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn values() -> impl Strategy<Value = Json> {
        let text = "[ -~\\n\\t\u{e9}\u{4e2d}]{0,12}";
        let leaf = prop_oneof![
            text.prop_map(Json::from),
            "(yes|no|null|~|0777|1_000|12:30|2024-01-01|#|- a|a: b|a #b)".prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            any::<bool>().prop_map(Json::from),
            Just(json!({})),
            Just(json!([])),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Json::from),
                proptest::collection::btree_map(text, inner, 1..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_the_same_document(value in values(), comment in ".{0,20}") {
            let value = json!({"root": value});
            let written = annotated(&value, &|_| Some(comment.clone()));
            let document = parse(&SourceFile::new("t", written.as_str())).expect("YAML");
            prop_assert_eq!(document.root.expect("a document").to_json(), value, "{}", written);
        }
    }
}
