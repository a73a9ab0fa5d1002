//! The answer to what is asked when TAB is pressed.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory as _, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use super::PROGRAM;
use super::values::{Ask, completer};
use crate::cli::Cli;

/// cobra's directive: where there are no candidates, complete the names of files.
const FILES: u8 = 0;
/// cobra's directive: no blank after the candidate.
const NO_BLANK: u8 = 2;
/// cobra's directive: never complete the names of files.
const NO_FILES: u8 = 4;

/// Returns the candidates for the last of these words, as kubectl reads them.
#[must_use]
pub fn candidates(words: Vec<OsString>, ask: &Ask) -> String {
    let mut words = words;
    let mut last = words.pop().unwrap_or_default();
    let word = last.to_string_lossy().into_owned();
    if word == "-" {
        // Of a flag's two names the engine gives one, and for a lone dash that is the short one.
        last = "--".into();
    }
    let files = Arc::new(AtomicBool::new(false));
    let mut command = with_completers(ask, &files);
    // The engine would take the next word for the value of a flag that takes one only after a `=`.
    words.retain(|word| !word.to_str().is_some_and(|word| wants_equals(&command, word)));
    words.insert(0, PROGRAM.into());
    let index = words.len();
    words.push(last);
    let found = complete(&mut command, words, index, None).unwrap_or_default();

    // Of `--flag=value` the shell wants to know the value only.
    let before_value = match word.split_once('=') {
        Some((flag, _)) if flag.starts_with('-') => flag.len() + 1,
        _ => 0,
    };
    let mut directive = if files.load(Ordering::Relaxed) { FILES } else { NO_FILES };
    let mut answer = String::new();
    for candidate in found {
        let mut value = candidate.get_value().to_string_lossy();
        if let Some(name) = candidate.get_id().and_then(|id| id.strip_prefix("command::"))
            && name.starts_with(&word)
        {
            // Of a command's names the engine gives the first in the alphabet, alias or not.
            value = name.into();
        }
        if value.starts_with('-') && !word.starts_with('-') {
            continue;
        }
        if value.ends_with(['/', ':', '=']) {
            directive |= NO_BLANK;
        }
        answer.push_str(value.get(before_value..).unwrap_or_default());
        if let Some(help) = candidate.get_help() {
            let help = help.to_string();
            let _ = write!(answer, "\t{}", help.lines().next().unwrap_or_default());
        }
        answer.push('\n');
    }
    let _ = writeln!(answer, ":{directive}");
    answer
}

/// Tells whether a word is a flag that takes its value after a `=` and never as the next word.
fn wants_equals(command: &clap::Command, word: &str) -> bool {
    let is_word = |argument: &clap::Arg| {
        argument.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long))
            || argument.get_short().is_some_and(|short| word == format!("-{short}"))
    };
    let commands = command.get_subcommands().chain([command]);
    commands
        .flat_map(clap::Command::get_arguments)
        .any(|argument| argument.is_require_equals_set() && is_word(argument))
}

/// The command line, with completers for names and paths. Paths are left to the shell,
/// which knows `~`, quotes and its user's habits better: `files` then becomes true.
fn with_completers(ask: &Ask, files: &Arc<AtomicBool>) -> clap::Command {
    let files = Arc::clone(files);
    let paths = ArgValueCompleter::new(move |_: &OsStr| {
        files.store(true, Ordering::Relaxed);
        Vec::<CompletionCandidate>::new()
    });
    Cli::command().mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        command.mut_args(|argument| {
            match (completer(&name, &argument, ask), argument.get_value_hint()) {
                (Some(completer), _) => argument.add(completer),
                (None, ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath) => {
                    argument.add(paths.clone())
                }
                _ => argument,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::completion::Names;

    fn answer(line: &[&str]) -> String {
        let ask: Ask = Arc::new(|names, _| {
            let found: &[&str] = match names {
                Names::Targets => &["orders", "orders/load_orders", "returns"],
                Names::Pipelines => &["orders", "returns"],
                Names::Runs => &["orders-bbbbbb"],
                Names::Jobs => &["mage-orders-load"],
                Names::Pods => &["mage-0"],
                Names::Namespaces => &["etl", "kube-system"],
                Names::Contexts => &["prod"],
                Names::Clusters => &["c"],
                Names::Users => &["me"],
                Names::Revisions => &["HEAD", "main"],
            };
            found.iter().map(ToString::to_string).collect()
        });
        candidates(line.iter().map(OsString::from).collect(), &ask)
    }

    fn ask(line: &[&str]) -> Vec<String> {
        let answer = answer(line);
        answer.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn kubectl_gets_what_fits_the_last_word() {
        let table: &[(&[&str], &[&str])] = &[
            (&["re"], &["render", "resume", ":4"]),
            (&["status", "ord"], &["orders-bbbbbb", ":4"]),
            (&["cancel", "@"], &["@latest", ":4"]),
            (&["why", "orders"], &["orders", "orders/load_orders", "orders-bbbbbb", ":4"]),
            (&["attach", "run/"], &["run/orders-bbbbbb", ":4"]),
            (&["tail", "j"], &["job/", ":6"]),
            (&["tail", "job/"], &["job/mage-orders-load", ":4"]),
            (&["diff", "job/mage"], &["job/mage-orders-load", ":4"]),
            (&["graph", ""], &["orders", "returns", ":4"]),
            (&["graph", "o"], &["orders", ":4"]),
            (&["exp"], &["explain-config", ":4"]),
            (&["explain", "ord"], &["orders", "orders/load_orders", ":4"]),
            (&["render", "ord"], &["orders", "orders/load_orders", ":4"]),
            (&["render", "orders", "ret"], &["returns", ":4"]),
            (&["run", "--on-interrupt", ""], &["pause", "cancel", "detach", ":4"]),
            (&["run", "--on-interrupt=pa"], &["pause", ":4"]),
            (&["run", "--keep"], &["--keep-going", ":4"]),
            (&["render", "--edition", "p"], &["pro", ":4"]),
            (&["runs", "--context", ""], &["prod", ":4"]),
            (&["runs", "--context=p"], &["prod", ":4"]),
            (&["apply", "--dry-run", "ret"], &["returns", ":4"]),
            (&["apply", "--dry-run="], &["none", "client", "server", ":4"]),
            (&["apply", "--dry-run=s"], &["server", ":4"]),
            (&["run", "-v", "ret"], &["returns", ":4"]),
            (&["lint", "-o", ""], &["text", "json", "sarif", "github", ":4"]),
            (&["lint", "-o", "nonsense="], &[":4"]),
            (
                &["diff", "--against", ""],
                &["live", "rev:", "run:", "edition:oss", "edition:pro", "env:", "snapshot:", ":6"],
            ),
            (&["diff", "--against", "edition:"], &["edition:oss", "edition:pro", ":4"]),
            (&["diff", "--against", "rev:"], &["rev:HEAD", "rev:main", ":4"]),
            (&["diff", "--against=rev:m"], &["rev:main", ":4"]),
            (&["diff", "--against", "run:"], &["run:orders-bbbbbb", "run:@latest", ":4"]),
            (&["run", "--skip-type", "data_"], &["data_exporter", "data_loader", ":4"]),
            (&["run", "--server-pod", ""], &["auto", "none", "mage-0", ":4"]),
            (&["run", "--server-env", "ENV"], &["ENV=", ":6"]),
            (&["explain-config", "orders", "re"], &["resource_limits", "resource_requests", ":4"]),
            (&["explain-config", "orders", "pod.node_s"], &["pod.node_selector", ":4"]),
            (&["explain-config", "--why", "job_"], &["job_name_prefix", ":4"]),
            // Names of files are the shell's to complete.
            (&["render", "--policy", ""], &[":0"]),
            (&["render", "--policy=pol"], &[":0"]),
            // Nothing is known about images.
            (&["render", "--image", ""], &[":4"]),
        ];
        for (line, expected) in table {
            assert_eq!(ask(line), *expected, "{line:?}");
        }
    }

    #[test]
    fn flags_come_only_when_a_dash_was_typed() {
        assert!(!ask(&[""]).iter().any(|candidate| candidate.starts_with('-')));
        assert!(ask(&["runs", "-"]).contains(&"--all-namespaces".to_owned()));
        assert_eq!(ask(&[]), ask(&[""]));
    }

    /// What only whoever types knows.
    const FREE: [&str; 29] = [
        "as",
        "as-group",
        "block-run-id",
        "container",
        "driver-image",
        "exclude",
        "execution-partition",
        "grep",
        "image",
        "max-streams",
        "older-than",
        "parallel",
        "pending-timeout",
        "pipeline-run-id",
        "repo-path",
        "request-timeout",
        "retries",
        // Its files are completed after `@`.
        "secret",
        "selector",
        "server",
        "since",
        "since-time",
        "tail",
        "template-runtime-configuration",
        "timeout",
        "token",
        "trigger",
        "v",
        "var",
    ];

    /// A new argument needs a completer in `values.rs`, or a place in the list above.
    #[test]
    fn every_value_is_completed_or_known_to_be_free_text() {
        let mut free = BTreeSet::new();
        let mut command = Cli::command();
        command.build();
        for command in command.get_subcommands() {
            let mut before = vec![command.get_name()];
            for argument in command.get_arguments() {
                let takes = argument.get_num_args().is_some_and(|number| number.takes_values());
                if !takes || !argument.get_action().takes_values() {
                    continue;
                }
                let flag = match (argument.get_long(), argument.get_short()) {
                    (Some(long), _) => format!("--{long}="),
                    (None, Some(short)) => format!("-{short}="),
                    (None, None) => String::new(),
                };
                let line = [&before[..], &[&flag]].concat();
                if ask(&line) == [":4"] {
                    free.insert(flag.trim_matches(['-', '=']).to_owned());
                }
                if argument.is_positional() {
                    before.push("orders");
                }
            }
        }
        assert_eq!(free, FREE.map(str::to_owned).into());
    }

    #[test]
    fn what_is_chosen_among_is_described() {
        let said = answer(&["apply", "--dry-run="]);
        assert!(said.starts_with("none\tIt is done\n"), "{said}");
        // bash would take a name with blanks and no description for several.
        let said = answer(&["doctor", "--for", ""]);
        assert!(said.contains("\nrun --detach\tchanges a cluster\n"), "{said}");
        assert!(said.lines().all(|line| line == ":4" || line.contains('\t')), "{said}");
    }
}
