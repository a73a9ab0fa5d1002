//! How Jobs differ: leaf by leaf, with where each side's value comes from, and what becomes of the
//! Job for it. Items of lists are told apart as the API server does, quantities are compared by
//! value, and what a cluster writes into a Job is no difference.

mod change;
mod immutable;
mod json;
mod lines;
mod markdown;
mod pairs;
mod side;
mod summary;
#[cfg(test)]
mod tests;
mod tree;
mod unified;

pub use change::{Applies, Change, Difference, Leaf, Verdict, compare};
pub use immutable::{Decided, Template};
pub use json::{diff_json, diff_schema};
pub use lines::{Line, Mark};
pub use markdown::diff_markdown;
pub use side::{Side, spoken_of};
pub use summary::{JobDiff, Quota, Report, Summary, Weight};
pub use unified::{Hunk, hunks};
