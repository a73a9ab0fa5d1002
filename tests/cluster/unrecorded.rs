//! Runs whose plan may not be recorded: `resume`, `attach` and `status` by the Jobs alone.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::process::{Child, Command, Stdio};

use kube::api::ListParams;
use kubectl_mage::run::Outline;
use serde_json::Value;

use crate::binary::{Project, Said};
use crate::cli_run::{diamond, signal};
use crate::resume::{elsewhere, kill, made_once, shared};
use crate::support::{Bench, until};

/// Makes a command of somebody who has every right of a run but those to ConfigMaps and Leases.
fn command(bench: &Bench, project: &Project, arguments: &[&str]) -> Command {
    command_as("no-configmaps", bench, project, arguments)
}

fn command_as(context: &str, bench: &Bench, project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command_on(bench, arguments);
    command.args(["--context", context]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run_on(bench: &Bench, project: &Project, arguments: &[&str]) -> Said {
    Said::new(command(bench, project, arguments).output().unwrap())
}

fn start_on(bench: &Bench, project: &Project, arguments: &[&str]) -> Child {
    command(bench, project, arguments).spawn().unwrap()
}

/// Makes a bench on a cluster that has such a user.
async fn bench(name: &str) -> Option<Bench> {
    let bench = Bench::new(name).await?;
    bench.as_context("no-configmaps").await?;
    Some(bench)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_without_a_plan_is_gone_on_with_from_the_project() {
    let Some(bench) = bench("unrecorded-kill").await else { return };
    let project = diamond(&[
        ("STANDIN_SLEEP_left", "4"),
        ("STANDIN_TEXT", "hello"),
        ("API_TOKEN", "hunter1"),
    ]);
    let flags = ["run", "etl", "--var", "api_key=hunter2", "--var", "limit=5", "--parallel", "3"];
    let child = start_on(&bench, &project, &flags);
    until("load, left, right", async || bench.job_names().await.len() >= 3).await;
    kill(child);
    // Without the project: which one is wanted.
    let said = run_on(&bench, &elsewhere(), &["resume", "@latest"]).ends(2);
    let folder = project.path().display().to_string();
    said.says(&["is not recorded, so the project is needed", &format!("began in {folder}")]);
    // A copy of it somewhere else does as well.
    let copy = diamond(&[
        ("STANDIN_SLEEP_left", "4"),
        ("STANDIN_TEXT", "hello"),
        ("API_TOKEN", "hunter1"),
    ]);
    let said = run_on(&bench, &copy, &["resume", "@latest"]).ends(0).says(&[
        "the plan of this run is not recorded",
        "goes on: pipeline etl, 4 blocks",
        "is complete: 4 of 4 blocks complete",
    ]);
    assert!(!said.stdout.contains("load   | hello"), "shown before:\n{}", said.stdout);
    assert!(said.stdout.contains("export | hello"), "{}", said.stdout);
    made_once(&bench, 4);
    for job in bench.jobs().list(&ListParams::default()).await.unwrap().items {
        let annotations = job.metadata.annotations.unwrap();
        let outline = Outline::read(&annotations["kubectl-mage/outline"]).unwrap();
        assert!(outline.plan.flags.contains(&"--var=limit=5".to_owned()), "{outline:?}");
        assert!(!format!("{annotations:?} {outline:?}").contains("hunter"), "{outline:?}");
    }
    let said = run_on(&bench, &copy, &["resume", "@latest"]).ends(0);
    said.says(&["nothing to do: run etl-", "is complete, 4 blocks"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_run_without_a_plan_starts_only_what_was_staged() {
    let Some(bench) = bench("unrecorded-staged").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "4")]);
    let uids = async || -> Vec<Option<String>> {
        let jobs = bench.jobs().list(&ListParams::default()).await.unwrap().items;
        jobs.into_iter().map(|job| job.metadata.uid).collect()
    };
    project.run_on(&bench, &["apply", "etl"]).ends(0);
    let staged = uids().await;
    let flags = ["run", "--staged", "etl", "--on-interrupt=pause"];
    let child = start_on(&bench, &project, &flags);
    until("a pod", async || !bench.pod_names().await.is_empty()).await;
    signal(&child, "-INT");
    Said::new(child.wait_with_output().unwrap()).ends(130).says(&["the plan is not recorded"]);
    let said = run_on(&bench, &project, &["resume", "@latest"]).ends(0);
    said.says(&["is complete: 4 of 4 blocks complete"]);
    assert_eq!(uids().await, staged);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_project_is_refused_and_taken_with_replan() {
    let Some(bench) = bench("unrecorded-replan").await else { return };
    let project = diamond(&[("STANDIN_FAIL_left", "1")]);
    run_on(&bench, &project, &["run", "etl", "--keep-going"]).ends(1).says(&[
        "the plan is not recorded",
        "`resume` needs the project",
        "try again what failed, and go on: kubectl mage resume",
    ]);
    let repaired = diamond(&[("STANDIN_TEXT", "again")]);
    let pipeline = "uuid: etl\nname: etl\ntype: python\nblocks:\n\
        - {uuid: load, type: data_loader, executor_type: k8s}\n\
        - {uuid: check, type: transformer, executor_type: k8s, upstream_blocks: [load]}\n\
        - {uuid: left, type: transformer, executor_type: k8s, upstream_blocks: [load, check]}\n\
        - {uuid: export, type: data_exporter, executor_type: k8s, upstream_blocks: [left]}\n";
    repaired.write("pipelines/etl/metadata.yaml", pipeline);
    let said = run_on(&bench, &repaired, &["resume", "@latest"]).ends(2).says(&[
        "the project is not what it began with: ",
        "check is new",
        "left is planned otherwise",
        "right is gone",
        "with --replan",
    ]);
    assert!(said.stderr.contains(&project.path().display().to_string()), "{}", said.stderr);
    made_once(&bench, 3);
    let said = run_on(&bench, &repaired, &["resume", "@latest", "--replan"]).ends(0).says(&[
        "load    finished, kept, though the project says otherwise now",
        "right   finished, kept, though the project no longer has it",
        "check   new, after load",
        "left    made anew",
        "is complete: 5 of 5 blocks complete",
    ]);
    assert!(said.stdout.contains("left   | again"), "{}", said.stdout);
    // load, left, right; check, left again, export.
    made_once(&bench, 6);
    // What the new Jobs say is the plan now.
    let said = run_on(&bench, &repaired, &["resume", "@latest"]).ends(0);
    said.says(&["nothing to do: run etl-", "is complete, 5 blocks"]);
    run_on(&bench, &project, &["resume", "@latest"]).ends(2).says(&["check is gone"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_plan_is_followed_and_shown_from_anywhere() {
    let Some(bench) = bench("unrecorded-attach").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "3"), ("STANDIN_TEXT", "hello")]);
    let child = start_on(&bench, &project, &["run", "etl"]);
    until("load", async || !bench.job_names().await.is_empty()).await;
    let status = run_on(&bench, &elsewhere(), &["status", "@latest", "-o", "json"]).ends(0);
    assert!(!status.stderr.contains("blocks without a Job"), "{}", status.stderr);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let blocks: Vec<&str> =
        status["items"].as_array().unwrap().iter().filter_map(|b| b["block"].as_str()).collect();
    assert_eq!(blocks, ["load", "left", "right", "export"], "{status:#}");
    let said = run_on(&bench, &elsewhere(), &["attach", "@latest"]).ends(0);
    said.says(&["is watched", "is complete: 4 of 4 blocks complete"]);
    Said::new(child.wait_with_output().unwrap()).ends(0);
    made_once(&bench, 4);
    bench.end().await;
}

/// With the rights of Mage's chart Jobs can neither be listed nor watched: their pods name them.
#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_chart_are_enough_to_go_on() {
    let Some(bench) = bench("unrecorded-chart").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "3"), ("STANDIN_TEXT", "hello")]);
    let child = command_as("chart", &bench, &project, &["run", "etl"]).spawn().unwrap();
    until("load, left, right", async || bench.job_names().await.len() >= 3).await;
    kill(child);
    let runs = project.run_on(&bench, &["runs", "-o", "name"]).ends(0).stdout;
    let resume = ["resume", runs.trim()];
    let said = Said::new(command_as("chart", &bench, &project, &resume).output().unwrap()).ends(0);
    assert!(!said.stdout.contains("load   | hello"), "shown before:\n{}", said.stdout);
    said.says(&["is complete: 4 of 4 blocks complete"]);
    made_once(&bench, 4);
    bench.end().await;
}

/// Two clients go on with it at the same time: nothing keeps them apart but the names of the Jobs.
#[tokio::test(flavor = "multi_thread")]
async fn two_clients_at_once_make_each_job_once() {
    let Some(bench) = bench("unrecorded-race").await else { return };
    let project = shared(&[("STANDIN_FAIL_TIMES_left", "1"), ("STANDIN_SLEEP_right", "2")]);
    let child = start_on(&bench, &project, &["run", "etl", "--on-interrupt=pause"]);
    until("left and right", async || bench.job_names().await.len() >= 3).await;
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    let both = [0, 1].map(|_| start_on(&bench, &project, &["resume", "@latest"]));
    for child in both {
        Said::new(child.wait_with_output().unwrap()).says(&["goes on: pipeline etl, 4 blocks"]);
    }
    run_on(&bench, &project, &["resume", "@latest"]).ends(0);
    let posts = bench.posts().unwrap_or_default();
    let mut once = posts.clone();
    once.dedup();
    assert_eq!(once, posts, "a Job was made twice");
    bench.end().await;
}
