//! What a pod without Mage's database cannot do is refused with its place, before any cluster is
//! asked for anything. That genuine Mage does go wrong there is shown in `tests/cluster/kinds.rs`.

use crate::support::{binary, fixture, run_command};

/// Returns what `run` says where there is no cluster.
fn refused(target: &str) -> String {
    refused_with(target, &[])
}

fn refused_with(target: &str, flags: &[&str]) -> String {
    let project = fixture("kinds");
    let mut command = binary(&["run", target, "--server-pod", "none", "--image", "i", "--project"]);
    run_command(command.arg(project).args(flags)).fails(2)
}

#[test]
fn nothing_is_left_out_of_one_job_in_silence() {
    let said = refused_with("one_process", &["--skip-type", "data_exporter"]);
    assert!(said.contains("--skip-type cannot leave out block `show`"), "{said}");
}

#[test]
fn a_data_integration_runs_where_its_stream_is_named() {
    let stream = r#"{"selected_streams": ["orders"], "index": 0, "is_last_block_run": true}"#;
    let said = refused_with("integration", &["--template-runtime-configuration", stream]);
    assert!(!said.contains("is a data integration") && said.contains("kubeconfig"), "{said}");
}

#[test]
fn what_needs_the_database_is_refused_with_its_place() {
    for (target, told) in [
        (
            "dynamic",
            &["dynamic/metadata.yaml:15:21", "block `double` runs once for each child"][..],
        ),
        ("dynamic", &["metadata.yaml:21:21", "block `total` runs once for each child"]),
        ("dynamic/total", &["metadata.yaml:21:21", "block `total` runs once for each child"]),
        ("dynamic_in_one_process", &["block `double` runs once for each child"]),
        (
            "conditional_in_one_process",
            &[
                "conditional `is_empty` would not be asked",
                "kubectl mage run conditional_in_one_process/double --upstream",
            ],
        ),
        ("callback_in_one_process", &["callback `tell` would not be called"]),
        (
            "unreached",
            &["block `double` would never run", "add `double` to the `downstream_blocks`"],
        ),
        ("product", &["block `report` is a global data product"]),
        ("integration", &["integration/metadata.yaml:7:9", "is a data integration"]),
    ] {
        let said = refused(target);
        for text in told {
            assert!(said.contains(text), "{target}: no {text:?} in:\n{said}");
        }
    }
}

#[test]
fn what_a_pod_can_do_alone_is_not_refused() {
    for target in ["dynamic/numbers", "conditional", "one_process", "streaming", "replica"] {
        // The next step is the cluster, which is not there.
        let said = refused(target);
        assert!(!said.contains("database: a pod") && said.contains("kubeconfig"), "{said}");
    }
}
