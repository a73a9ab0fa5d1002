//! `doctor` without a cluster, and that its table of rights is complete.

use std::io::{Read, Write};
use std::net::TcpListener;

use clap::CommandFactory;
use kubectl_mage::cli::Cli;
use kubectl_mage::doctor::rights_all;
use serde_json::Value;

use crate::schema::fits;
use crate::support::{Said, TempProject, run, small_project};

/// Every command that talks to a cluster says which rights it needs. One that is new fails here
/// until it does; that it says it truly, `tests/cluster/doctor.rs` shows.
#[test]
fn every_command_that_asks_a_cluster_is_in_the_table() {
    let cli = Cli::command();
    let table = rights_all();
    let asks = |command: &&clap::Command| {
        command.get_arguments().any(|argument| argument.get_long() == Some("kubeconfig"))
    };
    let commands: Vec<&str> =
        cli.get_subcommands().filter(asks).map(clap::Command::get_name).collect();
    assert!(commands.len() > 12, "{commands:?}");
    for name in commands {
        assert!(name == "graph" || table.iter().any(|one| one.command == name), "{name}");
    }
    // And the flags that the table names are there.
    for one in table {
        let mut words = one.command.split(' ');
        let command = cli.find_subcommand(words.next().unwrap()).expect(one.command);
        for flag in words {
            let is_it = |argument: &clap::Arg| argument.get_long() == flag.strip_prefix("--");
            assert!(command.get_arguments().any(is_it), "{}", one.command);
        }
    }
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no {id} in {report}"))
}

/// Returns `STATE: SENTENCE` of a check.
fn told(report: &Value, id: &str) -> String {
    let check = check(report, id);
    let text = |key: &str| check[key].as_str().expect("a text").to_owned();
    format!("{}: {}", text("state"), text("sentence"))
}

/// Runs it against a server at this address, with a user of these YAML fields.
fn against(project: &TempProject, server: &str, user: &str) -> Said {
    project.write(
        "kubeconfig",
        &format!("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"),
    );
    let kubeconfig = format!("{}/kubeconfig", project.path());
    run(&["doctor", "-o", "json", "--project", project.path(), "--kubeconfig", &kubeconfig])
}

/// Answers every connection with these bytes, after it has heard something.
fn answering(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(bytes);
        }
    });
    port
}

#[test]
fn a_cluster_that_cannot_be_reached_is_told_by_what_failed() {
    let project = small_project();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let garbage = answering(b"garbage that is no TLS\r\n\r\n");
    let refusing =
        answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let other = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    let cases = [
        (format!("https://127.0.0.1:{closed}"), "token: t", "problem: no TCP connection to"),
        ("https://no-such-host.invalid".to_owned(), "token: t", "problem: the name in"),
        (format!("https://127.0.0.1:{garbage}"), "token: t", "problem: https://127.0.0.1"),
        (
            format!("http://127.0.0.1:{refusing}"),
            "token: t",
            "but does not accept the credentials: 401",
        ),
        (format!("http://127.0.0.1:{other}"), "token: t", "does not answer as an API server does"),
        (
            format!("https://127.0.0.1:{closed}"),
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: 'false', interactiveMode: Never}",
            "the exec plugin false of the kubeconfig ended with",
        ),
    ];
    for (server, user, wanted) in cases {
        let said = against(&project, &server, user);
        assert_eq!(said.code, 3, "{server}: {}{}", said.stdout, said.stderr);
        let report = said.json();
        assert!(
            told(&report, "cluster").contains(wanted),
            "{server}: {}",
            told(&report, "cluster")
        );
        assert_eq!(check(&report, "cluster")["hints"].as_array().unwrap().len(), 1, "{server}");
        // What needs no cluster is told nevertheless.
        assert!(told(&report, "edition").starts_with("ok: pro"), "{report}");
        assert!(told(&report, "jobs").starts_with("ok: 2 Jobs can be made"), "{report}");
        assert!(told(&report, "permissions").starts_with("skipped"), "{report}");
        assert_eq!(report["exitCode"], 3);
    }
    let tls = against(&project, &format!("https://127.0.0.1:{garbage}"), "token: t").json();
    assert!(told(&tls, "cluster").contains("but the TLS handshake fails"), "{tls}");
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_a_usage_error_and_the_rest_is_told() {
    let project = small_project();
    let said = run(&["doctor", "-o", "json", "--project", project.path(), "--context", "nix"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    let report = said.json();
    assert!(told(&report, "cluster").starts_with("problem: the kubeconfig has no context"));
    assert!(told(&report, "edition").starts_with("ok"));
    let said = run(&["doctor", "-o", "role", "--project", project.path(), "--context", "nix"]);
    assert!(said.fails(2).contains("it is not known which rights are missing"));
}

#[test]
fn offline_only_the_project_is_looked_at() {
    let project = small_project();
    let said = project.run(&["doctor"]);
    assert_eq!(said.code, 0, "{}", said.stdout);
    let folder = project.path().rsplit('/').next().unwrap();
    let text = said.stdout.replace(project.path(), "PROJECT").replace(folder, "PROJECT");
    insta::assert_snapshot!(text, @r"
    CHECK         STATE       FINDING
    project       ok          PROJECT
    context       skipped     no connection is to be made
    cluster       skipped     it was not asked (--offline)
    identity      skipped     it takes a cluster that answers
    clock         skipped     it takes a cluster that answers
    namespaces    skipped     it takes a cluster that answers
    permissions   skipped     it takes a cluster that answers
    server        skipped     it takes a cluster that answers, or --snapshot
    edition       ok          pro: as Mage documents; choose with --edition
    policy        not known   none is given, and the server's K8S_DEFAULT_CONFIG_PATH is not known
    template      not known   none is given, and the server's K8S_CONFIG_FILE is not known
    jobs          ok          2 Jobs can be made; lint has 3 warnings
                              hint: see them with `kubectl mage lint`
    image         not known   whether mageai/mageai:0.9.80 can be pulled is not known: neither nodes nor pods tell
                              hint: a pod tells: `kubectl mage run` waits 60 s for an image that cannot be pulled
    storage       warning     outputs go to /home/src/mage_data/PROJECT (MAGE_DATA_DIR of Mage's image), where no volume is mounted that pods share: the next block reads nothing
                              hint: mount a volume there that pods share, or set `remote_variables_dir: s3://…`
                              hint: where Jobs inherit the volumes of the Mage server's pod, pass --server-pod
    ");
    let nowhere = run(&["doctor", "--project", "/nonexistent", "--offline"]);
    assert!(nowhere.fails(2).contains("/nonexistent"));
}

#[test]
fn a_snapshot_stands_for_the_cluster_where_none_is_to_be_asked() {
    let project = small_project();
    let snapshot = serde_json::json!({
        "apiVersion": "kubectl-mage/v1", "kind": "Snapshot", "context": {"namespace": "etl"},
        "serverPod": {
            "namespaces": ["etl"],
            "pod": {
                "metadata": {"name": "mage-1", "namespace": "etl"},
                "spec": {"containers": [{"name": "mage", "image": "mageai/mageai:0.9.80"}]},
                "status": {"startTime": "2026-01-01T00:00:00Z"}
            },
            "chosenAs": null, "passedOver": [], "refused": [], "containerName": null,
            "container": "mage", "variables": [], "files": [], "masked": []
        },
        "serverVersion": "v1.33.0", "existingNamespaces": ["default"], "nodes": null,
        "priorityClasses": null, "runtimeClasses": null, "storageClasses": null,
        "namespaces": {}, "unreadable": []
    });
    project.write("snap.json", &snapshot.to_string());
    let file = format!("{}/snap.json", project.path());
    let flags = ["doctor", "-o", "json", "--offline", "--snapshot", &file, "-n", "etl"];
    let said = run(&[&flags[..], &["--project", project.path()]].concat());
    let report = said.json();
    assert_eq!(said.code, 1, "{report}");
    assert_eq!(fits(&report, &kubectl_mage::ui::doctor_schema()), Ok(()));
    assert_eq!(told(&report, "namespaces"), "problem: there is no namespace etl");
    assert_eq!(
        told(&report, "server"),
        "ok: pod/mage-1 in namespace etl; container mage runs mageai/mageai:0.9.80"
    );
    assert!(told(&report, "edition").starts_with("ok: oss: the server pod runs"), "{report}");
    assert_eq!(told(&report, "policy"), "ok: none: Mage OSS reads no policy");
    assert!(told(&report, "storage").starts_with("warning: outputs go to"), "{report}");
}

#[test]
fn what_a_flag_names_and_cannot_be_read_is_told_by_its_own_check() {
    let project = small_project();
    project.write("broken.yaml", "enabled: [\n");
    for (flag, file, wanted) in [
        ("--policy", "/nonexistent/policy.yaml", "cannot read /nonexistent/policy.yaml"),
        ("--template", "/nonexistent/template.yaml", "cannot read /nonexistent/template.yaml"),
        ("--policy", &format!("{}/broken.yaml", project.path()), "broken.yaml:1:11: "),
    ] {
        let report = project.run(&["doctor", "-o", "json", "--edition", "pro", flag, file]).json();
        let said = told(&report, flag.trim_start_matches('-'));
        assert!(said.starts_with("problem: ") && said.contains(wanted), "{flag}: {said}");
    }
}

#[test]
fn a_request_timeout_is_told_as_it_was_given() {
    let project = small_project();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = ["doctor", "-o", "json", "--project", project.path(), "-s", &server];
    let report = run(&[&asked[..], &["--request-timeout", "1ms"]].concat()).json();
    assert!(told(&report, "cluster").ends_with("no answer within 1ms"), "{report}");
}
