//! `runs`

use clap::Args;

use super::selector::parse_selector;
use super::{ConnectionArgs, TableOutput};

/// List the runs in a namespace
///
/// Runs of this tool, and pipeline runs of the Mage server as far as Jobs of them are there: it deletes
/// each Job some seconds after its end. `-o wide`, json and yaml tell who drives each, too.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # Everywhere, with who drives each run\n\
    \x20 kubectl mage runs -A -o wide\n\
    \n\
    \x20 # Of one pipeline, as they change\n\
    \x20 kubectl mage runs -l kubectl-mage/pipeline=orders -w")]
pub struct RunsArgs {
    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only runs whose Jobs carry these labels
    #[arg(short = 'l', long, value_name = "KEY=VALUE", value_parser = parse_selector)]
    pub selector: Option<String>,
    /// Stay and print each run again when it changes
    #[arg(short, long)]
    pub watch: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = TableOutput::Table)]
    pub output: TableOutput,
    /// Leave out the table's header
    #[arg(long)]
    pub no_headers: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
