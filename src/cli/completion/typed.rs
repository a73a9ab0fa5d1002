//! What is read off the words typed so far.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as _, FromArgMatches as _};

use super::PROGRAM;
use crate::cli::ConnectionArgs;

/// The hidden first argument that asks for candidates.
const ASK: &str = "__complete";

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

#[cfg(test)]
mod tests {
    use super::*;

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
