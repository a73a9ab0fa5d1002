//! kubectl's connection flags, as data.

use std::path::PathBuf;
use std::time::Duration;

/// What was asked about the connection, with kubectl's meaning for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFlags {
    /// `--kubeconfig`: this file alone, instead of `KUBECONFIG` and `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `-n`, `--namespace`.
    pub namespace: Option<String>,
    /// `--as`.
    pub as_: Option<String>,
    /// `--as-group`, repeatable.
    pub as_group: Vec<String>,
    /// `--token`.
    pub token: Option<String>,
    /// `-s`, `--server`.
    pub server: Option<String>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--request-timeout`; zero or none means the default. It never cuts a log stream or a watch.
    pub request_timeout: Option<Duration>,
    /// How an exec plugin of the kubeconfig is run.
    pub plugins: Plugins,
}

/// How an exec plugin of the kubeconfig is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plugins {
    /// It may ask whoever is at the terminal, and takes as long as it takes.
    #[default]
    MayAsk,
    /// Nobody waits for it to ask: it has no terminal, what it says on stderr is not shown, and after
    /// this long it is ended.
    Unattended(Duration),
}
