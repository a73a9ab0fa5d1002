//! What a cluster says, on a terminal: names, messages of the API, last words of containers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;

use regex::Regex;
use serde_json::{Value, json};

use crate::support::{Said, run};

/// Clears the screen, sets the title, moves the cursor, rings, and reorders what follows.
const HARM: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}1;1H\u{8}\u{202e}";

/// An API server that answers by path.
fn serve(answer: impl Fn(&str) -> Value + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let Ok(copy) = stream.try_clone() else { continue };
            let (mut request, mut line) = (BufReader::new(copy), String::new());
            let _ = request.read_line(&mut line);
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            while line.len() > 2 {
                line.clear();
                if request.read_line(&mut line).is_err() {
                    break;
                }
            }
            let answer = answer(&path);
            let code = answer["code"].as_u64().unwrap_or(200);
            let body = answer.to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 {code} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

fn harmful(path: &str) -> Value {
    let metadata = |name: &str| {
        json!({
            "name": format!("{name}{HARM}"), "namespace": "data", "uid": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": "etl-bcdfgh",
                "kubectl-mage/pipeline": "etl", "kubectl-mage/block": "load", "kubectl-mage/attempt": "1",
                "job-name": "x", "batch.kubernetes.io/job-name": "x", "controller-uid": "1",
                "batch.kubernetes.io/controller-uid": "1"},
            "annotations": {"kubectl-mage/pipeline": format!("etl{HARM}"), "kubectl-mage/block": format!("load{HARM}")},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "1", "controller": true}],
        })
    };
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("x"), "spec": {"template": {"spec": {"containers": [
            {"name": format!("mage{HARM}"), "image": format!("mage{HARM}")}]}}},
        "status": {"failed": 1, "startTime": "2026-01-01T00:00:00Z", "conditions": [{"type": "Failed", "status": "True",
            "reason": format!("Backoff{HARM}"), "message": format!("it failed{HARM}"), "lastTransitionTime": "2026-01-01T00:01:00Z"}]},
    });
    let ended = json!({"exitCode": 1, "reason": format!("Error{HARM}"), "message": format!("last words{HARM}"),
        "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:01:00Z"});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata("p"),
        "spec": {"nodeName": format!("node{HARM}"), "containers": [{"name": format!("mage{HARM}"), "image": "mage"}]},
        "status": {"phase": "Failed", "message": format!("the pod{HARM}"), "containerStatuses": [
            {"name": format!("mage{HARM}"), "image": "mage", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": ended}}]},
    });
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "data"}, "type": "Warning",
        "reason": format!("Sad{HARM}"), "message": format!("an event{HARM}"), "involvedObject": {"kind": "Job", "name": "x", "uid": "1"},
        "lastTimestamp": "2026-01-01T00:01:00Z",
    });
    let list = |kind: &str, version: &str, items: Vec<Value>| json!({"apiVersion": version, "kind": kind, "metadata": {}, "items": items});
    let path = path.split('?').next().unwrap_or_default();
    match path.rsplit('/').next().unwrap_or_default() {
        "jobs" => list("JobList", "batch/v1", vec![job]),
        "pods" => list("PodList", "v1", vec![pod]),
        "events" => list("EventList", "v1", vec![event]),
        "configmaps" => list("ConfigMapList", "v1", Vec::new()),
        "leases" => list("LeaseList", "coordination.k8s.io/v1", Vec::new()),
        "log" => json!(format!("a line{HARM}")),
        _ if path.contains("/jobs/") => job,
        _ if path.contains("/pods/") => pod,
        _ => {
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound",
            "code": 404, "message": format!("there is none{HARM}")})
        }
    }
}

/// Runs the binary on a terminal, made by util-linux's `script`; returns what came out of it.
fn on_terminal(arguments: &[&str]) -> String {
    let words = [&[env!("CARGO_BIN_EXE_kubectl-mage")], arguments].concat();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    script.env_clear().env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    script.env("TERM", "xterm").stdin(std::process::Stdio::null());
    let output = script.output().expect("util-linux is installed");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

#[test]
fn what_a_cluster_says_does_nothing_on_a_terminal() {
    let server = serve(harmful);
    let flags = ["-s", &server, "-n", "data", "--kubeconfig", "/dev/null"];
    let colours = Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
    for (arguments, words) in [
        (&["runs"][..], &["etl"][..]),
        (&["status", "etl-bcdfgh"], &["load"]),
        (&["status", "etl-bcdfgh", "-o", "wide"], &["node"]),
        (&["why", "job/x"], &["it failed", "last words"]),
        (&["why", "etl-bcdfgh"], &["last words"]),
    ] {
        let arguments = [arguments, &flags].concat();
        let Said { stdout, stderr, .. } = run(&arguments);
        let piped = stdout + &stderr;
        assert!(piped.contains('\u{202e}'), "nothing harmful is said by {arguments:?}: {piped}");
        let shown = on_terminal(&arguments);
        let shown = colours.replace_all(&shown, "");
        for word in words {
            assert!(shown.contains(word), "no {word:?} in {arguments:?}: {shown}");
        }
        let harmless =
            |c: char| matches!(c, '\n' | '\r' | '\t') || !c.is_control() && c != '\u{202e}';
        let harm = shown.chars().find(|c| !harmless(*c));
        assert_eq!(harm, None, "{arguments:?}: {shown:?}");
        assert!(!shown.contains("owned"), "{shown:?}");
    }
}
