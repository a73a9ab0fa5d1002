//! YAML against `PyYAML`: a fixture it dumped once, and itself where Python is at hand.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail and speak as one")]

use std::fmt::Write as _;
use std::panic::catch_unwind;

use kubectl_mage::yaml::{self, Node, SourceFile, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use crate::python::Python;

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
            let mut digits = String::new();
            for byte in bytes {
                write!(digits, "{byte:02x}").unwrap();
            }
            json!({ "bytes": digits })
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

fn fixture() -> Vec<Json> {
    let fixture: Json = serde_json::from_str(include_str!("../fixtures/yaml/pyyaml.json")).unwrap();
    fixture["rows"].as_array().unwrap().clone()
}

#[test]
fn equals_what_pyyaml_dumped() {
    let rows = fixture();
    assert!(rows.len() > 800, "{} rows", rows.len());
    let differences: Vec<_> =
        rows.iter().filter_map(|row| difference(row["text"].as_str().unwrap(), row)).collect();
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

/// Texts made of what YAML is made of, in no order that makes sense.
fn soup() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "a",
        "b",
        "c",
        ": ",
        ":",
        "- ",
        "-",
        "? ",
        "?",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "\n  - ",
        "  ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ",",
        "&x ",
        "&y ",
        "*x",
        "*y ",
        "<<",
        "<<: ",
        "<<: *x\n",
        "!!str ",
        "!!int ",
        "!!str",
        "! ",
        "!t ",
        "'",
        "''",
        "\"",
        "\\",
        "\\n",
        "|",
        "|\n",
        "|-\n  ",
        "|+\n ",
        ">\n  ",
        ">",
        "|2\n",
        " #c",
        "#",
        "~",
        "1",
        "0x1F",
        "12:30",
        "1.5",
        "yes",
        "no",
        "=",
        "\t",
        "\r\n",
        "\r",
        "\u{85}",
        "\u{2028}",
        "é",
        "😀",
        "\u{feff}",
        "---",
        "---\n",
        "...\n",
        "\n---\n",
        "%YAML 1.1\n",
        "@",
        "`",
        "%",
        "!",
        "a: 1\n",
        "b: 2\n",
        "a: &x {b: 1}\n",
        "'q'",
        "\"q\"",
        "2024-01-01",
        "a: ",
        "b: ",
        "{a: 1}",
        "[1, 2]",
    ];
    vec(select(WORDS), 1..24).prop_map(|words| words.concat())
}

/// Plain scalars around numbers, dates and booleans.
fn plain() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+]?[0-9][0-9_]{0,4}(:[0-9]{1,2}){0,2}(\\.[0-9_]{0,3})?([eE][-+]?[0-9]{0,2})?",
        "[-+]?0[box]?[0-9a-fA-F_]{0,5}",
        "[-+]?\\.?([0-9_]{0,3}|inf|nan|Inf|NaN|INF|NAN)([eE][-+]?[0-9]{0,2})?",
        "[0-9]{4}-[0-1]?[0-9]-[0-3]?[0-9]([Tt]| {1,2})[0-2]?[0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,7})?( ?(Z|[-+][0-2]?[0-9](:?[0-6][0-9])?))?",
        "(19|20)[0-9]{2}-[0-1]?[0-9]-[0-3]?[0-9]",
        "[-+.:_0-9eExob]{1,8}",
        "[yYnN~=<][eEoOsSlLuU<]{0,3}",
    ]
}

/// Documents that mostly load: nested collections in both styles, with anchors and merges.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        plain(),
        "[a-c]( [a-c]){0,2}",
        "'[a-c #:]{0,4}'",
        "\"[a-c #:é]{0,3}(\\\\n|\\\\t|\\\\x41)?\"",
        select(&["*x", "*y", "&x a", "&y {a: 1, b: 2}", "!!str 1", "", "{}", "[]", "~"][..])
            .prop_map(str::to_owned),
    ];
    let flow = scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            vec((key(), inner), 0..3).prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    });
    let value = prop_oneof![
        4 => flow.prop_map(|text| format!(" {text}\n")),
        1 => "(\\|[-+]?|>[-+]?)( #c)?\n {1,3}[a-c]( [a-c]){0,2}\n(\n| {0,4}[a-c]?\n){0,2}".prop_map(|t| format!(" {t}")),
    ];
    let block = vec((key(), value), 1..4).prop_map(|entries| {
        let lines: Vec<_> = entries.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        lines.concat()
    });
    let nested = block.prop_recursive(3, 12, 3, |inner| {
        vec((key(), inner, select(&["", "&x", "&y"][..]), any::<bool>()), 1..3).prop_map(
            |entries| {
                let entry = |(key, inner, anchor, list): (String, String, &str, bool)| {
                    let lines: Vec<_> = inner.lines().map(|line| format!("  {line}\n")).collect();
                    let mut lines = lines.concat();
                    if list {
                        lines.replace_range(0..2, "- ");
                    }
                    format!("{key}: {anchor}\n{lines}")
                };
                entries.into_iter().map(entry).collect::<String>()
            },
        )
    });
    (nested, select(&["\n", "\r\n", "\u{85}"][..]))
        .prop_map(|(text, line_break)| text.replace('\n', line_break))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-d]",
        1 => select(&["<<", "1", "yes", "1.0", "'a'", "\"b\"", "=", "~", "*x", "&y a"][..])
            .prop_map(str::to_owned),
    ]
}

/// Deterministic, so that a failure comes again; `PROPTEST_CASES` asks for more than 4000.
fn generated() -> Vec<String> {
    let count = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4000);
    let mut runner = TestRunner::deterministic();
    let strategy = prop_oneof![soup(), plain(), document()];
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn equals_pyyaml_on_generated_texts() {
    let Some(mut python) = Python::start("yaml", "tests/fixtures/yaml/dump.py") else { return };
    let texts = generated();
    let answers = python.ask_all(texts.iter().map(|text| json!(text)));
    let loaded = answers.iter().filter(|answer| answer.get("value").is_some()).count();
    let mut differences: Vec<_> =
        texts.iter().zip(&answers).filter_map(|(text, answer)| difference(text, answer)).collect();
    differences.sort_by_key(String::len);
    println!("{} texts, {loaded} of which PyYAML loads", texts.len());
    let shown = differences[..differences.len().min(10)].join("\n");
    assert!(differences.is_empty(), "{} differences\n{shown}", differences.len());
}

/// For a folder of files at hand: `KUBECTL_MAGE_TEST_YAML` names it.
#[test]
fn equals_pyyaml_on_a_folder_of_files() {
    let Some(folder) = std::env::var_os("KUBECTL_MAGE_TEST_YAML") else { return };
    let Some(mut python) = Python::start("yaml", "tests/fixtures/yaml/dump.py") else { return };
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<String> = paths.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let answers = python.ask_all(texts.iter().map(|text| json!(text)));
    let loaded = answers.iter().filter(|answer| answer.get("value").is_some()).count();
    println!("{} files, {loaded} of which PyYAML loads", texts.len());
    let differences: Vec<_> =
        texts.iter().zip(&answers).filter_map(|(text, answer)| difference(text, answer)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn never_panics() {
    for text in generated() {
        assert!(catch_unwind(|| ours(&text)).is_ok(), "{text:?}");
    }
}

/// Calls `see` with every scalar, keys included, that is written where it stands.
fn scalars<'a>(node: &'a Node, see: &mut dyn FnMut(&'a Node)) {
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| scalars(item, see)),
        Value::Mapping(mapping) => {
            for entry in &mapping.entries {
                scalars(&entry.key, see);
                scalars(&entry.value, see);
            }
        }
        _ => see(node),
    }
}

#[test]
fn the_bytes_of_a_scalar_give_its_value() {
    let mut seen = 0;
    let fixture = fixture().into_iter().map(|row| row["text"].as_str().unwrap().to_owned());
    for text in fixture.chain(generated()) {
        let Ok(document) = yaml::parse(&SourceFile::new("a.yaml", text.as_str())) else { continue };
        let Some(root) = &document.root else { continue };
        scalars(root, &mut |node| {
            let written = &text[node.span.bytes()];
            let lines = document.file.lines();
            assert_eq!(lines.position(node.span.bytes().start), node.span.start, "{text:?}");
            // A tag is no part of the span, `|2` counts from the indentation around it, and `=` is a
            // string only as a key.
            let indented = written.starts_with(['|', '>'])
                && written[1..].starts_with(|c: char| c.is_ascii_digit());
            if text.contains('!') || indented || written == "=" {
                return;
            }
            // Behind a blank, because `...` ends a document where it starts a line; or in brackets,
            // because `-` is a string only there; or as a key, because `:` is.
            let value = tagged(node);
            let block = ours(&format!(" {written}"));
            let flow = ours(&format!("[{written}]"));
            let key = ours(&format!("{written}: "));
            let same = block.as_ref().is_ok_and(|alone| same_key(alone, &value))
                || flow.is_ok_and(|alone| alone == json!([value]))
                || key.is_ok_and(|alone| alone == json!({ "map": [[value, null]] }));
            assert!(same, "{text:?}: {written:?} is {block:?}, not {value:?}");
            seen += 1;
        });
    }
    assert!(seen > 5000, "{seen}");
}

/// Where a mapping overrides a merged key with an equal one of another type (`1`, `yes`), the key is
/// the merged one and its place the other's.
fn same_key(one: &Json, other: &Json) -> bool {
    one == other || (!one.is_string() && !other.is_string() && !one.is_null() && !other.is_null())
}
