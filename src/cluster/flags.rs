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
}
