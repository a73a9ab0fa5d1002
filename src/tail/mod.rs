//! Follows the logs of whatever Jobs are meant, from before their first pod to after their end.
//!
//! `wanted` says what is meant, `containers` what of a pod is read, `standing` how the Jobs stand and
//! when all is over; the engine is one `select!` that knows the rest.

mod containers;
mod engine;
mod options;
mod over;
mod queue;
mod read;
mod reader;
mod saved;
mod stand;
mod state;
mod told;
mod wanted;

pub use containers::{Containers, chosen};
pub use engine::{Ended, tail};
pub use options::{Mix, TailOptions, Times};
pub use read::{ReadOnce, read};
pub(crate) use stand::{JobEnd, Stand};
pub use state::Verdict;
pub use told::{Teller, Told};
pub use wanted::{Bound, Wanted};
