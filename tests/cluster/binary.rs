//! The program itself, as people run it, against a real cluster.

use std::path::Path;
use std::process::{Command, Output};

use kubectl_mage::cluster::run_selector;
use serde_json::Value as Json;

use crate::support::Bench;

const PROJECT: &str = "k8s_executor_config:\n  container_config:\n    image: localhost/mage-stand-in:1\n    env:\n    - {name: STANDIN_FAIL_BLOCKS, value: FAILS}\n";
const PIPELINE: &str = "executor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n- {uuid: left, type: transformer, upstream_blocks: [load]}\n- {uuid: right, type: transformer, upstream_blocks: [load]}\n- {uuid: export, type: data_exporter, upstream_blocks: [left, right]}\n";

/// A diamond of stand-in blocks, of which those named fail.
fn diamond(fails: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("pipelines/etl");
    std::fs::create_dir_all(&pipeline).unwrap();
    std::fs::write(folder.path().join("metadata.yaml"), PROJECT.replace("FAILS", fails)).unwrap();
    std::fs::write(pipeline.join("metadata.yaml"), PIPELINE).unwrap();
    folder
}

/// Makes the command line; no environment but a home without defaults.
fn binary(bench: &Bench, project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-mage"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("KUBECONFIG", bench.kubeconfig())
        .env("KUBECTL_MAGE_PROJECT", project)
        .args(["-n", &bench.namespace]);
    command
}

fn run(bench: &Bench, project: &Path, arguments: &[&str]) -> Output {
    binary(bench, project, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diamond_runs_and_is_listed() {
    let Some(bench) = Bench::new("binary").await else { return };
    let project = diamond("");
    let output = run(&bench, project.path(), &["run", "etl"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    for part in ["namespace  ", "image      localhost/mage-stand-in:1", "4 of 4 blocks complete"] {
        assert!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    assert!(
        text(&output.stdout).lines().any(|line| line.starts_with("load") && line.contains(" | "))
    );
    let listed = text(&run(&bench, project.path(), &["runs", "--no-headers"]).stdout);
    assert!(listed.contains("Complete") && listed.contains("4/4"), "{listed}");
    let other = ["runs", "-o", "name", "-l", "kubectl-mage/pipeline=other"];
    assert_eq!(text(&run(&bench, project.path(), &other).stdout), "");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_block_is_exit_1_and_its_dependents_are_skipped() {
    let Some(bench) = Bench::new("binary").await else { return };
    let project = diamond("left");
    let output = run(&bench, project.path(), &["run", "etl", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let events: Vec<Json> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    for key in ["time", "kind", "run"] {
        assert!(events.iter().all(|event| !event[key].is_null()), "{key}");
    }
    let state = |block: &str, state: &str| {
        events.iter().any(|event| event["block"] == block && event["state"] == state)
    };
    assert!(state("left", "Failed") && state("export", "Skipped") && !state("export", "Created"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_pulled_is_exit_5() {
    let Some(bench) = Bench::new("binary").await else { return };
    let project = diamond("");
    let arguments = ["run", "etl/load", "--image", "localhost/none:1", "--pending-timeout", "3s"];
    // The project names an image too, and the flag is the higher layer.
    let output = run(&bench, project.path(), &arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("localhost/none:1") && stderr.contains("load"), "{stderr}");
    assert_eq!(bench.job_names().await, Vec::<String>::new());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_creates_nothing() {
    let Some(bench) = Bench::new("binary").await else { return };
    let project = diamond("");
    let output = run(&bench, project.path(), &["run", "etl", "--dry-run"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("critical path  load -> left -> export"), "{stderr}");
    assert_eq!(bench.job_names().await, Vec::<String>::new());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_nothing_is_told_so() {
    let Some(bench) = Bench::new("binary").await else { return };
    if bench.as_context("nobody").await.is_none() {
        return;
    }
    let project = diamond("");
    let arguments = ["run", "etl", "--context", "nobody", "--server-pod", "none"];
    let output = run(&bench, project.path(), &arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("cannot create job") && stderr.contains(&bench.namespace), "{stderr}");
    assert_eq!(bench.job_names().await, Vec::<String>::new());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_owns_the_jobs_and_they_carry_their_labels() {
    let Some(bench) = Bench::new("binary").await else { return };
    let project = diamond("");
    let arguments = ["run", "etl", "--skip-type", "data_exporter", "-q"];
    let output = run(&bench, project.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let listed = text(&run(&bench, project.path(), &["runs", "-o", "name"]).stdout);
    let run_id = listed.trim().strip_prefix("run/").unwrap();
    let jobs =
        bench.cluster.list_jobs(Some(&bench.namespace), &run_selector(run_id)).await.unwrap();
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        let labels = job.metadata.labels.unwrap();
        assert_eq!(labels["app.kubernetes.io/managed-by"], "kubectl-mage");
        assert_eq!(labels["kubectl-mage/pipeline"], "etl");
        assert!(job.metadata.name.unwrap().contains(run_id));
        let owners = job.metadata.owner_references.unwrap();
        assert_eq!(owners[0].name, format!("mage-run-{run_id}"));
    }
    bench.end().await;
}

/// Genuine Mage in the pods: real data frames from block to block, and the right result.
#[tokio::test(flavor = "multi_thread")]
async fn genuine_mage_passes_data_from_pod_to_pod() {
    let Some(bench) = Bench::new("genuine").await else { return };
    let Some((cluster, data)) = bench.local_cluster() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = tempfile::tempdir().unwrap();
    let shop = copy.path().join("shop");
    let copied = Command::new("cp").arg("-r").arg(root.join("examples/shop")).arg(&shop).status();
    assert!(copied.unwrap().success());
    let server = Command::new(root.join("tests/local-cluster/mage-server"))
        .args(["--stand-in", "--name", &cluster, "--namespace", &bench.namespace, "--project"])
        .arg(&shop)
        .output()
        .unwrap();
    assert!(server.status.success(), "{}", text(&server.stderr));
    let output = run(&bench, &shop, &["run", "orders"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}\n{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("3 customers made 70% of 5024.05"));
    let report = std::fs::read_to_string(data.join("reports/orders.csv")).unwrap();
    assert!(report.lines().count() > 7, "{report}");
    bench.end().await;
}

/// As kubectl calls it.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_the_plugin() {
    let Some(bench) = Bench::new("plugin").await else { return };
    if bench.local_cluster().is_none() {
        return;
    }
    let kubectl = bench.kubeconfig().with_file_name("bin").join("kubectl");
    let plugin = Path::new(env!("CARGO_BIN_EXE_kubectl-mage")).parent().unwrap();
    let output = Command::new(kubectl)
        .args(["mage", "version"])
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("PATH", plugin)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("kubectl-mage "), "{}", text(&output.stdout));
    bench.end().await;
}
