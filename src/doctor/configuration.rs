//! The checks of what Jobs are made of: the Mage server's pod, edition, policy, images, storage.

use super::check::{Check, State};
use super::facts::{Facts, Judged};
use crate::config::LayerKind;
use crate::error::Problem;
use crate::finding::{FindingId, Severity};
use crate::lint::{Reported, Summary};
use crate::load::{Edition, Inputs};
use crate::snapshot::PodFile;

/// Returns these checks; without a project only what the cluster alone says.
pub(super) fn checks(facts: &Facts<'_>) -> Vec<Check> {
    let mut checks = vec![server(facts)];
    let names = ["edition", "policy", "template", "jobs", "image", "storage"];
    let inputs = match (&facts.project, facts.inputs) {
        (Err(_), _) => {
            let skip = |id| Check::new(id, State::Skipped, "it takes a project");
            checks.extend(names.map(skip));
            return checks;
        }
        (Ok(_), Err(problems)) => {
            checks.push(unreadable(problems));
            let skip = |id| Check::new(id, State::Skipped, "the configuration cannot be read");
            checks.extend(names.into_iter().filter(|id| *id != "jobs").map(skip));
            return checks;
        }
        (Ok(_), Ok(inputs)) => inputs,
    };
    checks.push(edition(inputs));
    checks.push(policy(facts, inputs));
    checks.push(template(facts, inputs));
    checks.push(jobs(facts));
    checks.push(facts.images.check(facts.snapshot));
    checks.push(storage(facts));
    checks
}

fn unreadable(problems: &[Problem]) -> Check {
    let mut sentences = problems.iter().map(|problem| problem.message.clone());
    let first = sentences.next().unwrap_or_default();
    let check = Check::new("jobs", State::Problem, first).details(sentences);
    problems.iter().flat_map(|problem| &problem.hints).fold(check, Check::hint)
}

/// Says which pod the server's is, which container of it, and whether what it started with is
/// still what the cluster says.
fn server(facts: &Facts<'_>) -> Check {
    let search = &facts.snapshot.server_pod;
    let Some(pod) = facts.inputs.ok().and_then(|inputs| inputs.server.as_ref()) else {
        return no_server(facts);
    };
    let why = search.chosen_as.as_ref().map(|why| format!(", the {why}")).unwrap_or_default();
    let sentence = format!(
        "pod/{} in namespace {}{why}; container {} runs {}",
        pod.name, pod.namespace, pod.container, pod.image
    );
    let passed = search
        .passed_over
        .iter()
        .map(|other| format!("pod/{} was passed over: it is {}", other.name, other.state));
    let outdated: Vec<&Reported> = of(facts, &[FindingId::StalePolicy])
        .filter(|found| found.finding.problem.message.contains(" comes from "))
        .collect();
    let unnamed = pod.unnamed.then(|| {
        format!(
            "it has {} containers, and nothing says which one runs Mage: the first one is taken",
            pod.others.len() + 1
        )
    });
    let state = match (outdated.is_empty(), &unnamed, pod.warnings.is_empty()) {
        (true, None, true) => State::Ok,
        _ => State::Warning,
    };
    let check = Check::new("server", state, sentence)
        .details(pod.warnings.iter().map(|problem| problem.message.clone()))
        .details(unnamed)
        .details(outdated.iter().map(|found| found.finding.problem.message.clone()))
        .details(passed);
    let check = if pod.unnamed {
        check.hint("say which with --server-env MAGE_CONTAINER_NAME=NAME")
    } else {
        check
    };
    outdated.iter().flat_map(|found| &found.finding.problem.hints).fold(check, Check::hint)
}

fn no_server(facts: &Facts<'_>) -> Check {
    let search = &facts.snapshot.server_pod;
    if let Some(problem) = &facts.server {
        let check = Check::new("server", State::Problem, problem.message.clone());
        return problem.hints.iter().fold(check, Check::hint);
    }
    if facts.judged == Judged::Nothing {
        return Check::new(
            "server",
            State::Skipped,
            "it takes a cluster that answers, or --snapshot",
        );
    }
    if let Some(pod) = &search.pod {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
        let sentence = format!("pod/{name} in namespace {namespace}");
        return Check::new("server", State::Ok, sentence);
    }
    if !search.refused.is_empty() {
        return Check::new("server", State::NotKnown, "it was not looked for everywhere")
            .details(search.refused.iter().cloned())
            .hint("name it with --server-pod, or pass its pod as a file, --server-pod @FILE");
    }
    if search.namespaces.is_empty() {
        return Check::new("server", State::Skipped, "it was not looked for");
    }
    let sentence = format!(
        "no pod of a Mage server in namespace {}: Jobs inherit from none",
        search.namespaces.join(", ")
    );
    Check::new("server", State::Warning, sentence)
        .hint("is it elsewhere? name it with --server-pod NAMESPACE/NAME")
}

fn edition(inputs: &Inputs) -> Check {
    let sentence = format!("{}: {}", inputs.edition.name(), inputs.edition_why);
    Check::new("edition", State::Ok, sentence)
}

/// Returns the findings of these kinds that nobody passes over.
fn of<'a>(facts: &Facts<'a>, ids: &'a [FindingId]) -> impl Iterator<Item = &'a Reported> + use<'a> {
    let is_meant = move |found: &&Reported| {
        found.ignored.is_none() && found.finding.problem.id.is_some_and(|id| ids.contains(&id))
    };
    facts.findings.iter().filter(is_meant)
}

/// A file that decides: which, and whether the server has it as it is now.
fn file(facts: &Facts<'_>, id: &'static str, name: &str, what: &str) -> Check {
    let search = &facts.snapshot.server_pod;
    let mounted: Option<&PodFile> =
        search.files.iter().find(|file| file.object.as_deref() == Some(name));
    let stale = of(facts, &[FindingId::StalePolicy])
        .find(|found| found.finding.problem.message.starts_with(&format!("{name} was changed")));
    if let Some(stale) = stale {
        let check = Check::new(id, State::Warning, stale.finding.problem.message.clone());
        return stale.finding.problem.hints.iter().fold(check, Check::hint);
    }
    let sentence = match mounted {
        Some(file) => format!(
            "{name}{what}, at {} in the server's pod; not changed since it started, or refreshed there",
            file.path
        ),
        None => format!("{name}{what}"),
    };
    Check::new(id, State::Ok, sentence)
}

fn policy(facts: &Facts<'_>, inputs: &Inputs) -> Check {
    let Some(policy) = &inputs.policy else {
        return absent(facts, inputs, "policy", "K8S_DEFAULT_CONFIG_PATH");
    };
    let what = match (policy.enabled, policy.kind) {
        (false, _) => " (not enabled: it decides nothing)",
        (true, LayerKind::PolicyEnforced) => " (enforced)",
        (true, _) => " (defaults, which a project may override)",
    };
    let check = file(facts, "policy", &policy.file.name, what);
    differs(facts, check, &policy.file.name, &policy.file.text, "K8S_DEFAULT_CONFIG_PATH")
}

fn template(facts: &Facts<'_>, inputs: &Inputs) -> Check {
    let Some(template) = &inputs.template else {
        return absent(facts, inputs, "template", "K8S_CONFIG_FILE");
    };
    let check = file(facts, "template", &template.file.name, "");
    differs(facts, check, &template.file.name, &template.file.text, "K8S_CONFIG_FILE")
}

/// Says where a file given by hand differs from the one that the server has.
fn differs(facts: &Facts<'_>, check: Check, name: &str, text: &str, variable: &str) -> Check {
    let Some(inputs) = facts.inputs.ok() else { return check };
    let path = inputs.env.get(variable).map(|found| found.value);
    let server =
        facts.snapshot.server_pod.files.iter().find(|file| path.as_ref() == Some(&file.path));
    let other = server.and_then(|file| Some((file.object.as_ref()?, file.text.as_ref()?)));
    match other {
        Some((object, theirs)) if object != name && theirs != text => {
            let sentence = format!("{name} is not what the server reads: {object} differs from it");
            Check::new(check.id, State::Warning, sentence)
                .hint("leave the flag out to use what the server reads")
        }
        _ => check,
    }
}

fn absent(facts: &Facts<'_>, inputs: &Inputs, id: &'static str, variable: &str) -> Check {
    let given = if id == "policy" { &facts.given.policy } else { &facts.given.template };
    let given = given.as_ref().map(|path| path.display().to_string());
    let is_meant = |text: &str| {
        text.contains(variable) || given.as_ref().is_some_and(|given| text.contains(given))
    };
    let unread = inputs.errors.iter().find(|problem| {
        is_meant(&problem.message)
            || problem.place.as_ref().is_some_and(|place| {
                let file = &place.file;
                is_meant(&file.name)
                    || file.path.as_ref().is_some_and(|path| is_meant(&path.to_string_lossy()))
            })
    });
    if let Some(problem) = unread {
        let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let check = Check::new(id, State::Problem, format!("{place}{}", problem.message));
        return problem.hints.iter().fold(check, Check::hint);
    }
    if let Some(given) = given {
        return Check::new(id, State::NotKnown, format!("{given} cannot be read"));
    }
    if id == "policy" && inputs.edition == Edition::Oss {
        return Check::new(id, State::Ok, "none: Mage OSS reads no policy");
    }
    let sentence = format!("none: the server's environment names none ({variable})");
    let looked = &facts.snapshot.server_pod;
    match inputs.server {
        Some(_) => Check::new(id, State::Ok, sentence),
        None if facts.judged == Judged::Nothing || !looked.refused.is_empty() => {
            let sentence = format!("none is given, and the server's {variable} is not known");
            Check::new(id, State::NotKnown, sentence)
        }
        None => {
            let sentence = format!("none: there is no server pod whose {variable} could name one");
            Check::new(id, State::Ok, sentence)
        }
    }
}

fn jobs(facts: &Facts<'_>) -> Check {
    let (wanted, summary) = (&facts.wanted, Summary::of(facts.findings));
    if let Some((pipeline, why)) = wanted.unmade.first() {
        let sentence = match wanted.unmade.len() {
            1 => format!("the Jobs of pipeline {pipeline} cannot be made: {why}"),
            count => format!("the Jobs of {count} pipelines cannot be made"),
        };
        let lines = wanted.unmade.iter().map(|(pipeline, why)| format!("{pipeline}: {why}"));
        let check = Check::new("jobs", State::Problem, sentence);
        let check = if wanted.unmade.len() > 1 { check.details(lines) } else { check };
        return check.hint("see everything with `kubectl mage lint`");
    }
    if wanted.jobs == 0 {
        return Check::new("jobs", State::Warning, "the project has no block in a pipeline");
    }
    let made = format!("{} can be made", crate::ui::plural(wanted.jobs, "Job"));
    let live = if facts.judged == Judged::Live { " --live" } else { "" };
    let hint = format!("see them with `kubectl mage lint{live}`");
    match (summary.errors, summary.warnings) {
        (0, 0) => Check::new("jobs", State::Ok, format!("{made}, and lint finds nothing")),
        (0, warnings) => {
            let found = crate::ui::plural(warnings, "warning");
            Check::new("jobs", State::Ok, format!("{made}; lint has {found}")).hint(hint)
        }
        (errors, _) => {
            let is_error = |found: &&Reported| {
                found.ignored.is_none() && found.finding.severity == Severity::Error
            };
            let first = facts.findings.iter().filter(is_error).take(5);
            let lines = first.map(|found| found.finding.problem.message.clone());
            let found = crate::ui::plural(errors, "error");
            Check::new("jobs", State::Problem, format!("{made}, but lint finds {found}"))
                .details(lines)
                .hint(hint)
        }
    }
}

/// Findings about what blocks leave for each other.
const STORAGE: [FindingId; 3] =
    [FindingId::DataCannotPass, FindingId::ClaimMissing, FindingId::VolumeNotMounted];

/// Whether blocks can read what those before them wrote.
fn storage(facts: &Facts<'_>) -> Check {
    if facts.wanted.jobs == 0 {
        return Check::new("storage", State::Skipped, "there is no Job");
    }
    let found: Vec<&Reported> = of(facts, &STORAGE).collect();
    let Some(first) = found.first() else {
        let sentence = "blocks can read what those before them wrote, as far as volumes tell";
        return Check::new("storage", State::Ok, sentence);
    };
    let is_error = found.iter().any(|found| found.finding.severity == Severity::Error);
    let state = if is_error { State::Problem } else { State::Warning };
    let check = Check::new("storage", state, first.finding.problem.message.clone())
        .details(found.iter().skip(1).map(|found| found.finding.problem.message.clone()));
    found.iter().flat_map(|found| &found.finding.problem.hints).fold(check, Check::hint)
}
