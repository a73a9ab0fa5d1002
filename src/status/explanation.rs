//! What `why` says.

use super::evidence::Evidence;
use super::view::BlockView;
use crate::cluster::RunRow;
use crate::diagnose::Story;

/// Why a run or a Job stands as it does.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The namespace.
    pub namespace: String,
    /// The run; none of a Job that is of no run.
    pub row: Option<RunRow>,
    /// The blocks that are worth a word, the one with every detail first.
    pub blocks: Vec<Told>,
    /// What can no longer be known, or may not be read.
    pub unknown: Vec<String>,
}

/// One block.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its row in the table.
    pub view: BlockView,
    /// Its cause and remedy.
    pub story: Story,
    /// What they rest on.
    pub evidence: Vec<Evidence>,
    /// The last lines of its log, readable.
    pub lines: Vec<String>,
}
