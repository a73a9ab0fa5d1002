//! `kubectl mage <TAB>` with the genuine kubectl. It needs no cluster, only the cluster's kubectl.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn kubectl_completes_by_the_helper() {
    let kubeconfig = env::var_os("KUBECTL_MAGE_TEST_KUBECONFIG").map(PathBuf::from);
    let kubectl = kubeconfig
        .as_ref()
        .map(|path| path.with_file_name("bin").join("kubectl"))
        .filter(|path| path.exists())
        .unwrap_or_else(|| "kubectl".into());
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-mage")).parent().unwrap();
    let path = env::join_paths(
        [program.to_owned(), package.join("completions")]
            .into_iter()
            .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    );
    let path = path.unwrap();
    for (line, expected) in [
        (["mage", "exp"].as_slice(), "explain-config\tTell which layer"),
        (&["mage", "run", "--on-interrupt="], "pause\tRunning blocks go on"),
        (&["mage", "render", "orders/exp"], "orders/export_report\n"),
        (&["mage", "graph", ""], "orders\n"),
        (&["mage", "apply", "--dry-run", "orders/exp"], "orders/export_report\n"),
        (&["mage", "run", "--skip-type", "data_l"], "data_loader\n"),
        (&["mage", "diff", "--against", "edition:"], "edition:oss\t"),
        (&["mage", "lint", "-o", ""], "text\n"),
        (&["mage", "runs", "--context", "view"], "viewer\n"),
        // No runs are there, so that none is the latest.
        (&["mage", "status", "--context", "admin", "-n", "kube-public", ""], ":4\n"),
        (&["mage", "runs", "--context", "admin", "-n", "kube-s"], "kube-system\n"),
    ] {
        if line.contains(&"--context") && kubeconfig.is_none() {
            continue;
        }
        let output = Command::new(&kubectl)
            .arg("__complete")
            .args(line)
            .env("PATH", &path)
            .env("KUBECTL_MAGE_PROJECT", package.join("examples/shop"))
            .env("KUBECONFIG", kubeconfig.clone().unwrap_or_default())
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) => {
                eprintln!("skipped: {}: {error}", kubectl.display());
                return;
            }
        };
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.starts_with(expected), "{line:?}: {stdout}");
        assert!(stdout.ends_with(":4\n"), "{line:?}: {stdout}");
    }
}
