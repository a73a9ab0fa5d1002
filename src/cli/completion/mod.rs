//! Completion: scripts for shells, and the candidates that they and kubectl ask for.
//!
//! One answer serves all: the hidden command `__complete` takes the words typed so far, the last of
//! which is to be completed. For `kubectl mage …` kubectl runs `kubectl_complete-mage`, which hands
//! them to it; the scripts of bash, zsh and fish do so for `kubectl-mage …`. The answer has the form
//! that kubectl's own completion has: a candidate a line, a tab and a description after it, and last
//! a colon and what the shell is to do besides.

mod answer;
mod script;
mod typed;
mod values;

pub use answer::candidates;
pub use script::script;
pub use typed::{asked, connection, project};
pub use values::{Ask, Names};

/// The program's file name, which shells complete.
const PROGRAM: &str = "kubectl-mage";
