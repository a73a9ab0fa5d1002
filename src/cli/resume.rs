//! `resume` and `attach`

use std::time::Duration;

use clap::Args;

use super::connection::parse_duration;
use super::{
    ConfigArgs, ConnectionArgs, DriverArgs, InterruptChoice, KeepingArgs, LogsChoice, RunOutput,
};

/// Continue a run where it stopped
///
/// The run's plan and its Jobs in the cluster are all that is needed: not the project, nor the
/// machine that began it. Blocks that are complete stay so, what runs is followed on, what failed
/// gets another attempt, and the rest is started in its turn. Flags that are not given are as
/// recorded. A run that somebody drives right now is not taken from them: follow it with `attach`.
///
/// Where the plan could not be recorded (no right to create ConfigMaps), the project is needed too:
/// its Jobs are made anew, and must be what each Job of the run says they were.
///
/// With --replan, the Jobs of the blocks that have not ended and do not run are made anew from the
/// project as it is now, for the same targets and with the flags recorded, over which those given
/// here hold. What that changes is shown first.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The newest run of the namespace\n\
    \x20 kubectl mage resume @latest\n\
    \n\
    \x20 # After a setting was corrected: with the project as it is now\n\
    \x20 kubectl mage resume @latest --replan")]
#[command(mut_arg("offline", |flag| flag.hide(true)))]
#[command(mut_arg("block_run_id", |flag| flag.hide(true)))]
#[command(mut_arg("pipeline_run_id", |flag| flag.hide(true)))]
pub struct ResumeArgs {
    /// RUN, run/RUN, or @latest for the newest one in the namespace
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Show how the project's files differ from the recorded plan, and continue by them
    ///
    /// On a terminal, and in a protected context, this asks first.
    #[arg(long)]
    pub replan: bool,
    /// How many blocks run at once; default: as recorded
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel: Option<u32>,
    /// How often a block that fails from now on gets a new Job; default: as recorded
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,
    /// End the run after this time from now, such as 90s, 15m, 2h; default: never
    ///
    /// Unfinished Jobs are deleted and named.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// How long a pod may wait to start, such as 90s, 15m; default: as recorded
    ///
    /// Unfinished Jobs are then deleted and named.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub pending_timeout: Option<Duration>,
    /// After a failure, go on with everything that doesn't depend on it
    #[arg(long, conflicts_with = "fail_fast")]
    pub keep_going: bool,
    /// After a failure, start nothing new
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

/// Follow a run that somebody else drives
///
/// Shows what `run` shows, with all logs that are still there, and changes nothing. Ends with the
/// run's outcome, or, with exit code 1, when nothing runs any more and nobody drives it: `resume`
/// continues it then. Ctrl-C leaves the run as it is.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The newest run of the namespace\n\
    \x20 kubectl mage attach @latest\n\
    \n\
    \x20 # One event a line, for a program\n\
    \x20 kubectl mage attach @latest -o json --logs none")]
pub struct AttachArgs {
    /// RUN, run/RUN, or @latest for the newest one in the namespace
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Whose logs are shown
    #[arg(long, value_enum, value_name = "WHOSE", default_value_t = LogsChoice::All)]
    pub logs: LogsChoice,
    /// Output format: text, or json for one event a line
    #[arg(short, long, value_enum, default_value_t = RunOutput::Text)]
    pub output: RunOutput,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
