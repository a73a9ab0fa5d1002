//! What can be typed: clap's types, one file a verb, no logic. Their docs are the manual.
#![expect(missing_docs, reason = "clap prints the docs of fields and variants; names say the rest")]

mod apply;
pub mod completion;
mod config_args;
mod connection;
mod diff;
mod doctor;
mod driver;
pub mod environment;
mod explain;
mod graph;
mod keeping;
mod lint;
mod recorded;
mod removal;
mod render;
mod resume;
mod run;
mod runs;
mod selector;
mod snapshot;
mod status;
mod tail;

pub use apply::{ApplyArgs, ApplyOutput, DryRunChoice};
pub use config_args::{ConfigArgs, EditionChoice, NameValue};
pub use connection::{ConnectionArgs, parse_duration};
pub use diff::{Against, DiffArgs, DiffOutput};
pub use doctor::{DoctorArgs, DoctorOutput};
pub use driver::DriverArgs;
pub use explain::{ExplainArgs, ExplainOutput};
pub use graph::{GraphArgs, GraphOutput};
pub use keeping::KeepingArgs;
pub use lint::{FailOn, LintArgs, LintFormat, LintOutput};
pub use recorded::RecordedFlags;
pub use removal::{CancelArgs, DeleteArgs, PruneArgs};
pub use render::{RenderArgs, RenderOutput};
pub use resume::{AttachArgs, ResumeArgs};
pub use run::{InterruptChoice, LogsChoice, RunArgs, RunOutput};
pub use runs::RunsArgs;
pub use snapshot::{SnapshotArgs, SnapshotOutput};
pub use status::{StatusArgs, TableOutput, WhyArgs, WhyOutput};
pub use tail::{LevelChoice, LogArgs, LogOutput, LogsArgs, MergeChoice, TailArgs};

use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

/// See, check and run the Kubernetes Jobs of a Mage pipeline.
///
/// Mage's Kubernetes executor runs each block of a pipeline in a Job of its own, shaped by settings
/// from many layers. This plugin shows the Job that comes out and which layer gave which value, and
/// runs the pipeline from a terminal, with the current kubeconfig context.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-mage",
    bin_name = "kubectl mage",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    args_override_self = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// How much is said, and in which colours.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// Say less: only results and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Say more: what was read and decided; from `-v=6` on each request to the API server, too
    #[arg(
        short,
        global = true,
        action = ArgAction::Append,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_name = "N",
        value_parser = parse_level,
        help_heading = "Output"
    )]
    pub verbose: Vec<u8>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, help_heading = "Output")]
    pub color: ColorChoice,
}

/// Parses a level; higher ones than there are are taken for the highest.
fn parse_level(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse::<u32>().map(|level| u8::try_from(level).unwrap_or(u8::MAX))
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Tells whether some command has a format of this name for `-o`.
#[must_use]
pub fn is_format(name: &str) -> bool {
    let cli = Cli::command();
    let flags = cli.get_subcommands().flat_map(clap::Command::get_arguments);
    let mut outputs = flags.filter(|flag| flag.get_id() == "output");
    outputs.any(|flag| flag.get_possible_values().iter().any(|value| value.matches(name, false)))
        || LintFormat::from_str(name, false).is_ok()
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Render(RenderArgs),
    #[command(visible_alias = "explain")]
    ExplainConfig(ExplainArgs),
    Lint(Box<LintArgs>),
    Diff(Box<DiffArgs>),
    Graph(GraphArgs),
    Apply(Box<ApplyArgs>),
    Run(Box<RunArgs>),
    Resume(Box<ResumeArgs>),
    Attach(Box<AttachArgs>),
    Tail(Box<TailArgs>),
    Logs(Box<LogsArgs>),
    Runs(RunsArgs),
    Status(StatusArgs),
    Why(WhyArgs),
    Cancel(CancelArgs),
    Delete(DeleteArgs),
    Prune(PruneArgs),
    Snapshot(SnapshotArgs),
    Doctor(Box<DoctorArgs>),
    /// Write a completion script
    ///
    /// `bash`, `zsh`, `fish`, `elvish` and `powershell` complete `kubectl-mage`. `kubectl` writes
    /// the helper that `kubectl mage <TAB>` needs, which must be on your PATH as the executable
    /// `kubectl_complete-mage`: `kubectl mage completion kubectl --install` puts it there.
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: CompletionShell,
        /// With `kubectl`: put the helper into this folder, or beside kubectl-mage on the PATH
        #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, value_hint = clap::ValueHint::DirPath)]
        install: Option<Option<std::path::PathBuf>>,
    },
    /// Print the version
    Version {
        /// Output format
        #[arg(short, long, value_enum)]
        output: Option<VersionOutput>,
    },
}

/// A shell that can be completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    Bash,
    Elvish,
    Fish,
    /// `kubectl_complete-mage`, for `kubectl mage <TAB>`.
    Kubectl,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
}

/// How the version is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VersionOutput {
    Json,
    Yaml,
}
