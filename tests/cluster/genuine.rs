//! The example project, run by the binary with the genuine Mage in its pods.
#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "a test that is skipped says why")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary::{Project, Said};
use crate::support::Bench;

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local-cluster").join(name)
}

/// Copies a folder, what Python or Mage left in it apart.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.path().is_dir() {
            if name != "__pycache__" {
                copy(&entry.path(), &to.join(name));
            }
        } else {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// Starts a Mage server's pod in the namespace of the bench; none, with the reason printed, where
/// this is no local cluster or the genuine Mage cannot be installed.
pub(crate) fn server(bench: &Bench, project: &Path, data: &Path, kind: &[&str]) -> Option<()> {
    let folder = bench.kubeconfig.parent().unwrap();
    if !folder.join("pids/kubelet").exists() {
        eprintln!("skipped: {} is of no cluster of tests/local-cluster", folder.display());
        return None;
    }
    let venv = Said::new(Command::new(script("mage-venv")).output().unwrap());
    if venv.code != 0 {
        eprintln!("skipped: no genuine Mage: {}", venv.stderr);
        return None;
    }
    let name = folder.file_name().unwrap();
    let mut command = Command::new(script("mage-server"));
    command.arg("--name").arg(name).args(["--namespace", &bench.namespace]).args(kind);
    command.arg("--project").arg(project).arg("--data").arg(data);
    Said::new(command.output().unwrap()).ends(0);
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_runs_with_the_genuine_mage() {
    let Some(bench) = Bench::new("genuine").await else { return };
    let home = Project::new(&[]);
    let project = home.path().join("shop");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop"), &project);
    let data = home.path().join("data");
    if server(&bench, &project, &data, &["--stand-in"]).is_none() {
        bench.end().await;
        return;
    }
    let project = project.to_str().unwrap();
    let said = home.run_on(&bench, &["run", "orders", "--project", project]).ends(0);
    let said =
        said.says(&["server pod mage-server in namespace", "is complete: 6 of 6 blocks complete"]);
    assert!(said.stdout.contains("export_report  | Wrote "), "{}", said.stdout);
    let report = std::fs::read_to_string(data.join("reports/orders.csv")).unwrap();
    let total = report.lines().find(|line| line.starts_with("total,"));
    assert_eq!(total, Some("total,revenue,5024.05"), "{report}");
    bench.end().await;
}
