//! `graph`

use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs};

/// Show the graph of a pipeline's blocks
///
/// Each block once, with its type and executor; why Mage would make no Job of it; what it waits
/// for, and the conditions and callbacks attached to it.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The blocks of a pipeline\n\
    \x20 kubectl mage graph orders\n\
    \n\
    \x20 # For a page that draws Mermaid\n\
    \x20 kubectl mage graph orders -o mermaid")]
pub struct GraphArgs {
    /// The pipeline; may be left out where the project has one
    #[arg(value_name = "PIPELINE")]
    pub pipeline: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = GraphOutput::Text)]
    pub output: GraphOutput,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How the graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphOutput {
    Text,
    Mermaid,
}
