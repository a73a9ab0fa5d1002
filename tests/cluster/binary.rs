//! The binary itself, run as a person runs it, and kubectl beside it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::Bench;

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit code, and that nothing panicked.
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// Checks that stderr says each of the texts.
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        }
        self
    }
}

/// A Mage project in a temporary folder, which is the home of whoever runs the binary too.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// Writes the files, by path in the project.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a command of the binary on the project: no environment but a home without a
    /// kubeconfig.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-mage"));
        command.args(arguments).current_dir(self.path());
        clean(&mut command, self.path());
        command
    }

    /// Runs the binary on the project, without a cluster.
    pub(crate) fn run_offline(&self, arguments: &[&str]) -> Said {
        Said::new(self.command(arguments).arg("--offline").output().unwrap())
    }

    /// Makes a command of the binary against the cluster, in the namespace of the bench.
    pub(crate) fn command_on(&self, bench: &Bench, arguments: &[&str]) -> Command {
        // What a test says itself comes after these, and so counts.
        let (verb, rest) = arguments.split_first().unwrap();
        let mut command = self.command(&[verb]);
        command.arg("--kubeconfig").arg(&bench.kubeconfig).args(["-n", &bench.namespace]);
        command.args(rest);
        command
    }

    /// Runs the binary against the cluster, in the namespace of the bench.
    pub(crate) fn run_on(&self, bench: &Bench, arguments: &[&str]) -> Said {
        Said::new(self.command_on(bench, arguments).output().unwrap())
    }

    /// Starts the binary against the cluster; its output is kept for [`Child::wait_with_output`].
    pub(crate) fn start_on(&self, bench: &Bench, arguments: &[&str]) -> Child {
        self.command_on(bench, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// Takes the environment away, a home and the system's programs apart.
fn clean(command: &mut Command, home: &Path) {
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
}

/// Makes a command of the cluster's own kubectl.
pub(crate) fn kubectl(bench: &Bench, arguments: &[&str]) -> Command {
    let own = bench.kubeconfig.with_file_name("bin").join("kubectl");
    let mut command = Command::new(if own.exists() { own } else { "kubectl".into() });
    command.arg("--kubeconfig").arg(&bench.kubeconfig).args(arguments);
    command
}

/// Runs kubectl with text on its stdin.
pub(crate) fn kubectl_with(bench: &Bench, arguments: &[&str], input: &str) -> Said {
    let mut child = kubectl(bench, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    Said::new(output)
}

/// Returns the objects that `-o json` printed: the items of a List, or one after the other.
pub(crate) fn objects(stdout: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(stdout)
        .into_iter::<Value>()
        .flat_map(|object| {
            let mut object = object.unwrap();
            match object.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => items,
                _ => vec![object],
            }
        })
        .collect()
}
