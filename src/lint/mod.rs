//! Everything wrong or doubtful, each with a stable id, the line at fault and a way out.
//!
//! Much of it is found while files are read, merged and built into Jobs; what nobody else has a reason
//! to look for is looked for here. Either way a finding has a [`Rule`], one file each, from which its
//! page in the documentation is made; the example on that page is its test.

mod facts;
mod fix;
mod ignore;
mod lost;
mod nodes;
mod place;
mod pod;
mod references;
pub mod report;
mod reported;
mod rule;
mod rules;

pub use facts::{BlockFile, Found, JobFacts, PipelineFacts, ProjectFacts};
pub use fix::{Fixed, fixed};
pub use ignore::{Ignored, ignores};
pub use place::{at, at_block, at_settings, at_value};
pub use reported::{Collected, Reported, Summary};
pub use rule::{Check, Example, Rule};
pub use rules::{all as rules_all, policy_conflicts, rule, rule_named};
