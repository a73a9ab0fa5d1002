//! kubectl's own flags, with kubectl's meaning.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::run::duration;

/// How the cluster is reached; the current context is used when none is named.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionFlags {
    /// Path of the kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Namespace of the Jobs
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// User to act as
    #[arg(long = "as", value_name = "USER")]
    pub as_: Option<String>,
    /// Group to act as; may be repeated
    #[arg(long, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// Bearer token
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Address of the API server
    #[arg(short, long, value_name = "URL")]
    pub server: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// How long one request may take, 0 for no limit; never cuts a log stream
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub request_timeout: Option<Duration>,
}

impl From<&ConnectionFlags> for crate::cluster::ConnectionFlags {
    fn from(flags: &ConnectionFlags) -> Self {
        Self {
            kubeconfig: flags.kubeconfig.clone(),
            context: flags.context.clone(),
            cluster: flags.cluster.clone(),
            user: flags.user.clone(),
            namespace: flags.namespace.clone(),
            as_: flags.as_.clone(),
            as_group: flags.as_group.clone(),
            token: flags.token.clone(),
            server: flags.server.clone(),
            insecure_skip_tls_verify: flags.insecure_skip_tls_verify,
            request_timeout: flags.request_timeout,
        }
    }
}
