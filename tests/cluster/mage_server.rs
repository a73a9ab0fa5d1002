//! Edition `oss` beside the genuine Mage server: the Jobs that it creates in the cluster, caught while
//! they exist, are those that `render` makes of the same files and the same server pod.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, PostParams};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, objects};
use crate::cases::last_variables;
use crate::diff::drift;
use crate::genuine::server;
use crate::support::{Bench, until};

const PROJECT: &str = "project_type: standalone
variables_dir: /data
help_improve_mage: false
k8s_executor_config:
  job_name_prefix: shop-{trigger_name}
  resource_requests:
    cpu: 50m
    memory: 64Mi
  resource_limits:
    cpu: 500m
    memory: 512Mi
  metadata:
    annotations:
      team: data
";

/// Independent blocks, so that their Jobs come together.
const MANY: &str = "name: many
uuid: many
type: python
executor_type: k8s
blocks:
- {name: plain, uuid: plain, type: data_loader, language: python, executor_type: k8s, upstream_blocks: [], downstream_blocks: []}
- name: own
  uuid: own
  type: data_loader
  language: python
  executor_type: k8s
  upstream_blocks: []
  downstream_blocks: []
  executor_config:
    resource_limits:
      memory: 600Mi
    service_account_name: mage
    container_config:
      env:
      - {name: GREETING, value: hello}
      - {name: HOME, value: /var/tmp}
- name: shaped
  uuid: shaped
  type: data_loader
  language: python
  executor_type: k8s
  upstream_blocks: []
  downstream_blocks: []
  executor_config:
    metadata:
      labels:
        tier: batch
    pod:
      node_selector:
        kubernetes.io/os: linux
      tolerations:
      - {key: dedicated, operator: Equal, value: etl, effect: NoSchedule}
      volumes:
      - {name: scratch, empty_dir: {}}
      volume_mounts:
      - {name: scratch, mount_path: /scratch}
    job:
      ttl_seconds_after_finished: 600
      active_deadline_seconds: 900
";

const ONE: &str = "name: one
uuid: one
type: python
executor_type: k8s
run_pipeline_in_one_process: true
executor_config:
  resource_limits:
    cpu: 400m
blocks:
- {name: alone, uuid: alone, type: data_loader, language: python, upstream_blocks: [], downstream_blocks: []}
";

const BLOCK: &str = "if 'data_loader' not in globals():
    from mage_ai.data_preparation.decorators import data_loader


@data_loader
def load(*args, **kwargs):
    return [1]
";

/// A trigger that starts a run at once, and one that starts another every minute: on a busy machine
/// the server's own database is now and then locked, and a run is lost.
fn triggers(pipeline: &str) -> String {
    let trigger = |name: &str, interval: &str| {
        format!(
            "- name: {name}\n  pipeline_uuid: {pipeline}\n  schedule_type: time\n  schedule_interval: '{interval}'\n  start_time: 2026-01-01 00:00:00\n  status: active\n  variables: {{}}\n"
        )
    };
    format!("triggers:\n{}{}", trigger("first", "@once"), trigger("again", "* * * * *"))
}

/// What the command of a Mage Job names.
fn word<'a>(command: &'a [Value], flag: &str) -> Option<&'a str> {
    let at = command.iter().position(|word| word == flag)?;
    command.get(at + 1)?.as_str()
}

/// The arguments that make `render` make the same Job.
fn arguments(job: &Value) -> Vec<String> {
    let command = job["spec"]["template"]["spec"]["containers"][0]["command"].as_array().unwrap();
    assert_eq!(command[..3], ["/app/run_app.sh", "mage", "run"], "{job:#}");
    let pipeline = command[4].as_str().unwrap();
    let target = match word(command, "--block-uuid") {
        Some(block) => format!("{pipeline}/{block}"),
        None => pipeline.to_owned(),
    };
    let name = job["metadata"]["name"].as_str().unwrap();
    let trigger = if name.contains("-again-") { "again" } else { "first" };
    let mut arguments = vec![target, "--trigger".to_owned(), trigger.to_owned()];
    for flag in ["--block-run-id", "--pipeline-run-id", "--execution-partition"] {
        if let Some(value) = word(command, flag) {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    arguments
}

/// A Job without what the cluster writes into it.
fn own(mut job: Value) -> Value {
    let metadata = json!({
        "name": job["metadata"]["name"],
        "namespace": job["metadata"]["namespace"],
        "labels": job["metadata"]["labels"],
        "annotations": job["metadata"]["annotations"],
    });
    job["metadata"] = metadata;
    job.as_object_mut().unwrap().remove("status");
    job["spec"].as_object_mut().unwrap().remove("selector");
    for place in ["/metadata/labels", "/spec/template/metadata/labels"] {
        if let Some(labels) = job.pointer_mut(place).and_then(Value::as_object_mut) {
            labels.retain(|key, _| !key.contains("controller-uid") && !key.ends_with("job-name"));
        }
    }
    last_variables(&mut job);
    bare(&mut job);
    job
}

/// Takes out what is null or empty, which says nothing.
fn bare(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(bare);
            map.retain(|_, value| !value.is_null() && *value != json!({}));
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        _ => {}
    }
}

/// Returns a Job as the API server would keep it. It gets another name, for the Mage server's own
/// may still be there.
async fn kept(bench: &Bench, job: &Value) -> Value {
    let name = job["metadata"]["name"].clone();
    let mut asked = job.clone();
    asked["metadata"]["name"] = json!("asked");
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let kept = bench.jobs().create(&dry, &serde_json::from_value(asked).unwrap()).await.unwrap();
    let mut kept = serde_json::to_value(kept).unwrap();
    kept["metadata"]["name"] = name;
    kept
}

/// Waits until the Mage server has created a Job of each of `wanted` targets; it deletes each soon
/// after its end.
async fn caught(bench: &Bench, wanted: &[&str]) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let since = Timestamp::now();
    while wanted.iter().any(|target| !found.contains_key(*target)) {
        for job in bench.jobs().list(&ListParams::default()).await.unwrap() {
            let job = serde_json::to_value(job).unwrap();
            found.entry(arguments(&job).remove(0)).or_insert(job);
        }
        let elapsed = Timestamp::now().duration_since(since);
        if elapsed.as_secs() > 240 {
            let logs = ["-n", &bench.namespace, "logs", "mage-server", "--tail", "200"];
            let said = Said::new(kubectl(bench, &logs).output().unwrap());
            panic!("the server made only {:?}:\n{}{}", found.keys(), said.stdout, said.stderr);
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_the_genuine_server_are_those_that_render_makes() {
    let Some(bench) = Bench::new("mages").await else { return };
    let home = Project::new(&[
        ("etl/metadata.yaml", PROJECT),
        ("etl/pipelines/many/metadata.yaml", MANY),
        ("etl/pipelines/many/triggers.yaml", &triggers("many")),
        ("etl/pipelines/one/metadata.yaml", ONE),
        ("etl/pipelines/one/triggers.yaml", &triggers("one")),
    ]);
    for block in ["plain", "own", "shaped", "alone"] {
        home.write(&format!("etl/data_loaders/{block}.py"), BLOCK);
    }
    let (project, data) = (home.path().join("etl"), home.path().join("data"));
    if server(&bench, &project, &data, &[]).is_none() {
        bench.end().await;
        return;
    }
    let jobs = caught(&bench, &["many/plain", "many/own", "many/shaped", "one"]).await;
    let pod = format!("{}/mage-server", bench.namespace);
    for (name, theirs) in &jobs {
        let mut command = home.command(&["render", "-o", "json", "--edition", "oss"]);
        command.args(arguments(theirs)).arg("--project").arg(&project);
        command.arg("--server-pod").arg(&pod).arg("--kubeconfig").arg(&bench.kubeconfig);
        let said = Said::new(command.output().unwrap()).ends(0);
        let ours = objects(&said.stdout).remove(0);
        assert_eq!(ours["metadata"]["namespace"], json!(bench.namespace), "{}", said.stderr);
        let ours = own(kept(&bench, &ours).await);
        equal(name, &ours, &own(theirs.clone()));
    }
    let project = project.to_str().unwrap();
    let flags = ["--edition", "oss", "--trigger"];
    let theirs = &jobs["many/own"];
    let trigger = arguments(theirs).remove(2);
    let flags = [&flags[..], &[&trigger, "--project", project, "--server-pod", &pod]].concat();
    drift(&bench, &home, &flags, theirs, "etl/pipelines/many/metadata.yaml").await;
    bench.end().await;
}

const BROKEN: &str = "name: broken
uuid: broken
type: python
executor_type: k8s
blocks:
- {name: load, uuid: load, type: data_loader, language: python, executor_type: k8s, upstream_blocks: [], downstream_blocks: []}
";

/// The server deletes a Job some seconds after its end, and its pod with it; the block's log stays on
/// the volume that its pod has too.
#[tokio::test(flavor = "multi_thread")]
async fn why_reads_mages_own_log_of_a_job_that_the_genuine_server_deleted() {
    let Some(bench) = Bench::new("mages-log").await else { return };
    let block = BLOCK.replace("return [1]", "raise ValueError('no rows today')");
    let home = Project::new(&[
        ("etl/metadata.yaml", PROJECT),
        ("etl/pipelines/broken/metadata.yaml", BROKEN),
        ("etl/pipelines/broken/triggers.yaml", &triggers("broken")),
        ("etl/data_loaders/load.py", &block),
    ]);
    let (project, data) = (home.path().join("etl"), home.path().join("data"));
    if server(&bench, &project, &data, &[]).is_none() {
        bench.end().await;
        return;
    }
    // It follows the server's first Job, and ends as that does although the server deletes it.
    let mut tail = home.command_on(&bench, &["tail", "broken"]);
    let tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let job = caught(&bench, &["broken/load"]).await.remove("broken/load").unwrap();
    let output = tokio::task::spawn_blocking(|| tail.wait_with_output().unwrap()).await.unwrap();
    let tailed = Said::new(output).ends(1);
    assert!(tailed.stdout.contains("ValueError: no rows today"), "{}", tailed.stdout);
    tailed.says(&["load : failed: ", "kubectl mage why broken"]);
    let name = job["metadata"]["name"].as_str().unwrap();
    let subject = format!("job/{name}");
    let why = |extra: &[&str]| {
        let mut command = home.command_on(&bench, &["why", &subject]);
        command.args(extra);
        Said::new(command.output().unwrap()).ends(0)
    };
    let since = Timestamp::now();
    while !why(&[]).stdout.contains(" Gone: ") {
        let waited = Timestamp::now().duration_since(since).as_secs();
        assert!(waited < 120, "the server did not delete it: {}", why(&[]).stdout);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let said = why(&[]);
    for text in [
        "cause: failed and was deleted: ValueError: no rows today",
        "hint: see line 7 of the block, in load",
        "log of Mage: /data/etl/pipelines/broken/.logs/",
        "/load.log in pod/mage-server",
        "| ValueError: no rows today",
        "not known: its exit code and its conditions: ",
    ] {
        assert!(said.stdout.contains(text), "no {text:?} in\n{}", said.stdout);
    }
    // Whoever may not run a command there is told what is missing.
    if bench.as_context("viewer").await.is_some() {
        let said = why(&["--context", "viewer"]);
        for text in ["own log of the block: no right to create pods/exec", "and its log: the Job"] {
            assert!(said.stdout.contains(text), "no {text:?} in\n{}", said.stdout);
        }
    }
    let mut readonly = home.command_on(&bench, &["why", &subject]);
    let said = Said::new(readonly.env("KUBECTL_MAGE_READONLY", "1").output().unwrap()).ends(0);
    assert!(said.stdout.contains("KUBECTL_MAGE_READONLY=1 forbids that"), "{}", said.stdout);
    bench.end().await;
}

/// Of a block without any Job, the newest log tells.
#[tokio::test(flavor = "multi_thread")]
async fn why_of_a_block_without_a_job_reads_the_newest_log() {
    let Some(bench) = Bench::new("newest-log").await else { return };
    let home = Project::new(&[("etl/metadata.yaml", PROJECT)]);
    let (project, data) = (home.path().join("etl"), home.path().join("data"));
    let line = "2026-01-01T00:00:00 {\"level\": \"ERROR\", \"message\": \"ValueError: no rows\"}\n";
    home.write("data/etl/pipelines/broken/.logs/1/20260101T000000/load.log", line);
    let target = ["why", "broken/load"];
    let said = home.run_on(&bench, &target).ends(2);
    said.says(&["hint: Mage's own log of it tells nothing: no pod of a Mage server runs"]);
    if server(&bench, &project, &data, &["--stand-in"]).is_none() {
        bench.end().await;
        return;
    }
    let said = home.run_on(&bench, &target).ends(0);
    for text in ["block load Gone", "20260101T000000/load.log in pod/", "| ValueError: no rows"] {
        assert!(said.stdout.contains(text), "no {text:?} in\n{}", said.stdout);
    }
    home.run_on(&bench, &["why", "broken/other"]).ends(2).says(&["has none of it"]);
    let commands = || {
        let entries = bench.audit().unwrap_or_default().into_iter();
        let own = entries.filter(|entry| {
            entry["objectRef"]["subresource"] == "exec"
                && entry["userAgent"].as_str().is_some_and(|agent| agent.contains("kubectl-mage"))
        });
        own.map(|entry| entry["auditID"].to_string()).collect::<BTreeSet<_>>().len()
    };
    if bench.audit().is_some() {
        until("one command each in the audit log", async || commands() == 2).await;
    }
    bench.end().await;
}

/// Shows where two Jobs differ.
fn equal(name: &str, ours: &Value, theirs: &Value) {
    let (mut here, mut there) = (BTreeMap::new(), BTreeMap::new());
    leaves("", ours, &mut here);
    leaves("", theirs, &mut there);
    let paths: std::collections::BTreeSet<_> = here.keys().chain(there.keys()).collect();
    let differences: Vec<String> = paths
        .into_iter()
        .filter(|path| here.get(*path) != there.get(*path))
        .map(|path| format!("{path}: ours {:?}, Mage {:?}", here.get(path), there.get(path)))
        .collect();
    assert!(differences.is_empty(), "{name}\n{}", differences.join("\n"));
}

fn leaves<'a>(path: &str, value: &'a Value, found: &mut BTreeMap<String, &'a Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| leaves(&format!("{path}.{key}"), value, found));
        }
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| leaves(&format!("{path}[{index}]"), value, found)),
        _ => {
            found.insert(path.to_owned(), value);
        }
    }
}
