//! `tail` and `logs`: from before the pod to after the Job, and which lines are shown how.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kubectl_mage::run::Options;
use serde_json::{Value, json};

use crate::binary::{Project, Said};
use crate::support::{Bench, Block, grant, start, until};

/// How many pods share four streams: `KUBECTL_MAGE_TEST_PODS`, else 30.
fn many() -> usize {
    std::env::var("KUBECTL_MAGE_TEST_PODS").map_or(30, |pods| pods.parse().unwrap())
}

/// A Job that runs a script in the stand-in's image; `pod` is merged into the pod.
fn job(name: &str, script: &str, spec: &Value, pod: &Value) -> Value {
    let mut all = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"team": name}},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "containers": [container("main", script)],
            }},
        },
    });
    for (key, value) in spec.as_object().unwrap() {
        all["spec"][key] = value.clone();
    }
    for (key, value) in pod.as_object().unwrap() {
        all["spec"]["template"]["spec"][key] = value.clone();
    }
    all
}

fn container(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "localhost/mage-stand-in:1", "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script]})
}

async fn create(bench: &Bench, job: Value) {
    let job = serde_json::from_value(job).unwrap();
    bench.jobs().create(&PostParams::default(), &job).await.unwrap();
}

fn begin(bench: &Bench, arguments: &[&str]) -> Child {
    begin_in(&Project::new(&[]), bench, arguments)
}

pub(crate) fn begin_in(project: &Project, bench: &Bench, arguments: &[&str]) -> Child {
    let mut command = project.command_on(bench, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) async fn ended(child: Child) -> Said {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    Said::new(output)
}

/// Waits until the process has said something on stderr; returns what it says from there on.
pub(crate) fn until_said(child: &mut Child, text: &str) -> BufReader<std::process::ChildStderr> {
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let before = said.len();
        assert!(lines.read_line(&mut said).unwrap() > 0, "{text:?} was not said: {said}");
        if said[before..].contains(text) {
            return lines;
        }
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_yet_is_waited_for_and_every_attempt_is_followed() {
    let Some(bench) = Bench::new("tail-attempts").await else { return };
    let mut child = begin(&bench, &["tail", "job/late"]);
    let mut rest = until_said(&mut child, "there is no job/late in namespace");
    // Its first pod fails, its second one does not; the node tells them apart.
    let script = "echo from $HOSTNAME; mkdir /data/once 2>/dev/null && exit 3; echo well";
    let pod = json!({
        "containers": [{"name": "main", "image": "localhost/mage-stand-in:1", "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "hostPath": {"path": format!("/tmp/{}", bench.namespace), "type": "DirectoryOrCreate"}}],
    });
    create(&bench, job("late", script, &json!({"backoffLimit": 2}), &pod)).await;
    let said = ended(child).await.ends(0);
    let mut told = String::new();
    rest.read_to_string(&mut told).unwrap();
    let shown = lines(&said.stdout);
    assert_eq!(shown.len(), 3, "{shown:#?}");
    assert!(shown[0].starts_with("late | from late-"), "{shown:#?}");
    assert!(
        shown[1].starts_with("late#2 | from late-") && shown[2] == "late#2 | well",
        "{shown:#?}"
    );
    for text in [
        "created job.batch/late",
        "attempt 1: ended with exit code 3",
        "attempt 2",
        "complete after",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_of_a_container_are_followed_and_the_run_before_can_be_read() {
    let Some(bench) = Bench::new("tail-restarts").await else { return };
    let script = "if [ -e /data/again ]; then echo second; sleep 8; exit 0; fi; touch /data/again; echo first; exit 1";
    let pod = json!({
        "restartPolicy": "OnFailure",
        "containers": [{"name": "main", "image": "localhost/mage-stand-in:1", "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "emptyDir": {}}],
    });
    create(&bench, job("again", script, &json!({"backoffLimit": 3}), &pod)).await;
    let project = Project::new(&[]);
    let child = begin(&bench, &["tail", "job/again"]);
    // The node keeps the log of the run before while the container runs, and no longer.
    let previous = ["logs", "job/again", "--previous", "-o", "raw"];
    until("the restart", async || project.run_on(&bench, &previous).stdout == "first\n").await;
    let both = ["logs", "job/again", "-o", "raw"];
    until("both", async || project.run_on(&bench, &both).stdout == "first\nsecond\n").await;
    let said = ended(child).await.ends(0);
    let of_lines: Vec<&str> = said.stdout.lines().filter(|line| line.contains(" | ")).collect();
    assert_eq!(of_lines, ["again | first", "again#2 | second"], "{}", said.stdout);
    project.run_on(&bench, &previous).ends(3).says(&["gone from the node"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_container_that_fails_speaks_and_sidecars_do_when_asked() {
    let Some(bench) = Bench::new("tail-containers").await else { return };
    let pod = json!({"initContainers": [container("fetch", "echo no such bucket; exit 4")]});
    create(&bench, job("init", "echo never", &json!({}), &pod)).await;
    let said = ended(begin(&bench, &["tail", "job/init"])).await.ends(1);
    assert_eq!(said.stdout, "init/fetch | no such bucket\n");
    let two = json!({"containers": [container("side", "echo beside"), container("main", "echo main; sleep 1")]});
    let mut both = job("both", "", &json!({}), &two);
    both["spec"]["template"]["metadata"] =
        json!({"annotations": {"kubectl.kubernetes.io/default-container": "main"}});
    create(&bench, both).await;
    let said = ended(begin(&bench, &["tail", "job/both"])).await.ends(0);
    assert_eq!(said.stdout, "both | main\n");
    let project = Project::new(&[]);
    let all = project.run_on(&bench, &["logs", "job/both", "--all-containers"]).ends(0);
    let mut shown = lines(&all.stdout);
    shown.sort_unstable();
    assert_eq!(shown, ["both      | main", "both/side | beside"]);
    let one = project.run_on(&bench, &["logs", "job/both", "-c", "side", "-o", "raw"]).ends(0);
    assert_eq!(one.stdout, "beside\n");
    for verb in ["logs", "tail"] {
        let unknown = project.run_on(&bench, &[verb, "job/both", "-c", "mian"]).ends(2);
        unknown.says(&["no pod of it has a container mian", "name one of main, side with -c"]);
    }
    let mixed =
        project.run_on(&bench, &["logs", "job/both", "--all-containers", "-o", "raw"]).ends(2);
    assert!(mixed.stdout.is_empty());
    mixed.says(&["-o raw is for one log", "both (main)", "both (side)", "--save"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_to_wait_is_said_and_a_pod_that_never_starts_has_its_own_code() {
    let Some(bench) = Bench::new("tail-pending").await else { return };
    let pod = json!({"nodeSelector": {"no": "where"}});
    create(&bench, job("stuck", "echo never", &json!({"activeDeadlineSeconds": 600}), &pod)).await;
    let mut child = begin(&bench, &["tail", "job/stuck"]);
    let rest = until_said(&mut child, "pending: ");
    bench.jobs().delete("stuck", &DeleteParams::background()).await.unwrap();
    let said = ended(child).await.ends(5);
    assert!(said.stdout.is_empty());
    drop(rest);
    // Without a pod only events tell why.
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    let api: Api<k8s_openapi::api::core::v1::ResourceQuota> =
        Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    api.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    let counts = async || {
        let quota = api.get("none").await.unwrap();
        quota.status.is_some_and(|status| status.hard.is_some())
    };
    until("the quota to count", counts).await;
    create(&bench, job("denied", "echo never", &json!({}), &json!({}))).await;
    let mut child = begin(&bench, &["tail", "job/denied"]);
    let _rest = until_said(&mut child, "quota");
    bench.jobs().delete("denied", &DeleteParams::background()).await.unwrap();
    ended(child).await.ends(5);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_to_its_end_with_its_outcome() {
    let Some(bench) = Bench::new("tail-run").await else { return };
    let talk =
        |text: &'static str| -> [(&'static str, &'static str); 1] { [("STANDIN_TEXT", text)] };
    let (a, b) = (talk("this is a"), talk("this is b"));
    let blocks: &[Block<'_>] = &[("a", &[], &a), ("b", &["a"], &b)];
    let (plan, run) = bench.plan(blocks);
    let going = start(&bench.cluster, plan, run.clone(), Options::default());
    until("the plan", async || !bench.job_names().await.is_empty()).await;
    let all = begin(&bench, &["tail", &run.to_string()]);
    let one = begin(&bench, &["tail", "etl/b", "-o", "raw"]);
    let (all, one) = tokio::join!(ended(all), ended(one));
    let (all, one) = (all.ends(0), one.ends(0));
    going.end().await;
    assert!(all.stdout.contains("a | this is a\n") && all.stdout.contains("b | this is b\n"));
    assert!(
        one.stdout.starts_with("INFO:etl/") || one.stdout.contains("this is b"),
        "{}",
        one.stdout
    );
    let project = Project::new(&[]);
    let logs = project.run_on(&bench, &["logs", "@latest", "--grep", "this is"]).ends(0);
    assert_eq!(logs.stdout, "a | this is a\nb | this is b\n");
    project.run_on(&bench, &["logs", &run.to_string(), "-o", "raw"]).ends(2);
    project.run_on(&bench, &["tail", "etl-bbbbbb"]).ends(2).says(&["etl-bbbbbb", &run.to_string()]);
    project.run_on(&bench, &["logs", "job/none"]).ends(2).says(&["job/none", "-n"]);
    // What failed, and what somebody cancelled.
    let (mut failing, failed) =
        bench.plan(&[("a", &[], &[("STANDIN_FAIL", "1")]), ("b", &["a"], &[])]);
    failing.edition = "oss".to_owned();
    let going = start(&bench.cluster, failing, failed.clone(), Options::default());
    until("the Job", async || bench.job_names().await.len() == 3).await;
    ended(begin(&bench, &["tail", &failed.to_string()])).await.ends(1).says(&["kubectl mage why"]);
    going.end().await;
    let (long, cancelled) = bench.plan(&[("a", &[], &[("STANDIN_SLEEP", "60")])]);
    let going = start(&bench.cluster, long, cancelled.clone(), Options::default());
    until("the Job", async || bench.job_names().await.len() == 4).await;
    let mut child = begin(&bench, &["tail", &cancelled.to_string()]);
    let _rest = until_said(&mut child, "running in pod/");
    project.run_on(&bench, &["cancel", &cancelled.to_string()]).ends(0);
    ended(child).await.ends(6);
    going.end().await;
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn which_lines_are_shown() {
    let Some(bench) = Bench::new("tail-lines").await else { return };
    let script = r#"echo plain
echo 'WARNING:etl/a:{"message": "beware", "level": "WARNING", "timestamp": 1795785645.69}'
printf 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    boom()\nValueError: no rows\n'
sleep 3
echo late
printf 'no end'"#;
    create(&bench, job("many", script, &json!({}), &json!({}))).await;
    ended(begin(&bench, &["tail", "job/many"])).await.ends(0);
    let project = Project::new(&[]);
    let logs = |more: &[&str]| {
        let arguments = [&["logs", "job/many"], more].concat();
        project.run_on(&bench, &arguments).ends(0).stdout
    };
    let raw = logs(&["-o", "raw"]);
    assert!(
        raw.starts_with("plain\n") && raw.ends_with("ValueError: no rows\nlate\nno end"),
        "{raw}"
    );
    assert_eq!(logs(&["--tail", "2"]), "many | late\nmany | no end\n");
    let grave = logs(&["--level", "warning"]);
    assert_eq!(lines(&grave).len(), 5, "{grave}");
    assert!(grave.contains("WARNING beware") && !grave.contains("plain"), "{grave}");
    let traceback = logs(&["--grep", "ValueError"]);
    assert_eq!(lines(&traceback).len(), 4, "{traceback}");
    assert!(!logs(&["--exclude", "boom"]).contains("Traceback"));
    // The time of the late line, to the nanosecond, is where reading begins; a second is all the API knows.
    let stamped = logs(&["-o", "raw", "--timestamps"]);
    let time =
        stamped.lines().find(|line| line.ends_with(" late")).unwrap().split(' ').next().unwrap();
    assert_eq!(logs(&["-o", "raw", "--since-time", time]), "late\nno end");
    assert!(logs(&["--since", "1h"]).contains("plain"));
    let zoned = logs(&["--timestamps=Asia/Tokyo", "--grep", "late"]);
    assert!(zoned.contains("+09:00 many | late"), "{zoned}");
    let object: Value =
        serde_json::from_str(logs(&["-o", "json", "--grep", "beware"]).trim()).unwrap();
    assert_eq!(
        (&object["level"], &object["message"], &object["job"]),
        (&json!("warning"), &json!("beware"), &json!("many"))
    );
    project
        .run_on(&bench, &["logs", "job/many", "--grep", "a(b"])
        .ends(2)
        .says(&["a(b", "regular expression"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_logs_take_turns_and_none_is_left_out() {
    let Some(bench) = Bench::new("tail-many").await else { return };
    let pods = many();
    let spec = json!({"parallelism": pods, "completions": pods});
    let script =
        "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo line $i of $HOSTNAME; sleep 0.3; done";
    create(&bench, job("wide", script, &spec, &json!({}))).await;
    let said = ended(begin(&bench, &["tail", "job/wide", "--max-streams", "4", "-o", "json"]))
        .await
        .ends(0);
    let mut of_pods = std::collections::BTreeMap::<String, Vec<String>>::new();
    for line in said.stdout.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        if object["kind"] == "log" {
            let pod = object["pod"].as_str().unwrap().to_owned();
            of_pods.entry(pod).or_default().push(object["line"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(of_pods.len(), pods);
    for (pod, lines) in of_pods {
        let expected: Vec<String> = (1..=20).map(|n| format!("line {n} of {pod}")).collect();
        assert_eq!(lines, expected, "{pod}");
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_reader_loses_no_line_and_does_not_stall_the_watch() {
    let Some(bench) = Bench::new("tail-slow").await else { return };
    // More than any pipe, socket or window holds.
    let script = "awk 'BEGIN { for (i = 1; i <= 60000; i++) printf \"%d %0100d\\n\", i, i }'";
    create(&bench, job("much", script, &json!({}), &json!({}))).await;
    let mut child = begin(&bench, &["tail", "job/much"]);
    let mut rest = until_said(&mut child, "running in pod/");
    let mut line = String::new();
    // Nobody reads stdout, and yet it is known that the Job has ended.
    rest.read_line(&mut line).unwrap();
    assert!(line.contains("complete"), "{line}");
    let said = ended(child).await.ends(0);
    let numbers = said.stdout.lines().map(|line| {
        line.strip_prefix("much | ").unwrap().split(' ').next().unwrap().parse::<u32>().unwrap()
    });
    assert!(numbers.eq(1..=60_000));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_read_enough_and_whoever_interrupts_ends_it_quietly() {
    let Some(bench) = Bench::new("tail-leave").await else { return };
    let script = "while :; do echo again; sleep 0.1; done";
    create(&bench, job("ever", script, &json!({}), &json!({}))).await;
    let mut child = begin(&bench, &["tail", "job/ever", "-q"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ever | again\n");
    let said = ended(child).await.ends(0);
    assert_eq!(said.stderr, "");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut child = begin(&bench, &["tail", "job/ever"]);
        let _rest = until_said(&mut child, "running in pod/");
        let killed = std::process::Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        ended(child).await.ends(code);
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_narrow_and_order_by_time_holds_over_pods() {
    let Some(bench) = Bench::new("tail-order").await else { return };
    let mage = |block: &str| {
        json!([
            "/app/run_app.sh",
            "mage",
            "run",
            "/p",
            "etl",
            "--block-uuid",
            block,
            "--pipeline-run-id",
            "4"
        ])
    };
    for block in ["a", "b", "c"] {
        let mut one = job(block, "", &json!({}), &json!({}));
        let container = &mut one["spec"]["template"]["spec"]["containers"][0];
        container["command"] = mage(block);
        container["env"] = json!([{"name": "STANDIN_LINES", "value": "30"}, {"name": "STANDIN_SLEEP", "value": "10"}]);
        create(&bench, one).await;
    }
    // A log that is found later may begin with lines that are older than what was shown.
    let pods: Api<Pod> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let running = ListParams::default().fields("status.phase=Running");
    until("three pods", async || pods.list(&running).await.unwrap().items.len() == 3).await;
    let said = ended(begin(&bench, &["tail", "etl@4", "--merge=time", "-o", "json"])).await.ends(0);
    let objects: Vec<Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<&str> = objects
        .iter()
        .filter(|object| object["kind"] == "log")
        .map(|object| object["time"].as_str().unwrap())
        .collect();
    assert!(times.len() >= 90 && times.is_sorted(), "{times:#?}");
    let project = Project::new(&[]);
    let only = project.run_on(&bench, &["logs", "etl@4", "-l", "team=b"]).ends(0);
    assert!(
        only.stdout.lines().count() >= 30
            && only.stdout.lines().all(|line| line.starts_with("b | "))
    );
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named() {
    let Some(bench) = Bench::new("tail-rights").await else { return };
    create(&bench, job("seen", "echo seen", &json!({}), &json!({}))).await;
    let project = Project::new(&[]);
    ended(begin(&bench, &["tail", "job/seen"])).await.ends(0);
    let nobody = ["logs", "job/seen", "--as", "nobody"];
    project.run_on(&bench, &nobody).ends(3).says(&["pods", "list"]);
    let rights =
        json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch", "get"]}]);
    grant(&bench, "reader", &rights).await;
    project.run_on(&bench, &["logs", "job/seen", "--as", "reader"]).ends(3).says(&["pods/log"]);
    let patch = json!({"rules": [rights[0], {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}]});
    let roles: Api<k8s_openapi::api::rbac::v1::Role> =
        Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    roles.patch("reader", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let said = project.run_on(&bench, &["logs", "job/seen", "--as", "reader"]).ends(0);
    assert_eq!(said.stdout, "seen | seen\n");
    // How the Job stands is read from its pod then.
    let said = project.run_on(&bench, &["tail", "job/seen", "--as", "reader"]).ends(0);
    assert_eq!(said.stdout, "seen | seen\n");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_cannot_be_printed_is_said() {
    let Some(bench) = Bench::new("tail-not").await else { return };
    create(&bench, job("one", "echo hello", &json!({}), &json!({}))).await;
    ended(begin(&bench, &["tail", "job/one"])).await.ends(0);
    let project = Project::new(&[
        ("metadata.yaml", ""),
        ("pipelines/etl/metadata.yaml", "blocks: [{uuid: load, type: data_loader}]\n"),
    ]);
    // Of several what is there is printed all the same.
    let said = project.run_on(&bench, &["logs", "job/one", "job/nope"]).ends(2);
    let said = said.says(&["there is no job/nope in namespace"]);
    assert!(said.stdout.ends_with("hello\n"), "{}", said.stdout);
    let said = project.run_on(&bench, &["logs", "etl/laod"]).ends(2);
    said.says(&["no block `laod`", "did you mean `etl/load`?"]);
    let said = project.run_on(&bench, &["logs", "elt/load"]).ends(2);
    said.says(&["the project at hand has no pipeline `elt`: did you mean `etl`?"]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = project.command_on(&bench, &["logs", "job/one"]);
    let output = command.stdout(full).output().unwrap();
    Said::new(output).ends(2).says(&["cannot write to stdout"]);
    // Nobody has ever answered there, so nobody is waited for as if he did.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = project.run_on(&bench, &["tail", "job/one", "-s", &format!("http://{nobody}")]);
    said.ends(3).says(&["cannot reach the API server"]);
    bench.end().await;
}
