//! How a run behaves.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::driver::Driver;
use crate::cluster::PATIENCE;
use crate::logs::LogFolder;

/// What a failed block does to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Nothing new starts; what runs is awaited.
    #[default]
    FailFast,
    /// Everything that does not depend on the failure goes on.
    KeepGoing,
}

/// What a signal does to the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInterrupt {
    /// What runs goes on in the cluster, nothing new starts.
    Pause,
    /// What runs is deleted, and its pods are awaited to be gone.
    #[default]
    Cancel,
    /// A driver in the cluster goes on with it.
    Detach,
}

/// Whose logs are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logs {
    /// Every block's, live.
    #[default]
    All,
    /// Those of failed blocks, once they have failed.
    Failed,
    /// None.
    None,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One event a line.
    Json,
}

/// How a run behaves; every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many blocks run at once.
    pub parallel: NonZeroUsize,
    /// What a failed block does to the others.
    pub failure: Failure,
    /// How often a block that failed gets another Job.
    pub retries: u32,
    /// What a signal does to the run.
    pub on_interrupt: OnInterrupt,
    /// How long a block may wait for its container to start.
    pub pending_timeout: Duration,
    /// How long an image may fail to come.
    pub image_grace: Duration,
    /// How long the whole run may take.
    pub timeout: Option<Duration>,
    /// How long contact with the API server may be lost.
    pub contact_timeout: Duration,
    /// Whose logs are shown.
    pub logs: Logs,
    /// The form of the output.
    pub output: Output,
    /// The driver to which a signal hands the run.
    pub driver: Option<Driver>,
    /// Where the log of every attempt is kept, if anywhere.
    pub log_folder: Option<LogFolder>,
}

impl Options {
    /// Returns the flags with which `resume` goes on in the same way, for a run that has gone on for
    /// so long.
    #[must_use]
    pub fn resume_flags(&self, elapsed: Duration) -> Vec<String> {
        let failure = match self.failure {
            Failure::FailFast => "--fail-fast",
            Failure::KeepGoing => "--keep-going",
        };
        let mut flags = vec![
            format!("--parallel={}", self.parallel),
            format!("--retries={}", self.retries),
            format!("--pending-timeout={}ms", self.pending_timeout.as_millis()),
            failure.to_owned(),
        ];
        if let Some(timeout) = self.timeout {
            let left = timeout.saturating_sub(elapsed).as_millis();
            flags.push(format!("--timeout={left}ms"));
        }
        flags
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel: const { NonZeroUsize::new(20).expect("twenty is not zero") },
            failure: Failure::default(),
            retries: 0,
            on_interrupt: OnInterrupt::default(),
            pending_timeout: Duration::from_mins(10),
            image_grace: Duration::from_mins(1),
            timeout: None,
            contact_timeout: PATIENCE,
            logs: Logs::default(),
            output: Output::default(),
            driver: None,
            log_folder: None,
        }
    }
}

/// What of the options belongs to the run, not to the terminal that started it: it is recorded
/// with the plan, and whoever resumes the run goes on by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many blocks run at once.
    pub parallel: NonZeroUsize,
    /// What a failed block does to the others.
    pub failure: Failure,
    /// How often a block that failed gets another Job.
    pub retries: u32,
    /// How long a block may wait for its container to start.
    pub pending_timeout: Duration,
    /// How long the whole run may take.
    pub timeout: Option<Duration>,
}

impl From<&Options> for Settings {
    fn from(options: &Options) -> Self {
        Self {
            parallel: options.parallel,
            failure: options.failure,
            retries: options.retries,
            pending_timeout: options.pending_timeout,
            timeout: options.timeout,
        }
    }
}

impl From<Settings> for Options {
    fn from(settings: Settings) -> Self {
        Self {
            parallel: settings.parallel,
            failure: settings.failure,
            retries: settings.retries,
            pending_timeout: settings.pending_timeout,
            timeout: settings.timeout,
            ..Self::default()
        }
    }
}
