//! `apply`: the Jobs as kubectl would apply them, what it refuses, and what it does of its own.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use k8s_openapi::api::batch::v1::Job;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with, objects};
use crate::cli_run::{diamond, signal};
use crate::server_pod::apply as create;
use crate::support::{Bench, grant, until};

async fn jobs(bench: &Bench) -> Vec<Job> {
    bench.jobs().list(&ListParams::default()).await.unwrap().items
}

/// Returns the one Job there is.
async fn the_job(bench: &Bench) -> Job {
    let mut all = jobs(bench).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn is_suspended(job: &Job) -> bool {
    job.spec.as_ref().unwrap().suspend == Some(true)
}

fn uid(job: &Job) -> String {
    job.metadata.uid.clone().unwrap()
}

/// A block `load` with settings below its `executor_config`, two blanks for each level.
fn block(settings: &str) -> String {
    let indented = |line| format!("    {line}\n");
    let lines: String = settings.lines().map(indented).collect();
    format!(
        "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container_config: {{image: localhost/mage-stand-in:1}}\n{lines}"
    )
}

const PIPELINE: &str = "pipelines/etl/metadata.yaml";

/// A project whose only block is `etl/load`, on the stand-in's image.
pub(crate) fn project(settings: &str) -> Project {
    Project::new(&[("metadata.yaml", ""), (PIPELINE, &block(settings))])
}

#[tokio::test(flavor = "multi_thread")]
async fn several_jobs_are_staged_as_they_are_rendered() {
    let Some(bench) = Bench::new("apply-staged").await else { return };
    let project = diamond(&[]);
    let rendered = project.run_on(&bench, &["render", "-o", "json"]).ends(0).stdout;
    let names: Vec<String> = objects(&rendered)
        .iter()
        .map(|job| format!("job.batch/{}", job["metadata"]["name"].as_str().unwrap()))
        .collect();
    let words = |word: &str| {
        let line = |name| format!("{name} {word}\n");
        names.iter().map(line).collect::<String>()
    };
    let would = project.run_on(&bench, &["apply", "etl", "--dry-run=server"]).ends(0);
    assert_eq!(would.stdout, words("created (server dry run)"));
    assert_eq!(bench.job_names().await, [""; 0]);
    let said = project.run_on(&bench, &["apply", "etl"]).ends(0).says(&["4 Jobs are suspended"]);
    assert_eq!(said.stdout, words("created"));
    assert_eq!(project.run_on(&bench, &["apply"]).ends(0).stdout, words("unchanged"));
    assert_eq!(bench.pod_names().await, [""; 0]);
    assert_eq!(the_run(&project, &bench), "etl@apply etl apply Suspended 0/4");
    // Beyond what is rendered there are labels that name the block, and that it is suspended.
    let stored =
        kubectl_with(&bench, &["create", "--dry-run=server", "-o", "json", "-f", "-"], &rendered);
    // The names are taken: the server says so, and what it would store comes under others.
    assert_eq!(stored.stderr.matches("AlreadyExists").count(), 4, "{}", stored.stderr);
    for (job, rendered) in jobs_by_name(&bench).await.iter().zip(by_name(objects(&rendered))) {
        let mut renamed = rendered.clone();
        renamed["metadata"]["name"] = json!("renamed");
        let dry = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
        let stored = kubectl_with(&bench, &dry, &renamed.to_string()).ends(0).stdout;
        let mut stored = objects(&stored).remove(0);
        stored["metadata"]["name"] = rendered["metadata"]["name"].clone();
        assert_eq!(essence(job.clone()), essence(stored));
        let labels = &job["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], "kubectl-mage");
        assert_eq!(labels["kubectl-mage/pipeline"], "etl");
        assert_eq!(
            labels["kubectl-mage/block"],
            job["metadata"]["annotations"]["kubectl-mage/block"]
        );
        assert!(labels["kubectl-mage/run"].is_null());
        assert_eq!(job["spec"]["template"]["metadata"]["labels"]["kubectl-mage/pipeline"], "etl");
    }
    // All at once, whatever they wait for.
    let arguments = ["apply", "etl", "--start", "--wait", "--timeout", "2m"];
    let said = project.run_on(&bench, &arguments).ends(0);
    assert_eq!(said.stdout, words("configured"));
    said.says(&["load: complete", "export: complete"]);
    assert!(jobs(&bench).await.iter().all(|job| !is_suspended(job)));
    assert_eq!(the_run(&project, &bench), "etl@apply etl apply Complete 4/4");
    let status = project.run_on(&bench, &["status", "etl@apply", "-o", "name"]).ends(0);
    assert_eq!(status.stdout.lines().count(), 4);
    let logs = project.run_on(&bench, &["logs", "etl@apply"]).ends(0);
    let spoke = |block: &str| logs.stdout.lines().any(|line| line.starts_with(block));
    assert!(
        ["load", "left", "right", "export"].iter().all(|block| spoke(block)),
        "{}",
        logs.stdout
    );
    project.run_on(&bench, &["tail", "etl"]).ends(0).says(&["export : complete"]);
    bench.end().await;
}

/// Returns what `runs` says of the one that there is, without its age.
fn the_run(project: &Project, bench: &Bench) -> String {
    let listed = project.run_on(bench, &["runs", "--no-headers"]).ends(0).stdout;
    assert_eq!(listed.lines().count(), 1, "{listed}");
    listed.split_whitespace().take(5).collect::<Vec<_>>().join(" ")
}

fn by_name(mut jobs: Vec<Value>) -> Vec<Value> {
    jobs.sort_by_key(|job| job["metadata"]["name"].as_str().unwrap().to_owned());
    jobs
}

async fn jobs_by_name(bench: &Bench) -> Vec<Value> {
    let all = jobs(bench).await;
    by_name(all.iter().map(|job| serde_json::to_value(job).unwrap()).collect())
}

/// Takes out what is of one object alone, and what this tool adds.
fn essence(mut job: Value) -> Value {
    job["metadata"] = json!({"name": job["metadata"]["name"]});
    job["status"] = Value::Null;
    job["spec"]["suspend"] = Value::Null;
    job["spec"]["selector"] = Value::Null;
    for kind in ["labels", "annotations"] {
        let template = job["spec"]["template"]["metadata"].as_object_mut().unwrap();
        template.retain(|key, _| key != kind && key != "creationTimestamp" && key != "name");
    }
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_are_kubectls() {
    let Some(bench) = Bench::new("apply-words").await else { return };
    let Some(other) = Bench::new("apply-kubectl").await else { return };
    let project = project("job: {backoff_limit: 1}");
    let same = |flags: &[&str]| {
        let ours = project.run_on(&bench, &[&["apply", "etl"], flags].concat()).ends(0).stdout;
        let rendered = project.run_on(&other, &["render", "-o", "json"]).ends(0).stdout;
        let apply = [&["apply", "-f", "-"], flags].concat();
        let theirs = kubectl_with(&other, &apply, &rendered).ends(0).stdout;
        assert_eq!(ours, theirs, "{flags:?}");
        ours
    };
    for flags in [&[][..], &["--dry-run=client"], &["--dry-run=server"]] {
        // What is not there, what is there, and what is other.
        if flags.is_empty() {
            assert!(same(&[]).ends_with(" created\n"));
        }
        project.write(PIPELINE, &block("job: {backoff_limit: 1}"));
        assert!(same(flags).contains(" unchanged"), "{flags:?}");
        project.write(PIPELINE, &block("job: {backoff_limit: 2}"));
        assert!(same(flags).contains(" configured"), "{flags:?}");
        same(&["-o", "name"]);
        project.write(PIPELINE, &block("job: {backoff_limit: 1}"));
        same(&[]);
    }
    let deprecated = project.run_on(&bench, &["apply", "--dry-run"]).ends(0).stdout;
    assert!(deprecated.ends_with(" unchanged (dry run)\n"), "{deprecated}");
    // The object is the one that is stored.
    let printed = project.run_on(&bench, &["apply", "-o", "json"]).ends(0).stdout;
    let name = objects(&printed)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let got = kubectl(&bench, &["get", "job", &name, "-n", &bench.namespace, "-o", "json"]);
    let got = Said::new({ got }.output().unwrap()).ends(0).stdout;
    let strip = |text: &str| {
        let mut job = objects(text).remove(0);
        job["status"] = Value::Null;
        job["metadata"]["resourceVersion"] = Value::Null;
        job
    };
    assert_eq!(strip(&printed), strip(&got));
    other.end().await;
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_waits_for_the_data_of_its_upstream() {
    let Some(bench) = Bench::new("apply-upstream").await else { return };
    let project = diamond(&[]);
    for dry_run in [&["--dry-run=server"][..], &[]] {
        let said = project.run_on(&bench, &[&["apply", "etl/left"], dry_run].concat()).ends(2);
        said.says(&[
            "block `left` depends on load, and no Job of it is complete",
            "--suspend",
            "--ignore-upstream",
        ]);
    }
    assert_eq!(bench.job_names().await, [""; 0]);
    project.run_on(&bench, &["apply", "etl/left", "--suspend"]).ends(0);
    assert!(is_suspended(&the_job(&bench).await));
    // What is suspended stays so; to start it is refused like a new one.
    project.run_on(&bench, &["apply", "etl/left"]).ends(0).says(&["1 Job is suspended"]);
    project.run_on(&bench, &["apply", "etl/left", "--start"]).ends(2).says(&["depends on load"]);
    // Of a run of its own, in a partition of its own, it would not find the data.
    project.run_on(&bench, &["run", "etl/load"]).ends(0);
    project.run_on(&bench, &["apply", "etl/left", "--start"]).ends(2).says(&["depends on load"]);
    project.run_on(&bench, &["apply", "etl/load", "--wait"]).ends(0).says(&["load: complete"]);
    project.run_on(&bench, &["apply", "etl/left", "--start", "--wait"]).ends(0);
    let said = project.run_on(&bench, &["apply", "etl/export", "--ignore-upstream", "--wait"]);
    said.ends(0).says(&["export: complete"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_shows_the_other_manager_beside_the_row() {
    let Some(bench) = Bench::new("apply-conflict").await else { return };
    let project =
        project("job: {backoff_limit: 1}\nmetadata: {labels: {team: a}}\njob_name_prefix: p");
    project.run_on(&bench, &["apply", "--suspend"]).ends(0);
    let job = the_job(&bench).await;
    let name = job.metadata.name.clone().unwrap();
    let edit = json!({"spec": {"backoffLimit": 4}, "metadata": {"labels": {"team": "b"}}});
    let as_other =
        PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    bench.jobs().patch(&name, &as_other, &Patch::Merge(&edit)).await.unwrap();
    let said = project.run_on(&bench, &["apply"]).ends(2).says(&[
        "pipelines/etl/metadata.yaml:9:26: job.batch/",
        "field manager \"kubectl-edit\" has set .spec.backoffLimit to 4, and here job.backoff_limit is 1 (pipelines/etl/metadata.yaml:9:26, layer block)",
        "field manager \"kubectl-edit\" has set .metadata.labels.team to \"b\"",
        "--force-conflicts",
        "--why '.spec.backoffLimit'",
    ]);
    // kubectl finds the same.
    let rendered = project.run_on(&bench, &["render", "-o", "json"]).ends(0).stdout;
    let apply = ["apply", "--server-side", "--field-manager=kubectl-mage", "-f", "-"];
    let theirs = kubectl_with(&bench, &apply, &rendered).ends(1).stderr;
    let conflicts = theirs.lines().filter(|line| line.trim().starts_with("- .")).count();
    assert_eq!(said.stderr.matches("error:").count(), conflicts, "{theirs}\n{}", said.stderr);
    // Nothing was changed, and what is not told here stays as it is.
    assert_eq!(the_job(&bench).await.spec.unwrap().backoff_limit, Some(4));
    let said = project.run_on(&bench, &["apply", "--force-conflicts"]).ends(0);
    assert!(said.stdout.ends_with(" configured\n"));
    assert_eq!(the_job(&bench).await.spec.unwrap().backoff_limit, Some(1));
    project.write(PIPELINE, &block("job: {backoff_limit: 1}\njob_name_prefix: p"));
    project.run_on(&bench, &["apply"]).ends(0);
    assert!(!the_job(&bench).await.metadata.labels.unwrap().contains_key("team"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_job_is_changed_in_place_as_far_as_the_server_lets_it_be() {
    let Some(bench) = Bench::new("apply-in-place").await else { return };
    let settings = |more: &str| {
        format!(
            "container: {{env: [{{name: DB_PASSWORD, value: hunter2}}, {{name: MODE, value: a}}]}}\n{more}"
        )
    };
    let project = project(&settings(""));
    project.run_on(&bench, &["apply", "--suspend"]).ends(0);
    let before = the_job(&bench).await;
    let more = "pod: {node_selector: {disk: ssd}, tolerations: [{key: a, operator: Exists}]}\nresource_limits: {cpu: 500m}\njob: {backoff_limit: 3, active_deadline_seconds: 60}";
    project.write(PIPELINE, &block(&settings(more)));
    let said = project.run_on(&bench, &["apply"]).ends(0);
    assert!(said.stdout.ends_with(" configured\n"), "{}", said.stdout);
    let after = the_job(&bench).await;
    assert_eq!(uid(&before), uid(&after));
    let pod = after.spec.as_ref().unwrap().template.spec.clone().unwrap();
    assert_eq!(pod.node_selector.unwrap()["disk"], "ssd");
    assert_eq!(after.spec.unwrap().backoff_limit, Some(3));
    // Of several changes those are named that the server does not take.
    let more = "pod:\n  node_selector: {disk: hdd}\n  restart_policy: OnFailure\nresource_limits: {cpu: 1}\n";
    let changed = settings(more).replace("hunter2", "hunter3").replace("value: a", "value: b");
    project.write(PIPELINE, &block(&changed));
    let said = project.run_on(&bench, &["apply"]).ends(2).says(&[
        "pipelines/etl/metadata.yaml:9:80: job.batch/",
        "cannot be changed in place (field is immutable): .spec.template.spec.containers[0].env[1].value is \"a\" there, and here container.env[1].value is \"b\"",
        ".spec.template.spec.containers[0].env[0].value is *** there, and here container.env[0].value is ***",
        ".spec.template.spec.restartPolicy is \"Never\" there",
        "hint: --replace deletes the Job and creates it anew",
    ]);
    assert!(!said.stderr.contains("hunter") && !said.stderr.contains("hdd"), "{}", said.stderr);
    assert_eq!(said.stderr.matches("error:").count(), 3, "{}", said.stderr);
    assert_eq!(uid(&the_job(&bench).await), uid(&before));
    // So is a value that is no longer set.
    project.write(PIPELINE, &block("container: {env: [{name: MODE, value: a}]}"));
    let said = project.run_on(&bench, &["apply"]).ends(2);
    let said = said.says(&["containers[0].env[0].value is set there, and no longer set here"]);
    assert!(!said.stderr.contains("hunter"), "{}", said.stderr);
    let said = project.run_on(&bench, &["apply", "--replace", "--dry-run=server"]).ends(0);
    assert!(said.stdout.ends_with(" replaced (server dry run)\n"), "{}", said.stdout);
    assert_eq!(uid(&the_job(&bench).await), uid(&before));
    let said = project.run_on(&bench, &["apply", "--replace"]).ends(0);
    assert!(said.stdout.ends_with(" replaced\n"), "{}", said.stdout);
    let replaced = the_job(&bench).await;
    assert!(uid(&replaced) != uid(&before) && is_suspended(&replaced));
    // Where nothing needs it, nothing is replaced.
    let said = project.run_on(&bench, &["apply", "--replace"]).ends(0);
    assert!(said.stdout.ends_with(" unchanged\n"), "{}", said.stdout);
    assert_eq!(uid(&the_job(&bench).await), uid(&replaced));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_inactive_jobs_of_this_tool_are_replaced() {
    let Some(bench) = Bench::new("apply-replace").await else { return };
    let settings = |mode: &str| {
        format!(
            "pod: {{termination_grace_period_seconds: 1}}\ncontainer: {{env: [{{name: STANDIN_SLEEP, value: \"{mode}\"}}]}}"
        )
    };
    let project = project(&settings("300"));
    project.run_on(&bench, &["apply"]).ends(0);
    until("a pod", || async { !bench.pod_names().await.is_empty() }).await;
    let before = the_job(&bench).await;
    let pods = bench.pod_names().await;
    project.write(PIPELINE, &block(&settings("0")));
    let said = project.run_on(&bench, &["apply", "--replace"]).ends(2);
    said.says(&["cannot be replaced: it is active", "--replace --force"]);
    assert_eq!(uid(&the_job(&bench).await), uid(&before));
    project.run_on(&bench, &["apply", "--force"]).ends(2).says(&["--replace"]);
    project.run_on(&bench, &["apply", "--replace", "--force", "--wait"]).ends(0);
    assert!(uid(&the_job(&bench).await) != uid(&before));
    assert!(
        !bench.pod_names().await.contains(&pods[0]),
        "the old pod is gone before the new Job is made"
    );
    // What has ended is replaced without force.
    project.write(PIPELINE, &block(&settings("0.1")));
    project.run_on(&bench, &["apply", "--replace", "--wait"]).ends(0);
    // A Job of somebody else may be changed as kubectl would, and is never deleted.
    let mut job = the_job(&bench).await;
    let name = job.metadata.name.take().unwrap();
    kubectl(&bench, &["delete", "job", &name, "-n", &bench.namespace]).output().unwrap();
    let rendered = project.run_on(&bench, &["render", "-o", "json"]).ends(0).stdout;
    kubectl_with(&bench, &["create", "-f", "-"], &rendered).ends(0);
    let theirs = uid(&the_job(&bench).await);
    project.write(PIPELINE, &block(&settings("0.2")));
    let said =
        project.run_on(&bench, &["apply", "--replace", "--force", "--force-conflicts"]).ends(2);
    said.says(&["cannot be replaced: this tool has not made it"]);
    let said = project.run_on(&bench, &["apply", "--force-conflicts"]).ends(2);
    said.says(&[
        "is somebody else's (without the label app.kubernetes.io/managed-by=kubectl-mage)",
    ]);
    project.run_on(&bench, &["diff"]).ends(1).says(&["is somebody else's"]);
    assert_eq!(uid(&the_job(&bench).await), theirs);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_of_rights_is_named_and_creating_is_enough() {
    let Some(bench) = Bench::new("apply-rights").await else { return };
    let project = diamond(&[]);
    let rights =
        |verbs: &[&str]| json!([{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": verbs}]);
    let as_user = |user: &str, arguments: &[&str]| {
        let flags = ["--as", user, "--server-pod", "none"];
        project.run_on(&bench, &[arguments, &flags].concat())
    };
    let said = as_user("nobody", &["apply", "etl/load"]).ends(3);
    said.says(&[
        "forbidden: cannot create job.batch/",
        "resources: [\"jobs\"], verbs: [\"create\"]",
    ]);
    grant(&bench, "maker", &rights(&["create"])).await;
    let said = as_user("maker", &["apply", "etl"]).ends(0);
    assert_eq!(said.stdout.matches(" created\n").count(), 4);
    said.says(&["without the right to patch jobs in namespace", "4 Jobs are suspended"]);
    as_user("maker", &["apply", "etl"])
        .ends(3)
        .says(&[" exists, and whether it is as it should be"]);
    // What stands there as it should needs no right to be changed.
    grant(&bench, "reader", &rights(&["create", "get"])).await;
    let said = as_user("reader", &["apply", "etl"]).ends(0);
    assert_eq!(said.stdout.matches(" unchanged\n").count(), 4);
    let other = ["apply", "etl", "--image", "other"];
    let said = as_user("reader", &other).ends(3);
    let said = said.says(&["cannot patch job.batch/", "(and 3 more Jobs)", "verbs: [\"patch\"]"]);
    assert_eq!(said.stderr.matches("error:").count(), 1, "{}", said.stderr);
    // To replace one is to delete and to create it.
    grant(&bench, "remaker", &rights(&["create", "get", "delete", "list", "watch"])).await;
    let said = as_user("remaker", &[&other[..], &["--replace"]].concat()).ends(0);
    assert_eq!(said.stdout.matches(" replaced\n").count(), 4);
    as_user("remaker", &["apply", "etl", "--replace"]).ends(0);
    grant(&bench, "patcher", &rights(&["get", "patch"])).await;
    as_user("patcher", &["apply", "etl"]).ends(0);
    for name in bench.job_names().await {
        kubectl(&bench, &["delete", "job", &name, "-n", &bench.namespace]).output().unwrap();
    }
    as_user("patcher", &["apply", "etl"]).ends(3).says(&["cannot create job.batch/"]);
    // What was posted is no conflict for whoever may patch.
    as_user("maker", &["apply", "etl/load"]).ends(0);
    project.write(
        "metadata.yaml",
        &std::fs::read_to_string(project.path().join("metadata.yaml"))
            .unwrap()
            .replace("k8s_executor_config:\n", "k8s_executor_config:\n  job: {backoff_limit: 2}\n"),
    );
    project.run_on(&bench, &["diff", "etl/load"]).ends(1);
    let said = project.run_on(&bench, &["apply", "etl/load"]).ends(0);
    assert!(said.stdout.ends_with(" configured\n"), "{}", said.stdout);
    // And what was posted can be taken away.
    let metadata = std::fs::read_to_string(project.path().join("metadata.yaml")).unwrap();
    let with_a_deadline =
        metadata.replace("job: {backoff_limit: 2}", "job: {active_deadline_seconds: 900}");
    project.write("metadata.yaml", &with_a_deadline);
    as_user("maker", &["apply", "etl/right", "--suspend"]).ends(0);
    let deadline = || {
        let get = ["get", "jobs", "-n", &bench.namespace, "-l", "kubectl-mage/block=right"];
        let path = ["-o", "jsonpath={.items[*].spec.activeDeadlineSeconds}"];
        Said::new(kubectl(&bench, &[&get[..], &path].concat()).output().unwrap()).ends(0).stdout
    };
    assert_eq!(deadline(), "900");
    project.write("metadata.yaml", &metadata);
    project.run_on(&bench, &["apply", "etl/right", "--suspend"]).ends(0);
    assert_eq!(deadline(), "");
    // Deleting is looked for before anything is done.
    project.run_on(&bench, &["apply", "etl/export", "--suspend"]).ends(0);
    let more = ["apply", "etl/export", "--suspend", "--replace", "--image", "other"];
    grant(&bench, "changer", &rights(&["create", "get", "patch"])).await;
    as_user("changer", &more).ends(3).says(&["cannot delete job.batch/", "verbs: [\"delete\"]"]);
    bench.end().await;
}

/// Adds or takes away a finalizer, which keeps a deleted Job where it is.
async fn hold(bench: &Bench, name: &str, finalizers: Value) {
    let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
    bench.jobs().patch(name, &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_middle_says_what_stands() {
    let Some(bench) = Bench::new("apply-signal").await else { return };
    let project = diamond(&[]);
    project.run_on(&bench, &["apply", "etl"]).ends(0);
    // `left` is the second one; it is deleted, and does not go.
    let all = jobs(&bench).await;
    let is_left =
        |job: &&Job| job.metadata.labels.as_ref().unwrap()["kubectl-mage/block"] == "left";
    let left = all.iter().find(is_left).unwrap().metadata.name.clone().unwrap();
    hold(&bench, &left, json!(["example.com/hold"])).await;
    let arguments = ["apply", "etl", "--replace", "--image", "other"];
    let child = project.start_on(&bench, &arguments);
    let is_deleted = async || {
        let left = bench.jobs().get(&left).await.unwrap();
        left.metadata.deletion_timestamp.is_some()
    };
    until("the deletion", is_deleted).await;
    signal(&child, "-INT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(130);
    assert_eq!(said.stdout.matches(" replaced\n").count(), 1, "{}", said.stdout);
    said.says(&[
        &format!("interrupted by SIGINT: job.batch/{left} in namespace"),
        "is being deleted to be replaced, and was not created anew; of 4 Jobs applied: job.batch/",
        "; not applied: job.batch/",
    ]);
    // What is about to vanish is not taken for what is wanted.
    let said = project.run_on(&bench, &["apply", "etl/left", "--suspend"]).ends(2);
    said.says(&["is being deleted", "kubectl wait --for=delete"]);
    let said = project.run_on(&bench, &["diff", "etl/left"]).ends(0);
    let said = said.says(&["is being deleted"]);
    assert_eq!(said.stdout, "");
    let child = project.start_on(&bench, &["apply", "etl/left", "--suspend", "--replace"]);
    hold(&bench, &left, json!(null)).await;
    let said = Said::new(child.wait_with_output().unwrap()).ends(0);
    // It may be gone already when it is looked at.
    assert!(said.stdout.ends_with(" replaced\n") || said.stdout.ends_with(" created\n"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pod_of_the_same_server_makes_the_same_jobs() {
    let Some(bench) = Bench::new("apply-token").await else { return };
    let pod = |chance: &str| {
        let volume = format!("kube-api-access-{chance}");
        let sources =
            json!([{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mage", "namespace": bench.namespace},
            "spec": {"serviceAccountName": "default", "containers": [{"name": "mage", "image": "localhost/mage-stand-in:1",
                "volumeMounts": [{"name": volume, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}]}],
                "volumes": [{"name": volume, "projected": {"defaultMode": 420, "sources": sources}}]}})
    };
    let project = project("");
    let path = project.write("pod.json", &pod("p6s5w").to_string());
    let server = format!("--server-pod=@{}", path.display());
    project.run_on(&bench, &["apply", "--suspend", &server]).ends(0);
    let words = |verb: &[&str]| project.run_on(&bench, &[verb, &[&server]].concat());
    project.write("pod.json", &pod("l5q9p").to_string());
    assert_eq!(words(&["diff"]).ends(0).stdout, "");
    let said = words(&["apply", "--suspend"]).ends(0);
    assert!(said.stdout.ends_with(" unchanged\n"), "{}", said.stdout);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_says_what_stands() {
    let Some(bench) = Bench::new("apply-middle").await else { return };
    let project = diamond(&[]);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "two"},
        "spec": {"hard": {"count/jobs.batch": "2"}}});
    create(&bench, &[quota]).await;
    let quota = || {
        kubectl(
            &bench,
            &["get", "quota", "two", "-n", &bench.namespace, "-o", "jsonpath={.status.hard}"],
        )
        .output()
    };
    until("the quota", || async { !quota().unwrap().stdout.is_empty() }).await;
    let said = project.run_on(&bench, &["apply", "etl"]).ends(3);
    assert_eq!(said.stdout.matches(" created\n").count(), 2);
    assert_eq!(bench.job_names().await.len(), 2);
    let said = said.says(&[
        "exceeded quota: two",
        "of 4 Jobs applied: job.batch/",
        "; not applied: job.batch/",
        "hint: apply again",
    ]);
    let (_, rest) = said.stderr.split_once("; not applied: ").unwrap();
    assert_eq!(rest.lines().next().unwrap().matches("job.batch/").count(), 2, "{rest}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_told_before_anything_is_sent() {
    let Some(bench) = Bench::new("apply-wrong").await else { return };
    let block = |uuid: &str, settings: &str| {
        format!("- {{uuid: {uuid}, type: transformer, executor_config: {{{settings}}}}}\n")
    };
    let text = |blocks: &[String]| {
        format!("uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n{}", blocks.concat())
    };
    let one = block("a", "pod: {hostAliases: [{ip: 10.0.0.999, hostnames: [db]}]}");
    let two = block("b", "pod: {readinessGates: [{conditionType: not a type}]}");
    let good = block("c", "job: {backoff_limit: 1}");
    let project =
        Project::new(&[("metadata.yaml", ""), (PIPELINE, &text(&[good.clone(), one, two]))]);
    let apply = ["apply", "etl", "--image", "localhost/mage-stand-in:1"];
    let said = project.run_on(&bench, &apply).ends(2).says(&[
        "10.0.0.999",
        "not a type",
        "pipelines/etl/metadata.yaml:6:",
    ]);
    assert_eq!(said.stderr.matches("error:").count(), 2, "{}", said.stderr);
    assert_eq!((said.stdout.as_str(), bench.job_names().await.len()), ("", 0));
    // Guardrails and an enforced policy come first of all.
    let over = block("b", "resource_limits: {memory: 16Gi}");
    project.write(PIPELINE, &text(&[good.clone(), over]));
    let guard = ["--server-env", "K8S_EXECUTOR_MAX_RESOURCE_LIMITS_MEMORY=8Gi"];
    project.run_on(&bench, &[&apply[..], &guard].concat()).ends(2).says(&["16Gi"]);
    project.write(PIPELINE, &text(&[good]));
    let policy = project.write("policy.yaml", "enforce: true\njob: {backoff_limit: 0}\n");
    let strict = [&apply[..], &["--policy", policy.to_str().unwrap(), "--strict-policy"]].concat();
    project.run_on(&bench, &strict).ends(2).says(&["polic"]);
    for flags in [&["--offline"][..], &["--snapshot", "none.json"]] {
        let said = project.run_on(&bench, &[&apply[..], flags].concat()).ends(2);
        said.says(&["`apply` asks a cluster, and"]);
    }
    let mut locked = project.command_on(&bench, &apply);
    Said::new(locked.env("KUBECTL_MAGE_READONLY", "1").output().unwrap())
        .ends(2)
        .says(&["KUBECTL_MAGE_READONLY=1 forbids", "--dry-run=server"]);
    let elsewhere = [&apply[..], &["--dry-run=server"]].concat();
    let mut locked = project.command_on(&bench, &elsewhere);
    Said::new(locked.env("KUBECTL_MAGE_READONLY", "1").output().unwrap()).ends(0);
    project.write(".config/kubectl-mage/config.toml", "protected_contexts = [\"adm*\"]\n");
    let protected = [&apply[..], &["--context", "admin"]].concat();
    let said = project.run_on(&bench, &protected).ends(2);
    said.says(&["context admin is protected", "nothing was applied"]);
    assert_eq!(bench.job_names().await.len(), 0);
    project.run_on(&bench, &[&protected[..], &["--yes"]].concat()).ends(0);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_tells_the_outcome() {
    let Some(bench) = Bench::new("apply-wait").await else { return };
    let outcome = |settings: &str, flags: &[&str]| {
        let project = project(settings);
        project.run_on(&bench, &[&["apply", "--wait"], flags].concat())
    };
    let env = |name: &str, value: &str, prefix: &str| {
        format!(
            "job_name_prefix: {prefix}\npod: {{termination_grace_period_seconds: 1}}\ncontainer: {{env: [{{name: {name}, value: \"{value}\"}}]}}"
        )
    };
    let said = outcome(&env("STANDIN_EXIT", "7", "fails"), &[]).ends(1);
    said.says(&["load: failed", "see why with `kubectl mage why job/mage-fails-"]);
    let said = outcome(&env("STANDIN_SLEEP", "300", "sleeps"), &["--timeout", "1s"]).ends(4);
    said.says(&[
        "job.batch/mage-sleeps-",
        "has not ended within 1s, and goes on",
        "kubectl mage why job/mage-sleeps-",
    ]);
    let said = outcome("job_name_prefix: hopeless", &["--image", "localhost/NO:1"]).ends(5);
    said.says(&["load: pending", "could not start, and is left there"]);
    project("")
        .run_on(&bench, &["apply", "--wait", "--suspend"])
        .ends(2)
        .says(&["--wait", "--start"]);
    // So does one that stands there suspended.
    let staged = project("job_name_prefix: staged");
    staged.run_on(&bench, &["apply", "--suspend"]).ends(0);
    staged.run_on(&bench, &["apply", "--wait"]).ends(2).says(&["is suspended", "--start"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_staged_is_run_in_order() {
    let Some(bench) = Bench::new("run-staged").await else { return };
    let project = diamond(&[("STANDIN_TEXT_load", "hello")]);
    let run = ["run", "--staged", "etl"];
    let said = project.run_on(&bench, &run).ends(2);
    said.says(&["is not staged: it does not exist", "kubectl mage apply etl/load --suspend"]);
    project.run_on(&bench, &["apply", "etl"]).ends(0).says(&["`kubectl mage run --staged etl`"]);
    let before = jobs_by_name(&bench).await;
    let said = project.run_on(&bench, &[&run[..], &["--dry-run"]].concat()).ends(0);
    said.says(&["4 blocks", "critical path  load -> "]);
    let said = project.run_on(&bench, &run).ends(0);
    said.says(&["is complete: 4 of 4 blocks complete"]);
    let after = jobs_by_name(&bench).await;
    let of = |jobs: &[Value], pointer: &str| -> Vec<String> {
        jobs.iter().map(|job| job.pointer(pointer).unwrap().to_string()).collect()
    };
    // The very Jobs that were staged, each after those it depends on.
    assert_eq!(of(&before, "/metadata/uid"), of(&after, "/metadata/uid"));
    let time = |block: &str, which: &str| {
        let job =
            after.iter().find(|job| job["metadata"]["annotations"]["kubectl-mage/block"] == block);
        job.unwrap()["status"][which].as_str().unwrap().to_owned()
    };
    for (first, then) in
        [("load", "left"), ("load", "right"), ("left", "export"), ("right", "export")]
    {
        assert!(time(first, "completionTime") <= time(then, "startTime"), "{first} {then}");
    }
    // It is a run like any other.
    let run_id = after[0]["metadata"]["labels"]["kubectl-mage/run"].as_str().unwrap().to_owned();
    let status = project.run_on(&bench, &["status", &run_id]).ends(0).stdout;
    assert_eq!(status.matches("Complete").count(), 4, "{status}");
    let logs = project.run_on(&bench, &["logs", &run_id]).ends(0).stdout;
    assert!(logs.contains("load") && logs.contains("hello"), "{logs}");
    let said = project.run_on(&bench, &run).ends(2);
    said.says(&["load: its Job is complete already", "nothing is staged: all Jobs are complete"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_run_is_resumed_and_starts_only_what_was_staged() {
    let Some(bench) = Bench::new("staged-resume").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "4")]);
    project.run_on(&bench, &["apply", "etl"]).ends(0);
    let staged = jobs_by_name(&bench).await;
    let child = project.start_on(&bench, &["run", "--staged", "etl", "--on-interrupt=pause"]);
    until("a pod", || async { !bench.pod_names().await.is_empty() }).await;
    signal(&child, "-INT");
    Said::new(child.wait_with_output().unwrap()).ends(130);
    let find = |jobs: &[Value], block: &str| {
        let of = |job: &&Value| job["metadata"]["annotations"]["kubectl-mage/block"] == block;
        jobs.iter().find(of).unwrap().clone()
    };
    let paused = jobs_by_name(&bench).await;
    assert_eq!(find(&paused, "left")["spec"]["suspend"], true);
    let load = find(&paused, "load");
    let run = load["metadata"]["labels"]["kubectl-mage/run"].as_str().unwrap().to_owned();
    project.run_on(&bench, &["resume", &run, "--replan"]).ends(2).says(&["Jobs that were staged"]);
    // One that was made anew meanwhile is not the one that was staged.
    let export = find(&paused, "export")["metadata"]["name"].as_str().unwrap().to_owned();
    let delete = ["delete", "job", &export, "-n", &bench.namespace];
    Said::new(kubectl(&bench, &delete).output().unwrap()).ends(0);
    project.run_on(&bench, &["apply", "etl/export", "--suspend"]).ends(0);
    let said = project.run_on(&bench, &["resume", &run]).ends(3);
    let sentence = format!(
        "job.batch/{export} in namespace {} is not the one any more that was staged",
        bench.namespace
    );
    said.says(&[&sentence]);
    let resumed = jobs_by_name(&bench).await;
    for block in ["load", "left", "right"] {
        let job = find(&resumed, block);
        assert_eq!(job["metadata"]["uid"], find(&staged, block)["metadata"]["uid"], "{block}");
        assert_eq!(job["status"]["succeeded"], 1, "{block}");
    }
    assert_eq!(find(&resumed, "export")["spec"]["suspend"], true);
    bench.end().await;
}
