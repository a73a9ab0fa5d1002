//! `cancel`, `delete` and `prune`: what goes, what stays, and what never is touched.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::process::Child;

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, ListParams};
use kubectl_mage::exit::Exit;
use kubectl_mage::run::{Failure, Options, RunState};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with};
use crate::cli_run::{changes, diamond, signal};
use crate::support::{Bench, start, states, until};

async fn plans(bench: &Bench) -> Vec<String> {
    let api: Api<ConfigMap> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let all = api.list(&ListParams::default().labels("kubectl-mage/run")).await.unwrap();
    all.items.into_iter().filter_map(|plan| plan.metadata.name).collect()
}

async fn running_pods(bench: &Bench) -> Vec<String> {
    let api: Api<Pod> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let all = api.list(&ListParams::default()).await.unwrap().items;
    let over = |pod: &&Pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        !matches!(phase, Some("Succeeded" | "Failed"))
    };
    all.iter().filter(over).filter_map(|pod| pod.metadata.name.clone()).collect()
}

/// Starts the diamond and waits until `load` is complete and its successors run.
async fn in_the_middle(project: &Project, bench: &Bench) -> (Child, String) {
    let driver = project.start_on(bench, &["run", "etl"]);
    let row = || {
        let said = project.run_on(bench, &["runs", "-o", "json"]).ends(0);
        let runs: Value = serde_json::from_str(&said.stdout).unwrap();
        runs["items"][0].clone()
    };
    until("two running blocks", async || {
        row()["blocks"]["complete"] == 1 && running_pods(bench).await.len() == 2
    })
    .await;
    let run = row()["run"].as_str().unwrap().to_owned();
    (driver, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_a_run_that_somebody_else_drives() {
    let Some(bench) = Bench::new("cancel-run").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "100"), ("STANDIN_SLEEP_right", "100")]);
    let (driver, run) = in_the_middle(&project, &bench).await;
    let delete = project.run_on(&bench, &["delete", &run]);
    delete.ends(2).says(&["is not over", "hint: stop it first: kubectl mage cancel "]);
    let mut readonly = project.command_on(&bench, &["cancel", &run]);
    let readonly = Said::new(readonly.env("KUBECTL_MAGE_READONLY", "1").output().unwrap());
    readonly.ends(2).says(&["KUBECTL_MAGE_READONLY=1 forbids"]);
    assert_eq!(running_pods(&bench).await.len(), 2, "nothing was done yet");

    let said = project.run_on(&bench, &["cancel", &format!("run/{run}")]).ends(0);
    assert_eq!(said.stdout.lines().count(), 2, "{}", said.stdout);
    assert!(
        said.stdout
            .lines()
            .all(|line| line.starts_with("job.batch/") && line.ends_with(" deleted"))
    );
    assert!(running_pods(&bench).await.is_empty());
    let status = project.run_on(&bench, &["status", &run, "-o", "json"]).ends(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status.get("driver"), Some(&Value::Null), "nobody drives it any more: {status:#}");
    let driver = Said::new(driver.wait_with_output().unwrap()).ends(6);
    driver.says(&["is cancelled, by somebody else"]);
    assert!(running_pods(&bench).await.is_empty());
    if let Some(posts) = bench.posts() {
        assert_eq!(posts.len(), 3, "no Job after it: {posts:#?}");
    }

    let status = project.run_on(&bench, &["status", &run, "--no-headers"]).ends(0);
    status.says(&["Cancelled, 1/4 blocks complete"]);
    let status = project.run_on(&bench, &["status", &run, "-o", "json"]).ends(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let rows = status["items"].as_array().unwrap().iter();
    let rows: Vec<String> = rows
        .map(|row| format!("{} {}", row["block"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, ["load Complete", "left Cancelled", "right Cancelled", "export NotStarted"]);
    let why = project.run_on(&bench, &["why", &run]).ends(0);
    assert!(why.stdout.contains("cause: somebody cancelled it"), "{}", why.stdout);

    let would = project.run_on(&bench, &["delete", &run, "--dry-run"]).ends(0);
    assert_eq!(would.stdout.lines().count(), 3, "Job, pod and plan: {}", would.stdout);
    assert_eq!(bench.job_names().await.len(), 1);
    let said = project.run_on(&bench, &["delete", &run]).ends(0);
    assert_eq!(said.stdout.lines().count(), 3, "{}", said.stdout);
    assert!(bench.job_names().await.is_empty() && bench.pod_names().await.is_empty());
    assert!(plans(&bench).await.is_empty());
    project.run_on(&bench, &["status", &run]).ends(2).says(&["there is no run"]);
    bench.end().await;
}

/// A driver that hears nothing: it is waited for until it must be taken for dead, and makes no Job
/// when it wakes up.
#[tokio::test(flavor = "multi_thread")]
async fn cancel_waits_for_a_driver_that_is_asleep() {
    let Some(bench) = Bench::new("cancel-asleep").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "3"), ("STANDIN_SLEEP_right", "3")]);
    let (driver, run) = in_the_middle(&project, &bench).await;
    signal(&driver, "-STOP");
    let said = project.run_on(&bench, &["cancel", &run]).ends(0);
    said.says(&["waiting until ", &format!(", process {} no longer drives it", driver.id())]);
    let lease = bench.cluster.get_lease(&bench.namespace, &format!("mage-run-{run}")).await;
    assert_eq!(lease.unwrap().unwrap().driver(), None);
    signal(&driver, "-CONT");
    Said::new(driver.wait_with_output().unwrap()).ends(6).says(&["is cancelled, by somebody else"]);
    assert!(running_pods(&bench).await.is_empty());
    if let Some(posts) = bench.posts() {
        assert_eq!(posts.len(), 3, "no Job after it: {posts:#?}");
    }
    bench.end().await;
}

/// However the moments fall: a driver that is just posting leaves no pod behind.
#[tokio::test(flavor = "multi_thread")]
async fn cancel_races_a_driver_that_posts() {
    let Some(bench) = Bench::new("cancel-race").await else { return };
    let project = Project::new(&[]);
    let mut cancelled = 0;
    for round in 0..6_u64 {
        let blocks: Vec<(String, Vec<String>)> = (0..12)
            .map(|i| (format!("b{i}"), if i < 3 { vec![] } else { vec![format!("b{}", i - 3)] }))
            .collect();
        let upstream: Vec<Vec<&str>> =
            blocks.iter().map(|(_, up)| up.iter().map(String::as_str).collect()).collect();
        let named: Vec<_> = blocks
            .iter()
            .zip(&upstream)
            .map(|((name, _), up)| (name.as_str(), up.as_slice(), &[][..]))
            .collect();
        let (plan, run) = bench.plan(&named);
        let name = run.to_string();
        let going = start(&bench.cluster, plan, run, Options::default());
        until("its first Job", async || !bench.job_names().await.is_empty()).await;
        tokio::time::sleep(std::time::Duration::from_millis(400 * round)).await;
        let mut cancel = project.command_on(&bench, &["cancel", &name]);
        let said =
            tokio::task::spawn_blocking(move || Said::new(cancel.output().unwrap())).await.unwrap();
        said.ends(0);
        let (outcome, _) = going.end().await;
        if outcome.exit == Exit::Cancelled {
            assert_eq!(outcome.state, RunState::Cancelled);
            cancelled += 1;
        }
        assert!(outcome.remaining.is_empty(), "{:?}", outcome.remaining);
        assert!(running_pods(&bench).await.is_empty(), "round {round}: {:?}", states(&outcome));
        let api = bench.jobs();
        for job in api.list(&ListParams::default()).await.unwrap() {
            let conditions = job.status.unwrap_or_default().conditions.unwrap_or_default();
            assert!(
                conditions.iter().any(|c| c.type_ == "Complete"),
                "round {round}: {:?}",
                job.metadata.name
            );
        }
        project.run_on(&bench, &["delete", &name]).ends(0);
        assert!(bench.job_names().await.is_empty(), "round {round}");
    }
    assert!(cancelled > 0, "no round was cancelled in its middle");
    if let Some(mut posts) = bench.posts() {
        let all = posts.len();
        posts.dedup();
        assert_eq!(posts.len(), all, "a Job was posted twice");
    }
    assert!(bench.pod_names().await.is_empty());
    bench.end().await;
}

/// Whoever drove it is dead: the plan is marked all the same, and what runs goes.
#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_what_a_dead_driver_left() {
    let Some(bench) = Bench::new("cancel-dead").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "100"), ("STANDIN_SLEEP_right", "100")]);
    let (mut driver, run) = in_the_middle(&project, &bench).await;
    driver.kill().unwrap();
    driver.wait().unwrap();
    project.run_on(&bench, &["cancel", &run]).ends(0).says(&["is cancelled"]);
    assert!(running_pods(&bench).await.is_empty());
    assert_eq!(bench.job_names().await.len(), 1, "the finished one stays");
    let again = project.run_on(&bench, &["cancel", &run]).ends(0);
    assert_eq!(again.stdout, "");

    // It can be gone on with, until somebody cancels it again; no attempt is made twice.
    let resumed = project.start_on(&bench, &["resume", &run]);
    until("two running blocks", async || running_pods(&bench).await.len() == 2).await;
    project.run_on(&bench, &["cancel", &run]).ends(0);
    Said::new(resumed.wait_with_output().unwrap()).ends(6);
    assert!(running_pods(&bench).await.is_empty());
    if let Some(posts) = bench.posts() {
        let mut once = posts.clone();
        once.dedup();
        assert_eq!(once, posts, "a Job was made twice");
        assert_eq!(posts.len(), 1 + 2 + 2, "{posts:#?}");
    }
    bench.end().await;
}

/// Without a plan there is none to mark: the Jobs are marked, and nothing independent starts after.
#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_a_run_without_a_recorded_plan() {
    let Some(bench) = Bench::new("cancel-planless").await else { return };
    let Some(user) = bench.as_context("no-configmaps").await else { return };
    let slow: &[(&str, &str)] = &[("STANDIN_SLEEP", "100")];
    let (plan, run) = bench.plan(&[
        ("done", &[], &[]),
        ("a", &["done"], slow),
        ("b", &[], slow),
        ("c", &[], &[]),
    ]);
    let name = run.to_string();
    let parallel = std::num::NonZeroUsize::new(2).unwrap();
    let options = Options { failure: Failure::KeepGoing, parallel, ..Options::default() };
    let going = start(&user, plan, run, options);
    until("two running pods", async || {
        bench.job_names().await.len() == 3 && running_pods(&bench).await.len() == 2
    })
    .await;
    let project = Project::new(&[]);
    let mut cancel = project.command_on(&bench, &["cancel", &name, "--context", "no-configmaps"]);
    let said =
        tokio::task::spawn_blocking(move || Said::new(cancel.output().unwrap())).await.unwrap();
    assert_eq!(said.ends(0).stdout.lines().count(), 2);
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert_eq!(states(&outcome), ["done Complete", "a Cancelled", "b Cancelled", "c NotStarted"]);
    assert!(running_pods(&bench).await.is_empty());
    assert_eq!(bench.job_names().await.len(), 1);
    bench.end().await;
}

/// Look-alikes: the same names without our labels, a label of ours on somebody else's Job.
fn look_alikes(run: &str) -> Value {
    let job = |name: &str, labels: Value| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels},
            "spec": {"template": {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [{
                "name": "c", "image": "localhost/mage-stand-in:1", "imagePullPolicy": "IfNotPresent", "command": ["true"]}]}}}})
    };
    json!({"apiVersion": "v1", "kind": "List", "items": [
        job(&format!("mage-data-prep-block-{run}-extra"), json!({})),
        job("somebodys", json!({"kubectl-mage/run": run, "kubectl-mage/block": "load"})),
        job("anothers", json!({"kubectl-mage/run": run, "app.kubernetes.io/managed-by": "helm"})),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("mage-run-{run}-notes")}, "data": {"a": "b"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mage-run-notes", "labels": {"kubectl-mage/run": run}}},
    ]})
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_and_prune_take_what_is_ours_and_nothing_else() {
    let Some(bench) = Bench::new("prune").await else { return };
    let project = diamond(&[]);
    let say = "hint: remove the run with: kubectl mage delete ";
    let failing = diamond(&[("STANDIN_FAIL_load", "1")]);
    failing.run_on(&bench, &["run", "etl"]).ends(1).says(&[say]);
    project.run_on(&bench, &["run", "etl"]).ends(0);
    let said = project.run_on(&bench, &["runs", "-o", "name"]).ends(0);
    let runs: Vec<&str> =
        said.stdout.lines().map(|line| line.strip_prefix("run/").unwrap()).collect();
    let [complete, failed] = runs[..] else { panic!("{runs:?}") };
    kubectl_with(
        &bench,
        &["-n", &bench.namespace, "create", "-f", "-"],
        &look_alikes(complete).to_string(),
    )
    .ends(0);
    let foreign = async || {
        let said = project.run_on(&bench, &["runs", "-o", "name"]).ends(0);
        said.stdout.lines().count() == 2
    };
    assert!(foreign().await, "look-alikes are no runs");
    let done = async || bench.pod_names().await.len() == 8 && running_pods(&bench).await.is_empty();
    until("the pods of the look-alikes", done).await;

    let mut protected = project.command_on(&bench, &["prune", "--older-than", "0"]);
    let context = Said::new(kubectl(&bench, &["config", "current-context"]).output().unwrap());
    let config = format!("protected_contexts = [\"{}\"]\n", context.stdout.trim());
    project.write(".config/kubectl-mage/config.toml", &config);
    Said::new(protected.output().unwrap()).ends(2).says(&[
        "is protected",
        "nothing was deleted",
        "hint: pass --yes",
    ]);

    let young = project.run_on(&bench, &["prune", "--older-than", "1d"]).ends(0);
    young.says(&["No run is that old."]);
    let would = project.run_on(&bench, &["prune", "--older-than", "0", "--dry-run"]).ends(0);
    assert_eq!(would.stdout.lines().count(), 5 + 5 + 2, "Jobs, pods, plans: {}", would.stdout);
    assert!(
        ["somebodys", "anothers", "extra", "notes"].iter().all(|name| !would.stdout.contains(name))
    );
    let before = changes(&bench, "admin").map_or(0, |all| all.len());

    project.run_on(&bench, &["delete", failed, "--yes"]).ends(0);
    assert_eq!(plans(&bench).await.len(), 2, "the other plan, and the look-alike");
    let pruned = project.run_on(&bench, &["prune", "--older-than", "0", "--yes"]).ends(0);
    let gone =
        pruned.stdout.lines().all(|line| line.contains(complete) && line.ends_with(" deleted"));
    assert!(gone && pruned.stdout.lines().count() == 4 + 4 + 1, "{}", pruned.stdout);
    let mut left = bench.job_names().await;
    left.sort();
    assert_eq!(
        left,
        [
            "anothers".to_owned(),
            format!("mage-data-prep-block-{complete}-extra"),
            "somebodys".to_owned()
        ]
    );
    assert_eq!(plans(&bench).await, ["mage-run-notes"]);
    assert_eq!(bench.pod_names().await.len(), 3);
    if let Some(all) = changes(&bench, "admin") {
        for change in &all[before..] {
            assert!(change.starts_with("\"delete\" "), "{change}");
            assert!(change.contains(complete) || change.contains(failed), "{change}");
        }
        assert_eq!(all.len() - before, 5 + 2, "Jobs and plans, by the audit log: {all:#?}");
    }
    bench.end().await;
}
