//! What is wrong with a command line, said as everything else is said: one sentence, and the next step.

use std::error::Error as _;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config::nearest;
use crate::error::Problem;

/// Says what clap found; `verb` is the command of `cli` that was typed, if one was.
pub(super) fn problem(error: &clap::Error, verb: Option<&str>, cli: &clap::Command) -> Problem {
    let said = Said { error, verb, cli };
    let problem = match error.kind() {
        ErrorKind::UnknownArgument => said.unknown_argument(),
        ErrorKind::InvalidSubcommand => said.unknown_command(),
        ErrorKind::InvalidValue => said.no_such_value(),
        ErrorKind::ValueValidation => said.refused_value(),
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<String> =
                said.texts(ContextKind::InvalidArg).iter().map(|name| bare(name)).collect();
            Problem::new(format!("`{}` wants {}", said.command(), missing.join(" and ")))
        }
        ErrorKind::ArgumentConflict => said.conflict(),
        ErrorKind::TooManyValues => {
            let (name, value) = (said.argument(), said.text(ContextKind::InvalidValue));
            Problem::new(format!("`{name}` takes no value, and `{value}` was given"))
        }
        ErrorKind::NoEquals => {
            let name = said.argument();
            Problem::new(format!("`{name}` wants its value behind a `=`: `{name}=VALUE`"))
        }
        ErrorKind::InvalidUtf8 => Problem::new("an argument is not UTF-8"),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            Problem::new(first.trim_start_matches("error: "))
        }
    };
    if problem.hints.is_empty() {
        return problem.hint(format!("see `{} --help`", said.command()));
    }
    problem
}

/// What clap says.
struct Said<'a> {
    error: &'a clap::Error,
    verb: Option<&'a str>,
    cli: &'a clap::Command,
}

impl Said<'_> {
    fn command(&self) -> String {
        match self.verb {
            Some(verb) => format!("kubectl mage {verb}"),
            None => "kubectl mage".to_owned(),
        }
    }

    fn texts(&self, kind: ContextKind) -> Vec<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    fn text(&self, kind: ContextKind) -> String {
        self.texts(kind).into_iter().next().unwrap_or_default()
    }

    /// Returns the argument at fault as it is typed: `--color`, `TARGET`.
    fn argument(&self) -> String {
        name(&self.text(ContextKind::InvalidArg))
    }

    fn unknown_argument(&self) -> Problem {
        let argument = self.text(ContextKind::InvalidArg);
        if !argument.starts_with('-') {
            return Problem::new(format!("`{}` takes no argument `{argument}`", self.command()));
        }
        let problem = Problem::new(format!("`{}` has no flag `{argument}`", self.command()));
        match self.texts(ContextKind::SuggestedArg).first() {
            Some(near) => problem.hint(format!("did you mean `{}`?", name(near))),
            None if self.verb.is_none() => {
                problem.hint("flags stand behind the command: `kubectl mage run -n NAMESPACE`")
            }
            None => problem,
        }
    }

    fn unknown_command(&self) -> Problem {
        let problem = Problem::new(format!(
            "kubectl mage has no command `{}`",
            self.text(ContextKind::InvalidSubcommand)
        ));
        let all = self.cli.get_subcommands().map(clap::Command::get_name);
        match nearest(&self.text(ContextKind::InvalidSubcommand), all) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("see `kubectl mage --help`"),
        }
    }

    fn no_such_value(&self) -> Problem {
        let (argument, value) = (self.argument(), self.text(ContextKind::InvalidValue));
        let problem = Problem::new(if value.is_empty() {
            format!("`{argument}` wants a value")
        } else {
            format!("`{argument}` cannot be `{value}`")
        });
        let valid = self.texts(ContextKind::ValidValue);
        let near = nearest(&value, valid.iter().map(String::as_str)).map(str::to_owned);
        // clap's measure finds other ones.
        match near.or_else(|| self.texts(ContextKind::SuggestedValue).pop()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None if valid.is_empty() => problem,
            None => problem.hint(format!("it can be `{}`", valid.join("`, `"))),
        }
    }

    /// A value that a parser of ours, or one of clap's for numbers, does not take.
    fn refused_value(&self) -> Problem {
        let (argument, value) = (self.argument(), self.text(ContextKind::InvalidValue));
        let Some(source) = self.error.source() else { return self.no_such_value() };
        let why = match source.downcast_ref::<ParseIntError>() {
            Some(_) => "it must be a whole number".to_owned(),
            None => number(&source.to_string()),
        };
        // Ours tell behind a semicolon what to write.
        let (why, hint) = match why.split_once("; ") {
            Some((why, hint)) => (why, Some(hint)),
            None => (why.as_str(), None),
        };
        let problem = Problem::new(if why.contains(&format!("{value:?}")) {
            format!("`{argument}`: {why}")
        } else {
            format!("`{argument}` cannot be `{value}`: {why}")
        });
        hint.map_or(problem.clone(), |hint| problem.hint(hint))
    }

    fn conflict(&self) -> Problem {
        let argument = self.argument();
        let others: Vec<String> = self
            .texts(ContextKind::PriorArg)
            .iter()
            .map(|other| name(other))
            .filter(|other| *other != argument)
            .map(|other| format!("`{other}`"))
            .collect();
        if others.is_empty() {
            return Problem::new(format!("`{argument}` was given more than once"));
        }
        let others = others.join(" and ");
        Problem::new(format!("`{argument}` cannot go with {others}")).hint("leave one of them out")
    }
}

/// Says what clap's parsers of numbers say, `0 is not in 1..=4294967295`, in words.
fn number(text: &str) -> String {
    if text.contains("invalid digit") || text.contains("too large to fit") {
        return "it must be a whole number".to_owned();
    }
    let range = text.split_once(" is not in ").and_then(|(_, range)| {
        let (least, most) = range.split_once("..=").or(range.split_once(".."))?;
        Some((least.parse::<i128>().ok()?, most.parse::<i128>().ok()))
    });
    match range {
        Some((least, Some(most))) if most < i128::from(u32::MAX) => {
            format!("it must be from {least} to {most}")
        }
        Some((least, _)) => format!("it must be {least} or more"),
        None => text.to_owned(),
    }
}

/// Returns an argument's name without its values: `--color <WHEN>`, `-v[=<N>]`, `[TARGET]...`.
fn name(argument: &str) -> String {
    let end = if argument.starts_with('-') { argument.find([' ', '=', '[']) } else { None };
    bare(&argument[..end.unwrap_or(argument.len())])
}

/// Returns it without brackets: `--older-than <DURATION>` as `--older-than DURATION`.
fn bare(argument: &str) -> String {
    argument.replace(['<', '>', '[', ']'], "").replace("...", "")
}

#[cfg(test)]
mod tests {
    use super::{name, number};

    #[test]
    fn names_and_ranges_are_told_in_words() {
        let names = ["--color <WHEN>", "-v[=<N>]", "[TARGET]...", "--for <COMMAND>", "<PIPELINE>"];
        assert_eq!(names.map(name), ["--color", "-v", "TARGET", "--for", "PIPELINE"]);
        assert_eq!(number("0 is not in 1..=4294967295"), "it must be 1 or more");
        assert_eq!(number("300 is not in 0..=255"), "it must be from 0 to 255");
        assert_eq!(number("99 is not in 0..18446744073709551615"), "it must be 0 or more");
        assert_eq!(number("number too large to fit in target type"), "it must be a whole number");
        assert_eq!(number("expected NAME=VALUE"), "expected NAME=VALUE");
    }
}
