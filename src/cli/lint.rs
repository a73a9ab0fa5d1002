//! `lint`

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs};

/// Find mistakes in all layers, each with its line and a fix
///
/// Each finding has a stable id with a page in the documentation. What is
/// an error in other commands is a finding here. The exit code is 1 when an error is found, and 2
/// only when nothing could be read, whatever the output format.
///
/// A comment `# mage-lint: ignore MAGE101 because …` at the end of a line, or on a line of its own
/// above it, silences a finding; `# mage-lint: ignore-file MAGE101 because …` does so for the whole file.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # All pipelines, against the cluster too\n\
    \x20 kubectl mage lint --live\n\
    \n\
    \x20 # In CI, without a cluster\n\
    \x20 kubectl mage lint --snapshot snapshot.json --offline --fail-on warning -o github\n\
    \n\
    \x20 # Repair what is safe to repair\n\
    \x20 kubectl mage lint --fix")]
pub struct LintArgs {
    /// PIPELINE or PIPELINE/BLOCK; all pipelines where none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Output format: text, json, sarif or github; `FORMAT=FILE` writes a file; may be repeated
    #[arg(short, long, value_name = "FORMAT[=FILE]", default_value = "text")]
    pub output: Vec<LintOutput>,
    /// The least severity for which the exit code is 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// An enforced policy that overrides what a user set is an error
    #[arg(long)]
    pub strict: bool,
    /// Check against the cluster too: namespaces, accounts, claims, nodes, quotas; `--snapshot` does the
    /// same without one
    #[arg(long, conflicts_with_all = ["offline", "snapshot"])]
    pub live: bool,
    /// Edit the files in place where a finding has a safe fix
    #[arg(long)]
    pub fix: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// A format, and the file it goes to; stdout without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintOutput {
    pub format: LintFormat,
    pub file: Option<PathBuf>,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    Text,
    Json,
    Sarif,
    Github,
}

/// A severity that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
}

impl FromStr for LintOutput {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("name a file after the `=`".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = LintFormat::from_str(name, false)
            .map_err(|_| format!("`{name}` is none of text, json, sarif, github"))?;
        Ok(Self { format, file })
    }
}
