//! git, asked about the project so that it runs nothing but itself.
//!
//! A checkout's own configuration and attributes name programs that git would run: hooks, a monitor of
//! the file system, filters, ways to a remote. A project may come from anybody, so none of them is run.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

/// The state of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitState {
    /// The commit checked out.
    pub revision: String,
    /// How many files below the folder differ from it; files that a filter changes are compared as
    /// they are.
    pub changed: usize,
}

/// Asks git; `None` where the folder is no checkout or git is not installed.
#[must_use]
pub fn git_state(folder: &Path) -> Option<GitState> {
    let ask = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let revision = ask(git(folder).args(["rev-parse", "HEAD"]))?.trim().to_owned();
    // Without a filter git ends with 1, which is none.
    let filters = git(folder)
        .args(["config", "--null", "--name-only", "--get-regexp", "^filter\\."])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let filters = filters.ok().filter(|said| matches!(said.status.code(), Some(0 | 1)))?;
    let mut status = git(folder);
    leave_out(&mut status, &String::from_utf8(filters.stdout).ok()?);
    // In a submodule git would run once more, and there by the submodule's own configuration.
    status.args([
        "status",
        "--porcelain",
        "--untracked-files=all",
        "--ignore-submodules=dirty",
        "--",
        ".",
    ]);
    let changed = ask(&mut status)?.lines().count();
    Some(GitState { revision, changed })
}

/// Makes a command of git in a folder that runs no program, opens no connection and writes nothing.
pub(super) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("--no-pager").args(["-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null"]);
    command.arg("-C").arg(folder);
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    // What a partial clone lacks would be fetched by programs of the checkout's choice. Versions of git
    // that do not know the first of these know the second: no protocol is allowed.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "");
    command
}

/// Takes the programs away from filters, by the names of all settings about filters, each with a NUL at
/// its end.
fn leave_out(command: &mut Command, settings: &str) {
    let names: BTreeSet<&str> =
        settings.split('\0').filter_map(|key| Some(key.rsplit_once('.')?.0)).collect();
    // Not by `-c`, which ends a name at its first `=`. Settings that this process was given stay.
    let given = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok());
    let mut count: usize = given.unwrap_or(0);
    for name in names {
        for (key, value) in [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")]
        {
            command.env(format!("GIT_CONFIG_KEY_{count}"), format!("{name}.{key}"));
            command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
    }
    command.env("GIT_CONFIG_COUNT", count.to_string());
}
