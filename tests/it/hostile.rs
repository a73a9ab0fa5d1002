//! API servers and projects that mean harm, or are broken.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{fs, io};

use crate::support::{Said, TempProject, binary, git, run_command, small_project};

/// A server on loopback that answers every request in the same way.
fn serve(answer: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while request.read_line(&mut line).is_ok_and(|count| count > 2) {
                    line.clear();
                }
                // Whoever had enough closes the connection, which is an error here.
                let _ = answer(&mut stream);
            });
        }
    });
    address
}

fn asked(server: &str, arguments: &[&str]) -> Said {
    let mut command = binary(arguments);
    command.args(["-s", server, "-n", "data", "--kubeconfig", "/dev/null"]);
    run_command(&mut command)
}

#[test]
fn an_answer_without_an_end_is_refused() {
    let server = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")?;
        stream.write_all(br#"{"kind":"JobList","items":[{"metadata":{"name":""#)?;
        let piece = vec![b'a'; 1 << 16];
        loop {
            stream.write_all(&piece)?;
        }
    });
    let told = asked(&server, &["runs"]).fails(3);
    assert!(told.contains("it sent more than 512 MiB in one answer"), "{told}");
}

#[test]
fn what_is_no_answer_is_told_in_one_sentence() {
    let garbage = serve(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x1b[31m\0\xff<>")
    });
    let told = asked(&garbage, &["runs"]).fails(3);
    assert!(!told.contains('\u{1b}') && !told.contains('\0'), "{told:?}");
    let silent = serve(|stream| stream.read(&mut [0; 9]).map(drop));
    let told = asked(&silent, &["runs", "--request-timeout", "2s"]).fails(3);
    assert!(told.contains("error: ") && told.contains("hint: "), "{told}");
}

#[test]
fn what_a_project_may_not_do_is_refused() {
    let pipeline = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";
    let refused = |metadata: &str, words: &str| {
        let files = [("metadata.yaml", metadata), ("pipelines/etl/metadata.yaml", pipeline)];
        let told = TempProject::new(&files).run(&["render", "etl", "--image", "a:1"]).fails(2);
        assert!(told.contains(words) && told.contains("metadata.yaml:1:"), "{metadata}: {told}");
        assert!(!told.contains("root:"), "{told}");
    };
    refused("variables_dir: !!python/object/apply:os.system ['true']\n", "!!python");
    refused("variables_dir: !!python/name:os.system\n", "!!python");
    refused("variables_dir: {% include '/etc/passwd' %}\n", "/etc/passwd");
    refused("variables_dir: {% import '/etc/passwd' as all %}{{ all }}\n", "/etc/passwd");
}

/// Makes a program that notes that it ran, as `NAME`, in a file of the folder.
#[cfg(unix)]
fn trap(folder: &Path, name: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let program = folder.join(name);
    let ran = folder.join("ran");
    // git may take a filter that reads nothing for one that failed.
    let read = if name == "clean" { "cat >/dev/null" } else { "" };
    fs::write(&program, format!("#!/bin/sh\necho {name} >> {}\n{read}\n", ran.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn git_runs_nothing_that_a_project_names() {
    let traps = tempfile::tempdir().unwrap();
    let trap = |name: &str| trap(traps.path(), name);
    let ran = || fs::read_to_string(traps.path().join("ran")).unwrap_or_default();
    let project = small_project();
    let folder = Path::new(project.path());
    let inner = tempfile::tempdir().unwrap();
    git(inner.path(), &["init", "-q", "-b", "main"]);
    git(inner.path(), &["commit", "-q", "-m", "x", "--allow-empty"]);
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "inner"]);
    project.write(".gitattributes", "* filter=x\n");
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "x"]);

    fs::write(folder.join(".git/info/attributes"), "*.yaml filter=a=b\n").unwrap();
    git(folder, &["config", "filter.x.clean", &trap("clean")]);
    git(folder, &["config", "filter.x.required", "true"]);
    git(folder, &["config", "filter.a=b.process", &trap("process")]);
    git(folder, &["config", "core.fsmonitor", &trap("fsmonitor")]);
    git(&folder.join("inner"), &["config", "core.fsmonitor", &trap("inner-fsmonitor")]);
    git(folder, &["config", "core.hooksPath", traps.path().to_str().unwrap()]);
    trap("post-index-change");
    git(folder, &["config", "diff.external", &trap("diff")]);
    git(folder, &["config", "core.pager", &trap("pager")]);
    git(folder, &["config", "core.sshCommand", &trap("ssh")]);
    // So old that git looks into them.
    for file in ["pipelines/etl/metadata.yaml", ".gitattributes"] {
        let file = fs::File::options().append(true).open(folder.join(file)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    project.write("extra.py", "one\n");
    project.write("metadata.yaml", "k8s_executor_config: {container_config: {image: b}}\n");

    let state = kubectl_mage::load::git_state(folder).unwrap();
    // The attributes were committed as they are; the file that is new and the one that is another.
    assert_eq!(state.changed, 2);
    let said = project.run(&["diff", "--against", "rev:HEAD", "etl"]);
    assert_eq!(said.code, 1, "{}", said.stderr);

    // A file of the revision is not there, and is to be had by ssh only.
    git(folder, &["config", "remote.origin.url", "ssh://nowhere.invalid/x"]);
    git(folder, &["config", "remote.origin.promisor", "true"]);
    git(folder, &["config", "remote.origin.partialclonefilter", "blob:none"]);
    let blob = git(folder, &["rev-parse", "HEAD:metadata.yaml"]);
    fs::remove_file(folder.join(".git/objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let common = ["--project", project.path(), "--server-pod", "none", "--kubeconfig", "/dev/null"];
    let asked = ["diff", "--against", "rev:HEAD", "etl"];
    let told = run_command(&mut binary(&[&asked[..], &common[..]].concat())).fails(2);
    assert!(told.contains("hint: the clone is partial"), "{told}");
    assert_eq!(ran(), "");

    // All of them are traps that git alone would step into. It ends at a filter that says nothing.
    let alone = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).output().unwrap();
    };
    alone(&["status", "--porcelain"]);
    git(folder, &["config", "--unset", "filter.a=b.process"]);
    alone(&["status", "--porcelain"]);
    alone(&["cat-file", "-p", &blob]);
    for name in ["clean", "process", "fsmonitor", "inner-fsmonitor", "post-index-change", "ssh"] {
        assert!(ran().lines().any(|line| line == name), "{name}: {}", ran());
    }
}

/// Adds all Rust files below a folder to a text, each behind its path.
fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            writeln!(text, "// {}\n{}", path.display(), fs::read_to_string(&path).unwrap())
                .unwrap();
        }
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(package.join("docs/security.md")).unwrap();
    let mut text = String::new();
    for folder in ["src", "tests/it", "tests/cluster"] {
        read_all(&package.join(folder), &mut text);
    }
    let quoted = page.split('`').skip(1).step_by(2);
    let names: Vec<&str> = quoted.filter_map(|name| Some(name.rsplit_once("::")?.1)).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}
