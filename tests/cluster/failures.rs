//! What goes wrong in a block, and what it does to the others.

use std::time::Duration;

use kube::api::{DeleteParams, ListParams};
use kubectl_mage::error::CliError;
use kubectl_mage::exit::Exit;
use kubectl_mage::run::{self, BlockState, EventKind, Failure, Logs, Options, RunEvent, Signals};

use crate::support::{Bench, fresh, logged, start, states, until};

const FAILS: &[(&str, &str)] = &[("STANDIN_FAIL", "1")];

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_stops_what_has_not_started() {
    let Some(bench) = Bench::new("fail-fast").await else { return };
    let (plan, run) = bench.plan(&[
        ("load", &[], FAILS),
        ("slow", &[], &[("STANDIN_SLEEP", "4")]),
        ("clean", &["load"], &[]),
        ("after_slow", &["slow"], &[]),
    ]);
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::No);
    assert_eq!(
        states(&outcome),
        ["load Failed", "slow Complete", "clean Skipped", "after_slow Skipped"]
    );
    let load = &outcome.blocks[0];
    assert_eq!(
        load.cause.as_ref().unwrap().sentence,
        "ValueError: stand-in was told to fail in load (ended with exit code 1)"
    );
    assert!(load.tail.iter().any(|line| line.contains("Traceback")), "{:?}", load.tail);
    assert_eq!(bench.job_names().await.len(), 2);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_going_runs_the_rest() {
    let Some(bench) = Bench::new("keep-going").await else { return };
    let (plan, run) = bench.plan(&[
        ("load", &[], FAILS),
        ("slow", &[], &[]),
        ("clean", &["load"], &[]),
        ("after_slow", &["slow"], &[]),
    ]);
    let options = Options { failure: Failure::KeepGoing, ..Options::default() };
    let (outcome, _) = start(&bench.cluster, plan, run, options).end().await;
    assert_eq!(outcome.exit, Exit::No);
    assert_eq!(
        states(&outcome),
        ["load Failed", "slow Complete", "clean Skipped", "after_slow Complete"]
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_out_of_memory_kill_is_named_with_its_limit() {
    let Some(bench) = Bench::new("memory").await else { return };
    let (mut plan, run) = bench.plan(&[("load", &[], &[("STANDIN_EAT_MEMORY", "all")])]);
    plan.blocks[0].job["spec"]["template"]["spec"]["containers"][0]["resources"] =
        serde_json::json!({"limits": {"memory": "48Mi"}});
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::No);
    let cause = outcome.blocks[0].cause.as_ref().unwrap();
    assert_eq!(cause.sentence, "was killed for using more than its memory limit of 48Mi");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_does_not_come_ends_in_five() {
    let Some(bench) = Bench::new("image").await else { return };
    let (mut plan, run) = bench.plan(&[("load", &[], &[]), ("clean", &["load"], &[])]);
    plan.blocks[0].job["spec"]["template"]["spec"]["containers"][0]["image"] =
        "localhost:1/no/such:image".into();
    let options = Options { image_grace: Duration::from_secs(3), ..Options::default() };
    let (outcome, events) = start(&bench.cluster, plan, run, options).end().await;
    assert_eq!(outcome.exit, Exit::CouldNotStart, "{outcome:#?}");
    assert_eq!(states(&outcome), ["load CouldNotStart", "clean Skipped"]);
    assert!(events.iter().any(|event| event.kind == EventKind::Block(BlockState::Pending)));
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unschedulable_pod_says_why_and_ends_in_five() {
    let Some(bench) = Bench::new("pending").await else { return };
    let (mut plan, run) = bench.plan(&[("load", &[], &[])]);
    plan.blocks[0].job["spec"]["template"]["spec"]["nodeSelector"] =
        serde_json::json!({"no-such": "node"});
    let options = Options { pending_timeout: Duration::from_secs(4), ..Options::default() };
    let (outcome, _) = start(&bench.cluster, plan, run, options).end().await;
    assert_eq!(outcome.exit, Exit::CouldNotStart);
    let cause = &outcome.blocks[0].cause.as_ref().unwrap().sentence;
    assert!(cause.contains("--pending-timeout") && cause.contains("Unschedulable"), "{cause}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_on_pods_is_told_from_the_events_of_the_job() {
    let Some(bench) = Bench::new("quota").await else { return };
    let quotas: kube::Api<k8s_openapi::api::core::v1::ResourceQuota> =
        kube::Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let quota = serde_json::json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    quotas
        .create(&kube::api::PostParams::default(), &serde_json::from_value(quota).unwrap())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (plan, run) = bench.plan(&[("load", &[], &[])]);
    let options = Options { pending_timeout: Duration::from_secs(6), ..Options::default() };
    let (outcome, _) = start(&bench.cluster, plan, run, options).end().await;
    assert_eq!(outcome.exit, Exit::CouldNotStart);
    let cause = &outcome.blocks[0].cause.as_ref().unwrap().sentence;
    assert!(cause.contains("FailedCreate") && cause.contains("exceeded quota"), "{cause}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_deleted_underneath_is_no_success() {
    let Some(bench) = Bench::new("gone").await else { return };
    let (plan, run) = bench.plan(&[
        ("first", &[], &[]),
        ("load", &["first"], &[("STANDIN_SLEEP", "60")]),
        ("clean", &["load"], &[]),
    ]);
    let name = plan.blocks[1].job_name().to_owned();
    let going = start(&bench.cluster, plan, run, Options::default());
    until("the second Job", async || bench.job_names().await.len() == 2).await;
    bench.jobs().delete(&name, &DeleteParams::background()).await.unwrap();
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::No);
    assert_eq!(states(&outcome), ["first Complete", "load Gone", "clean Skipped"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_plan_is_a_cancel_by_somebody_else() {
    let Some(bench) = Bench::new("cancelled").await else { return };
    let (plan, run) =
        bench.plan(&[("load", &[], &[("STANDIN_SLEEP", "60")]), ("clean", &["load"], &[])]);
    let record = kubectl_mage::run::record_name(run.as_str());
    let going = start(&bench.cluster, plan, run, Options::default());
    until("a Job", async || bench.job_names().await.len() == 1).await;
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    maps.delete(&record, &DeleteParams::background()).await.unwrap();
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert_eq!(states(&outcome), ["load Cancelled", "clean NotStarted"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_never_taken_over() {
    let Some(bench) = Bench::new("taken").await else { return };
    let (plan, run) = bench.plan(&[("load", &[], &[])]);
    let mut other = plan.blocks[0].job.clone();
    other["metadata"]["labels"]["kubectl-mage/run"] = "other".into();
    other["metadata"]["annotations"]["kubectl-mage/run"] = "other".into();
    bench.cluster.create_job(&bench.namespace, &other).await.unwrap();
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Cluster);
    assert_eq!(states(&outcome), ["load Refused"]);
    assert!(
        outcome.blocks[0]
            .cause
            .as_ref()
            .unwrap()
            .sentence
            .ends_with("is taken by a Job of run other")
    );
    assert_eq!(bench.jobs().list(&ListParams::default()).await.unwrap().items.len(), 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timeout_deletes_what_runs() {
    let Some(bench) = Bench::new("timeout").await else { return };
    let (plan, run) = bench.plan(&[("load", &[], &[("STANDIN_SLEEP", "60")])]);
    let options = Options { timeout: Some(Duration::from_secs(3)), ..Options::default() };
    let going = start(&bench.cluster, plan, run, options);
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert!(outcome.remaining.is_empty(), "{:?}", outcome.remaining);
    assert!(bench.pod_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_shown_and_the_job_decides() {
    let Some(bench) = Bench::new("attempts").await else { return };
    let (mut plan, run) = bench.plan(&[("load", &[], FAILS), ("clean", &["load"], &[])]);
    plan.blocks[0].job["spec"]["backoffLimit"] = 1.into();
    let options = Options { logs: Logs::Failed, ..Options::default() };
    let (outcome, events) = start(&bench.cluster, plan, run, options).end().await;
    assert_eq!(outcome.exit, Exit::No);
    let load = &outcome.blocks[0];
    assert_eq!(load.attempts, 2);
    let sentence = &load.cause.as_ref().unwrap().sentence;
    assert!(sentence.ends_with("in the last of 2 attempts"), "{sentence}");
    for attempt in [1, 2] {
        let shown = |event: &RunEvent| {
            matches!(event.kind, EventKind::Log(_)) && event.attempt == Some(attempt)
        };
        assert!(events.iter().any(shown), "attempt {attempt}");
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_named_and_the_last_lines_are_kept() {
    let Some(bench) = Bench::new("deadline").await else { return };
    let slow: &[(&str, &str)] = &[("STANDIN_SLEEP", "60"), ("STANDIN_TEXT", "still here")];
    let (mut plan, run) = bench.plan(&[("load", &[], slow)]);
    plan.blocks[0].job["spec"]["activeDeadlineSeconds"] = 4.into();
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::No);
    let load = &outcome.blocks[0];
    let sentence = &load.cause.as_ref().unwrap().sentence;
    assert_eq!(sentence, "took longer than its deadline (activeDeadlineSeconds: 4)");
    assert!(load.tail.contains(&"still here".to_owned()), "{:?}", load.tail);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_deletes_itself_when_done_is_complete() {
    let Some(bench) = Bench::new("ttl").await else { return };
    let (mut plan, run) = bench.plan(&[("load", &[], &[]), ("clean", &["load"], &[])]);
    for block in &mut plan.blocks {
        block.job["spec"]["ttlSecondsAfterFinished"] = 0.into();
    }
    let (outcome, _) = start(&bench.cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine);
    assert_eq!(states(&outcome), ["load Complete", "clean Complete"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_not_there_is_an_error_before_anything() {
    let Some(bench) = Bench::new("absent").await else { return };
    let (mut plan, run) = bench.plan(&[("load", &[], &[])]);
    plan.blocks[0].namespace = "no-such-namespace".to_owned();
    plan.blocks[0].job["metadata"]["namespace"] = "no-such-namespace".into();
    let (_signals, none) = Signals::by_hand();
    let (events, _received) = run::channel();
    let options = Options::default();
    let begin = fresh(&plan, &run, &options);
    let error =
        run::execute(&bench.cluster, &plan, &run, &options, begin, none, events).await.unwrap_err();
    let error = CliError::from(error);
    assert_eq!(error.exit, Exit::Cluster);
    assert!(error.to_string().contains("no-such-namespace"), "{error}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_runs_longer_than_its_timeout_is_ended_and_failed() {
    let Some(bench) = Bench::new("block-timeout").await else { return };
    let slow: &[(&str, &str)] = &[("STANDIN_SLEEP", "300"), ("STANDIN_TEXT", "working")];
    let (mut plan, run) = bench.plan(&[("load", &[], slow), ("clean", &["load"], &[])]);
    plan.blocks[0].timeout = Some(3);
    let options = Options { retries: 1, ..Options::default() };
    let (outcome, events) = start(&bench.cluster, plan, run, options).end().await;
    assert_eq!(outcome.exit, Exit::No, "{outcome:#?}");
    assert_eq!(states(&outcome), ["load TimedOut", "clean Skipped"]);
    let cause = &outcome.blocks[0].cause.as_ref().unwrap().sentence;
    assert!(cause.starts_with("ran longer than its `timeout` of 3 s; job.batch/"), "{cause}");
    let told = events.iter().filter(|event| event.reason.as_deref() == Some("BlockTimeout"));
    assert_eq!(told.count(), 2, "one for each attempt: {events:#?}");
    let said = logged(&events, "load");
    assert_eq!(said.iter().filter(|line| *line == "working").count(), 2, "{said:?}");
    until("its pods are gone", || async { bench.pod_names().await.is_empty() }).await;
    assert!(bench.job_names().await.is_empty());
    if let Some(posts) = bench.posts() {
        assert_eq!(posts.len(), 2, "{posts:?}");
    }
    bench.end().await;
}
