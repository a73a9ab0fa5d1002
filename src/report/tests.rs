use std::collections::BTreeSet;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use pulldown_cmark::{Event, Options, Parser, Tag};
use scraper::{Html, Selector};
use serde_json::{Value, json};

use super::{ReportKind, report};
use crate::diagnose::Cause;
use crate::exit::Exit;
use crate::run::{
    AttemptReport, BlockReport, BlockState, Outcome, Plan, PlannedBlock, RunState, Stop,
};

/// What a pod might say to break out of a page, a table, an element or a fence.
const HOSTILE: &str = "</pre></td><script>alert(1)</script><img src=x onerror=alert(2)> ]]> --> \"' | `a` ```` ![i](http://x/y) @someone #1 &amp; {{ 7*7 }} \u{1b}[31mred\u{1b}[0m \u{0}\u{8}\u{fffe}\u{202e}";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_574_800 + second).unwrap()
}

fn attempt(number: u32, created: i64, text: &str, failed: bool) -> AttemptReport {
    let mut cause = Cause::new("Error", text).hint(text);
    cause.exit_code = Some(3);
    AttemptReport {
        number,
        job: format!("job-{number}"),
        pod: Some(format!("pod-{number}")),
        node: Some("node".to_owned()),
        created: Some(at(created)),
        started: Some(at(created + 2)),
        ended: Some(at(created + 6)),
        exit_code: Some(if failed { 3 } else { 0 }),
        cause: failed.then_some(cause),
        tail: vec![text.to_owned(), "plain".to_owned()],
        notes: vec![text.to_owned(), "Mage's attempt 1 of 2".to_owned()],
    }
}

fn block(uuid: &str, state: BlockState, history: Vec<AttemptReport>) -> BlockReport {
    let last = history.last();
    BlockReport {
        uuid: uuid.to_owned(),
        block_type: "transformer".to_owned(),
        state,
        namespace: "ns".to_owned(),
        job: format!("job-{uuid}"),
        pod: last.and_then(|last| last.pod.clone()),
        attempts: u32::try_from(history.len()).unwrap(),
        started: last.and_then(|last| last.created),
        duration: last.map(|_| SignedDuration::from_secs(7)),
        cause: last.and_then(|last| last.cause.clone()),
        tail: last.map(|last| last.tail.clone()).unwrap_or_default(),
        history,
    }
}

fn planned(uuid: &str, upstream: &[&str]) -> PlannedBlock {
    PlannedBlock {
        conditional: false,
        since: None,
        staged: None,
        uuid: uuid.to_owned(),
        block_type: "transformer".to_owned(),
        upstream: upstream.iter().map(|name| (*name).to_owned()).collect(),
        namespace: "ns".to_owned(),
        timeout: None,
        job: json!({}),
    }
}

/// A run of `load`, a block of that name that fails, and two that depend on them.
fn run(text: &str) -> (Plan, Outcome) {
    let name = format!("b{text}");
    let plan = Plan {
        pipeline: "etl".to_owned(),
        blocks: vec![
            planned("load", &[]),
            planned(&name, &["load"]),
            planned("join", &["load", &name]),
            planned("last", &["join"]),
        ],
        edition: "pro".to_owned(),
        revision: None,
        user: Some(text.to_owned()),
        flags: Vec::new(),
    };
    let mut join = block("join", BlockState::Skipped, Vec::new());
    join.cause = Some(Cause::new("UpstreamFailed", format!("needs {name}")));
    let outcome = Outcome {
        run: "etl-abcdef".to_owned(),
        state: RunState::Failed,
        exit: Exit::No,
        blocks: vec![
            block(
                "load",
                BlockState::Complete,
                vec![attempt(1, 0, text, true), attempt(2, 10, text, false)],
            ),
            block(&name, BlockState::Failed, vec![attempt(1, 20, text, true)]),
            join,
            block("last", BlockState::NotStarted, Vec::new()),
        ],
        duration: SignedDuration::from_secs(30),
        stopped_by: None,
        remaining: vec![text.to_owned()],
        recorded: true,
        plan_namespace: "ns".to_owned(),
    };
    (plan, outcome)
}

fn written(kind: ReportKind, text: &str) -> String {
    let (plan, outcome) = run(text);
    report(kind, &plan, &outcome)
}

fn css(selector: &str) -> Selector {
    Selector::parse(selector).unwrap()
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    page.select(&css(selector)).map(|element| element.text().collect()).collect()
}

/// Checks that a page asks for nothing and runs nothing.
fn check_page(text: &str) -> Html {
    let page = Html::parse_document(text);
    assert!(page.errors.is_empty(), "{:?}", page.errors);
    let known = BTreeSet::from([
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead",
        "tbody", "tr", "th", "td", "div", "span", "details", "summary", "strong", "pre", "time",
    ]);
    let attributes = BTreeSet::from([
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "style",
        "id",
        "open",
    ]);
    for element in page.select(&css("*")) {
        assert!(known.contains(element.value().name()), "{}", element.html());
        for (name, value) in element.value().attrs() {
            assert!(attributes.contains(name), "{name} in {}", element.html());
            assert!(!value.contains("url("), "{value}");
        }
    }
    assert!(
        texts(&page, "style")
            .iter()
            .all(|style| !style.contains("url(") && !style.contains("@import"))
    );
    page
}

/// What XML of JUnit's common schema (Jenkins' junit-10.xsd) may hold: element, attributes.
const JUNIT: [(&str, &[&str], &[&str]); 8] = [
    ("testsuites", &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors", "time", "skipped", "timestamp"],
        &["properties", "testcase"],
    ),
    ("properties", &[], &["property"]),
    ("property", &["name", "value"], &[]),
    ("testcase", &["name", "time", "classname"], &["failure", "error", "skipped", "system-out"]),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
    ("skipped", &["type", "message"], &[]),
];

fn check_junit(text: &str) {
    let document = roxmltree::Document::parse(text).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "testsuites");
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let allowed = JUNIT.iter().find(|(known, ..)| *known == name);
        let (_, attributes, children) = allowed.unwrap_or(&("system-out", &[], &[]));
        assert!(allowed.is_some() || name == "system-out", "{name}");
        for attribute in node.attributes() {
            assert!(attributes.contains(&attribute.name()), "{} of {name}", attribute.name());
        }
        for child in node.children().filter(roxmltree::Node::is_element) {
            assert!(
                children.contains(&child.tag_name().name()),
                "{:?} in {name}",
                child.tag_name()
            );
        }
    }
}

/// Checks that Markdown holds nothing but a heading, a table, paragraphs and code.
fn check_markdown(text: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut in_cell = false;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::TableCell) => {
                cells.push(String::new());
                in_cell = true;
            }
            Event::Text(part) if in_cell => cells.last_mut().unwrap().push_str(&part),
            Event::Start(
                Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::HtmlBlock
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::List(_)
                | Tag::BlockQuote(_),
            )
            | Event::Html(_)
            | Event::InlineHtml(_) => panic!("{event:?} in\n{text}"),
            Event::End(pulldown_cmark::TagEnd::TableCell) => in_cell = false,
            _ => {}
        }
    }
    cells
}

#[test]
fn nothing_from_a_pod_becomes_markup() {
    let page = check_page(&written(ReportKind::Html, HOSTILE));
    let lines = texts(&page, "pre");
    assert!(lines.iter().any(|line| line.contains("<script>alert(1)</script>")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("{{ 7*7 }}")), "{lines:?}");
    assert!(!page.html().contains('\u{202e}') && !page.html().contains('\u{1b}'));
    let xml = written(ReportKind::JUnit, HOSTILE);
    check_junit(&xml);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.text().unwrap().contains("<script>alert(1)</script>"));
    assert!(failure.attribute("message").unwrap().contains("]]> -->"));
    let markdown = written(ReportKind::Markdown, HOSTILE);
    let cells = check_markdown(&markdown);
    assert_eq!(cells.len(), 5 * 6);
    let summons = |cell: &&String| cell.contains("@someone") || cell.contains("#1");
    assert_eq!(cells.iter().find(summons), None);
    assert!(cells.iter().any(|cell| cell.contains("@\u{200b}someone")), "{cells:?}");
    let value: Value = serde_json::from_str(&written(ReportKind::Json, HOSTILE)).unwrap();
    assert_eq!(value["blocks"][1]["lastLines"][0], HOSTILE);
}

#[test]
fn the_tree_and_the_chart_show_where_everything_was() {
    let page = check_page(&written(ReportKind::Html, "x"));
    assert_eq!(
        texts(&page, "td.tree"),
        ["load", "└─ bx", "   └─ join also after load", "      └─ last"]
    );
    let styles = |class: &str| -> Vec<String> {
        let bars = css(&format!(".track > .{class}"));
        page.select(&bars).map(|bar| bar.value().attr("style").unwrap().to_owned()).collect()
    };
    // From 0 to 27 s: the last Job ended 7 s after its creation at 20 s.
    assert_eq!(
        styles("waiting"),
        ["left:0.000%;width:7.407%", "left:37.037%;width:7.407%", "left:74.074%;width:7.407%"]
    );
    assert_eq!(styles("bad"), ["left:7.407%;width:14.815%", "left:81.481%;width:14.815%"]);
    assert_eq!(styles("good"), ["left:44.444%;width:14.815%"]);
}

#[test]
fn a_run_that_did_not_end_says_so() {
    for (state, stop, words) in [
        (RunState::Paused, Stop::Undriven, "is paused"),
        (RunState::Cancelled, Stop::CancelledElsewhere, "is cancelled, by somebody else"),
        (RunState::TimedOut, Stop::TimedOut, "took longer than --timeout"),
    ] {
        let (plan, mut outcome) = run("x");
        outcome.state = state;
        outcome.exit = stop.exit();
        outcome.stopped_by = Some(stop);
        outcome.blocks[1].state = BlockState::LeftRunning;
        outcome.blocks[1].duration = None;
        outcome.blocks[1].history[0].ended = None;
        for (_, kind) in ReportKind::ALL {
            let text = report(kind, &plan, &outcome);
            assert!(text.contains(words), "{kind:?}: {text}");
        }
        let value: Value =
            serde_json::from_str(&report(ReportKind::Json, &plan, &outcome)).unwrap();
        assert_eq!((&value["state"], &value["ended"]), (&json!(state.as_str()), &Value::Null));
        let xml = report(ReportKind::JUnit, &plan, &outcome);
        check_junit(&xml);
        assert!(xml.contains("failures=\"0\" errors=\"1\""), "{xml}");
        let page = check_page(&report(ReportKind::Html, &plan, &outcome));
        assert!(texts(&page, ".chart .note").iter().any(|text| text.ends_with("goes on")));
    }
}

#[test]
fn a_run_that_began_nothing_has_reports() {
    let (plan, mut outcome) = run("x");
    for block in &mut outcome.blocks {
        *block = self::block(&block.uuid.clone(), BlockState::NotStarted, Vec::new());
    }
    check_page(&report(ReportKind::Html, &plan, &outcome));
    check_junit(&report(ReportKind::JUnit, &plan, &outcome));
    check_markdown(&report(ReportKind::Markdown, &plan, &outcome));
}

#[test]
fn a_comment_on_a_thousand_failures_is_not_too_long_for_github() {
    let (mut plan, mut outcome) = run(&"x".repeat(5000));
    for index in 0..1000 {
        let name = format!("{index}{}", "y".repeat(100));
        plan.blocks.push(planned(&name, &[]));
        let failed = attempt(1, 20, &"z".repeat(5000), true);
        outcome.blocks.push(block(&name, BlockState::Failed, vec![failed]));
    }
    let text = report(ReportKind::Markdown, &plan, &outcome);
    assert!(text.chars().count() < 65_536, "{}", text.chars().count());
    assert!(text.contains("more blocks are not listed"));
}

proptest::proptest! {
    #[test]
    fn any_text_passes(text in "(.|\n|[<>&\"'`|*_\\\\#@!\\[\\]{}%~$-]){0,40}") {
        check_page(&written(ReportKind::Html, &text));
        check_junit(&written(ReportKind::JUnit, &text));
        proptest::prop_assert_eq!(check_markdown(&written(ReportKind::Markdown, &text)).len(), 30);
        serde_json::from_str::<Value>(&written(ReportKind::Json, &text)).unwrap();
    }
}
