//! YAML against `PyYAML`: a fixture it dumped once, and itself where Python is at hand.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use kubectl_mage::yaml::{self, Node, SourceFile, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

/// The form in which `fixtures/yaml/dump.py` writes values.
fn tagged(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(number) => json!({ "int": number.as_str() }),
        Value::Float(number) if number.is_nan() => json!({ "float": "nan" }),
        Value::Float(number) => json!({ "float": format!("{:016x}", number.to_bits()) }),
        Value::String(text) => json!(text),
        Value::Timestamp(text) => json!({ "time": text }),
        Value::Binary(bytes) => {
            json!({ "bytes": bytes.iter().map(|b| format!("{b:02x}")).collect::<String>() })
        }
        Value::Sequence(items) => items.iter().map(tagged).collect(),
        Value::Mapping(mapping) => {
            let pair = |entry: &yaml::Entry| json!([tagged(&entry.key), tagged(&entry.value)]);
            json!({ "map": mapping.entries.iter().map(pair).collect::<Vec<_>>() })
        }
    }
}

fn ours(text: &str) -> Result<Json, String> {
    match yaml::parse(&SourceFile::new("a.yaml", text)) {
        Ok(document) => Ok(document.root.as_ref().map_or(Json::Null, tagged)),
        Err(error) => {
            Err(format!("{}:{}: {error}", error.span.start.line, error.span.start.column))
        }
    }
}

/// Texts that Python loads and this program refuses, on purpose: values that contain themselves.
fn is_refused_on_purpose(error: &str) -> bool {
    error.contains("contains itself")
}

fn difference(text: &str, theirs: &Json) -> Option<String> {
    let same = match (ours(text), theirs.get("value")) {
        (Ok(value), Some(expected)) => value == *expected,
        (Err(_), None) => true,
        (Err(error), Some(_)) => is_refused_on_purpose(&error),
        (Ok(_), None) => false,
    };
    (!same).then(|| format!("{text:?}\n  ours   {:?}\n  theirs {theirs}", ours(text)))
}

#[test]
fn equals_what_pyyaml_dumped() {
    let fixture: Json = serde_json::from_str(include_str!("../fixtures/yaml/pyyaml.json")).unwrap();
    let rows = fixture["rows"].as_array().unwrap();
    assert!(rows.len() > 800, "{} rows", rows.len());
    let differences: Vec<_> =
        rows.iter().filter_map(|row| difference(row["text"].as_str().unwrap(), row)).collect();
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}
