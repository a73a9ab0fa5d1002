//! What a run leaves on the disk: reports of every kind, and the log of every attempt.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside `#[test]`"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams};
use scraper::{Html, Selector};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl};
use crate::cli_run::{diamond, signal};
use crate::python::Python;
use crate::resume::{elsewhere, kill, shared};
use crate::schema::fits;
use crate::support::{Bench, until};

fn read(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.path().join(name)).unwrap()
}

fn report(project: &Project) -> Value {
    let report = serde_json::from_str(&read(project, "r.json")).unwrap();
    assert_eq!(fits(&report, &kubectl_mage::ui::report_schema()), Ok(()));
    report
}

/// Returns the logs of the namespace's pods, as kubectl gives them, by the names of their files.
async fn logs_by_kubectl(bench: &Bench) -> BTreeMap<String, Vec<u8>> {
    let api: Api<Pod> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let pods = api.list(&ListParams::default()).await.unwrap().items;
    let each = pods.into_iter().map(|pod| {
        let block = &pod.metadata.annotations.as_ref().unwrap()["kubectl-mage/block"];
        let attempt = &pod.metadata.labels.as_ref().unwrap()["kubectl-mage/attempt"];
        let name = pod.metadata.name.as_deref().unwrap();
        let output = kubectl(bench, &["logs", name, "-n", &bench.namespace]).output().unwrap();
        assert!(output.status.success());
        (format!("{block}.{attempt}.log"), output.stdout)
    });
    each.collect()
}

fn logs_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |path: &Path| std::fs::read(path).unwrap();
    // Beside each log is a file with the times of its lines, and one for all says whose they are.
    let of_logs = entries.filter(|entry| {
        let path = entry.path();
        !path.extension().is_some_and(|end| end == "times" || end == "jsonl")
    });
    of_logs.map(|e| (e.file_name().into_string().unwrap(), read(&e.path()))).collect()
}

/// Checks that the folder holds the log of every pod, byte for byte, and nothing else.
async fn check_logs(bench: &Bench, folder: &Path, count: usize) {
    let (kept, wanted) = (logs_in(folder), logs_by_kubectl(bench).await);
    assert_eq!(kept.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    assert_eq!(kept.len(), count);
    for (name, bytes) in &wanted {
        assert!(kept[name] == *bytes, "{name}:\n{}", String::from_utf8_lossy(&kept[name]));
    }
}

/// Checks every event against the documented schema.
fn check_events(said: &Said) {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/run-event.schema.json");
    let documented: Value =
        serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let mut events: Vec<Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        for name in event.as_object().unwrap().keys() {
            assert!(documented["properties"].get(name).is_some(), "{name} is not documented");
        }
        event["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
    }
    let Some(mut python) = Python::start("jsonschema", "tests/fixtures/json_schema.py") else {
        return;
    };
    let mut broken = events[0].clone();
    broken["state"] = json!("Strange");
    events.push(broken);
    let asked = events.iter().map(|event| json!({"schema": schema, "log": event}));
    let mut answers = python.ask_all(asked);
    assert_eq!(answers.pop().unwrap().as_array().unwrap().len(), 1, "an unknown state is found");
    for (event, errors) in events.iter().zip(&answers) {
        assert_eq!(errors, &json!([]), "{event}");
    }
}

fn check_json(report: &Value, bench: &Bench) {
    assert_eq!((&report["state"], &report["exitCode"]), (&json!("Failed"), &json!(1)));
    assert_eq!(report["namespace"], bench.namespace.as_str());
    let blocks = report["blocks"].as_array().unwrap();
    let states: Vec<String> = blocks
        .iter()
        .map(|block| format!("{} {}", block["block"], block["state"]).replace('"', ""))
        .collect();
    assert_eq!(states, ["load Complete", "left Failed", "right Complete", "export Skipped"]);
    assert_eq!(blocks[3]["upstream"], json!(["left", "right"]));
    assert_eq!(blocks[3]["attempts"], json!([]));
    let load = blocks[0]["attempts"].as_array().unwrap();
    assert_eq!((load.len(), &load[0]["exitCode"], &load[1]["exitCode"]), (2, &json!(1), &json!(0)));
    let cause = load[0]["cause"]["message"].as_str().unwrap();
    assert!(cause.starts_with("ValueError: stand-in was told to fail in load"), "{cause}");
    assert!(load[0]["lastLines"].to_string().contains("ValueError"), "{}", load[0]["lastLines"]);
    assert_eq!(load[1]["cause"], Value::Null);
    assert_eq!(
        (&blocks[1]["exitCode"], &blocks[1]["cause"]["reason"]),
        (&json!(3), &json!("Error"))
    );
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    for attempt in blocks.iter().flat_map(|block| block["attempts"].as_array().unwrap()) {
        let times = ["created", "started", "ended"].map(|name| time(&attempt[name]));
        assert!(times.is_sorted(), "{attempt}");
        assert!(attempt["pod"].as_str().unwrap().starts_with(attempt["job"].as_str().unwrap()));
        assert!(attempt["node"].is_string());
        assert!(time(&report["started"]) <= times[0] && times[2] <= time(&report["ended"]));
    }
    assert!(time(&load[0]["ended"]) <= time(&load[1]["created"]));
}

fn check_junit(text: &str) {
    let document = roxmltree::Document::parse(text).unwrap();
    let suite = document.root_element().first_element_child().unwrap();
    let sums =
        ["tests", "failures", "errors", "skipped"].map(|name| suite.attribute(name).unwrap());
    assert_eq!(sums, ["4", "1", "0", "1"]);
    let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    let of = |index: usize, name: &str| {
        cases[index].children().find(|node| node.has_tag_name(name)).map(|node| {
            (
                node.attribute("message").unwrap_or_default().to_owned(),
                node.text().unwrap_or_default().to_owned(),
            )
        })
    };
    let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
    assert_eq!(names, ["load", "left", "right", "export"]);
    assert!(of(0, "failure").is_none() && of(2, "failure").is_none());
    assert!(of(0, "system-out").unwrap().1.contains("attempt 1: ValueError"), "{text}");
    let (message, words) = of(1, "failure").unwrap();
    assert!(message.contains("exit code 3"), "{message}");
    assert!(words.contains("\nexit code 3\n") && words.contains("</pre><script>"), "{words}");
    assert_eq!(of(3, "skipped").unwrap().0, "needs left");
}

fn check_markdown(text: &str) {
    for row in [
        "| load | complete | 2 |",
        "| left | failed | 2 |",
        "| right | complete | 1 |",
        "| export | skipped | - | - | - | needs left |",
    ] {
        assert!(text.contains(row), "no {row} in\n{text}");
    }
    assert!(text.contains("**left failed**: "), "{text}");
    assert!(text.contains("run etl-") && text.contains("2 of 4 blocks complete"), "{text}");
}

fn check_page(text: &str) {
    let page = Html::parse_document(text);
    let all = |selector: &str| -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        page.select(&selector).map(|element| element.text().collect()).collect()
    };
    assert_eq!(all("script, link, img, iframe, object"), Vec::<String>::new());
    assert_eq!(all("td.tree"), ["load", "├─ left", "└─ right", "   └─ export also after left"]);
    assert_eq!(all(".track").len(), 5, "an attempt each");
    assert_eq!(all(".track > .bad").len(), 3);
    assert_eq!(all(".track > .good").len(), 2);
    assert!(
        all("summary").iter().any(|s| s.starts_with("left failed: ") && s.contains("exit code 3"))
    );
    assert!(all("pre").iter().any(|lines| lines.contains("</pre><script>alert(1)</script>")));
    open_in_browser(text);
}

/// Opens the page in a real browser, where there is one, and compares what that made of it.
fn open_in_browser(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    std::fs::write(&path, text).unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=1000"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .args(["--dump-dom", &format!("file://{}", path.display())])
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no chromium (`.ci/needs chromium` installs it)");
        return;
    };
    let seen = Html::parse_document(&String::from_utf8(output.stdout).unwrap());
    let wrote = Html::parse_document(text);
    let body = Selector::parse("body").unwrap();
    let body_of =
        |page: &Html| page.select(&body).next().map(|body| body.inner_html().trim_end().to_owned());
    assert_eq!(body_of(&seen), body_of(&wrote));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_tells_of_every_block() {
    let Some(bench) = Bench::new("report").await else { return };
    let project = shared(&[
        ("STANDIN_FAIL_TIMES_load", "1"),
        ("STANDIN_EXIT_left", "3"),
        ("STANDIN_TEXT_left", "</pre><script>alert(1)</script> ]]> | `"),
    ]);
    let mut arguments = vec!["run", "etl", "-o", "json", "--retries=1", "--logs-dir=kept/logs"];
    arguments.extend(["--report=r.json", "--report=r.xml", "--report=r.md", "--report=r.html"]);
    // What is there already is replaced whole.
    project.write("r.json", "old");
    let said = project.run_on(&bench, &arguments).ends(1);
    check_events(&said);
    check_json(&report(&project), &bench);
    check_junit(&read(&project, "r.xml"));
    check_markdown(&read(&project, "r.md"));
    check_page(&read(&project, "r.html"));
    check_logs(&bench, &project.path().join("kept/logs"), 5).await;
    let left: Vec<_> =
        std::fs::read_dir(project.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".tmp")), "{left:?}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_runs_logs_go_on_where_they_were_cut() {
    let Some(bench) = Bench::new("report-kill").await else { return };
    let project = diamond(&[
        ("STANDIN_LINES_load", "20"),
        ("STANDIN_LINES_left", "60"),
        ("STANDIN_SLEEP_left", "6"),
        ("STANDIN_LINES_right", "40000"),
    ]);
    let folder = project.path().join("logs");
    let child = project.start_on(&bench, &["run", "etl", "--logs-dir=logs", "--logs=none"]);
    until("lines of a log in its file", async || {
        std::fs::metadata(folder.join("left.1.log.part")).is_ok_and(|about| about.len() > 2000)
    })
    .await;
    kill(child);
    // One was cut within a line, one is lost.
    let left =
        std::fs::OpenOptions::new().write(true).open(folder.join("left.1.log.part")).unwrap();
    left.set_len(1111).unwrap();
    std::fs::remove_file(folder.join("load.1.log")).unwrap();
    let logs = format!("--logs-dir={}", folder.display());
    let elsewhere = elsewhere();
    let arguments = ["resume", "@latest", &logs, "--logs=none", "--report=r.json", "-o", "json"];
    let said = elsewhere.run_on(&bench, &arguments).ends(0);
    check_events(&said);
    check_logs(&bench, &folder, 4).await;
    assert!(logs_in(&folder)["right.1.log"].len() > 4 << 20);
    let blocks = report(&elsewhere)["blocks"].clone();
    for block in blocks.as_array().unwrap() {
        assert_eq!(
            (&block["state"], block["attempts"].as_array().unwrap().len()),
            (&json!("Complete"), 1)
        );
    }
    // A run that is complete is only looked at once more, and nothing is written twice.
    elsewhere.run_on(&bench, &["resume", "@latest", &logs, "--report=again.json"]).ends(0);
    check_logs(&bench, &folder, 4).await;
    let again: Value = serde_json::from_str(&read(&elsewhere, "again.json")).unwrap();
    assert_eq!(again["blocks"], blocks);
    assert_eq!(bench.job_names().await.len(), 4);
    bench.end().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_does_not_end_the_run() {
    let Some(bench) = Bench::new("report-link").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "4")]);
    let folder = project.path().join("logs");
    let child = project.start_on(&bench, &["run", "etl", "--logs-dir=logs"]);
    until("the first file", async || folder.join("load.1.log.part").exists()).await;
    let precious = project.write("precious", "precious");
    std::os::unix::fs::symlink(&precious, folder.join("left.1.log")).unwrap();
    let said = Said::new(child.wait_with_output().unwrap()).ends(0);
    let said = said.says(&["the log is not kept: cannot write logs/left.1.log: "]);
    assert_eq!(said.stderr.matches("the log is not kept").count(), 1, "{}", said.stderr);
    assert!(said.stdout.contains("left   | Finish"), "it is shown all the same:\n{}", said.stdout);
    assert_eq!(read(&project, "precious"), "precious");
    assert_eq!(logs_in(&folder)["export.1.log"], logs_by_kubectl(&bench).await["export.1.log"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_left_or_ended_early_has_reports_too() {
    let Some(bench) = Bench::new("report-stop").await else { return };
    for (how, state, block, code, words) in [
        ("pause", "Paused", "LeftRunning", 130, "is paused"),
        ("cancel", "Cancelled", "Cancelled", 130, "is cancelled"),
    ] {
        let project = diamond(&[("STANDIN_SLEEP_load", "60")]);
        let interrupt = format!("--on-interrupt={how}");
        let mut arguments = vec!["run", "etl", &interrupt, "--logs-dir=logs"];
        arguments.extend(["--report=r.json", "--report=r.xml", "--report=r.md", "--report=r.html"]);
        let child = project.start_on(&bench, &arguments);
        until("a log", async || project.path().join("logs/load.1.log.part").exists()).await;
        signal(&child, "-INT");
        Said::new(child.wait_with_output().unwrap()).ends(code).says(&[words]);
        let report = report(&project);
        assert_eq!((&report["state"], &report["exitCode"]), (&json!(state), &json!(code)));
        assert_eq!(report["blocks"][0]["state"], block);
        assert_eq!(report["ended"], Value::Null);
        for name in ["r.xml", "r.md", "r.html"] {
            assert!(read(&project, name).contains(words), "{name}: {}", read(&project, name));
        }
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_found_before_anything_is_created() {
    let Some(bench) = Bench::new("report-refuse").await else { return };
    let project = diamond(&[]);
    project.write("old/left.2.log", "");
    for (flag, words) in [
        ("--report=r.pdf", "hint: end --report with one of .json, .xml, .md, .html"),
        ("--report=no/r.md", "cannot write the report no/r.md: there is no such folder"),
        ("--report=metadata.yaml/r.md", "what should be its folder is a file"),
        ("--report=/proc/r.md", "cannot write the report /proc/r.md: "),
        ("--logs-dir=metadata.yaml", "metadata.yaml is not a folder"),
        ("--logs-dir=/proc/logs", "cannot write to the folder /proc/logs: "),
        ("--logs-dir=old", "old/left.2.log is of another run"),
    ] {
        let said = project.run_on(&bench, &["run", "etl", "--report=fine.md", flag]).ends(2);
        said.says(&[words, "nothing was created"]);
    }
    assert_eq!(bench.job_names().await, Vec::<String>::new());
    assert!(!project.path().join("fine.md").exists());
    bench.end().await;
}
