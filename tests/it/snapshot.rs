//! `--snapshot`: a file that stands for the cluster.

use serde_json::{Value, json};

use crate::support::{Said, TempProject, run, small_project};

/// Returns a snapshot of a small cluster.
fn snapshot() -> Value {
    json!({
        "apiVersion": "kubectl-mage/v1",
        "kind": "Snapshot",
        "context": {"namespace": "of-the-snapshot"},
        "serverPod": {
            "namespaces": ["jobs"],
            "pod": {
                "metadata": {"name": "mage-1", "namespace": "jobs"},
                "spec": {"containers": [{"name": "mage", "image": "mageai/mageai:0.9.80",
                    "env": [{"name": "A", "value": "1"}]}]},
                "status": {"startTime": "2026-01-01T00:00:00Z"}
            },
            "chosenAs": "newest ready server",
            "passedOver": [{"name": "mage-0", "state": "ready"}],
            "refused": [],
            "containerName": null,
            "container": "mage",
            "variables": [],
            "files": [],
            "masked": []
        },
        "serverVersion": "v1.33.0",
        "existingNamespaces": null,
        "nodes": null,
        "priorityClasses": null,
        "runtimeClasses": null,
        "storageClasses": null,
        "namespaces": {},
        "unreadable": []
    })
}

fn with(project: &TempProject, snapshot: &str, flags: &[&str]) -> Said {
    project.write("snap.json", snapshot);
    let file = format!("{}/snap.json", project.path());
    run(&[flags, &["--project", project.path(), "--snapshot", &file]].concat())
}

#[test]
fn it_stands_for_the_cluster() {
    let project = small_project();
    let said = with(&project, &snapshot().to_string(), &["render", "etl/load"]);
    for text in [
        "snap.json stands for the cluster",
        "server pod mage-1 in namespace jobs, container mage: Jobs inherit from it (the newest ready server; 1 passed over: mage-0 (ready))",
        "edition oss: the server pod runs mageai/mageai:0.9.80",
    ] {
        assert!(said.stderr.contains(text), "{text}\n{}", said.stderr);
    }
    assert!(said.ok().contains("- name: A"));
}

#[test]
fn its_context_counts_and_not_that_of_the_kubeconfig() {
    let project = small_project();
    project.write(
        "kubeconfig",
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: elsewhere}}]\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {}}]\n",
    );
    let mut value = snapshot();
    value["serverPod"]["pod"] = Value::Null;
    let kubeconfig = format!("{}/kubeconfig", project.path());
    let said =
        with(&project, &value.to_string(), &["render", "etl/load", "--kubeconfig", &kubeconfig]);
    assert!(said.stderr.contains("no Mage server pod in namespace jobs"), "{}", said.stderr);
    assert!(said.ok().contains("namespace: of-the-snapshot"));
}

#[test]
fn the_server_pod_may_be_left_out_and_must_not_be_another() {
    let project = small_project();
    let text = snapshot().to_string();
    let none = with(&project, &text, &["render", "etl/load", "--server-pod", "none"]).ok();
    assert!(!none.contains("- name: A"), "{none}");
    for name in ["mage-1", "jobs/mage-1"] {
        with(&project, &text, &["render", "etl/load", "--server-pod", name]).ok();
    }
    let said =
        with(&project, &text, &["render", "etl/load", "--server-pod", "other/mage-1"]).fails(2);
    assert!(said.contains("which has pod/mage-1 in namespace jobs"), "{said}");
    assert!(
        said.contains("hint: write one with `kubectl mage snapshot --server-pod other/mage-1`")
    );
}

#[test]
fn a_broken_one_is_refused_with_its_place() {
    let project = small_project();
    let good = serde_json::to_string_pretty(&snapshot()).expect("JSON");
    for (from, to, place, message) in [
        ("kubectl-mage/v1", "kubectl-mage/v2", ":2:", "is a snapshot of version kubectl-mage/v2"),
        ("\"kind\": \"Snapshot\"", "\"kind\": \"List\"", ":3:", "is no snapshot: it is List"),
        ("\"context\": {", "\"contexts\": {", ":4:", "unknown field `contexts`"),
        ("\"refused\": []", "\"refused\": 7", ":41:16", "invalid type: integer `7`"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        let said = with(&project, &text, &["render", "etl/load"]).fails(2);
        assert!(said.contains(message) && said.contains(place), "{said}");
        assert!(said.contains("hint: write it anew with `kubectl mage snapshot > FILE`"), "{said}");
    }
    let said = with(&project, "", &["render", "etl/load"]).fails(2);
    assert!(said.contains("is no snapshot"), "{said}");
    let missing = ["render", "etl/load", "--project", project.path(), "--snapshot", "/no/such"];
    assert!(run(&missing).fails(2).contains("cannot read /no/such: no such file"));
}

#[test]
fn another_container_than_the_one_followed_is_not_followed() {
    let project = small_project();
    let mut value = snapshot();
    let spec = &mut value["serverPod"]["pod"]["spec"];
    let second = json!({"name": "second", "image": "r.io/mage:2", "env": [
        {"name": "MAGE_CLUSTER_UUID", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
    ]});
    spec["containers"].as_array_mut().expect("a list").push(second);
    let flags = ["render", "etl/load", "--server-env", "MAGE_CONTAINER_NAME=second"];
    let said = with(&project, &value.to_string(), &flags);
    assert!(said.stderr.contains("container second: Jobs inherit from it"), "{}", said.stderr);
    let unknown =
        "MAGE_CLUSTER_UUID of the server pod comes from configmap/c:k, which is not known";
    assert!(said.stderr.contains(unknown), "{}", said.stderr);
    said.ok();
}
