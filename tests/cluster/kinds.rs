//! Every kind of block and pipeline that Mage knows, with the genuine Mage in its pods: it runs as it
//! would with Mage's database, or `run` refuses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kube::api::ListParams;
use serde_json::Value;

use crate::binary::{Project, Said};
use crate::cli_run::signal;
use crate::genuine::{copy, script, server};
use crate::support::Bench;

/// A namespace with the project of all kinds, and a server's pod in it.
struct Kinds {
    bench: Bench,
    home: Project,
    project: PathBuf,
}

impl Kinds {
    async fn new(name: &str) -> Option<Self> {
        let bench = Bench::new(name).await?;
        let home = Project::new(&[]);
        let project = home.path().join("kinds");
        copy(&fixture(), &project);
        if server(&bench, &project, &home.path().join("data"), &["--stand-in"]).is_none() {
            bench.end().await;
            return None;
        }
        Some(Self { bench, home, project })
    }

    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [arguments, &["--project", self.project.to_str().unwrap()]].concat()
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.home.run_on(&self.bench, &self.arguments(arguments))
    }

    /// Returns the commands of the Jobs that were made.
    async fn commands(&self) -> Vec<Vec<String>> {
        let jobs = self.bench.jobs().list(&ListParams::default()).await.unwrap().items;
        let command = |job: k8s_openapi::api::batch::v1::Job| {
            let mut containers = job.spec.unwrap().template.spec.unwrap().containers;
            let first = containers.remove(0);
            first.command.unwrap_or_default().into_iter().chain(first.args.unwrap_or_default())
        };
        jobs.into_iter().map(|job| command(job).collect()).collect()
    }

    /// Checks that every Job names the partition of its run, then ends the test.
    async fn end(self) {
        for command in self.commands().await {
            let at = command.iter().position(|word| word == "--execution-partition").unwrap();
            assert!(command[at + 1].starts_with("kubectl-mage/"), "{command:?}");
        }
        self.bench.end().await;
    }
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kinds")
}

/// Reads the events that `-o json` printed.
fn events(said: &Said) -> Vec<Value> {
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the last state of a block and why.
fn end_of(events: &[Value], block: &str) -> String {
    let of = |event: &&Value| event["kind"] == "block" && event["block"] == block;
    let last = events.iter().rfind(of).unwrap();
    let text = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
    match text("reason") {
        reason if reason.is_empty() => text("state"),
        reason => format!("{} ({reason}): {}", text("state"), text("message")),
    }
}

/// Returns the sentences about what happened inside of a block's pods.
fn notes(events: &[Value], block: &str, reason: &str) -> Vec<String> {
    let of = |event: &&Value| event["block"] == block && event["reason"] == reason;
    events.iter().filter(of).map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

/// Returns what a block printed.
fn said_by(events: &[Value], block: &str) -> Vec<String> {
    let of = |event: &&Value| event["kind"] == "log" && event["block"] == block;
    events.iter().filter(of).filter_map(|e| Some(e["message"].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_conditional_is_named_and_spreads_and_a_broken_one_too() {
    let Some(kinds) = Kinds::new("conditional").await else { return };
    let events = events(&kinds.run(&["run", "conditional", "-o", "json"]).ends(0));
    assert_eq!(
        end_of(&events, "double"),
        "ConditionFalse (ConditionFalse): conditional is_empty said no"
    );
    assert_eq!(
        end_of(&events, "show"),
        "Skipped (ConditionFalse): the condition of double said no"
    );
    assert_eq!(
        end_of(&events, "odd"),
        "ConditionFalse (ConditionalFailed): conditional broken_condition failed, which Mage takes for no: ZeroDivisionError: division by zero"
    );
    assert_eq!(end_of(&events, "total"), "Complete");
    assert!(said_by(&events, "total").contains(&"total of [1, 2, 3]".to_owned()));
    assert_eq!(kinds.commands().await.len(), 4);
    // Later and elsewhere the run is known to be over, and why.
    let ask = |arguments: &[&str]| Project::new(&[]).run_on(&kinds.bench, arguments).ends(0);
    let status: Value =
        serde_json::from_str(&ask(&["status", "@latest", "-o", "json"]).stdout).unwrap();
    assert_eq!(status["status"], "Complete");
    assert_eq!(status["blocks"], serde_json::json!({"complete": 2, "unmet": 3, "total": 5}));
    let items = status["items"].as_array().unwrap().iter();
    let ends: Vec<_> = items.map(|item| item["state"].as_str().unwrap()).collect();
    assert_eq!(ends, ["Complete", "ConditionFalse", "Skipped", "Complete", "ConditionFalse"]);
    let why = ask(&["why", "@latest"]).stdout;
    assert!(why.contains("cause: it did not run: conditional is_empty said no"), "{why}");
    ask(&["resume", "@latest"]).says(&["show   : skipped", "2 of 5 blocks complete"]);
    assert_eq!(kinds.commands().await.len(), 4);
    kinds.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_called_in_the_pod_and_one_that_fails_is_told() {
    let Some(kinds) = Kinds::new("callback").await else { return };
    let said = kinds.run(&["run", "callback", "--keep-going", "-o", "json", "--report", "r.json"]);
    let events = events(&said.ends(1));
    assert!(said_by(&events, "load").contains(&"load succeeded with [1, 2, 3]".to_owned()));
    assert!(said_by(&events, "fail").contains(&"fail failed: no rows".to_owned()));
    assert!(end_of(&events, "fail").contains("ValueError: no rows"), "{events:?}");
    assert_eq!(end_of(&events, "double"), "Complete");
    let sentence = "callback broken_callback (on_success) failed, which Mage passes over: RuntimeError: no such channel";
    assert_eq!(notes(&events, "double", "CallbackFailed"), [sentence]);
    let report = std::fs::read_to_string(kinds.home.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let double = report["blocks"].as_array().unwrap().iter().find(|b| b["block"] == "double");
    assert_eq!(double.unwrap()["attempts"][0]["notes"], serde_json::json!([sentence]));
    kinds.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mages_own_retries_are_shown_and_not_repeated() {
    let Some(kinds) = Kinds::new("retry").await else { return };
    let events = events(&kinds.run(&["run", "retry", "-o", "json"]).ends(0));
    let attempt = |n| {
        format!(
            "Mage's attempt {n} of 4 inside the pod failed: ConnectionError: the database is away, try {n}"
        )
    };
    assert_eq!(notes(&events, "flaky", "MageRetry"), [attempt(1), attempt(2)]);
    assert_eq!(end_of(&events, "flaky"), "Complete");
    assert!(said_by(&events, "show").contains(&"inputs: ([1, 2, 3],)".to_owned()));
    assert_eq!(kinds.commands().await.len(), 3);
    let why = Project::new(&[]).run_on(&kinds.bench, &["why", "retry/flaky"]).ends(0).stdout;
    assert!(why.contains(&format!("log {}", attempt(2))), "{why}");
    kinds.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_runs_the_originals_code_on_its_own_data() {
    let Some(kinds) = Kinds::new("replica").await else { return };
    let events = events(&kinds.run(&["run", "replica", "-o", "json"]).ends(0));
    assert!(said_by(&events, "copy:double").contains(&"doubled to [4, 8, 12]".to_owned()));
    assert!(said_by(&events, "show").contains(&"inputs: ([2, 4, 6], [4, 8, 12])".to_owned()));
    kinds.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dbt_models_are_made_in_pods_and_their_rows_passed_on() {
    let Some(kinds) = Kinds::new("dbt").await else { return };
    let events = events(&kinds.run(&["run", "dbt", "-o", "json"]).ends(0));
    let shown = said_by(&events, "show").join("\n");
    assert!(shown.contains("total") && shown.contains('6'), "{shown}");
    kinds.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_sensor_waits_and_the_sensor_says_so() {
    let Some(kinds) = Kinds::new("sensor").await else { return };
    let arguments = kinds.arguments(&["run", "sensor", "--on-interrupt=cancel", "--logs=none"]);
    let mut command = kinds.home.command_on(&kinds.bench, &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    // The run ends by itself only if the sensor does not wait.
    while !text.contains("(SensorWaiting)") {
        assert!(stderr.read_line(&mut text).unwrap() > 0, "{text}");
    }
    signal(&child, "-INT");
    stderr.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    for line in ["seen   : complete", "the sensor does not see it yet and looks once a minute"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("load   : created"), "{text}");
    kinds.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_in_one_process_and_a_streaming_one_are_one_job() {
    let Some(kinds) = Kinds::new("one-job").await else { return };
    let said = kinds.run(&["run", "one_process"]).ends(0);
    let said = said.says(&["outputs of pipeline `one_process` in no partition"]);
    for line in ["doubled to [4, 8, 12]", "inputs: ([2, 4, 6], [4, 8, 12])"] {
        assert!(said.stdout.contains(line), "{}", said.stdout);
    }
    let said = kinds.run(&["run", "streaming"]).ends(0);
    for line in ["written: [2, 4]", "written: [6]"] {
        assert!(said.stdout.contains(line), "{}", said.stdout);
    }
    let commands = kinds.commands().await;
    assert_eq!(commands.len(), 2);
    assert!(commands.iter().flatten().all(|word| word != "--block-uuid"), "{commands:?}");
    kinds.end().await;
}

/// What `run` refuses, and what the genuine Mage does with it where it has no database: it fails, or
/// does something else without a word.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_goes_wrong_with_the_genuine_mage() {
    let Some(kinds) = Kinds::new("refused").await else { return };
    let venv = Said::new(Command::new(script("mage-venv")).output().unwrap()).ends(0);
    let mage = |pipeline: &str, block: Option<&str>| {
        let home = kinds.home.path();
        let mut command = Command::new(Path::new(venv.stdout.trim()).join("bin/mage"));
        command.arg("run").arg(&kinds.project).arg(pipeline);
        command.args(block.iter().flat_map(|block| ["--block-uuid", *block]));
        command.args(["--executor-type", "local_python", "--execution-partition", "p/1"]);
        let path = format!("{}/bin:/usr/bin:/bin", venv.stdout.trim());
        command.env_clear().env("PATH", path).env("HOME", home).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("MAGE_DATA_DIR", home.join("alone")).current_dir(home);
        Said::new(command.output().unwrap())
    };
    mage("dynamic", Some("numbers")).ends(0);
    for (pipeline, block, code, text) in [
        ("dynamic", Some("double"), 1, "no such table: block_run"),
        ("dynamic", Some("double:0"), 1, "TypeError: unsupported operand type(s) for //"),
        ("dynamic_in_one_process", None, 1, "TypeError: unsupported operand type(s) for //"),
        ("conditional_in_one_process", None, 0, "doubled to [2, 4, 6]"),
        ("product", Some("report"), 1, "no such table: "),
    ] {
        let target = block.map_or(pipeline.to_owned(), |block| format!("{pipeline}/{block}"));
        kinds.run(&["run", &target]).ends(2).says(&["error: ", "pipelines/"]);
        let said = mage(pipeline, block).ends(code);
        assert!(said.stdout.contains(text) || said.stderr.contains(text), "{pipeline}: {said:?}");
    }
    for (pipeline, text) in [("callback_in_one_process", "succeeded"), ("unreached", "doubled")] {
        kinds.run(&["run", pipeline]).ends(2).says(&["error: ", "pipelines/"]);
        let said = mage(pipeline, None).ends(0);
        assert!(!said.stdout.contains(text) && !said.stderr.contains(text), "{said:?}");
    }
    assert!(kinds.commands().await.is_empty());
    kinds.end().await;
}
