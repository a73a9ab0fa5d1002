//! `render --validate`: what the API server itself says of the Jobs.

use kubectl_mage::cluster::UnknownFields;
use kubectl_mage::job::Violation;
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with, objects};
use crate::server_pod::{apply, project};
use crate::support::{Bench, until};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_the_server_takes_are_printed_and_not_created() {
    let Some(bench) = Bench::new("valid").await else { return };
    let project = project();
    let render = ["render", "etl", "--image", "i", "-o", "json"];
    let plain = project.run_on(&bench, &render).ends(0).stdout;
    let validate = [&render[..], &["--validate"]].concat();
    let said = project.run_on(&bench, &validate).ends(0);
    assert_eq!(said.stdout, plain);
    said.says(&["would take 1 Job (dry run)"]);
    assert_eq!(bench.job_names().await, [""; 0]);
    // A Job of that name that stands there is no fault of the new one.
    let mut job = objects(&plain).remove(0);
    job["spec"]["suspend"] = json!(true);
    kubectl_with(&bench, &["apply", "-f", "-"], &job.to_string()).ends(0);
    assert_eq!(bench.job_names().await.len(), 1);
    project.run_on(&bench, &validate).ends(0);
    // Without a look for the server's pod there is no connection yet.
    let alone = [&validate[..], &["--server-pod", "none"]].concat();
    project.run_on(&bench, &alone).ends(0).says(&["would take 1 Job (dry run)"]);
    bench.end().await;
}

/// Three blocks that are wrong in ways that only the server knows.
fn wrong() -> Project {
    Project::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config:\n  job:\n    podFailurePolicy:\n      rules:\n      - action: Explode\n        onExitCodes: {operator: In, values: [1]}\n",
        ),
        (
            "pipelines/etl/metadata.yaml",
            "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n- uuid: clean\n  type: transformer\n  executor_config:\n    pod:\n      hostAliases:\n      - {ip: 10.0.0.1, hostnames: [db]}\n      - {ip: 10.0.0.999, hostnames: [db]}\n- uuid: save\n  type: data_exporter\n  executor_config:\n    pod:\n      readinessGates:\n      - conditionType: not a type\n",
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_of_every_job_has_its_line() {
    let Some(bench) = Bench::new("refused").await else { return };
    let project = wrong();
    let validate = ["render", "--image", "i", "--validate"];
    let said = project.run_on(&bench, &validate).ends(2).says(&[
        "metadata.yaml:5:17: the API server refuses job.batch/",
        "spec.podFailurePolicy.rules[0].action: Unsupported value: \"Explode\"",
        "(and 2 more Jobs)",
        "5 |       - action: Explode\n  |                 ^^^^^^^",
        "pipelines/etl/metadata.yaml:13:14: the API server refuses job.batch/",
        "spec.template.spec.hostAliases[1].ip: Invalid value: \"10.0.0.999\"",
        "pipelines/etl/metadata.yaml:19:24: the API server refuses job.batch/",
        "spec.template.spec.readinessGates[0].conditionType: Invalid value: \"not a type\"",
        "hint: see its history with `kubectl mage explain-config etl/save --why '.spec.template.spec.readinessGates[0].conditionType'`",
    ]);
    assert_eq!(said.stdout, "");
    assert_eq!(said.stderr.matches("error:").count(), 3, "{}", said.stderr);
    // The history that the hint names is one.
    let why = [
        "explain-config",
        "etl/save",
        "--image",
        "i",
        "--why",
        ".spec.template.spec.readinessGates[0].conditionType",
    ];
    project.run_on(&bench, &why).ends(0);
    // What is wrong with the project itself is told along with it.
    project.write("metadata.yaml", "k8s_executor_config: {}\n");
    let pipeline = std::fs::read_to_string(project.path().join("pipelines/etl/metadata.yaml"));
    let pipeline = pipeline.unwrap().replace(
        "  type: data_loader\n",
        "  type: data_loader\n  executor_config: {metadata: {labels: {team: da ta}}}\n",
    );
    project.write("pipelines/etl/metadata.yaml", &pipeline);
    let said = project.run_on(&bench, &validate).ends(2).says(&["da ta", "10.0.0.999"]);
    assert_eq!(said.stderr.matches("error:").count(), 3, "{}", said.stderr);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admission_refuses_too() {
    let Some(bench) = Bench::new("admission").await else { return };
    let project = project();
    let name = &bench.namespace;
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}]},
            "validations": [{"expression": "object.spec.template.spec.containers[0].image != 'i'", "message": "the image i is not approved"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}},
        },
    });
    apply(&bench, &[policy, binding]).await;
    // A policy takes effect a little after it stands.
    until("the policy", || async {
        project.run_on(&bench, &["render", "--image", "i", "--validate"]).code != 0
    })
    .await;
    project.run_on(&bench, &["render", "--image", "i", "--validate"]).ends(2).says(&[
        "the API server refuses job.batch/",
        "denied request: the image i is not approved",
        "hint: see what is sent with `kubectl mage render etl/load`",
    ]);
    project.run_on(&bench, &["render", "--image", "j", "--validate"]).ends(0);
    // A quota of Jobs is a refusal as well.
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"count/jobs.batch": "0"}}});
    apply(&bench, &[quota]).await;
    until("the quota", || async {
        project.run_on(&bench, &["render", "--image", "j", "--validate"]).code != 0
    })
    .await;
    project
        .run_on(&bench, &["render", "--image", "j", "--validate"])
        .ends(2)
        .says(&["exceeded quota: none, requested: count/jobs.batch=1"]);
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        kubectl(&bench, &["delete", kind, name]).output().unwrap();
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_namespace_a_right_or_a_connection_it_says_so() {
    let Some(bench) = Bench::new("no-answer").await else { return };
    let project = project();
    let validate = ["render", "--image", "i", "--validate"];
    let elsewhere =
        [&validate[..], &["--kubeconfig", bench.kubeconfig.to_str().unwrap(), "-n", "no-such"]];
    let said = project.command(&elsewhere.concat()).output().unwrap();
    let said = Said::new(said).ends(2).says(&[
        "namespace no-such does not exist",
        "(flag --namespace)",
        "hint: create it with `kubectl create namespace no-such`",
    ]);
    assert_eq!(said.stderr.matches("error:").count(), 1, "{}", said.stderr);
    for flags in [&["--offline"][..], &["--snapshot", "none.json"]] {
        let all = [&validate[..], flags].concat();
        let hint = format!("hint: leave out {}", flags[0]);
        project
            .run_on(&bench, &all)
            .ends(2)
            .says(&["`render --validate` asks a cluster, and", &hint]);
    }
    if bench.as_context("nobody").await.is_some() {
        let all = [&validate[..], &["--context", "nobody"]].concat();
        let rule = format!(
            "hint: a Role in namespace {} needs the rule {{apiGroups: [\"batch\"], resources: [\"jobs\"], verbs: [\"create\"]}}",
            bench.namespace
        );
        let said = project.run_on(&bench, &all).ends(3);
        assert_eq!(said.stdout, "");
        said.says(&["forbidden: cannot create job.batch/", &rule]);
    }
    bench.end().await;
}

/// Of more than one batch of Jobs each is asked about, and they come out in order.
#[tokio::test(flavor = "multi_thread")]
async fn many_jobs_are_asked_about() {
    let Some(bench) = Bench::new("many-valid").await else { return };
    let block = |index| format!("- uuid: b{index:03}\n  type: transformer\n");
    let blocks: String = (0..300).map(block).collect();
    let text = format!("uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n{blocks}");
    let project = Project::new(&[("metadata.yaml", ""), ("pipelines/etl/metadata.yaml", &text)]);
    let plain = project.run_on(&bench, &["render", "--image", "i"]).ends(0).stdout;
    let said = project.run_on(&bench, &["render", "--image", "i", "--validate"]).ends(0);
    assert!(said.stdout == plain, "the Jobs are others");
    said.says(&["would take 300 Jobs"]);
    // One in the last batch.
    project.write(
        "pipelines/etl/metadata.yaml",
        &format!(
            "{text}  executor_config: {{pod: {{readinessGates: [{{conditionType: no type}}]}}}}\n"
        ),
    );
    let said = project.run_on(&bench, &["render", "--image", "i", "--validate"]).ends(2);
    assert_eq!(said.stdout, "");
    said.says(&["pipelines/etl/metadata.yaml:605:60: the API server refuses job.batch/"]);
    bench.end().await;
}

/// What a Job cannot hold that this tool renders, the server is asked about by hand.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_field_by_field() {
    let Some(bench) = Bench::new("unread").await else { return };
    let refused = |part: Value| {
        let bench = &bench;
        async move {
            let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
                "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}}}});
            for (key, value) in part.as_object().unwrap() {
                job["spec"][key] = value.clone();
            }
            let asked = bench.cluster.dry_run_job(&bench.namespace, &job, UnknownFields::Refused);
            let error = asked.await.unwrap_err();
            Violation::read(error.refusal().unwrap().0)
        }
    };
    let unknown = |field: &str| Violation::new(field, "unknown field");
    assert_eq!(
        refused(json!({"nope": 1, "backoffLimit": 1, "podFailurePolicy": {"rules": [{"bad": 1}]}}))
            .await,
        [unknown("spec.nope"), unknown("spec.podFailurePolicy.rules[0].bad")]
    );
    let read = refused(json!({"backoffLimit": "x"})).await;
    assert_eq!(read[0].field, "spec.backoffLimit");
    assert_eq!(read[0].message, "a string cannot be read as int32");
    bench.end().await;
}
