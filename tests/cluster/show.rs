//! For people: what a run looks like. `cargo test --test cluster show -- --ignored --nocapture`.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use kubectl_mage::run::{self, Options, Output, Signals};
use kubectl_mage::ui::{ColorWhen, Printer, RunReporter, Verbosity};

use crate::support::{Bench, fresh};

async fn show(output: Output) {
    let Some(bench) = Bench::new("show").await else { return };
    let (mut plan, run) = bench.plan(&[
        ("load", &[], &[("STANDIN_LINES", "3"), ("STANDIN_SLEEP", "2")]),
        ("left", &["load"], &[("STANDIN_TEXT", "\u{1b}[31mred\u{1b}[0m"), ("STANDIN_SLEEP", "3")]),
        ("right", &["load"], &[("STANDIN_FAIL", "1"), ("STANDIN_SLEEP", "1")]),
        ("stuck", &["load"], &[]),
        ("join", &["left", "right"], &[]),
    ]);
    plan.blocks[3].job["spec"]["template"]["spec"]["nodeSelector"] =
        serde_json::json!({"no": "where"});
    let options = Options {
        output,
        pending_timeout: std::time::Duration::from_secs(8),
        ..Options::default()
    };
    let printer = Printer::new(ColorWhen::Auto, Verbosity::Normal);
    let (events, reporter) = RunReporter::start(printer, &plan, &run, output);
    let signals = Signals::listen().unwrap();
    let begin = fresh(&plan, &run, &options);
    match run::execute(&bench.cluster, &plan, &run, &options, begin, signals, events).await {
        Ok(outcome) => reporter.finish(&outcome),
        Err(error) => {
            reporter.abandon();
            printer.error(&error.into());
        }
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "for people to look at"]
async fn show_text() {
    show(Output::Text).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "for people to look at"]
async fn show_json() {
    show(Output::Json).await;
}
