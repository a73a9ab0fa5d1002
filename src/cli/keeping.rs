//! What `run` and `resume` leave on the disk

use std::path::PathBuf;

use clap::Args;

#[derive(Clone, Debug, Default, Args)]
pub struct KeepingArgs {
    /// Write a report of the run to FILE when it ends, however it ends; may be repeated
    ///
    /// The extension says in which form: `.json` for programs, `.xml` as JUnit test results, `.md`
    /// for a comment on a pull request, `.html` for a browser.
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    pub report: Vec<PathBuf>,
    /// Keep the log of every attempt in DIR, as BLOCK.ATTEMPT.log
    ///
    /// Byte for byte, while the run goes on; BLOCK.ATTEMPT.log.part until the log was read to its end. `resume` with
    /// the same folder goes on with the files, and `kubectl mage logs` finds them once the pods are gone.
    #[arg(long, value_name = "DIR", conflicts_with = "detach")]
    pub logs_dir: Option<PathBuf>,
}
