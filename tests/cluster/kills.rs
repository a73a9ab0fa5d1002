//! kill -9 at any moment of a run, then `resume` from a folder that knows nothing.
//!
//! The judges are the API server's audit log and the containers that started, not what is left.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use tokio::sync::Semaphore;

use crate::binary::{Project, Said};
use crate::chance::{number, random};
use crate::resume::{elsewhere, kill, made_once};
use crate::support::Bench;

/// How many runs are killed; `make test-long` kills more.
const KILLS: u64 = 5;
/// How many of them go on side by side.
const AT_ONCE: usize = 5;
const SEED: u64 = 20_261_125;
const BLOCKS: usize = 10;

/// One block, eight that need it, and one that needs those.
fn wide_diamond() -> Project {
    let mut blocks =
        "type: python\nexecutor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n".to_owned();
    let middle: Vec<String> = (1..=8).map(|n| format!("middle{n}")).collect();
    for name in &middle {
        let _ = writeln!(blocks, "- {{uuid: {name}, type: transformer, upstream_blocks: [load]}}");
    }
    let _ = writeln!(
        blocks,
        "- {{uuid: export, type: data_exporter, upstream_blocks: [{}]}}",
        middle.join(", ")
    );
    let settings = "k8s_executor_config:\n  container_config:\n    \
        image: localhost/mage-stand-in:1\n    env:\n    - {name: STANDIN_SLEEP, value: '0.5'}\n";
    Project::new(&[("metadata.yaml", settings), ("pipelines/wide/metadata.yaml", &blocks)])
}

/// Kills a run when so many of its Jobs stand and a moment later, and ends it by `resume`.
async fn kill_one(when: usize, later: Duration) {
    let Some(bench) = Bench::new("kill").await else { return };
    let project = wide_diamond();
    let child = project.start_on(&bench, &["run", "wide", "--parallel=4", "--server-pod=none"]);
    loop {
        let jobs = bench.job_names().await.len();
        if jobs >= when && (when > 0 || !plans(&bench).await.is_empty()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(later).await;
    kill(child);
    let folder = elsewhere();
    let mut resume = folder.command_on(&bench, &["resume", "@latest"]);
    let output = tokio::task::spawn_blocking(move || resume.output().unwrap()).await.unwrap();
    Said::new(output).ends(0);
    made_once(&bench, BLOCKS);
    // A name is free again only when its Job is deleted: nobody did.
    for entry in bench.audit().unwrap_or_default() {
        let deleted = entry["verb"] == "delete" && entry["objectRef"]["resource"] == "jobs";
        assert!(!deleted, "{entry}");
    }
    let starts = starts(&bench).await;
    assert_eq!(starts.len(), BLOCKS, "{starts:?}");
    assert!(starts.values().all(|&times| times == 1), "a block ran twice: {starts:?}");
    bench.end().await;
}

async fn plans(bench: &Bench) -> Vec<String> {
    let known = bench.cluster.known_runs(&bench.namespace).await.unwrap();
    known.into_iter().map(|known| known.run).collect()
}

/// Returns how often a container of each block started.
async fn starts(bench: &Bench) -> BTreeMap<String, i32> {
    let api: Api<Pod> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let mut starts = BTreeMap::new();
    for pod in api.list(&ListParams::default()).await.unwrap() {
        let block = pod.metadata.annotations.unwrap()["kubectl-mage/block"].clone();
        let statuses = pod.status.and_then(|status| status.container_statuses).unwrap_or_default();
        *starts.entry(block).or_default() +=
            statuses.iter().map(|status| 1 + status.restart_count).sum::<i32>();
    }
    starts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_moment_is_ended_by_resume() {
    let mut state = number("KUBECTL_MAGE_TEST_SEED", SEED);
    let kills = number("KUBECTL_MAGE_TEST_KILLS", KILLS);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut going = Vec::new();
    for _ in 0..kills {
        let when = usize::try_from(random(&mut state, BLOCKS as u64 + 1)).unwrap();
        let later = Duration::from_millis(random(&mut state, 700));
        let places = Arc::clone(&places);
        let task = tokio::spawn(async move {
            let _place = places.acquire().await.unwrap();
            kill_one(when, later).await;
        });
        going.push((when, later, task));
    }
    let mut failed = Vec::new();
    for (when, later, task) in going {
        if task.await.is_err() {
            failed.push(format!("after {when} Jobs and {later:?}"));
        }
    }
    let seed = number("KUBECTL_MAGE_TEST_SEED", SEED);
    assert!(failed.is_empty(), "KUBECTL_MAGE_TEST_SEED={seed}: killed {}", failed.join("; "));
}
