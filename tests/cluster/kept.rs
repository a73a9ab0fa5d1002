//! Logs that were saved: complete or named as what they are, and found once the pods are gone.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams};
use kubectl_mage::run::{Logs, Options};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with};
use crate::cli_run::diamond;
use crate::resume::{elsewhere, kill};
use crate::support::{Bench, start, until};

/// Three lines with odd bytes, a second apart, of which the last has no end.
const ODD: &str = r#"printf 'one %s\n' "$0"; sleep 1.1; printf '\377\000 two\r\n'; sleep 1.1; printf 'WARNING:root:three'"#;

fn pods(bench: &Bench) -> Api<Pod> {
    Api::namespaced(bench.cluster.client().clone(), &bench.namespace)
}

/// Makes a Job of one container that runs a script.
fn make_job(bench: &Bench, name: &str, restart: &str, backoff: u32, script: &str) {
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": bench.namespace},
        "spec": {"backoffLimit": backoff, "template": {"spec": {
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{
                "name": "c", "image": "localhost/mage-stand-in:1",
                "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            }],
        }}},
    });
    kubectl_with(bench, &["create", "-f", "-"], &job.to_string()).ends(0);
}

/// Deletes every Job, and waits until no pod is left.
async fn delete_jobs(bench: &Bench) {
    let gone = ["delete", "jobs", "--all", "--cascade=foreground", "-n", &bench.namespace];
    assert!(kubectl(bench, &gone).output().unwrap().status.success());
    until("the end of the pods", async || {
        pods(bench).list(&ListParams::default()).await.unwrap().items.is_empty()
    })
    .await;
}

fn output(project: &Project, bench: &Bench, arguments: &[&str]) -> Output {
    let output = project.command_on(bench, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    output
}

/// Returns what a command prints; of `-o json` the lines, unnumbered because notices count too.
fn lines(project: &Project, bench: &Bench, arguments: &[&str]) -> Vec<u8> {
    let stdout = output(project, bench, arguments).stdout;
    if !arguments.contains(&"json") {
        return stdout;
    }
    let mut events: Vec<Value> = stdout
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .filter(|event: &Value| event["kind"] == "log")
        .collect();
    for event in &mut events {
        event["seq"].take();
    }
    events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let logs =
        paths.filter(|path| path.extension().is_some_and(|end| end == "log" || end == "part"));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    logs.map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

/// Returns the logs of a namespace's pods, as kubectl gives them, by the names of pods.
async fn logs_by_kubectl(bench: &Bench) -> BTreeMap<String, Vec<u8>> {
    let pods = pods(bench).list(&ListParams::default()).await.unwrap().items;
    let log = |pod: &Pod| {
        let name = pod.metadata.name.clone().unwrap();
        let output = kubectl(bench, &["logs", &name, "-n", &bench.namespace]).output().unwrap();
        assert!(output.status.success());
        (name, output.stdout)
    };
    pods.iter().map(log).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_printed_as_it_would_be_by_the_cluster() {
    let Some(bench) = Bench::new("kept").await else { return };
    let env: &[(&str, &str)] = &[("STANDIN_SCRIPT", ODD)];
    let names = ["load", "../../out", "copy:orig/..", "a\nb"];
    let mut blocks = Vec::new();
    for at in 0..names.len() {
        blocks.push((names[at], &names[at.saturating_sub(1)..at], env));
    }
    let (mut plan, run) = bench.plan(&blocks);
    for (at, block) in plan.blocks.iter_mut().enumerate() {
        block.job["metadata"]["name"] = format!("{run}-{at}").into();
    }
    let options = Options { logs: Logs::None, ..Options::default() };
    let going = start(&bench.cluster, plan, run.clone(), options);
    let (run, home) = (run.to_string(), elsewhere());
    until("the first Job", async || !bench.job_names().await.is_empty()).await;
    output(&home, &bench, &["tail", &run, "--save", "in/saved"]);
    going.end().await;
    let saved = home.path().join("in/saved");
    let mut kept: Vec<_> = files(&saved).into_values().collect();
    let mut wanted: Vec<_> = logs_by_kubectl(&bench).await.into_values().collect();
    kept.sort();
    wanted.sort();
    assert_eq!(kept, wanted);
    assert!(files(&saved).keys().all(|name| name.ends_with(".1.log")), "{:?}", files(&saved));
    assert_eq!(std::fs::read_dir(home.path().join("in")).unwrap().count(), 1);
    let second = {
        let bytes = lines(&home, &bench, &["logs", &run, "-o", "json"]);
        let line = bytes.split(|byte| *byte == b'\n').nth(4).unwrap();
        let event: Value = serde_json::from_slice(line).unwrap();
        event["time"].as_str().unwrap().parse::<Timestamp>().unwrap().to_string()
    };
    let job = format!("job/{run}-1");
    let asked: Vec<Vec<&str>> = vec![
        vec![&run],
        vec!["etl/load", "-o", "raw"],
        vec![&run, "-o", "json"],
        vec![&run, "--timestamps"],
        vec![&run, "--timestamps=Europe/Berlin", "--tail=2"],
        vec![&run, "--since-time", &second],
        vec![&run, "--grep", "two", "--exclude", "nothing"],
        vec![&run, "--level=warning"],
        vec![&run, "-c", "mage"],
        vec![&run, "--merge=time", "--timestamps"],
        vec!["etl"],
        vec!["etl/../../out"],
        vec!["@latest"],
        vec![&job, "-o", "raw"],
    ];
    let ask = |arguments: &Vec<&str>| {
        let arguments = [&["logs"], &arguments[..]].concat();
        lines(&home, &bench, &arguments)
    };
    let by_cluster: Vec<_> = asked.iter().map(ask).collect();
    assert!(by_cluster.iter().all(|lines| !lines.is_empty()));
    delete_jobs(&bench).await;
    let told = home.run_on(&bench, &["tail", &run]);
    told.says(&["4 logs of pods that are gone were saved: see `kubectl mage logs "]);
    let plans: Api<ConfigMap> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let all = ListParams::default().labels("kubectl-mage/run");
    plans.delete_collection(&DeleteParams::default(), &all).await.unwrap();
    until("the end of the plan", async || plans.list(&all).await.unwrap().items.is_empty()).await;
    for (arguments, by_cluster) in asked.iter().zip(&by_cluster) {
        let by_files = ask(arguments);
        assert!(
            by_files == *by_cluster,
            "{arguments:?}:\n{}\n{}",
            String::from_utf8_lossy(by_cluster),
            String::from_utf8_lossy(&by_files)
        );
    }
    let said = home.run_on(&bench, &["logs", "etl/load", "--grep", "one"]).ends(0);
    let path = saved.join("load.1.log");
    said.says(&["is gone: from the file ", path.to_str().unwrap(), ", saved at ", ", complete"]);
    // Whom the cluster does not let in can read them too, and is told.
    let refused = home.command_on(&bench, &["logs", &run, "--token", "none"]).output().unwrap();
    assert_eq!((refused.status.code(), &refused.stdout), (Some(3), &by_cluster[0]));
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.contains("is gone"), "{refused}");
    assert!(refused.contains("hint: what is printed was saved before"), "{refused}");
    let mixed = home.run_on(&bench, &["logs", &run, "-o", "raw"]).ends(2);
    mixed.says(&["-o raw is for one log, and there are several: ../../out (mage), a"]);
    home.run_on(&bench, &["tail", &run]).ends(2).says(&[&format!("kubectl mage logs {run} -n ")]);
    // Other folders, other users, other namespaces and other labels.
    elsewhere().run_on(&bench, &["logs", &run]).ends(2);
    home.run_on(&bench, &["logs", &run, "-n", "default"]).ends(2);
    home.run_on(&bench, &["logs", &run, "-l", "a=b"]).ends(2).says(&["leave --selector out"]);
    let other = elsewhere();
    let there = lines(&other, &bench, &["logs", &run, "--save", saved.to_str().unwrap()]);
    assert_eq!(there, by_cluster[0]);
    // What does not say when lines were written says nothing of it.
    std::fs::remove_file(saved.join("load.1.times")).unwrap();
    let untimed = home.run_on(&bench, &["logs", &run, "--timestamps"]).ends(2);
    untimed.says(&["load.1.log were written is not known", "hint: leave --since"]);
    assert_eq!(lines(&home, &bench, &["logs", "etl/load", "-o", "raw"]), by_cluster[1]);
    std::fs::remove_dir_all(&saved).unwrap();
    home.run_on(&bench, &["logs", &run]).ends(2);
    let list = home.path().join(".local/state/kubectl-mage/saved-logs");
    assert_eq!(std::fs::read_dir(list).unwrap().count(), 0);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_was_killed_is_gone_on_with() {
    let Some(bench) = Bench::new("kept-kill").await else { return };
    let script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; sleep 0.02; done";
    make_job(&bench, "slow", "Never", 0, script);
    let home = elsewhere();
    let saved = home.path().join("saved");
    let save = ["tail", "job/slow", "--save", "saved", "-o", "raw"];
    for lines in [50, 200] {
        let child = home.start_on(&bench, &save);
        until("a part of the log", async || {
            let part = std::fs::read_to_string(saved.join("slow.1.log.part"));
            part.is_ok_and(|part| part.lines().count() > lines)
        })
        .await;
        kill(child);
    }
    assert!(!saved.join("slow.1.log").exists());
    // The disk has not all of what was written to it.
    for (name, left) in [("slow.1.log.part", 777), ("slow.1.times", 1201)] {
        let file = std::fs::OpenOptions::new().write(true).open(saved.join(name)).unwrap();
        file.set_len(left).unwrap();
    }
    let part = std::fs::read(saved.join("slow.1.log.part")).unwrap();
    let mut all = output(&home, &bench, &save).stdout;
    assert_eq!(files(&saved), BTreeMap::from([("slow.1.log".to_owned(), all.clone())]));
    assert_eq!(logs_by_kubectl(&bench).await.into_values().collect::<Vec<_>>(), [all.clone()]);
    assert_eq!(std::fs::metadata(saved.join("slow.1.times")).unwrap().len(), 8 * 400);
    // Once more, nothing is changed; and what somebody changed stays as it is.
    let about = || std::fs::metadata(saved.join("slow.1.log")).unwrap().modified().unwrap();
    let before = about();
    let said = home.run_on(&bench, &["logs", "job/slow", "--save", "saved"]).ends(0);
    assert!(!said.stderr.contains("kept"), "{}", said.stderr);
    assert_eq!(about(), before);
    std::fs::write(saved.join("slow.1.log"), &part).unwrap();
    let said = home.run_on(&bench, &["logs", "job/slow", "--save", "saved"]).ends(0);
    said.says(&["slow.1.log is not the beginning of this log; it is kept in ", "slow.1-2.log"]);
    assert_eq!(std::fs::read(saved.join("slow.1-2.log")).unwrap(), all);
    delete_jobs(&bench).await;
    assert_eq!(output(&home, &bench, &["logs", "job/slow", "-o", "raw"]).stdout, all);
    // What was cut off says so.
    std::fs::remove_file(saved.join("slow.1-2.log")).unwrap();
    std::fs::rename(saved.join("slow.1.log"), saved.join("slow.1.log.part")).unwrap();
    let said = home.run_on(&bench, &["logs", "job/slow", "-o", "raw"]).ends(0);
    all.truncate(777);
    assert_eq!(said.stdout.as_bytes(), all);
    said.says(&["slow.1.log.part, cut off at ", "what was written after that was not saved"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_found_where_some_pods_are_gone() {
    let Some(bench) = Bench::new("kept-attempts").await else { return };
    make_job(&bench, "pods", "Never", 2, "echo pod $HOSTNAME; exit 3");
    let again = "echo run $(cat /v/n 2>/dev/null); echo again >> /v/n; [ $(wc -l < /v/n) = 3 ]";
    make_job(&bench, "runs", "OnFailure", 6, again);
    let home = elsewhere();
    let saved = home.path().join("saved");
    home.run_on(&bench, &["tail", "job/runs", "--save", "saved"]).ends(0);
    home.run_on(&bench, &["tail", "job/pods", "--save", "saved"]).ends(1);
    let of = |name: &str| {
        let names = files(&saved).into_keys().filter(|file| file.starts_with(name));
        names.collect::<Vec<_>>()
    };
    assert_eq!(of("pods"), ["pods.1.log", "pods.2.log", "pods.3.log"]);
    assert_eq!(of("runs"), ["runs.1.log", "runs.2.log", "runs.3.log"]);
    let ask = |what: &[&str]| lines(&home, &bench, &[&["logs"], what].concat());
    let before = ask(&["job/pods"]);
    let mut listed = pods(&bench).list(&ListParams::default()).await.unwrap().items;
    listed.retain(|pod| pod.metadata.name.as_ref().unwrap().starts_with("pods"));
    listed.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
    let first = listed[0].metadata.name.clone().unwrap();
    let delete = ["delete", "pod", &first, "-n", &bench.namespace];
    assert!(kubectl(&bench, &delete).output().unwrap().status.success());
    let said = home.run_on(&bench, &["logs", "job/pods"]).ends(0);
    assert_eq!(said.stdout.as_bytes(), before);
    assert_eq!(said.stderr.matches("is gone: from the file").count(), 1, "{}", said.stderr);
    // Of a container the node keeps one run or two; files tell of those before.
    let runs: Vec<u8> = (1..=3)
        .flat_map(|run| std::fs::read(saved.join(format!("runs.{run}.log"))).unwrap())
        .collect();
    assert_eq!(ask(&["job/runs", "-o", "raw"]), runs);
    let previous = ask(&["job/runs", "--previous", "-o", "raw"]);
    assert!(
        runs.ends_with(&[&previous[..], &ask(&["job/runs", "--tail=9", "-o", "raw"])].concat())
    );
    delete_jobs(&bench).await;
    assert_eq!(ask(&["job/pods"]), before);
    assert_eq!(ask(&["job/runs", "-o", "raw"]), runs);
    assert_eq!(ask(&["job/runs", "--previous", "-o", "raw"]), previous);
    // A Job of the same name is another one.
    make_job(&bench, "pods", "Never", 0, "echo other");
    home.run_on(&bench, &["tail", "job/pods", "--save", "saved"]).ends(0);
    assert_eq!(of("pods"), ["pods.1-2.log", "pods.1.log", "pods.2.log", "pods.3.log"]);
    let both = ask(&["job/pods", "-o", "raw"]);
    assert!(both.starts_with(b"pod ") && both.ends_with(b"other\n"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_kept_is_found_too() {
    let Some(bench) = Bench::new("kept-run").await else { return };
    let project = diamond(&[("STANDIN_LINES", "3")]);
    project.run_on(&bench, &["run", "etl", "--logs-dir=logs", "--logs=none"]).ends(0);
    let before = lines(&project, &bench, &["logs", "@latest"]);
    delete_jobs(&bench).await;
    assert!(lines(&project, &bench, &["logs", "@latest"]) == before);
    assert_eq!(files(&project.path().join("logs")).len(), 4);
    bench.end().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_does_not_end_the_tail() {
    let Some(bench) = Bench::new("kept-full").await else { return };
    let script = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo a line with some words $i; done";
    make_job(&bench, "much", "Never", 0, script);
    // Without a home for its state; and with a limit to the length of files, which stands for a full disk.
    let home = Project::new(&[(".local", "")]);
    let tail = home.command_on(&bench, &["tail", "job/much", "--save", "saved", "-o", "raw"]);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", r#"trap '' XFSZ; ulimit -f 8; exec "$0" "$@""#]).arg(tail.get_program());
    limited.args(tail.get_args()).current_dir(home.path());
    limited.env_clear().env("HOME", home.path());
    let said = Said::new(limited.output().unwrap()).ends(0);
    assert_eq!(said.stdout.lines().count(), 2000);
    let words = "the log is not kept: cannot write saved/much.1.log.part: File too large";
    let noted = "will find these logs only with --save saved: cannot note the folder: ";
    let said = said.says(&[words, noted]);
    assert_eq!(said.stderr.matches("not kept").count(), 1, "{}", said.stderr);
    assert!(!home.path().join("saved/much.1.log").exists());
    for (folder, words) in [
        (".local", ".local is not a folder"),
        ("/proc/logs", "cannot write to the folder /proc/logs: "),
    ] {
        let said = home.run_on(&bench, &["logs", "job/much", "--save", folder]).ends(2);
        said.says(&[words, "hint: name a folder that you can write to with --save"]);
    }
    let whole = output(&home, &bench, &["logs", "job/much", "--save", "saved", "-o", "raw"]).stdout;
    assert_eq!(files(&home.path().join("saved"))["much.1.log"], whole);
    delete_jobs(&bench).await;
    home.run_on(&bench, &["logs", "job/much"]).ends(2);
    let found = output(&home, &bench, &["logs", "job/much", "--save", "saved", "-o", "raw"]);
    assert_eq!(found.stdout, whole);
    bench.end().await;
}
