//! What the binary says of a cluster that refuses or is not there.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, PostParams};
use serde_json::json;

use crate::binary::Said;
use crate::cli_run::{changes, diamond};
use crate::support::{Bench, until};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_nothing_is_told_what_is_missing() {
    let Some(bench) = Bench::new("err-nobody").await else { return };
    if bench.as_context("nobody").await.is_none() {
        bench.end().await;
        return;
    }
    let project = diamond(&[]);
    let said = project.run_on(&bench, &["run", "etl", "--context", "nobody"]).ends(3);
    said.says(&[
        "forbidden: cannot create job.batch/mage-data-prep-block-",
        &format!("in namespace {}", bench.namespace),
        &format!("hint: ask with `kubectl auth can-i create jobs.batch -n {}`", bench.namespace),
        "{apiGroups: [\"batch\"], resources: [\"jobs\"], verbs: [\"create\"]}",
    ]);
    let said = project.run_on(&bench, &["runs", "--context", "nobody"]).ends(3);
    said.says(&["error: forbidden: cannot list jobs", &bench.namespace, "hint: "]);
    assert!(bench.job_names().await.is_empty());
    if let Some(changes) = changes(&bench, "nobody") {
        assert_eq!(changes, Vec::<String>::new());
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_of_the_chart_are_enough_for_the_binary() {
    let Some(bench) = Bench::new("err-chart").await else { return };
    if bench.as_context("chart").await.is_none() {
        bench.end().await;
        return;
    }
    let project = diamond(&[("STANDIN_TEXT_load", "hello")]);
    let said = project.run_on(&bench, &["run", "etl", "--context", "chart"]).ends(0);
    assert!(said.stdout.contains("load   | hello"), "{}", said.stdout);
    assert_eq!(bench.job_names().await.len(), 4);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_config_maps_that_is_said_once() {
    let Some(bench) = Bench::new("err-no-maps").await else { return };
    if bench.as_context("no-configmaps").await.is_none() {
        bench.end().await;
        return;
    }
    let project = diamond(&[]);
    let arguments = ["run", "etl/load", "etl/left", "--context", "no-configmaps"];
    let said = project.run_on(&bench, &arguments).ends(0);
    let said_so =
        said.stderr.lines().filter(|line| line.contains("configmaps is forbidden")).count();
    assert_eq!(said_so, 1, "{}", said.stderr);
    for job in bench.jobs().list(&kube::api::ListParams::default()).await.unwrap() {
        assert!(job.metadata.owner_references.is_none_or(|owners| owners.is_empty()));
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_does_not_exist_is_named() {
    let Some(bench) = Bench::new("err-namespace").await else { return };
    let project = diamond(&[]);
    let mut command = project.command(&["run", "etl", "-n", "no-such-namespace"]);
    let said = Said::new(command.arg("--kubeconfig").arg(&bench.kubeconfig).output().unwrap());
    said.ends(3).says(&["no-such-namespace", "not found", "hint: "]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named_with_a_hint() {
    let project = diamond(&[]);
    // Bound and closed again, so that nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "away",
        "clusters": [{"name": "away", "cluster": {"server": format!("https://127.0.0.1:{port}")}}],
        "users": [{"name": "me", "user": {"token": "none"}}],
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "me"}}],
    });
    let path = project.write("away.json", &kubeconfig.to_string());
    for arguments in [&["run", "etl"][..], &["run", "etl", "--dry-run"], &["runs"], &["render"]] {
        let mut command = project.command(arguments);
        let said = Said::new(command.arg("--kubeconfig").arg(&path).output().unwrap()).ends(3);
        said.says(&["error: cannot reach the API server", &port.to_string(), "hint: "]);
    }
    let said = Said::new(
        project
            .command(&["runs", "--kubeconfig"])
            .arg(&path)
            .args(["--context", "b"])
            .output()
            .unwrap(),
    );
    said.ends(2).says(&["error: ", "no context \"b\"", "hint: it has: away"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_without_pods_ends_in_five() {
    let Some(bench) = Bench::new("err-quota").await else { return };
    let quotas: Api<ResourceQuota> =
        Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let quota = json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    // The quota counts only once its status says so.
    until("the quota's status", async || {
        let status = quotas.get("none").await.unwrap().status;
        status.is_some_and(|status| status.hard.is_some())
    })
    .await;
    let arguments = ["run", "etl", "--pending-timeout", "6s"];
    let said = diamond(&[]).run_on(&bench, &arguments).ends(5);
    said.says(&["quota      none: pods 0 of 0 used", "exceeded quota", "load could not start"]);
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_strict_policy_a_conflict_is_refused_before_anything_is_created() {
    let Some(bench) = Bench::new("err-policy").await else { return };
    let project = diamond(&[]);
    let metadata = std::fs::read_to_string(project.path().join("metadata.yaml")).unwrap();
    project.write("metadata.yaml", &format!("{metadata}  resource_limits:\n    memory: 700Mi\n"));
    let policy = project.write("policy.yaml", "enforce: true\nresource_limits:\n  memory: 600Mi\n");
    let policy = format!("--policy={}", policy.display());
    let arguments = ["run", "etl", "--edition=pro", &policy];
    let said = project.run_on(&bench, &[&arguments[..], &["--strict-policy"]].concat()).ends(2);
    said.says(&[
        "the enforced policy sets `resource_limits.memory` to 600Mi, where the project says 700Mi",
        "metadata.yaml:",
        "policy.yaml:3:11",
        "hint: leave the line out, or ask whoever keeps the policy",
    ]);
    assert!(bench.job_names().await.is_empty());
    if let Some(posts) = bench.posts() {
        assert_eq!(posts, Vec::<String>::new());
    }
    project.run_on(&bench, &arguments).ends(0);
    bench.end().await;
}
