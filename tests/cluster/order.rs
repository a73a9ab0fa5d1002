//! Blocks run in the order the graph asks for, each once.

use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use kubectl_mage::exit::Exit;
use kubectl_mage::run::{Options, RunState};

use crate::support::{Bench, logged, start, states};

#[tokio::test(flavor = "multi_thread")]
async fn a_diamond_runs_in_order_and_every_log_is_whole() {
    let Some(bench) = Bench::new("diamond").await else { return };
    let lines: &[(&str, &str)] = &[("STANDIN_LINES", "3000")];
    let (plan, run) = bench.plan(&[
        ("load", &[], lines),
        ("left", &["load"], &[("STANDIN_SLEEP", "1")]),
        ("right", &["load"], lines),
        ("join", &["left", "right"], &[("STANDIN_TEXT", "joined")]),
    ]);
    let (outcome, events) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}");
    assert_eq!(outcome.state, RunState::Complete);
    assert_eq!(
        states(&outcome),
        ["load Complete", "left Complete", "right Complete", "join Complete"]
    );

    for block in ["load", "right"] {
        let numbered: Vec<String> =
            logged(&events, block).into_iter().filter(|line| line.starts_with("line ")).collect();
        let expected: Vec<String> = (1..=3000).map(|n| format!("line {n} of 3000")).collect();
        assert!(numbered == expected, "{block}: {} lines", numbered.len());
    }
    assert!(logged(&events, "join").contains(&"joined".to_owned()));

    let jobs = bench.jobs().list(&ListParams::default()).await.unwrap().items;
    let times = |block: &str| -> (Timestamp, Timestamp) {
        let job = jobs
            .iter()
            .find(|job| job.metadata.annotations.as_ref().unwrap()["kubectl-mage/block"] == block)
            .unwrap();
        let created = job.metadata.creation_timestamp.as_ref().unwrap().0;
        (created, job.status.as_ref().unwrap().completion_time.as_ref().unwrap().0)
    };
    for (before, after) in
        [("load", "left"), ("load", "right"), ("left", "join"), ("right", "join")]
    {
        assert!(times(before).1 <= times(after).0, "{before} ended before {after} was created");
    }
    let owner = &jobs[0].metadata.owner_references.as_ref().unwrap()[0];
    assert_eq!(owner.kind, "ConfigMap");
    if let Some(posts) = bench.posts() {
        let mut once = bench.job_names().await;
        once.sort();
        assert_eq!(posts, once);
    }
    let runs = bench.cluster.list_runs(Some(&bench.namespace), None).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (runs[0].done, runs[0].total, runs[0].status.to_string().as_str()),
        (4, Some(4), "Complete")
    );
    bench.end().await;
}

/// From a Job's end to the next POST only the network may take time; 50 ms is ten times what it
/// takes here.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_block_is_posted_as_soon_as_one_ends() {
    let Some(bench) = Bench::new("chain").await else { return };
    let (plan, run) =
        bench.plan(&[("a", &[], &[]), ("b", &["a"], &[]), ("c", &["b"], &[]), ("d", &["c"], &[])]);
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine);
    if let Some(mut gaps) = bench.gaps(&["a", "b", "c", "d"]) {
        gaps.sort();
        eprintln!("from end to POST: {gaps:?}");
        assert!(gaps[1].as_millis() < 50, "{gaps:?}");
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_condition_skips_what_depends_on_it() {
    let Some(bench) = Bench::new("condition").await else { return };
    let (plan, run) = bench.plan(&[
        ("load", &[], &[("STANDIN_CONDITION", "false")]),
        ("clean", &["load"], &[]),
        ("other", &[], &[]),
    ]);
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine);
    assert_eq!(states(&outcome), ["load ConditionFalse", "clean Skipped", "other Complete"]);
    bench.end().await;
}
