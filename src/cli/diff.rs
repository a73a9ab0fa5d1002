//! `diff`

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs, EditionChoice};

/// Show what differs between the Jobs of the project and those of a cluster, a git revision or a run
///
/// Lines with `-` are those of what is compared with, lines with `+` those of the project as it is now;
/// behind each stands where the value comes from. Every change is told to be possible in place or to
/// need a replacement of the Job. What a cluster writes into a Job is left out, quantities are
/// compared by value, and secrets are masked.
///
/// `--against live` asks the API server what `apply` would make of each Job (a dry run); nothing is
/// changed. With `rev:`, `edition:`, `env:` and `snapshot:` no Job of a cluster is read, and without
/// a TARGET the whole project is compared. `job/NAME` compares a Job of the cluster, also one that
/// the Mage server made, with what the files say now.
///
/// The exit code is 0 where nothing differs, 1 where something does, and above 1 for every error.
/// With `-o diff`, `KUBECTL_EXTERNAL_DIFF` names a program that shows the difference of two folders.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # What apply would change\n\
    \x20 kubectl mage diff orders\n\
    \n\
    \x20 # Which blocks a branch changes, for a pull request\n\
    \x20 kubectl mage diff --against rev:origin/main -o markdown\n\
    \n\
    \x20 # What the newest run used, and what would be used now\n\
    \x20 kubectl mage diff orders --against run:@latest -o summary")]
pub struct DiffArgs {
    /// PIPELINE, PIPELINE/BLOCK or job/NAME; may be left out where the project has one pipeline
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// What to compare with: live, rev:REV, run:RUN, edition:oss|pro, env:ENV or snapshot:FILE
    ///
    /// `rev:REV` reads the project at a git revision, and leaves the working tree alone: for a pull
    /// request, `rev:$(git merge-base origin/main HEAD)`. `run:RUN` takes the Jobs with which a run
    /// began. `env:ENV` is the project with another `ENV`, which picks `overrides.<ENV>`.
    #[arg(
        long,
        value_name = "live|rev:REV|run:RUN|edition:oss|pro|env:ENV|snapshot:FILE",
        default_value = "live"
    )]
    pub against: Against,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = DiffOutput::Diff)]
    pub output: DiffOutput,
    /// Show secrets
    #[arg(long)]
    pub show_secrets: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// The Jobs of the cluster.
    Live,
    /// The project at a git revision.
    Revision(String),
    /// What a run used.
    Run(String),
    /// The project by the merge rules of an edition.
    Edition(EditionChoice),
    /// The project with another `ENV`.
    Environment(String),
    /// The project beside another cluster, by its snapshot.
    Snapshot(PathBuf),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str =
            "live, rev:REV, run:RUN, edition:oss, edition:pro, env:ENV or snapshot:FILE";
        let (kind, value) = text.split_once(':').unwrap_or((text, ""));
        Ok(match (kind, value) {
            ("live", "") if text == "live" => Self::Live,
            ("rev" | "run" | "edition" | "env" | "snapshot", "") => {
                return Err(format!("`{kind}:` needs a value: write {FORMS}"));
            }
            ("rev", revision) => Self::Revision(revision.to_owned()),
            ("run", run) => Self::Run(run.to_owned()),
            ("edition", "oss") => Self::Edition(EditionChoice::Oss),
            ("edition", "pro") => Self::Edition(EditionChoice::Pro),
            ("env", name) => Self::Environment(name.to_owned()),
            ("snapshot", file) => Self::Snapshot(file.into()),
            _ => return Err(format!("expected {FORMS}")),
        })
    }
}

/// How differences are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffOutput {
    /// As `diff -u` does, each changed line's origin behind it
    Diff,
    /// One line a Job, and a sentence
    Summary,
    /// Every changed field, for programs
    Json,
    /// For a comment on a pull request
    Markdown,
}

#[cfg(test)]
mod tests {
    use super::Against;

    #[test]
    fn what_to_compare_with_is_read_or_refused() {
        for text in [
            "live",
            "rev:HEAD~1",
            "run:@latest",
            "run:run/etl-x",
            "edition:oss",
            "env:a:b",
            "snapshot:f",
        ] {
            assert!(text.parse::<Against>().is_ok(), "{text}");
        }
        for text in ["", "rev:", "rev", "live:", "live:x", "edition:x", "main", "head:x"] {
            let error = text.parse::<Against>().unwrap_err();
            assert!(error.contains("snapshot:FILE"), "{error}");
        }
        assert_eq!("env:a:b".parse(), Ok(Against::Environment("a:b".to_owned())));
    }
}
