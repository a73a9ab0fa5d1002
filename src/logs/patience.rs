//! How long a silent or broken stream is waited for (pure).

use std::time::Duration;

use crate::cluster::ClusterError;

/// A stream that was lively is replaced after that long a silence: a dead connection looks just like a
/// quiet block.
const IDLE: Duration = Duration::from_secs(10);
/// The same once replacing it has brought nothing, so that a quiet block costs little.
const LONGEST_IDLE: Duration = Duration::from_mins(1);
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// How far tries are apart while the server answers.
const LONGEST_DELAY: Duration = Duration::from_secs(1);
/// The same while it does not.
const LONGEST_DELAY_AWAY: Duration = Duration::from_secs(5);
/// The longest that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// What happened lately, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    idle: Duration,
    delay: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { idle: IDLE, delay: FIRST_DELAY }
    }
}

impl Patience {
    /// Returns how long a silent stream is waited for.
    pub(super) fn idle(self) -> Duration {
        self.idle
    }

    /// Notes that something new came.
    pub(super) fn progress(&mut self) {
        *self = Self::default();
    }

    /// Notes that a silent stream is replaced.
    pub(super) fn silent(&mut self) {
        self.idle = (self.idle * 2).min(LONGEST_IDLE);
    }

    /// Returns how long to wait before the next stream: not at all after one that brought something.
    pub(super) fn wait(&mut self, news: bool, error: Option<&ClusterError>) -> Duration {
        if let Some(asked) = error.and_then(ClusterError::retry_after) {
            return asked.min(LONGEST_ASKED);
        }
        if news {
            return Duration::ZERO;
        }
        let away =
            matches!(error, Some(ClusterError::Unreachable { .. } | ClusterError::TimedOut { .. }));
        let longest = if away { LONGEST_DELAY_AWAY } else { LONGEST_DELAY };
        let wait = self.delay.min(longest);
        self.delay = (wait * 2).min(longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_DELAY, Patience};
    use std::time::Duration;

    #[test]
    fn at_once_after_progress_and_a_second_apart_at_most() {
        let mut patience = Patience::default();
        assert_eq!(patience.wait(true, None), Duration::ZERO);
        let waits: Vec<Duration> = (0..10).map(|_| patience.wait(false, None)).collect();
        assert!(waits.is_sorted() && waits[0] > Duration::ZERO, "{waits:?}");
        assert_eq!(waits[9], LONGEST_DELAY);
        patience.progress();
        assert!(patience.wait(false, None) < LONGEST_DELAY);
    }

    #[test]
    fn a_quiet_block_is_asked_about_less_and_less() {
        let mut patience = Patience::default();
        let mut idle = Vec::new();
        for _ in 0..5 {
            idle.push(patience.idle().as_secs());
            patience.silent();
        }
        assert_eq!(idle, [10, 20, 40, 60, 60]);
    }
}
