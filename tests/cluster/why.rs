//! `why`: causes of death and of waiting, each made on the cluster, and what it costs to say them.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use kube::api::{Api, ListParams, PostParams};
use kubectl_mage::run::RunId;
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with};
use crate::cli_run::diamond;
use crate::schema::fits;
use crate::slow_proxy::SlowProxy;
use crate::support::{Bench, until, until_within};

/// Makes a Job as the Mage server makes one; `change` is merged into its container and `pod` into
/// the pod.
fn server_job(name: &str, block: &str, container: &Value, pod: &Value) -> Value {
    let mut main = json!({
        "name": "mage-data",
        "image": "localhost/mage-stand-in:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/app/run_app.sh", "mage", "run", "/home/src/etl", "etl", "--block-uuid", block,
            "--executor-type", "local_python", "--execution-partition", "1/20261125T000000",
            "--block-run-id", "17", "--pipeline-run-id", "4"],
    });
    merge(&mut main, container);
    let mut spec =
        json!({"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [main]});
    merge(&mut spec, pod);
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    })
}

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().unwrap() {
        into[key] = value.clone();
    }
}

fn env(name: &str, value: &str) -> Value {
    json!({"env": [{"name": name, "value": value}]})
}

fn with(mut container: Value, more: &Value) -> Value {
    merge(&mut container, more);
    container
}

async fn create(bench: &Bench, job: Value) {
    bench
        .jobs()
        .create(&PostParams::default(), &serde_json::from_value(job).unwrap())
        .await
        .unwrap();
}

/// Returns what `why SUBJECT -o json` says of the first block.
fn told(project: &Project, bench: &Bench, subject: &str) -> Value {
    let said = project.run_on(bench, &["why", subject, "-o", "json"]).ends(0);
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(fits(&told, &kubectl_mage::ui::why_schema()), Ok(()));
    told["blocks"][0].clone()
}

/// Waits until `why` gives each of these Jobs the reason and a sentence that holds the text; every cause has a remedy.
async fn causes(project: &Project, bench: &Bench, expected: &[(&str, &str, &str)]) {
    for (job, reason, text) in expected {
        let said = async || {
            let cause = told(project, bench, &format!("job/{job}"))["cause"].clone();
            cause["reason"] == *reason
                && cause["sentence"].as_str().is_some_and(|sentence| sentence.contains(text))
                && cause["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty())
        };
        until(&format!("{job}: {reason}: {text}"), said).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_is_told_from_its_pod() {
    let Some(bench) = Bench::new("why-start").await else { return };
    let project = Project::new(&[]);
    let none = json!({});
    let key = json!({"env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "warehouse", "key": "password"}}}]});
    let absent = json!({"env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "absent", "key": "password"}}}]});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "warehouse"}, "stringData": {"a": "b"}});
    kubectl_with(&bench, &["-n", &bench.namespace, "create", "-f", "-"], &secret.to_string())
        .ends(0);
    let mount = json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    let settings = json!({"volumes": [{"name": "data", "configMap": {"name": "settings"}}]});
    let claim =
        json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]});
    for (name, container, pod) in [
        ("image", json!({"image": "localhost:1/no/such:image"}), none.clone()),
        ("image-name", json!({"image": "No Such"}), none.clone()),
        ("secret", absent, none.clone()),
        ("key", key, none.clone()),
        ("selector", none.clone(), json!({"nodeSelector": {"workload": "batch"}})),
        ("cpu", json!({"resources": {"requests": {"cpu": "640"}}}), none.clone()),
        ("claim", mount.clone(), claim),
        ("mount", mount, settings),
        ("account", none.clone(), json!({"serviceAccountName": "etl"})),
    ] {
        create(&bench, server_job(name, "load", &container, &pod)).await;
    }
    let mut suspended = server_job("suspended", "load", &none, &none);
    suspended["spec"]["suspend"] = true.into();
    create(&bench, suspended).await;
    causes(&project, &bench, &[
        ("image", "ImagePullBackOff", "the image localhost:1/no/such:image cannot be pulled: the registry does not answer"),
        ("image-name", "InvalidImageName", "the image's name \"No Such\" is no valid name"),
        ("secret", "CreateContainerConfigError", "Secret absent, which the pod needs, does not exist"),
        ("key", "CreateContainerConfigError", "Secret warehouse has no key password"),
        ("selector", "Unschedulable", "the labels of its node selector (workload=batch)"),
        ("cpu", "Unschedulable", "too little free cpu (it asks for 640)"),
        ("claim", "Unschedulable", "PersistentVolumeClaim data does not exist"),
        ("mount", "FailedMount", "volume data needs ConfigMap settings"),
        ("account", "FailedCreate", "ServiceAccount etl does not exist"),
        ("suspended", "Suspended", "the Job is suspended"),
    ])
    .await;
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_is_told_from_pod_events_and_log() {
    let Some(bench) = Bench::new("why-died").await else { return };
    let project = Project::new(&[]);
    let none = json!({});
    let limit = json!({"resources": {"limits": {"memory": "48Mi"}}});
    let all = env("STANDIN_EAT_MEMORY", "all");
    let child = json!({"env": [
        {"name": "STANDIN_EAT_MEMORY", "value": "all"}, {"name": "STANDIN_FORK", "value": "1"},
        {"name": "STANDIN_EXIT", "value": "1"},
    ]});
    let script = |text: &str| json!({"command": ["/bin/sh", "-c", text, "mage run /p etl"]});
    let full = json!({"volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}]});
    for (name, container, pod) in [
        ("traceback", env("STANDIN_FAIL", "1"), none.clone()),
        ("exit", env("STANDIN_EXIT", "3"), none.clone()),
        ("absent", script("no-such-program"), none.clone()),
        ("killed", script("exit 137"), none.clone()),
        ("crashed", script("exit 139"), none.clone()),
        ("memory", with(all, &limit), none.clone()),
        ("child", with(child, &limit), none.clone()),
        ("program", json!({"command": ["/no/such", "mage", "run", "/p", "etl"]}), none.clone()),
        ("evicted", env("STANDIN_SLEEP", "100"), none.clone()),
        (
            "init",
            none.clone(),
            json!({"initContainers": [{"name": "fetch", "image": "localhost/mage-stand-in:1",
            "imagePullPolicy": "IfNotPresent", "command": ["/bin/sh", "-c", "exit 6"]}]}),
        ),
        (
            "full",
            json!({"command": ["/bin/sh", "-c", "head -c 3000000 /dev/zero > /data/f; sleep 100", "mage run /p etl"],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
            full,
        ),
    ] {
        create(&bench, server_job(name, "load", &container, &pod)).await;
    }
    let mut late = server_job("late", "load", &env("STANDIN_SLEEP", "100"), &none);
    late["spec"]["activeDeadlineSeconds"] = 2.into();
    create(&bench, late).await;
    let mut never = server_job("never", "load", &none, &json!({"nodeSelector": {"no": "node"}}));
    never["spec"]["activeDeadlineSeconds"] = 4.into();
    create(&bench, never).await;
    evict(&bench, "evicted").await;
    causes(
        &project,
        &bench,
        &[
            (
                "traceback",
                "Error",
                "ValueError: stand-in was told to fail in load (ended with exit code 1)",
            ),
            ("exit", "Error", "ended with exit code 3"),
            ("absent", "Error", "ended with exit code 127"),
            ("killed", "Error", "was ended by SIGKILL, exit code 137"),
            ("crashed", "Error", "was ended by SIGSEGV, exit code 139"),
            ("memory", "OOMKilled", "was killed for using more than its memory limit of 48Mi"),
            (
                "child",
                "OOMKilled",
                "a process of it was killed for using more than its memory limit of 48Mi",
            ),
            ("program", "StartError", "/no/such is not in the image"),
            ("evicted", "PodDeleted", "was stopped and deleted from outside: evicted"),
            ("init", "Error", "init container fetch ended with exit code 6"),
            (
                "late",
                "DeadlineExceeded",
                "took longer than its deadline (activeDeadlineSeconds: 2)",
            ),
            ("never", "DeadlineExceeded", "and never started: no node takes the pod"),
        ],
    )
    .await;
    let traceback = told(&project, &bench, "job/traceback");
    assert_eq!(traceback["cause"]["remedy"], "see line 12 of the block, in load");
    assert!(
        traceback["lastLines"]
            .as_array()
            .unwrap()
            .iter()
            .any(|l| l == "Traceback (most recent call last):")
    );
    let full = async || told(&project, &bench, "job/full")["cause"]["reason"] == "Evicted";
    // The kubelet looks at volumes once in a while.
    until_within(120, "the kubelet's eviction", full).await;
    bench.end().await;
}

/// Evicts the pod of a Job by the API, once it runs.
async fn evict(bench: &Bench, job: &str) {
    let pods: Api<k8s_openapi::api::core::v1::Pod> =
        Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let of_job = ListParams::default().labels(&format!("job-name={job}"));
    let running = async || {
        let found = pods.list(&of_job).await.unwrap().items;
        found.iter().any(|pod| pod.status.as_ref().unwrap().phase.as_deref() == Some("Running"))
    };
    until("a running pod", running).await;
    let name = pods.list(&of_job).await.unwrap().items[0].metadata.name.clone().unwrap();
    pods.evict(&name, &kube::api::EvictParams::default()).await.unwrap();
}

/// Quota, LimitRange and Pod Security only show in the events of the Job.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_may_make_no_pod_is_told_from_its_events() {
    let Some(bench) = Bench::new("why-refused").await else { return };
    let project = Project::new(&[]);
    let objects = [
        (
            "quota",
            json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"},
            "spec": {"hard": {"requests.cpu": "100m"}}}),
        ),
        (
            "range",
            json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team"},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}}),
        ),
    ];
    for (_, object) in &objects {
        kubectl_with(&bench, &["-n", &bench.namespace, "create", "-f", "-"], &object.to_string())
            .ends(0);
    }
    let quota = || async {
        let status = kubectl(
            &bench,
            &[
                "-n",
                &bench.namespace,
                "get",
                "resourcequota",
                "team",
                "-o",
                "jsonpath={.status.hard}",
            ],
        );
        let mut status = status;
        !Said::new(status.output().unwrap()).stdout.is_empty()
    };
    until("the quota's status", quota).await;
    let none = json!({});
    let asks = json!({"resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "32Mi"}}});
    let wants = json!({"resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "1Gi"}}});
    create(&bench, server_job("quota", "load", &asks, &none)).await;
    create(&bench, server_job("range", "load", &wants, &none)).await;
    causes(&project, &bench, &[
        ("quota", "FailedCreate", "quota team leaves no room: the pod asks for requests.cpu=500m"),
        ("range", "FailedCreate", "a LimitRange of the namespace refuses the pod: maximum memory usage per Container is 64Mi"),
    ])
    .await;
    kubectl(&bench, &["-n", &bench.namespace, "delete", "resourcequota/team", "limitrange/team"])
        .output()
        .unwrap();
    let level = "pod-security.kubernetes.io/enforce=restricted";
    Said::new(kubectl(&bench, &["label", "namespace", &bench.namespace, level]).output().unwrap())
        .ends(0);
    create(&bench, server_job("secure", "load", &none, &none)).await;
    causes(&project, &bench, &[
        ("secure", "FailedCreate", "the namespace enforces Pod Security level restricted, which the pod violates: allowPrivilegeEscalation"),
    ])
    .await;
    bench.end().await;
}

/// The Mage server's Jobs are found by their command, also by pipeline and block, and events tell of
/// those that it deleted.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_the_mage_server_are_told_while_they_are_there_and_after() {
    let Some(bench) = Bench::new("why-server").await else { return };
    let project = Project::new(&[]);
    let (fails, none) = (env("STANDIN_FAIL", "1"), json!({}));
    create(&bench, server_job("mage-data-prep-block-16", "load", &none, &none)).await;
    create(&bench, server_job("mage-data-prep-block-17", "clean", &fails, &none)).await;
    let failed = async || told(&project, &bench, "etl/clean")["state"] == "Failed";
    until("the failure", failed).await;
    for subject in ["etl@4", "etl/clean", "etl"] {
        let block = told(&project, &bench, subject);
        assert_eq!(block["block"], "clean", "{subject}");
        assert_eq!(block["job"], "mage-data-prep-block-17", "{subject}");
        let cause = block["cause"]["sentence"].as_str().unwrap();
        assert!(
            cause.starts_with("ValueError: stand-in was told to fail in clean"),
            "{subject}: {cause}"
        );
    }
    let said = project.run_on(&bench, &["why", "etl/clean"]).ends(0);
    for text in ["pipeline run etl@4", "cause: ValueError:", "hint: see line 12", "  | Traceback"] {
        assert!(said.stdout.contains(text), "no {text:?} in\n{}", said.stdout);
    }
    let rows = || project.run_on(&bench, &["runs", "--no-headers"]).ends(0).stdout;
    until("the end of the other", async || !rows().contains("Running")).await;
    assert!(rows().starts_with("etl@4   etl   server   Failed   1/?"), "{}", rows());
    let status = project.run_on(&bench, &["status", "etl@4", "-o", "json"]).ends(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let items = status["items"].as_array().unwrap().iter();
    let rows: Vec<String> =
        items.map(|item| format!("{} {}", item["block"], item["state"])).collect();
    assert_eq!(rows, [r#""load" "Complete""#, r#""clean" "Failed""#]);

    let delete = ["-n", &bench.namespace, "delete", "job", "mage-data-prep-block-17", "--wait"];
    Said::new(kubectl(&bench, &delete).output().unwrap()).ends(0);
    let gone = async || told(&project, &bench, "job/mage-data-prep-block-17")["state"] == "Gone";
    until("its end", gone).await;
    let said = project.run_on(&bench, &["why", "job/mage-data-prep-block-17"]).ends(0);
    for text in ["failed and was deleted", "not known: its exit code", "BackoffLimitExceeded"] {
        assert!(said.stdout.contains(text), "no {text:?} in\n{}", said.stdout);
    }
    bench.end().await;
}

/// At most five requests, in at most two round trips, none of them discovery.
#[tokio::test(flavor = "multi_thread")]
async fn status_and_why_cost_five_requests_in_two_round_trips() {
    let Some(bench) = Bench::new("why-cost").await else { return };
    let log = bench.kubeconfig.with_file_name("audit.log");
    if !log.exists() {
        eprintln!("skipped: no audit log");
        return;
    }
    let project = diamond(&[("STANDIN_FAIL_left", "1")]);
    project.run_on(&bench, &["run", "etl"]).ends(1);
    let none = json!({});
    create(&bench, server_job("quota", "load", &none, &json!({"serviceAccountName": "none"})))
        .await;
    let latest = project.run_on(&bench, &["runs", "-o", "json"]).ends(0);
    let runs: Value = serde_json::from_str(&latest.stdout).unwrap();
    assert_eq!(fits(&runs, &kubectl_mage::ui::runs_schema()), Ok(()));
    let runs = runs["items"].as_array().unwrap().iter();
    let run = runs.clone().find(|run| run["source"] == "run").unwrap()["run"].as_str().unwrap();
    let proxy = SlowProxy::start(bench.cluster.server()).await;
    for arguments in [
        ["status", run],
        ["status", "@latest"],
        ["status", "etl@4"],
        ["why", run],
        ["why", "@latest"],
        ["why", "etl/left"],
        ["why", "etl@4"],
        ["why", "job/quota"],
    ] {
        let requests = cost(&bench, &project, &proxy, arguments).await;
        // The log of what failed cannot be asked for before it is known what failed.
        if arguments == ["why", run] {
            assert!(requests.iter().any(|(_, trip, _)| *trip == 2), "{requests:#?}");
        }
        let asks = |what: &str| requests.iter().any(|(uri, ..)| uri.contains(what));
        assert_eq!(asks("/leases/"), arguments[0] == "status" && arguments[1] != "etl@4");
    }
    // Of a Job that is gone, a pod of the Mage server is looked for, too.
    let gone = "mage-data-prep-block-9";
    create(&bench, server_job(gone, "load", &none, &none)).await;
    until("its pod", async || !bench.pod_names().await.is_empty()).await;
    let delete = ["-n", &bench.namespace, "delete", "job", gone, "--wait"];
    Said::new(kubectl(&bench, &delete).output().unwrap()).ends(0);
    let is_gone = async || told(&project, &bench, "job/mage-data-prep-block-9")["state"] == "Gone";
    until("its end", is_gone).await;
    cost(&bench, &project, &proxy, ["why", "job/mage-data-prep-block-9"]).await;
    // What a Job without a pod needs comes on top.
    let mut podless = server_job("podless", "right", &none, &json!({"serviceAccountName": "none"}));
    podless["metadata"]["labels"] = json!({
        "app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": run,
        "kubectl-mage/block": "right", "kubectl-mage/attempt": "2",
    });
    create(&bench, podless).await;
    for arguments in [["status", run], ["status", "@latest"]] {
        let requests = cost(&bench, &project, &proxy, arguments).await;
        assert!(requests.iter().any(|(uri, ..)| uri.contains("/events")), "{requests:#?}");
    }
    bench.end().await;
}

/// Checks what a command asks of the API server, and returns it.
async fn cost(
    bench: &Bench,
    project: &Project,
    proxy: &SlowProxy,
    arguments: [&str; 2],
) -> Vec<(String, usize, k8s_openapi::jiff::Timestamp)> {
    let user = RunId::fresh("cost").to_string();
    let mut command = project.command_on(bench, &arguments);
    command.args(["--server", &proxy.url, "--as", &user, "--as-group", "system:masters"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Said::new(output).ends(0);
    let log = bench.kubeconfig.with_file_name("audit.log");
    let requests = || requests(&std::fs::read_to_string(&log).unwrap(), &user);
    until("the audit log", async || !requests().is_empty()).await;
    let requests = requests();
    let lines: Vec<String> =
        requests.iter().map(|(uri, trip, _)| format!("trip {trip}: {uri}")).collect();
    assert!(requests.len() <= 5, "{arguments:?}: {lines:#?}");
    assert!(requests.iter().all(|(_, trip, _)| *trip <= 2), "{arguments:?}: {lines:#?}");
    let object = |uri: &String| uri.contains("/namespaces/");
    assert!(requests.iter().all(|(uri, ..)| object(uri)), "{arguments:?}: {lines:#?}");
    requests
}

/// Returns path, round trip and end of each request of a user, by the audit log. A request can only
/// depend on an answer that the proxy had the time to pass on.
fn requests(log: &str, user: &str) -> Vec<(String, usize, k8s_openapi::jiff::Timestamp)> {
    let mut entries: Vec<Value> = log
        .lines()
        .filter(|line| line.contains(user))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|entry| {
            entry["impersonatedUser"]["username"] == user && entry["stage"] == "ResponseComplete"
        })
        .collect();
    entries.sort_by_key(|entry| entry["requestReceivedTimestamp"].as_str().unwrap().to_owned());
    let mut requests: Vec<(String, usize, k8s_openapi::jiff::Timestamp)> = Vec::new();
    for entry in entries {
        let time = |key: &str| -> k8s_openapi::jiff::Timestamp {
            entry[key].as_str().unwrap().parse().unwrap()
        };
        let (received, ended) = (time("requestReceivedTimestamp"), time("stageTimestamp"));
        let late = k8s_openapi::jiff::SignedDuration::try_from(SlowProxy::DELAY).unwrap();
        let before = requests.iter().filter(|(_, _, end)| received.duration_since(*end) >= late);
        let trip = before.map(|(_, trip, _)| trip + 1).max().unwrap_or(1);
        requests.push((entry["requestURI"].as_str().unwrap().to_owned(), trip, ended));
    }
    requests
}

/// With the rights of Mage's Helm chart Jobs can be read by name but not listed, and no events.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_named_once() {
    let Some(bench) = Bench::new("why-rights").await else { return };
    if bench.as_context("chart").await.is_none() {
        return;
    }
    let project = diamond(&[("STANDIN_FAIL_left", "1")]);
    project.run_on(&bench, &["run", "etl"]).ends(1);
    let as_chart = |arguments: &[&str]| {
        Said::new(
            project.command_on(&bench, arguments).args(["--context", "chart"]).output().unwrap(),
        )
    };
    let said = as_chart(&["why", "@latest"]).ends(0);
    assert!(
        said.stdout.contains("cause: ValueError: stand-in was told to fail in left"),
        "{}",
        said.stdout
    );
    for text in [
        "states are read from pods alone: no right to list jobs",
        "what events say: no right to list events",
    ] {
        assert_eq!(said.stdout.matches(text).count(), 1, "{text}: {}", said.stdout);
    }
    let said =
        as_chart(&["status", "@latest", "--no-headers"]).ends(0).says(&["no right to list jobs"]);
    assert!(said.stdout.contains("left    Failed"), "{}", said.stdout);
    let nobody = project
        .command_on(&bench, &["why", "@latest"])
        .args(["--context", "nobody"])
        .output()
        .unwrap();
    Said::new(nobody).ends(3).says(&["forbidden: cannot list jobs", "hint: "]);
    bench.end().await;
}

/// Whoever runs a pipeline that the Mage server is just running is told before anything is created.
#[tokio::test(flavor = "multi_thread")]
async fn run_warns_of_the_mage_server_that_runs_the_same_pipeline() {
    let Some(bench) = Bench::new("same-pipeline").await else { return };
    let project = crate::cli_run::diamond(&[]);
    let quiet = project.run_on(&bench, &["run", "etl", "--dry-run"]).ends(0);
    assert!(!quiet.stderr.contains("the Mage server is running"), "{}", quiet.stderr);
    let works = env("STANDIN_SLEEP", "300");
    create(&bench, server_job("mage-data-prep-block-18", "load", &works, &json!({}))).await;
    until("its pod", || async { !bench.pod_names().await.is_empty() }).await;
    project.run_on(&bench, &["run", "etl", "--dry-run"]).ends(0).says(&[
        "warning: the Mage server is running pipeline etl now (etl@4)",
        "hint: see how far it is: `kubectl mage status etl@4`",
    ]);
    bench.end().await;
}
