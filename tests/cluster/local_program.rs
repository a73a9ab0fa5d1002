//! What stands beside the local cluster for as long as a test needs it: virtual nodes, a webhook.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside `#[test]`"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::Bench;

/// A part of `local-cluster`; it ends when it is dropped, for then its stdin ends.
pub(crate) struct LocalProgram {
    process: Child,
    /// The first line that it printed.
    pub(crate) said: String,
}

impl LocalProgram {
    /// Starts it; none, with the reason printed, where the cluster is none of `tests/local-cluster`.
    pub(crate) fn start(bench: &Bench, arguments: &[&str]) -> Option<Self> {
        let program = bench.kubeconfig.with_file_name("bin").join("local-cluster");
        if !program.exists() {
            eprintln!("skipped: the cluster is none of tests/local-cluster");
            return None;
        }
        let mut command = Command::new(program);
        command.args(arguments).arg("--tls").arg(bench.kubeconfig.with_file_name("tls"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert!(!said.is_empty(), "local-cluster {arguments:?} ended");
        Some(Self { process, said: said.trim().to_owned() })
    }

    /// Starts one virtual node with one processor; its prefix is the namespace of the bench.
    pub(crate) fn node(bench: &Bench) -> Option<Self> {
        let kubeconfig = bench.kubeconfig.to_str().unwrap();
        let prefix = &bench.namespace;
        Self::start(
            bench,
            &["virtual-nodes", "--kubeconfig", kubeconfig, "--prefix", prefix, "--cpu", "1"],
        )
    }

    /// Ends it as a power failure does.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for LocalProgram {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
