//! `tail` and `logs`

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use k8s_openapi::jiff::Timestamp;

use super::ConnectionArgs;
use super::connection::parse_duration;
use super::selector::parse_selector;

/// Follow the logs of a run, a pipeline, blocks or a Job until the Jobs end, and end as they did
///
/// Every attempt and every restart is followed, from before the first pod to after the Job: what is
/// waited for, and why, is said on stderr. Streams that break are taken up again without a line lost or doubled;
/// where the node has rotated lines away before they were read, that is said, with how much it is.
/// Jobs that the Mage server made are followed too.
///
/// The exit code is that of the Jobs: 0 when all are complete, 1 when one failed, 5 when a pod could not start, 6
/// when the run was cancelled.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The newest run of a pipeline, until it ends\n\
    \x20 kubectl mage tail orders\n\
    \n\
    \x20 # What goes wrong in a run, sorted by time\n\
    \x20 kubectl mage tail @latest --level warning --merge time")]
pub struct TailArgs {
    #[command(flatten)]
    pub logs: LogArgs,
}

/// Print the logs of a run, a pipeline, blocks or a Job
///
/// As `tail`, but only what is there, one block after the other; `-f` makes it `tail`. The exit code is 0 whenever
/// the logs could be read. In the place of pods that are gone comes what was saved of them, by `--save` or by `run
/// --logs-dir`, in whatever folder of this machine; stderr says which file it is, and whether it is complete.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # What a block wrote in its newest run\n\
    \x20 kubectl mage logs orders/clean_orders\n\
    \n\
    \x20 # The last 100 lines of a Job, and what follows\n\
    \x20 kubectl mage logs job/NAME --tail 100 -f")]
pub struct LogsArgs {
    /// Stay until the Jobs end, and end as they did
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub logs: LogArgs,
}

/// What `tail` and `logs` share.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// RUN, run/RUN, @latest, PIPELINE@N for the Mage server's run N, job/NAME, or PIPELINE or
    /// PIPELINE/BLOCK for its newest run
    #[arg(value_name = "RUN|TARGET|job/NAME", required = true)]
    pub subjects: Vec<String>,
    /// Only Jobs with these labels
    #[arg(short = 'l', long, value_name = "KEY=VALUE", value_parser = parse_selector)]
    pub selector: Option<String>,
    /// Only what was written in the last DURATION, such as 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "since_time", help_heading = "Which lines")]
    pub since: Option<Duration>,
    /// Only what was written after this time, as 2026-11-27T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Which lines")]
    pub since_time: Option<Timestamp>,
    /// Only this many lines from the end of each log; default: -1, all
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Which lines")]
    pub tail: Option<i64>,
    /// Only lines, and tracebacks, in which this regular expression matches; of several, any
    #[arg(long, value_name = "REGEX", help_heading = "Which lines")]
    pub grep: Vec<String>,
    /// No lines, and no tracebacks, in which this regular expression matches
    #[arg(long, value_name = "REGEX", help_heading = "Which lines")]
    pub exclude: Vec<String>,
    /// Only what is at least as grave; what has no level counts as info, a traceback as error
    #[arg(long, value_enum, help_heading = "Which lines")]
    pub level: Option<LevelChoice>,
    /// The run of the container before its last restart
    #[arg(short, long, help_heading = "Which lines")]
    pub previous: bool,
    /// The container; by default the one that runs the block, and init containers that fail
    #[arg(short, long, value_name = "NAME", help_heading = "Which lines")]
    pub container: Vec<String>,
    /// Every container: sidecars and init containers too
    #[arg(
        long, value_name = "BOOL", default_missing_value = "true", num_args = 0..=1,
        require_equals = true, default_value = "false", hide_default_value = true,
        action = ArgAction::Set, conflicts_with = "container", help_heading = "Which lines"
    )]
    pub all_containers: bool,
    /// Put the time before each line; in UTC, or in a ZONE such as local or Europe/Berlin
    #[arg(
        long, value_name = "ZONE", default_missing_value = "true", num_args = 0..=1,
        require_equals = true, help_heading = "How they are shown"
    )]
    pub timestamps: Option<String>,
    /// Output format: text for people, raw for the bytes of one container, json for one object a line
    #[arg(short, long, value_enum, default_value_t = LogOutput::Text, help_heading = "How they are shown")]
    pub output: LogOutput,
    /// In which order the lines of several logs come; default: as they come, with `logs` one log after the other
    #[arg(long, value_enum, value_name = "ORDER", help_heading = "How they are shown")]
    pub merge: Option<MergeChoice>,
    /// Keep whole logs in this folder too, a file for each attempt of a block
    ///
    /// BLOCK.ATTEMPT.log is byte for byte what the container wrote. Until a log was read to its end its file is
    /// BLOCK.ATTEMPT.log.part, which the next reading goes on with; a complete file is compared and not changed.
    /// BLOCK.ATTEMPT.times beside it, and kubectl-mage-logs.jsonl, are for `logs`, which finds all this once the pods
    /// are gone.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["since", "since_time", "tail", "previous"], help_heading = "How they are shown")]
    pub save: Option<PathBuf>,
    /// How many logs are open at once; the others take turns
    #[arg(long, value_name = "N", default_value = "100", help_heading = "How they are shown")]
    pub max_streams: NonZeroUsize,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Parses a time with its offset from UTC.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let wrong = |_| format!("{text:?} is no time; write it as 2026-11-27T12:00:00Z");
    text.parse().map_err(wrong)
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogOutput {
    Text,
    Raw,
    Json,
}

/// How grave a line is at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelChoice {
    Debug,
    Info,
    Warning,
    Error,
}

/// The order of lines of several logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MergeChoice {
    /// By their time stamps, within three seconds; a pod that starts later may begin with older lines.
    Time,
    /// As they come.
    Arrival,
}
