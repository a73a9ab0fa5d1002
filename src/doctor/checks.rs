//! The checks, in the order in which they rest on each other.

use std::collections::BTreeSet;

use k8s_openapi::jiff::SignedDuration;

use super::check::{Check, Report, State};
use super::configuration;
use super::facts::{Answered, Counts, Facts, Judged};
use super::reach::{Reach, Stage};
use super::rights::Need;
use crate::exit::Exit;
use crate::snapshot::Known;

/// A clock that is further off than this makes ages wrong, and tokens early or late.
const MOST_SECONDS_OFF: i64 = 5;

/// Judges everything.
#[must_use]
pub fn report(facts: &Facts<'_>) -> Report {
    let mut checks = vec![project(facts), context(facts), reach(facts)];
    checks.extend([identity(facts), clock(facts), namespaces(facts), rights(facts)]);
    checks.extend(configuration::checks(facts));
    if let Some(compared) = compared(facts) {
        checks.push(compared);
    }
    let exit = exit(facts, &checks);
    Report { checks, exit }
}

fn exit(facts: &Facts<'_>, checks: &[Check]) -> Exit {
    match facts.reach {
        Reach::No { stage: Stage::Kubeconfig, .. } => Exit::Usage,
        Reach::No { .. } => Exit::Cluster,
        _ if checks.iter().any(|check| check.state == State::Problem) => Exit::No,
        _ => Exit::Fine,
    }
}

fn project(facts: &Facts<'_>) -> Check {
    match &facts.project {
        Ok(folder) => Check::new("project", State::Ok, folder.display().to_string()),
        Err(problem) => {
            let sentence = format!("{}: only the cluster is looked at", problem.message);
            let check = Check::new("project", State::Warning, sentence);
            problem.hints.iter().fold(check, Check::hint)
        }
    }
}

fn context(facts: &Facts<'_>) -> Check {
    let Some(names) = &facts.names else {
        return match &facts.reach {
            Reach::NotAsked => Check::new("context", State::Skipped, "no connection is to be made"),
            _ => Check::new("context", State::NotKnown, "the kubeconfig cannot be used"),
        };
    };
    let context = match &names.context {
        Some(context) => format!("context {context}"),
        None => "no context: a service account or --server".to_owned(),
    };
    let user = names.user.as_ref().map(|user| format!(", user {user}")).unwrap_or_default();
    let sentence =
        format!("{context}, server {}{user}, namespace {}", names.server, names.namespace);
    Check::new("context", State::Ok, sentence)
}

fn reach(facts: &Facts<'_>) -> Check {
    match &facts.reach {
        Reach::NotAsked => Check::new("cluster", State::Skipped, "it was not asked (--offline)"),
        Reach::Yes { version } => {
            let version = version.as_deref().unwrap_or("of unknown version");
            Check::new("cluster", State::Ok, format!("it answers: Kubernetes {version}"))
        }
        Reach::No { stage, cause } => {
            let server = facts.names.as_ref().map_or("the server", |names| names.server.as_str());
            let sentence = stage.sentence(server, cause);
            Check::new("cluster", State::Problem, sentence).hint(stage.hint(cause))
        }
    }
}

/// Says that a check needs a cluster that answers.
fn unasked(id: &'static str) -> Check {
    Check::new(id, State::Skipped, "it takes a cluster that answers")
}

fn is_reached(facts: &Facts<'_>) -> bool {
    matches!(facts.reach, Reach::Yes { .. })
}

fn identity(facts: &Facts<'_>) -> Check {
    match &facts.identity {
        _ if !is_reached(facts) => unasked("identity"),
        None => {
            let sentence = "the API server does not tell who is asking";
            Check::new("identity", State::NotKnown, sentence)
        }
        Some(who) if who.name == "system:anonymous" => {
            let sentence =
                "the API server takes the request for anonymous: no credentials were sent";
            Check::new("identity", State::Problem, sentence)
                .hint("does the context name a user? see `kubectl config view --minify`")
        }
        Some(who) => {
            let groups = match who.groups.as_slice() {
                [] => String::new(),
                groups => format!(" (groups {})", groups.join(", ")),
            };
            Check::new("identity", State::Ok, format!("{}{groups}", who.name))
        }
    }
}

fn clock(facts: &Facts<'_>) -> Check {
    let Some(ahead) = facts.ahead else {
        return if is_reached(facts) {
            Check::new("clock", State::NotKnown, "the API server tells no time")
        } else {
            unasked("clock")
        };
    };
    let off = ahead.abs();
    if off <= SignedDuration::from_secs(MOST_SECONDS_OFF) {
        return Check::new("clock", State::Ok, "it agrees with the server's");
    }
    let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
    let sentence = format!(
        "this machine's clock is {} s {direction} the server's: ages are wrong by that, and tokens may be early or late",
        off.as_secs()
    );
    Check::new("clock", State::Warning, sentence).hint("set this machine's clock, `timedatectl`")
}

fn namespaces(facts: &Facts<'_>) -> Check {
    let wanted = &facts.wanted.namespaces;
    if facts.judged == Judged::Nothing || wanted.is_empty() {
        return unasked("namespaces");
    }
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    for name in wanted {
        match facts.snapshot.namespace(name).exists() {
            Known::Yes(()) => {}
            Known::No => missing.push(name.as_str()),
            Known::Unknown => unknown.push(name.as_str()),
        }
    }
    let all = wanted.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match (missing.as_slice(), unknown.as_slice()) {
        ([], []) => Check::new("namespaces", State::Ok, format!("there: {all}")),
        ([], unknown) => {
            let sentence = format!(
                "it is not known whether there is a namespace {}: namespaces may be neither got nor listed",
                unknown.join(" or ")
            );
            Check::new("namespaces", State::NotKnown, sentence)
        }
        ([first, ..], _) => {
            let sentence = format!("there is no namespace {}", missing.join(", "));
            Check::new("namespaces", State::Problem, sentence).hint(format!(
                "make it, `kubectl create namespace {first}`, or name another one with -n"
            ))
        }
    }
}

/// Judges the rights of the commands that count.
fn rights(facts: &Facts<'_>) -> Check {
    let counted: Vec<&Answered> =
        facts.rights.iter().filter(|answered| answered.counts == Counts::Yes).collect();
    if counted.is_empty() {
        return unasked("permissions");
    }
    let missing = |need: Need| -> BTreeSet<&str> {
        let missing = counted.iter().filter(|answered| answered.is_missing(need));
        missing.map(|answered| answered.command).collect()
    };
    let (required, optional) = (missing(Need::Required), missing(Need::Optional));
    let unknown = counted.iter().filter(|answered| answered.allowed.is_none()).count();
    let listed = |all: &BTreeSet<&str>| all.iter().copied().collect::<Vec<_>>().join(", ");
    if !required.is_empty() {
        let sentence = format!("rights are missing for {}", listed(&required));
        let check = Check::new("permissions", State::Problem, sentence)
            .hint(format!("whoever may: `{}`; -o wide shows every right", facts.asked.give()));
        return if facts.asked.named {
            check
        } else {
            check.hint("only some commands are wanted? name them: --for status --for logs")
        };
    }
    if unknown > 0 {
        let sentence =
            format!("the API server does not say of {unknown} rights whether they are there");
        return Check::new("permissions", State::NotKnown, sentence);
    }
    let sentence = "you may use every command asked about";
    if optional.is_empty() {
        return Check::new("permissions", State::Ok, format!("{sentence}, with nothing left out"));
    }
    let less = format!("{sentence}; {} can tell or do less", listed(&optional));
    let check = Check::new("permissions", State::Ok, less);
    if facts.asked.optional {
        return check;
    }
    let command = &facts.asked.doctor;
    check.hint(format!("`{command} --optional -o role` prints the Role for that"))
}

fn compared(facts: &Facts<'_>) -> Option<Check> {
    let compared = facts.compared.as_ref()?;
    Some(match compared.changes.len() {
        0 => {
            let sentence = format!("nothing that a run uses has changed since {}", compared.file);
            Check::new("snapshot", State::Ok, sentence)
        }
        count => {
            let things = crate::ui::plural(count, "thing");
            let sentence =
                format!("{things} that a run uses changed since {} was written", compared.file);
            Check::new("snapshot", State::Warning, sentence)
                .details(compared.changes.iter().map(ToString::to_string))
                .hint("write it anew: `kubectl mage snapshot > FILE`")
        }
    })
}
