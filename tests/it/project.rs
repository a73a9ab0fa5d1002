//! Projects: templates against Jinja2, and the projects of the vectors.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail")]

use std::sync::Arc;

use kubectl_mage::project::jinja::{Missing, TemplateValues, render};
use kubectl_mage::yaml::{PieceSource, SourceFile, SourceMap};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use crate::python::Python;

fn fixture() -> Json {
    serde_json::from_str(include_str!("../fixtures/project/jinja.json")).unwrap()
}

/// The values of `fixtures/project/jinja.py`.
fn values() -> Arc<TemplateValues> {
    let fixture = fixture();
    let secrets = [("x".to_owned(), "secret of x".to_owned())].into();
    Arc::new(TemplateValues {
        env: serde_json::from_value(fixture["env"].clone()).unwrap(),
        variables: serde_json::from_value(fixture["variables"].clone()).unwrap(),
        secrets,
        unset: Missing::Error,
        missing_secret: Missing::Error,
    })
}

fn ours(template: &str) -> Result<String, String> {
    let file = SourceFile::new("metadata.yaml", template);
    match render(&file, &values()) {
        Ok(rendered) => {
            check_map(&rendered.text, template, &rendered.map);
            Ok(rendered.text)
        }
        Err(errors) => {
            assert!(errors.iter().all(|error| error.span.is_some()), "{template:?}: {errors:?}");
            Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    }
}

/// Every byte has its source, literal text is the same there, and an expression is one.
fn check_map(text: &str, template: &str, map: &SourceMap) {
    let SourceMap::Pieces(pieces) = map else {
        assert_eq!(*map, SourceMap::Identity, "{template:?}");
        return;
    };
    let mut end = 0;
    for piece in pieces {
        assert_eq!(piece.rendered.start, end);
        end = piece.rendered.end;
        let rendered = &text[piece.rendered.clone()];
        match &piece.source {
            PieceSource::Literal(at) => assert!(template[*at..].starts_with(rendered)),
            PieceSource::Expression(range) => {
                let source = &template[range.clone()];
                let is_printed = source.starts_with("{{") && source.ends_with("}}");
                let is_block = source.starts_with("{%") && source.ends_with("%}");
                assert!(is_printed || is_block, "{template:?}: {source:?}");
            }
        }
    }
    assert_eq!(end, text.len());
}

fn difference(template: &str, theirs: &Json) -> Option<String> {
    let ours = ours(template);
    // Jinja2 makes every line break `\n`; here they stay, and YAML takes them for the same.
    let same = match (&ours, theirs["text"].as_str()) {
        (Ok(text), Some(expected)) => text.replace("\r\n", "\n") == expected,
        (Err(_), None) => true,
        // Jinja2 takes a `{% raw %}` that ends with the file for an empty one.
        (Err(error), Some(_)) => error.contains("unexpected end of raw block"),
        (Ok(_), None) => false,
    };
    (!same).then(|| format!("{template:?}\n  ours   {ours:?}\n  theirs {theirs}"))
}

#[test]
fn renders_what_jinja2_rendered() {
    let fixture = fixture();
    let rows = fixture["rows"].as_array().unwrap();
    assert!(rows.len() > 70);
    let differences: Vec<_> =
        rows.iter().filter_map(|row| difference(row["template"].as_str().unwrap(), row)).collect();
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

/// Templates as people write them into a project file, in an order that makes no sense.
fn soup() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "a: ",
        "b",
        "\n",
        "\n",
        "  ",
        " ",
        "\t",
        "# ",
        "é",
        "😀",
        "{",
        "}",
        "'",
        "\"",
        "%",
        "-",
        "{{ env_var('A') }}",
        "{{ env_var(\"B\") }}",
        "{{- env_var('A') -}}",
        "{{ env_var('A') -}}",
        "{{env_var('A')}}",
        "{{ env_var('NO', 'x') }}",
        "{{ variables('n') }}",
        "{{ variables('l') }}",
        "{{ variables('d')['k'] }}",
        "{{ env_var('NO') or 'x' }}",
        "{{ json_value(env_var('J'), 'a.b[0]') }}",
        "{{ '}}' }}",
        "{{ '{%' }}",
        "{{ {'a': 1}['a'] }}",
        "{{ x }}",
        "{{ x | upper }}",
        "{{ f('y') }}",
        "{{ mage_secret_var('x') }}",
        "{{ env_var('A') | upper }}",
        "{{ true }}",
        "{{ none }}",
        "{{\n1\n}}",
        "{% if env_var('A') %}",
        "{%- if true -%}",
        "{% if false %}",
        "{% elif true %}",
        "{% else %}",
        "{%- else -%}",
        "{% endif %}",
        "{%- endif %}",
        "{% endif -%}",
        "{% for x in [1, 'q'] %}",
        "{%- for x in [] -%}",
        "{% endfor %}",
        "{%- endfor -%}",
        "{% set x = 'v' %}",
        "{% set x %}",
        "{% endset %}",
        "{% macro f(a) %}",
        "{{ a }}",
        "{% endmacro %}",
        "{% raw %}",
        "{% endraw %}",
        "{%- raw -%}",
        "{%- endraw -%}",
        "{# c #}",
        "{#- c -#}",
        "{# {{ #}",
        "{% filter upper %}",
        "{% endfilter %}",
    ];
    vec(select(WORDS), 1..14).prop_map(|words| words.concat())
}

/// Balanced ones, so that most render.
fn nested() -> impl Strategy<Value = String> {
    let leaf = select(
        &[
            "a: 1\n",
            "x ",
            "\n  ",
            "{{ env_var('A') }}",
            "{{- x -}}",
            "{{ x | upper }}",
            "{# c -#}",
            " {{ variables('n') }}\n",
            "{{ '%}' }}",
            "{% raw %}{{ r }}{% endraw %}",
            "{{ loop.index }}",
            "é\t",
        ][..],
    )
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let body = vec(inner, 0..4).prop_map(|parts| parts.concat());
        (body, 0..7_usize, select(&["", "-"][..]), select(&["", "-"][..])).prop_map(
            |(body, kind, left, right)| {
                let (open, close) = [
                    ("if env_var('ENV') == 'prod'", "endif"),
                    ("if not env_var('NO')", "endif"),
                    ("for x in variables('l')", "endfor"),
                    ("set x", "endset"),
                    ("filter lower", "endfilter"),
                    ("macro f(x)", "endmacro"),
                    ("if false", "endif"),
                ][kind];
                let after = if kind == 5 { "{{ f('arg') }}" } else { "" };
                format!("{{%{left} {open} {right}%}}{body}{{%{right} {close} {left}%}}{after}")
            },
        )
    })
}

#[test]
fn equals_jinja2_on_generated_templates() {
    let Some(mut python) = Python::start("jinja2", "tests/fixtures/project/jinja.py") else {
        return;
    };
    let count = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let mut runner = TestRunner::deterministic();
    let strategy = prop_oneof![soup(), vec(nested(), 1..4).prop_map(|parts| parts.concat())];
    let templates: Vec<String> =
        (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let answers = python.ask_all(templates.iter().map(|template| json!(template)));
    let rendered = answers.iter().filter(|answer| answer.get("text").is_some()).count();
    println!("{count} templates, {rendered} of which Jinja2 renders");
    let mut differences: Vec<_> =
        templates.iter().zip(&answers).filter_map(|(t, answer)| difference(t, answer)).collect();
    differences.sort_by_key(String::len);
    let shown = differences[..differences.len().min(10)].join("\n");
    assert!(differences.is_empty(), "{} differences\n{shown}", differences.len());
}
