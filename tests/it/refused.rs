//! What the API server refuses, value by value: held against `config::check` here, and against a real
//! API server in `tests/cluster`.

use kubectl_mage::config::{LayerKind, Origin, Source, check};
use kubectl_mage::merge::{Content, Tree};
use serde_json::{Value as Json, json};

/// Returns what the API server would have against a Job sent to a namespace, by `config::check`.
pub(crate) fn refused(job: &Json, namespace: &str) -> Vec<String> {
    check::job_refusals(&tree(job), namespace).into_iter().map(|refusal| refusal.message).collect()
}

fn tree(value: &Json) -> Tree {
    let content = match value {
        Json::Object(map) => Content::Map(
            map.iter().map(|(key, value)| (key.as_str().into(), tree(value))).collect(),
        ),
        Json::Array(items) => {
            Content::List { items: items.iter().map(tree).collect(), closed: false }
        }
        scalar => Content::Leaf(scalar.clone()),
    };
    Tree::new(content, Origin::new(LayerKind::Block, Source::BuiltIn, ""))
}

/// A Job that is accepted, but for a value at a JSON pointer; and whether it then is.
pub(crate) struct Trial {
    pub(crate) name: String,
    pub(crate) job: Json,
    pub(crate) accepted: bool,
}

fn base() -> Json {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "mage-data-prep-block-7"},
        "spec": {"template": {"metadata": {}, "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "emptyDir": {}}],
        }}},
    })
}

/// Makes the values on the way to a place, and puts one there.
fn put(job: &mut Json, path: &str, value: Json) {
    let mut place = job;
    for key in path.split('/') {
        place = match key.parse::<usize>() {
            Ok(index) => {
                if place.is_null() {
                    *place = json!([]);
                }
                let items = place.as_array_mut().expect("a list");
                while items.len() <= index {
                    items.push(Json::Null);
                }
                &mut items[index]
            }
            Err(_) => &mut place[key.replace("~1", "/")],
        };
    }
    *place = value;
}

const POD: &str = "spec/template/spec";
const CONTAINER: &str = "spec/template/spec/containers/0";

/// Values that only the API server catches, and their neighbours that it takes.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn trials() -> Vec<Trial> {
    let long = "x".repeat(64);
    let rows: Vec<(&str, &str, Json, bool)> = vec![
        ("", "metadata/name", json!("a.b"), true),
        ("", "metadata/name", json!("a--b"), true),
        ("", "metadata/name", json!("a_b"), false),
        ("", "metadata/name", json!("a-"), false),
        ("", "metadata/name", json!(&long[..63]), true),
        ("", "metadata/name", json!(long), false),
        ("", "metadata/labels", json!({"a.b/c": "x_y"}), true),
        ("", "metadata/labels", json!({"a b": "x"}), false),
        ("", "metadata/labels", json!({"-a": "x"}), false),
        ("", "metadata/labels", json!({"a/b/c": "x"}), false),
        ("", "metadata/labels", json!({"a": "x y"}), false),
        ("", "metadata/labels", json!({"a": long}), false),
        ("", "metadata/labels", json!({"a": 1}), false),
        ("", "metadata/labels", json!({"a": null}), true),
        ("", "metadata/annotations", json!({"A.B/c": "any text"}), true),
        ("", "metadata/annotations", json!({"a b": ""}), false),
        ("", "metadata/annotations", json!({"a": "x".repeat(300_000)}), false),
        ("", "metadata/finalizers", json!(["a.b/c"]), true),
        ("", "metadata/finalizers", json!(["x"]), false),
        ("", "metadata/bogus", json!("x"), false),
        ("", "spec/backoffLimit", json!(0), true),
        ("", "spec/backoffLimit", json!(-1), false),
        ("", "spec/backoffLimit", json!("3"), false),
        ("", "spec/backoffLimit", json!(3_000_000_000_i64), false),
        ("", "spec/activeDeadlineSeconds", json!(3_000_000_000_i64), true),
        ("", "spec/activeDeadlineSeconds", json!(-1), false),
        ("", "spec/ttlSecondsAfterFinished", json!(0), true),
        ("", "spec/ttlSecondsAfterFinished", json!(-1), false),
        ("", "spec/ttlSecondsAfterFinished", json!(1.5), false),
        ("", "spec/parallelism", json!(-1), false),
        ("", "spec/selector", json!({"matchLabels": {"a": "b"}}), false),
        ("", "spec/completionMode", json!("Indexed"), true),
        (POD, "restartPolicy", json!("OnFailure"), true),
        (POD, "restartPolicy", json!("Always"), false),
        (POD, "dnsPolicy", json!("Default"), true),
        (POD, "dnsPolicy", json!("default"), false),
        (POD, "serviceAccountName", json!("a.b"), true),
        (POD, "serviceAccountName", json!("A"), false),
        (POD, "schedulerName", json!("any thing"), true),
        (POD, "priorityClassName", json!("a b"), false),
        (POD, "nodeSelector", json!({"a": ""}), true),
        (POD, "nodeSelector", json!({"a": "x y"}), false),
        (POD, "nodeSelector", json!({"a": true}), false),
        (POD, "imagePullSecrets", json!({"name": "x"}), false),
        (POD, "imagePullSecrets", json!([{"name": "any thing"}]), true),
        (POD, "tolerations", json!([{"operator": "Exists"}, {"operator": "Exists"}]), true),
        (POD, "tolerations", json!([{"key": "a", "operator": "exists"}]), false),
        (POD, "tolerations", json!([{"key": "a", "operator": "Exists", "value": "x"}]), false),
        (POD, "tolerations", json!([{"key": "a", "effect": "Never"}]), false),
        (POD, "tolerations", json!([{"key": "a", "tolerationSeconds": 1}]), false),
        (POD, "tolerations", json!([{}]), false),
        (POD, "volumes/1", json!({"name": "v", "emptyDir": {}}), false),
        (POD, "volumes/0", json!({"name": "V", "emptyDir": {}}), false),
        (POD, "volumes/0", json!({"name": "v"}), true),
        (
            POD,
            "volumes/0",
            json!({"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}),
            false,
        ),
        (POD, "volumes/0", json!({"name": "v", "secret": {}}), false),
        (
            POD,
            "volumes/0",
            json!({"name": "v", "secret": {"secretName": "s", "defaultMode": 511}}),
            true,
        ),
        (
            POD,
            "volumes/0",
            json!({"name": "v", "secret": {"secretName": "s", "defaultMode": 512}}),
            false,
        ),
        (
            POD,
            "volumes/0",
            json!({"name": "v", "persistentVolumeClaim": {"claim_name": "s"}}),
            false,
        ),
        (POD, "volumes/0", json!({"name": "v", "hostPath": {"path": "/a/../b"}}), false),
        (POD, "volumes/0", json!({"name": "v", "hostPath": {"path": "/a", "type": "Nope"}}), false),
        (POD, "volumes/0", json!({"name": "v", "emptyDir": {"sizeLimit": "-1"}}), false),
        (
            POD,
            "affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
            json!({"nodeSelectorTerms": []}),
            false,
        ),
        (
            POD,
            "affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
            json!({"nodeSelectorTerms": [{}]}),
            true,
        ),
        (
            POD,
            "affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution",
            json!([{"weight": 101, "preference": {}}]),
            false,
        ),
        (
            POD,
            "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution",
            json!([{"topologyKey": ""}]),
            false,
        ),
        (
            POD,
            "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution",
            json!([{"topologyKey": "zone"}]),
            true,
        ),
        (CONTAINER, "name", json!("C"), false),
        (CONTAINER, "image", json!(""), false),
        (CONTAINER, "image", json!("a b "), true),
        (CONTAINER, "imagePullPolicy", json!(""), true),
        (CONTAINER, "imagePullPolicy", json!("always"), false),
        (CONTAINER, "env", json!([{"name": "a b.c-1"}]), true),
        (CONTAINER, "env", json!([{"name": "A=B"}]), false),
        (CONTAINER, "env", json!([{"name": "größe"}]), false),
        (CONTAINER, "env", json!([{"name": ""}]), false),
        (CONTAINER, "env", json!([{"name": "A", "value": 1}]), false),
        (CONTAINER, "env", json!([{"name": "A"}, {"name": "A"}]), true),
        (CONTAINER, "env", json!([{"name": "A", "valueFrom": {}}]), false),
        (
            CONTAINER,
            "env",
            json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}}]),
            true,
        ),
        (
            CONTAINER,
            "env",
            json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodename"}}}]),
            false,
        ),
        (
            CONTAINER,
            "env",
            json!([{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
            false,
        ),
        (
            CONTAINER,
            "env",
            json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "S_1", "key": "k"}}}]),
            false,
        ),
        (CONTAINER, "envFrom", json!([{"prefix": "a"}]), false),
        (CONTAINER, "ports", json!([{"containerPort": 65535}]), true),
        (CONTAINER, "ports", json!([{"containerPort": 0}]), false),
        (CONTAINER, "ports", json!([{"containerPort": 70000}]), false),
        (CONTAINER, "ports", json!([{"containerPort": 80, "name": "1-2"}]), false),
        (CONTAINER, "ports", json!([{"containerPort": 80, "protocol": "tcp"}]), false),
        (CONTAINER, "volumeMounts", json!([{"name": "v", "mountPath": "rel:x"}]), true),
        (
            CONTAINER,
            "volumeMounts",
            json!([{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}]),
            false,
        ),
        (CONTAINER, "volumeMounts", json!([{"name": "w", "mountPath": "/a"}]), false),
        (
            CONTAINER,
            "volumeMounts",
            json!([{"name": "v", "mountPath": "/a", "subPath": "../x"}]),
            false,
        ),
        (CONTAINER, "resources", json!({"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}), false),
        (
            CONTAINER,
            "resources",
            json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}}),
            true,
        ),
        (CONTAINER, "resources", json!({"limits": {"cpu": "-1"}}), false),
        (CONTAINER, "resources", json!({"limits": {"cpu": "1 core"}}), false),
        (CONTAINER, "resources", json!({"limits": {"gpu": "1"}}), false),
        (CONTAINER, "resources", json!({"limits": {"nvidia.com/gpu": "0.5"}}), false),
        (CONTAINER, "resources", json!({"requests": {"nvidia.com/gpu": 1}}), false),
        (CONTAINER, "resources", json!({"limits": {"hugepages-2Mi": "2Mi"}}), false),
        (CONTAINER, "securityContext/runAsUser", json!(2_147_483_647_i64), true),
        (CONTAINER, "securityContext/runAsUser", json!(2_147_483_648_i64), false),
        (CONTAINER, "securityContext/runAsUser", json!(-1), false),
        (CONTAINER, "lifecycle/preStop", json!({}), false),
        (CONTAINER, "terminationMessagePolicy", json!("X"), false),
    ];
    rows.into_iter()
        .map(|(part, path, value, accepted)| {
            let path = if part.is_empty() { path.to_owned() } else { format!("{part}/{path}") };
            let mut shown = value.to_string();
            shown.truncate(80);
            let mut job = base();
            put(&mut job, &path, value);
            Trial { name: format!("{path} = {shown}"), job, accepted }
        })
        .collect()
}

#[test]
fn the_model_knows_what_the_api_server_refuses() {
    for trial in trials() {
        let found = refused(&trial.job, "default");
        assert_eq!(found.is_empty(), trial.accepted, "{}: {found:?}", trial.name);
    }
}
