//! From words to a command: what was typed, and where nothing was, the user's own default of `-o`.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::usage;
use crate::cli::Cli;
use crate::error::CliError;
use crate::load::UserConfig;

/// What a command line asks for.
pub(super) enum Parsed {
    /// A command.
    Command(Box<Cli>),
    /// Help or the version.
    Text(clap::Error),
}

/// Parses a command line, the program's name first.
pub(super) fn parse(words: Vec<OsString>) -> Result<Parsed, CliError> {
    let words = with_help(words);
    let mut command = Cli::command();
    let matches = match command.try_get_matches_from_mut(&words) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return Ok(Parsed::Text(error)),
        Err(error) => return Err(refused(&error, &words, &command)),
    };
    let matches = with_default_output(matches, &command, &words)?;
    let cli = Cli::from_arg_matches(&matches);
    cli.map(|cli| Parsed::Command(Box::new(cli))).map_err(|error| refused(&error, &words, &command))
}

fn refused(error: &clap::Error, words: &[OsString], command: &Command) -> CliError {
    let typed: Vec<&str> = words.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let verb = typed
        .iter()
        .enumerate()
        .find_map(|(index, word)| Some((index, command.find_subcommand(word)?.get_name())));
    let first = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(fault)) => typed.iter().position(|word| word.starts_with(fault)),
        _ => None,
    };
    // What stands before a command is none of its flags.
    let verb = verb.filter(|(index, _)| first.is_none_or(|first| first > *index));
    CliError::usage(usage::problem(error, verb.map(|(_, name)| name), command))
}

/// Reads `help VERB` as `VERB --help`, and nothing at all as `--help`, as kubectl does.
fn with_help(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.len() == 1 {
        words.push("--help".into());
    } else if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.truncate(2);
        words.push("--help".into());
    }
    words
}

/// Takes `output` of the user's file for `-o`, where the command has that format and `-o` was not given.
fn with_default_output(
    matches: ArgMatches,
    command: &Command,
    words: &[OsString],
) -> Result<ArgMatches, CliError> {
    let Some((verb, given)) = matches.subcommand() else { return Ok(matches) };
    let flags = command.find_subcommand(verb).map(Command::get_arguments);
    let has_output = flags.is_some_and(|mut flags| flags.any(|flag| flag.get_id() == "output"));
    if !has_output || given.value_source("output") == Some(ValueSource::CommandLine) {
        return Ok(matches);
    }
    let config = match UserConfig::read() {
        // What `doctor` is asked for is what is wrong.
        Err(_) if verb == "doctor" => return Ok(matches),
        config => config?,
    };
    let Some(output) = config.output else { return Ok(matches) };
    let command = Cli::command()
        .mut_subcommand(verb, |verb| verb.mut_arg("output", |flag| flag.default_value(output)));
    // A command that has no such format keeps its own default.
    Ok(command.try_get_matches_from(words).unwrap_or(matches))
}
