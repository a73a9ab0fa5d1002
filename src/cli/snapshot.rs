//! `snapshot`

use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs};

/// Write what a cluster says about configuration, for --snapshot
///
/// Holds the Mage server's pod and the template and policy that its environment names, limit
/// ranges, quotas, nodes, and the names of what Jobs refer to, in the namespaces of the project's Jobs, of `-n`
/// and of the server's pod. The same state gives the same bytes. No secret is in it: values whose
/// name looks secret and user information in URLs are masked, and of Secrets only names are read.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # For CI: lint --snapshot snapshot.json --offline\n\
    \x20 kubectl mage snapshot > snapshot.json")]
#[command(mut_arg("offline", |flag| flag.hide(true)))]
pub struct SnapshotArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = SnapshotOutput::Json)]
    pub output: SnapshotOutput,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How a snapshot is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SnapshotOutput {
    Json,
    Yaml,
}
