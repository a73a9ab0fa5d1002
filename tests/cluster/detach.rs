//! Runs that a driver in the cluster drives: this binary in an image, with no more rights than it
//! prints.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Api, DeleteParams, EvictParams, ListParams};
use serde_json::Value;

use crate::binary::{Project, Said, kubectl, kubectl_with};
use crate::cli_run::{diamond, signal};
use crate::resume::{elsewhere, kill, made_once};
use crate::support::{Bench, until};

const IMAGE: &str = "localhost/kubectl-mage-driver:1";

/// Puts this binary's image on the node, once; none, with the reason printed, where that cannot be
/// done. Another cluster's registry may hold it: `KUBECTL_MAGE_TEST_DRIVER_IMAGE` names it then.
fn image(bench: &Bench) -> Option<String> {
    static IMPORTED: OnceLock<Option<String>> = OnceLock::new();
    IMPORTED.get_or_init(|| import(&bench.kubeconfig)).clone()
}

#[expect(clippy::print_stderr, reason = "a test that cannot run says why")]
fn import(kubeconfig: &Path) -> Option<String> {
    if let Ok(image) = std::env::var("KUBECTL_MAGE_TEST_DRIVER_IMAGE") {
        return Some(image);
    }
    let ctr = kubeconfig.with_file_name("bin").join("ctr");
    let Ok(snapshotter) = std::fs::read_to_string(kubeconfig.with_file_name("node/snapshotter"))
    else {
        eprintln!("skipped: the cluster is not one of tests/local-cluster with a node");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("driver.tar");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/driver/archive");
    let mut archive = Command::new(script);
    archive.arg(env!("CARGO_BIN_EXE_kubectl-mage")).arg(&file).arg(IMAGE);
    Said::new(archive.output().unwrap()).ends(0);
    let mut import = Command::new(ctr);
    import.args(["-n", "k8s.io", "images", "import", "--snapshotter", snapshotter.trim()]);
    Said::new(import.arg(&file).output().unwrap()).ends(0);
    Some(IMAGE.to_owned())
}

async fn bench(name: &str) -> Option<(Bench, String)> {
    let bench = Bench::new(name).await?;
    let image = image(&bench)?;
    Some((bench, image))
}

fn detach(project: &Project, bench: &Bench, image: &str, more: &[&str]) -> Said {
    let mut arguments = vec!["run", "etl", "--detach", "--driver-image", image, "--create-rbac"];
    arguments.extend(more);
    project.run_on(bench, &arguments)
}

/// Returns the run that `run/NAME detached` names.
fn run_of(said: &Said) -> String {
    let line = said.stdout.lines().find_map(|line| line.strip_suffix(" detached"));
    line.unwrap_or_else(|| panic!("{said:?}")).strip_prefix("run/").unwrap().to_owned()
}

fn pods(bench: &Bench) -> Api<Pod> {
    Api::namespaced(bench.cluster.client().clone(), &bench.namespace)
}

async fn list(bench: &Bench, labels: &str) -> Vec<Pod> {
    pods(bench).list(&ListParams::default().labels(labels)).await.unwrap().items
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap()
}

fn is_running(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
}

/// Waits until a pod of the block runs.
async fn runs(bench: &Bench, block: &str) {
    let label = format!("kubectl-mage/block={block}");
    until("a running block", async || list(bench, &label).await.iter().any(is_running)).await;
}

async fn driver_pods(bench: &Bench) -> Vec<Pod> {
    list(bench, "kubectl-mage/driver").await
}

async fn driver_job(bench: &Bench) -> Option<Job> {
    let labels = ListParams::default().labels("kubectl-mage/driver");
    bench.jobs().list(&labels).await.unwrap().items.pop()
}

/// Checks by times of the API server that each block's Job came after those it waits for.
async fn in_order(bench: &Bench) {
    let jobs =
        bench.jobs().list(&ListParams::default().labels("kubectl-mage/block")).await.unwrap();
    let times = |block: &str| {
        let is_its =
            |job: &&Job| job.metadata.labels.as_ref().unwrap()["kubectl-mage/block"] == block;
        let job = jobs.items.iter().find(is_its).unwrap();
        let ended = job.status.as_ref().unwrap().completion_time.as_ref().unwrap().0;
        (job.metadata.creation_timestamp.as_ref().unwrap().0, ended)
    };
    for (before, after) in
        [("load", "left"), ("load", "right"), ("left", "export"), ("right", "export")]
    {
        assert!(times(before).1 <= times(after).0, "{before} ended before {after} was created");
    }
}

/// Returns what the driver's Role grants, as `VERB RESOURCE`; the audit log knows of no Leases.
async fn granted(bench: &Bench) -> BTreeSet<String> {
    let api: Api<Role> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let rules = api.get("kubectl-mage-driver").await.unwrap().rules.unwrap();
    let pairs = rules.into_iter().flat_map(|rule| {
        let resource = rule.resources.unwrap().remove(0);
        rule.verbs.into_iter().map(move |verb| format!("{verb} {resource}"))
    });
    pairs.filter(|pair| !pair.ends_with(" leases")).collect()
}

/// Returns what the driver asked for, as `VERB RESOURCE`, and what it was refused.
fn asked(bench: &Bench) -> Option<(BTreeSet<String>, Vec<Value>)> {
    let user = format!("system:serviceaccount:{}:kubectl-mage-driver", bench.namespace);
    let entries = bench.audit()?;
    let own = entries.into_iter().filter(|entry| entry["user"]["username"] == user.as_str());
    let (mut asked, mut refused) = (BTreeSet::new(), Vec::new());
    for entry in own {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of = &entry["objectRef"];
        let sub = of["subresource"].as_str().map(|sub| format!("/{sub}")).unwrap_or_default();
        asked.insert(format!("{} {}{sub}", text(&entry["verb"]), text(&of["resource"])));
        if entry["responseStatus"]["code"] == 403 {
            refused.push(entry);
        }
    }
    Some((asked, refused))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_ends_the_run_with_no_more_than_its_rights() {
    let Some((bench, image)) = bench("detach").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "2")]);
    let said = detach(&project, &bench, &image, &[]).ends(0).says(&[
        "serviceaccount/kubectl-mage-driver created",
        "role.rbac.authorization.k8s.io/kubectl-mage-driver created",
        "rolebinding.rbac.authorization.k8s.io/kubectl-mage-driver created",
        "come back to it with: kubectl mage attach etl-",
        "drives it; follow it: kubectl mage attach etl-",
    ]);
    let run = run_of(&said);
    let resume = elsewhere().run_on(&bench, &["resume", &run]).ends(2);
    resume.says(&[
        "the driver@mage-run-etl-",
        "right now",
        "hint: follow it with `kubectl mage attach etl-",
    ]);
    let attached = elsewhere().run_on(&bench, &["attach", &run]).ends(0);
    attached.says(&["is complete: 4 of 4 blocks complete"]);
    in_order(&bench).await;
    made_once(&bench, 5);
    until("the driver's end", async || {
        let status = driver_job(&bench).await.and_then(|job| job.status).unwrap_or_default();
        status.succeeded == Some(1)
    })
    .await;
    let runs = project.run_on(&bench, &["runs", "--no-headers"]).ends(0);
    assert!(runs.stdout.contains("4/4") && runs.stdout.lines().count() == 1, "{}", runs.stdout);
    let status = project.run_on(&bench, &["status", &run]).ends(0);
    assert!(!status.stdout.contains("driver"), "{}", status.stdout);
    if let Some((asked, refused)) = asked(&bench) {
        assert!(refused.is_empty(), "{refused:#?}");
        // The rest of what it may do is for retries, cancellation and answers that were lost.
        let rest = ["delete jobs", "get jobs", "get pods", "patch configmaps", "watch events"];
        let granted = granted(&bench).await;
        let unused: Vec<&String> = granted.difference(&asked).collect();
        assert!(unused.iter().all(|right| rest.contains(&right.as_str())), "{unused:?}");
    }
    let again = detach(&project, &bench, &image, &[]).ends(0);
    again.says(&["serviceaccount/kubectl-mage-driver configured"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_killed_or_drained_is_replaced_and_nothing_is_made_twice() {
    let Some((bench, image)) = bench("detach-kill").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "6"), ("STANDIN_SLEEP_left", "40")]);
    let run = run_of(&detach(&project, &bench, &image, &[]).ends(0));
    let attached = elsewhere().start_on(&bench, &["attach", &run]);
    runs(&bench, "load").await;
    let first = driver_pods(&bench).await;
    assert_eq!(first.len(), 1);
    let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    pods(&bench).delete(name(&first[0]), &now).await.unwrap();
    runs(&bench, "left").await;
    let running = || async { driver_pods(&bench).await.into_iter().find(is_running) };
    until("another driver", async || running().await.is_some()).await;
    let second = running().await.unwrap();
    assert_ne!(name(&second), name(&first[0]));
    // What `kubectl drain` does.
    pods(&bench).evict(name(&second), &EvictParams::default()).await.unwrap();
    Said::new(attached.wait_with_output().unwrap()).ends(0).says(&["is complete: 4 of 4"]);
    in_order(&bench).await;
    made_once(&bench, 5);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_the_driver_too() {
    let Some((bench, image)) = bench("detach-cancel").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_left", "100"), ("STANDIN_SLEEP_right", "100")]);
    let run = run_of(&detach(&project, &bench, &image, &[]).ends(0));
    runs(&bench, "left").await;
    runs(&bench, "right").await;
    let said = elsewhere().run_on(&bench, &["cancel", &run]).ends(0);
    assert!(said.stdout.contains(&format!("job.batch/mage-run-{run}-driver deleted")), "{said:?}");
    let left = async || {
        let over = |pod: &&Pod| {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            !matches!(phase, Some("Succeeded" | "Failed"))
        };
        list(&bench, "")
            .await
            .iter()
            .filter(over)
            .map(|pod| name(pod).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(left().await.is_empty(), "{:?}", left().await);
    assert!(driver_job(&bench).await.is_none());
    // Nobody is left who could make anything: what was posted before the end is all.
    made_once(&bench, 4);
    let status = elsewhere().run_on(&bench, &["status", &run]).ends(0);
    status.says(&["Cancelled, 1/4 blocks complete"]);
    let lease = bench.cluster.get_lease(&bench.namespace, &format!("mage-run-{run}")).await;
    assert_eq!(lease.unwrap().unwrap().driver(), None);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_left_so_by_a_new_driver_and_tried_again_by_resume() {
    let Some((bench, image)) = bench("detach-fail").await else { return };
    let project = diamond(&[("STANDIN_EXIT_left", "3"), ("STANDIN_SLEEP_right", "20")]);
    let run = run_of(&detach(&project, &bench, &image, &["--keep-going"]).ends(0));
    let failed = async |name: String| {
        let job = bench.jobs().get_opt(&name).await.unwrap();
        let status = job.and_then(|job| job.status).unwrap_or_default();
        status.conditions.into_iter().flatten().any(|c| c.type_ == "Failed")
    };
    let jobs = bench.jobs();
    let labels = ListParams::default().labels("kubectl-mage/block=left");
    let left =
        async || jobs.list(&labels).await.unwrap().items.pop().and_then(|job| job.metadata.name);
    until("a failed block", async || match left().await {
        Some(name) => failed(name).await,
        None => false,
    })
    .await;
    let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    pods(&bench).delete(name(&driver_pods(&bench).await[0]), &now).await.unwrap();
    elsewhere().run_on(&bench, &["attach", &run]).ends(1);
    until("the driver's end", async || {
        let status = driver_job(&bench).await.and_then(|job| job.status).unwrap_or_default();
        status.succeeded == Some(1)
    })
    .await;
    made_once(&bench, 4);
    let mut arguments = vec!["resume", &run, "--detach", "--driver-image", &image];
    let said = elsewhere().run_on(&bench, &arguments).ends(0);
    assert_eq!(run_of(&said), run);
    elsewhere().run_on(&bench, &["attach", &run]).ends(1);
    let posts = bench.posts().unwrap_or_default();
    let again = posts.iter().filter(|name| name.contains("-left") || name.ends_with("-2"));
    assert_eq!(again.count(), 2, "left twice, nothing else again: {posts:#?}");
    arguments.truncate(2);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_cannot_start_is_told_and_removed() {
    let Some((bench, image)) = bench("detach-bad").await else { return };
    let project = diamond(&[]);
    let none = project.run_on(&bench, &["run", "etl", "--detach"]).ends(2);
    none.says(&["--detach needs an image", "with --driver-image or as driver_image"]);
    let missing =
        project.run_on(&bench, &["run", "etl", "--detach", "--driver-image", &image]).ends(2);
    let missing = missing.says(&[
        "serviceaccount/kubectl-mage-driver",
        "add --create-rbac",
        "kubectl apply -f",
    ]);
    let applied = kubectl_with(&bench, &["apply", "-f", "-"], &missing.stdout).ends(0);
    assert_eq!(applied.stdout.lines().count(), 3, "{}", applied.stdout);
    assert!(bench.job_names().await.is_empty());

    for (image, words) in [
        ("localhost/not-there:1", "localhost/not-there:1"),
        ("localhost/NOT:1", "localhost/NOT:1"),
        ("localhost/mage-stand-in:1", "kubectl-mage"),
    ] {
        let said = project.run_on(
            &bench,
            &["run", "etl", "--detach", "--driver-image", image, "--pending-timeout=6s"],
        );
        said.ends(5).says(&[
            "does not drive the run",
            words,
            "it is removed",
            "the plan is removed too",
        ]);
        assert!(bench.job_names().await.is_empty() && bench.pod_names().await.is_empty());
    }
    let quota = "quota";
    let hard = "--hard=count/jobs.batch=5,pods=0";
    Said::new(
        kubectl(&bench, &["-n", &bench.namespace, "create", "quota", quota, hard])
            .output()
            .unwrap(),
    )
    .ends(0);
    let said = project.run_on(
        &bench,
        &["run", "etl", "--detach", "--driver-image", &image, "--pending-timeout=6s"],
    );
    said.ends(5).says(&["quota", "it is removed"]);
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_passes_the_restricted_pod_security_standard() {
    let Some((bench, image)) = bench("detach-restricted").await else { return };
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    let mut label = kubectl(&bench, &["label", "namespace", &bench.namespace, restricted]);
    Said::new(label.output().unwrap()).ends(0);
    let project = diamond(&[]);
    let run = run_of(&detach(&project, &bench, &image, &[]).ends(0));
    // The stand-in's own pods do not.
    let refused = async || {
        let why = elsewhere().run_on(&bench, &["why", &run]);
        why.stdout.contains("PodSecurity")
    };
    until("the blocks' refusal", refused).await;
    elsewhere().run_on(&bench, &["cancel", &run]).ends(0);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_hands_the_run_to_a_driver() {
    let Some((bench, image)) = bench("detach-int").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "8")]);
    let child = project.start_on(
        &bench,
        &["run", "etl", "--on-interrupt=detach", "--driver-image", &image, "--create-rbac"],
    );
    runs(&bench, "load").await;
    assert!(driver_job(&bench).await.is_none());
    signal(&child, "-INT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(130);
    said.says(&[
        "-driver drives the run now",
        "is driven in the cluster from here on",
        "kubectl mage attach",
    ]);
    elsewhere().run_on(&bench, &["attach", "@latest"]).ends(0).says(&["is complete: 4 of 4"]);
    in_order(&bench).await;
    // It took as long as its Jobs did, however late one looks.
    let late = elsewhere().run_on(&bench, &["attach", "@latest"]).ends(0);
    assert!(!late.stderr.contains(" in 0s"), "{}", late.stderr);
    made_once(&bench, 5);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_pauses_the_run_where_no_driver_starts() {
    let Some((bench, _)) = bench("detach-int-bad").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "6")]);
    let child = project.start_on(
        &bench,
        &["run", "etl", "--on-interrupt=detach", "--driver-image=Not An Image", "--create-rbac"],
    );
    runs(&bench, "load").await;
    signal(&child, "-INT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(130);
    said.says(&["does not drive the run", "the run is paused", "kubectl mage resume"]);
    elsewhere().run_on(&bench, &["resume", "@latest"]).ends(0);
    bench.end().await;
}

/// A driver and a laptop that come one after the other, killed at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_goes_on_where_a_driver_was_removed_and_the_other_way_round() {
    let Some((bench, image)) = bench("detach-turns").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "5")]);
    let run = run_of(&detach(&project, &bench, &image, &[]).ends(0));
    runs(&bench, "load").await;
    let driver = driver_job(&bench).await.unwrap().metadata.name.unwrap();
    let said = Said::new(
        kubectl(&bench, &["-n", &bench.namespace, "delete", "job", &driver]).output().unwrap(),
    );
    said.ends(0);
    let laptop = elsewhere().start_on(&bench, &["resume", &run]);
    runs(&bench, "left").await;
    kill(laptop);
    let said =
        elsewhere().run_on(&bench, &["resume", &run, "--detach", "--driver-image", &image]).ends(0);
    said.says(&["waiting for a sign of life"]);
    elsewhere().run_on(&bench, &["attach", &run]).ends(0).says(&["is complete: 4 of 4"]);
    in_order(&bench).await;
    // Both drivers have the same name.
    let posts = bench.posts().unwrap_or_default();
    let blocks: Vec<&String> = posts.iter().filter(|name| !name.ends_with("-driver")).collect();
    assert!(posts.is_empty() || blocks.len() == 4, "{posts:#?}");
    bench.end().await;
}

/// Two laptops and a driver want the same run at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn two_clients_and_a_driver_at_once_make_no_job_twice() {
    let Some((bench, image)) = bench("detach-race").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "3")]);
    let laptop = project.start_on(&bench, &["run", "etl"]);
    runs(&bench, "load").await;
    kill(laptop);
    let detach = ["resume", "@latest", "--detach", "--driver-image", &image, "--create-rbac"];
    let racers = [&["resume", "@latest"][..], &detach, &["resume", "@latest"]]
        .map(|arguments| elsewhere().start_on(&bench, arguments));
    let said = racers.map(|racer| Said::new(racer.wait_with_output().unwrap()));
    assert!(said.iter().any(|said| said.code == 0), "{said:#?}");
    assert!(said.iter().all(|said| [0, 2].contains(&said.code)), "{said:#?}");
    elsewhere().run_on(&bench, &["attach", "@latest"]).ends(0).says(&["is complete: 4 of 4"]);
    in_order(&bench).await;
    let posts = bench.posts().unwrap_or_default();
    let blocks: Vec<&String> = posts.iter().filter(|name| !name.ends_with("-driver")).collect();
    assert!(posts.is_empty() || blocks.len() == 4, "{posts:#?}");
    bench.end().await;
}

/// Sends a signal to the driver's process on the node, which is this machine; tells whether it could.
fn signal_driver(run: &str, kind: &str) -> bool {
    let found = std::fs::read_dir("/proc").unwrap().flatten().find(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.starts_with(&format!("kubectl-mage resume {run} "))
    });
    let Some(process) = found else { return false };
    let process = process.file_name().into_string().unwrap();
    Command::new("kill").args([kind, &process]).status().unwrap().success()
}

/// A driver of which nothing is heard, as when its node loses the network.
#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_was_cut_off_only_watches_when_it_comes_back() {
    let Some((bench, image)) = bench("detach-cut-off").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "4")]);
    let run = run_of(&detach(&project, &bench, &image, &[]).ends(0));
    runs(&bench, "load").await;
    if !signal_driver(&run, "-STOP") {
        return bench.end().await;
    }
    let said =
        elsewhere().run_on(&bench, &["resume", &run, "--parallel=1", "--logs=none", "-o", "json"]);
    assert!(signal_driver(&run, "-CONT"));
    said.ends(0).says(&["drove run", "waiting for a sign of life"]);
    until("the driver's end", async || {
        let status = driver_job(&bench).await.and_then(|job| job.status).unwrap_or_default();
        status.succeeded == Some(1)
    })
    .await;
    in_order(&bench).await;
    made_once(&bench, 5);
    bench.end().await;
}
