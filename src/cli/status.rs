//! `status` and `why`

use clap::{Args, ValueEnum};

use super::ConnectionArgs;

/// Show how a run stands, block by block, and who drives it
///
/// Runs of the Mage server are shown too, under the name that `runs` gives them: the pipeline, `@`
/// and the number of the pipeline run. The exit code is 0 whenever it could be read, whatever the run's state.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The newest run of the namespace\n\
    \x20 kubectl mage status @latest\n\
    \n\
    \x20 # Run 12 of the Mage server, with jobs, nodes and exit codes\n\
    \x20 kubectl mage status orders@12 -o wide")]
pub struct StatusArgs {
    /// RUN, run/RUN, @latest, PIPELINE@N for the Mage server's pipeline run N, or PIPELINE@apply for
    /// the Jobs that `apply` made
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Stay and print each block again when it changes
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

/// How runs and blocks are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableOutput {
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

/// Say why something is pending or failed, and what to do
///
/// One screen: a sentence of cause and one of remedy, what they rest on (conditions, container
/// states, events, the last lines of the log), and what can no longer be known. It reads Jobs of the Mage server too,
/// by the command line they carry. The exit code is 0 whenever it could be read, as in `kubectl describe`.
///
/// Of a block whose Job is gone, the end of Mage's own log is read by a command in the Mage server's
/// pod, which has the volume it is on: that needs the right to create pods/exec, and only reads.
/// `KUBECTL_MAGE_READONLY=1` forbids it.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The newest run of the namespace\n\
    \x20 kubectl mage why @latest\n\
    \n\
    \x20 # The newest Job of a block, whoever made it\n\
    \x20 kubectl mage why orders/clean_orders")]
pub struct WhyArgs {
    /// RUN, run/RUN, @latest, PIPELINE@N, job/NAME, or PIPELINE or PIPELINE/BLOCK for the newest Job of it
    #[arg(value_name = "RUN|job/NAME|TARGET")]
    pub subject: String,
    /// Output format; default: text for people
    #[arg(short, long, value_enum)]
    pub output: Option<WhyOutput>,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How an explanation is written for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhyOutput {
    Json,
    Yaml,
}
