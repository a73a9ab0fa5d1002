//! `--offline`: no connection, whatever else is asked for.

use std::net::TcpListener;
use std::path::Path;

use crate::support::{binary, git, run_command, small_project};

#[test]
fn nothing_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let project = small_project();
    project.write(
        "kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster: {{server: '{server}'}}\nusers:\n- name: u\n  user: {{token: x}}\ncontexts:\n- name: c\n  context: {{cluster: c, user: u}}\n"
        ),
    );
    let snapshot = serde_json::to_string(&kubectl_mage::snapshot::Snapshot::default());
    project.write("snapshot.json", &snapshot.expect("it is JSON"));
    let folder = Path::new(project.path());
    git(folder, &["init", "-q"]);
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-qm", "first"]);
    let file = |name: &str| format!("{}/{name}", project.path());
    let (kubeconfig, snapshot) = (file("kubeconfig"), file("snapshot.json"));
    let against = format!("snapshot:{snapshot}");
    let said = |arguments: &[&str]| {
        let common = ["--project", project.path(), "--kubeconfig", &kubeconfig];
        run_command(&mut binary(&[arguments, &common].concat()))
    };
    for arguments in [
        &["render", "etl"][..],
        &["render", "etl", "--snapshot", &snapshot],
        &["explain-config", "etl/load", "--all"],
        &["graph", "etl"],
        &["lint"],
        &["lint", "--snapshot", &snapshot],
        &["diff", "etl", "--against", &against],
        &["diff", "etl", "--against", "edition:oss"],
        &["diff", "etl", "--against", "env:dev"],
        &["diff", "--against", "rev:HEAD"],
        &["doctor"],
        &["doctor", "--snapshot", &snapshot],
    ] {
        let told = said(&[arguments, &["--offline"]].concat());
        assert!(told.code < 2, "{arguments:?}: {told:?}");
        assert!(listener.accept().is_err(), "{arguments:?} --offline connects");
    }
    // These cannot do without a connection, and say so.
    for arguments in [
        &["render", "etl", "--validate"][..],
        &["lint", "--live"],
        &["diff", "etl"],
        &["run", "etl"],
        &["apply", "etl"],
        &["snapshot"],
    ] {
        let told = said(&[arguments, &["--offline"]].concat());
        assert!(told.fails(2).contains("--offline"), "{arguments:?}");
        assert!(listener.accept().is_err(), "{arguments:?} --offline connects");
    }
    // The same listener sees whoever does connect.
    said(&["render", "etl", "--validate", "--request-timeout", "1s"]);
    assert!(listener.accept().is_ok(), "without --offline it connects");
}
