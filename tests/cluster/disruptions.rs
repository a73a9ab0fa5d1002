//! What takes pods away that runs well, and what lets none come: preemption and the loss of a node, on
//! virtual nodes, and an admission webhook.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use kubectl_mage::exit::Exit;
use kubectl_mage::run::{EventKind, Options, Plan, RunEvent, Signal};
use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl, kubectl_with};
use crate::local_program::LocalProgram;
use crate::support::{Bench, start, states, until, until_within};

/// Puts the pods of a plan on the virtual nodes of the bench, where each fills one.
fn on_virtual_node(bench: &Bench, plan: &mut Plan) {
    for block in &mut plan.blocks {
        let spec = &mut block.job["spec"]["template"]["spec"];
        spec["nodeSelector"] = json!({"local-cluster/virtual": bench.namespace});
        spec["tolerations"] = json!([
            {"key": "local-cluster/virtual", "operator": "Exists"},
            // A lost node is waited for no longer than the cluster needs to notice.
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0},
        ]);
        spec["containers"][0]["resources"] = json!({"requests": {"cpu": "600m"}});
    }
}

fn make(bench: &Bench, object: &Value) {
    kubectl_with(bench, &["-n", &bench.namespace, "create", "-f", "-"], &object.to_string())
        .ends(0);
}

fn remove(bench: &Bench, objects: &[&str]) {
    let mut command = kubectl(bench, &["-n", &bench.namespace, "delete", "--wait=false"]);
    Said::new(command.args(objects).output().unwrap()).ends(0);
}

/// Returns what was told of blocks and pods.
fn told(events: &[RunEvent]) -> Vec<&str> {
    let told =
        events.iter().filter(|event| !matches!(event.kind, EventKind::Log(_) | EventKind::Notice));
    told.filter_map(|event| event.message.as_deref()).collect()
}

async fn until_running(bench: &Bench) {
    let running = async || {
        let said = kubectl(bench, &["-n", &bench.namespace, "get", "pods"]).output().unwrap();
        Said::new(said).stdout.contains("Running")
    };
    until("a running pod", running).await;
}

/// Waits until `why RUN` says all of this.
async fn why(bench: &Bench, run: &str, texts: &[&str]) {
    let project = Project::new(&[]);
    let said = async || {
        let said = project.run_on(bench, &["why", run]);
        texts.iter().all(|text| said.stdout.contains(text))
    };
    until_within(120, &format!("{texts:?}"), said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preempted_block_is_told_as_such_and_tried_again() {
    let Some(bench) = Bench::new("preempt").await else { return };
    let Some(_node) = LocalProgram::node(&bench) else { return };
    let (mut plan, run) = bench.plan(&[("a", &[], &[("STANDIN_SLEEP", "8")])]);
    on_virtual_node(&bench, &mut plan);
    let mut pod = plan.blocks[0].job["spec"]["template"]["spec"].clone();
    let options = Options { retries: 1, ..Options::default() };
    let going = start(&bench.cluster, plan, run.clone(), options);
    until_running(&bench).await;
    let class = format!("high-{}", bench.namespace);
    make(
        &bench,
        &json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": class}, "value": 1000}),
    );
    pod["priorityClassName"] = class.as_str().into();
    make(
        &bench,
        &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "important"}, "spec": pod}),
    );
    why(&bench, run.as_str(), &["was preempted by a pod of higher priority"]).await;
    remove(&bench, &["pod/important"]);
    remove(&bench, &[&format!("priorityclass/{class}")]);
    let (outcome, events) = going.end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}");
    let told = told(&events);
    assert!(
        told.iter().any(|text| text.contains("preempted by a pod of higher priority")),
        "{told:#?}"
    );
    assert_eq!(bench.job_names().await.len(), 2);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_node_is_told_and_the_block_is_tried_again_when_it_is_given_up() {
    let Some(bench) = Bench::new("node-lost").await else { return };
    let Some(mut node) = LocalProgram::node(&bench) else { return };
    let (mut plan, run) = bench.plan(&[("a", &[], &[("STANDIN_SLEEP", "100")])]);
    on_virtual_node(&bench, &mut plan);
    let options = Options { retries: 1, ..Options::default() };
    let going = start(&bench.cluster, plan, run.clone(), options);
    until_running(&bench).await;
    node.kill();
    why(&bench, run.as_str(), &["lost its node"]).await;
    // Somebody says that the node does not come back.
    remove(&bench, &[&format!("node/{}-0", bench.namespace)]);
    until_within(120, "the second attempt", async || bench.job_names().await.len() == 2).await;
    let _ = going.signals.send(Signal::Terminate);
    let (outcome, events) = going.end().await;
    assert_eq!(outcome.exit, Exit::Terminated, "{:?}", states(&outcome));
    let told = told(&events);
    assert!(told.iter().any(|text| text.contains("lost its node")), "{told:#?}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_denies_a_pod_is_quoted() {
    let Some(bench) = Bench::new("webhook").await else { return };
    let message = "every pod needs an owner";
    let Some(webhook) = LocalProgram::start(&bench, &["deny", "--message", message]) else {
        return;
    };
    let name = format!("{}.example.com", bench.namespace);
    let authority = std::fs::read(bench.kubeconfig.with_file_name("tls").join("ca.crt")).unwrap();
    make(
        &bench,
        &json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": name,
                "clientConfig": {"url": webhook.said, "caBundle": base64_of(&authority)},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": bench.namespace}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        }),
    );
    let (plan, run) = bench.plan(&[("a", &[], &[])]);
    let options =
        Options { pending_timeout: std::time::Duration::from_secs(20), ..Options::default() };
    let going = start(&bench.cluster, plan, run.clone(), options);
    why(&bench, run.as_str(), &[&format!("admission webhook {name} denies the pod: {message}")])
        .await;
    let (outcome, _) = going.end().await;
    remove(&bench, &[&format!("validatingwebhookconfiguration/{name}")]);
    assert_eq!(outcome.exit, Exit::CouldNotStart, "{outcome:#?}");
    let cause = outcome.blocks[0].cause.as_ref().unwrap();
    assert!(cause.sentence.contains(message), "{cause:?}");
    bench.end().await;
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
