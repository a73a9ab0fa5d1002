//! What the API server has against a Job, as far as it can be told without asking it: the decoding under
//! strict field validation (`types`), then Kubernetes' own validation
//! (`pkg/apis/core/validation`, `pkg/apis/batch/validation`) of what a Job of Mage can hold.
//!
//! A test in `tests/cluster` holds this against a real API server, in both directions.

mod affinity;
mod container;
mod names;
mod object;
mod pod;
mod types;
mod volume;

use serde_json::Value as Json;

pub use names::{is_dns_label, is_dns_subdomain, is_label_value, is_qualified_name};

use super::origin::Origin;
use crate::merge::{Content, Tree};

/// Something the API server refuses, and where it came from.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What it is about: a path in the Job, or `the namespace` of the request.
    pub path: String,
    /// What it has against it, as a lowercase fragment.
    pub message: String,
    /// Who gave the value.
    pub origin: Origin,
}

/// Checks the six parts of a merged tree, which become a Job.
#[must_use]
pub fn refusals(root: &Tree) -> Vec<Refusal> {
    let mut check = Check::default();
    for part in ["prefix", "namespace"] {
        if let Some(tree) = root.at(&[part]).filter(|tree| tree.as_str().is_none()) {
            check.refuse(tree, part, "is no text");
        }
    }
    if let Some(namespace) = root.at(&["metadata", "namespace"])
        && namespace.as_str().is_some_and(|text| text.contains("{{") || text.contains("{%"))
    {
        check.refuse(namespace, "metadata.namespace", "is not rendered");
    }
    check.job(&assembled(root), None);
    check.found
}

/// Checks a whole Job that is sent to a namespace.
#[must_use]
pub fn job_refusals(job: &Tree, namespace: &str) -> Vec<Refusal> {
    let mut check = Check::default();
    check.job(job, Some(namespace));
    check.found
}

/// Puts the parts where they go in a Job; what is added only later is made up.
fn assembled(root: &Tree) -> Tree {
    let origin = || Origin::built_in("");
    let part = |name: &str| root.at(&[name]).cloned().unwrap_or_else(|| Tree::empty_map(origin()));
    let mut container = part("container");
    let mut pod = part("pod");
    let fill = |tree: &mut Tree, key: &str, value: &str| {
        if value_at(tree, key).is_none() {
            tree.put(&[key], Tree::leaf(value, origin()));
        }
    };
    fill(&mut container, "name", "mage");
    fill(&mut container, "image", "image");
    fill(&mut pod, "restartPolicy", "Never");
    let others = match pod.take(&["containers"]).map(|tree| tree.content) {
        Some(Content::List { items, .. }) => items,
        _ => Vec::new(),
    };
    let items = std::iter::once(container).chain(others).collect();
    pod.put(&["containers"], Tree::new(Content::List { items, closed: false }, origin()));
    let mut metadata = part("metadata");
    let mut job = Tree::empty_map(origin());
    job.put(&["spec"], part("job"));
    job.put(&["spec", "template", "metadata"], metadata.clone());
    job.put(&["spec", "template", "spec"], pod);
    metadata.put(&["name"], Tree::leaf("name", origin()));
    job.put(&["metadata"], metadata);
    job
}

/// Gathers what is refused.
#[derive(Default)]
struct Check {
    found: Vec<Refusal>,
}

impl Check {
    fn refuse(&mut self, tree: &Tree, path: &str, what: &str) {
        let message = format!("{path} {what}");
        let path = path.to_owned();
        self.found.push(Refusal { path, message, origin: tree.origin.clone() });
    }

    /// What cannot be decoded is not looked at any further, as in the API server.
    fn job(&mut self, job: &Tree, namespace: Option<&str>) {
        self.types(job);
        if !self.found.is_empty() {
            return;
        }
        if let Some(metadata) = value_at(job, "metadata") {
            self.object_name(metadata);
            self.metadata(metadata, "metadata");
            if let Some(asked) = namespace.filter(|asked| !names::is_dns_label(asked)) {
                let what = format!("is `{asked}`, which cannot be one");
                self.refuse(metadata, "the namespace", &what);
            }
            if let (Some(asked), Some(own)) = (namespace, value_at(metadata, "namespace"))
                && own.as_str().is_some_and(|own| !own.is_empty() && own != asked)
            {
                self.refuse(own, "metadata.namespace", "is not the namespace of the request");
            }
        }
        let Some(spec) = value_at(job, "spec") else { return };
        for field in [
            "activeDeadlineSeconds",
            "backoffLimit",
            "backoffLimitPerIndex",
            "completions",
            "maxFailedIndexes",
            "parallelism",
            "ttlSecondsAfterFinished",
        ] {
            self.range(spec, field, "spec", 0, i64::MAX);
        }
        self.one_of(spec, "completionMode", "spec", &["NonIndexed", "Indexed"]);
        self.one_of(spec, "podReplacementPolicy", "spec", &["TerminatingOrFailed", "Failed"]);
        self.job_modes(spec);
        let Some(template) = value_at(spec, "template") else { return };
        if let Some(metadata) = value_at(template, "metadata") {
            self.metadata(metadata, "spec.template.metadata");
        }
        if let Some(pod) = value_at(template, "spec") {
            self.pod(pod, "spec.template.spec");
        }
    }

    fn job_modes(&mut self, spec: &Tree) {
        let indexed = text_at(spec, "completionMode") == "Indexed";
        // Without both, each is 1.
        let lacks = value_at(spec, "completions").is_none();
        if indexed && lacks && value_at(spec, "parallelism").is_some() {
            self.refuse(spec, "spec.completions", "is required when completionMode is Indexed");
        }
        if let Some(limit) = value_at(spec, "backoffLimitPerIndex").filter(|_| !indexed) {
            self.refuse(limit, "spec.backoffLimitPerIndex", "needs completionMode Indexed");
        }
        if let Some(most) = value_at(spec, "maxFailedIndexes")
            && value_at(spec, "backoffLimitPerIndex").is_none()
        {
            self.refuse(most, "spec.maxFailedIndexes", "needs backoffLimitPerIndex");
        }
        if value_at(spec, "manualSelector").is_none_or(|tree| tree.to_json() != Json::Bool(true))
            && let Some(selector) = value_at(spec, "selector")
        {
            self.refuse(selector, "spec.selector", "may not be given: the API server makes it");
        }
    }

    /// A number at `field`, if any, must be from `least` to `most`.
    fn range(&mut self, tree: &Tree, field: &str, path: &str, least: i64, most: i64) {
        if let Some(found) = value_at(tree, field)
            && let Some(number) = number(found)
            && !(least..=most).contains(&number)
        {
            let what = if most == i64::MAX {
                format!("is {number}, which is less than {least}")
            } else {
                format!("is {number}, not from {least} to {most}")
            };
            self.refuse(found, &format!("{path}.{field}"), &what);
        }
    }

    /// A text at `field`, if any, must be one of some.
    fn one_of(&mut self, tree: &Tree, field: &str, path: &str, known: &[&str]) {
        if let Some(found) = value_at(tree, field)
            && let Some(text) = found.as_str()
            && !text.is_empty()
            && !known.contains(&text)
        {
            let what = format!("is `{text}`, not one of {}", known.join(", "));
            self.refuse(found, &format!("{path}.{field}"), &what);
        }
    }

    /// A text at `field` may not be empty or missing.
    fn required(&mut self, tree: &Tree, field: &str, path: &str) -> bool {
        let is_there = !text_at(tree, field).is_empty();
        if !is_there {
            let place = value_at(tree, field).unwrap_or(tree);
            self.refuse(place, &format!("{path}.{field}"), "is required");
        }
        is_there
    }

    /// A text at `field`, if any, must satisfy `is_valid`.
    fn valid(
        &mut self,
        tree: &Tree,
        field: &str,
        path: &str,
        is_valid: fn(&str) -> bool,
        wanted: &str,
    ) {
        if let Some(found) = value_at(tree, field)
            && let Some(text) = found.as_str()
            && !text.is_empty()
            && !is_valid(text)
        {
            self.refuse(found, &format!("{path}.{field}"), &format!("is `{text}`, not {wanted}"));
        }
    }
}

/// Returns the value of a key; null is as good as missing.
fn value_at<'a>(tree: &'a Tree, key: &str) -> Option<&'a Tree> {
    tree.at(&[key]).filter(|tree| !matches!(tree.content, Content::Leaf(Json::Null)))
}

fn text_at<'a>(tree: &'a Tree, key: &str) -> &'a str {
    tree.at(&[key]).and_then(Tree::as_str).unwrap_or_default()
}

fn items_at<'a>(tree: &'a Tree, key: &str) -> &'a [Tree] {
    tree.at(&[key]).and_then(Tree::items).unwrap_or_default()
}

fn entries_at<'a>(tree: &'a Tree, key: &str) -> impl Iterator<Item = (&'a str, &'a Tree)> {
    let map = tree.at(&[key]).and_then(Tree::as_map);
    map.into_iter().flatten().map(|(key, tree)| (&**key, tree))
}

fn number(tree: &Tree) -> Option<i64> {
    match &tree.content {
        Content::Leaf(value) => value.as_i64(),
        _ => None,
    }
}
