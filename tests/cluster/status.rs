//! `status` and `runs`: tables, formats, watching.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::binary::Said;
use crate::cli_run::diamond;
use crate::resume::kill;
use crate::schema::fits;
use crate::support::{Bench, until};

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_every_block_in_every_format() {
    let Some(bench) = Bench::new("status").await else { return };
    let project = diamond(&[("STANDIN_FAIL_left", "1")]);
    project.run_on(&bench, &["run", "etl", "--keep-going"]).ends(1);
    let said = project.run_on(&bench, &["status", "@latest"]).ends(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["BLOCK", "STATE", "ATTEMPT", "DURATION", "POD", "REASON"]
    );
    let words = |line: &str| {
        line.split_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    let rows: Vec<String> = lines[1..].iter().map(|line| words(line)).collect();
    assert_eq!(rows, ["load Complete 1", "left Failed 1", "right Complete 1", "export Skipped -"]);
    said.says(&["pipeline etl, Failed, 2/4 blocks complete", "kubectl mage why "]);
    let wide = project.run_on(&bench, &["status", "@latest", "-o", "wide", "--no-headers"]).ends(0);
    assert!(
        wide.stdout.contains("ended with exit code 1") && !wide.stdout.contains("BLOCK"),
        "{}",
        wide.stdout
    );
    let names = project.run_on(&bench, &["status", "@latest", "-o", "name"]).ends(0);
    assert!(
        names.stdout.lines().count() == 3
            && names.stdout.lines().all(|name| name.starts_with("job.batch/"))
    );
    let json = project.run_on(&bench, &["status", "@latest", "-o", "json"]).ends(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["items"][1]["exitCode"], 1);
    assert_eq!(json["status"], "Failed");
    assert_eq!(fits(&json, &kubectl_mage::ui::status_schema()), Ok(()));
    let yaml = project.run_on(&bench, &["status", "@latest", "-o", "yaml"]).ends(0);
    assert!(yaml.stdout.contains("status: Failed\n"), "{}", yaml.stdout);
    let runs = project.run_on(&bench, &["runs", "-o", "wide"]).ends(0);
    assert!(runs.stdout.starts_with("RUN ") && runs.stdout.contains("DURATION"), "{}", runs.stdout);
    let labelled = project
        .run_on(&bench, &["runs", "-l", "kubectl-mage/pipeline=other", "-o", "name"])
        .ends(0);
    assert_eq!(labelled.stdout, "");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drives_a_run_is_told() {
    let Some(bench) = Bench::new("status-who").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "25")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    let json = || {
        let said = project.run_on(&bench, &["status", "@latest", "-o", "json"]);
        serde_json::from_str::<Value>(&said.stdout).unwrap_or_default()
    };
    until("its driver", async || json()["driver"].is_object()).await;
    let driver = json()["driver"].take();
    let name = driver["name"].as_str().unwrap();
    assert!(name.ends_with(&format!(", process {}", child.id())), "{driver}");
    let started = json()["started"].take();
    // Both by the server's clock, the Lease after the plan.
    assert!(driver["since"].as_str() >= started.as_str(), "{driver}, run {started}");
    let said = project.run_on(&bench, &["status", "@latest"]).ends(0);
    said.says(&[&format!("driven by {name} for ")]);
    let wide = project.run_on(&bench, &["runs", "-o", "wide"]).ends(0);
    assert!(wide.stdout.contains("DRIVER") && wide.stdout.contains(name), "{}", wide.stdout);
    kill(child);
    until("nobody", async || json().get("driver") == Some(&Value::Null)).await;
    let said = project.run_on(&bench, &["status", "@latest"]).ends(0);
    said.says(&["nobody drives it; go on with it: kubectl mage resume etl-"]);
    let other = project.start_on(&bench, &["resume", "@latest"]);
    until("another driver", async || json()["driver"].is_object()).await;
    let taken = json()["driver"].take();
    assert!(taken["since"].as_str() > driver["since"].as_str(), "{taken} after {driver}");
    Said::new(other.wait_with_output().unwrap()).ends(0);
    let said = project.run_on(&bench, &["status", "@latest"]).ends(0);
    assert!(!said.stderr.contains(" drive"), "{}", said.stderr);
    let wide = project.run_on(&bench, &["runs", "-o", "wide"]).ends(0);
    assert!(wide.stdout.contains("nobody"), "{}", wide.stdout);
    // Whoever may not see Leases is told so, once.
    if bench.as_context("viewer").await.is_some() {
        for arguments in [["status", "@latest"], ["runs", "-owide"]] {
            let mut command = project.command_on(&bench, &arguments);
            let said = Said::new(command.args(["--context", "viewer"]).output().unwrap()).ends(0);
            said.says(&["who drives is not known: no right to "]);
        }
    }
    bench.end().await;
}

/// Reads lines until each of these begins and holds what it must, in this order.
fn reads(lines: &mut impl Iterator<Item = std::io::Result<String>>, expected: &[[&str; 2]]) {
    for [start, holds] in expected {
        let found = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with(start) && line.contains(holds));
        assert!(found.is_some(), "no line {start} … {holds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_prints_what_changes() {
    let Some(bench) = Bench::new("status-watch").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "1")]);
    let mut runs =
        project.command_on(&bench, &["runs", "-w"]).stdout(Stdio::piped()).spawn().unwrap();
    let driver = project.start_on(&bench, &["run", "etl"]);
    let mut lines = BufReader::new(runs.stdout.take().unwrap()).lines();
    reads(&mut lines, &[["etl-", "Running"]]);
    let mut status = project
        .command_on(&bench, &["status", "@latest", "-w"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut blocks = BufReader::new(status.stdout.take().unwrap()).lines();
    reads(&mut blocks, &[["load", "Complete"], ["export", "Running"], ["export", "Complete"]]);
    reads(&mut lines, &[["etl-", "1/4"], ["etl-", "Complete"]]);
    assert!(driver.wait_with_output().unwrap().status.success());
    // A reader that goes away ends the watch at the next change, quietly.
    drop(lines);
    drop(blocks);
    project.run_on(&bench, &["run", "etl"]).ends(0);
    assert!(runs.wait().unwrap().success());
    status.kill().unwrap();
    status.wait().unwrap();
    bench.end().await;
}

/// kubectl asks for the names of runs when TAB is pressed.
#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_runs_complete() {
    let Some(bench) = Bench::new("complete").await else { return };
    let project = diamond(&[]);
    project.run_on(&bench, &["run", "etl"]).ends(0);
    let run = project.run_on(&bench, &["runs", "-o", "name"]).ends(0).stdout;
    let run = run.trim().trim_start_matches("run/");
    let config = bench.kubeconfig.to_str().unwrap();
    for command in ["status", "why", "cancel", "delete"] {
        let line = ["__complete", command, "--kubeconfig", config, "-n", &bench.namespace, "etl-"];
        let said = crate::binary::Said::new(project.command(&line).output().unwrap()).ends(0);
        assert_eq!(said.stdout, format!("{run}\n:4\n"), "{command}");
    }
    for (typed, expected) in
        [("run/", format!("run/{run}\n:4\n")), ("@", "@latest\n:4\n".to_owned())]
    {
        let line = ["__complete", "attach", "--kubeconfig", config, "-n", &bench.namespace, typed];
        let said = crate::binary::Said::new(project.command(&line).output().unwrap()).ends(0);
        assert_eq!(said.stdout, expected, "{typed}");
    }
    let line = ["__complete", "tail", "--kubeconfig", config, "-n", &bench.namespace, "job/"];
    let jobs = crate::binary::Said::new(project.command(&line).output().unwrap()).ends(0).stdout;
    assert_eq!(jobs.matches(&run).count(), 4, "a Job for each block: {jobs}");
    assert!(jobs.starts_with("job/") && jobs.ends_with("\n:4\n"), "{jobs}");
    let line =
        ["__complete", "run", "--kubeconfig", config, "-n", &bench.namespace, "--server-pod", ""];
    let pods = crate::binary::Said::new(project.command(&line).output().unwrap()).ends(0).stdout;
    assert!(pods.lines().skip(2).any(|pod| pod.contains(run)), "{pods}");
    bench.end().await;
}

/// Where Jobs may be listed but not watched, they are read again and again.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_watch_it_polls() {
    let Some(bench) = Bench::new("status-poll").await else { return };
    let project = diamond(&[]);
    let rules = [
        "create",
        "clusterrole",
        &bench.namespace,
        "--verb=get,list",
        "--resource=jobs.batch,pods,configmaps,events",
    ];
    crate::binary::kubectl(&bench, &rules).output().unwrap();
    let user = format!("--user=poll-{}", bench.namespace);
    let bind = [
        "-n",
        &bench.namespace,
        "create",
        "rolebinding",
        "poll",
        "--clusterrole",
        &bench.namespace,
        &user,
    ];
    crate::binary::kubectl(&bench, &bind).output().unwrap();
    let who = format!("poll-{}", bench.namespace);
    let mut runs = project
        .command_on(&bench, &["runs", "-w", "--as", &who])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    project.run_on(&bench, &["run", "etl"]).ends(0);
    let mut lines = BufReader::new(runs.stdout.take().unwrap()).lines();
    reads(&mut lines, &[["etl-", "Complete"]]);
    runs.kill().unwrap();
    let told = String::from_utf8(runs.wait_with_output().unwrap().stderr).unwrap();
    assert_eq!(told.matches("instead of watched").count(), 1, "{told}");
    crate::binary::kubectl(&bench, &["delete", "clusterrole", &bench.namespace]).output().unwrap();
    bench.end().await;
}
