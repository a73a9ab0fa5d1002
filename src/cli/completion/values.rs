//! What each argument takes, where clap does not know it.

use std::ffi::OsStr;
use std::sync::Arc;

use clap::ValueEnum as _;
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};

use crate::cli::{LintFormat, environment};
use crate::config::setting_names;
use crate::project::BLOCK_TYPES;

/// Names that are looked for when TAB is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// `PIPELINE`, and `PIPELINE/BLOCK` where what is typed leaves one pipeline.
    Targets,
    /// Pipelines of the project.
    Pipelines,
    /// Runs in the namespace.
    Runs,
    /// Jobs in the namespace.
    Jobs,
    /// Pods in the namespace.
    Pods,
    /// Namespaces of the cluster.
    Namespaces,
    /// Contexts of the kubeconfig.
    Contexts,
    /// Clusters of the kubeconfig.
    Clusters,
    /// Users of the kubeconfig.
    Users,
    /// Branches and tags of the project's repository.
    Revisions,
}

/// Looks for names; it may leave out those that do not begin with what is typed.
pub type Ask = Arc<dyn Fn(Names, &str) -> Vec<String> + Send + Sync>;

/// Candidates for what is typed; whoever asks takes those that begin so.
type Values = fn(&Ask, &str) -> Vec<CompletionCandidate>;

/// Returns what completes an argument of a command, where clap does not.
pub(super) fn completer(
    command: &str,
    argument: &clap::Arg,
    ask: &Ask,
) -> Option<ArgValueCompleter> {
    let name = argument.get_value_names().and_then(|names| names.first());
    let values = values(command, argument.get_long(), name.map_or("", |name| name.as_str()))?;
    let ask = Arc::clone(ask);
    Some(ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_str().unwrap_or_default();
        let mut found = values(&ask, typed);
        found.retain(|candidate| candidate.get_value().to_string_lossy().starts_with(typed));
        found
    }))
}

fn values(command: &str, flag: Option<&str>, name: &str) -> Option<Values> {
    Some(match (flag, name) {
        (None, "TARGET") if command == "diff" => {
            |ask, typed| all([targets(ask, typed), jobs(ask, typed)])
        }
        (None, "TARGET") => targets,
        (None, "PIPELINE") => |ask, _| named("", ask(Names::Pipelines, "")),
        (None, "RUN") => runs,
        (None, several) if several.starts_with("RUN|") => {
            |ask, typed| all([targets(ask, typed), runs(ask, typed), jobs(ask, typed)])
        }
        (None, "PATH") | (Some("why"), _) => |_, typed| settings(typed),
        (Some("namespace"), _) => |ask, _| named("", ask(Names::Namespaces, "")),
        (Some("context"), _) => |ask, _| named("", ask(Names::Contexts, "")),
        (Some("cluster"), _) => |ask, _| named("", ask(Names::Clusters, "")),
        (Some("user"), _) => |ask, _| named("", ask(Names::Users, "")),
        (Some("against"), _) => against,
        (Some("output"), "FORMAT[=FILE]") => |_, typed| formats(typed),
        (Some("skip-type"), _) => {
            |_, _| BLOCK_TYPES.into_iter().map(CompletionCandidate::new).collect()
        }
        (Some("server-pod"), _) => server_pods,
        (Some("server-env"), _) => |_, _| server_variables(),
        (Some("secret"), _) => |_, typed| file_after("@", typed),
        (Some("timestamps"), _) => |_, _| vec!["local".into(), "UTC".into()],
        _ => return None,
    })
}

fn all<const N: usize>(several: [Vec<CompletionCandidate>; N]) -> Vec<CompletionCandidate> {
    several.into_iter().flatten().collect()
}

/// Names, with what stands before each.
fn named(before: &str, names: Vec<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(|name| CompletionCandidate::new(format!("{before}{name}"))).collect()
}

fn targets(ask: &Ask, typed: &str) -> Vec<CompletionCandidate> {
    named("", ask(Names::Targets, typed))
}

/// `RUN` and `@latest`, or `run/RUN` where that is begun.
fn runs(ask: &Ask, typed: &str) -> Vec<CompletionCandidate> {
    if typed.starts_with("run/") {
        return named("run/", ask(Names::Runs, ""));
    }
    let mut runs = ask(Names::Runs, "");
    runs.extend((!runs.is_empty()).then(|| "@latest".to_owned()));
    named("", runs)
}

/// `job/`, and `job/NAME` once that is typed.
fn jobs(ask: &Ask, typed: &str) -> Vec<CompletionCandidate> {
    if typed.starts_with("job/") {
        return named("job/", ask(Names::Jobs, ""));
    }
    vec![CompletionCandidate::new("job/").help(Some("a Job, by its name".into()))]
}

/// The settings of the top level, and those in the one of them that is typed.
fn settings(typed: &str) -> Vec<CompletionCandidate> {
    let top = |name: &String| !name.contains('.');
    let begun = setting_names().filter(top).filter(|name| name.starts_with(typed)).count();
    let inner = typed.contains('.') || begun == 1;
    setting_names().filter(|name| inner || top(name)).map(CompletionCandidate::new).collect()
}

/// What a project is compared with.
fn against(ask: &Ask, typed: &str) -> Vec<CompletionCandidate> {
    match typed.split_once(':') {
        Some(("run", begun)) => {
            runs(ask, begun).into_iter().map(|run| run.add_prefix("run:")).collect()
        }
        Some(("rev", _)) => named("rev:", ask(Names::Revisions, "")),
        Some(("snapshot", _)) => file_after("snapshot:", typed),
        _ => [
            ("live", "the Jobs of the cluster"),
            ("rev:", "the project at a git revision"),
            ("run:", "the Jobs with which a run began"),
            ("edition:oss", "the project as Mage OSS merges it"),
            ("edition:pro", "the project as Mage Pro merges it"),
            ("env:", "the project with another ENV"),
            ("snapshot:", "the project beside another cluster, by its snapshot"),
        ]
        .map(|(form, what)| CompletionCandidate::new(form).help(Some(what.into())))
        .into(),
    }
}

/// The formats of `lint`, and files after `FORMAT=`.
fn formats(typed: &str) -> Vec<CompletionCandidate> {
    let formats = LintFormat::value_variants().iter().filter_map(LintFormat::to_possible_value);
    let names = formats.map(|format| format.get_name().to_owned());
    match typed.split_once('=') {
        Some((format, _)) => names
            .filter(|name| name == format)
            .flat_map(|name| file_after(&format!("{name}="), typed))
            .collect(),
        None => named("", names.collect()),
    }
}

fn server_pods(ask: &Ask, typed: &str) -> Vec<CompletionCandidate> {
    if typed.starts_with('@') {
        return file_after("@", typed);
    }
    let mut found = vec![
        CompletionCandidate::new("auto").help(Some("look for it by label and image".into())),
        CompletionCandidate::new("none").help(Some("inherit from none".into())),
    ];
    found.extend(named("", ask(Names::Pods, "")));
    found
}

fn server_variables() -> Vec<CompletionCandidate> {
    let known = environment::SERVER.iter();
    known
        .map(|(name, what)| CompletionCandidate::new(format!("{name}=")).help(Some((*what).into())))
        .collect()
}

/// Files, where the shell would not know that one begins here.
fn file_after(before: &str, typed: &str) -> Vec<CompletionCandidate> {
    let Some(path) = typed.strip_prefix(before) else { return Vec::new() };
    let files = PathCompleter::file().complete(path.as_ref());
    files.into_iter().map(|file| file.add_prefix(before)).collect()
}
