//! Where a value stands, told exactly: in every way of writing YAML, with Jinja around it, in lists
//! that several layers give. The place is marked in the text, `«value»`; the marks are taken out
//! before the text is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value as Json;

use crate::explained::{Leaves, at, container, explained, leaves, place, rendered, values};
use crate::support::TempProject;

/// A text whose marks have been taken out.
struct Marked {
    text: String,
    places: Vec<Mark>,
}

struct Mark {
    line: u64,
    column: u64,
    bytes: Range<usize>,
}

impl Marked {
    fn new(marked: &str) -> Self {
        let (mut text, mut places) = (String::new(), Vec::new());
        for c in marked.chars() {
            match c {
                '«' => {
                    let (line, column) = line_and_column(&text);
                    places.push(Mark { line, column, bytes: text.len()..0 });
                }
                '»' => places.last_mut().expect("an opening mark").bytes.end = text.len(),
                c => text.push(c),
            }
        }
        Self { text, places }
    }
}

/// Counts lines by every break of YAML, and columns in characters, a byte order mark not counted.
fn line_and_column(before: &str) -> (u64, u64) {
    let before = before.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let is_break = |c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let lines = before.chars().filter(|c| is_break(*c)).count();
    let last = before.rsplit(is_break).next().unwrap_or_default();
    (lines as u64 + 1, last.chars().count() as u64 + 1)
}

const PIPELINE: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\nvariables: {tier: gold, n: 4}\n";

const SCHEDULER: &str = ".spec.template.spec.schedulerName";
const BACKOFF: &str = ".spec.backoffLimit";

/// Project files and the paths whose values are marked in them, in the order of the marks.
fn written() -> Vec<(&'static str, String, Vec<String>)> {
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let both = || paths(&[BACKOFF, SCHEDULER]);
    let block = "k8s_executor_config:\n  job:\n    backoff_limit: «3»\n  pod:\n    scheduler_name: «'volcano'»\n";
    let mut cases = vec![
        ("block style", block.to_owned(), both()),
        ("CRLF", block.replace('\n', "\r\n"), both()),
        ("CR", block.replace('\n', "\r"), both()),
        ("a byte order mark", format!("\u{feff}{block}"), both()),
        ("LS and NEL", format!("# a\u{2028}# b\u{85}{block}"), both()),
        ("no line end", block.trim_end().to_owned(), both()),
        ("deep and uneven indentation", block.replace("  ", "       "), both()),
        ("a document's start and end", format!("---\n{block}...\n"), both()),
        ("directives", format!("%YAML 1.1\n---\n{block}"), both()),
    ];
    let one = |name: &'static str, text: &str, paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        (name, format!("k8s_executor_config:\n{text}"), paths)
    };
    let note = ".metadata.annotations.note";
    cases.extend([
        one("tabs", "  job:\t# a\ttab\n    backoff_limit:\t«3»\t# and\tmore\n", &[BACKOFF]),
        one("a BOM-like start of a line", "  # 日本\u{a0}\n  job: {backoff_limit: «3»}\n", &[BACKOFF]),
        one(
            "wide and combining characters",
            "  metadata: {annotations: {\"e\u{301}é日本😀\": 'a', note: «\"日本 e\u{301}\"»}}\n",
            &[note],
        ),
        one("a comment between", "  pod:\n    scheduler_name:\n      # why\n\n      «volcano»\n", &[SCHEDULER]),
        one("a comment in flow", "  job: { # one\n    # two\n    backoff_limit: # three\n      «3» }\n", &[BACKOFF]),
        one("quoted keys", "  'job': {\"backoff_limit\": «3»}\n  ? pod\n  : ? scheduler_name\n    : «a»\n", &[BACKOFF, SCHEDULER]),
        one("JSON", "  {\"job\":{\"backoff_limit\":«3»},\"pod\":{\"scheduler_name\":«\"a\"»}}\n", &[BACKOFF, SCHEDULER]),
        one("flow over lines", "  {job: {\n  backoff_limit:\n  «3»\n  }, pod: {scheduler_name: «a\n   b»}}\n", &[BACKOFF, SCHEDULER]),
        one("tags and anchors before", "  job: {backoff_limit: !!int «3»}\n  pod: {scheduler_name: &a !!str\n    «a»}\n", &[BACKOFF, SCHEDULER]),
        one("an anchor on its own line", "  pod:\n    scheduler_name: &name\n      # c\n      «a»\n", &[SCHEDULER]),
        one("plain over lines", "  pod:\n    scheduler_name: «a\n      b\n\n      c»\n  job: {backoff_limit: «3»}\n", &[SCHEDULER, BACKOFF]),
        one("quoted over lines", "  pod:\n    scheduler_name: «\"a\\\n      b\n      c\"»\n  job: {backoff_limit: «3»}\n", &[SCHEDULER, BACKOFF]),
        one("single quotes over lines", "  pod:\n    scheduler_name: «'it''s\n\n      c'»\n  job: {backoff_limit: «3»}\n", &[SCHEDULER, BACKOFF]),
        one("a literal block", "  metadata:\n    annotations:\n      note: «|2-  # c\n          two\n        lines\n»  job: {backoff_limit: «3»}\n", &[note, BACKOFF]),
        one("a folded block", "  metadata:\n    annotations: {}\n    labels:\n  pod:\n    scheduler_name: «>+\n      a\n\n      b\n\n»  job: {backoff_limit: «3»}\n", &[SCHEDULER, BACKOFF]),
        one("an alias", "  pod: {scheduler_name: &n «'a'», priority_class_name: *n}\n  service_account_name: *n\n", &[SCHEDULER]),
        one("an alias of a mapping", "  metadata: {annotations: &a {note: «x»}, labels: *a}\n", &[note]),
        one("a merge key", "  metadata: {annotations: {<<: &a {note: «x», b: z}, b: «y»}}\n", &[note, ".metadata.annotations.b"]),
        one("a list of merges", "  metadata: {annotations: {<<: [{note: «x»}, {note: z, b: «y»}]}}\n", &[note, ".metadata.annotations.b"]),
        one("a list without indentation", "  container_config:\n    args:\n    - «a»\n    -   «'b'»\n    -\n      «c»\n", &[&container("args[0]"), &container("args[1]"), &container("args[2]")]),
        one("a list in flow", "  container_config: {args: [«a» , «\"b\"»,\n   «'c'», ]}\n", &[&container("args[0]"), &container("args[1]"), &container("args[2]")]),
        one("an empty list", "  container_config:\n    args: «[]»\n", &[&container("args")]),
        one("an empty mapping", "  pod:\n    security_context:   «{ }»\n", &[".spec.template.spec.securityContext"]),
        one("a key with dots", "  pod: {nodeSelector: {\"a.b/c\": «d»}}\n", &[".spec.template.spec.nodeSelector[\"a.b/c\"]"]),
    ]);
    cases.extend(templates());
    cases
}

/// Project files with Jinja in them.
fn templates() -> Vec<(&'static str, String, Vec<String>)> {
    let case = |name: &'static str, text: &str, paths: &[&str]| {
        (name, text.to_owned(), paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
    };
    let args = |index: usize| container(&format!("args[{index}]"));
    vec![
        case(
            "an expression",
            "k8s_executor_config:\n  pod: {scheduler_name: «{{ env_var('TEAM') }}»}\n  job: {backoff_limit: «3»}\n",
            &[SCHEDULER, BACKOFF],
        ),
        case(
            "a quoted expression",
            "k8s_executor_config:\n  pod: {scheduler_name: «\"{{ env_var('TEAM') }}\"», priority_class_name: «x»}\n",
            &[SCHEDULER, ".spec.template.spec.priorityClassName"],
        ),
        case(
            "an expression in a text",
            "k8s_executor_config:\n  pod:\n    scheduler_name: «a-{{ env_var('TEAM') }}-{{ 1 + 1 }}»\n    priority_class_name: «{{ 'b' }}-c»\n",
            &[SCHEDULER, ".spec.template.spec.priorityClassName"],
        ),
        case(
            "an expression of several lines",
            "a: {{ [\n  1,\n  2] }}\nk8s_executor_config: {job: {backoff_limit: «3»}}\n",
            &[BACKOFF],
        ),
        case(
            "an expression that gives lines",
            "a: |\n  {{ 'x\\n\\n  y' }}\nk8s_executor_config: {job: {backoff_limit: «3»}}\n",
            &[BACKOFF],
        ),
        case(
            "comments",
            "{# one\ntwo #}\nk8s_executor_config: {# here #}\n  job: {# and #}{backoff_limit: «3»}\n",
            &[BACKOFF],
        ),
        case(
            "a condition",
            "{% if env_var('TEAM') == 'data' %}\nk8s_executor_config:\n  job:\n    backoff_limit: «3»\n{% else %}\nk8s_executor_config: {job: {backoff_limit: 4}}\n{% endif %}\n",
            &[BACKOFF],
        ),
        case(
            "a condition that drops lines",
            "{% if false %}\na: 1\nb: 2\n{% endif %}\nk8s_executor_config:\n  job:\n{% if false %}\n    x: 1\n{% else %}\n    backoff_limit: «3»\n{% endif %}\n",
            &[BACKOFF],
        ),
        case(
            "blanks taken away",
            "{%- set n = 3 -%}\n\n  k8s_executor_config: {job: {backoff_limit: «{{ n }}»}, {%- if true %} pod: {scheduler_name: «a»} {%- endif -%}   }\n",
            &[BACKOFF, SCHEDULER],
        ),
        case(
            "a loop",
            "k8s_executor_config:\n  container_config:\n    args:\n{% for x in ['a', 'b'] %}\n    - «{{ x }}»\n{% endfor %}\n    - «c»\n",
            &[&args(0), &args(2)],
        ),
        case(
            "a loop with literals",
            "k8s_executor_config:\n  metadata:\n    annotations:\n{% for x in ['note', 'b'] %}\n      {{ x }}: «same»\n{% endfor %}\n",
            &[".metadata.annotations.note"],
        ),
        case(
            "CRLF",
            "{% if true %}\r\nk8s_executor_config:\r\n  job: {backoff_limit: «3»}\r\n  pod:\r\n    scheduler_name: «{{ env_var('TEAM') }}»\r\n{% endif %}\r\n",
            &[BACKOFF, SCHEDULER],
        ),
        case(
            "raw",
            "{% raw %}\nk8s_executor_config: {job: {backoff_limit: «3»}, metadata: {annotations: {note: «'{{ x }}'»}}}\n{% endraw %}\n",
            &[BACKOFF, ".metadata.annotations.note"],
        ),
        case(
            "wide characters",
            "{# 日本 #}k8s_executor_config: {metadata: {annotations: {'日本{{ 1 }}': 'é{{ 2 }}', note: «'日{{ 3 }}'»}}}\n",
            &[".metadata.annotations.note"],
        ),
        case(
            "an anchor around an expression",
            "x: &x «{{ env_var('TEAM') }}»\nk8s_executor_config: {pod: {scheduler_name: *x}}\n",
            &[SCHEDULER],
        ),
        case(
            "a block scalar",
            "k8s_executor_config:\n  metadata:\n    annotations:\n      note: «|\n        {{ env_var('TEAM') }}\n        more\n»  job: {backoff_limit: «3»}\n",
            &[".metadata.annotations.note", BACKOFF],
        ),
        case(
            "a macro",
            "{% macro limit(n) %}{backoff_limit: {{ n }}}{% endmacro %}\nk8s_executor_config: {job: {suspend: «false»}, pod: {scheduler_name: «a»}}\n",
            &[".spec.suspend", SCHEDULER],
        ),
    ]
}

const FLAGS: [&str; 3] = ["--image=i:1", "--server-env=TEAM=data", "--edition=pro"];

#[test]
fn the_place_marked_is_the_place_told() {
    let mut wrong = String::new();
    for (name, marked, paths) in written() {
        let marked = Marked::new(&marked);
        assert_eq!(marked.places.len(), paths.len(), "{name}");
        let project = TempProject::new(&[
            ("metadata.yaml", &marked.text),
            ("pipelines/p/metadata.yaml", PIPELINE),
        ]);
        for edition in ["--edition=pro", "--edition=oss"] {
            let flags = [&FLAGS[..2], &[edition]].concat();
            let explained = explained(&project, "p/load", &flags);
            for (mark, path) in marked.places.iter().zip(&paths) {
                // Mage OSS does not read every setting; what it reads stands at the same place.
                if edition.ends_with("oss") && !is_there(&explained, path) {
                    continue;
                }
                let told = place(&at(&explained, path)["source"]);
                let expected = ("metadata.yaml".to_owned(), mark.line, mark.column);
                if told.as_ref() != Some(&expected) {
                    let _ = writeln!(wrong, "{name}: {path} is at {expected:?}, not {told:?}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn is_there(explained: &Json, path: &str) -> bool {
    let found = values(explained).iter().find(|value| value["jobPath"] == path);
    found.is_some_and(|value| value["layer"] == "project")
}

/// A file that is no template is read by the same reader; the places of pipelines, the policy, the
/// template and the server's pod are told as those of the project.
#[test]
fn every_file_tells_its_places() {
    let pipeline = Marked::new(
        "blocks:\r\n- {uuid: load, type: data_loader, executor_type: k8s,\r\n   executor_config: {job: {backoff_limit: «3»}}}\r\nexecutor_config:\r\n  pod: {scheduler_name: «'é'»} # c\r\n",
    );
    let template = Marked::new("# 日本\npod:\t# t\n  priority_class_name:   «high»\n");
    let policy = Marked::new("enabled: yes\nresource_limits: &l {cpu: «\"2\"»}\n");
    let pod = Marked::new(
        "{\"metadata\":{\"name\":\"m\"},\r\n\t\"spec\":{\"containers\":[{\"name\":\"c\",\r\n\t\t\"image\":\t«\"i:1\"»}]}}",
    );
    let project = TempProject::new(&[
        ("metadata.yaml", ""),
        ("pipelines/p/metadata.yaml", &pipeline.text),
        ("template.yaml", &template.text),
        ("policy.yaml", &policy.text),
        ("pod.json", &pod.text),
    ]);
    let flag = |name: &str, file: &str| format!("--{name}={}/{file}", project.path());
    let flags = [
        flag("template", "template.yaml"),
        flag("policy", "policy.yaml"),
        format!("--server-pod=@{}/pod.json", project.path()),
        format!("--project={}", project.path()),
    ];
    let said = crate::support::run(
        &[
            &["explain", "p/load", "--all", "-o", "json", "--offline", "--edition=pro"][..],
            &flags.iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat(),
    );
    let explained: Json = serde_json::from_str(&said.ok()).expect("JSON");
    for (file, marked, path) in [
        ("pipelines/p/metadata.yaml", &pipeline.places[0], BACKOFF.to_owned()),
        ("pipelines/p/metadata.yaml", &pipeline.places[1], SCHEDULER.to_owned()),
        ("template.yaml", &template.places[0], ".spec.template.spec.priorityClassName".to_owned()),
        ("policy.yaml", &policy.places[0], container("resources.limits.cpu")),
        ("pod.json", &pod.places[0], container("image")),
    ] {
        let told = place(&at(&explained, &path)["source"]);
        assert_eq!(told, Some((file.to_owned(), marked.line, marked.column)), "{path}");
    }
}

#[test]
fn the_way_through_an_alias_is_told() {
    for (text, alias) in [
        ("x: &x a\nk8s_executor_config: {pod: {scheduler_name: *x}}\n", "2:45"),
        ("x: &x {scheduler_name: a}\nk8s_executor_config:\n  pod:\n    <<: *x\n", "4:9"),
        ("x: &x {pod: {scheduler_name: a}}\nk8s_executor_config: *x\n", "2:22"),
    ] {
        let project =
            TempProject::new(&[("metadata.yaml", text), ("pipelines/p/metadata.yaml", PIPELINE)]);
        let why = project
            .run(&[&["explain", "p/load", "--why", "pod.scheduler_name"], &FLAGS[..]].concat());
        let why = why.ok();
        let told = format!("brought in by the alias at metadata.yaml:{alias}\n");
        assert!(why.contains("metadata.yaml:1:") && why.contains(&told), "{alias}: {why}");
    }
}

/// A project in which three layers give items of one list, with every value marked.
struct Lists {
    project: TempProject,
    files: BTreeMap<&'static str, Marked>,
}

const TEMPLATE: &str = "container:\n  env:\n  - {name: A, value: «\"template\"»}\n  - name: T\n    value: «t»\npod:\n  tolerations:\n  - {key: «spot», operator: «Exists»}\n  volumes:\n  - name: v\n    empty_dir: {size_limit: «1Gi»}\n";

const PROJECT: &str = "{% set team = env_var('TEAM') %}\ncommon: &common\n  limit: &limit «5Gi»\nk8s_executor_config:\n{# first #}\n  container_config:\n    image: «i:1»\n    args:\n    - «one»\n{% for word in ['x', 'y'] %}\n    - «{{ word }}»\n    - «loop»\n{% endfor %}\n    env:\n    - {name: B, value: «'project'»}\n    - {name: A, value: «over»}\n    - name: TEAM\n      value: «{{ team }}»\n    volume_mounts: [{name: v, mount_path: /v, sub_path: «s»}]\n  pod:\n    tolerations:\n    - {key: k, operator: Equal, value: «tol»}\n  resource_limits: {memory: *limit, ephemeral-storage: *limit}\n  metadata:\n    labels: &labels {tier: «gold»}\n    annotations: {<<: *labels, own: «o»}\n";

const BLOCK: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n  executor_config:\n    container:\n      env:\n      - {name: C, value: «c»}\n      - name: B\n        value: «|\n          block\n»      - {name: T, value: «7», }\n";

impl Lists {
    fn new() -> Self {
        let files = BTreeMap::from([
            ("template.yaml", Marked::new(TEMPLATE)),
            ("metadata.yaml", Marked::new(PROJECT)),
            ("pipelines/p/metadata.yaml", Marked::new(BLOCK)),
        ]);
        let project = TempProject::new(&[]);
        for (name, marked) in &files {
            project.write(name, &marked.text);
        }
        Self { project, files }
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = vec![format!("--template={}/template.yaml", self.project.path())];
        flags.extend(["--server-env=TEAM=data".to_owned(), "--edition=pro".to_owned()]);
        flags
    }
}

#[test]
fn items_of_joined_lists_keep_their_own_places() {
    let lists = Lists::new();
    let flags = lists.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let explained = explained(&lists.project, "p/load", &flags);
    let mark = |file: &'static str, index: usize| {
        let mark = &lists.files[file].places[index];
        Some((file.to_owned(), mark.line, mark.column))
    };
    for (index, name, value, layer, expected) in [
        (0, "A", "over", "project", mark("metadata.yaml", 6)),
        (1, "T", "7", "block", mark("pipelines/p/metadata.yaml", 2)),
        (2, "B", "block\n", "block", mark("pipelines/p/metadata.yaml", 1)),
        (3, "TEAM", "data", "project", mark("metadata.yaml", 7)),
        (4, "C", "c", "block", mark("pipelines/p/metadata.yaml", 0)),
    ] {
        assert_eq!(at(&explained, &container(&format!("env[{index}].name")))["value"], name);
        let told = at(&explained, &container(&format!("env[{index}].value")));
        assert_eq!(told["value"], value);
        assert_eq!(told["layer"], layer);
        assert_eq!(place(&told["source"]), expected, "{name}");
        let path = told["path"].as_str().expect("a path");
        assert!(path.ends_with(&format!("env[{index}].value")), "{path}");
    }
    let losers = &at(&explained, &container("env[0].value"))["overridden"];
    assert_eq!(
        (&losers[0]["value"], &losers[0]["layer"]),
        (&"template".into(), &"template".into())
    );
    assert_eq!(place(&losers[0]["source"]), mark("template.yaml", 0));
}

/// Returns something else of the same kind.
fn another(written: &str) -> String {
    let end = if written.ends_with('\n') { "\n" } else { "" };
    let text = match written.trim_matches(['"', '\'']) {
        "Exists" => "Equal".to_owned(),
        number if number.chars().all(|c| c.is_ascii_digit()) => format!("{number}7"),
        quantity if quantity.ends_with("Gi") => format!("9{quantity}"),
        _ => "zz9".to_owned(),
    };
    text + end
}

fn changed(before: &Leaves, after: &Leaves) -> BTreeSet<String> {
    let all = before.keys().chain(after.keys());
    all.filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

/// The promise of `explain-config`, for lists that are joined, anchors and Jinja: other bytes at a
/// place change exactly the leaves that name it.
#[test]
fn exactly_the_leaves_that_name_a_place_follow_it() {
    let lists = Lists::new();
    let flags = lists.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let render = || leaves(&rendered(&lists.project, "p/load", &flags));
    let before = render();
    let explained = explained(&lists.project, "p/load", &flags);
    let mut shared = 0;
    for (file, marked) in &lists.files {
        for mark in &marked.places {
            let place_of = Some(((*file).to_owned(), mark.line, mark.column));
            let named: BTreeSet<String> = values(&explained)
                .iter()
                .filter(|value| place(&value["source"]) == place_of)
                .map(|value| value["jobPath"].as_str().expect("a path").to_owned())
                .collect();
            shared += usize::from(named.len() > 1);
            let written = &marked.text[mark.bytes.clone()];
            let mut text = marked.text.clone();
            text.replace_range(mark.bytes.clone(), &another(written));
            lists.project.write(file, &text);
            assert_eq!(changed(&before, &render()), named, "{file}: {written}");
            lists.project.write(file, &marked.text);
        }
    }
    assert!(shared >= 4, "an anchor, a merge and two places of a loop are shared: {shared}");
}
