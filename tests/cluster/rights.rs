//! Users who may not do everything.

use kubectl_mage::cluster::ClusterError;
use kubectl_mage::error::CliError;
use kubectl_mage::exit::Exit;
use kubectl_mage::run::Options;

use crate::support::{Bench, logged, notices, start, states};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_nothing_is_told_verb_and_resource() {
    let Some(bench) = Bench::new("nobody").await else { return };
    let Some(nobody) = bench.as_context("nobody").await else { return };
    let (plan, run) = bench.plan(&[("load", &[], &[]), ("clean", &["load"], &[])]);
    let (outcome, _) = start(&nobody, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Cluster);
    assert_eq!(states(&outcome), ["load Refused", "clean Skipped"]);
    let cause = outcome.blocks[0].cause.as_ref().unwrap();
    assert!(cause.sentence.contains("forbidden: cannot create job.batch/"), "{}", cause.sentence);
    assert!(cause.hint.as_ref().unwrap().contains("kubectl auth can-i create jobs.batch"));

    let error = nobody.list_runs(Some(&bench.namespace), None).await.unwrap_err();
    assert!(matches!(error, ClusterError::Forbidden { .. }));
    assert_eq!(CliError::from(error).exit, Exit::Cluster);
    bench.end().await;
}

/// The rights of Mage's Helm chart: Jobs cannot be listed or watched, ConfigMaps not be made.
#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_chart_are_enough() {
    let Some(bench) = Bench::new("chart").await else { return };
    let Some(chart) = bench.as_context("chart").await else { return };
    let (plan, run) =
        bench.plan(&[("load", &[], &[("STANDIN_TEXT", "hello")]), ("clean", &["load"], &[])]);
    let (outcome, events) = start(&chart, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}");
    assert!(logged(&events, "load").contains(&"hello".to_owned()));
    let notices = notices(&events);
    assert_eq!(notices.len(), 2, "{notices:#?}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_config_maps_a_run_has_no_owner() {
    let Some(bench) = Bench::new("no-maps").await else { return };
    let Some(user) = bench.as_context("no-configmaps").await else { return };
    let (plan, run) = bench.plan(&[("load", &[], &[])]);
    let (outcome, events) = start(&user, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine);
    assert!(!outcome.recorded);
    assert_eq!(notices(&events).len(), 1);
    bench.end().await;
}
