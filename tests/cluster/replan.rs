//! `resume --replan`: a run goes on by the project as it is now.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside `#[test]`"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams};
use serde_json::Value;

use crate::binary::{Project, Said};
use crate::cli_run::{diamond, signal};
use crate::resume::{elsewhere, kill, made_once};
use crate::support::{Bench, until};

/// Writes the pipeline anew: block, upstream.
fn graph(project: &Project, blocks: &[(&str, &str)]) {
    let block = |(uuid, upstream): &(&str, &str)| {
        format!(
            "- {{uuid: {uuid}, type: transformer, executor_type: k8s, upstream_blocks: [{upstream}]}}\n"
        )
    };
    let blocks: String = blocks.iter().map(block).collect();
    let text = format!("uuid: etl\nname: etl\ntype: python\nblocks:\n{blocks}");
    project.write("pipelines/etl/metadata.yaml", &text);
}

/// Writes the settings of another project over those of this one.
fn settings(project: &Project, env: &[(&str, &str)]) {
    let other = diamond(env);
    let text = std::fs::read_to_string(other.path().join("metadata.yaml")).unwrap();
    project.write("metadata.yaml", &text);
}

async fn plans(bench: &Bench) -> Vec<ConfigMap> {
    let api: Api<ConfigMap> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let labelled = ListParams::default().labels("kubectl-mage/run");
    api.list(&labelled).await.unwrap().items
}

async fn is_replanned(bench: &Bench) -> bool {
    let annotations = plans(bench).await.remove(0).metadata.annotations.unwrap();
    annotations.contains_key("kubectl-mage/replan")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_repaired_in_the_project_and_gone_on_with() {
    let Some(bench) = Bench::new("replan").await else { return };
    let env = [("STANDIN_FAIL_left", "1"), ("API_TOKEN", "hunter1")];
    let project = diamond(&env);
    project.run_on(&bench, &["run", "etl", "--image", "localhost/mage-stand-in:1"]).ends(1);
    settings(&project, &[("STANDIN_TEXT", "again"), ("API_TOKEN", "hunter2")]);
    graph(
        &project,
        &[
            ("load", ""),
            ("check", "load"),
            ("left", "load, check"),
            ("right", "load"),
            ("export", "left, right"),
        ],
    );
    let said = project.run_on(&bench, &["resume", "@latest", "--replan"]).ends(0).says(&[
        "load    finished, kept, though the project says otherwise now",
        "right   finished, kept",
        "check   new, after load",
        "left    made anew\n",
        "-           - name: STANDIN_FAIL_left",
        "+           - name: STANDIN_TEXT",
        "+ - check",
        "a secret changes, which is not shown",
        "the new plan is recorded",
        "is complete: 5 of 5 blocks complete",
    ]);
    assert!(!said.stderr.contains("hunter"), "{}", said.stderr);
    assert!(said.stdout.contains("left   | again"), "{}", said.stdout);
    // load, left, right; check, left again, export.
    made_once(&bench, 6);
    let left = bench.job_names().await.into_iter().find(|name| name.ends_with("-2")).unwrap();
    let left = bench.jobs().get(&left).await.unwrap();
    assert_eq!(left.metadata.labels.unwrap()["kubectl-mage/block"], "left");
    // Everybody goes by the new plan, without the project.
    let other = elsewhere();
    other.run_on(&bench, &["resume", "@latest"]).ends(0).says(&["is complete, 5 blocks of it"]);
    other.run_on(&bench, &["attach", "@latest"]).ends(0).says(&["is complete: 5 of 5"]);
    let status = other.run_on(&bench, &["status", "@latest"]).ends(0);
    status.says(&["Complete, 5/5 blocks complete"]);
    let again = project.run_on(&bench, &["resume", "@latest", "--replan"]).ends(0);
    again.says(&["nothing changes", "nothing to do"]);
    other.run_on(&bench, &["delete", "@latest"]).ends(0);
    until("nothing left", async || bench.job_names().await.is_empty()).await;
    assert!(plans(&bench).await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_left_and_a_kill_loses_nothing() {
    let Some(bench) = Bench::new("replan-kill").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "8"), ("STANDIN_SLEEP_export", "1")]);
    let child = project.start_on(&bench, &["run", "etl", "--on-interrupt=pause"]);
    until("left and right", async || bench.job_names().await.len() >= 3).await;
    signal(&child, "-INT");
    Said::new(child.wait_with_output().unwrap()).ends(130);
    settings(&project, &[("STANDIN_TEXT", "again")]);
    let watching = elsewhere().start_on(&bench, &["attach", "@latest"]);
    let child = project.start_on(&bench, &["resume", "@latest", "--replan"]);
    until("the new plan", async || is_replanned(&bench).await).await;
    kill(child);
    let said = elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0);
    assert!(said.stdout.contains("export | again"), "{}", said.stdout);
    assert!(!said.stdout.contains("left   | again"), "{}", said.stdout);
    let watched = Said::new(watching.wait_with_output().unwrap());
    // Whoever watched saw it end, or that nobody drove it for a while.
    assert!(matches!(watched.code, 0 | 1), "{watched:#?}");
    watched.says(&["has a new plan, and is followed by that"]);
    made_once(&bench, 4);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_is_gone_counts_no_more() {
    let Some(bench) = Bench::new("replan-gone").await else { return };
    let project = diamond(&[("STANDIN_FAIL_left", "1")]);
    project.run_on(&bench, &["run", "etl"]).ends(1);
    graph(&project, &[("load", ""), ("right", "load"), ("export", "right")]);
    at_a_terminal(&bench, &project, "no");
    assert!(!is_replanned(&bench).await);
    // A run does not move.
    let arguments = ["resume", "@latest", "--replan", "--server-env", "KUBE_NAMESPACE=x"];
    let said = project.run_on(&bench, &arguments).ends(0);
    said.says(&["left    gone from the project: not run", "is complete: 3 of 3 blocks complete"]);
    let runs = elsewhere().run_on(&bench, &["runs", "-o", "json"]).ends(0);
    let runs: Value = serde_json::from_str(&runs.stdout).unwrap();
    assert_eq!(runs["items"][0]["status"], "Complete", "{runs:#}");
    made_once(&bench, 4);
    bench.end().await;
}

/// Answers the question that is asked at a terminal, where there is a program that makes one.
fn at_a_terminal(bench: &Bench, project: &Project, answer: &str) {
    let inner = project.command_on(bench, &["resume", "@latest", "--replan"]);
    let words = std::iter::once(inner.get_program()).chain(inner.get_args());
    let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut command = Command::new("/usr/bin/script");
    command.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(project.path());
    command.env("HOME", project.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: no /usr/bin/script");
        return;
    };
    child.stdin.take().unwrap().write_all(format!("{answer}\n").as_bytes()).unwrap();
    let said = Said::new(child.wait_with_output().unwrap()).ends(2);
    for text in ["the plan changes; type the pipeline's name to go on:", "nothing was changed"] {
        assert!(said.stdout.contains(text), "{}", said.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_context_shows_the_difference_and_changes_nothing_without_yes() {
    let Some(bench) = Bench::new("replan-yes").await else { return };
    let project = diamond(&[("STANDIN_FAIL_left", "1")]);
    project.run_on(&bench, &["run", "etl"]).ends(1);
    settings(&project, &[]);
    project.write(".config/kubectl-mage/config.toml", "protected_contexts = [\"*\"]\n");
    let said = project.run_on(&bench, &["resume", "@latest", "--replan"]).ends(2);
    said.says(&["left    made anew", "is protected", "nothing was changed", "hint: pass --yes"]);
    assert!(!is_replanned(&bench).await);
    // Flags of the project mean a new plan, and the data stays where it is.
    let said = project.run_on(&bench, &["resume", "@latest", "--image", "x:1", "--yes"]).ends(2);
    said.says(&[
        "flags of the project are for a new plan",
        "hint: leave them out, or add --replan",
    ]);
    let arguments = ["resume", "@latest", "--replan", "--execution-partition", "p", "--yes"];
    project.run_on(&bench, &arguments).ends(2).says(&["keeps the partition"]);
    // A refusal gives the Lease back.
    let said = project.run_on(&bench, &["resume", "@latest", "--replan", "--yes"]).ends(0);
    assert!(!said.stderr.contains("sign of life"), "{}", said.stderr);
    made_once(&bench, 5);
    bench.end().await;
}
