//! `render`

use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs};

/// Print the Jobs of a pipeline or block, exactly as they would be sent
///
/// Jobs come in topological order, as YAML documents or one JSON List. The same inputs give the
/// same bytes. Literal secrets in a manifest are named on stderr.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The Job of a block\n\
    \x20 kubectl mage render orders/clean_orders\n\
    \n\
    \x20 # Whether the API server would take all Jobs of a pipeline\n\
    \x20 kubectl mage render orders --validate -o name")]
pub struct RenderArgs {
    /// PIPELINE or PIPELINE/BLOCK; may be left out where the project has one pipeline
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = RenderOutput::Yaml)]
    pub output: RenderOutput,
    /// Hide literal secrets
    #[arg(long)]
    pub mask: bool,
    /// Ask the API server whether it would take every Job: a dry run that refuses unknown fields
    #[arg(long)]
    pub validate: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How Jobs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderOutput {
    Yaml,
    Json,
    Name,
}
