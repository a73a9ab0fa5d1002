//! The `kubectl-mage` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_mage::commands::main()
}
