//! How a run stands, block by block, from its Jobs, pods and plan (pure).

mod blocks;
mod evidence;
mod explanation;
mod view;

pub use blocks::{Block, blocks};
pub use evidence::{Evidence, evidence};
pub use explanation::{Explanation, Told};
pub use view::{BlockView, Planned, RunView, block_view, of_note, row_of_blocks, run_view};
pub(crate) use view::{is_noted, tell};
