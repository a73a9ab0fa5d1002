//! `doctor`

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};

use super::{ConfigArgs, ConnectionArgs};
use crate::doctor::{Changes, rights_all};

/// Check whether everything is there that a run needs
///
/// Context, server, clock, namespaces; each right of each command, and the Role that is missing;
/// the Mage server's pod, edition, policy in force, images, storage. Changes nothing, and needs no
/// right: what may not be read is not known. With `--snapshot FILE` it tells what changed since, and
/// with `--offline` too, the file stands for the cluster.
///
/// The exit code is 0 without a problem, 1 with one, 2 where the kubeconfig cannot be used, and 3
/// where the cluster cannot be reached. With `-o role` it is about rights alone: 1 where one is missing
/// that a command cannot do without.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = "\
    Examples:\n\
    \x20 # Whether everything is there that a run needs\n\
    \x20 kubectl mage doctor --for run\n\
    \n\
    \x20 # The Role that is missing, for whoever may create it\n\
    \x20 kubectl mage doctor --for run -o role | kubectl apply -f -")]
pub struct DoctorArgs {
    /// A command whose rights matter, `run` or `"run --detach"`; may be repeated. All commands where
    /// none is named; only those that change nothing with `KUBECTL_MAGE_READONLY`
    #[arg(
        long = "for", value_name = "COMMAND", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(commands())
    )]
    pub commands: Vec<String>,
    /// Put rights into the Role, too, that commands can do without (those to Secrets apart)
    #[arg(long)]
    pub optional: bool,
    /// Output format; `role` writes the missing Role and its binding alone
    #[arg(short, long, value_enum, default_value_t = DoctorOutput::Table)]
    pub output: DoctorOutput,
    /// Leave out the tables' headers
    #[arg(long)]
    pub no_headers: bool,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

fn commands() -> Vec<PossibleValue> {
    let described = rights_all().into_iter().map(|one| {
        PossibleValue::new(one.command).help(match one.changes {
            Changes::Nothing => "changes nothing",
            Changes::Cluster => "changes a cluster",
        })
    });
    described.collect()
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorOutput {
    Table,
    Wide,
    Json,
    Yaml,
    Role,
}
