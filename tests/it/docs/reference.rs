//! `docs/reference.md`, from clap's types, `src/exit.rs`, `src/cli/environment.rs` and
//! `src/load/user_config.rs`.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};
use kubectl_mage::cli::environment;
use kubectl_mage::exit::Exit;

/// Where flags stand that have no heading of their own.
const OWN_FLAGS: &str = "Flags";

/// Returns the whole page; `cli` has been built.
pub(super) fn page(cli: &Command) -> String {
    let mut page = String::from(
        "# Reference\n\n\
         Every command, flag, exit code, environment variable and default of your own of `kubectl mage`.\n\
         `make docs` writes this page from the program itself.\n",
    );
    page.push_str("\n## Commands\n\n");
    let commands: Vec<_> = cli.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    for command in &commands {
        let about = command.get_about().expect("every command says what it does");
        let _ = writeln!(page, "- [`{0}`](#{0}): {about}", command.get_name());
    }
    for command in &commands {
        describe(command, &commands, &mut page);
    }
    page.push_str("\n## Flags of several commands\n");
    for heading in headings(&commands) {
        let _ = writeln!(page, "\n### {heading}\n");
        let with = commands.iter().filter(|command| !flags(command, &heading).is_empty());
        let mut shared: Vec<String> = Vec::new();
        for command in with {
            let these: Vec<String> = flags(command, &heading).iter().map(|a| item(a)).collect();
            // A flag that a command has not is said there; one of the same name that means something else is not.
            let (more, fewer) =
                if these.len() > shared.len() { (&these, &shared) } else { (&shared, &these) };
            let same = fewer.iter().all(|flag| more.contains(flag));
            assert!(same, "`{heading}` differs between commands");
            let more = more.clone();
            shared = more;
        }
        page.extend(shared);
    }
    page.push_str("\n## Exit codes\n\nThe same for every command.\n\n");
    page.push_str(&exit_codes());
    page.push_str(&variables());
    page.push_str(
        "\n## Your own defaults\n\n`kubectl-mage/config.toml` in your configuration folder, on Linux `~/.config`:\n\n\
         | key | meaning |\n| --- | --- |\n",
    );
    page.push_str(&user_defaults());
    page
}

/// The variables of this tool, and those of the Mage server.
fn variables() -> String {
    let mut page =
        String::from("\n## Environment variables\n\n| variable | meaning |\n| --- | --- |\n");
    page.push_str(&own_variables());
    page.push_str(
        "\nWhich variables name a proxy, and when: [Reaching the cluster](connecting.md#what-counts).\n",
    );
    page.push_str(
        "\nOf the Mage server's environment these are read, from `--server-env`,\n\
         `--server-env-file`, the server pod's container, and last this process's environment:\n\n\
         | variable | meaning |\n| --- | --- |\n",
    );
    for (name, meaning) in environment::SERVER {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page
}

fn describe(command: &Command, all: &[&Command], page: &mut String) {
    let _ = writeln!(page, "\n### {}\n", command.get_name());
    let about = command.get_long_about().or(command.get_about()).expect("checked above");
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _ = writeln!(page, "{about}\n\n```\n{usage}\n```");
    if let Some(examples) = command.get_after_long_help() {
        let examples = examples.to_string();
        let lines = examples.lines().skip(1).map(|line| line.strip_prefix("  ").unwrap_or(line));
        let _ = writeln!(page, "\n```sh\n{}\n```", lines.collect::<Vec<_>>().join("\n"));
    }
    let aliases: Vec<_> = command.get_visible_aliases().map(|a| format!("`{a}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(page, "\nAlso: {}.", aliases.join(", "));
    }
    let positionals = command.get_positionals().map(item).collect::<String>();
    let own = flags(command, OWN_FLAGS).into_iter().map(item).collect::<String>();
    for list in [positionals, own].iter().filter(|list| !list.is_empty()) {
        let _ = write!(page, "\n{list}");
    }
    let shared: Vec<_> = headings(&[command])
        .iter()
        .map(|heading| {
            let absent = hidden(command, all, heading);
            format!("[{heading}](#{}){absent}", anchor(heading))
        })
        .collect();
    if !shared.is_empty() {
        let _ = writeln!(page, "\nFlags of several commands: {}.", shared.join(", "));
    }
}

/// Says which flags of a heading a command has not, although others have.
fn hidden(command: &Command, all: &[&Command], heading: &str) -> String {
    let own: Vec<_> = flags(command, heading).into_iter().map(Arg::get_id).collect();
    let mut absent: Vec<String> = Vec::new();
    for flag in all.iter().flat_map(|other| flags(other, heading)) {
        let name = format!("`--{}`", flag.get_long().unwrap_or_default());
        if !own.contains(&flag.get_id()) && !absent.contains(&name) {
            absent.push(name);
        }
    }
    if absent.is_empty() { absent.concat() } else { format!(" without {}", absent.join(", ")) }
}

/// The anchor that a heading has on a rendered page.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// The headings below which clap puts flags that more than one command has.
fn headings(commands: &[&Command]) -> Vec<String> {
    let flags = commands.iter().flat_map(|command| command.get_arguments());
    let mut headings: Vec<String> = Vec::new();
    for heading in flags.filter_map(Arg::get_help_heading) {
        if !headings.iter().any(|known| known == heading) {
            headings.push(heading.to_owned());
        }
    }
    headings
}

fn flags<'c>(command: &'c Command, heading: &str) -> Vec<&'c Arg> {
    command
        .get_arguments()
        .filter(|flag| !flag.is_positional() && !flag.is_hide_set())
        .filter(|flag| !matches!(flag.get_action(), ArgAction::Help | ArgAction::HelpLong))
        .filter(|flag| flag.get_help_heading().unwrap_or(OWN_FLAGS) == heading)
        .collect()
}

/// One argument as an item of a list.
fn item(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let mut text = argument
        .get_long_help()
        .or(argument.get_help())
        .unwrap_or_else(|| panic!("{} has no help", argument.get_id()))
        .to_string();
    if !text.ends_with('.') {
        text.push('.');
    }
    let values: Vec<_> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("  - `{}`: {help}\n", value.get_name()),
            None => format!("  - `{}`\n", value.get_name()),
        })
        .collect();
    let default: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value && !default.is_empty() {
        let _ = write!(text, " Default: `{}`.", default.join(","));
    }
    let text = text.replacen("\n\n", ".\n\n", 1).replace("\n\n", "\n\n  ");
    let values = if takes_value { values.concat() } else { String::new() };
    format!("- `{}`: {text}\n{values}", spelling(argument))
}

/// How an argument is typed: `-o, --output OUTPUT`.
fn spelling(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default();
    let value = names.iter().map(AsRef::<str>::as_ref).collect::<Vec<_>>().join(" ");
    if argument.is_positional() {
        return value;
    }
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let name = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let optional = argument.get_num_args().is_some_and(|range| range.min_values() == 0);
    match (takes_value, optional) {
        (false, _) => name,
        (true, false) => format!("{name} {value}"),
        (true, true) => format!("{name}[={value}]"),
    }
}

/// The table in the documentation of [`Exit`].
fn exit_codes() -> String {
    let mut table = String::new();
    for row in include_str!("../../../src/exit.rs").lines() {
        if let Some(row) = row.strip_prefix("/// |") {
            let _ = writeln!(table, "|{row}");
        }
    }
    let all = [
        Exit::Fine,
        Exit::No,
        Exit::Usage,
        Exit::Cluster,
        Exit::TimedOut,
        Exit::CouldNotStart,
        Exit::Cancelled,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    for code in all.map(Exit::code) {
        let codes = table.lines().filter_map(|row| row.split('|').nth(1));
        let listed = codes.flat_map(|cell| cell.split(',')).any(|c| c.trim() == code.to_string());
        assert!(listed, "exit code {code} is missing in the table of src/exit.rs");
    }
    table
}

/// The constants of `environment.rs` with their documentation.
fn own_variables() -> String {
    let mut rows = String::new();
    let mut documentation = Vec::new();
    for line in include_str!("../../../src/cli/environment.rs").lines() {
        if let Some(text) = line.strip_prefix("///") {
            documentation.push(text.trim());
        } else if let Some(constant) = line.strip_prefix("pub const ")
            && let Some((_, value)) = constant.split_once(": &str = \"")
        {
            let name = value.trim_end_matches("\";");
            assert!(!documentation.is_empty(), "{name} is not documented in environment.rs");
            let _ = writeln!(rows, "| `{name}` | {} |", documentation.join(" "));
            documentation.clear();
        } else {
            documentation.clear();
        }
    }
    rows
}

/// The keys of the user's file with their documentation.
fn user_defaults() -> String {
    let source = include_str!("../../../src/load/user_config.rs");
    let (_, file) = source.split_once("struct File {").expect("the file's own type");
    let (fields, _) = file.split_once('}').expect("its end");
    let mut rows = String::new();
    for field in fields.lines().filter_map(|line| line.trim().split_once(": ")) {
        let documented = format!("/// `{}`: ", field.0);
        let meaning = source.lines().find_map(|line| line.trim().strip_prefix(&documented));
        let meaning = meaning.unwrap_or_else(|| panic!("{} is not documented", field.0));
        let _ = writeln!(rows, "| `{}` | {meaning} |", field.0);
    }
    assert!(!rows.is_empty(), "no key is found");
    rows
}
