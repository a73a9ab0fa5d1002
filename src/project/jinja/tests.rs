use std::sync::Arc;

use super::{
    Lookup, LookupKind, Missing, Rendered, TemplateValues, UsedLookup, render, render_value,
};
use crate::yaml::{self, Node, SourceFile, Span};

fn values(missing: Missing) -> Arc<TemplateValues> {
    Arc::new(TemplateValues {
        env: [("A".to_owned(), "alpha".to_owned())].into(),
        variables: [("null".to_owned(), serde_json::Value::Null)].into(),
        secrets: [("s".to_owned(), "hush".to_owned())].into(),
        unset: missing,
        missing_secret: missing,
    })
}

fn fails(template: &str) -> String {
    let file = SourceFile::new("metadata.yaml", template);
    let errors = render(&file, &values(Missing::Error)).unwrap_err();
    let said: Vec<_> = errors
        .iter()
        .map(|error| format!("{} {}", place(error.span.unwrap()), error.to_problem(&file).message))
        .collect();
    said.join("\n")
}

fn text(template: &str, missing: Missing) -> String {
    render(&SourceFile::new("metadata.yaml", template), &values(missing)).unwrap().text
}

fn place(span: Span) -> String {
    let Span { start, end } = span;
    format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
}

#[test]
fn every_value_that_is_not_set_is_reported_where_it_is_printed() {
    let template = "\
a: {{ env_var('B') or 'fine' }}
b: x-{{ env_var('B') }}
c: {{ 'x' ~ variables('v') }} # {{ variables('null') }}
d: {{ mage_secret_var('t') }}{{ env_var('B') }}
";
    insta::assert_snapshot!(fails(template), @r"
    2:6-2:24 environment variable 'B' is not set
    3:4-3:30 variable 'v' is not set
    3:33-3:56 variable 'null' is not set
    4:4-4:30 Mage secret 't' is not set
    ");
    assert_eq!(text("{{ env_var('B') }}|{{ aws_secret_var('t') }}", Missing::Empty), "|");
    let printed =
        text("{{ env_var('B') }}{{ 'x' ~ aws_secret_var('a b:c') }}", Missing::Placeholder);
    assert_eq!(printed, "<env_var B>x<aws_secret_var a_b_c>");
}

#[test]
fn errors_of_jinja_have_their_place() {
    let templates = [
        "a: 1\nb: {{ no_such('x') }}\n",
        "a: 1\nb: {{ 'x' \nc: 2\n",
        "a: 1\n{% if true %}\nc: 2\n",
        "{{ json_value('{\"a\": []}', 'a[0]') }}",
    ];
    insta::assert_snapshot!(templates.map(fails).join("\n"), @r"
    2:4-2:22 the template cannot be rendered: unknown function: no_such is unknown
    3:1-3:2 the template cannot be rendered: syntax error: unexpected identifier, expected end of variable block
    2:14-3:5 the template cannot be rendered: syntax error: unexpected end of input, expected end of block
    1:1-1:38 the template cannot be rendered: invalid operation: json_value: there is no 'a[0]' in the value (path 'a[0]')
    ");
}

#[test]
fn lookups_are_told_with_their_place() {
    let template = "a: {{ env_var(\"A\") }}\nb: {{ mage_secret_var( 's' ) }}\nc: {{ env_var('NO', 'd') }}{{ env_var('A') }}\n";
    let file = SourceFile::new("metadata.yaml", template);
    let Rendered { lookups, .. } = render(&file, &values(Missing::Error)).unwrap();
    let told: Vec<_> = lookups
        .iter()
        .map(|used| format!("{} {} {}", used.lookup, used.found, place(used.span.unwrap())))
        .collect();
    assert_eq!(
        told,
        [
            "environment variable 'A' true 1:7-1:18",
            "Mage secret 's' true 2:7-2:27",
            "environment variable 'NO' true 3:7-3:19"
        ]
    );
}

#[test]
fn only_what_is_printed_without_a_value_is_missing() {
    let template = "{{ env_var('B', 'd') }}{{ env_var('C') or 'd' }}{% if env_var('D') %}{% endif %}{{ env_var('E', default='d') }}{{ env_var('F', 'd') }}{{ env_var('F') }}{{ mage_secret_var('t') | upper }}";
    let file = SourceFile::new("metadata.yaml", template);
    let rendered = render(&file, &values(Missing::Placeholder)).unwrap();
    assert_eq!(rendered.text, "ddd<env_var F><mage_secret_var T>".replacen("ddd", "dddd", 1));
    let missing = rendered.lookups.iter().filter(|used| !used.found);
    let missing: Vec<_> = missing.map(|used| used.lookup.to_string()).collect();
    assert_eq!(missing, ["environment variable 'F'", "Mage secret 'T'"]);
    let changed = "{{ env_var('F') | replace(':', '') }}";
    assert!(fails(changed).contains("a value that is not set is changed"), "{}", fails(changed));
}

#[test]
fn a_single_value_is_rendered_too() {
    let lookup = Lookup { kind: LookupKind::Env, name: "A".to_owned() };
    let used = vec![UsedLookup { lookup, found: true, span: None }];
    let rendered = render_value("k{{ env_var('A') }}", &values(Missing::Error)).unwrap();
    assert_eq!(rendered, ("kalpha".to_owned(), used));
    assert_eq!(render_value("plain", &values(Missing::Error)).unwrap().0, "plain");
    let errors = render_value("{{ env_var('B') }}", &values(Missing::Error)).unwrap_err();
    assert_eq!(errors[0].to_string(), "environment variable 'B' is not set");
}

fn load(template: &str) -> Node {
    let file = SourceFile::new("metadata.yaml", template);
    let rendered = render(&file, &values(Missing::Error)).unwrap();
    yaml::parse_mapped(&rendered.text, &rendered.map, &file).unwrap().root.unwrap()
}

#[test]
fn yaml_out_of_a_template_knows_its_lines() {
    let template = "\
{# a comment
   of two lines -#}
top: 'x-{{ env_var('A') }}'
{% if env_var('A') == 'alpha' %}
limits:
  cpu: {{ 2 + 2 }}
{% else %}
limits: {}
{% endif %}
items:
{% for name in ['one', 'two'] %}
  - name: {{ name }}
    fixed: 7
{% endfor %}
last: é # end
";
    let root = load(template);
    let written = |node: &Node| (node.span.start.line, &template[node.span.bytes()]);
    let top = root.get("top").unwrap();
    assert_eq!(top.as_str(), Some("x-alpha"));
    assert_eq!(written(top), (3, "'x-{{ env_var('A') }}'"));
    assert_eq!(top.expression.as_deref(), Some("{{ env_var('A') }}"));
    let cpu = root.get("limits").unwrap().get("cpu").unwrap();
    assert_eq!((written(cpu), cpu.to_text()), ((6, "{{ 2 + 2 }}"), "4".to_owned()));
    let items = root.get("items").unwrap().as_sequence().unwrap();
    for (item, name) in items.iter().zip(["one", "two"]) {
        assert_eq!(item.get("name").unwrap().as_str(), Some(name));
        assert_eq!(written(item.get("name").unwrap()), (12, "{{ name }}"));
        assert_eq!(written(item.get("fixed").unwrap()), (13, "7"));
        assert_eq!(item.get("fixed").unwrap().expression, None);
    }
    assert_eq!(written(root.get("last").unwrap()), (15, "é"));
    assert_eq!(root.expression, None);
}
