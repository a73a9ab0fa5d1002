//! How a Job stands, by its conditions first and its pods second.

use std::fmt;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use crate::cluster::{JobState, job_state};

/// How a Job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// `spec.suspend`.
    Suspended,
    /// It has no pod yet.
    NoPod,
    /// Its pod waits to start.
    Pending,
    /// Its pod runs, or has ended and the Job does not say so yet.
    Running,
    /// It is being deleted, and its pods with it.
    Deleting,
    /// `Complete`.
    Complete,
    /// `Failed`, or it will have when its last pod has ended.
    Failed,
    /// The Job is gone.
    Gone,
}

impl Standing {
    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "Suspended",
            Self::NoPod => "Created",
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Deleting => "Deleting",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Gone => "Gone",
        }
    }

    /// Tells whether nothing more will happen.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Gone)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Reads how a Job stands; where it could not be read, its pods must do.
#[must_use]
pub fn standing(job: Option<&Job>, pods: &[&Pod]) -> Standing {
    let state = job.map(job_state);
    match state {
        Some(JobState::Complete) => return Standing::Complete,
        Some(JobState::Failed { .. } | JobState::Failing) => return Standing::Failed,
        _ => {}
    }
    if job.is_some_and(|job| job.metadata.deletion_timestamp.is_some()) {
        return Standing::Deleting;
    }
    if state == Some(JobState::Suspended) {
        return Standing::Suspended;
    }
    let phase = |pod: &&&Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
    let phases: Vec<String> = pods.iter().filter_map(|pod| phase(&pod)).collect();
    let any = |wanted: &str| phases.iter().any(|phase| phase == wanted);
    if any("Running") {
        return Standing::Running;
    }
    if any("Pending") || (any("") && !phases.is_empty()) {
        return Standing::Pending;
    }
    match (job, phases.last().map(String::as_str)) {
        (Some(_), None) => Standing::NoPod,
        (Some(_), Some(_)) => Standing::Running,
        (None, Some("Succeeded")) => Standing::Complete,
        (None, Some(_)) => Standing::Failed,
        (None, None) => Standing::Gone,
    }
}
