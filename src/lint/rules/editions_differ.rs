//! A field that the two editions give different values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::config::Segment;
use crate::error::Problem;
use crate::finding::{FindingId, Severity};
use crate::job::secret::MASK;
use crate::job::{JobValue, RenderedJob};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at};
use crate::load::Edition;

pub(super) const RULE: Rule = Rule {
    id: FindingId::EditionsDiffer,
    code: "MAGE420",
    name: "editions-differ",
    severity: Severity::Note,
    summary: "a field that Mage OSS and Mage Pro give different values",
    explanation: "The same files make another Job with the other edition: Mage OSS replaces whole top-level keys where Mage Pro merges, and it passes over settings that Mage Pro reads. Worth knowing before you move from one to the other, and where a colleague's Mage is the other one. Write the setting so that both agree, usually by repeating it in the block.",
    example: Example {
        edition: "pro",
        files: &[
            (
                "metadata.yaml",
                "k8s_executor_config:\n  container_config:\n    image: mageai/mageai:0.9.80\n  resource_limits:\n    cpu: «2»\n",
            ),
            (
                "pipelines/etl/metadata.yaml",
                "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    resource_limits:\n      memory: 4Gi\n",
            ),
        ],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(other) = facts.other_edition.filter(|other| other.job != facts.job.job) else {
        return;
    };
    let (here, there) = match facts.edition() {
        Edition::Oss => (Edition::Oss, Edition::Pro),
        Edition::Pro => (Edition::Pro, Edition::Oss),
    };
    let (ours, theirs) = (by_name(facts.job), by_name(other));
    // One that is more than one field of a Job tells nothing of which.
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in ours.iter().chain(&theirs) {
        fields.entry(&value.origin.setting).or_default().insert(key);
    }
    let name = |value: &JobValue| match value.origin.setting.as_ref() {
        "" => format!("`{}`", value.path),
        setting if fields.get(setting).is_some_and(|fields| fields.len() > 1) => {
            format!("`{}` (setting `{setting}`)", value.path)
        }
        setting => format!("`{setting}`"),
    };
    let editions = (here, there);
    for (key, value) in &ours {
        match theirs.get(key) {
            Some(their) if same(&their.value, &value.value) => {}
            their => tell(found, (value, &name(value)), (Some(value), their.copied()), editions),
        }
    }
    for (key, value) in theirs.iter().filter(|(key, _)| !ours.contains_key(*key)) {
        if !key.starts_with(".spec.backoffLimit") {
            tell(found, (value, &name(value)), (None, Some(value)), editions);
        }
    }
}

/// A quantity may be a number or its text.
fn same(one: &Json, other: &Json) -> bool {
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    one == other || text(one).is_some_and(|one| text(other) == Some(one))
}

fn tell(
    found: &mut Found,
    (place, name): (&JobValue, &str),
    (ours, theirs): (Option<&JobValue>, Option<&JobValue>),
    (here, there): (Edition, Edition),
) {
    let shown = |value: Option<&JobValue>| match value {
        None => "not set".to_owned(),
        Some(value) if value.secret => MASK.to_owned(),
        Some(value) => match &value.value {
            Json::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        },
    };
    let message = format!(
        "{name} is {} in edition {} and {} in edition {}",
        shown(ours),
        here.name(),
        shown(theirs),
        there.name()
    );
    found.push(at(Problem::new(message), place).hint("`kubectl mage explain-config` tells why"));
}

/// Returns the values by their path; an item of a list that is joined by name goes by its name, for
/// its index may be another.
fn by_name(job: &RenderedJob) -> BTreeMap<String, &JobValue> {
    let mut named = BTreeMap::new();
    for value in &job.values {
        let mut at = Some(&job.job);
        let mut key = String::new();
        for segment in &value.path.0 {
            at = match segment {
                Segment::Key(name) => {
                    key.push('.');
                    key.push_str(name);
                    at.and_then(|at| at.get(&**name))
                }
                Segment::Index(index) => {
                    let item = at.and_then(|at| at.get(index));
                    let joined = |item: &&Json| !key.ends_with(".containers") && item.is_object();
                    let name = item.filter(joined).and_then(|item| {
                        item.get("mountPath").or_else(|| item.get("name"))?.as_str()
                    });
                    match name {
                        Some(name) => {
                            let _ = write!(key, "[{name}]");
                        }
                        None => {
                            let _ = write!(key, "[{index}]");
                        }
                    }
                    item
                }
            };
        }
        if !key.contains(".command[") {
            named.insert(key, value);
        }
    }
    named
}
