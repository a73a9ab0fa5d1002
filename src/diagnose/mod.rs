//! Facts about pods, containers and Jobs, turned into one sentence and a next step (pure).

mod death;
mod pending;

pub use death::{Cause, job_failure, pod_death};
pub use pending::{Pending, PendingKind, pending, pending_by_event, pending_hint};
