//! The reader of YAML: it ends, it is deterministic, and every place it names is in the text.

use kubectl_mage::yaml::{self, SourceFile};

use super::spans::{check_node, check_problem, check_span};

pub(crate) fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SourceFile::new("a.yaml", text);
    let lines = file.lines();
    let document = match yaml::parse(&file) {
        Ok(document) => document,
        Err(error) => {
            check_span(error.span, &lines);
            check_problem(&error.to_problem());
            assert_eq!(yaml::parse(&file).err(), Some(error));
            return;
        }
    };
    for twice in &document.warnings {
        check_span(twice.first, &lines);
        check_span(twice.second, &lines);
    }
    let Some(mut root) = document.root else { return };
    check_node(&root, &lines);
    // `nan` is not equal to itself, so that the values are compared as they print.
    let again = yaml::parse(&file).expect("it was read before").root.expect("it had a value");
    assert_eq!(format!("{root:?}"), format!("{again:?}"));
    let json = root.to_json().to_string();
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
    root.trim_strings();
}
