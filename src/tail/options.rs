//! How logs are followed.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::containers::Containers;
use super::wanted::Wanted;
use crate::logs::{LogFolder, Part};

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
    /// Which part of each log.
    pub part: Part,
    /// How many logs are open at once.
    pub max_streams: NonZeroUsize,
    /// Where logs are kept besides.
    pub folder: Option<LogFolder>,
    /// How long the API server may be away.
    pub contact_timeout: Duration,
}
