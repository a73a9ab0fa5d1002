//! How logs are followed.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::containers::Containers;
use super::wanted::Wanted;
use crate::logs::{LogFolder, Part, SavedLog};

/// Whether it is shown when each line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// It is.
    Shown,
    /// It is not.
    Unshown,
}

/// Whether the bytes of several logs may come out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Each line says whose it is.
    Told,
    /// Nothing tells them apart, so there may be one container of one block only.
    Refused,
}

/// What is followed, and how; every default filled in.
#[derive(Clone, Debug)]
pub struct TailOptions {
    /// What is asked for.
    pub wanted: Vec<Wanted>,
    /// The namespace; empty for all.
    pub namespace: String,
    /// Only Jobs with these labels; empty for all.
    pub labels: String,
    /// Which containers.
    pub containers: Containers,
    /// Whether the bytes of several logs may come out together.
    pub mix: Mix,
    /// Which part of each log.
    pub part: Part,
    /// How many logs are open at once.
    pub max_streams: NonZeroUsize,
    /// Where logs are kept besides.
    pub folder: Option<LogFolder>,
    /// Logs that were saved before, from this cluster.
    pub saved: Vec<SavedLog>,
    /// Whether it has to be known when each line was written.
    pub times: Times,
    /// How long the API server may be away.
    pub contact_timeout: Duration,
}
