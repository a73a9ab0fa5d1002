//! What kubectl is told when it asks for candidates.

use std::net::TcpListener;
use std::path::Path;

use crate::support::{binary, run, run_command, small_project};

#[test]
fn pipelines_and_blocks_are_candidates() {
    let project = small_project();
    project.write("pipelines/reports/metadata.yaml", "uuid: reports\ntype: python\nblocks: []\n");
    project.write("pipelines/broken/metadata.yaml", "blocks: [");
    let ask = |typed: &str| run(&["__complete", "render", "--project", project.path(), typed]).ok();
    assert_eq!(ask(""), "broken\netl\nreports\n:4\n");
    assert_eq!(ask("e"), "etl\netl/load\netl/export\n:4\n");
    assert_eq!(ask("etl/l"), "etl/load\n:4\n");
    assert_eq!(ask("b"), "broken\n:4\n");
    assert_eq!(ask("et/"), ":4\n");
    let pipelines = run(&["__complete", "graph", "--project", project.path(), ""]).ok();
    assert_eq!(pipelines, "broken\netl\nreports\n:4\n");
}

#[test]
fn files_are_candidates_after_what_a_shell_does_not_know() {
    let project = small_project();
    let ask = |words: &[&str]| {
        run_command(binary(&[&["__complete"], words].concat()).current_dir(project.path())).ok()
    };
    assert_eq!(ask(&["lint", "-o", "sarif=me"]), "sarif=metadata.yaml\n:4\n");
    assert_eq!(ask(&["lint", "--output=json=pi"]), "json=pipelines/\n:6\n");
    assert_eq!(ask(&["diff", "--against", "snapshot:me"]), "snapshot:metadata.yaml\n:4\n");
    assert_eq!(ask(&["run", "--server-pod", "@me"]), "@metadata.yaml\n:4\n");
    assert_eq!(ask(&["run", "--secret", "@me"]), "@metadata.yaml\n:4\n");
}

/// `explain-config T <TAB>` knows what the page of settings lists.
#[test]
fn every_setting_of_the_page_is_a_candidate() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, tables) = page.split_once("\n## Top level\n").unwrap();
    let rows = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut count = 0;
    for setting in rows.map(|row| row.trim_end_matches(".KEY")) {
        let answer = run(&["__complete", "explain-config", "etl", setting]).ok();
        assert!(answer.lines().any(|line| line == setting), "{setting}: {answer}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

/// Whoever presses TAB waits for no server, and hears nothing of it.
#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--server=http://{}", server.local_addr().unwrap());
    let pods = "auto\tlook for it by label and image\nnone\tinherit from none\n:4\n";
    for (words, expected) in [
        (&["status", &address, ""][..], ":4\n"),
        (&["tail", &address, "job/"], ":4\n"),
        (&["runs", &address, "-n", ""], ":4\n"),
        (&["run", &address, "--server-pod", ""], pods),
    ] {
        let said = run(&[&["__complete"], words].concat());
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{words:?}");
        assert_eq!(said.stdout, expected, "{words:?}");
    }
}

/// An exec plugin that would go on for ever is ended; nothing that it says is shown, and it has no
/// terminal to ask at.
#[cfg(unix)]
#[test]
fn a_plugin_of_the_kubeconfig_has_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let plugin = "test -t 0 && exit 1; echo noise >&2; echo $$ > \"$1\"; exec sleep 1000000";
    let config = serde_json::json!({
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "sh",
            "args": ["-c", plugin, "plugin", path("pid")],
            "interactiveMode": "IfAvailable",
        }}}],
    });
    std::fs::write(path("config"), config.to_string()).unwrap();
    let said = run_command(binary(&["__complete", "status", ""]).env("KUBECONFIG", path("config")));
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.as_str()), (0, ":4\n", ""));
    let plugin = std::fs::read_to_string(path("pid")).expect("the plugin began");
    let lives = std::process::Command::new("sh").args(["-c", "kill -0 $0", &plugin]).output();
    assert!(!lives.unwrap().status.success(), "the plugin still runs");
}

#[test]
fn without_a_project_there_are_none_and_no_error() {
    let said = run(&["__complete", "render", "--project", "/nonexistent", ""]);
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.as_str()), (0, ":4\n", ""));
}

#[test]
fn the_helper_is_put_beside_the_plugin_on_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let put = |arguments: &[&str]| {
        let mut command = binary(&[&["completion", "kubectl"], arguments].concat());
        command.env("PATH", folder.path());
        run_command(&mut command)
    };
    assert!(put(&["--install"]).fails(2).contains("no folder of the PATH has kubectl-mage"));
    std::fs::write(folder.path().join("kubectl-mage"), "").unwrap();
    let helper = folder.path().join("kubectl_complete-mage");
    let told = put(&["--install"]);
    assert_eq!((told.code, told.stdout.as_str()), (0, ""), "{}", told.stderr);
    assert_eq!(told.stderr.trim(), format!("wrote {}", helper.display()));
    let written = std::fs::read_to_string(&helper).unwrap();
    assert_eq!(written, run(&["completion", "kubectl"]).ok());
    assert!(put(&["--install"]).stderr.contains("is there already"));
    // An older one of ours is replaced, and nothing else.
    std::fs::write(&helper, "#!/bin/sh\nkubectl-mage __complete\n").unwrap();
    assert!(put(&[&format!("--install={}", folder.path().display())]).stderr.contains("wrote "));
    assert_eq!(std::fs::read_to_string(&helper).unwrap(), written);
    std::fs::write(&helper, "mine").unwrap();
    assert!(put(&["--install"]).fails(2).contains("is somebody else's"));
    assert_eq!(std::fs::read_to_string(&helper).unwrap(), "mine");
    let told = put(&["--install=/nonexistent/bin"]).fails(2);
    let wrong = "cannot write /nonexistent/bin/kubectl_complete-mage: no such folder\n";
    assert!(told.contains(wrong) && told.contains("hint: name a folder on your PATH"), "{told}");
    let elsewhere = tempfile::tempdir().unwrap();
    let told = put(&[&format!("--install={}", elsewhere.path().display())]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    let warned = format!("{} is not on your PATH", elsewhere.path().display());
    assert!(told.stderr.contains(&warned), "{}", told.stderr);
    assert!(run(&["completion", "bash", "--install"]).fails(2).contains("hint: "));
}
