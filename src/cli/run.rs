//! `run`

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::connection::parse_duration;
use super::{ConfigArgs, ConnectionArgs, DriverArgs, KeepingArgs};
use crate::project::BLOCK_TYPES;

/// Run a pipeline, or the blocks named, with progress and logs
///
/// Each block's Job is created when the blocks it depends on have succeeded. The exit code tells
/// the outcome: 0 all complete, 1 a block failed, 2 something is wrong with what was typed or
/// configured, and nothing was created, 3 the cluster could not be reached, 4 `--timeout` passed,
/// 5 a pod could not start, 6 someone else cancelled the run, 130 or 143 after a signal.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # A pipeline\n\
    \x20 kubectl mage run orders\n\
    \n\
    \x20 # A block and all it depends on\n\
    \x20 kubectl mage run orders/build_report --upstream\n\
    \n\
    \x20 # What would happen, and the critical path; nothing is created\n\
    \x20 kubectl mage run orders --dry-run")]
#[command(mut_arg("offline", |flag| flag.hide(true)))]
#[command(mut_arg("block_run_id", |flag| flag.hide(true)))]
#[command(mut_arg("pipeline_run_id", |flag| flag.hide(true)))]
pub struct RunArgs {
    /// PIPELINE or PIPELINE/BLOCK; may be left out where the project has one pipeline
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Also run every block that the ones named depend on
    #[arg(long)]
    pub upstream: bool,
    /// Also run every block that depends on the ones named
    #[arg(long)]
    pub downstream: bool,
    /// Leave out blocks of this type, such as `data_exporter`; may be repeated
    #[arg(
        long, value_name = "TYPE", value_delimiter = ',', hide_possible_values = true,
        value_parser = PossibleValuesParser::new(BLOCK_TYPES)
    )]
    pub skip_type: Vec<String>,
    /// Start the Jobs that `apply` left suspended, in order, instead of making new ones
    ///
    /// Each is started when those it depends on are complete; Jobs that are complete already count as
    /// such. What is staged runs, whatever the project says by now.
    #[arg(long, conflicts_with = "detach")]
    pub staged: bool,
    /// How many blocks run at once; default: what the project says, else 20
    ///
    /// The project says it by `concurrency_config.block_run_limit`, else by `queue_config.concurrency`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel: Option<u32>,
    /// How often a block whose Job failed gets a new one
    ///
    /// Mage's own `retry_config` acts inside the pod and is not counted. A pod that was evicted,
    /// preempted or lost its node before its container started is replaced without using up a
    /// retry; one that had started uses one up, like a failure of the block's own.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u32,
    /// End the run after this time, such as 90s, 15m, 2h; default: never
    ///
    /// Unfinished Jobs are deleted and named.
    ///
    /// A block's own `timeout`, in seconds, counts from the moment its container is seen to run; the
    /// block has failed then, and its Job is deleted.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// How long a pod may wait to start, such as 90s, 15m; unfinished Jobs are then deleted and named
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10m")]
    pub pending_timeout: Duration,
    /// After a failure, go on with everything that doesn't depend on it
    #[arg(long, conflicts_with = "fail_fast")]
    pub keep_going: bool,
    /// After a failure, start nothing new (the default)
    #[arg(long)]
    pub fail_fast: bool,
    /// Whose logs are shown
    #[arg(long, value_enum, value_name = "WHOSE", default_value_t = LogsChoice::All)]
    pub logs: LogsChoice,
    /// What a signal does; default: pause on a terminal, cancel elsewhere
    #[arg(long, value_enum, value_name = "ACTION")]
    pub on_interrupt: Option<InterruptChoice>,
    #[command(flatten)]
    pub driver: DriverArgs,
    /// Print what would happen and create nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse where an enforced policy overrides what a project, a pipeline or a block sets
    #[arg(long)]
    pub strict_policy: bool,
    /// Do not ask, also in a protected context
    #[arg(short, long)]
    pub yes: bool,
    /// Output format: text, or json for one event a line
    #[arg(short, long, value_enum, default_value_t = RunOutput::Text)]
    pub output: RunOutput,
    #[command(flatten)]
    pub keeping: KeepingArgs,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Whose logs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogsChoice {
    /// Every block's, as they come.
    All,
    /// Of failed blocks only, at the end.
    Failed,
    /// Nobody's.
    None,
}

/// What a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InterruptChoice {
    /// Running blocks go on, no more are started.
    Pause,
    /// Running blocks are deleted.
    Cancel,
    /// A driver Job in the cluster goes on with the run.
    Detach,
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RunOutput {
    Text,
    Json,
}
