//! The Mage server's pod: found, read and followed to what its environment names.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use base64::Engine;
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with, objects};
use crate::support::{Bench, until};

/// A project of one pipeline whose Jobs say little of their own.
pub(crate) fn project() -> Project {
    Project::new(&[
        ("metadata.yaml", "k8s_executor_config:\n  resource_limits:\n    cpu: 1000m\n"),
        (
            "pipelines/etl/metadata.yaml",
            "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  upstream_blocks: []\n",
        ),
        ("data_loaders/load.py", ""),
    ])
}

/// A pod that sleeps as Mage's server, with `spec` laid over its container.
pub(crate) fn server(name: &str, label: &str, container: &Value) -> Value {
    let mut server = json!({
        "name": "mage",
        "image": "localhost/mage-stand-in:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "3600"],
    });
    for (key, value) in container.as_object().unwrap() {
        server[key] = value.clone();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": label}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [server]},
    })
}

pub(crate) fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// Creates objects in the namespace of the bench.
pub(crate) async fn apply(bench: &Bench, objects: &[Value]) {
    until("the default service account", || async {
        let account = ["-n", &bench.namespace, "get", "serviceaccount", "default"];
        kubectl(bench, &account).output().unwrap().status.success()
    })
    .await;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    kubectl_with(bench, &["-n", &bench.namespace, "apply", "-f", "-"], &list).ends(0);
}

pub(crate) fn ready(bench: &Bench, pods: &[&str]) {
    let names = pods.iter().map(|name| format!("pod/{name}"));
    let names: Vec<String> = names.collect();
    let mut arguments =
        vec!["-n", &bench.namespace, "wait", "--for=condition=Ready", "--timeout=60s"];
    arguments.extend(names.iter().map(String::as_str));
    Said::new(kubectl(bench, &arguments).output().unwrap()).ends(0);
}

fn job(said: Said) -> Value {
    objects(&said.ends(0).stdout).remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_pods_the_newest_ready_scheduler_is_taken() {
    let Some(bench) = Bench::new("choose").await else { return };
    let project = project();
    let named = |name: &str| json!({"env": [{"name": "WHO", "value": name}]});
    let mut init = server("mageai-scheduler-b", "mageai-scheduler", &named("scheduler-b"));
    init["spec"]["initContainers"] = json!([{
        "name": "first", "image": "localhost/mage-stand-in:1", "imagePullPolicy": "IfNotPresent",
        "command": ["true"], "env": [{"name": "WHO", "value": "init"}],
    }]);
    let mut stuck = server("mageai-scheduler-c", "mageai-scheduler", &named("stuck"));
    stuck["spec"]["nodeSelector"] = json!({"no": "where"});
    apply(&bench, &[server("mageai-scheduler-a", "mageai-scheduler", &named("scheduler-a"))]).await;
    ready(&bench, &["mageai-scheduler-a"]);
    let seconds = || async {
        // Creation is told in seconds, and the newer of two must be told by it.
        let get = ["-n", &bench.namespace, "get", "pods", "-o", "json"];
        let pods = objects(&Said::new(kubectl(&bench, &get).output().unwrap()).stdout);
        let created = pods[0]["metadata"]["creationTimestamp"].as_str().unwrap().to_owned();
        let now = k8s_openapi::jiff::Timestamp::now();
        now.as_second() > created.parse::<k8s_openapi::jiff::Timestamp>().unwrap().as_second()
    };
    until("the next second", seconds).await;
    apply(&bench, &[init, stuck, server("mageai-web", "mageai", &named("web"))]).await;
    ready(&bench, &["mageai-scheduler-b", "mageai-web"]);

    let said = project.run_on(&bench, &["render", "-o", "json"]).says(&[
        "server pod mageai-scheduler-b in namespace",
        "(the newest ready scheduler; 3 passed over: mageai-scheduler-a (ready scheduler), mageai-scheduler-c (not ready scheduler), mageai-web (ready))",
    ]);
    let env = job(said)["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(env[0], json!({"name": "WHO", "value": "scheduler-b"}));

    // A pod that is being deleted is not chosen, also where it is the newest and still ready.
    let patch = r#"{"metadata":{"finalizers":["kubectl-mage.test/hold"]}}"#;
    let pod = "mageai-scheduler-b";
    let on = |rest: &[&str]| {
        let arguments = [&["-n", bench.namespace.as_str()], rest].concat();
        Said::new(kubectl(&bench, &arguments).output().unwrap()).ends(0)
    };
    on(&["patch", "pod", pod, "--type=merge", "-p", patch]);
    on(&["delete", "pod", pod, "--wait=false"]);
    let said = project.run_on(&bench, &["render", "-o", "json"]);
    on(&["patch", "pod", pod, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    let said = said.says(&[
        "server pod mageai-scheduler-a in namespace",
        "mageai-scheduler-b (terminating scheduler)",
    ]);
    drop(job(said));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_followed_to_config_maps_and_secrets() {
    let Some(bench) = Bench::new("follow").await else { return };
    let project = project();
    let secret = |name: &str, data: &Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
    let container = json!({
        "envFrom": [
            {"configMapRef": {"name": "mage-env"}},
            {"secretRef": {"name": "quiet"}},
            {"secretRef": {"name": "telling"}},
            {"configMapRef": {"name": "none", "optional": true}}
        ],
        "env": [
            {"name": "KUBE_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "MAGE_CLUSTER_UUID", "valueFrom": {"configMapKeyRef": {"name": "mage-env", "key": "uuid"}}},
            {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "quiet", "key": "password"}}},
            {"name": "K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY", "valueFrom": {"secretKeyRef": {"name": "limits", "key": "memory"}}},
            {"name": "K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_MEMORY", "value": "$(SIZE)Mi"}
        ]
    });
    apply(
        &bench,
        &[
            config_map("mage-env", &json!({"uuid": "blue", "SIZE": "64", "K8S_EXECUTOR_DEFAULT_SERVICE_ACCOUNT_NAME": "low"})),
            secret("quiet", &json!({"password": "hunter2", "OTHER": "hunter2"})),
            secret("telling", &json!({"K8S_EXECUTOR_DEFAULT_SERVICE_ACCOUNT_NAME": "etl"})),
            secret("limits", &json!({"memory": "2Gi"})),
            server("mage-0", "mageai", &container),
        ],
    )
    .await;
    ready(&bench, &["mage-0"]);
    let job = job(project.run_on(&bench, &["render", "-o", "json"]));
    assert!(job["metadata"]["name"].as_str().unwrap().starts_with("blue-"), "{job}");
    assert_eq!(job["metadata"]["namespace"], bench.namespace.as_str());
    let spec = &job["spec"]["template"]["spec"];
    assert_eq!(spec["serviceAccountName"], "etl");
    assert_eq!(spec["containers"][0]["resources"]["limits"]["memory"], "2Gi");
    assert_eq!(spec["containers"][0]["resources"]["requests"]["memory"], "64Mi");
    let said = project.run_on(&bench, &["explain-config", "etl/load", "service_account_name"]);
    assert!(said.stdout.contains("pod mage-0, container mage, secret/telling:K8S"), "{said:?}");
    // The Secret that decides nothing is asked for its metadata alone.
    assert_eq!(secret_reads(&bench), Some(vec!["limits".to_owned(), "telling".to_owned()]));

    // Whoever may not read them is told which variable is not known, and gets on with a flag.
    let mut nobody = project.command_on(&bench, &["render", "--context", "viewer"]);
    let said = Said::new(nobody.output().unwrap()).ends(0).says(&[
        "takes its variables from secret/telling too, which are not known: forbidden",
        "K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY of the server pod comes from secret/limits:memory, which is not known: forbidden",
        "pass --server-env K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY=",
    ]);
    assert!(!said.stderr.contains("DB_PASSWORD"), "{}", said.stderr);
    bench.end().await;
}

/// Returns the Secrets of the namespace whose values were read by the binary, by the audit log's
/// requests that did not ask for metadata alone; none where there is no audit log.
fn secret_reads(bench: &Bench) -> Option<Vec<String>> {
    let log = bench.kubeconfig.with_file_name("audit.log");
    let text = std::fs::read_to_string(log).ok()?;
    let reads = text.lines().filter(|line| line.contains(&bench.namespace)).filter_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        let agent = entry["userAgent"].as_str()?;
        let is_read = entry["verb"] == "get"
            && entry["objectRef"]["resource"] == "secrets"
            && agent.starts_with("kubectl-mage/");
        is_read.then(|| entry["objectRef"]["name"].as_str().unwrap_or_default().to_owned())
    });
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    reads.for_each(|name| *counts.entry(name).or_default() += 1);
    // The audit log does not tell the Accept header: of `telling`, metadata and value are read.
    let commands = counts.get("limits").copied().unwrap_or(1);
    let values = counts.into_iter().filter(|(name, count)| match name.as_str() {
        "quiet" | "telling" => *count > commands,
        _ => true,
    });
    Some(values.map(|(name, _)| name).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn template_and_policy_are_followed_to_what_is_mounted() {
    let Some(bench) = Bench::new("mounted").await else { return };
    let project = project();
    let template = "metadata:\n  labels:\n    team: data\n";
    let policy = "enabled: true\nenforce: true\nresource_limits:\n  memory: 3Gi\n";
    let mut pod = server(
        "mage-0",
        "mageai",
        &json!({
            "env": [
                {"name": "K8S_CONFIG_FILE", "value": "/etc/mage/$(NAME).yaml"},
                {"name": "NAME", "value": "late"},
                {"name": "K8S_DEFAULT_CONFIG_PATH", "value": "/etc/both/policy.yaml"}
            ],
            "volumeMounts": [
                {"name": "template", "mountPath": "/etc/mage"},
                {"name": "both", "mountPath": "/etc/both"}
            ]
        }),
    );
    // The name must come before it is used.
    pod["spec"]["containers"][0]["env"].as_array_mut().unwrap().swap(0, 1);
    pod["spec"]["volumes"] = json!([
        {"name": "template", "configMap": {"name": "template", "items": [{"key": "t", "path": "late.yaml"}]}},
        {"name": "both", "projected": {"sources": [
            {"configMap": {"name": "template"}},
            {"secret": {"name": "policy", "items": [{"key": "p", "path": "policy.yaml"}]}}
        ]}}
    ]);
    let encoded = base64::engine::general_purpose::STANDARD.encode(template);
    apply(
        &bench,
        &[
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "template"}, "binaryData": {"t": encoded}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "policy"}, "stringData": {"p": policy}}),
            pod,
        ],
    )
    .await;
    ready(&bench, &["mage-0"]);
    let said = project.run_on(&bench, &["explain-config", "etl/load"]).ends(0);
    for source in ["configmap/template:t:3:11", "secret/policy:p:4:11"] {
        assert!(said.stdout.contains(source), "{source}\n{}", said.stdout);
    }
    let mut viewer = project.command_on(&bench, &["render", "--context", "viewer"]);
    Said::new(viewer.output().unwrap()).ends(2).says(&[
        "cannot read /etc/both/policy.yaml, which env K8S_DEFAULT_CONFIG_PATH (pod mage-0, container mage) names: forbidden: cannot get secret/policy",
        "hint: copy the file here and pass --policy FILE",
    ]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_container_is_named_by_the_environment() {
    let Some(bench) = Bench::new("container").await else { return };
    let project = project();
    let mut pod = server(
        "mage-0",
        "mageai",
        &json!({"env": [
            {"name": "WHO", "value": "mage"},
            {"name": "MAGE_CONTAINER_NAME", "valueFrom": {"configMapKeyRef": {"name": "names", "key": "c"}}}
        ]}),
    );
    let mut proxy = pod["spec"]["containers"][0].clone();
    proxy["name"] = "proxy".into();
    proxy["env"] = json!([{"name": "WHO", "value": "proxy"}]);
    pod["spec"]["containers"].as_array_mut().unwrap().insert(0, proxy);
    let mut dead = pod.clone();
    dead["metadata"]["name"] = "mage-dead".into();
    dead["metadata"]["labels"] = json!({});
    dead["spec"]["containers"][1]["env"][1] = json!(
        {"name": "MAGE_CONTAINER_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    );
    apply(&bench, &[config_map("names", &json!({"c": "mage"})), pod, dead]).await;
    ready(&bench, &["mage-0"]);
    let who = |said: Said| {
        job(said)["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"].clone()
    };
    let said = project.run_on(&bench, &["render", "-o", "json"]).says(&["container mage: Jobs"]);
    assert_eq!(who(said), "mage");
    let by_hand = ["render", "-o", "json", "--server-env", "MAGE_CONTAINER_NAME=proxy"];
    assert_eq!(who(project.run_on(&bench, &by_hand)), "proxy");
    let said = project.run_on(&bench, &["render", "-o", "json", "--server-pod", "mage-dead"]).says(&[
        "MAGE_CONTAINER_NAME is `mage-dead`, which names no container of pod/mage-dead: the first one, `proxy`, is used",
        "set it to one of: proxy, mage",
    ]);
    assert_eq!(who(said), "proxy");
    project
        .run_on(&bench, &["render", "--server-pod", "mage0"])
        .ends(3)
        .says(&["pods \"mage0\" not found", "hint: did you mean `mage-0`?"]);
    project
        .run_on(&bench, &["render", "--server-pod", "nothing-near"])
        .ends(3)
        .says(&["hint: known: mage-0, mage-dead"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_policy_is_noticed() {
    let Some(bench) = Bench::new("stale").await else { return };
    let project = project();
    let mut pod = server(
        "mage-0",
        "mageai",
        &json!({
            "env": [{"name": "K8S_DEFAULT_CONFIG_PATH", "value": "/etc/mage/policy.yaml"}],
            "volumeMounts": [{"name": "p", "mountPath": "/etc/mage/policy.yaml", "subPath": "config.yaml"}]
        }),
    );
    pod["spec"]["volumes"] = json!([{"name": "p", "configMap": {"name": "policy"}}]);
    let policy = |memory: &str| {
        config_map(
            "policy",
            &json!({"config.yaml": format!("resource_limits:\n  memory: {memory}\n")}),
        )
    };
    apply(&bench, &[policy("1Gi"), pod]).await;
    ready(&bench, &["mage-0"]);
    let said = project.run_on(&bench, &["render"]).ends(0);
    assert!(!said.stderr.contains("was changed at"), "{}", said.stderr);
    let pods =
        ["-n", &bench.namespace, "get", "pod", "mage-0", "-o", "jsonpath={.status.startTime}"];
    let started = Said::new(kubectl(&bench, &pods).output().unwrap()).stdout;
    let start: k8s_openapi::jiff::Timestamp = started.parse().unwrap();
    until("the next second", || async {
        k8s_openapi::jiff::Timestamp::now().as_second() > start.as_second()
    })
    .await;
    // Labels are no change of the policy.
    let label = ["-n", &bench.namespace, "label", "configmap", "policy", "a=b"];
    Said::new(kubectl(&bench, &label).output().unwrap()).ends(0);
    let said = project.run_on(&bench, &["render"]).ends(0);
    assert!(!said.stderr.contains("was changed at"), "{}", said.stderr);
    apply(&bench, &[policy("2Gi")]).await;
    project.run_on(&bench, &["render"]).ends(0).says(&[
        "configmap/policy:config.yaml was changed at 20",
        &format!("after pod/mage-0 started at {started}; it is mounted at /etc/mage/policy.yaml with subPath, which is never refreshed: the file in force may be the older one"),
    ]);
    bench.end().await;
}
