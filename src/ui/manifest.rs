//! Objects as YAML and JSON, as kubectl writes and reads them.

use serde_json::Value as Json;

/// Writes one YAML document. Every string that some reader of YAML takes for something else is
/// quoted: `yes`, `0777`, `12:30`, dates. Texts of several lines are quoted too: the library writes
/// block scalars that start with a tab, which kubectl and `PyYAML` refuse.
#[must_use]
pub fn yaml(value: &Json) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options)
        .expect("JSON values can be written as YAML");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Writes a scalar, or an empty collection, as it stands behind its key: one line.
#[must_use]
pub fn scalar(value: &Json) -> String {
    let text = yaml(&serde_json::json!({"k": value}));
    text.trim_end_matches('\n').trim_start_matches("k:").trim_start().to_owned()
}

/// What may stand in a comment: no end of the line, nothing that YAML forbids.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Writes JSON for people and programs, with a line end.
#[must_use]
pub fn json(value: &Json) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("JSON values can be written");
    text.push('\n');
    text
}

/// Writes one item of a [`list`], indented as it stands there.
#[must_use]
pub fn list_item(value: &Json) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON values can be written");
    let mut item = String::with_capacity(text.len() + text.len() / 4);
    for (index, line) in text.lines().enumerate() {
        item.push_str(if index == 0 { "    " } else { "\n    " });
        item.push_str(line);
    }
    item
}

/// Writes a List of items that were written by [`list_item`], with `,` and a line end between.
#[must_use]
pub fn list(items: &str) -> String {
    let items = if items.is_empty() { "[]".to_owned() } else { format!("[\n{items}\n  ]") };
    format!(
        "{{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"metadata\": {{}},\n  \"items\": {items}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::yaml;
    use crate::yaml::{SourceFile, parse};
    use proptest::prelude::*;

    #[test]
    fn what_readers_take_for_something_else_is_quoted() {
        let text = yaml(
            &serde_json::json!({"a": ["yes", "0777", "12:30", "1_000", "2024-01-01", "null"]}),
        );
        assert_eq!(
            text,
            "a:\n- \"yes\"\n- \"0777\"\n- \"12:30\"\n- \"1_000\"\n- \"2024-01-01\"\n- \"null\"\n"
        );
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[ -~\\n\\t\u{e9}\u{4e2d}]{0,120}") {
            let written = yaml(&serde_json::json!({"k": text, "l": [text]}));
            let document = parse(&SourceFile::new("t", written.as_str())).expect("YAML");
            let root = document.root.expect("a document");
            prop_assert_eq!(root.get("k").and_then(|node| node.as_str()), Some(text.as_str()), "{}", written);
        }
    }
}
