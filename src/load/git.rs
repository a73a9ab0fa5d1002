//! What git says of the project, where it is a checkout.

use std::path::Path;
use std::process::{Command, Stdio};

/// The state of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitState {
    /// The commit checked out.
    pub revision: String,
    /// How many files below the folder differ from it.
    pub changed: usize,
}

/// Asks git; `None` where the folder is no checkout or git is not installed.
#[must_use]
pub fn git_state(folder: &Path) -> Option<GitState> {
    let ask = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let revision = ask(&["rev-parse", "HEAD"])?.trim().to_owned();
    let changed = ask(&["status", "--porcelain", "--", "."])?.lines().count();
    Some(GitState { revision, changed })
}
