//! The table of what Mage's YAML means, and where things stand. More, against `PyYAML` itself, in
//! `tests/it/yaml.rs`.

use std::sync::Arc;

use super::{
    Document, Node, Piece, PieceSource, SourceFile, SourceMap, Span, Value, YamlError, parse,
    parse_mapped,
};

fn load(text: &str) -> Document {
    parse(&SourceFile::new("a.yaml", text)).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn root(text: &str) -> Node {
    load(text).root.unwrap_or_else(|| panic!("{text:?} is empty"))
}

fn fails(text: &str) -> YamlError {
    match parse(&SourceFile::new("a.yaml", text)) {
        Ok(document) => panic!("{text:?} is {:?}", document.root),
        Err(error) => error,
    }
}

/// The value in Rust's notation, short enough for a table.
fn short(node: &Node) -> String {
    match &node.value {
        Value::String(text) => format!("{text:?}"),
        Value::Timestamp(text) => format!("@{text}"),
        Value::Sequence(items) => {
            format!("[{}]", items.iter().map(short).collect::<Vec<_>>().join(", "))
        }
        Value::Mapping(mapping) => {
            let entry =
                |entry: &super::Entry| format!("{}: {}", short(&entry.key), short(&entry.value));
            format!("{{{}}}", mapping.entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        _ => node.to_text(),
    }
}

fn is(pairs: &[(&str, &str)]) {
    for (text, expected) in pairs {
        assert_eq!(short(&root(text)), *expected, "{text:?}");
    }
}

fn are_strings(texts: &str) {
    for text in texts.split_whitespace() {
        assert_eq!(root(text).value, Value::String(text.to_owned()));
    }
}

/// Says it as `line:column-line:column`.
fn place(span: Span) -> String {
    let Span { start, end } = span;
    format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
}

#[test]
fn booleans_and_null() {
    for word in ["yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"] {
        assert_eq!(root(word).value, Value::Bool(true), "{word}");
    }
    for word in ["no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"] {
        assert_eq!(root(word).value, Value::Bool(false), "{word}");
    }
    for word in ["~", "null", "Null", "NULL", "---", "!!null x", "!!null"] {
        assert_eq!(root(word).value, Value::Null, "{word}");
    }
    are_strings("y n N yEs tRue nULL oN");
}

#[test]
fn integers() {
    is(&[
        ("0777", "511"),
        ("00", "0"),
        ("0b101", "5"),
        ("0x1F", "31"),
        ("1_000", "1000"),
        ("1__0", "10"),
        ("+1", "1"),
        ("12:30", "750"),
        ("1:30:45", "5445"),
        ("190:20:30", "685230"),
        ("-0777", "-511"),
        ("-12:30", "-750"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0xffffffffffffffffffff", "1208925819614629174706175"),
        ("!!int '7'", "7"),
    ]);
    are_strings("0o777 08 0x _1 1:99 0:30 09:30");
    assert_eq!(fails("0x_").to_string(), "cannot read '0x_' as !!int");
    assert_eq!(fails("a: 0b_").span.start.column, 4);
}

#[test]
fn floats_and_dates() {
    is(&[
        ("1.", "1.0"),
        (".5", "0.5"),
        ("1.0e+3", "1000.0"),
        ("12:30.5", "750.5"),
        ("-.inf", "-inf"),
        (".nan", "nan"),
        ("2024-01-01", "@2024-01-01"),
        ("2024-01-01 1:02:03.5 -5:30", "@2024-01-01T01:02:03.500000-05:30"),
        ("{2024-01-01: a}", "{@2024-01-01: \"a\"}"),
    ]);
    are_strings("1e3 1e+3 1.0e3 1e-3 +.5 +.nan 2024-1-1 100m 1Gi 0.1.2");
    assert_eq!(fails("2024-02-30").to_string(), "cannot read '2024-02-30' as !!timestamp");
}

#[test]
fn tags() {
    is(&[
        ("!!str yes", "\"yes\""),
        ("! 12", "12"),
        ("[!!str, a]", "[\"\", \"a\"]"),
        ("['x !y,z', !!str, 'a !b, c']", "[\"x !y,z\", \"\", \"a !b, c\"]"),
        ("!!set {a, b}", "{\"a\": null, \"b\": null}".replace("null", "None").as_str()),
        ("!!omap [{a: 1}, {b: 2}]", "[[\"a\", 1], [\"b\", 2]]"),
        ("!!pairs [{a: 1}, {a: 2}]", "[[\"a\", 1], [\"a\", 2]]"),
    ]);
    assert_eq!(root("!!binary aGk=").value, Value::Binary(b"hi".to_vec()));
    let texts = [
        "!mine a",
        "!!mine a",
        "!!python/object/apply:os.system [ls]",
        "a: =",
        "[<<]",
        "!!seq {a: 1}",
        "!!int x",
    ];
    insta::assert_snapshot!(texts.map(|text| fails(text).to_string()).join("\n"), @r"
    could not determine a constructor for the tag '!mine'
    could not determine a constructor for the tag '!!mine'
    the tag '!!python/object/apply:os.system' runs Python code and is refused
    could not determine a constructor for the tag '!!value'
    could not determine a constructor for the tag '!!merge'
    expected a list for the tag '!!seq', but found a mapping
    cannot read 'x' as !!int
    ");
}

#[test]
fn grammar() {
    is(&[
        ("{a:1}", "{\"a:1\": None}"),
        ("{\"a\":1}", "{\"a\": 1}"),
        ("%YAML 1.2\n---\nyes", "True"),
        ("a: |\n  b\n  c", "{\"a\": \"b\\nc\"}"),
        ("a: |\n  b\n", "{\"a\": \"b\\n\"}"),
        ("{=: 1}", "{\"=\": 1}"),
    ]);
    for empty in ["", "\n", "# only a comment\n", "\u{feff}"] {
        assert_eq!(load(empty).root, None, "{empty:?}");
    }
    let texts = [
        "a: 1\n---\nb: 2",
        "a:\n\tb: 1",
        "{a: 1",
        "a: [1, 2\nb: 3",
        "[a]: 1",
        "{a: 1}: 2",
        "a: *x",
        "a: &x 1\nb: &x 2",
        "a: @b",
        "a: \u{7}",
        "a: 'b",
    ];
    let said = texts.map(|text| {
        let error = fails(text);
        format!("{} {error}", place(error.span))
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    3:1-3:1 expected a single document, but found another document
    2:1-2:2 found character that cannot start any token (a tab; indent with spaces)
    1:6-1:6 did not find expected ',' or '}', while parsing a flow mapping that starts in line 1
    2:2-2:3 did not find expected ',' or ']' (':'), while parsing a flow sequence that starts in line 1
    1:1-1:4 found unhashable key (a list)
    1:1-1:7 found unhashable key (a mapping)
    1:4-1:6 found undefined alias 'x'
    2:4-2:6 found duplicate anchor 'x', first in line 1
    1:4-1:5 found character that cannot start any token ('@')
    1:4-1:5 control characters are not allowed (U+0007)
    1:6-1:6 found unexpected end of stream, while scanning a quoted scalar that starts in line 1
    ");
}

#[test]
fn equal_keys_are_one_and_are_told() {
    let document = load("1: a\nyes: b\nx: {k: 1, k: 2, k: 3}\n");
    assert_eq!(short(document.root.as_ref().unwrap()), "{1: \"b\", \"x\": {\"k\": 3}}");
    let warnings = document.warnings.iter().map(|warning| {
        format!("{} {} {}", warning.key, place(warning.first), place(warning.second))
    });
    let warnings: Vec<_> = warnings.collect();
    assert_eq!(warnings, ["True 1:1-1:2 2:1-2:4", "k 3:5-3:6 3:11-3:12", "k 3:5-3:6 3:17-3:18"]);
    let merged = load("a: &a {x: 1, x: 2}\nb: {<<: *a, x: 3}\nc: *a\n");
    assert_eq!(merged.warnings.len(), 1, "neither a merge nor an alias repeats it");
}

#[test]
fn merges() {
    is(&[
        (
            "- &a {x: 1, y: 2}\n- {y: 3, <<: *a, z: 4}",
            "[{\"x\": 1, \"y\": 2}, {\"x\": 1, \"y\": 3, \"z\": 4}]",
        ),
        ("{<<: [{a: 1}, {a: 2, b: 3}], c: 4}", "{\"a\": 1, \"b\": 3, \"c\": 4}"),
        ("{<<: {a: 1}, <<: {a: 2, b: 3}}", "{\"a\": 2, \"b\": 3}"),
        ("{\"<<\": {a: 1}}", "{\"<<\": {\"a\": 1}}"),
        ("&a {<<: *a, b: 1}", "{\"b\": 1}"),
    ]);
    for text in ["{<<: a}", "{<<: [a]}", "{<<: }"] {
        assert!(fails(text).to_string().starts_with("expected a mapping or list"), "{text}");
    }
}

#[test]
fn an_alias_tells_both_places() {
    let text =
        "base: &base\n  cpu: 1\n  labels: {a: b}\nuse:\n  <<: *base\n  memory: 2\nall: *base\n";
    let root = root(text);
    let cpu = root.get("use").unwrap().get("cpu").unwrap();
    assert_eq!((place(cpu.span), place(cpu.alias.unwrap())), ("2:8-2:9".into(), "5:7-5:12".into()));
    let inner = root.get("use").unwrap().get("labels").unwrap().get("a").unwrap();
    assert_eq!(place(inner.alias.unwrap()), "5:7-5:12");
    assert_eq!(root.get("use").unwrap().get("memory").unwrap().alias, None);
    let all = root.get("all").unwrap();
    assert_eq!(
        (place(all.span), place(all.alias.unwrap())),
        ("2:3-3:17".into(), "7:6-7:11".into())
    );
    assert_eq!(root.get("base").unwrap().alias, None);
}

#[test]
fn spans_leave_out_anchors_tags_and_what_follows() {
    let text =
        "a: &x !!str 'q'\nb: !!map # c\n  k: |\n    text\n\n# end\nc: [1, {d: }] # d\ne:\n- f\n";
    let root = root(text);
    let span = |key: &str| {
        let span = root.get(key).unwrap().span;
        &text[span.bytes()]
    };
    assert_eq!(span("a"), "'q'");
    assert_eq!(span("b"), "k: |\n    text\n\n");
    assert_eq!(span("c"), "[1, {d: }]");
    assert_eq!(span("e"), "- f");
    let empty = root.get("c").unwrap().as_sequence().unwrap()[1].get("d").unwrap();
    assert_eq!(place(empty.span), "7:12-7:12");
}

#[test]
fn places_are_right_behind_every_line_break_and_wide_character() {
    for line_break in ["\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"] {
        let text =
            format!("\u{feff}é: 日本{line_break}# 😀{line_break}b: '😀' # x{line_break}c: d");
        let root = root(&text);
        let b = root.get("b").unwrap().span;
        assert_eq!(place(b), "3:4-3:7", "{line_break:?}");
        assert_eq!(&text[b.bytes()], "'😀'");
        assert_eq!(place(root.get("é").unwrap().span), "1:4-1:6");
    }
}

#[test]
fn what_grows_without_end_is_refused() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        let ten = vec![format!("*a{below}"); 10].join(", ");
        laughs = format!("{laughs}a{level}: &a{level} [{ten}]\n");
        merges = format!("{merges}a{level}: &a{level} {{<<: [{ten}]}}\n");
    }
    assert_eq!(fails(&laughs).to_string(), "aliases expand to too large a value");
    assert_eq!(fails(&merges).to_string(), "aliases expand to too large a value");
    assert_eq!(fails("a: &a [1, *a]").to_string(), "found an alias that contains itself");
    assert_eq!(place(fails("a: &a\n  b: *a").span), "2:6-2:8");
    let deep = "[".repeat(100_000);
    assert!(parse(&SourceFile::new("a", deep)).is_err());
    let deep = "- ".repeat(200) + "a";
    assert_eq!(fails(&deep).to_string(), "nested deeper than 128 levels");
    let chain = (1..5000).fold("r:\n- &a0 {x: 1}\n".to_owned(), |text, level| {
        text + &format!("- &a{level} {{<<: *a{}}}\n", level - 1)
    });
    load(&chain);
    assert_eq!(fails(&(chain + "<<: *a4999\n")).to_string(), "nested deeper than 128 levels");
}

#[test]
fn a_rendered_text_keeps_the_places_of_its_template() {
    let template = "a: {{ one }}\nb: 'x-{{ two }}-y'\n";
    let file = SourceFile::new("metadata.yaml", template);
    let piece = |rendered, source| Piece { rendered, source };
    let map = SourceMap::Pieces(vec![
        piece(0..3, PieceSource::Literal(0)),
        piece(3..10, PieceSource::Expression(3..12)),
        piece(10..17, PieceSource::Literal(12)),
        piece(17..18, PieceSource::Expression(19..28)),
        piece(18..22, PieceSource::Literal(28)),
    ]);
    let root = parse_mapped("a: {c: 12}\nb: 'x-2-y'\n", &map, &file).unwrap().root.unwrap();
    let c = root.get("a").unwrap().get("c").unwrap();
    assert_eq!((place(c.span), c.expression.as_deref()), ("1:4-1:13".into(), Some("{{ one }}")));
    assert_eq!(root.get("a").unwrap().expression.as_deref(), Some("{{ one }}"));
    let b = root.get("b").unwrap();
    assert_eq!(&template[b.span.bytes()], "'x-{{ two }}-y'");
    assert_eq!((b.as_str(), b.expression.as_deref()), (Some("x-2-y"), Some("{{ two }}")));
    assert_eq!(root.expression, None);

    let rendered = SourceFile::new("metadata.yaml (rendered)", "a: [");
    let map = SourceMap::Rendered(Arc::clone(&rendered));
    let error = parse_mapped("a: [", &map, &file).unwrap_err();
    assert_eq!(error.to_problem().place.unwrap().file, rendered);
}

#[test]
fn strings_are_trimmed_as_python_does() {
    let mut node = root("a: \"b \\n\\x1f\\_\"\n' k ': [' c ', d]\n");
    node.trim_strings();
    assert_eq!(short(&node), "{\"a\": \"b\", \" k \": [\" c\", \"d\"]}");
}
