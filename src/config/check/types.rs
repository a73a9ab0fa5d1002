//! The decoding of a Job under strict field validation.

use std::fmt;

use serde_json::Value as Json;

use super::Check;
use crate::config::api::{Field, Kind, api_type};
use crate::merge::{Content, Tree};

/// Fields of 64 bits; every other integer has 32.
const LONG: [&str; 10] = [
    "activeDeadlineSeconds",
    "deletionGracePeriodSeconds",
    "expirationSeconds",
    "fsGroup",
    "generation",
    "runAsGroup",
    "runAsUser",
    "supplementalGroups",
    "terminationGracePeriodSeconds",
    "tolerationSeconds",
];

impl Check {
    pub(super) fn types(&mut self, job: &Tree) {
        self.kind(job, &Kind::Type("Job"), "", Path::default());
    }

    fn kind(&mut self, tree: &Tree, kind: &Kind, name: &str, path: Path<'_>) {
        match (kind, &tree.content) {
            (_, Content::Leaf(Json::Null)) | (Kind::Object, _) => {}
            (Kind::Type(type_name), Content::Map(map)) => {
                let api = api_type(type_name);
                for (key, value) in map {
                    let path = path.with(Step::Field(key));
                    match api.field(key) {
                        Some(field) => self.kind(value, &field.kind, field.name, path),
                        None => self.refuse(value, &path.to_string(), "is no field of the API"),
                    }
                }
                for field in api.fields.iter().filter(|field| is_checked(type_name, field)) {
                    if !map.get(field.name).is_some_and(is_present) {
                        let path = path.with(Step::Field(field.name));
                        self.refuse(tree, &path.to_string(), "is required");
                    }
                }
            }
            (Kind::List(item), Content::List { items, .. }) => {
                for (index, tree) in items.iter().enumerate() {
                    self.kind(tree, item, name, path.with(Step::Index(index)));
                }
            }
            (Kind::Map(item), Content::Map(map)) => {
                for (key, tree) in map {
                    self.kind(tree, item, name, path.with(Step::Key(key)));
                }
            }
            (_, Content::Leaf(value)) if scalar_fits(kind, name, value) => {}
            _ => self.refuse(tree, &path.to_string(), "is of the wrong type"),
        }
    }
}

/// Where a value stands; written out only where something is wrong with it.
#[derive(Clone, Copy, Default)]
struct Path<'a>(Option<(&'a Path<'a>, Step<'a>)>);

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    fn with(&'a self, step: Step<'a>) -> Self {
        Self(Some((self, step)))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((above, step)) = self.0 else { return Ok(()) };
        above.fmt(f)?;
        match step {
            Step::Field(name) if above.0.is_none() => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Key(key) => write!(f, "[{key}]"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// What is required and not looked at by a check of its own.
fn is_checked(type_name: &str, field: &Field) -> bool {
    let own = matches!(
        type_name,
        "PodSpec"
            | "JobSpec"
            | "Container"
            | "Volume"
            | "VolumeMount"
            | "EnvVar"
            | "ContainerPort"
            | "NodeSelectorRequirement"
            | "LabelSelectorRequirement"
            | "WeightedPodAffinityTerm"
            | "PreferredSchedulingTerm"
            | "PodAffinityTerm"
            | "NodeSelector"
            | "HTTPGetAction"
            | "TCPSocketAction"
            | "GRPCAction"
            | "ConfigMapKeySelector"
            | "SecretKeySelector"
    );
    field.required && !own
}

fn is_present(tree: &Tree) -> bool {
    match &tree.content {
        Content::Leaf(value) => !matches!(value, Json::Null) && value != "",
        Content::List { items, .. } => !items.is_empty(),
        Content::Map(_) => true,
    }
}

fn scalar_fits(kind: &Kind, name: &str, value: &Json) -> bool {
    match kind {
        Kind::String => value.is_string(),
        Kind::Time => value.as_str().is_some_and(is_time),
        Kind::Integer => value
            .as_i64()
            .is_some_and(|number| LONG.contains(&name) || i32::try_from(number).is_ok()),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::IntOrString => {
            value.is_string() || value.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
        }
        Kind::Quantity => match value {
            Json::String(text) => crate::job::Quantity::parse(text).is_some(),
            Json::Number(number) => crate::job::Quantity::parse(&number.to_string()).is_some(),
            _ => false,
        },
        _ => false,
    }
}

/// RFC 3339, as far as a date is one: `2026-01-02T03:04:05Z`.
fn is_time(text: &str) -> bool {
    let (date, time) = text.split_at_checked(10).unwrap_or((text, ""));
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    digits(date) == 8 && time.starts_with('T') && digits(time) >= 6
}
