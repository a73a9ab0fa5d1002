//! Completion: scripts for shells, and the candidates that kubectl asks for.
//!
//! A shell completes `kubectl-mage …` by a script that knows every command and flag. For
//! `kubectl mage …` kubectl runs `kubectl_complete-mage` with the words after `mage`, which hands
//! them to the hidden command `__complete`. Its answer has the form that kubectl's own completion
//! has: a candidate a line, a tab and a description after it, and last a colon and what the shell
//! is to do besides.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::builder::PossibleValuesParser;
use clap::{Args as _, CommandFactory as _, FromArgMatches as _, ValueHint};
use clap_complete::aot::{Shell, generate};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use super::{Cli, CompletionShell, ConnectionArgs};

/// The program's file name, which shells complete.
const PROGRAM: &str = "kubectl-mage";

/// The hidden first argument that asks for candidates.
pub const ASK: &str = "__complete";

/// `kubectl_complete-mage`: kubectl runs a file of this name for `kubectl mage <TAB>`.
const FOR_KUBECTL: &str = "\
#!/bin/sh
# kubectl runs this for `kubectl mage <TAB>` when it is on the PATH under the name
# kubectl_complete-mage and executable.
exec kubectl-mage __complete \"$@\"
";

/// cobra's directive: where there are no candidates, complete the names of files.
const FILES: u8 = 0;
/// cobra's directive: never complete the names of files.
const NO_FILES: u8 = 4;

/// Returns the completion script of a shell.
#[must_use]
pub fn script(shell: CompletionShell) -> String {
    let shell = match shell {
        CompletionShell::Bash => Shell::Bash,
        CompletionShell::Elvish => Shell::Elvish,
        CompletionShell::Fish => Shell::Fish,
        CompletionShell::Kubectl => return FOR_KUBECTL.to_owned(),
        CompletionShell::PowerShell => Shell::PowerShell,
        CompletionShell::Zsh => Shell::Zsh,
    };
    let mut script = Vec::new();
    let mut command = Cli::command();
    if shell == Shell::Bash {
        command = command.mut_subcommand("doctor", in_one_word);
    }
    generate(shell, &mut command, PROGRAM, &mut script);
    let script = String::from_utf8(script).expect("clap writes UTF-8");
    // clap_complete 4.6.11 spells the labels of bash's cases differently from their uses when the
    // program's name has a dash in it, so that nothing after a command would be completed.
    script.replace("kubectl__subcmd__mage", "kubectl__mage")
}

/// Leaves out the values that bash would take for several: its `compgen -W` splits at blanks.
fn in_one_word(command: clap::Command) -> clap::Command {
    command.mut_arg("commands", |argument| {
        let all = argument.get_possible_values();
        let names = all.iter().map(|value| value.get_name().to_owned());
        let words: Vec<String> = names.filter(|name| !name.contains(' ')).collect();
        argument.value_parser(PossibleValuesParser::new(words))
    })
}

/// Returns the words to complete when the arguments, the program's name first, ask for candidates.
#[must_use]
pub fn asked(mut arguments: impl Iterator<Item = OsString>) -> Option<Vec<OsString>> {
    (arguments.nth(1)? == ASK).then(|| arguments.collect())
}

/// Returns what `--project` names in the words typed so far.
#[must_use]
pub fn project(words: &[OsString]) -> Option<PathBuf> {
    let typed = words.split_last().map_or(&[][..], |(_, before)| before);
    let separate = typed.windows(2).filter(|pair| pair[0] == "--project").map(|pair| &pair[1]);
    let joined = typed.iter().filter_map(|word| word.to_str()?.strip_prefix("--project="));
    separate.map(PathBuf::from).chain(joined.map(PathBuf::from)).last()
}

/// Returns the connection flags among the words typed so far; what is half typed is left out.
#[must_use]
pub fn connection(words: &[OsString]) -> ConnectionArgs {
    let typed = words.split_last().map_or(&[][..], |(_, before)| before);
    let command = ConnectionArgs::augment_args(clap::Command::new(PROGRAM)).no_binary_name(true);
    let known = |word: &str| {
        let (flag, value) = word.split_once('=').map_or((word, false), |(flag, _)| (flag, true));
        let named = |argument: &clap::Arg| match flag.strip_prefix("--") {
            Some(long) => argument.get_long() == Some(long),
            None => argument.get_short().is_some_and(|short| flag == format!("-{short}")),
        };
        command.get_arguments().find(|argument| named(argument)).map(|argument| {
            value || !argument.get_action().takes_values() || argument.is_require_equals_set()
        })
    };
    let mut flags: Vec<OsString> = Vec::new();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        match word.to_str().and_then(known) {
            Some(true) => flags.push(word.clone()),
            Some(false) => {
                if let Some(value) = words.next() {
                    flags.extend([word.clone(), value.clone()]);
                }
            }
            None => {}
        }
    }
    let matches = command.try_get_matches_from(flags).ok();
    matches.and_then(|matches| ConnectionArgs::from_arg_matches(&matches).ok()).unwrap_or_default()
}

/// What gives the names that begin with what it is given.
pub type Complete = Box<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// Who is asked where a name is to be completed, and only there.
pub struct Sources {
    /// Pipelines and blocks.
    pub targets: Complete,
    /// Runs.
    pub runs: Complete,
    /// Namespaces of the cluster.
    pub namespaces: Complete,
    /// Contexts of the kubeconfig.
    pub contexts: Complete,
    /// Clusters of the kubeconfig.
    pub clusters: Complete,
    /// Users of the kubeconfig.
    pub users: Complete,
}

/// Returns the candidates for the last of these words, as kubectl reads them.
#[must_use]
pub fn candidates(words: Vec<OsString>, sources: Sources) -> String {
    let mut words = words;
    if words.is_empty() {
        words.push(OsString::new());
    }
    let word = words.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if word == "-" {
        // Of a flag's two names the engine gives one, and for a lone dash that is the short one.
        words.pop();
        words.push("--".into());
    }
    let index = words.len();
    words.insert(0, PROGRAM.into());
    let files = Arc::new(AtomicBool::new(false));
    let mut command = with_completers(sources, &files);
    let found = complete(&mut command, words, index, None).unwrap_or_default();

    // Of `--flag=value` the shell wants to know the value only.
    let before_value = match word.split_once('=') {
        Some((flag, _)) if flag.starts_with('-') => flag.len() + 1,
        _ => 0,
    };
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
        answer.push_str(value.get(before_value..).unwrap_or_default());
        if let Some(help) = candidate.get_help() {
            let help = help.to_string();
            let _ = write!(answer, "\t{}", help.lines().next().unwrap_or_default());
        }
        answer.push('\n');
    }
    let directive = if files.load(Ordering::Relaxed) { FILES } else { NO_FILES };
    let _ = writeln!(answer, ":{directive}");
    answer
}

/// The command line, with completers for names and paths. Paths are left to the shell,
/// which knows `~`, quotes and its user's habits better: `files` then becomes true.
fn with_completers(sources: Sources, files: &Arc<AtomicBool>) -> clap::Command {
    let Sources { targets, runs, namespaces, contexts, clusters, users } = sources;
    let (targets, runs) = (Arc::new(targets), Arc::new(runs));
    let flags =
        [("namespace", namespaces), ("context", contexts), ("cluster", clusters), ("user", users)];
    let flags = flags.map(|(name, source)| (name, completer(vec![Arc::new(source)])));
    let both = completer([Arc::clone(&targets), Arc::clone(&runs)].to_vec());
    let (targets, runs) = (completer(vec![targets]), completer(vec![runs]));
    let files = Arc::clone(files);
    let paths = ArgValueCompleter::new(move |_: &OsStr| {
        files.store(true, Ordering::Relaxed);
        Vec::<CompletionCandidate>::new()
    });
    Cli::command().mut_subcommands(|command| {
        command.mut_args(|argument| {
            let named = argument.get_value_names().and_then(|names| names.first());
            let named = named.filter(|_| argument.is_positional()).map(ToString::to_string);
            let flag = flags.iter().find(|(name, _)| argument.get_long() == Some(name));
            if let Some((_, names)) = flag {
                return argument.add(names.clone());
            }
            match (named.as_deref(), argument.get_value_hint()) {
                (Some("TARGET"), _) => argument.add(targets.clone()),
                (Some("RUN"), _) => argument.add(runs.clone()),
                (Some(several), _) if several.starts_with("RUN|") => argument.add(both.clone()),
                (_, ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath) => {
                    argument.add(paths.clone())
                }
                _ => argument,
            }
        })
    })
}

fn completer(sources: Vec<Arc<Complete>>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_str().unwrap_or_default();
        let found = sources.iter().flat_map(|source| source(typed));
        found.map(CompletionCandidate::new).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &[&str]) -> Vec<String> {
        let words = line.iter().map(OsString::from).collect();
        let targets = |typed: &str| {
            let all = ["orders", "orders/load_orders", "returns"];
            all.iter().filter(|t| t.starts_with(typed)).map(ToString::to_string).collect()
        };
        let runs = |typed: &str| {
            let all = ["orders-bbbbbb", "@latest"];
            all.iter().filter(|run| run.starts_with(typed)).map(ToString::to_string).collect()
        };
        let none = || -> Complete { Box::new(|_| Vec::new()) };
        let contexts = |_: &str| vec!["prod".to_owned()];
        let sources = Sources {
            targets: Box::new(targets),
            runs: Box::new(runs),
            namespaces: none(),
            contexts: Box::new(contexts),
            clusters: none(),
            users: none(),
        };
        let answer = candidates(words, sources);
        answer.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn kubectl_gets_what_fits_the_last_word() {
        let table: &[(&[&str], &[&str])] = &[
            (&["re"], &["render", "resume", ":4"]),
            (&["status", "ord"], &["orders-bbbbbb", ":4"]),
            (&["cancel", "@"], &["@latest", ":4"]),
            (&["why", "orders"], &["orders", "orders/load_orders", "orders-bbbbbb", ":4"]),
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

    #[test]
    fn only_the_hidden_command_asks() {
        let arguments = |line: &[&str]| line.iter().map(OsString::from).collect::<Vec<_>>();
        let asks = |line: &[&str]| asked(arguments(line).into_iter());
        assert_eq!(asks(&["kubectl-mage", "__complete", "run", ""]), Some(arguments(&["run", ""])));
        assert_eq!(asks(&["kubectl-mage", "run", "__complete"]), None);
        assert_eq!(asks(&["kubectl-mage"]), None);
    }

    #[test]
    fn the_connection_is_read_from_what_is_typed() {
        let words = [
            "status",
            "-o",
            "wide",
            "-n",
            "etl",
            "--context=prod",
            "--nonsense",
            "x",
            "--kubeconfig",
        ];
        let args = connection(&words.map(OsString::from));
        assert_eq!(args.namespace.as_deref(), Some("etl"));
        assert_eq!(args.context.as_deref(), Some("prod"));
        assert_eq!(args.kubeconfig, None, "still being typed");
    }

    #[test]
    fn the_project_is_the_last_one_named() {
        let project = |line: &[&str]| project(&line.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(project(&["render", "--project", "a", "--project=b", ""]), Some("b".into()));
        assert_eq!(project(&["render", "--project", "a"]), None, "still being typed");
        assert_eq!(project(&["render", ""]), None);
    }
}
