//! Facts about pods, containers and Jobs, turned into one sentence of cause and one of remedy (pure).
//!
//! A file for each kind of trouble. `pending` and `death` find which kind it is for the dispatcher,
//! which sees one thing after the other; `story` for `why`, which sees all at once.

mod admission;
mod cause;
mod container_start;
mod death;
mod disruption;
mod exit_code;
mod image;
mod memory;
mod pending;
mod sandbox;
mod scheduling;
mod standing;
mod start;
mod story;
mod traceback;

pub use cause::Cause;
pub use death::{job_failure, pod_death, pod_death_with_log};
pub use pending::{Pending, PendingKind, pending, pending_by_event, pending_hint};
pub use standing::{Standing, standing};
pub use start::start_cause;
pub use story::{Facts, Story, seen_at, story};
pub use traceback::{Frame, Traceback, traceback};
