//! `diff`: two sides made by the same code, compared, and shown.

mod asked;
mod before;
mod drift;
mod external;
mod files;
mod live;
mod quotas;
mod recorded;
mod show;
mod sides;
mod verb;

pub(super) use verb::diff;
