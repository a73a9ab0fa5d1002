//! Runs a pipeline: one Job a block, in the order the graph asks for.
//!
//! ```text
//!  Jobs, pods, events (watches) ─┐
//!  answers to POSTs ─────────────┤
//!  ends of logs ─────────────────┼──► dispatcher (one select!, the only truth) ──► RunEvent ──► ui
//!  signals, clock ───────────────┘          │
//!                                           └──► scheduler (pure): which block next, which never
//! ```

mod dispatcher;
mod events;
mod follow;
mod input;
mod launch;
mod learn;
mod learn_pods;
mod options;
mod outcome;
mod plan;
mod preamble;
mod record;
mod run_id;
mod scheduler;
mod settle;
mod signals;
mod track;

pub use dispatcher::execute;
pub use events::{BlockState, EventKind, EventSender, RunEvent, RunState, channel};
pub use options::{Failure, Logs, OnInterrupt, Options, Output};
pub use outcome::{BlockReport, Outcome, Stop};
pub use plan::{Plan, PlannedBlock, prepare};
pub use preamble::{Surroundings, critical_path, preamble};
pub use record::{read_plan, record_name};
pub use run_id::RunId;
pub use scheduler::{Scheduler, Skip, Verdict};
pub use signals::{Signal, Signals};
