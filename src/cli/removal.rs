//! `cancel`, `delete` and `prune`

use std::time::Duration;

use clap::Args;

use super::ConnectionArgs;
use super::connection::parse_duration;

/// Stop a run and leave no pod behind
///
/// Marks the recorded plan, so that whoever drives the run creates no more Jobs and ends with exit code 6, deletes
/// the Jobs that are not finished, and waits until their pods are gone and nobody drives the run any
/// more. Finished Jobs stay, for `status` and `why`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # The newest run of the namespace\n\
    \x20 kubectl mage cancel @latest")]
pub struct CancelArgs {
    /// RUN, run/RUN or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Do not ask, also in a protected context
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Remove a run that is over: its Jobs, pods and recorded plan
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # What would be deleted\n\
    \x20 kubectl mage delete @latest --dry-run")]
pub struct DeleteArgs {
    /// RUN, run/RUN or @latest
    #[arg(value_name = "RUN")]
    pub run: String,
    /// List what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, also in a protected context
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Remove the runs that ended long ago
///
/// Complete, failed and cancelled runs go, with their Jobs, pods and recorded plans. Stopped runs stay (paused, or ended by
/// `--timeout`), because `resume` can continue them: `delete` removes one.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # What is older than a week, without asking\n\
    \x20 kubectl mage prune --older-than 7d --yes")]
pub struct PruneArgs {
    /// Only runs that ended longer ago than this, such as 12h or 7d
    #[arg(long, value_name = "DURATION", value_parser = parse_age)]
    pub older_than: Duration,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// List what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, also in a protected context
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Parses Go's durations, with days before them: `7d`, `1d12h`, `90m`.
fn parse_age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it as 7d, 1d12h or 90m");
    let Some((days, rest)) = text.split_once('d') else {
        return parse_duration(text).map_err(|_| wrong());
    };
    let days: u32 = days.parse().map_err(|_| wrong())?;
    let rest = if rest.is_empty() { Duration::ZERO } else { parse_duration(rest)? };
    Duration::from_hours(24)
        .checked_mul(days)
        .and_then(|days| days.checked_add(rest))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse_age;
    use std::time::Duration;

    #[test]
    fn ages_may_have_days() {
        assert_eq!(parse_age("7d"), Ok(Duration::from_hours(168)));
        assert_eq!(parse_age("1d12h"), Ok(Duration::from_hours(36)));
        assert_eq!(parse_age("90m"), Ok(Duration::from_mins(90)));
        for wrong in ["", "d", "-1d", "1.5d", "7d3", "99999999999d"] {
            assert!(parse_age(wrong).is_err(), "{wrong}");
        }
    }
}
