//! `apply`

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::connection::parse_duration;
use super::{ConfigArgs, ConnectionArgs};

/// Create or update the Job of a block, or stage the Jobs of several
///
/// One Job starts at once, if every block it depends on has a finished Job. Several are created suspended,
/// because a block without the data of its upstream runs on none: `kubectl mage run --staged` starts them in
/// order, `--start` all at once. A Job that exists is changed in place, as far as the API server
/// lets that be; a suspended one stays suspended. All Jobs are checked before the first is sent.
///
/// What is sent is what `render` prints, with labels that name pipeline and block.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # What the API server says of the Job of a block\n\
    \x20 kubectl mage apply orders/load_orders --dry-run=server\n\
    \n\
    \x20 # All Jobs of a pipeline, suspended\n\
    \x20 kubectl mage apply orders")]
#[command(mut_arg("offline", |flag| flag.hide(true)))]
pub struct ApplyArgs {
    /// PIPELINE or PIPELINE/BLOCK; may be left out where the project has one pipeline
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Create even a single Job suspended: nothing runs until somebody starts it
    #[arg(long, conflicts_with = "start")]
    pub suspend: bool,
    /// Start all Jobs at once, also those that are suspended
    #[arg(long)]
    pub start: bool,
    /// Start a single block although no Job of its upstream blocks has finished
    #[arg(long)]
    pub ignore_upstream: bool,
    /// Only say what would be done: `client` compares here, `server` has the API server check it; without a value: client
    #[arg(
        long, value_enum, value_name = "none|client|server", default_value_t = DryRunChoice::None,
        num_args = 0..=1, require_equals = true, default_missing_value = "client",
        hide_possible_values = true, hide_default_value = true
    )]
    pub dry_run: DryRunChoice,
    /// Delete and create anew what cannot be changed in place
    ///
    /// Only Jobs that this tool made, and none that is active.
    #[arg(long)]
    pub replace: bool,
    /// Replace active Jobs too: what runs is stopped
    #[arg(long, requires = "replace")]
    pub force: bool,
    /// Take over fields that another field manager has set otherwise
    #[arg(long)]
    pub force_conflicts: bool,
    /// Wait until the Jobs have ended; the exit code tells the outcome
    #[arg(long)]
    pub wait: bool,
    /// How long --wait waits (default: until the end), and --replace for the old Job to be gone (default: 5m); such as 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Refuse where an enforced policy overrides what a project, a pipeline or a block sets
    #[arg(long)]
    pub strict_policy: bool,
    /// Do not ask, also in a protected context
    #[arg(short, long)]
    pub yes: bool,
    /// Print the Jobs instead of what was done; literal secrets are masked
    #[arg(short, long, value_enum)]
    pub output: Option<ApplyOutput>,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Who is asked what would be done, and whether it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRunChoice {
    /// It is done.
    None,
    /// Nothing is sent.
    Client,
    /// Everything is sent, and nothing stored.
    Server,
}

/// How applied Jobs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ApplyOutput {
    Json,
    Name,
    Yaml,
}
