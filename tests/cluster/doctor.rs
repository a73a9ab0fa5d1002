//! `doctor` against a cluster: what it says of rights is true, and it changes nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeSet;

use kubectl_mage::doctor::{Need, rights_all};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with};
use crate::cli_run::diamond;
use crate::schema::fits;
use crate::server_pod::{apply, config_map, ready, server};
use crate::support::{Bench, until};

/// A request in the audit log: verb, resource, group, code.
type Request = (String, String, String, u64);

/// Returns what somebody who is impersonated asked of the namespace, by the audit log.
fn asked(bench: &Bench, user: &str) -> Option<BTreeSet<Request>> {
    let text = std::fs::read_to_string(bench.kubeconfig.with_file_name("audit.log")).ok()?;
    let of_user = |entry: &Value| entry["impersonatedUser"]["username"] == user;
    let entries = text.lines().filter(|line| line.contains(user));
    let entries = entries.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let request = |entry: Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &entry["objectRef"];
        let resource = match object["subresource"].as_str() {
            Some(sub) => format!("{}/{sub}", text(&object["resource"])),
            None => text(&object["resource"]),
        };
        let code = entry["responseStatus"]["code"].as_u64().unwrap_or_default();
        (text(&entry["verb"]), resource, text(&object["apiGroup"]), code)
    };
    let found = entries.filter(of_user).map(request);
    Some(
        found
            .filter(|(_, resource, ..)| !matches!(resource.as_str(), "users" | "groups" | ""))
            .collect(),
    )
}

fn report(said: &Said) -> Value {
    let report: Value = serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said.stderr));
    assert_eq!(fits(&report, &kubectl_mage::ui::doctor_schema()), Ok(()));
    report
}

/// Returns `STATE: SENTENCE` of a check.
fn told(report: &Value, id: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == id).unwrap();
    format!("{}: {}", check["state"].as_str().unwrap(), check["sentence"].as_str().unwrap())
}

/// Gives a user the Role that `doctor` prints for them, with these flags; before that it ends with this code.
async fn give(project: &Project, bench: &Bench, user: &str, flags: &[&str], code: i32) {
    let doctor = [&["doctor", "--as", user, "-o", "role"], flags].concat();
    let role = project.run_on(bench, &doctor).ends(code).stdout;
    kubectl_with(bench, &["apply", "--dry-run=server", "-f", "-"], &role).ends(0);
    kubectl_with(bench, &["apply", "-f", "-"], &role).ends(0);
    until("the rights that were given", || async {
        project.run_on(bench, &doctor).stderr.contains("no right is missing")
    })
    .await;
    project.run_on(bench, &doctor).ends(0);
}

/// Returns the name of the run that a command began.
fn run_of(said: &Said) -> String {
    let words = said.stderr.split_whitespace().map(|word| word.trim_matches([':', ',', '.']));
    words.clone().find(|word| word.starts_with("etl-")).unwrap().to_owned()
}

/// Uses every command that counts, as this user, who was given this; all must work.
fn use_all(
    project: &Project,
    bench: &Bench,
    user: &str,
    given: Need,
) -> Vec<(&'static str, BTreeSet<Request>)> {
    let begin = || run_of(&project.run_on(bench, &["run", "etl"]).ends(0));
    // Pausing leaves a run to resume.
    let old = begin();
    let mut told = Vec::new();
    let mut as_user = |name: &'static str, arguments: &[&str]| {
        let before = asked(bench, user).unwrap_or_default();
        let said = project.run_on(bench, &[arguments, &["--as", user]].concat());
        // A difference is no failure.
        assert!(said.code == 0 || (name, said.code) == ("diff", 1), "{name}: {said:?}");
        let after = asked(bench, user).unwrap_or_default();
        told.push((name, after.difference(&before).cloned().collect()));
    };
    as_user("render", &["render", "etl"]);
    as_user("explain-config", &["explain-config", "etl/load"]);
    as_user("lint", &["lint"]);
    as_user("snapshot", &["snapshot"]);
    as_user("doctor", &["doctor"]);
    as_user("run", &["run", "etl"]);
    as_user("runs", &["runs", "-o", "wide"]);
    as_user("status", &["status", &old]);
    as_user("why", &["why", &old]);
    as_user("logs", &["logs", &old]);
    as_user("tail", &["tail", &old]);
    as_user("attach", &["attach", &old]);
    as_user("resume", &["resume", &old]);
    as_user("apply", &["apply", "etl"]);
    if given == Need::Optional {
        // A Job that is there is patched, and a new one can be created.
        as_user("apply", &["apply", "etl/left", "--suspend"]);
    }
    as_user("diff", &["diff", "etl"]);
    as_user("delete", &["delete", &old, "--yes"]);
    as_user("prune", &["prune", "--older-than", "0s", "--yes"]);
    told
}

/// Exactly the Role that `doctor` prints is enough for every command, and what is refused
/// nevertheless is what the table says that a command can do without.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_it_prints_is_enough_for_every_command() {
    let Some(bench) = Bench::new("doctor-role").await else { return };
    let project = diamond(&[]);
    let (some, all) = (format!("{}-some", bench.namespace), format!("{}-all", bench.namespace));
    let before = report(&project.run_on(&bench, &["doctor", "--as", &some, "-o", "json"]).ends(1));
    assert!(
        told(&before, "permissions").starts_with("problem: rights are missing for apply, attach")
    );
    give(&project, &bench, &some, &[], 1).await;
    give(&project, &bench, &all, &["--optional"], 1).await;
    let table = rights_all();
    let of = |command: &str| &table.iter().find(|one| one.command == command).unwrap().rights;
    for (user, given) in [(&some, Need::Required), (&all, Need::Optional)] {
        for (command, requests) in use_all(&project, &bench, user, given) {
            for (verb, resource, group, _) in requests.iter().filter(|request| request.3 == 403) {
                let right = of(command).iter().find(|right| {
                    (right.verb, right.resource, right.group) == (verb, resource, group)
                });
                let right = right.unwrap_or_else(|| {
                    panic!("{command} was refused {verb} {resource}, and the table does not say so")
                });
                assert_eq!(right.need, Need::Optional, "{command}: {right:?}");
                assert!(given == Need::Required || *resource == "secrets", "{command}: {right:?}");
            }
        }
    }
    // Nothing is asked for that nothing uses.
    if let Some(requests) = asked(&bench, &all) {
        let used = |right: &kubectl_mage::doctor::Right| {
            let name = (right.verb, right.resource, right.group);
            requests
                .iter()
                .any(|(verb, resource, group, _)| (&**verb, &**resource, &**group) == name)
        };
        let commands = table.iter().filter(|one| !one.command.contains(" --"));
        for one in commands.filter(|one| !matches!(one.command, "cancel")) {
            for right in one.rights.iter().filter(|right| right.need == Need::Required) {
                assert!(used(right), "{} is said to need {right:?}", one.command);
            }
        }
    }
    bench.end().await;
}

/// So is the Role of a command with the flag that needs more than the command.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_is_enough_for_flags_that_need_more() {
    let Some(bench) = Bench::new("doctor-flags").await else { return };
    let project = diamond(&[]);
    let settings = std::fs::read_to_string(project.path().join("metadata.yaml")).unwrap();
    // Whether anything is missing that it cannot do without.
    let ways: [(&str, i32, &[&str]); 6] = [
        ("render --validate", 1, &["render", "etl", "--validate"]),
        ("explain-config --all", 0, &["explain-config", "etl/load", "--all"]),
        ("lint --live", 0, &["lint", "--live"]),
        ("apply --wait", 1, &["apply", "etl/load", "--wait"]),
        ("apply --replace", 1, &["apply", "etl/load", "--replace"]),
        ("run --staged", 1, &["run", "--staged", "etl"]),
    ];
    for (number, (way, code, arguments)) in ways.into_iter().enumerate() {
        let user = format!("{}-{number}", bench.namespace);
        give(&project, &bench, &user, &["--for", way, "--optional"], code).await;
        match way {
            "apply --replace" => {
                let other = settings.replace("period_seconds: 1", "period_seconds: 2");
                project.write("metadata.yaml", &other);
            }
            "run --staged" => {
                project.run_on(&bench, &["apply", "etl/load", "--wait"]).ends(0);
                project.run_on(&bench, &["apply", "etl", "--suspend"]).ends(0);
            }
            _ => {}
        }
        let said = project.run_on(&bench, &[arguments, &["--as", &user]].concat());
        let said = said.ends(0);
        if way == "apply --replace" {
            assert!(said.stdout.ends_with(" replaced\n"), "{}", said.stdout);
        }
    }
    bench.end().await;
}

/// `cancel`, with a run that goes on.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_is_enough_to_cancel() {
    let Some(bench) = Bench::new("doctor-cancel").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "600")]);
    let user = format!("{}-user", bench.namespace);
    give(&project, &bench, &user, &["--for", "cancel"], 1).await;
    let running = project.start_on(&bench, &["run", "etl", "-q"]);
    until("a Job", || async { !bench.job_names().await.is_empty() }).await;
    let list = ["-n", &bench.namespace, "get", "configmap", "-l", "kubectl-mage/run", "-o", "name"];
    let plans = Said::new(kubectl(&bench, &list).output().unwrap()).ends(0).stdout;
    let run = plans.trim().rsplit("mage-run-").next().unwrap().to_owned();
    let said = project.run_on(&bench, &["cancel", &run, "--yes", "--as", &user]);
    let _ = running.wait_with_output();
    assert!(bench.job_names().await.is_empty(), "{said:?}");
    bench.end().await;
}

/// It changes nothing, also where nothing may be changed, and tells what it finds.
#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_is_in_force_and_changes_nothing() {
    let Some(bench) = Bench::new("doctor-server").await else { return };
    let project = diamond(&[]);
    let mut pod = server(
        "mage-0",
        "mageai",
        &json!({
            "env": [{"name": "K8S_DEFAULT_CONFIG_PATH", "value": "/etc/mage/policy.yaml"}],
            "volumeMounts": [{"name": "p", "mountPath": "/etc/mage/policy.yaml", "subPath": "policy.yaml"}]
        }),
    );
    pod["spec"]["volumes"] = json!([{"name": "p", "configMap": {"name": "policy"}}]);
    let policy = |memory: &str| {
        let text = format!("enabled: true\nenforce: true\nresource_limits:\n  memory: {memory}\n");
        config_map("policy", &json!({"policy.yaml": text}))
    };
    apply(&bench, &[policy("3Gi"), pod]).await;
    ready(&bench, &["mage-0"]);
    let user = format!("{}-reader", bench.namespace);
    let doctor = |flags: &[&str]| {
        let mut command = project.command_on(&bench, &[&["doctor", "-o", "json"], flags].concat());
        Said::new(command.env("KUBECTL_MAGE_READONLY", "1").output().unwrap())
    };
    let fine = report(&doctor(&[]).ends(0));
    assert_eq!(
        told(&fine, "server"),
        format!(
            "ok: pod/mage-0 in namespace {}; container mage runs localhost/mage-stand-in:1",
            bench.namespace
        )
    );
    assert!(
        told(&fine, "policy").starts_with("ok: configmap/policy:policy.yaml (enforced)"),
        "{fine}"
    );
    assert!(told(&fine, "image").starts_with("ok: localhost/mage-stand-in:1 "), "{fine}");
    assert!(told(&fine, "identity").starts_with("ok: admin"), "{fine}");
    assert!(told(&fine, "clock").starts_with("ok"), "{fine}");
    assert!(told(&fine, "storage").starts_with("warning: outputs go to"), "{fine}");
    let counted = |report: &Value, command: &str| {
        let rights = report["rights"].as_array().unwrap();
        rights.iter().find(|right| right["command"] == command).unwrap()["counts"].clone()
    };
    assert_eq!((counted(&fine, "run"), counted(&fine, "status")), (json!(false), json!(true)));

    let snapshot = project.run_on(&bench, &["snapshot"]).ends(0).stdout;
    project.write("snap.json", &snapshot);
    // Creation and change are told in seconds.
    until("a later second", || async {
        apply(&bench, &[policy("4Gi")]).await;
        told(&report(&doctor(&[])), "policy").starts_with("warning")
    })
    .await;
    let changed = report(&doctor(&["--snapshot", "snap.json"]).ends(0));
    let stale = told(&changed, "policy");
    assert!(stale.contains("with subPath, which is never refreshed"), "{stale}");
    assert!(told(&changed, "snapshot").starts_with("warning: "), "{changed}");
    assert!(changed.to_string().contains("memory: 3Gi"), "{changed}");

    // Whoever may do nothing is told so, and asks for nothing but what can be read.
    let nobody = report(&doctor(&["--as", &user]).ends(1));
    assert!(told(&nobody, "server").starts_with("not known"), "{nobody}");
    if let Some(requests) = asked(&bench, &user) {
        for (verb, resource, ..) in &requests {
            let reads = matches!(verb.as_str(), "get" | "list");
            assert!(reads || resource.starts_with("selfsubject"), "{verb} {resource}");
        }
        assert!(requests.len() > 5, "{requests:?}");
    }
    bench.end().await;
}

/// An image that a pod could not pull, and a Secret that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_judged_by_what_pods_and_secrets_tell() {
    let Some(bench) = Bench::new("doctor-image").await else { return };
    let project = diamond(&[]);
    let settings = |image: &str, more: &str| {
        project.write(
            "metadata.yaml",
            &format!("k8s_executor_config:\n  container_config:\n    image: {image}\n  pod:\n    termination_grace_period_seconds: 1\n{more}"),
        );
    };
    let missing = "localhost/no-such-image:1";
    settings(missing, "");
    let image = |project: &Project| {
        told(&report(&project.run_on(&bench, &["doctor", "-o", "json"])), "image")
    };
    assert!(image(&project).starts_with("not known: whether localhost/no-such-image:1"));
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tries"},
        "spec": {"containers": [{"name": "c", "image": missing}], "terminationGracePeriodSeconds": 0},
    });
    apply(&bench, &[pod]).await;
    until("the failure to pull", || async { image(&project).starts_with("problem: ") }).await;
    let said = image(&project);
    assert!(
        said.contains(&format!(
            "could not be pulled for pod/tries in namespace {}",
            bench.namespace
        )),
        "{said}"
    );
    settings("localhost/mage-stand-in:1", "    image_pull_secrets:\n    - name: no-such-secret\n");
    let said = image(&project);
    assert!(
        said.starts_with(
            "problem: localhost/mage-stand-in:1 is to be pulled with secret/no-such-secret"
        ),
        "{said}"
    );
    bench.end().await;
}

/// A user with the rights of Mage's own chart, who may create Jobs but not patch them, and no more.
fn chart_user(bench: &Bench, name: &str) -> String {
    let user = format!("{}-{name}", bench.namespace);
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name, "namespace": bench.namespace},
        "rules": [
            {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "delete"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        ],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name, "namespace": bench.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]});
    kubectl_with(bench, &["apply", "-f", "-"], &list.to_string()).ends(0);
    user
}

/// What it says of `apply` is what `apply` does.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_create_and_not_patch_may_apply_with_less() {
    let Some(bench) = Bench::new("doctor-chart").await else { return };
    let project = diamond(&[]);
    let user = chart_user(&bench, "chart");
    until("the rights", || async {
        let said = project.run_on(&bench, &["doctor", "--for", "apply", "--as", &user]);
        said.stdout.contains("you may use every command asked about")
    })
    .await;
    let table = project.run_on(&bench, &["doctor", "--for", "apply", "--as", &user]).ends(0).stdout;
    let row = table.lines().find(|line| line.starts_with("apply ")).unwrap();
    assert!(row.contains("yes, with less") && row.contains("patch jobs.batch"), "{table}");
    assert!(!row.contains("get,get"), "{row}");
    project.run_on(&bench, &["apply", "etl/load", "--as", &user]).ends(0);
    bench.end().await;
}

/// Hints are commands that do what is meant; `--for` holds in every output.
#[tokio::test(flavor = "multi_thread")]
async fn hints_repeat_what_was_asked_and_every_output_obeys_it() {
    let Some(bench) = Bench::new("doctor-hints").await else { return };
    let project = diamond(&[]);
    let user = format!("{}-it's me", bench.namespace);
    let asked = ["doctor", "-n", &bench.namespace, "--for", "diff", "--as", &user];
    let output = |format: &str| {
        project.run_on(&bench, &[&asked[..], &["-o", format]].concat()).ends(1).stdout
    };
    let table = output("table");
    let words = format!("-n {} --as '{}' --for diff", bench.namespace, user.replace('\'', r"'\''"));
    let lines: Vec<&str> = table.lines().filter(|line| line.contains("-o role |")).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.contains(&words)), "{table}");
    assert!(!table.contains("name them: --for"), "{table}");
    let wide = output("wide");
    assert!(wide.contains("\ndiff ") && !wide.contains("\nrun "), "{wide}");
    let json: Value = serde_json::from_str(&output("json")).unwrap();
    assert!(json["rights"].as_array().unwrap().iter().all(|right| right["command"] == "diff"));
    // A shell runs what the hint says; it writes a Role for this user and this command.
    let line = table.lines().find(|line| line.starts_with("# The Role")).unwrap();
    let hint = line.split_once("missing: kubectl mage ").unwrap().1.split_once(" | ").unwrap().0;
    let program = env!("CARGO_BIN_EXE_kubectl-mage");
    let shell = std::process::Command::new("sh")
        .args(["-c", &format!("{program} {hint}")])
        .current_dir(project.path())
        .env("KUBECONFIG", &bench.kubeconfig)
        .output()
        .unwrap();
    let role = String::from_utf8(shell.stdout).unwrap();
    assert!(role.contains(&user) && role.contains(&bench.namespace), "{role}");
    let optional = project.run_on(&bench, &[&asked[..], &["--optional"]].concat()).stdout;
    assert!(
        optional.contains("--optional -o role") && !optional.contains("prints the Role"),
        "{optional}"
    );
    bench.end().await;
}

/// A pod that is not there is a finding, not the end; about rights alone nothing is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_named_server_pod_that_is_not_there_is_a_finding() {
    let Some(bench) = Bench::new("doctor-nope").await else { return };
    let project = diamond(&[]);
    let asked = ["doctor", "--server-pod", "nope"];
    let all = report(&project.run_on(&bench, &[&asked[..], &["-o", "json"]].concat()).ends(1));
    assert!(told(&all, "server").starts_with("problem: cannot get pod/nope"), "{all}");
    assert!(told(&all, "jobs").starts_with("ok"), "{all}");
    assert!(
        told(&all, "permissions").starts_with("ok: you may use every command asked about"),
        "{all}"
    );
    let role = project.run_on(&bench, &[&asked[..], &["-o", "role"]].concat()).ends(0);
    assert!(role.stderr.contains("no right is missing"), "{}", role.stderr);
    bench.end().await;
}

/// Another team's namespace and a ConfigMap that no Job speaks of are no changes.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_run_uses_is_a_change_since_a_snapshot() {
    let Some(bench) = Bench::new("doctor-changes").await else { return };
    let project = diamond(&[]);
    project.write("snap.json", &project.run_on(&bench, &["snapshot"]).ends(0).stdout);
    let other = format!("{}-other", bench.namespace);
    kubectl_with(&bench, &["create", "namespace", &other], "").ends(0);
    apply(&bench, &[config_map("unrelated", &json!({"a": "b"}))]).await;
    let asked = ["doctor", "-o", "json", "--snapshot", "snap.json"];
    let said = told(&report(&project.run_on(&bench, &asked)), "snapshot");
    kubectl_with(&bench, &["delete", "namespace", &other, "--wait=false"], "").ends(0);
    assert!(!said.contains(&other) && !said.contains("unrelated"), "{said}");
    let all = report(&project.run_on(&bench, &asked));
    let details =
        all["checks"].as_array().unwrap().iter().find(|one| one["id"] == "snapshot").unwrap();
    assert!(!details.to_string().contains("unrelated"), "{details}");
    bench.end().await;
}

/// `-q` says less, but never leaves out a question.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_however_little_is_said() {
    let Some(bench) = Bench::new("doctor-question").await else { return };
    let project = diamond(&[]);
    project.write("home/.config/kubectl-mage/config.toml", "protected_contexts = [\"*\"]\n");
    let program = env!("CARGO_BIN_EXE_kubectl-mage");
    // util-linux's script is a terminal for what it runs.
    let mut command = std::process::Command::new("script");
    command.args([
        "-qec",
        &format!("{program} run etl -q -n {} --server-pod none", bench.namespace),
        "/dev/null",
    ]);
    command.current_dir(project.path()).env("HOME", project.path().join("home"));
    command.env("KUBECONFIG", &bench.kubeconfig).stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"no\n").unwrap();
    let said = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
    assert!(said.contains("is protected; type the pipeline's name to go on:"), "{said}");
    assert!(bench.job_names().await.is_empty());
    bench.end().await;
}
