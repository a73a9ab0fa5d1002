//! `run`, `runs` and the plugin as a person uses them: exit codes, streams, what stays behind.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams};
use serde_json::Value;

use crate::binary::{Project, Said, kubectl, objects};
use crate::support::{Bench, until};

/// A diamond, `load`, `left` and `right`, `export`, of blocks that do as the variables say.
pub(crate) fn diamond(env: &[(&str, &str)]) -> Project {
    let pairs: Vec<String> = env
        .iter()
        .map(|(name, value)| format!("    - {{name: {name}, value: \"{value}\"}}\n"))
        .collect();
    let pairs = pairs.concat();
    let env = if pairs.is_empty() { String::new() } else { format!("    env:\n{pairs}") };
    let settings = format!(
        "k8s_executor_config:\n  container_config:\n    image: localhost/mage-stand-in:1\n{env}  \
         pod:\n    termination_grace_period_seconds: 1\n"
    );
    let block = |uuid: &str, kind: &str, upstream: &str| {
        format!(
            "- {{uuid: {uuid}, type: {kind}, executor_type: k8s, upstream_blocks: [{upstream}]}}\n"
        )
    };
    let pipeline = [
        "uuid: etl\nname: etl\ntype: python\nblocks:\n".to_owned(),
        block("load", "data_loader", ""),
        block("left", "transformer", "load"),
        block("right", "transformer", "load"),
        block("export", "data_exporter", "left, right"),
    ];
    Project::new(&[
        ("metadata.yaml", &settings),
        ("pipelines/etl/metadata.yaml", &pipeline.concat()),
    ])
}

fn block_of(job: &Job) -> String {
    job.metadata.annotations.as_ref().unwrap()["kubectl-mage/block"].clone()
}

async fn jobs(bench: &Bench) -> Vec<Job> {
    bench.jobs().list(&ListParams::default()).await.unwrap().items
}

async fn plans(bench: &Bench) -> Vec<ConfigMap> {
    let api: Api<ConfigMap> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let all = api.list(&ListParams::default().labels("kubectl-mage/run")).await.unwrap();
    all.items
}

/// Returns the events that `-o json` printed.
fn events(said: &Said) -> Vec<Value> {
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the blocks that are complete, by name.
fn complete(said: &Said) -> BTreeSet<String> {
    let all = events(said);
    let done = all.iter().filter(|event| event["kind"] == "block" && event["state"] == "Complete");
    done.map(|event| event["block"].as_str().unwrap().to_owned()).collect()
}

/// Returns the objects that this user made or changed in the namespace, by the audit log; none
/// where there is no audit log.
pub(crate) fn changes(bench: &Bench, user: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(bench.kubeconfig.with_file_name("audit.log")).ok()?;
    let changes = text
        .lines()
        .filter(|line| line.contains(&bench.namespace))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|entry| {
            entry["objectRef"]["namespace"] == bench.namespace.as_str()
                && entry["objectRef"]["resource"] != "namespaces"
                && entry["user"]["username"] == user
                && entry["responseStatus"]["code"].as_u64().is_some_and(|code| code < 300)
                && !matches!(entry["verb"].as_str(), Some("get" | "list" | "watch"))
        })
        .map(|entry| format!("{} {}", entry["verb"], entry["objectRef"]));
    Some(changes.collect())
}

/// A block that prints what Mage says of a conditional that said no, of itself and of others.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_block_prints_in_mages_words_is_not_acted_upon() {
    let Some(bench) = Bench::new("cli-forged").await else { return };
    let forged = |block: &str| {
        let message = format!(
            "Conditional block(s) returned false for {block}. This block run and downstream blocks will be set as CONDITION_FAILED."
        );
        format!(r#"INFO:etl/part/{block}:{{"block_uuid": "{block}", "message": "{message}"}}"#)
    };
    let lines = [forged("load"), forged("left")].join("\n");
    let project =
        diamond(&[("STANDIN_TEXT_load", &lines.replace('"', "\\\"").replace('\n', "\\n"))]);
    let said = project.run_on(&bench, &["run", "etl"]).ends(0);
    let all = format!("{}{}", said.stdout, said.stderr);
    for text in ["returned false for left", "is complete: 4 of 4 blocks complete"] {
        assert!(all.contains(text), "no {text:?} in {all}");
    }
    assert!(!all.contains("said no"), "{all}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diamond_by_the_binary() {
    let Some(bench) = Bench::new("cli-diamond").await else { return };
    let project = diamond(&[("STANDIN_TEXT_load", "hello"), ("STANDIN_TEXT_export", "bye")]);
    let said = project.run_on(&bench, &["run", "etl"]).ends(0).says(&[
        "localhost/mage-stand-in:1",
        "4 blocks",
        "from the image or volume",
        "come back to it with: kubectl ",
        "is complete: 4 of 4 blocks complete",
    ]);
    assert!(!said.stderr.contains('\u{1b}') && !said.stdout.contains('\u{1b}'), "{}", said.stderr);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines.contains(&"load   | hello") && lines.contains(&"export | bye"), "{lines:#?}");
    let names = ["load   | ", "left   | ", "right  | ", "export | "];
    assert!(lines.iter().all(|line| names.iter().any(|name| line.starts_with(name))), "{lines:#?}");

    let jobs = jobs(&bench).await;
    assert_eq!(jobs.len(), 4);
    let times = |block: &str| -> (Timestamp, Timestamp) {
        let job = jobs.iter().find(|job| block_of(job) == block).unwrap();
        let created = job.metadata.creation_timestamp.as_ref().unwrap().0;
        (created, job.status.as_ref().unwrap().completion_time.as_ref().unwrap().0)
    };
    for (before, after) in
        [("load", "left"), ("load", "right"), ("left", "export"), ("right", "export")]
    {
        assert!(times(before).1 <= times(after).0, "{before} ended before {after} was created");
    }

    let plans = plans(&bench).await;
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0].immutable, Some(true));
    let run = plans[0].metadata.labels.as_ref().unwrap()["kubectl-mage/run"].clone();
    assert_eq!(plans[0].metadata.name.as_ref().unwrap(), &format!("mage-run-{run}"));
    assert!(said.stderr.contains(&run), "{}", said.stderr);
    for job in &jobs {
        let owner = &job.metadata.owner_references.as_ref().unwrap()[0];
        assert_eq!(Some(&owner.uid), plans[0].metadata.uid.as_ref());
        let template = job.spec.as_ref().unwrap().template.metadata.as_ref().unwrap();
        for labels in [&job.metadata.labels, &template.labels] {
            let labels = labels.as_ref().unwrap();
            assert_eq!(labels["app.kubernetes.io/managed-by"], "kubectl-mage");
            assert_eq!(labels["kubectl-mage/pipeline"], "etl");
            assert_eq!(labels["kubectl-mage/block"], block_of(job));
            assert_eq!(labels["kubectl-mage/run"], run);
            assert_eq!(labels["kubectl-mage/attempt"], "1");
        }
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_block_ends_in_one_with_its_cause() {
    let Some(bench) = Bench::new("cli-fail").await else { return };
    let project = diamond(&[("STANDIN_FAIL_left", "1"), ("STANDIN_SLEEP_right", "2")]);
    let said = project.run_on(&bench, &["run", "etl"]).ends(1).says(&[
        "left failed: ValueError: stand-in was told to fail in left",
        "exit code 1",
        "  | Traceback (most recent call last):",
        "hint: all of its log: kubectl logs job/",
        "failed: 2 of 4 blocks complete, 1 failed, 1 skipped",
    ]);
    assert!(said.stdout.contains("left   | ERROR "), "{}", said.stdout);
    let made: BTreeSet<String> = jobs(&bench).await.iter().map(block_of).collect();
    assert_eq!(made.into_iter().collect::<Vec<_>>(), ["left", "load", "right"]);
    bench.end().await;
}

/// Two chains of which one fails: it stops the other, or does not.
#[tokio::test(flavor = "multi_thread")]
async fn keep_going_goes_on_with_what_does_not_depend_on_it() {
    let Some(bench) = Bench::new("cli-keep").await else { return };
    let project = diamond(&[("STANDIN_FAIL_bad", "1"), ("STANDIN_SLEEP_good", "3")]);
    let blocks = "uuid: two\ntype: python\nblocks:\n\
        - {uuid: bad, type: data_loader, executor_type: k8s}\n\
        - {uuid: after_bad, type: transformer, executor_type: k8s, upstream_blocks: [bad]}\n\
        - {uuid: good, type: data_loader, executor_type: k8s}\n\
        - {uuid: after_good, type: transformer, executor_type: k8s, upstream_blocks: [good]}\n";
    project.write("pipelines/two/metadata.yaml", blocks);
    let keeping = project.start_on(&bench, &["run", "two", "--keep-going", "-o", "json"]);
    let fast = project.run_on(&bench, &["run", "two", "-o", "json"]).ends(1);
    let keeping = Said::new(keeping.wait_with_output().unwrap()).ends(1);
    assert_eq!(Vec::from_iter(complete(&fast)), ["good"]);
    assert_eq!(Vec::from_iter(complete(&keeping)), ["after_good", "good"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_pulled_ends_in_five() {
    let Some(bench) = Bench::new("cli-image").await else { return };
    let project = diamond(&[]);
    let image = "localhost:1/no/such:image";
    let arguments = ["run", "etl", "--image", image, "--pending-timeout", "4s"];
    let said = project.run_on(&bench, &arguments).ends(5).says(&[
        image,
        "could not start",
        "--pending-timeout",
        &format!("in namespace {}", bench.namespace),
    ]);
    assert!(said.stderr.contains("job.batch/mage-data-prep-block-"), "{}", said.stderr);
    assert!(said.stderr.contains("deleted"), "{}", said.stderr);
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}

/// The pod's status says no more than `ContainerCreating`; its events do.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_does_not_come_is_told_from_the_events_of_the_pod() {
    let Some(bench) = Bench::new("cli-mount").await else { return };
    let project = diamond(&[]);
    let settings = "k8s_executor_config:\n  pod:\n    volumes:\n    \
        - {name: d, config_map: {name: no-such-map}}\n  container_config:\n    \
        image: localhost/mage-stand-in:1\n    volume_mounts:\n    - {name: d, mount_path: /d}\n";
    project.write("metadata.yaml", settings);
    let said = project.run_on(&bench, &["run", "etl/load", "--pending-timeout", "6s"]).ends(5);
    said.says(&[
        "load : pending: FailedMount: ",
        "configmap \"no-such-map\" not found",
        "could not start: did not start within 6 s (--pending-timeout): FailedMount",
        "hint: create it, or correct the name",
    ]);
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_creates_nothing() {
    let Some(bench) = Bench::new("cli-dry").await else { return };
    let said = diamond(&[]).run_on(&bench, &["run", "etl", "--dry-run"]).ends(0).says(&[
        "critical path  load -> ",
        "nothing was created",
        &bench.namespace,
    ]);
    assert_eq!(said.stdout, "");
    assert!(bench.job_names().await.is_empty() && plans(&bench).await.is_empty());
    if let Some(changes) = changes(&bench, "admin") {
        assert_eq!(changes, Vec::<String>::new());
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_json_has_the_same_keys() {
    let Some(bench) = Bench::new("cli-json").await else { return };
    let project = diamond(&[("STANDIN_TEXT", "hello"), ("STANDIN_FAIL_right", "1")]);
    let said = project.run_on(&bench, &["run", "etl", "-o", "json"]).ends(1);
    let events = events(&said);
    let keys = [
        "attempt", "block", "kind", "line", "message", "pod", "reason", "run", "seq", "state",
        "time",
    ];
    for (index, event) in events.iter().enumerate() {
        let mut own: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        own.sort_unstable();
        assert_eq!(own, keys);
        assert_eq!(event["seq"], index + 1);
        assert_eq!(event["run"], events[0]["run"]);
        event["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
        let kind = event["kind"].as_str().unwrap();
        assert!(["run", "block", "pod", "log", "notice"].contains(&kind), "{event}");
        assert_eq!(event["line"].is_string(), kind == "log", "{event}");
    }
    let of = |kind: &str, state: &str| {
        events.iter().filter(|event| event["kind"] == kind && event["state"] == state).count()
    };
    assert_eq!((of("run", "Started"), of("run", "Failed")), (1, 1));
    assert_eq!((of("block", "Complete"), of("block", "Failed"), of("block", "Skipped")), (2, 1, 1));
    for block in ["load", "left", "right"] {
        let own = events.iter().filter(|event| event["kind"] == "block" && event["block"] == block);
        let states: Vec<&str> = own.filter_map(|event| event["state"].as_str()).collect();
        assert_eq!(states[0], "Created", "{block}: {states:?}");
        assert_eq!(states.iter().filter(|state| **state == "Created").count(), 1, "{states:?}");
    }
    let last = events.last().unwrap();
    assert_eq!((&last["kind"], &last["state"]), (&"run".into(), &"Failed".into()));
    let hello = |event: &&Value| event["kind"] == "log" && event["message"] == "hello";
    assert_eq!(events.iter().filter(hello).count(), 3);
    bench.end().await;
}

/// Sends a signal to a run.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(name).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}

pub(crate) async fn running_pods(bench: &Bench) -> Vec<String> {
    let api: Api<Pod> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    let pods = api.list(&ListParams::default()).await.unwrap().items;
    let running = |pod: &Pod| {
        pod.metadata.deletion_timestamp.is_none()
            && pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Running"))
    };
    pods.into_iter().filter(running).filter_map(|pod| pod.metadata.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_cancels_and_leaves_no_pod() {
    let Some(bench) = Bench::new("cli-cancel").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "300")]);
    // Neither stream is a terminal, so `cancel` is the default too.
    for (arguments, sent, code) in [
        (vec!["run", "etl", "--on-interrupt=cancel"], "-INT", 130),
        (vec!["run", "etl"], "-TERM", 143),
    ] {
        let child = project.start_on(&bench, &arguments);
        until("the pod", async || running_pods(&bench).await.len() == 1).await;
        signal(&child, sent);
        let said = Said::new(child.wait_with_output().unwrap()).ends(code);
        let said = said.says(&["is cancelled: 0 of 4 blocks complete", "1 cancelled"]);
        assert!(!said.stderr.contains("still there"), "{}", said.stderr);
        assert!(bench.pod_names().await.is_empty());
        assert!(bench.job_names().await.is_empty());
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_that_pauses_leaves_running_blocks_running() {
    let Some(bench) = Bench::new("cli-pause").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "300")]);
    let child = project.start_on(&bench, &["run", "etl", "--on-interrupt=pause"]);
    until("the pod", async || running_pods(&bench).await.len() == 1).await;
    let before = running_pods(&bench).await;
    signal(&child, "-INT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(130);
    said.says(&["is paused", "load goes on: kubectl logs -f job/", "1 left running"]);
    assert_eq!(running_pods(&bench).await, before);
    let listed = project.run_on(&bench, &["runs", "--no-headers"]).ends(0).stdout;
    assert!(listed.contains("Running") && listed.contains("0/4"), "{listed}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_in_four_and_removes_what_runs() {
    let Some(bench) = Bench::new("cli-timeout").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "300")]);
    let said = project.run_on(&bench, &["run", "etl", "--timeout", "5s"]).ends(4);
    said.says(&["took longer than --timeout", "job.batch/mage-data-prep-block-"]);
    assert!(bench.job_names().await.is_empty() && bench.pod_names().await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_waits_also_by_way_of_what_is_left_out() {
    let Some(bench) = Bench::new("cli-left-out").await else { return };
    let project = diamond(&[("STANDIN_SLEEP_load", "2")]);
    let said = project.run_on(&bench, &["run", "etl/load", "etl/export", "-o", "json"]).ends(0);
    let events = events(&said);
    let at = |block: &str, state: &str| {
        events.iter().position(|event| event["block"] == block && event["state"] == state).unwrap()
    };
    assert!(at("load", "Complete") < at("export", "Created"), "{events:#?}");
    bench.end().await;
}

/// Several runs at once in one namespace, each of other blocks.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_selected_is_what_runs() {
    let Some(bench) = Bench::new("cli-select").await else { return };
    let project = diamond(&[]);
    let selections: [(&[&str], &[&str]); 6] = [
        (&["etl", "--skip-type", "data_exporter"], &["left", "load", "right"]),
        (&["etl/left"], &["left"]),
        (&["etl/left", "--upstream"], &["left", "load"]),
        (&["etl/left", "--downstream"], &["export", "left"]),
        (&["etl/left", "etl/right"], &["left", "right"]),
        (&[], &["export", "left", "load", "right"]),
    ];
    let runs: Vec<Child> = selections
        .iter()
        .map(|(arguments, _)| {
            project.start_on(&bench, &[&["run", "-o", "json"], *arguments].concat())
        })
        .collect();
    let mut expected = BTreeSet::new();
    for (run, (arguments, blocks)) in runs.into_iter().zip(selections) {
        let said = Said::new(run.wait_with_output().unwrap()).ends(0);
        assert_eq!(Vec::from_iter(complete(&said)), blocks, "{arguments:?}");
        expected.insert(format!("run/{}", events(&said)[0]["run"].as_str().unwrap()));
    }
    assert_eq!(jobs(&bench).await.len(), 14);
    let names = project.run_on(&bench, &["runs", "-o", "name"]).ends(0).stdout;
    assert_eq!(names.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    let listed = objects(&project.run_on(&bench, &["runs", "-o", "json"]).ends(0).stdout);
    assert!(
        listed.len() == 6 && listed.iter().all(|run| run["status"] == "Complete"),
        "{listed:#?}"
    );
    let one = expected.first().unwrap();
    let label = format!("kubectl-mage/run={}", one.strip_prefix("run/").unwrap());
    let narrowed = project.run_on(&bench, &["runs", "-o", "name", "-l", &label]).ends(0).stdout;
    assert_eq!(narrowed.trim(), one);
    bench.end().await;
}

/// Names that Mage takes and Kubernetes would not, in both editions.
#[tokio::test(flavor = "multi_thread")]
async fn any_name_of_mage_runs() {
    let Some(bench) = Bench::new("cli-odd").await else { return };
    let project = diamond(&[("STANDIN_TEXT", "hello")]);
    let pipeline = format!("Päckchen {}", "x".repeat(60));
    let blocks = "type: python\nexecutor_type: k8s\nblocks:\n\
        - {uuid: folder/lade_Daten, type: data_loader}\n\
        - {uuid: \"日本\", type: transformer, upstream_blocks: [folder/lade_Daten]}\n\
        - {uuid: -copy-, replicated_block: folder/lade_Daten, type: transformer, upstream_blocks: [\"日本\"]}\n";
    project.write(&format!("pipelines/{pipeline}/metadata.yaml"), blocks);
    let flags = ["-o", "json", "--trigger", "Jeden Tag!"];
    let runs: Vec<Child> = ["--edition=oss", "--edition=pro"]
        .iter()
        .map(|edition| {
            project.start_on(&bench, &[&["run", &pipeline, edition], &flags[..]].concat())
        })
        .collect();
    for run in runs {
        let said = Said::new(run.wait_with_output().unwrap()).ends(0);
        let done = complete(&said);
        assert!(done.len() == 3 && done.contains("日本"), "{done:?}");
        let hello = |event: &&Value| event["kind"] == "log" && event["message"] == "hello";
        assert_eq!(events(&said).iter().filter(hello).count(), 3);
    }
    let listed = objects(&project.run_on(&bench, &["runs", "-o", "json"]).ends(0).stdout);
    assert!(listed.len() == 2 && listed.iter().all(|run| run["pipeline"] == *pipeline));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_is_refused_before_anything_is_made() {
    let Some(bench) = Bench::new("cli-names").await else { return };
    let project = diamond(&[]);
    project.run_on(&bench, &["run", "elt"]).ends(2).says(&["error: ", "did you mean `etl`?"]);
    project.run_on(&bench, &["run", "etl/lef"]).ends(2).says(&["error: ", "left"]);
    let mut locked = project.command_on(&bench, &["run", "etl"]);
    let said = Said::new(locked.env("KUBECTL_MAGE_READONLY", "1").output().unwrap());
    said.ends(2).says(&["KUBECTL_MAGE_READONLY", "hint: "]);
    assert!(bench.job_names().await.is_empty() && plans(&bench).await.is_empty());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_context_wants_yes() {
    let Some(bench) = Bench::new("cli-protected").await else { return };
    let project = diamond(&[]);
    project.write(".config/kubectl-mage/config.toml", "protected_contexts = [\"adm*\"]\n");
    let arguments = ["run", "etl/load", "--context", "admin"];
    let said = project.run_on(&bench, &arguments).ends(2);
    said.says(&["context admin is protected", "nothing was created", "hint: pass --yes"]);
    assert!(bench.job_names().await.is_empty() && plans(&bench).await.is_empty());
    project.run_on(&bench, &[&arguments[..], &["--yes"]].concat()).ends(0);
    assert_eq!(bench.job_names().await.len(), 1);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_and_runs_the_plugin() {
    let Some(bench) = Bench::new("cli-plugin").await else { return };
    let project = diamond(&[]);
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_kubectl-mage"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
    let plugin = |arguments: &[&str]| {
        let own = kubectl(&bench, &[]);
        let mut command = Command::new(own.get_program());
        command.args(arguments).current_dir(project.path()).stdin(Stdio::null());
        command.env("PATH", &path).env("HOME", project.path()).env("KUBECONFIG", &bench.kubeconfig);
        Said::new(command.output().unwrap())
    };
    let listed = plugin(&["plugin", "list"]);
    assert!(listed.stdout.contains(&*binary.to_string_lossy()), "{listed:?}");
    let version = plugin(&["mage", "version"]).ends(0).stdout;
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let said = plugin(&["mage", "run", "etl/load", "-n", &bench.namespace]).ends(0);
    said.says(&["is complete: 1 of 1 block complete"]);
    let runs = plugin(&["mage", "runs", "-n", &bench.namespace]).ends(0).stdout;
    assert!(runs.contains("Complete") && runs.contains("1/1"), "{runs}");
    bench.end().await;
}

/// What a run deleted says nothing any more: its plan does.
#[tokio::test(flavor = "multi_thread")]
async fn how_a_run_ended_is_known_when_its_jobs_are_gone() {
    let Some(bench) = Bench::new("cli-ended").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "600")]);
    let of = |verb: &str, code: i32| project.run_on(&bench, &[verb, "@latest"]).ends(code);
    let listed = || {
        let runs = project.run_on(&bench, &["runs", "--no-headers", "-o", "wide"]).ends(0).stdout;
        runs.lines().next().unwrap().to_owned()
    };
    let image = ["--image", "localhost/nowhere:1", "--pending-timeout", "3s"];
    project.run_on(&bench, &[&["run", "etl/load", "etl/left"], &image[..]].concat()).ends(5);
    assert_eq!(bench.job_names().await, [""; 0]);
    assert!(listed().contains(" Failed "), "{}", listed());
    let status = of("status", 0);
    assert!(status.stdout.contains("CouldNotStart"), "{}", status.stdout);
    assert!(status.stdout.contains("Skipped"), "{}", status.stdout);
    let why = of("why", 0).stdout;
    assert!(
        why.contains("block load CouldNotStart") && why.contains("localhost/nowhere:1"),
        "{why}"
    );
    of("attach", 5).says(&["load could not start: ", "localhost/nowhere:1"]);
    // It is over, so it goes with the others.
    let pruned = project.run_on(&bench, &["prune", "--older-than", "0s"]).ends(0);
    assert!(pruned.stdout.contains("configmap/mage-run-etl-"), "{}", pruned.stdout);

    let child = project.start_on(&bench, &["run", "etl/load", "--on-interrupt=cancel"]);
    until("a pod", || async { !running_pods(&bench).await.is_empty() }).await;
    signal(&child, "-TERM");
    Said::new(child.wait_with_output().unwrap()).ends(143);
    assert!(listed().contains(" Cancelled "), "{}", listed());
    assert!(of("why", 0).stdout.contains("cause: somebody cancelled it"));
    of("attach", 6).says(&["is cancelled"]);
    bench.end().await;
}
