//! What is known of a finding: its names, its page, its example, and who looks for it.

use super::facts::{Found, JobFacts, PipelineFacts, ProjectFacts};
use crate::finding::{FindingId, Severity};

/// A kind of finding.
#[derive(Debug)]
pub struct Rule {
    /// What it is.
    pub id: FindingId,
    /// Its stable code, `MAGE101`.
    pub code: &'static str,
    /// Its name, `unknown-key`.
    pub name: &'static str,
    /// How bad it is, unless whoever found it says otherwise.
    pub severity: Severity,
    /// One line: what is wrong.
    pub summary: &'static str,
    /// Markdown: why it matters, what happens, and what to do.
    pub explanation: &'static str,
    /// A project that has it.
    pub example: Example,
    /// Who looks for it.
    pub check: Check,
}

/// A project that has a finding, and where: a part between `«` and `»` is the range at fault.
///
/// Files that are not given are those of a clean project with the pipeline `etl` and its block `load`.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// `oss` or `pro`.
    pub edition: &'static str,
    /// Paths in the project, and texts.
    pub files: &'static [(&'static str, &'static str)],
    /// Flags besides; `{project}` in them is the project's folder.
    pub flags: &'static [&'static str],
}

/// Who looks for a finding.
#[derive(Clone, Copy)]
pub enum Check {
    /// Those who read files, merge layers and build Jobs.
    OnTheWay,
    /// A look at the project as a whole.
    Project(fn(&ProjectFacts<'_>, &mut Found)),
    /// A look at each pipeline.
    Pipeline(fn(&PipelineFacts<'_>, &mut Found)),
    /// A look at each Job.
    Job(fn(&JobFacts<'_>, &mut Found)),
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OnTheWay => "OnTheWay",
            Self::Project(_) => "Project",
            Self::Pipeline(_) => "Pipeline",
            Self::Job(_) => "Job",
        })
    }
}
