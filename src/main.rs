//! The `kubectl-mage` binary.
fn main() {}
