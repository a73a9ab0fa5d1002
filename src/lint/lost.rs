//! Findings of values that did not make it into the Job.

use super::facts::Found;
use super::place::at_lost;
use crate::error::Problem;
use crate::merge::Loser;

/// Adds a finding for every loser that `tell` has something to say of.
pub(super) fn tell_lost<'a>(
    losers: impl Iterator<Item = &'a Loser>,
    found: &mut Found,
    hint: &str,
    tell: impl Fn(&Loser) -> Option<String>,
) {
    for loser in losers {
        if let Some(message) = tell(loser) {
            found.push(at_lost(Problem::new(message), loser).hint(hint));
        }
    }
}
