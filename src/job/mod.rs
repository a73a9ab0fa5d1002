//! From the merged tree to the Job that is sent, with an origin for every leaf.

mod build;
mod command;
mod live;
mod mask;
mod name;
mod quantity;
mod read_command;
mod refusal;
mod requests;
mod resources;
pub mod secret;
mod stamps;
mod values;

pub use build::{BuildContext, RenderedJob, build};
pub use command::{CommandParts, Fidelity, command};
pub use live::{
    Change, Standing, TOKEN_VOLUME, changed_fields, conflict_problem, given_by, is_as_sent,
    keep_token_volume, name_token_volume, replace_problems,
};
pub use mask::Secrets;
pub use name::{clean_name, dns_label, job_id, job_name, short_hash};
pub use quantity::{Quantity, is_quantity, same_quantity};
pub use read_command::{MageCommand, read_command};
pub use refusal::{Refusal, Violation, refusals};
pub use requests::{Amounts, peak_requests, pod_requests};
pub use resources::Guardrail;
pub use stamps::{CONTROLLER_LABELS, STAMPS, without_stamps};
pub use values::JobValue;
