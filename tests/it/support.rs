//! Runs the binary in a clean environment.

use std::path::Path;
use std::process::{Command, Output};

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Said {
    fn new(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }

    /// Returns standard output, for a command that must succeed.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self.stdout
    }

    /// Reads standard output as JSON, whatever the exit code.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stderr))
    }

    /// Returns standard error, for a command that must end with `code`.
    pub(crate) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        assert!(self.stderr.contains("error: "), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// Makes a command of the binary: no environment but a home without a kubeconfig.
pub(crate) fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-mage"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    command
}

/// Runs the binary.
pub(crate) fn run(arguments: &[&str]) -> Said {
    Said::new(binary(arguments).output().expect("the binary starts"))
}

/// Runs a command that was made with [`binary`].
pub(crate) fn run_command(command: &mut Command) -> Said {
    Said::new(command.output().expect("the binary starts"))
}

/// Returns the folder of a fixture.
pub(crate) fn fixture(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// A project in a temporary folder.
pub(crate) struct TempProject {
    folder: tempfile::TempDir,
}

impl TempProject {
    /// Writes the files, by path in the project.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Self { folder };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &str {
        self.folder.path().to_str().expect("UTF-8")
    }

    /// Runs the binary on it, offline and without a server pod.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let common = ["--project", self.path(), "--offline", "--server-pod", "none"];
        run(&[arguments, &common].concat())
    }
}

/// A project of one pipeline, `etl`, with the blocks `load` and `export`.
pub(crate) fn small_project() -> TempProject {
    TempProject::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config:\n  resource_limits:\n    cpu: 1000m\n    memory: 2Gi\n  container_config:\n    image: mageai/mageai:0.9.80\n",
        ),
        (
            "pipelines/etl/metadata.yaml",
            "uuid: etl\nname: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  name: load\n  type: data_loader\n  language: python\n  upstream_blocks: []\n  executor_config:\n    resource_limits:\n      memory: 4Gi\n- uuid: export\n  name: export\n  type: data_exporter\n  language: python\n  upstream_blocks: [load]\n",
        ),
    ])
}

/// Runs git in a folder, as somebody.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@y", "-c", "protocol.file.allow=always"])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git writes UTF-8").trim().to_owned()
}
