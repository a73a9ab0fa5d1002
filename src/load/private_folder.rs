//! Temporary folders that only their owner may look into.

use tempfile::{Builder, TempDir};

use crate::error::{CliError, Problem};

/// Makes a temporary folder whose name begins so. It is gone with the value.
pub fn private_folder(prefix: &str) -> Result<TempDir, CliError> {
    let mut builder = Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir().map_err(|error| {
        let problem = Problem::new(format!("cannot make a temporary folder: {error}"));
        CliError::usage(problem.hint("see whether the folder that TMPDIR names can be written to"))
    })
}
