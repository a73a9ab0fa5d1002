//! What the API server, or something before it, answers instead of what was asked for.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use http::Method;
use kubectl_mage::cluster::{Cluster, ConnectionFlags};
use kubectl_mage::exit::Exit;
use kubectl_mage::run::{Options, RunState};
use tempfile::TempDir;

use crate::apply::project as one_block;
use crate::cli_run::signal;
use crate::http_proxy::{Fault, HttpProxy};
use crate::support::{Bench, logged, notices, start, until};
use crate::tail::{begin_in, ended, until_said};

const EXPIRED: &str = r#"{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old resource version: 1 (2)", "reason": "Expired", "code": 410}}
"#;
const GONE: &str = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410}"#;
const BROKEN: &str = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "etcdserver: leader changed", "reason": "InternalError", "code": 500}"#;
/// What a kubelet says in the place of a log, with code 200.
const NO_LOG: &str = "unable to retrieve container logs for containerd://0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_pass_are_waited_out_and_no_job_is_made_twice() {
    let Some(bench) = Bench::new("refusals").await else { return };
    let proxy = HttpProxy::start(bench.cluster.client().clone()).await;
    let cluster = bench.through(&proxy.url).await;
    let (get, post) = (Method::GET, Method::POST);
    // Lists and watches: an expiry as status and as event, a server that is busy, one that is broken.
    proxy.rule(get.clone(), &["/jobs?", "watch"], 1, Fault::Answer(410, GONE));
    proxy.rule(get.clone(), &["/pods?", "watch"], 1, Fault::Answer(200, EXPIRED));
    proxy.rule(get.clone(), &["/jobs?", "watch"], 1, Fault::Answer(200, EXPIRED));
    proxy.rule(get.clone(), &["/pods?", "watch"], 1, Fault::Busy(429, 1));
    proxy.rule(get.clone(), &["/jobs?"], 1, Fault::Answer(500, BROKEN));
    // Jobs: refused for the moment, and created with the answer lost.
    proxy.rule(post.clone(), &["/jobs"], 1, Fault::Busy(429, 1));
    proxy.rule(post.clone(), &["/jobs"], 1, Fault::LoseAnswer);
    proxy.rule(post.clone(), &["/jobs"], 1, Fault::Answer(500, BROKEN));
    proxy.rule(post, &["/jobs"], 1, Fault::LoseAnswer);
    // Logs: a kubelet that has none, one that is busy, one that cannot be reached.
    proxy.rule(get.clone(), &["/log?"], 1, Fault::Answer(200, NO_LOG));
    proxy.rule(get.clone(), &["/log?"], 1, Fault::Busy(429, 1));
    proxy.rule(get, &["/log?"], 1, Fault::Answer(502, BROKEN));
    let talk: &[(&str, &str)] = &[("STANDIN_LINES", "30"), ("STANDIN_SLEEP", "3")];
    let (plan, run) = bench.plan(&[
        ("a", &[], talk),
        ("b", &["a"], talk),
        ("c", &["a"], talk),
        ("d", &["b", "c"], talk),
    ]);
    let (outcome, events) = start(&cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}\n{:#?}", notices(&events));
    for block in ["a", "b", "c", "d"] {
        let expected: Vec<String> = (1..=30).map(|n| format!("line {n} of 30")).collect();
        let mut found = logged(&events, block);
        found.retain(|line| line.starts_with("line ") || line.contains("unable to"));
        assert_eq!(found, expected, "{block}");
    }
    if let Some(posts) = bench.posts() {
        assert_eq!(posts.len(), 4, "{posts:#?}");
    }
    assert!(proxy.unused().is_empty(), "{:#?}", proxy.unused());
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_to_wait_is_taken_from_header_or_status() {
    let Some(bench) = Bench::new("wait").await else { return };
    let proxy = HttpProxy::start(bench.cluster.client().clone()).await;
    let cluster = bench.through(&proxy.url).await;
    proxy.rule(Method::GET, &["/jobs"], 1, Fault::Busy(429, 7));
    proxy.rule(Method::GET, &["/jobs"], 1, Fault::Busy(503, 9));
    for (code, seconds) in [(429, 7), (503, 9)] {
        let error = cluster.list_jobs(Some(&bench.namespace), "a=b").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
        assert!(error.is_transient());
        assert!(error.to_string().contains(&format!("the API server answered {code}")), "{error}");
    }
    bench.end().await;
}

/// Half a contact is none: what cannot be seen of pods would be taken for a pod that never starts.
#[tokio::test(flavor = "multi_thread")]
async fn contact_is_lost_where_pods_cannot_be_watched_and_jobs_can() {
    let Some(bench) = Bench::new("half").await else { return };
    let proxy = HttpProxy::start(bench.cluster.client().clone()).await;
    let cluster = bench.through(&proxy.url).await;
    proxy.rule(Method::GET, &["/pods?"], usize::MAX, Fault::Answer(500, BROKEN));
    let (plan, run) = bench.plan(&[("a", &[], &[("STANDIN_SLEEP", "600")])]);
    let options = Options { contact_timeout: Duration::from_secs(5), ..Options::default() };
    let (outcome, events) = start(&cluster, plan, run, options).end().await;
    assert_eq!(outcome.state, RunState::ContactLost, "{:#?}", notices(&events));
    assert!(notices(&events).iter().any(|text| text.contains("leader changed")));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_says_that_half_of_the_contact_is_lost_and_that_it_is_back() {
    let Some(bench) = Bench::new("half-waits").await else { return };
    let proxy = HttpProxy::start(bench.cluster.client().clone()).await;
    let project = one_block("container: {env: [{name: STANDIN_SLEEP, value: \"600\"}]}");
    for verb in [&["apply", "--wait", "--server-pod=none"][..], &["tail"]] {
        proxy.rule(Method::GET, &["/pods?"], usize::MAX, Fault::Answer(500, BROKEN));
        let arguments = [verb, &["etl/load", "--server", &proxy.url]].concat();
        let mut child = begin_in(&project, &bench, &arguments);
        let told = until_said(&mut child, "contact lost, trying again: ");
        proxy.relent();
        assert!(told.lines().any(|line| line.unwrap().contains("contact is back")));
        signal(&child, "-INT");
        ended(child).await.ends(130);
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_no_watch_told_of_is_found() {
    let Some(bench) = Bench::new("missed").await else { return };
    let proxy = HttpProxy::start(bench.cluster.client().clone()).await;
    let cluster = bench.through(&proxy.url).await;
    proxy.rule(Method::GET, &["/jobs?", "watch"], 1, Fault::DropLines("\"Complete\""));
    let (plan, run) = bench.plan(&[("a", &[], &[]), ("b", &["a"], &[])]);
    let (outcome, _) = start(&cluster, plan, run, Options::default()).end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}");
    bench.end().await;
}

/// Writes a kubeconfig whose user has an exec plugin: it gives the token in the file `token`, which
/// it says is good for an hour, and adds a line to the file `calls`.
fn with_plugin(folder: &std::path::Path, server: &str) -> std::path::PathBuf {
    let plugin = folder.join("plugin");
    let script = format!(
        "#!/bin/sh\ncd {}\necho called >>calls\ntoken=$(cat token) || exit 1\nprintf '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {{\"token\": \"%s\", \"expirationTimestamp\": \"2099-01-01T00:00:00Z\"}}}}' \"$token\"\n",
        folder.display()
    );
    std::fs::write(&plugin, script).unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    let kubeconfig = folder.join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster: {{server: \"{server}\", certificate-authority: \"{}\"}}\ncontexts:\n- name: c\n  context: {{cluster: c, user: u}}\nusers:\n- name: u\n  user:\n    exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: Never}}\n",
        crate::kubeconfigs::fixture("ca.crt").display(),
        plugin.display()
    );
    std::fs::write(&kubeconfig, text).unwrap();
    kubeconfig
}

/// A cluster that is reached by whoever has the token that the plugin gives, `first`.
async fn with_tokens(bench: &Bench) -> (HttpProxy, TempDir, Cluster) {
    let proxy = HttpProxy::start_secured(bench.cluster.client().clone()).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "first").unwrap();
    proxy.accept("first");
    let flags = ConnectionFlags {
        kubeconfig: Some(with_plugin(folder.path(), &proxy.url)),
        namespace: Some(bench.namespace.clone()),
        ..ConnectionFlags::default()
    };
    let cluster = Cluster::connect(&flags).await.unwrap();
    (proxy, folder, cluster)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_longer_accepted_is_got_anew() {
    let Some(bench) = Bench::new("token").await else { return };
    let (proxy, folder, cluster) = with_tokens(&bench).await;
    let work: &[(&str, &str)] = &[("STANDIN_SLEEP", "3")];
    let (plan, run) = bench.plan(&[("a", &[], work), ("b", &["a"], work), ("c", &["a"], work)]);
    let going = start(&cluster, plan, run, Options::default());
    until("the first Job", async || !bench.job_names().await.is_empty()).await;
    std::fs::write(folder.path().join("token"), "second").unwrap();
    proxy.accept("second");
    let (outcome, events) = going.end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}\n{:#?}", notices(&events));
    assert!(
        notices(&events).iter().all(|text| !text.contains("contact")),
        "{:#?}",
        notices(&events)
    );
    assert!(proxy.refused() > 0);
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls, "called\ncalled\n");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_new_token_contact_is_lost_and_the_run_goes_on() {
    // The plugin gives what is no longer accepted, or fails.
    for (token, said) in
        [(Some("first"), "does not accept the credentials"), (None, "the exec plugin /")]
    {
        let Some(bench) = Bench::new("stale").await else { return };
        let (proxy, folder, cluster) = with_tokens(&bench).await;
        let work: &[(&str, &str)] = &[("STANDIN_SLEEP", "3")];
        let (plan, run) = bench.plan(&[("a", &[], work), ("b", &["a"], work)]);
        let options = Options { contact_timeout: Duration::from_secs(5), ..Options::default() };
        let going = start(&cluster, plan, run, options);
        until("the first Job", async || !bench.job_names().await.is_empty()).await;
        proxy.accept("second");
        if token.is_none() {
            std::fs::remove_file(folder.path().join("token")).unwrap();
        }
        let (outcome, events) = going.end().await;
        assert_eq!(outcome.exit, Exit::Cluster, "{outcome:#?}");
        assert_eq!(outcome.state, RunState::ContactLost, "{:#?}", notices(&events));
        assert!(notices(&events).iter().any(|text| text.contains(said)), "{:#?}", notices(&events));
        assert_eq!(bench.job_names().await.len(), 1);
        bench.end().await;
    }
}
