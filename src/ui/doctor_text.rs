//! What `doctor` found, as a page and as JSON (pure).

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::color::Paint;
use super::manifest;
use super::sanitize::for_terminal;
use super::status_table::Width;
use super::table::{Headers, table};
use crate::doctor::{Answered, Check, Counts, Need, Report, State};

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Doctored<'a> {
    /// The checks.
    pub report: &'a Report,
    /// Each right of each command.
    pub rights: &'a [Answered],
    /// The Roles that are missing, and their bindings.
    pub roles: &'a [Value],
    /// The command that gives them.
    pub give: &'a str,
}

/// Width of the columns before the sentence.
const NAME: usize = 14;
const STATE: usize = 12;

/// Writes the checks, then the rights (`Wide`: one by one), then the Role that is missing. Painted;
/// for a terminal, control characters are made harmless.
#[must_use]
pub fn doctor_text(all: &Doctored<'_>, width: Width, headers: Headers, terminal: bool) -> String {
    let safe = |text: &str| {
        if terminal { for_terminal(text).into_owned() } else { text.to_owned() }
    };
    let mut out = String::new();
    if headers == Headers::Shown {
        let _ = writeln!(out, "{:NAME$}{:STATE$}FINDING", "CHECK", "STATE");
    }
    for check in &all.report.checks {
        one(&mut out, check, &safe);
    }
    let rights = rights_table(all.rights, width, headers);
    if !rights.is_empty() {
        let _ = write!(out, "\n{}", safe(&rights));
    }
    if !all.roles.is_empty() {
        let _ = writeln!(out, "\n# The Role that is missing: {}", safe(all.give));
        let documents: Vec<String> = all.roles.iter().map(manifest::yaml).collect();
        out.push_str(&safe(&documents.join("---\n")));
    }
    out
}

fn one(out: &mut String, check: &Check, safe: &dyn Fn(&str) -> String) {
    let paint = match check.state {
        State::Ok => Paint::Good,
        State::Skipped => Paint::Dim,
        State::NotKnown => Paint::Active,
        State::Warning => Paint::Warn,
        State::Problem => Paint::Bad,
    };
    let state = check.state.as_str();
    let fill = " ".repeat(STATE - state.len());
    let one_line = |text: &str| safe(&text.replace('\n', " "));
    let _ =
        writeln!(out, "{:NAME$}{}{fill}{}", check.id, paint.on(state), one_line(&check.sentence));
    let before = " ".repeat(NAME + STATE);
    for line in &check.details {
        let _ = writeln!(out, "{before}{}", one_line(line));
    }
    for hint in &check.hints {
        let _ = writeln!(out, "{before}{} {}", Paint::Active.on("hint:"), one_line(hint));
    }
}

fn place(answered: &Answered) -> String {
    answered.namespace.clone().unwrap_or_else(|| "(all)".to_owned())
}

fn word(allowed: Option<bool>) -> &'static str {
    match allowed {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    }
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Required => "required",
        Need::Optional => "optional",
    }
}

fn rights_table(rights: &[Answered], width: Width, headers: Headers) -> String {
    if rights.is_empty() {
        return String::new();
    }
    if width == Width::Wide {
        let row = |one: &Answered| {
            vec![
                one.command.to_owned(),
                place(one),
                one.right.name(),
                need(one.right.need).to_owned(),
                word(one.allowed).to_owned(),
            ]
        };
        let names = ["COMMAND", "NAMESPACE", "RIGHT", "NEED", "ALLOWED"];
        return table(&names, headers, rights.iter().map(row).collect());
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for command in commands(rights) {
        let of_it: Vec<&Answered> = rights.iter().filter(|one| one.command == command).collect();
        if of_it.iter().all(|one| one.counts == Counts::No) {
            continue;
        }
        let missing = |wanted| grouped(of_it.iter().filter(|one| one.is_missing(wanted)));
        let (required, optional) = (missing(Need::Required), missing(Need::Optional));
        let unknown = of_it.iter().any(|one| one.allowed.is_none());
        let may = match (required.is_empty(), optional.is_empty(), unknown) {
            (false, ..) => "no",
            (true, _, true) => "?",
            (true, false, _) => "yes, with less",
            (true, true, _) => "yes",
        };
        let names = if required.is_empty() { optional } else { required };
        let names = if names.is_empty() { "-".to_owned() } else { names };
        rows.push(vec![command.to_owned(), may.to_owned(), names]);
    }
    table(&["COMMAND", "MAY", "MISSING"], headers, rows)
}

/// Names rights by namespace and resource: `etl: create,get jobs.batch, list pods`.
fn grouped<'a>(missing: impl Iterator<Item = &'a &'a Answered>) -> String {
    let mut places: IndexMap<String, IndexMap<String, Vec<&str>>> = IndexMap::new();
    for one in missing {
        let name = one.right.name();
        let resource = name.split_once(' ').map_or("", |(_, resource)| resource).to_owned();
        let resources = places.entry(place(one)).or_default();
        let verbs = resources.entry(resource).or_default();
        // A right may be needed for more than one reason.
        if !verbs.contains(&one.right.verb) {
            verbs.push(one.right.verb);
        }
    }
    let named =
        |(resource, verbs): (&String, &Vec<&str>)| format!("{} {resource}", verbs.join(","));
    let lines = places.iter().map(|(place, resources)| {
        format!("{place}: {}", resources.iter().map(named).collect::<Vec<_>>().join(", "))
    });
    lines.collect::<Vec<_>>().join("; ")
}

fn commands(rights: &[Answered]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = rights.iter().map(|one| one.command).collect();
    names.dedup();
    names
}

/// Renders everything as JSON, as `docs/schemas/doctor.schema.json` says.
#[must_use]
pub fn doctor_json(all: &Doctored<'_>) -> Value {
    let right = |one: &Answered| {
        json!({
            "command": one.command,
            "counts": one.counts == Counts::Yes,
            "namespace": one.namespace,
            "verb": one.right.verb,
            "resource": one.right.resource,
            "group": one.right.group,
            "need": need(one.right.need),
            "allowed": one.allowed,
        })
    };
    json!({
        "exitCode": all.report.exit.code(),
        "checks": all.report.json(),
        "rights": all.rights.iter().map(right).collect::<Vec<_>>(),
        "roles": all.roles,
    })
}

/// Returns the JSON Schema of `doctor -o json`, as `docs/schemas/doctor.schema.json` holds it.
#[must_use]
pub fn doctor_schema() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string"}, "description": description});
    let states = [State::Ok, State::Skipped, State::NotKnown, State::Warning, State::Problem];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubectl mage doctor -o json",
        "description": "What `doctor` found. New checks and members may be added.",
        "type": "object",
        "required": ["exitCode", "checks", "rights", "roles"],
        "properties": {
            "exitCode": {
                "enum": [0, 1, 2, 3],
                "description": "0 without a problem, 1 with one, 2 where the kubeconfig cannot be used, 3 where the cluster cannot be reached.",
            },
            "checks": {
                "type": "array",
                "description": "The checks, in the order in which they rest on each other.",
                "items": {
                    "type": "object",
                    "required": ["id", "state", "sentence", "details", "hints"],
                    "properties": {
                        "id": text("The check's name."),
                        "state": {
                            "enum": states.map(State::as_str),
                            "description": "How it stands.",
                        },
                        "sentence": text("What was found."),
                        "details": texts("More of it."),
                        "hints": texts("What to do."),
                    },
                },
            },
            "rights": {
                "type": "array",
                "description": "Each right of each command, in each namespace in which it is needed.",
                "items": {
                    "type": "object",
                    "required": ["command", "counts", "namespace", "verb", "resource", "group", "need", "allowed"],
                    "properties": {
                        "command": text("The command, with the flags that make a difference."),
                        "counts": {"type": "boolean", "description": "Whether it was asked about (--for)."},
                        "namespace": {"type": ["string", "null"], "description": "Where; null for the cluster as a whole."},
                        "verb": text("The API verb."),
                        "resource": text("The resource as RBAC names it."),
                        "group": text("Its API group, empty for the core group."),
                        "need": {"enum": ["required", "optional"], "description": "Whether the command can do without."},
                        "allowed": {"type": ["boolean", "null"], "description": "The API server's answer; null where it gave none."},
                    },
                },
            },
            "roles": {
                "type": "array",
                "items": {"type": "object"},
                "description": "The Roles that are missing, and their bindings, as `kubectl apply` takes them.",
            },
        },
    })
}
