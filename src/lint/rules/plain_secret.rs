//! A secret in plain text.

use crate::error::Problem;
use crate::config::{JobPath, LayerKind, Segment, Source};
use crate::job::{JobValue, secret};
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at};

pub(super) const RULE: Rule = Rule {
    id: FindingId::PlainSecret,
    code: "MAGE314",
    name: "plain-secret",
    severity: Severity::Warning,
    summary: "a secret in plain text",
    explanation: "Whoever can read the repository, the Job or the pod can read the value. Put it into a Secret and refer to it:\n\n```yaml\nenv:\n- name: DB_PASSWORD\n  value_from:\n    secret_key_ref: {name: db, key: password}\n```\n\nor keep it out of the file with `{{ mage_secret_var('…') }}`. A value counts as a secret by its name (`…PASSWORD…`, `…TOKEN…`, …) or because a URL has user and password in it. The value is never shown.",
    example: Example {
        edition: "pro",
        files: &[("metadata.yaml", "project_type: standalone\nremote_variables_dir: s3://bucket/mage\nk8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n    env:\n    - name: DB_PASSWORD\n      value: «hunter2»\n  resource_requests:\n    cpu: 250m\n    memory: 512Mi\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    for value in facts.job.values.iter().filter(|value| value.secret && is_written(value)) {
        let Some(name) = name(facts, &value.path) else { continue };
        if !secret::is_credential(&name, value.value.as_str().unwrap_or_default()) {
            continue;
        }
        let problem = Problem::new(format!("`{name}` is a secret in plain text"));
        let problem = at(problem, value);
        found.push(problem.hint(
            "put it into a Secret, and give `value_from: {secret_key_ref: {name: …, key: …}}`",
        ));
    }
}

/// Tells whether a value stands in a file of the project as it is.
fn is_written(value: &JobValue) -> bool {
    matches!(value.origin.source, Source::File { .. })
        && value.origin.layer != LayerKind::ServerPod
        && value.origin.expression.is_none()
}

/// Returns what people call the value: the variable's name, or the last key.
fn name(facts: &JobFacts<'_>, path: &JobPath) -> Option<String> {
    let pointer = path.0.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Key(key) => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Index(index) => format!("{pointer}/{index}"),
    });
    let item = facts.job.job.pointer(pointer.rsplit_once('/')?.0)?;
    match path.0.last()? {
        Segment::Key(key) if &**key == "value" => item["name"].as_str().map(str::to_owned),
        Segment::Key(key) => Some(key.to_string()),
        Segment::Index(_) => Some(path.to_string()),
    }
}
