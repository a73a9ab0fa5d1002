//! The model of what the API server refuses, `config::check`, against a real API server: on Jobs that
//! genuine Mage makes of generated projects, and on Jobs of this tool, in both directions.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

#[expect(dead_code, reason = "the tests without a cluster show cases")]
#[path = "../../it/oracle/case.rs"]
mod case;
#[path = "../../it/oracle/grammar.rs"]
mod grammar;
#[path = "../../it/oracle/text.rs"]
mod text;

use std::path::Path;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value, json};

use self::case::{made, runner};
use crate::binary::Said;
use crate::cases::Case;
use crate::python::Python;
use crate::refused::{refused, trials};
use crate::support::Bench;

/// Posts a Job as it is, as a dry run under strict field validation; returns what the server has
/// against it, if anything.
async fn refusal(bench: &Bench, job: &Value) -> Option<String> {
    let uri = format!(
        "/apis/batch/v1/namespaces/{}/jobs?dryRun=All&fieldValidation=Strict",
        bench.namespace
    );
    let request = http::Request::post(uri)
        .header("Content-Type", "application/json")
        .body(job.to_string().into_bytes())
        .unwrap();
    match bench.cluster.client().request_text(request).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) => Some(status.message),
        Err(error) => panic!("{error}"),
    }
}

/// Moves a Job from the namespace it was sent to into that of the bench.
fn moved(bench: &Bench, job: &Value, namespace: &str) -> Value {
    let mut job = job.clone();
    if job["metadata"]["namespace"] == json!(namespace) {
        job["metadata"]["namespace"] = json!(bench.namespace);
    }
    job
}

/// Compares the server's answer with the model's.
async fn disagreement(bench: &Bench, job: &Value, namespace: &str) -> Option<String> {
    let job = moved(bench, job, namespace);
    let model = refused(&job, &bench.namespace);
    let server = refusal(bench, &job).await;
    (server.is_some() == model.is_empty())
        .then(|| format!("server: {server:?}\nmodel: {model:?}\n{job:#}"))
}

fn rendered(folder: &Path, edition: &str) -> Said {
    let arguments = Case::open(folder.to_path_buf(), Value::Null).arguments(edition);
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-mage"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    Said::new(command.output().unwrap())
}

fn told(differences: &mut [String], total: usize) {
    differences.sort_by_key(String::len);
    let shown = differences[..differences.len().min(6)].join("\n======\n");
    assert!(differences.is_empty(), "{} of {total} differ\n{shown}", differences.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_refuses_what_the_model_says_of_mages_jobs() {
    let Some(mut python) = Python::start("mage_ai, kubernetes", "tests/fixtures/mage/driver.py")
    else {
        return;
    };
    let Some(bench) = Bench::new("model").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("case");
    let (mut runner, count) = runner();
    let strategy = made();
    let mut differences = Vec::new();
    let mut sent = 0;
    for _ in 0..count {
        strategy.new_tree(&mut runner).unwrap().current().write(&folder);
        let answer = python.ask(&json!(folder));
        let Some(namespace) = answer["namespace"].as_str() else { continue };
        sent += 1;
        differences.extend(disagreement(&bench, &answer["job"], namespace).await);
    }
    eprintln!("{sent} Jobs of Mage, of {count} projects");
    bench.end().await;
    told(&mut differences, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_takes_our_jobs_unless_we_say_otherwise() {
    let Some(bench) = Bench::new("ours").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("case");
    let (mut runner, count) = runner();
    let strategy = made();
    let mut differences = Vec::new();
    let mut made = 0;
    for _ in 0..count {
        strategy.new_tree(&mut runner).unwrap().current().write(&folder);
        for edition in ["oss", "pro"] {
            let said = rendered(&folder, edition);
            assert!(matches!(said.code, 0 | 2), "{}", said.stderr);
            let list: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
            for job in list["items"].as_array().into_iter().flatten() {
                made += 1;
                let namespace = job["metadata"]["namespace"].as_str().unwrap();
                let server = refusal(&bench, &moved(&bench, job, namespace)).await;
                let warned = said.stderr.contains("the API server would refuse the Job: ");
                if server.is_some() != warned {
                    differences.push(format!("{edition}: {server:?}\n{}\n{job:#}", said.stderr));
                }
            }
        }
    }
    eprintln!("{made} Jobs of {count} projects");
    bench.end().await;
    told(&mut differences, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_refuses_what_the_table_says() {
    let Some(bench) = Bench::new("table").await else { return };
    let mut differences = Vec::new();
    let trials = trials();
    for trial in &trials {
        let server = refusal(&bench, &trial.job).await;
        if server.is_none() != trial.accepted {
            differences.push(format!("{}: {server:?}", trial.name));
        }
    }
    bench.end().await;
    told(&mut differences, trials.len());
}
