//! `diff` against a real API server, with kubectl's own diff beside it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with, objects};
use crate::support::{Bench, until};

const ETL: &str = "pipelines/etl/metadata.yaml";

fn pipeline(settings: &str) -> String {
    format!(
        "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    job: {{suspend: true, backoff_limit: 0}}\n{settings}"
    )
}

const SETTINGS: &str = "    resource_limits: {cpu: 1000m, memory: 1Gi}\n    container_config:\n      image: 'i:1'\n      env: [{name: DB_PASSWORD, value: hunter2}, {name: MODE, value: a}]\n";

/// A project of one block whose Job is made suspended, so that nothing runs.
fn project() -> Project {
    Project::new(&[
        ("metadata.yaml", "k8s_executor_config:\n  metadata: {labels: {team: data}}\n"),
        (ETL, &pipeline(SETTINGS)),
    ])
}

fn rendered(project: &Project, bench: &Bench) -> Value {
    let said = project.run_on(bench, &["render", "etl", "-o", "json"]).ends(0);
    objects(&said.stdout).remove(0)
}

/// Creates a Job as `apply` would.
fn applied(bench: &Bench, job: &Value) {
    let flags = [
        "apply",
        "--server-side",
        "--field-manager",
        "kubectl-mage",
        "-n",
        &bench.namespace,
        "-f",
        "-",
    ];
    kubectl_with(bench, &flags, &job.to_string()).ends(0);
}

/// What kubectl says of the same Job.
fn theirs(bench: &Bench, job: &Value) -> Said {
    let flags = [
        "diff",
        "--server-side",
        "--field-manager",
        "kubectl-mage",
        "-n",
        &bench.namespace,
        "-f",
        "-",
    ];
    kubectl_with(bench, &flags, &job.to_string())
}

/// Returns the lines that differ, without what stands behind them, and without what kubectl shows of the
/// server's own counting.
fn changed(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with(['+', '-']));
    let lines = lines.filter(|line| !line.starts_with("+++") && !line.starts_with("---"));
    let own = lines.map(|line| line.split("  # ").next().unwrap().trim_end().to_owned());
    own.filter(|line| !line.contains("  generation: ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_apply_would_change_is_what_kubectl_would() {
    let Some(bench) = Bench::new("diff").await else { return };
    let project = project();
    let diff = |more: &[&str]| project.run_on(&bench, &[&["diff", "etl"], more].concat());
    let new = diff(&[]).ends(1);
    assert!(
        new.stdout.contains(": new\n")
            && new.stdout.contains("# block pipelines/etl/metadata.yaml:"),
        "{}",
        new.stdout
    );
    assert!(!new.stdout.contains("hunter2"), "{}", new.stdout);
    let job = rendered(&project, &bench);
    applied(&bench, &job);
    // Nothing differs, whatever the server has written into it.
    let same = diff(&[]).ends(0);
    assert_eq!(same.stdout, "");
    theirs(&bench, &job).ends(0);
    // In place.
    project.write(ETL, &pipeline(SETTINGS).replace("backoff_limit: 0", "backoff_limit: 3"));
    let ours = diff(&[]).ends(1);
    let kubectls = theirs(&bench, &rendered(&project, &bench)).ends(1);
    assert_eq!(changed(&ours.stdout), ["-  backoffLimit: 0", "+  backoffLimit: 3"]);
    assert_eq!(changed(&ours.stdout), changed(&kubectls.stdout));
    let document: Value = serde_json::from_str(&diff(&["-o", "json"]).stdout).unwrap();
    let told = &document["jobs"][0];
    assert_eq!(
        (&told["verdict"], &told["decidedBy"]),
        (&json!("changed in place"), &json!("server"))
    );
    assert_eq!(told["changes"][0]["after"]["source"]["line"], 8);
    // The same amounts in other words are no change, and a Job is not asked to be changed by looking.
    project.write(
        ETL,
        &pipeline(SETTINGS).replace("cpu: 1000m, memory: 1Gi", "cpu: 1, memory: 1024Mi"),
    );
    assert_eq!(changed(&diff(&[]).stdout), [""; 0]);
    let get = ["get", "jobs", "-n", &bench.namespace, "-o", "json"];
    let live = objects(&Said::new(kubectl(&bench, &get).output().unwrap()).stdout).remove(0);
    assert_eq!(live["metadata"]["generation"], 1);
    bench.end().await;
}

/// Where kubectl's diff ends in an error, because a pod template cannot be changed.
#[tokio::test(flavor = "multi_thread")]
async fn immutable_fields_are_told_and_break_nothing() {
    let Some(bench) = Bench::new("immutable").await else { return };
    let project = project();
    applied(&bench, &rendered(&project, &bench));
    let text = pipeline(SETTINGS)
        .replace("i:1", "i:2")
        .replace("hunter2", "hunter3")
        .replace("backoff_limit: 0", "backoff_limit: 1");
    project.write(ETL, &text);
    let kubectls = theirs(&bench, &rendered(&project, &bench));
    assert!(kubectls.code > 1 && kubectls.stderr.contains("field is immutable"), "{kubectls:?}");
    let said = project.run_on(&bench, &["diff", "etl/load", "-o", "json"]).ends(1);
    assert!(!said.stdout.contains("hunter") && !said.stderr.contains("hunter"), "{said:?}");
    let document: Value = serde_json::from_str(&said.stdout).unwrap();
    let told = &document["jobs"][0];
    assert_eq!((&told["verdict"], &told["decidedBy"]), (&json!("needs replace"), &json!("server")));
    let changes: Vec<String> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let value = |side: &str| change[side]["value"].to_string();
            format!(
                "{} {} {} {}",
                change["field"].as_str().unwrap(),
                value("before"),
                value("after"),
                change["applies"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            ".spec.backoffLimit 0 1 in place",
            ".spec.template.spec.containers[mage-data].image \"i:1\" \"i:2\" needs replace",
            ".spec.template.spec.containers[mage-data].env[DB_PASSWORD].value \"*** (before)\" \"*** (after)\" needs replace",
        ]
    );
    // What no server would take is an error with its line.
    project.write(
        ETL,
        &pipeline(SETTINGS).replace("i:1", "i:2").replace(
            "    resource_limits",
            "    pod: {readinessGates: [{conditionType: no type}]}\n    resource_limits",
        ),
    );
    let said = project.run_on(&bench, &["diff", "etl/load"]).ends(2);
    said.says(&["pipelines/etl/metadata.yaml:9:", "the API server refuses job.batch/"]);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rights_are_named_and_done_without() {
    let Some(bench) = Bench::new("diff-rights").await else { return };
    let project = project();
    applied(&bench, &rendered(&project, &bench));
    project.write(
        ETL,
        &pipeline(SETTINGS).replace("i:1", "i:2").replace(", {name: MODE, value: a}", ""),
    );
    let expected = changed(&project.run_on(&bench, &["diff", "etl"]).ends(1).stdout);
    assert_eq!(expected.len(), 4, "{expected:?}");
    for (context, texts) in [
        ("chart", ["may not patch jobs.batch in namespace", "would make of a new Job"]),
        (
            "viewer",
            ["may not patch jobs.batch in namespace", ", may not create jobs.batch in namespace"],
        ),
    ] {
        if bench.as_context(context).await.is_none() {
            continue;
        }
        let said = project.run_on(&bench, &["diff", "etl", "--context", context]).ends(1);
        assert_eq!(changed(&said.stdout), expected, "{context}");
        assert!(said.stdout.contains(": needs replace\n"), "{}", said.stdout);
        said.says(&texts);
    }
    if bench.as_context("nobody").await.is_some() {
        let said = project.run_on(&bench, &["diff", "etl", "--context", "nobody"]).ends(3);
        said.says(&["cannot get job.batch/", "verbs: [\"get\"]"]);
    }
    // Of a Job that waits more can be changed, and what was applied and is no longer set is a change.
    let all = ["delete", "jobs", "--all", "-n", &bench.namespace];
    Said::new(kubectl(&bench, &all).output().unwrap()).ends(0);
    let waiting = |more: &str| pipeline(&format!("{SETTINGS}{more}"));
    let more = "    pod: {node_selector: {disk: ssd}}\n    metadata: {annotations: {a: b}}\n";
    project.write(ETL, &waiting(more));
    project.run_on(&bench, &["apply", "etl"]).ends(0);
    project.write(ETL, &waiting("    pod: {node_selector: {disk: hdd}}\n"));
    let expected = project.run_on(&bench, &["diff", "etl"]).ends(1).stdout;
    assert!(expected.contains(": changed in place\n"), "{expected}");
    assert!(changed(&expected).iter().any(|line| line.contains("a: b")), "{expected}");
    if bench.as_context("viewer").await.is_some() {
        let said = project.run_on(&bench, &["diff", "etl", "--context", "viewer"]).ends(1);
        assert!(said.stdout.contains(": changed in place\n"), "{}", said.stdout);
        assert_eq!(changed(&said.stdout), changed(&expected));
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_other_managers_are_named_and_shown() {
    let Some(bench) = Bench::new("conflict").await else { return };
    let project = project();
    let job = rendered(&project, &bench);
    applied(&bench, &job);
    let name = job["metadata"]["name"].as_str().unwrap();
    let patch = [
        "patch",
        "job",
        name,
        "-n",
        &bench.namespace,
        "--field-manager",
        "somebody",
        "-p",
        "{\"spec\":{\"backoffLimit\":5}}",
    ];
    Said::new(kubectl(&bench, &patch).output().unwrap()).ends(0);
    let said = project.run_on(&bench, &["diff", "etl"]).ends(1);
    assert_eq!(changed(&said.stdout), ["-  backoffLimit: 5", "+  backoffLimit: 0"]);
    said.says(&[".spec.backoffLimit belongs to field manager somebody"]);
    bench.end().await;
}

/// What the documentation's table says can be changed, the server says too.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_what_can_be_changed_is_the_servers() {
    use kubectl_mage::config::JobPath;
    use kubectl_mage::diff::{Applies, Decided, Template};
    let Some(bench) = Bench::new("mutable").await else { return };
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": bench.namespace}, "spec": {
        "suspend": true, "completionMode": "Indexed", "completions": 3, "parallelism": 2, "backoffLimitPerIndex": 1,
        "maxFailedIndexes": 1, "podReplacementPolicy": "TerminatingOrFailed", "activeDeadlineSeconds": 60,
        "successPolicy": {"rules": [{"succeededCount": 1}]},
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}}}});
    applied(&bench, &job);
    for (field, value) in [
        ("activeDeadlineSeconds", json!(61)),
        ("backoffLimit", json!(7)),
        ("maxFailedIndexes", json!(2)),
        ("parallelism", json!(3)),
        ("podReplacementPolicy", json!("Failed")),
        ("suspend", json!(false)),
        ("ttlSecondsAfterFinished", json!(5)),
        ("completions", json!(4)),
        ("completionMode", json!("NonIndexed")),
        ("backoffLimitPerIndex", json!(2)),
        ("successPolicy", json!({"rules": [{"succeededCount": 2}]})),
        ("managedBy", json!("example.com/x")),
        (
            "podFailurePolicy",
            json!({"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]}),
        ),
        ("template", json!({"spec": {"hostNetwork": true}})),
    ] {
        let patch = json!({"spec": {field: value}}).to_string();
        let flags = [
            "patch",
            "job",
            "j",
            "-n",
            &bench.namespace,
            "--type=merge",
            "--dry-run=server",
            "-p",
            &patch,
        ];
        let taken = Said::new(kubectl(&bench, &flags).output().unwrap());
        let place = JobPath::default().key("spec").key(field);
        let applies = if taken.code == 0 { Applies::InPlace } else { Applies::Replace };
        assert_eq!(
            Decided::ByTable(Template::Fixed).applies(&place),
            applies,
            "{field}: {}",
            taken.stderr
        );
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_compared_with_what_it_used() {
    let Some(bench) = Bench::new("diff-run").await else { return };
    let project = Project::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config:\n  container_config: {image: 'localhost/mage-stand-in:1'}\n",
        ),
        (
            ETL,
            "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- {uuid: load, type: data_loader}\n- {uuid: old, type: transformer}\n",
        ),
    ]);
    project.run_on(&bench, &["run", "etl", "-q"]).ends(0);
    let diff = |more: &[&str]| {
        project.run_on(&bench, &[&["diff", "--against", "run:@latest"], more].concat())
    };
    assert_eq!(diff(&[]).ends(0).stdout, "");
    project.write(ETL, "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- {uuid: load, type: data_loader, executor_config: {resource_requests: {cpu: 10m}}}\n- {uuid: more, type: transformer}\n");
    let said = diff(&["-o", "summary"]).ends(1);
    assert!(
        said.stdout.contains("3 of 3 blocks change; 1 needs replace; 1 is new; 1 is gone"),
        "{}",
        said.stdout
    );
    let said = diff(&["etl/load"]).ends(1);
    assert_eq!(
        changed(&said.stdout),
        ["+        resources:", "+          requests:", "+            cpu: 10m"]
    );
    // A Job of a run has that run's name in it.
    let mut jobs = bench.job_names().await;
    jobs.sort();
    let said = project.run_on(&bench, &["diff", &format!("job/{}", jobs[0])]).ends(2);
    said.says(&["is of run etl-", "diff --against run:etl-"]);
    diff(&["etl/nope"]).ends(2).says(&["has no `etl/nope`", "load"]);
    project.run_on(&bench, &["diff", "job/"]).ends(2).says(&["names no Job"]);
    project
        .run_on(&bench, &["diff", "--against", "run:nope-bbbbbb"])
        .ends(2)
        .says(&["there is no run nope-bbbbbb"]);
    project
        .run_on(&bench, &["diff", "job/nope"])
        .ends(2)
        .says(&["there is no job.batch/nope in namespace"]);
    bench.end().await;
}

/// Compares a Job that the genuine server made with the files: first they agree, then not. The server may
/// delete its own at any time, so it is put back as it was, suspended.
pub(crate) async fn drift(bench: &Bench, home: &Project, flags: &[&str], job: &Value, file: &str) {
    let name = job["metadata"]["name"].as_str().unwrap().to_owned();
    let delete =
        ["delete", "job", &name, "-n", &bench.namespace, "--ignore-not-found", "--wait=true"];
    Said::new(kubectl(bench, &delete).output().unwrap()).ends(0);
    until("the server's Job to be gone", async || !bench.job_names().await.contains(&name)).await;
    let mut again = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": bench.namespace, "labels": job["metadata"]["labels"], "annotations": job["metadata"]["annotations"]},
        "spec": job["spec"]});
    again["spec"]["suspend"] = json!(true);
    again["spec"].as_object_mut().unwrap().remove("selector");
    for place in ["/metadata/labels", "/spec/template/metadata/labels"] {
        if let Some(labels) = again.pointer_mut(place).and_then(Value::as_object_mut) {
            labels.retain(|key, _| !key.contains("controller-uid") && !key.ends_with("job-name"));
        }
    }
    kubectl_with(bench, &["create", "-f", "-"], &again.to_string()).ends(0);
    let target = format!("job/{name}");
    let diff = |more: &[&str]| {
        let said = home.command_on(bench, &[&["diff", &target], flags, more].concat()).output();
        Said::new(said.unwrap())
    };
    let said = diff(&[]);
    assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{}", said.stderr);
    let path = home.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("memory: 600Mi"), "{text}");
    std::fs::write(&path, text.replace("memory: 600Mi", "memory: 700Mi")).unwrap();
    let said = diff(&[]).ends(1);
    assert_eq!(changed(&said.stdout), ["-            memory: 600Mi", "+            memory: 700Mi"]);
    assert!(said.stdout.contains("# block pipelines/many/metadata.yaml:"), "{}", said.stdout);
    std::fs::write(&path, text).unwrap();
}
