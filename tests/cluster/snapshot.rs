//! `snapshot`, and that a command says with it what it says live.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::binary::{Project, Said};
use crate::schema::fits;
use crate::server_pod::{apply, config_map, project, ready, server};
use crate::support::Bench;

const TEMPLATE: &str = "metadata:\n  labels:\n    team: data\ncontainer:\n  env:\n  - {name: T_PASSWORD, value: hunter2}\n  - name: LAST\n    value: plain\n";
const POLICY: &str = "enabled: true\nenforce: true\nresource_limits:\n  memory: 3Gi\n";

/// Creates a server's pod with everything that a snapshot must follow or mask.
async fn rich_server(bench: &Bench, template: &str) {
    let mut pod = server(
        "mage-0",
        "mageai",
        &json!({
            "args": [],
            "command": ["sh", "-c", "sleep 3600; mage start /home/src/shop --password hunter2"],
            "envFrom": [{"configMapRef": {"name": "mage-env"}}, {"secretRef": {"name": "mage-secret"}}],
            "env": [
                {"name": "KUBE_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                {"name": "DB_PASSWORD", "value": "hunter2"},
                {"name": "DB_URL", "value": "postgres://mage:hunter2@db:5432/mage"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "mage-secret", "key": "token"}}},
                {"name": "K8S_CONFIG_FILE", "value": "/etc/mage/template.yaml"},
                {"name": "K8S_DEFAULT_CONFIG_PATH", "value": "/etc/mage/policy.yaml"}
            ],
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/mage/template.yaml", "subPath": "template.yaml"},
                {"name": "config", "mountPath": "/etc/mage/policy.yaml", "subPath": "policy.yaml"},
                {"name": "data", "mountPath": "/data"}
            ]
        }),
    );
    pod["metadata"]["annotations"] = json!({"note": "hunter2"});
    pod["spec"]["volumes"] = json!([
        {"name": "config", "configMap": {"name": "mage-config"}},
        {"name": "data", "emptyDir": {}}
    ]);
    pod["spec"]["tolerations"] = json!([{"key": "etl", "operator": "Exists"}]);
    let files = json!({"template.yaml": template, "policy.yaml": POLICY});
    apply(
        bench,
        &[
            config_map("mage-config", &files),
            config_map("mage-env", &json!({"MAGE_CLUSTER_UUID": "blue", "PASSPHRASE_TOKEN": "hunter2"})),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mage-secret"}, "stringData": {"token": "hunter2"}}),
            pod,
        ],
    )
    .await;
    ready(bench, &["mage-0"]);
}

fn snapshot(project: &Project, bench: &Bench, flags: &[&str]) -> Said {
    project.run_on(bench, &[&["snapshot"], flags].concat()).ends(0)
}

/// Every view that must not tell a snapshot from a cluster. (`--all` does: it asks a cluster for its
/// defaults.)
const VIEWS: [&[&str]; 11] = [
    &["render"],
    &["render", "-o", "json"],
    &["render", "-o", "name"],
    &["lint"],
    &["lint", "-o", "json"],
    &["explain-config"],
    &["explain-config", "-o", "json"],
    &["explain-config", "etl/load", "--overridden"],
    &["explain-config", "etl/load", "--layers"],
    &["explain-config", "etl/load", "--why", "resource_limits.memory"],
    &["explain-config", "etl/load", "--why", "container.env"],
];

/// Runs each view live and by the snapshot, offline and with a kubeconfig of no server, and
/// compares every byte of stdout and the exit code.
fn compare(project: &Project, bench: &Bench, flags: &[&str]) {
    let closed = project.write("closed-kubeconfig", &closed_kubeconfig());
    for view in VIEWS {
        // A snapshot is all that a cluster says, which lint asks only when told to.
        let asks: &[&str] = if view[0] == "lint" { &["--live"] } else { &[] };
        let live = project.run_on(bench, &[view, flags, asks].concat());
        let mut command = project.command(view);
        command.args(flags).args(["--snapshot", "snap.json", "--offline", "-n", &bench.namespace]);
        let file = Said::new(command.arg("--kubeconfig").arg(&closed).output().unwrap());
        assert_eq!(file.code, live.code, "{view:?}\n{}\n{}", live.stderr, file.stderr);
        assert_eq!(file.stdout, live.stdout, "{view:?}");
        assert!(file.stderr.contains("the snapshot snap.json stands for the cluster"), "{view:?}");
        // Without --offline too nothing is asked.
        let mut command = project.command(view);
        command.args(flags).args(["--snapshot", "snap.json", "-n", &bench.namespace]);
        let open = Said::new(command.arg("--kubeconfig").arg(&closed).output().unwrap());
        assert_eq!((open.code, &open.stdout), (file.code, &file.stdout), "{}", open.stderr);
    }
}

/// A cluster at a port where nobody listens.
fn closed_kubeconfig() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: elsewhere}}}}]\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{port}'}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_says_what_the_cluster_says() {
    let Some(bench) = Bench::new("snapshot").await else { return };
    let project = project();
    let template = TEMPLATE.replace("hunter2", "\"\"");
    rich_server(&bench, &template).await;
    let said = snapshot(&project, &bench, &[]).says(&["secret values masked in it: 3"]);
    assert!(!said.stdout.contains("hunter2"), "{}", said.stdout);
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(fits(&json, &kubectl_mage::ui::snapshot_schema()), Ok(()));
    project.write("snap.json", &said.stdout);
    compare(
        &project,
        &bench,
        &[
            "--server-env",
            "DB_PASSWORD=hunter2",
            "--server-env",
            "DB_URL=postgres://mage:hunter2@db:5432/mage",
        ],
    );
    // What needs no secret needs no flag.
    let flags = ["explain-config", "etl/load", "-o", "json"];
    let live = project.run_on(&bench, &flags).ends(0).stdout;
    assert!(live.contains("configmap/mage-config:policy.yaml"), "{live}");
    let file = project
        .run_offline(&[&flags[..], &["--snapshot", "snap.json", "-n", &bench.namespace]].concat());
    assert_eq!(file.ends(0).stdout, live);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_state_gives_the_same_bytes_in_both_formats() {
    let Some(bench) = Bench::new("same-bytes").await else { return };
    let project = project();
    rich_server(&bench, TEMPLATE).await;
    // Namespaces of other tests come and go.
    let steady = |text: &str| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        assert!(value["existingNamespaces"].take().as_array().unwrap().len() > 3);
        serde_json::to_string(&value).unwrap()
    };
    let first = snapshot(&project, &bench, &[]);
    let second = snapshot(&project, &bench, &[]);
    assert_eq!(steady(&first.stdout), steady(&second.stdout));
    for noise in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        assert!(!first.stdout.contains(&format!("\"{noise}\"")), "{noise}");
    }
    project.write("snap.json", &first.stdout);
    project.write("snap.yaml", &snapshot(&project, &bench, &["-o", "yaml"]).stdout);
    let by = |file: &str| {
        let said = project.run_offline(&["explain-config", "-o", "json", "--snapshot", file]);
        said.ends(0).stdout
    };
    assert_eq!(by("snap.json"), by("snap.yaml"));
    let value: Value = serde_json::from_str(&first.stdout).unwrap();
    let facts = &value["namespaces"][&bench.namespace];
    assert_eq!(facts["exists"], true);
    assert_eq!(facts["secrets"], json!(["mage-secret"]));
    assert_eq!(facts["configMaps"], json!(["kube-root-ca.crt", "mage-config", "mage-env"]));
    assert_eq!(facts["serviceAccounts"][0]["name"], "default");
    assert!(value["nodes"][0]["allocatable"]["cpu"].is_string());
    assert!(value["priorityClasses"].as_array().unwrap().len() >= 2);
    assert!(value["serverVersion"].as_str().unwrap().starts_with("v1."));
    assert_eq!(value["unreadable"], json!([]));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_never_holds_a_mask() {
    let Some(bench) = Bench::new("masks").await else { return };
    let project = project();
    project.write(
        "metadata.yaml",
        "k8s_executor_config:\n  metadata:\n    annotations:\n      via: \"x-{{ env_var('PASSPHRASE_TOKEN') }}\"\n",
    );
    rich_server(&bench, TEMPLATE).await;
    let said = snapshot(&project, &bench, &[]);
    assert!(!said.stdout.contains("hunter2"), "{}", said.stdout);
    project.write("snap.json", &said.stdout);
    let by = |flags: &[&str]| project.run_offline(&[flags, &["--snapshot", "snap.json"]].concat());
    let said = by(&["render"]).ends(2).says(&[
        "DB_PASSWORD of the server pod is masked in the snapshot snap.json, and the Job would hold the mask",
        "hint: pass --server-env DB_PASSWORD=VALUE",
        "hint: pass --server-env DB_URL=VALUE",
        "hint: pass --server-env PASSPHRASE_TOKEN=VALUE",
        "a value of configmap/mage-config:template.yaml is masked in the snapshot",
        "hint: copy configmap/mage-config:template.yaml here and pass --template FILE",
    ]);
    assert_eq!(said.stdout, "");
    // Views for people go on, with the mask.
    let said = by(&["explain-config", "etl/load"]).ends(0);
    assert!(said.stdout.contains("***") && !said.stdout.contains("hunter2"), "{}", said.stdout);
    assert!(by(&["render", "--mask"]).ends(0).stdout.contains("value: \"***\""));
    // With what is missing given by hand, the Job is the live one but for where its values are from.
    let template = project.write("template.yaml", TEMPLATE);
    let given = [
        "render",
        "--template",
        template.to_str().unwrap(),
        "--server-env",
        "DB_PASSWORD=hunter2",
        "--server-env",
        "DB_URL=postgres://mage:hunter2@db:5432/mage",
        "--server-env",
        "PASSPHRASE_TOKEN=hunter2",
    ];
    let live = project.run_on(&bench, &["render"]).ends(0).stdout;
    assert!(live.contains("x-hunter2"), "{live}");
    let file = project
        .run_offline(&[&given[..], &["--snapshot", "snap.json", "-n", &bench.namespace]].concat());
    assert_eq!(file.ends(0).stdout, live);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_and_is_in_a_secret_must_be_given() {
    let Some(bench) = Bench::new("withheld").await else { return };
    let project = project();
    let mut pod = server(
        "mage-0",
        "mageai",
        &json!({
            "env": [
                {"name": "MAGE_CLUSTER_UUID", "valueFrom": {"secretKeyRef": {"name": "s", "key": "uuid"}}},
                {"name": "K8S_DEFAULT_CONFIG_PATH", "value": "/etc/mage/policy.yaml"}
            ],
            "volumeMounts": [{"name": "p", "mountPath": "/etc/mage"}]
        }),
    );
    pod["spec"]["volumes"] = json!([{"name": "p", "secret": {"secretName": "s"}}]);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
        "stringData": {"uuid": "crimson", "policy.yaml": POLICY}});
    apply(&bench, &[secret, pod]).await;
    ready(&bench, &["mage-0"]);
    let live = project.run_on(&bench, &["render"]).ends(0).stdout;
    assert!(live.contains("crimson") && live.contains("3Gi"), "{live}");
    let said = snapshot(&project, &bench, &[]);
    assert!(!said.stdout.contains("crimson") && !said.stdout.contains("3Gi"), "{}", said.stdout);
    project.write("snap.json", &said.stdout);
    let policy = project.write("policy.yaml", POLICY);
    let base = ["render", "--snapshot", "snap.json", "-n", &bench.namespace];
    project.run_offline(&base).ends(2).says(&[
        "cannot read /etc/mage/policy.yaml",
        "it is in secret/s:policy.yaml, and a snapshot holds no value of a Secret",
    ]);
    let with_policy = [&base[..], &["--policy", policy.to_str().unwrap()]].concat();
    project.run_offline(&with_policy).ends(2).says(&[
        "MAGE_CLUSTER_UUID of the server pod comes from secret/s:uuid, and the snapshot snap.json holds no value of a Secret",
        "hint: pass --server-env MAGE_CLUSTER_UUID=VALUE",
    ]);
    let all = [&with_policy[..], &["--server-env", "MAGE_CLUSTER_UUID=crimson"]].concat();
    assert_eq!(project.run_offline(&all).ends(0).stdout, live);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_read_little_gets_a_snapshot_that_says_so() {
    let Some(bench) = Bench::new("little").await else { return };
    if bench.as_context("viewer").await.is_none() {
        return;
    }
    let project = project();
    rich_server(&bench, &TEMPLATE.replace("hunter2", "\"\"")).await;
    let said = snapshot(&project, &bench, &["--context", "viewer"]).says(&[
        &format!(
            "cannot list limitranges in namespace {}: what depends on them stays unknown",
            bench.namespace
        ),
        "cannot list nodes: what depends on them stays unknown",
        "cannot list priorityclasses.scheduling.k8s.io",
    ]);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    let facts = &value["namespaces"][&bench.namespace];
    assert_eq!((&facts["limitRanges"], &facts["secrets"]), (&Value::Null, &Value::Null));
    assert!(facts["configMaps"].as_array().unwrap().contains(&json!("mage-config")));
    assert!(value["unreadable"].as_array().unwrap().iter().any(|gap| {
        gap["verb"] == "get" && gap["resource"] == "namespaces" && gap["namespace"].is_null()
    }));
    // What may not be read makes no difference to a Job: live and by the file it is the same.
    project.write("snap.json", &said.stdout);
    let flags = ["explain-config", "etl/load", "-o", "json", "--context", "viewer"];
    let live = project.run_on(&bench, &flags).ends(0).stdout;
    let file = [
        "explain-config",
        "etl/load",
        "-o",
        "json",
        "--snapshot",
        "snap.json",
        "-n",
        &bench.namespace,
    ];
    assert_eq!(project.run_offline(&file).ends(0).stdout, live);

    let said = project.run_on(&bench, &["snapshot", "--context", "nobody"]).ends(0);
    said.says(&[
        "the server's pod was not looked for: forbidden: cannot list pods",
        "has a Mage server pod is not known: Jobs inherit from none",
    ]);
    project.run_on(&bench, &["snapshot", "--offline"]).ends(2).says(&["hint: leave out --offline"]);
    bench.end().await;
}

/// With the pod that the local cluster's own script makes, of the genuine server's shape.
#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_server_is_the_same_by_a_snapshot() {
    let Some(bench) = Bench::new("genuine-snapshot").await else { return };
    let folder = bench.kubeconfig.parent().unwrap();
    if !folder.join("pids/kubelet").exists() {
        eprintln!("skipped: {} is of no cluster of tests/local-cluster", folder.display());
        bench.end().await;
        return;
    }
    let home = project();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local-cluster/mage-server");
    let mut command = Command::new(script);
    command.arg("--name").arg(folder.file_name().unwrap());
    command.args(["--namespace", &bench.namespace, "--stand-in-blocks"]);
    command.arg("--project").arg(home.path()).arg("--data").arg(home.path().join("data"));
    command.args([
        "--env",
        "API_TOKEN=hunter2",
        "--env",
        "K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY=1Gi",
    ]);
    Said::new(command.output().unwrap()).ends(0);
    let said = snapshot(&home, &bench, &[]);
    assert!(!said.stdout.contains("hunter2"), "{}", said.stdout);
    home.write("snap.json", &said.stdout);
    compare(&home, &bench, &["--server-env", "API_TOKEN=hunter2"]);
    bench.end().await;
}
