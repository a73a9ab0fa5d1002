//! `explain-config --all`: what the API server adds to a Job and its pods.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeMap;

use kubectl_mage::config::JobPath;
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with, objects};
use crate::server_pod::{apply, project, ready, server};
use crate::support::{Bench, until};

const ALL: [&str; 7] = ["explain-config", "etl/load", "--image", "i", "--all", "-o", "json"];

/// Returns the values by their places in the Job, each of which must be there once.
fn values(said: &Said) -> BTreeMap<String, Value> {
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    let list = told["values"].as_array().unwrap();
    let by_path: BTreeMap<String, Value> = list
        .iter()
        .map(|value| (value["jobPath"].as_str().unwrap().to_owned(), value.clone()))
        .collect();
    assert_eq!(by_path.len(), list.len(), "a leaf is there twice");
    by_path
}

fn leaves(path: &JobPath, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| leaves(&path.key(key), value, found));
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| leaves(&path.index(index), value, found));
        }
        leaf => found.push((path.to_string(), leaf.clone())),
    }
}

async fn limit_range(bench: &Bench) {
    let range = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"},
        "spec": {"limits": [{"type": "Container", "default": {"memory": "777Mi"}, "defaultRequest": {"memory": "111Mi"}}]}});
    apply(bench, &[range]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_leaf_of_the_job_and_what_the_server_adds() {
    let Some(bench) = Bench::new("defaults").await else { return };
    let project = project();
    limit_range(&bench).await;
    let memory = ".spec.template.spec.containers[0].resources.limits.memory";
    until("the LimitRange", || async {
        values(&project.run_on(&bench, &ALL).ends(0)).contains_key(memory)
    })
    .await;
    let said = project.run_on(&bench, &ALL).ends(0);
    let all = values(&said);
    // Every leaf of the Job, with the value that is sent.
    let rendered = project.run_on(&bench, &["render", "--image", "i", "-o", "json"]).ends(0);
    let mut own = Vec::new();
    leaves(&JobPath::default(), &objects(&rendered.stdout)[0], &mut own);
    for (path, value) in &own {
        assert_eq!(all[path]["value"], *value, "{path}");
        assert_ne!(all[path]["layer"], "api-default", "{path}");
    }
    // `1000m` is `1` in the server's spelling, which is no change.
    let cpu = &all[".spec.template.spec.containers[0].resources.limits.cpu"];
    assert_eq!((&cpu["value"], &cpu["layer"]), (&json!("1000m"), &json!("project")));
    // Everything else is the server's.
    let mut added = 0;
    for (path, value) in &all {
        if own.iter().all(|(known, _)| known != path) {
            assert_eq!(value["layer"], "api-default", "{path}");
            assert_eq!(value["source"]["kind"], "api", "{path}");
            added += 1;
        }
    }
    assert!(added > 15, "{added}");
    let rule = |path: &str| all[path]["rule"].as_str().unwrap().to_owned();
    assert_eq!(all[".spec.completionMode"]["value"], "NonIndexed");
    assert_eq!(rule(".spec.completionMode"), "nobody sets it: a default of the API server");
    assert_eq!(all[memory]["value"], "777Mi");
    assert_eq!(rule(memory), "nobody sets it: admission gives it to each pod");
    for noise in
        ["uid", "managedFields", "creationTimestamp", "generation", "kube-api-access", "status"]
    {
        assert!(all.keys().all(|path| !path.contains(noise)), "{noise}");
        assert!(!said.stdout.contains(&format!("\"{noise}")), "{noise}");
    }
    assert!(!said.stdout.contains("controller-uid"), "{}", said.stdout);
    // Asked twice it says the same, also where a Job of that name stands.
    assert_eq!(project.run_on(&bench, &ALL).ends(0).stdout, said.stdout);
    let mut job = objects(&rendered.stdout).remove(0);
    job["spec"]["suspend"] = json!(true);
    kubectl_with(&bench, &["apply", "-f", "-"], &job.to_string()).ends(0);
    assert_eq!(project.run_on(&bench, &ALL).ends(0).stdout, said.stdout);
    assert_eq!(bench.job_names().await.len(), 1);
    // One value alone, by its place.
    let one = ["explain-config", "etl/load", memory, "--image", "i", "--all", "--no-headers"];
    let row = project.run_on(&bench, &one).ends(0).stdout;
    assert!(
        row.contains("777Mi") && row.contains("api-default") && row.lines().count() == 1,
        "{row}"
    );
    // Without --all nobody is asked.
    let plain = ["explain-config", "etl/load", "--image", "i"];
    assert!(!project.run_on(&bench, &plain).ends(0).stdout.contains("api-default"));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_copied_from_the_servers_pod_stays() {
    let Some(bench) = Bench::new("token").await else { return };
    let project = project();
    apply(&bench, &[server("mage-0", "mageai", &json!({}))]).await;
    ready(&bench, &["mage-0"]);
    let all = values(&project.run_on(&bench, &ALL).ends(0));
    let of_pod = |path: &str| path.contains(".volumes[") || path.contains(".volumeMounts[");
    let leaves: Vec<_> = all.iter().filter(|(path, _)| of_pod(path)).collect();
    let is_token =
        |value: &Value| value.as_str().is_some_and(|name| name.starts_with("kube-api-access-"));
    assert_eq!(leaves.iter().filter(|(_, leaf)| is_token(&leaf["value"])).count(), 2, "{leaves:?}");
    for (path, leaf) in leaves {
        assert_eq!(leaf["layer"], "server-pod", "{path}");
        assert!(!leaf["value"].is_null(), "{path}");
    }
    bench.end().await;
}

/// A policy that changes Jobs stands for every mutating webhook.
#[tokio::test(flavor = "multi_thread")]
async fn what_admission_changes_is_the_servers_and_ours_is_told() {
    let Some(bench) = Bench::new("mutated").await else { return };
    let project = Project::new(&[
        ("metadata.yaml", "k8s_executor_config:\n  job: {ttlSecondsAfterFinished: 60}\n"),
        (
            "pipelines/etl/metadata.yaml",
            "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n",
        ),
    ]);
    let name = &bench.namespace;
    let version = ["v1", "v1beta1", "v1alpha1"]
        .map(|version| format!("admissionregistration.k8s.io/{version}"))
        .into_iter()
        .find(|version| {
            let group = kubectl(&bench, &["get", "--raw", &format!("/apis/{version}")]).output();
            String::from_utf8_lossy(&group.unwrap().stdout).contains("mutatingadmissionpolicies")
        });
    let Some(version) = version else {
        eprintln!("skipped: the API server has no MutatingAdmissionPolicy");
        bench.end().await;
        return;
    };
    let policy = json!({
        "apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "reinvocationPolicy": "Never",
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}]},
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {
                "expression": "Object{spec: Object.spec{ttlSecondsAfterFinished: 3600}}"}}],
        },
    });
    let binding = json!({
        "apiVersion": version, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}},
    });
    apply(&bench, &[policy, binding]).await;
    let path = ".spec.ttlSecondsAfterFinished";
    until("the policy", || async {
        values(&project.run_on(&bench, &ALL).ends(0))[path]["value"] == 3600
    })
    .await;
    let all = values(&project.run_on(&bench, &ALL).ends(0));
    let told = &all[path];
    assert_eq!((&told["layer"], &told["source"]["kind"]), (&json!("api-default"), &json!("api")));
    assert_eq!(told["rule"], "the API server changes it on the way in");
    assert_eq!(told["overridden"][0]["value"], 60);
    assert_eq!(told["overridden"][0]["layer"], "project");
    assert_eq!(told["overridden"][0]["source"]["file"], "metadata.yaml");
    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        kubectl(&bench, &["delete", kind, name]).output().unwrap();
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_or_a_cluster_it_goes_on_and_says_so() {
    let Some(bench) = Bench::new("no-defaults").await else { return };
    let project = project();
    let offline = project.run_offline(&ALL).ends(0);
    assert!(values(&offline).values().all(|value| value["layer"] != "api-default"));
    offline.says(&["without the API server's defaults: no cluster is asked"]);
    let said = project.run_on(&bench, &["snapshot"]).ends(0);
    project.write("snap.json", &said.stdout);
    let by_file = [&ALL[..], &["--snapshot", "snap.json"]].concat();
    project
        .run_offline(&by_file)
        .ends(0)
        .says(&["without the API server's defaults: a snapshot has none"]);
    if bench.as_context("nobody").await.is_some() {
        let name = &bench.namespace;
        let jobs = format!("may not create jobs in namespace {name}");
        project
            .run_on(&bench, &[&ALL[..], &["--context", "nobody"]].concat())
            .ends(0)
            .says(&[&jobs]);
        // Whoever may create Jobs and no pods sees the defaults of the Job.
        let pods = format!(
            "without what admission gives to its pods: may not create pods in namespace {name}"
        );
        let said = project.run_on(&bench, &[&ALL[..], &["--context", "chart"]].concat()).ends(0);
        assert!(values(&said).contains_key(".spec.completionMode"));
        said.says(&[&pods]);
    }
    bench.end().await;
}
