//! Kubeconfigs of every kind: kubectl and this tool say the same of who they are to the same server,
//! or both say nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

mod cases;
mod recorder;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kubectl_mage::cluster::{Cluster, ConnectionFlags};
use serde_json::Value;

use self::cases::{Case, Expect, cases};
use self::recorder::{Notes, Recorder, encoded};
pub(crate) use self::recorder::{acceptor, fixture};
use crate::binary::Said;
use crate::support::kubectl_of_the_cluster;

/// Fills in what a case can only know when it runs.
fn filled(text: &str, recorder: &Recorder, folder: &Path) -> String {
    let path = |name: &str| fixture(name).to_str().unwrap().to_owned();
    let mut text = text.to_owned();
    for (name, value) in [
        ("{server}", format!("https://127.0.0.1:{}", recorder.port)),
        ("{port}", recorder.port.to_string()),
        ("{named}", format!("https://127.0.0.1:{}", recorder.named)),
        ("{v6}", format!("https://[::1]:{}", recorder.v6.unwrap_or_default())),
        ("{plain}", recorder.plain.to_string()),
        ("{http-proxy}", recorder.http_proxy.to_string()),
        ("{https-proxy}", recorder.https_proxy.to_string()),
        ("{socks-proxy}", recorder.socks_proxy.to_string()),
        ("{dir}", folder.to_str().unwrap().to_owned()),
        ("{ca}", path("ca.crt")),
        ("{ca64}", encoded("ca.crt")),
        ("{client.crt}", path("client.crt")),
        ("{client.key}", path("client.key")),
        ("{other64.crt}", encoded("other.crt")),
        ("{other64.key}", encoded("other.key")),
        ("{client-json}", json_text("client.crt")),
        ("{client-key-json}", json_text("client.key")),
    ] {
        text = text.replace(name, &value);
    }
    text
}

/// Returns a file as it stands between the quotes of a JSON string.
fn json_text(name: &str) -> String {
    let text = std::fs::read_to_string(fixture(name)).unwrap();
    Value::from(text).to_string().trim_matches('"').to_owned()
}

/// What one tool did with a case.
#[derive(Debug)]
struct Did {
    code: i32,
    notes: Notes,
    /// What the exec plugin was told.
    plugin: BTreeSet<String>,
    stderr: String,
}

/// Runs a tool on a case, in a folder of its own.
fn run(program: &Path, arguments: &[&str], case: &Case, recorder: &Recorder) -> Did {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &case.files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, filled(text, recorder, folder.path())).unwrap();
        if text.starts_with("#!") {
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .unwrap();
        }
    }
    // Where the tool is run from says nothing of where files are.
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let fill = |text: &str| filled(text, recorder, folder.path());
    let mut command =
        if case.in_pod { in_a_pod(program, folder.path()) } else { Command::new(program) };
    command.args(arguments).args(case.flags.iter().map(|flag| fill(flag)));
    command.current_dir(&elsewhere).stdin(Stdio::null());
    command.env_clear().env("HOME", folder.path()).env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    command.envs(case.env.iter().map(|(name, value)| (name, fill(value))));
    recorder.take();
    let said = Said::new(command.output().unwrap());
    let log = std::fs::read_to_string(folder.path().join("told")).unwrap_or_default();
    let own = folder.path().to_str().unwrap();
    let told = log.lines().filter(|line| !line.is_empty());
    Did {
        code: said.code,
        notes: recorder.take(),
        plugin: told.map(|line| settled(&line.replace(own, "DIR"))).collect(),
        stderr: said.stderr,
    }
}

/// Writes JSON in one order, so that it compares.
fn settled(line: &str) -> String {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.into_iter().collect();
                fields.sort_by(|one, other| one.0.cmp(&other.0));
                fields.into_iter().map(|(key, value)| (key, sorted(value))).collect()
            }
            other => other,
        }
    }
    serde_json::from_str(line).map_or_else(|_| line.to_owned(), |value| sorted(value).to_string())
}

/// Makes what a pod finds at /var/run/secrets, in a namespace of mounts of the command's own.
fn in_a_pod(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    let script = r#"mount -t tmpfs tmpfs /run && d=/run/secrets/kubernetes.io/serviceaccount &&
        mkdir -p $d && cp "$1"/account/* $d/ && shift && exec "$@""#;
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(folder).arg(program);
    command
}

/// Tells whether this machine lets us make one.
fn has_mount_namespaces() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /run && test -L /var/run"]);
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_and_this_tool_say_the_same_to_the_same_server() {
    let Some(kubectl) = kubectl_of_the_cluster() else { return };
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_kubectl-mage"));
    let pods = has_mount_namespaces();
    let mut wrong = Vec::new();
    let mut count = 0;
    let recorder = Recorder::start().await;
    for case in cases() {
        if (case.in_pod && !pods) || (case.name.contains("IPv6") && recorder.v6.is_none()) {
            eprintln!("skipped: {}: this machine has no way to", case.name);
            continue;
        }
        count += 1;
        let path = "/apis/batch/v1/namespaces/x/jobs";
        let (theirs, mine) = tokio::task::block_in_place(|| {
            // In a pod kubectl forgets where it is when it is given any flag.
            let patient = ["get", "--raw", path, "--request-timeout=10s"];
            let theirs: &[&str] = if case.in_pod { &patient[..3] } else { &patient };
            let mine = ["runs", "-n", "x", "--request-timeout=10s"];
            (run(&kubectl, theirs, &case, &recorder), run(&ours, &mine, &case, &recorder))
        });
        let is_as_expected = match case.expect {
            Expect::Sent => theirs.code == 0 && mine.code == 0 && !mine.notes.is_empty(),
            Expect::OursOnly => theirs.code != 0 && mine.code == 0 && !mine.notes.is_empty(),
            Expect::Refused => theirs.code != 0 && mine.code > 0 && mine.notes.is_empty(),
        };
        let is_same = case.expect == Expect::OursOnly
            || (&theirs.notes, &theirs.plugin) == (&mine.notes, &mine.plugin);
        let is_said = case.says.is_none_or(|text| mine.stderr.contains(text));
        if !is_as_expected || !is_same || !is_said || mine.stderr.contains("panicked") {
            wrong.push(format!(
                "{} ({:?})\n  kubectl {theirs:#?}\n  ours {mine:#?}",
                case.name, case.expect
            ));
        }
        for hidden in ["hunter2", "BEGIN PRIVATE"] {
            assert!(!mine.stderr.contains(hidden), "{}: {}", case.name, mine.stderr);
        }
    }
    assert!(count > 50, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// A service account's token in a pod is replaced every hour, while a run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_is_read_again_when_its_token_is_refused() {
    let recorder = Recorder::start().await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "first\n").unwrap();
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: '{server}', certificate-authority: '{ca}'}}]\nusers: [{name: u, user: {tokenFile: token}}]\n";
    let kubeconfig = folder.path().join("config");
    std::fs::write(&kubeconfig, filled(text, &recorder, folder.path())).unwrap();
    let flags = ConnectionFlags { kubeconfig: Some(kubeconfig), ..ConnectionFlags::default() };
    recorder.accept("Bearer first");
    let cluster = Cluster::connect(&flags).await.unwrap();
    assert!(cluster.list_jobs(Some("x"), "").await.unwrap().is_empty());
    recorder.accept("Bearer second");
    std::fs::write(&token, "second\n").unwrap();
    recorder.take();
    assert!(cluster.list_jobs(Some("x"), "").await.unwrap().is_empty());
    let notes = recorder.take();
    assert_eq!(notes.len(), 2, "{notes:#?}");
    // A file that is gone leaves what was in it.
    std::fs::remove_file(&token).unwrap();
    assert!(cluster.list_jobs(Some("x"), "").await.unwrap().is_empty());
}
