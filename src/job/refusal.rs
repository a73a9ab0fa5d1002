//! What the API server says is wrong with a Job, at the places that are to blame.

use serde_json::Value as Json;

use super::resources::{at_origin, told};
use super::secret::MASK;
use super::{JobValue, Quantity, RenderedJob, is_quantity};
use crate::config::{JobPath, Segment};
use crate::error::Problem;

/// One thing that the server does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field as the server spells it; empty where it names none.
    pub field: String,
    /// What is wrong, in the server's words.
    pub message: String,
    /// The kind of JSON value that it cannot read there, such as `string`; it then counts no items
    /// of lists.
    kind: Option<String>,
}

/// A violation of one Job, and the place at fault.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What to tell.
    pub problem: Problem,
    /// The same for every Job that is refused for the same place and the same reason.
    pub reason: String,
}

impl Violation {
    /// Makes a violation of a cause that the server tells apart from others.
    #[must_use]
    pub fn new(field: &str, message: &str) -> Self {
        Self { field: field.to_owned(), message: message.to_owned(), kind: None }
    }

    /// Reads the message of a refusal that names no causes.
    #[must_use]
    pub fn read(message: &str) -> Vec<Self> {
        let said = message.split_once(" cannot be handled as a Job: ").map_or(message, |(_, m)| m);
        if let Some(strict) = said.strip_prefix("strict decoding error: ") {
            return strict_errors(strict);
        }
        if let Some(violation) = unreadable(said) {
            return vec![violation];
        }
        let said = match said.split_once(" is forbidden: ") {
            Some((object, why)) if object.starts_with("jobs.batch ") => why,
            _ => said,
        };
        vec![Self::new("", said)]
    }

    /// Tells whether it is about a field that the server does not know.
    fn is_unknown(&self) -> bool {
        self.message.starts_with("unknown field")
    }
}

/// Reads `unknown field "spec.x", duplicate field "spec.y"`.
fn strict_errors(text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut rest = text;
    while let Some((what, after)) = rest.split_once('"') {
        // Fields hold quotes only where a key does; those are escaped.
        let Some((field, after)) = after.split_once('"') else { break };
        let what = what.trim_start_matches([',', ' ']).trim_end();
        violations.push(Violation::new(field, what));
        rest = after;
    }
    if violations.is_empty() { vec![Violation::new("", text)] } else { violations }
}

/// Reads `json: cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type
/// int32`.
fn unreadable(text: &str) -> Option<Violation> {
    let (kind, rest) = text.strip_prefix("json: cannot unmarshal ")?.split_once(" into Go ")?;
    let (field, wanted) = rest.split_once(" of type ")?;
    let field = field.strip_prefix("struct field ").and_then(|field| field.split_once('.'));
    let kind = kind.split(' ').next().unwrap_or(kind);
    Some(Violation {
        field: field.map(|(_, field)| field.to_owned()).unwrap_or_default(),
        message: format!("a {kind} cannot be read as {wanted}"),
        kind: Some(kind.to_owned()),
    })
}

/// Finds the place at fault of each violation.
#[must_use]
pub fn refusals(job: &RenderedJob, violations: &[Violation]) -> Vec<Refusal> {
    violations.iter().map(|violation| refusal(job, violation)).collect()
}

fn refusal(job: &RenderedJob, violation: &Violation) -> Refusal {
    let value = at_fault(job, violation);
    let mut said = masked(job, &violation.message);
    if !violation.field.is_empty() {
        said = format!("{}: {said}", violation.field);
    }
    let place = value.map(|value| told(&value.origin));
    let mut message = format!(
        "the API server refuses job.batch/{} in namespace {}: {said}",
        job.name, job.namespace
    );
    let mut problem = Problem::new(String::new());
    if let Some(value) = value {
        problem = problem.setting(&*value.origin.setting).job_path(value.path.to_string());
        // The line of a secret is not shown.
        if !value.secret {
            problem = at_origin(problem, &value.origin);
        }
        if problem.place.is_none() {
            message = format!("{message} ({})", told(&value.origin));
        }
    }
    problem.message = message;
    let target = match &job.block {
        Some(block) => format!("{}/{block}", job.pipeline),
        None => job.pipeline.clone(),
    };
    let hint = match value {
        Some(_) if violation.is_unknown() => {
            "leave it out: this API server knows no such field".to_owned()
        }
        Some(value) => {
            format!(
                "see its history with `kubectl mage explain-config {target} --why '{}'`",
                value.path
            )
        }
        None => format!("see what is sent with `kubectl mage render {target}`"),
    };
    Refusal { problem: problem.hint(hint), reason: format!("{place:?} {said}") }
}

/// Takes the Job's secrets out of what the server says.
fn masked(job: &RenderedJob, message: &str) -> String {
    let secrets = job.values.iter().filter(|value| value.secret);
    let secrets = secrets.filter_map(|value| value.value.as_str()).filter(|text| !text.is_empty());
    secrets.fold(message.to_owned(), |message, secret| {
        // A short one stands in words that have nothing to do with it.
        if secret.len() < 4 {
            message.replace(&format!("\"{secret}\""), &format!("\"{MASK}\""))
        } else {
            message.replace(secret, MASK)
        }
    })
}

/// Returns the value that a violation is about.
fn at_fault<'j>(job: &'j RenderedJob, violation: &Violation) -> Option<&'j JobValue> {
    if violation.field.is_empty() {
        let is_unreadable = |value: &&JobValue| is_quantity(&value.path) && !reads(&value.value);
        return job
            .values
            .iter()
            .find(is_unreadable)
            .filter(|_| violation.message.starts_with("quantities must match"));
    }
    let mut field = segments(&violation.field);
    let mut found = below(job, &field, violation.kind.is_some());
    // What is missing has the place of what it is missing in, if that is more than a whole part.
    while found.is_empty() {
        field.pop();
        if is_whole_part(&field) {
            return None;
        }
        found = below(job, &field, violation.kind.is_some());
    }
    found.iter().find(|value| is_meant(value, violation)).or(found.first()).copied()
}

/// Tells whether a value is the one that the server's words cite, or of the kind it cannot read.
fn is_meant(value: &JobValue, violation: &Violation) -> bool {
    if let Some(kind) = &violation.kind {
        return kind_of(&value.value) == kind;
    }
    let text = match &value.value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cited = |text: &str| violation.message.contains(&format!("{text:?}"));
    cited(&text) || matches!(value.path.0.last(), Some(Segment::Key(key)) if cited(key))
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// Returns the values at a field and below it; `uncounted` fields name no items of lists.
fn below<'j>(job: &'j RenderedJob, field: &[Segment], uncounted: bool) -> Vec<&'j JobValue> {
    let is_below = |path: &JobPath| {
        if uncounted {
            let keys = path.0.iter().filter(|segment| matches!(segment, Segment::Key(_)));
            keys.take(field.len()).eq(field)
        } else {
            path.0.starts_with(field)
        }
    };
    job.values.iter().filter(|value| is_below(&value.path)).collect()
}

/// Tells whether a field is so much of the Job that any line of it would mislead.
fn is_whole_part(field: &[Segment]) -> bool {
    let names: Vec<&str> = field
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_ref()),
            Segment::Index(_) => None,
        })
        .collect();
    matches!(
        names.as_slice(),
        [] | ["metadata" | "spec"]
            | ["spec", "template"]
            | ["spec", "template", "metadata" | "spec"]
            | ["spec", "template", "spec", "containers" | "initContainers"]
    )
}

/// Reads a field as the server spells it: keys in brackets have no quotes.
fn segments(field: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        let (segment, after) = if let Some(inner) = rest.strip_prefix('[') {
            let (inner, after) = inner.split_once(']').unwrap_or((inner, ""));
            let index = inner.parse().map(Segment::Index);
            (index.unwrap_or_else(|_| Segment::Key(inner.into())), after)
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            (Segment::Key(rest[..end].into()), &rest[end..])
        };
        segments.push(segment);
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    segments
}

fn reads(value: &Json) -> bool {
    match value {
        Json::String(text) => Quantity::parse(text).is_some(),
        Json::Number(_) | Json::Null => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Violation, refusals};
    use crate::config::{JobPath, LayerKind, Origin, Source};
    use crate::job::{JobValue, RenderedJob};
    use serde_json::{Value, json};

    fn job(values: &[(&str, Value, bool)]) -> RenderedJob {
        let value = |(path, value, secret): &(&str, Value, bool)| JobValue {
            path: JobPath::parse(path).unwrap(),
            value: value.clone(),
            origin: Origin::new(
                LayerKind::Block,
                Source::Flag { name: format!("--{}", path.rsplit('.').next().unwrap()).into() },
                "",
            ),
            rule: None,
            overridden: Vec::new(),
            secret: *secret,
        };
        RenderedJob {
            pipeline: "etl".to_owned(),
            block: Some("load".to_owned()),
            namespace: "ns".to_owned(),
            name: "j".to_owned(),
            mage_name: "j".to_owned(),
            job: json!({}),
            values: values.iter().map(value).collect(),
            lost: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn blamed(job: &RenderedJob, violation: &Violation) -> Option<String> {
        let refusal = refusals(job, std::slice::from_ref(violation)).remove(0);
        refusal.problem.details().and_then(|details| details.job_path.clone())
    }

    #[test]
    fn messages_without_causes_are_read() {
        let prefix = "Job in version \"v1\" cannot be handled as a Job: ";
        let strict = format!(
            "{prefix}strict decoding error: unknown field \"spec.template.spec.containers[0].foo\", unknown field \"spec.bar\""
        );
        assert_eq!(
            Violation::read(&strict),
            [
                Violation::new("spec.template.spec.containers[0].foo", "unknown field"),
                Violation::new("spec.bar", "unknown field"),
            ]
        );
        let json = format!(
            "{prefix}json: cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32"
        );
        let read = Violation::read(&json).remove(0);
        assert_eq!(read.field, "spec.backoffLimit");
        assert_eq!(read.message, "a string cannot be read as int32");
        let denied = "jobs.batch \"j\" is forbidden: not on Fridays";
        assert_eq!(Violation::read(denied), [Violation::new("", "not on Fridays")]);
        assert_eq!(Violation::read("odd"), [Violation::new("", "odd")]);
    }

    #[test]
    fn the_field_leads_to_the_value() {
        let container = ".spec.template.spec.containers[0]";
        let job = job(&[
            (".metadata.labels.good", json!("x"), false),
            (".metadata.labels.bad", json!("a b"), false),
            (&format!("{container}.name"), json!("mage"), false),
            (&format!("{container}.resources.limits.cpu"), json!("-1"), false),
            (&format!("{container}.resources.limits.memory"), json!("1x"), false),
            (&format!("{container}.ports[0].name"), json!("web"), false),
            (&format!("{container}.ports[1].containerPort"), json!("y"), false),
            (&format!("{container}.env[0].value"), json!("hunter2"), true),
        ]);
        let limits = format!("{container}.resources.limits");
        for (field, message, path) in [
            (
                "metadata.labels",
                "Invalid value: \"a b\": no",
                Some(".metadata.labels.bad".to_owned()),
            ),
            (
                "spec.template.spec.containers[0].resources.limits[cpu]",
                "no",
                Some(format!("{limits}.cpu")),
            ),
            (
                "spec.template.spec.containers[0].ports[0].containerPort",
                "Required value",
                Some(format!("{container}.ports[0].name")),
            ),
            ("spec.template.spec.containers[0].image", "Required value", None),
            ("spec.activeDeadlineSeconds", "no", None),
            ("", "quantities must match the regular expression", Some(format!("{limits}.memory"))),
            ("", "not on Fridays", None),
        ] {
            assert_eq!(blamed(&job, &Violation::new(field, message)), path, "{field} {message}");
        }
        let read = "json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32";
        let read = Violation::read(read).remove(0);
        assert_eq!(blamed(&job, &read), Some(format!("{container}.ports[1].containerPort")));
    }

    #[test]
    fn a_secret_is_never_cited() {
        let job = job(&[(".metadata.labels.token", json!("hunter2"), true)]);
        let violation = Violation::new("metadata.labels", "Invalid value: \"hunter2\": no");
        let refusal = refusals(&job, &[violation]).remove(0);
        assert_eq!(
            refusal.problem.message,
            "the API server refuses job.batch/j in namespace ns: metadata.labels: Invalid value: \"***\": no (flag --token, layer block)"
        );
    }
}
