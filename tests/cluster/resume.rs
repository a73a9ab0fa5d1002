//! `resume` and `attach` by the binary, from a folder that knows nothing of the project.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::process::Child;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, EvictParams, ListParams};
use serde_json::Value;

use crate::binary::{Project, Said};
use crate::cli_run::{diamond, signal};
use crate::faults::{Mode, Proxy};
use crate::support::{Bench, until};

/// A folder without anything.
pub(crate) fn elsewhere() -> Project {
    Project::new(&[])
}

fn pods(bench: &Bench) -> Api<Pod> {
    Api::namespaced(bench.cluster.client().clone(), &bench.namespace)
}

/// Waits until so many Jobs are there.
async fn jobs_come(bench: &Bench, count: usize) {
    until("the Jobs", async || bench.job_names().await.len() >= count).await;
}

/// Waits until a pod of the namespace runs.
async fn runs(bench: &Bench) {
    let running = |pod: &Pod| {
        pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Running"))
    };
    until("a running pod", async || {
        pods(bench).list(&ListParams::default()).await.unwrap().items.iter().any(running)
    })
    .await;
}

pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Checks that the API server made each Job once, so many in all.
pub(crate) fn made_once(bench: &Bench, count: usize) {
    let Some(posts) = bench.posts() else { return };
    let mut names = posts.clone();
    names.dedup();
    assert_eq!(names, posts, "a Job was made twice");
    assert_eq!(posts.len(), count, "{posts:#?}");
}

fn states(said: &Said, block: &str) -> Vec<String> {
    said.stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["kind"] == "block" && event["block"] == block)
        .map(|event| format!("{} {}", event["state"].as_str().unwrap(), event["attempt"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_gone_on_with_from_an_empty_folder() {
    let Some(bench) = Bench::new("resume-kill").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "4"), ("STANDIN_TEXT", "hello")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    jobs_come(&bench, 3).await;
    kill(child);
    let said = elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0).says(&[
        "waiting for a sign of life",
        "goes on: pipeline etl, 4 blocks",
        "come back to it with: kubectl mage attach etl-",
        "is complete: 4 of 4 blocks complete",
    ]);
    assert!(!said.stdout.contains("load   | hello"), "shown before:\n{}", said.stdout);
    assert!(said.stdout.contains("export | hello"), "{}", said.stdout);
    made_once(&bench, 4);
    let again = elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0);
    again.says(&["nothing to do: run etl-", "is complete, 4 blocks"]);
    bench.end().await;
}

/// The block would be complete before its time is up, if that counted from when it was resumed.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocks_timeout_counts_from_its_own_start() {
    let Some(bench) = Bench::new("resume-timeout").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "36")]);
    let pipeline = "uuid: etl\nname: etl\ntype: python\nblocks:\n\
        - {uuid: load, type: data_loader, executor_type: k8s, timeout: 20}\n";
    project.write("pipelines/etl/metadata.yaml", pipeline);
    let child = project.start_on(&bench, &["run", "etl"]);
    runs(&bench).await;
    kill(child);
    let lease = format!("mage-run-{}", latest(&project, &bench));
    let old = async || {
        let pod = pods(&bench).list(&ListParams::default()).await.unwrap().items.remove(0);
        let began = pod.status.unwrap().start_time.unwrap().0;
        bench.cluster.get_lease(&bench.namespace, &lease).await.unwrap();
        let now = bench.cluster.server_time().unwrap();
        now.duration_since(began).as_secs() > 20
    };
    until("the end of its time", old).await;
    let said = elsewhere().run_on(&bench, &["resume", "@latest", "-o", "json"]).ends(1);
    let all = states(&said, "load");
    assert_eq!(all.last().unwrap(), "TimedOut 1", "{all:?}");
    until("no Job", async || bench.job_names().await.is_empty()).await;
    made_once(&bench, 1);
    bench.end().await;
}

fn latest(project: &Project, bench: &Bench) -> String {
    let runs = project.run_on(bench, &["runs", "-o", "name"]).ends(0).stdout;
    runs.trim().trim_start_matches("run/").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_run_is_gone_on_with_at_once() {
    let Some(bench) = Bench::new("resume-pause").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "5")]);
    let child = project.start_on(&bench, &["run", "etl", "--on-interrupt=pause"]);
    runs(&bench).await;
    signal(&child, "-INT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(130);
    said.says(&["is paused", "hint: go on with it: kubectl mage resume etl-"]);
    let said = elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0);
    assert!(!said.stderr.contains("sign of life"), "the Lease was given back:\n{}", said.stderr);
    made_once(&bench, 4);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_gets_another_attempt() {
    let Some(bench) = Bench::new("resume-failed").await else { return };
    let project = shared(&[("STANDIN_FAIL_TIMES_left", "1")]);
    let said = project.run_on(&bench, &["run", "etl"]).ends(1);
    said.says(&["left   : failed", "hint: try again what failed, and go on: kubectl mage resume"]);
    let said = elsewhere().run_on(&bench, &["resume", "@latest", "-o", "json"]).ends(0);
    assert_eq!(states(&said, "left").first().unwrap(), "Created 2");
    assert_eq!(states(&said, "load"), ["Complete 1"]);
    made_once(&bench, 5);
    bench.end().await;
}

/// A diamond whose blocks remember on the node how often they failed.
pub(crate) fn shared(env: &[(&str, &str)]) -> Project {
    let project = diamond(&[]);
    let state = format!("/tmp/kubectl-mage-test-{}", std::process::id());
    let pairs: Vec<String> = env
        .iter()
        .chain(&[("STANDIN_STATE", "/state")])
        .map(|(name, value)| format!("    - {{name: {name}, value: \"{value}\"}}\n"))
        .collect();
    let settings = format!(
        "k8s_executor_config:\n  pod:\n    termination_grace_period_seconds: 1\n    volumes:\n    \
         - {{name: s, host_path: {{path: {state}, type: DirectoryOrCreate}}}}\n  container_config:\n    \
         image: localhost/mage-stand-in:1\n    volume_mounts:\n    - {{name: s, mount_path: /state}}\n    \
         env:\n{}",
        pairs.concat()
    );
    project.write("metadata.yaml", &settings);
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_fails_once_is_tried_again() {
    let Some(bench) = Bench::new("retries").await else { return };
    let project = shared(&[("STANDIN_FAIL_TIMES_load", "1"), ("STANDIN_FAIL_TIMES_left", "2")]);
    let said = project.run_on(&bench, &["run", "etl", "--retries", "1", "-o", "json"]).ends(1);
    let mut load = states(&said, "load");
    // On a busy machine a pod has a reason to wait.
    load.retain(|state| !state.starts_with("Pending"));
    assert_eq!(
        load,
        ["Created 1", "Running 1", "Retrying 2", "Created 2", "Running 2", "Complete 2"]
    );
    assert_eq!(states(&said, "left").last().unwrap(), "Failed 2");
    assert_eq!(states(&said, "export"), ["Skipped null"]);
    let names = bench.job_names().await;
    assert_eq!(names.iter().filter(|name| name.ends_with("-2")).count(), 2, "{names:?}");
    made_once(&bench, 5);
    // `left` has failed twice and succeeds now.
    let said = elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0);
    said.says(&["left   : created job.batch/", "-3, attempt 3", "is complete"]);
    made_once(&bench, 7);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_eviction_before_the_start_uses_up_no_retry() {
    let Some(bench) = Bench::new("evicted").await else { return };
    let project = diamond(&[]);
    // The image never comes, so the container never starts.
    let arguments = ["run", "etl/load", "-o", "json", "--image", "localhost:1/no/such:image"];
    let child = project.start_on(&bench, &arguments);
    let evict = async || {
        for name in bench.pod_names().await {
            let _ = pods(&bench).evict(&name, &EvictParams::default()).await;
        }
        bench.job_names().await.len() >= 2
    };
    until("a second Job", evict).await;
    signal(&child, "-INT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(130);
    let load = states(&said, "load");
    assert!(load.contains(&"Retrying 2".to_owned()), "{load:?}");
    assert!(said.stdout.contains("which is no fault of its own"), "{}", said.stdout);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_eviction_after_the_start_is_a_failure() {
    let Some(bench) = Bench::new("evicted-late").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "60")]);
    let child = project.start_on(&bench, &["run", "etl/load"]);
    runs(&bench).await;
    let name = bench.pod_names().await.remove(0);
    pods(&bench).evict(&name, &EvictParams::default()).await.unwrap();
    let said = Said::new(child.wait_with_output().unwrap()).ends(1);
    said.says(&["the pod was evicted from its node", "kubectl mage resume"]);
    made_once(&bench, 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_terminal_follows_and_neither_drives_twice() {
    let Some(bench) = Bench::new("attach").await else { return };
    let project = diamond(&[("STANDIN_TEXT", "hello"), ("STANDIN_SLEEP_left", "9")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    jobs_come(&bench, 3).await;
    let said = elsewhere().run_on(&bench, &["resume", "@latest"]).ends(2);
    said.says(&["drives run etl-", "right now", "hint: follow it with `kubectl mage attach etl-"]);
    let said = elsewhere()
        .run_on(&bench, &["attach", "@latest"])
        .ends(0)
        .says(&["is watched: pipeline etl", "is complete: 4 of 4 blocks complete"]);
    for line in ["load   | hello", "left   | hello", "export | hello"] {
        assert_eq!(said.stdout.matches(line).count(), 1, "{line} in:\n{}", said.stdout);
    }
    Said::new(child.wait_with_output().unwrap()).ends(0);
    // A run that is over is shown as it was, and its outcome is the exit code.
    elsewhere().run_on(&bench, &["attach", "@latest"]).ends(0).says(&["is complete: 4 of 4"]);
    made_once(&bench, 4);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_watches_changes_nothing() {
    let Some(bench) = Bench::new("attach-left").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "6")]);
    let run = project.start_on(&bench, &["run", "etl"]);
    runs(&bench).await;
    let watching = elsewhere().start_on(&bench, &["attach", "@latest", "--context", "viewer"]);
    let left = elsewhere().start_on(&bench, &["attach", "@latest"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    signal(&left, "-INT");
    let left = Said::new(left.wait_with_output().unwrap()).ends(130);
    left.says(&["is not touched", "hint: follow it again: kubectl mage attach etl-"]);
    kill(run);
    // `load` ends, nobody starts the rest, and whoever watches is told.
    let said = Said::new(watching.wait_with_output().unwrap()).ends(1);
    said.says(&[
        "it is not known who drives the run: forbidden",
        "load   : complete",
        "nothing runs any more, and nobody drives it",
        "hint: go on with it: kubectl mage resume etl-",
    ]);
    if let Some(changes) = crate::cli_run::changes(&bench, "viewer") {
        assert_eq!(changes, Vec::<String>::new());
    }
    made_once(&bench, 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_resume_at_once_make_no_job_twice() {
    let Some(bench) = Bench::new("resume-race").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "3")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    jobs_come(&bench, 1).await;
    kill(child);
    let racers: Vec<Child> =
        (0..2).map(|_| elsewhere().start_on(&bench, &["resume", "@latest"])).collect();
    let said: Vec<Said> =
        racers.into_iter().map(|racer| Said::new(racer.wait_with_output().unwrap())).collect();
    let mut codes: Vec<i32> = said.iter().map(|said| said.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 2], "{said:#?}");
    made_once(&bench, 4);
    bench.end().await;
}

/// The server has the Job, and nobody was told.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_killed_between_post_and_answer_leaves_a_job_that_is_found() {
    let Some(bench) = Bench::new("resume-post").await else { return };
    let proxy = Proxy::start(bench.cluster.server()).await;
    proxy.mode.send_replace(Mode::Late(Duration::from_secs(1)));
    let project = diamond(&[]);
    let arguments = ["run", "etl", "--server-pod", "none", "--server", &proxy.url];
    let child = project.start_on(&bench, &arguments);
    jobs_come(&bench, 1).await;
    kill(child);
    elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0).says(&["4 of 4 blocks complete"]);
    made_once(&bench, 4);
    bench.end().await;
}

/// A laptop that slept: another client went on, and the first one finds that out.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_asleep_only_watches_afterwards() {
    let Some(bench) = Bench::new("resume-asleep").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_export", "12")]);
    let asleep = project.start_on(&bench, &["run", "etl"]);
    jobs_come(&bench, 1).await;
    signal(&asleep, "-STOP");
    let other = elsewhere().start_on(&bench, &["resume", "@latest"]);
    jobs_come(&bench, 4).await;
    signal(&asleep, "-CONT");
    Said::new(other.wait_with_output().unwrap()).ends(0);
    let said = Said::new(asleep.wait_with_output().unwrap()).ends(0);
    said.says(&["drives the run now; from here on it is only watched", "is complete: 4 of 4"]);
    made_once(&bench, 4);
    bench.end().await;
}

/// Without the right to Leases nothing keeps two clients apart but the names of Jobs.
#[tokio::test(flavor = "multi_thread")]
async fn without_leases_no_job_is_made_twice_either() {
    let Some(bench) = Bench::new("no-leases").await else { return };
    let rules = "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\
        {\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{\"name\":\"r\"},\"rules\":[\
        {\"apiGroups\":[\"batch\"],\"resources\":[\"jobs\"],\"verbs\":[\"*\"]},\
        {\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"pods/log\",\"configmaps\",\"events\"],\"verbs\":[\"*\"]}]},\
        {\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"RoleBinding\",\"metadata\":{\"name\":\"r\"},\
        \"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Role\",\"name\":\"r\"},\
        \"subjects\":[{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"User\",\"name\":\"lessee\"}]}]}";
    let created =
        crate::binary::kubectl_with(&bench, &["create", "-n", &bench.namespace, "-f", "-"], rules);
    created.ends(0);
    let project = diamond(&[("STANDIN_SLEEP", "2")]);
    let run = project.start_on(&bench, &["run", "etl", "--as", "lessee", "--server-pod", "none"]);
    jobs_come(&bench, 1).await;
    let resumed = ["resume", "@latest", "--as", "lessee"];
    let others: Vec<Child> = (0..2).map(|_| elsewhere().start_on(&bench, &resumed)).collect();
    let said = Said::new(run.wait_with_output().unwrap()).ends(0);
    said.says(&["nothing keeps another client from driving this run too"]);
    for other in others {
        Said::new(other.wait_with_output().unwrap()).ends(0);
    }
    made_once(&bench, 4);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_deleted_itself_is_known_to_have_ended() {
    let Some(bench) = Bench::new("resume-ttl").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "5"), ("STANDIN_SLEEP_right", "5")]);
    let settings = std::fs::read_to_string(project.path().join("metadata.yaml")).unwrap();
    let ttl = format!("{settings}  job:\n    ttl_seconds_after_finished: 0\n");
    project.write("metadata.yaml", &ttl);
    let child = project.start_on(&bench, &["run", "etl", "--parallel=1"]);
    let left = async || {
        let names = bench.job_names().await;
        names.len() == 1 && names[0].contains("-left-")
    };
    until("left alone", left).await;
    kill(child);
    // `left` ends and deletes itself while nobody looks.
    until("nothing", async || bench.job_names().await.is_empty()).await;
    elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0).says(&[
        "load   : complete",
        "left   : complete",
        "is complete: 4 of 4",
    ]);
    made_once(&bench, 4);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_which_nothing_is_known_is_not_run_again() {
    let Some(bench) = Bench::new("resume-gone").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "60")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    runs(&bench).await;
    kill(child);
    // Somebody deletes it while nobody looks: it may have done its work.
    let name = bench.job_names().await.remove(0);
    bench.jobs().delete(&name, &DeleteParams::background()).await.unwrap();
    until("nothing", async || bench.job_names().await.is_empty()).await;
    elsewhere().run_on(&bench, &["resume", "@latest"]).ends(2).says(&[
        "error: the Job of load is gone and nothing tells whether it had ended",
        "hint: if that does no harm, run it anew on the data of this run: kubectl mage run etl/load \
         --downstream --execution-partition kubectl-mage/etl-",
    ]);
    made_once(&bench, 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_gets_another_attempt() {
    let Some(bench) = Bench::new("resume-cancelled").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "8")]);
    let child = project.start_on(&bench, &["run", "etl", "--on-interrupt=cancel"]);
    runs(&bench).await;
    signal(&child, "-TERM");
    Said::new(child.wait_with_output().unwrap()).ends(143).says(&["kubectl mage resume etl-"]);
    assert!(bench.job_names().await.is_empty());
    elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0).says(&["-2, attempt 2"]);
    made_once(&bench, 5);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_condition_is_not_forgotten() {
    let Some(bench) = Bench::new("resume-condition").await else { return };
    let project = diamond(&[("STANDIN_CONDITION_load", "false"), ("STANDIN_SLEEP_load", "4")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    runs(&bench).await;
    kill(child);
    let done = async || {
        let runs = bench.cluster.list_runs(Some(&bench.namespace), None).await.unwrap();
        runs[0].done == 1
    };
    until("its end without us", done).await;
    elsewhere()
        .run_on(&bench, &["resume", "@latest"])
        .ends(0)
        .says(&["load   : condition false", "left   : skipped"]);
    made_once(&bench, 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_not_there_is_told() {
    let Some(bench) = Bench::new("resume-unknown").await else { return };
    let folder = elsewhere();
    for verb in ["resume", "attach"] {
        let said = folder.run_on(&bench, &[verb, "@latest"]).ends(2);
        said.says(&["there is no run in namespace", "hint: "]);
        folder.run_on(&bench, &[verb, "etl/load"]).ends(2).says(&["not the name of a run"]);
    }
    let project = diamond(&[("STANDIN_SLEEP", "3")]);
    project.run_on(&bench, &["run", "etl/load"]).ends(0);
    let api: Api<ConfigMap> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let plans = api.list(&ListParams::default().labels("kubectl-mage/run")).await.unwrap().items;
    let name = plans[0].metadata.name.clone().unwrap();
    let run = name.trim_start_matches("mage-run-");
    let near = format!("{}x", &run[..run.len() - 1]);
    let said = folder.run_on(&bench, &["resume", &near]).ends(2);
    said.says(&[&format!("there is no run {near}"), &format!("did you mean {run}?")]);
    folder.run_on(&bench, &["resume", &format!("run/{run}")]).ends(0).says(&["nothing to do"]);
    let orphans = DeleteParams::orphan();
    api.delete(&name, &orphans).await.unwrap();
    until("no plan", async || api.get_opt(&name).await.unwrap().is_none()).await;
    let said = folder.run_on(&bench, &["resume", run]).ends(2);
    said.says(&[&format!("run {run} has no plan: configmap/{name}"), "hint: "]);
    let mut locked = folder.command_on(&bench, &["resume", run]);
    let said = Said::new(locked.env("KUBECTL_MAGE_READONLY", "1").output().unwrap());
    said.ends(2).says(&["KUBECTL_MAGE_READONLY"]);
    bench.end().await;
}
