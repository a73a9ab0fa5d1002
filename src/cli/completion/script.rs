//! The scripts.

use clap::CommandFactory as _;
use clap_complete::aot::{Shell, generate};

use super::PROGRAM;
use crate::cli::{Cli, CompletionShell};

/// Returns the completion script of a shell. Those of bash, zsh and fish ask the program whenever
/// TAB is pressed, and are written by hand in `completions/`; those of elvish and PowerShell are made
/// of the commands, and know those and their flags alone.
#[must_use]
pub fn script(shell: CompletionShell) -> String {
    let of_clap = |shell: Shell| {
        let mut script = Vec::new();
        generate(shell, &mut Cli::command(), PROGRAM, &mut script);
        String::from_utf8(script).expect("clap writes UTF-8")
    };
    match shell {
        CompletionShell::Bash => include_str!("../../../completions/kubectl-mage.bash").to_owned(),
        CompletionShell::Elvish => of_clap(Shell::Elvish),
        CompletionShell::Fish => include_str!("../../../completions/kubectl-mage.fish").to_owned(),
        CompletionShell::Kubectl => {
            include_str!("../../../completions/kubectl_complete-mage").to_owned()
        }
        CompletionShell::PowerShell => of_clap(Shell::PowerShell),
        CompletionShell::Zsh => include_str!("../../../completions/_kubectl-mage").to_owned(),
    }
}
