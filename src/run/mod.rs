//! Runs a pipeline: one Job a block, in the order the graph asks for.
//!
//! ```text
//!  Jobs, pods, events (watches) ─┐
//!  answers to POSTs ─────────────┤
//!  ends of logs ─────────────────┼──► dispatcher (one select!, the only truth) ──► RunEvent ──► ui
//!  signals, clock ───────────────┘          │
//!                                           └──► scheduler (pure): which block next, which never
//! ```

mod adopt;
mod adoption;
mod attempts;
mod cancel;
mod dispatcher;
mod disruption;
mod driver;
mod ending;
mod events;
mod follow;
mod hand_over;
mod input;
mod launch;
mod learn;
mod learn_leases;
mod learn_pods;
mod lease;
mod notes;
mod options;
mod outcome;
mod outline;
mod patches;
mod plan;
mod preamble;
mod ran;
mod record;
mod removal;
mod replan;
mod run_id;
mod scheduler;
mod settle;
mod signals;
mod tick;
mod track;
mod unrecorded;

pub use adoption::{Adoption, AdoptionError, RecordedRun, ReplanError, Retrying, read_run};
pub use attempts::AttemptReport;
pub use cancel::{Cancelled, cancel};
pub use dispatcher::{Begin, execute};
pub use driver::{Driver, SERVICE_ACCOUNT, driver_name, driver_rights};
pub use events::{BlockState, EventKind, EventSender, RunEvent, RunState, channel};
pub use hand_over::{HandOver, NotDriven, record_for_driver};
pub use lease::{Claim, Held, holder_name, identity};
pub use options::{Failure, Logs, OnInterrupt, Options, Output, Settings};
pub use outcome::{BlockReport, Outcome, Stop};
pub use outline::{Differs, Digests, Outline, digests};
pub use plan::{Plan, PlannedBlock, prepare};
pub use preamble::{Surroundings, critical_path, preamble};
pub use record::{PackedPlan, PlanTooLarge, plan_of, read_plan, read_record, record_name};
pub use removal::{Remains, remains, remove_remains};
pub use replan::{Change, Fate, Moved};
pub use run_id::RunId;
pub use scheduler::{Fault, Scheduler, Skip, Verdict};
pub use signals::{Signal, Signals};
pub use unrecorded::read_unrecorded;
