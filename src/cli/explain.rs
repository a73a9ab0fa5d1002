//! `explain-config`

use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs};

/// Tell which layer supplied each value of a Job
///
/// PATH narrows to a value and what is below it, in Mage's spelling (`resource_limits.cpu`) or in
/// the Job's (`.spec.template.spec.containers[0].resources.limits.cpu`). Secrets are masked.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # Every value that somebody set, with what it overrides\n\
    \x20 kubectl mage explain-config orders/clean_orders --overridden\n\
    \n\
    \x20 # The whole history of one value\n\
    \x20 kubectl mage explain-config orders/clean_orders --why resource_limits.memory\n\
    \n\
    \x20 # The Job, each line's origin behind it\n\
    \x20 kubectl mage explain-config orders/clean_orders -o annotated")]
pub struct ExplainArgs {
    /// PIPELINE or PIPELINE/BLOCK; may be left out where the project has one pipeline and no PATH is given
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// Only these values and what is below them
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Add what is built in and, where a cluster is there, what its API server adds (by a dry run)
    #[arg(long)]
    pub all: bool,
    /// Add what lost, with its own source and the reason
    #[arg(long)]
    pub overridden: bool,
    /// Print one value's whole history, lowest layer first
    #[arg(long, value_name = "PATH")]
    pub why: Option<String>,
    /// List every layer in order, present or not, and where it was looked for
    #[arg(long)]
    pub layers: bool,
    /// Show secrets
    #[arg(long)]
    pub show_secrets: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = ExplainOutput::Table)]
    pub output: ExplainOutput,
    /// Leave out the table's header
    #[arg(long)]
    pub no_headers: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainOutput {
    Table,
    Json,
    /// The Job as YAML, each line's origin behind it
    Annotated,
}
