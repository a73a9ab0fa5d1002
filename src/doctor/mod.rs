//! Whether everything is there that a run needs (pure): facts in, one sentence a check out.
//!
//! `rights.rs` is the one place that says which command needs which rights.

mod changes;
mod check;
mod checks;
mod configuration;
mod facts;
mod image;
mod reach;
mod rights;
mod role;

pub use changes::{Change, changes};
pub use check::{Check, Report, State};
pub use checks::report;
pub use facts::{Answered, Asked, Compared, Counts, Facts, Given, Identity, Judged, Names, Wanted};
pub use image::{ImageFacts, ImageWanted, NodeImages, PodImage, Pulled};
pub use reach::{Reach, Stage};
pub use rights::{Changes, CommandRights, Need, Place, Right, all as rights_all};
pub use role::missing_roles;
