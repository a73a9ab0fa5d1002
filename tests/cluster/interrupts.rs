//! Signals.

use kubectl_mage::exit::Exit;
use kubectl_mage::run::{OnInterrupt, Options, RunState, Signal};

use crate::support::{Bench, start, states, until};

const SLOW: &[(&str, &str)] = &[("STANDIN_SLEEP", "120")];

#[tokio::test(flavor = "multi_thread")]
async fn cancel_leaves_no_pod() {
    let Some(bench) = Bench::new("cancel").await else { return };
    let (plan, run) = bench.plan(&[("a", &[], SLOW), ("b", &[], SLOW), ("c", &["a"], &[])]);
    let going = start(&bench.cluster, plan, run, Options::default());
    until("two pods", async || bench.pod_names().await.len() == 2).await;
    going.signals.send(Signal::Terminate).unwrap();
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::Terminated);
    assert_eq!(outcome.state, RunState::Cancelled);
    assert_eq!(states(&outcome), ["a Cancelled", "b Cancelled", "c NotStarted"]);
    assert!(outcome.remaining.is_empty(), "{:?}", outcome.remaining);
    assert!(bench.pod_names().await.is_empty());
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_at_once_leaves_no_pod_either() {
    let Some(bench) = Bench::new("cancel-at-once").await else { return };
    let (plan, run) = bench.plan(&[("a", &[], SLOW), ("b", &[], SLOW)]);
    let going = start(&bench.cluster, plan, run, Options::default());
    // Between POST and pod.
    until("a Job", async || !bench.job_names().await.is_empty()).await;
    going.signals.send(Signal::Interrupt).unwrap();
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::Interrupted);
    assert!(bench.job_names().await.is_empty());
    assert!(bench.pod_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_exits_at_once_and_says_what_remains() {
    let Some(bench) = Bench::new("twice").await else { return };
    let stubborn: &[(&str, &str)] = &[("STANDIN_SLEEP", "120"), ("STANDIN_SIGTERM", "ignore")];
    let (mut plan, run) = bench.plan(&[("a", &[], stubborn)]);
    plan.blocks[0].job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20.into();
    let going = start(&bench.cluster, plan, run, Options::default());
    until("a pod", async || !bench.pod_names().await.is_empty()).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    going.signals.send(Signal::Interrupt).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let second = std::time::Instant::now();
    going.signals.send(Signal::Interrupt).unwrap();
    let (outcome, _) = going.end().await;
    assert!(second.elapsed().as_secs() < 2);
    assert_eq!(outcome.exit, Exit::Interrupted);
    assert_eq!(outcome.remaining.len(), 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_leaves_it_running_and_starts_nothing() {
    let Some(bench) = Bench::new("pause").await else { return };
    let (plan, run) = bench.plan(&[("a", &[], &[("STANDIN_SLEEP", "6")]), ("b", &["a"], &[])]);
    let options = Options { on_interrupt: OnInterrupt::Pause, ..Options::default() };
    let going = start(&bench.cluster, plan, run, options);
    until("a pod", async || bench.pod_names().await.len() == 1).await;
    let asked = std::time::Instant::now();
    going.signals.send(Signal::Interrupt).unwrap();
    let (outcome, _) = going.end().await;
    assert!(asked.elapsed().as_secs() < 2);
    assert_eq!(outcome.exit, Exit::Interrupted);
    assert_eq!(outcome.state, RunState::Paused);
    assert_eq!(states(&outcome), ["a LeftRunning", "b NotStarted"]);
    let done = async || {
        let runs = bench.cluster.list_runs(Some(&bench.namespace), None).await.unwrap();
        runs[0].done == 1
    };
    until("its end without us", done).await;
    assert_eq!(bench.job_names().await.len(), 1);
    bench.end().await;
}
