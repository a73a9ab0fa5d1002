//! The merge, and only that: the rules of each edition, and a trace of what won and what lost.

mod oss;
mod oss_affinity;
mod oss_exact;
mod oss_reader;
mod oss_unread;
mod overlay;
mod pro;
mod tree;

pub use oss::{
    Merged, OssInput, OssLayer, is_configured, merge as merge_oss, merge_unlike as merge_oss_unlike,
};
pub use overlay::{Merge, joined_by};
pub use pro::{Pro, ProLayer};
pub use tree::{Content, Fields, Loser, Rule, Tree};
