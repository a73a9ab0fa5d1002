//! The `kubectl-mage` binary: everything is in the library.

use std::process::ExitCode;

/// A project with many blocks is a great many small values, at which the C libraries' own allocators
/// are slow: glibc's by four times for a pipeline of 10,000 blocks, musl's by more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kubectl_mage::commands::main()
}
