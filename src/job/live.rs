//! A rendered Job beside the one of its name that stands in the cluster: which of its values are
//! others there, and who gave them here.

use serde_json::Value as Json;

use super::resources::{at_origin, told};
use super::secret::{MASK, holds_secret};
use super::{JobValue, RenderedJob, is_quantity, same_quantity};
use crate::config::{JobPath, Segment};
use crate::error::Problem;

/// A Job that stands in the cluster, beside the one that is sent in its stead.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The Job as it was rendered.
    pub job: &'a RenderedJob,
    /// The object that is sent.
    pub sent: &'a Json,
    /// The object that stands there.
    pub live: &'a Json,
}

impl Standing<'_> {
    fn object(&self) -> String {
        format!("job.batch/{} in namespace {}", self.job.name, self.job.namespace)
    }

    fn target(&self) -> String {
        match &self.job.block {
            Some(block) => format!("{}/{block}", self.job.pipeline),
            None => self.job.pipeline.clone(),
        }
    }

    /// Returns the values at a place and below it.
    fn values(&self, path: &JobPath) -> impl Iterator<Item = &JobValue> {
        self.job.values.iter().filter(move |value| value.path.starts_with(path))
    }
}

/// Says that another field manager has set a field otherwise, beside the row that `explain-config`
/// has for it. `field` is spelt as field managers are told of: `.spec.containers[name="a"].image`.
#[must_use]
pub fn conflict_problem(standing: Standing<'_>, field: &str, manager: &str) -> Problem {
    let object = standing.object();
    let path = managed_path(standing.sent, field);
    let value = path.as_ref().and_then(|path| standing.values(path).next());
    let there = path.as_ref().and_then(|path| counterpart(standing.sent, standing.live, path));
    let secret = value.is_some_and(|value| value.secret);
    let there = there.map_or_else(String::new, |there| format!(" to {}", text(there, secret)));
    let said = format!("{object}: field manager \"{manager}\" has set {field}{there}");
    let theirs = "--force-conflicts takes the field over; left out here, it stays theirs";
    let Some(value) = value else { return Problem::new(said).hint(theirs) };
    let mut problem = Problem::new(format!("{said}, and here {}", row(value)));
    problem = problem.setting(&*value.origin.setting).job_path(value.path.to_string());
    if !value.secret {
        problem = at_origin(problem, &value.origin);
    }
    problem.hint(theirs).hint(history(standing, &value.path))
}

/// Says which values keep a Job from being changed in place, each with its origin.
#[must_use]
pub fn replace_problems(standing: Standing<'_>, changes: &[Change], reason: &str) -> Vec<Problem> {
    changes.iter().map(|change| replace_problem(standing, change, reason)).collect()
}

fn replace_problem(standing: Standing<'_>, change: &Change, reason: &str) -> Problem {
    let object = standing.object();
    // What is no longer sent has the place that it has there, where here another value may stand.
    let own = standing.job.values.iter().find(|value| value.path == change.path);
    let value = own.filter(|_| change.here.is_some());
    let secret = value.is_some_and(|value| value.secret);
    let there = change.there.as_ref().map_or("not set".to_owned(), |there| text(there, secret));
    let path = &change.path;
    let Some(value) = value else {
        // Whether it was a secret, nobody here says any more.
        let here = if change.here.is_some() { "another one" } else { "no longer set" };
        let message = format!(
            "{object} cannot be changed in place ({reason}): {path} is set there, and {here} here"
        );
        return Problem::new(message).job_path(path.to_string());
    };
    let message = format!(
        "{object} cannot be changed in place ({reason}): {path} is {there} there, and here {}",
        row(value)
    );
    let problem = Problem::new(message).setting(&*value.origin.setting).job_path(path.to_string());
    if value.secret { problem } else { at_origin(problem, &value.origin) }
}

/// Tells a value as `explain-config` does: path, value, layer, source.
fn row(value: &JobValue) -> String {
    let shown = text(&value.value, value.secret);
    let setting = &*value.origin.setting;
    let path = if setting.is_empty() { value.path.to_string() } else { setting.to_owned() };
    format!("{path} is {shown} ({})", told(&value.origin))
}

fn history(standing: Standing<'_>, path: &JobPath) -> String {
    let target = standing.target();
    format!("see where it comes from with `kubectl mage explain-config {target} --why '{path}'`")
}

fn text(value: &Json, secret: bool) -> String {
    match value {
        _ if secret => MASK.to_owned(),
        Json::String(text) if holds_secret(text) => MASK.to_owned(),
        Json::Object(map) => format!("{{{} keys}}", map.len()),
        Json::Array(items) => format!("[{} items]", items.len()),
        other => other.to_string(),
    }
}

/// A place at which what is sent is not what stands there.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it stands in what is sent; in what stands there, if it is not sent.
    pub path: JobPath,
    /// What is sent.
    pub here: Option<Json>,
    /// What stands there.
    pub there: Option<Json>,
}

/// What Kubernetes calls the volume of a pod's own token, before five characters of chance.
pub const TOKEN_VOLUME: &str = "kube-api-access-";

fn is_token_volume(name: &str) -> bool {
    let chance = name.strip_prefix(TOKEN_VOLUME);
    chance.is_some_and(|chance| {
        chance.len() == 5 && chance.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// Calls the token volume that a Job has of the server's pod `name`, so that another pod of the same
/// server makes the same Job.
pub fn name_token_volume(job: &mut Json, name: &str) {
    let Some(pod) = job.pointer_mut("/spec/template/spec") else { return };
    let rename = |item: &mut Json| {
        if item["name"].as_str().is_some_and(is_token_volume) {
            item["name"] = Json::from(name);
        }
    };
    let volumes = pod.get_mut("volumes").and_then(Json::as_array_mut);
    volumes.into_iter().flatten().for_each(rename);
    for kind in ["containers", "initContainers"] {
        for container in pod.get_mut(kind).and_then(Json::as_array_mut).into_iter().flatten() {
            let mounts = container.get_mut("volumeMounts").and_then(Json::as_array_mut);
            mounts.into_iter().flatten().for_each(rename);
        }
    }
}

/// Calls the token volume in what is sent as the Job that stands there does, if that has one.
pub fn keep_token_volume(sent: &mut Json, live: &Json) {
    let volumes = live.pointer("/spec/template/spec/volumes").and_then(Json::as_array);
    let names = volumes.into_iter().flatten().filter_map(|volume| volume["name"].as_str());
    let names: Vec<&str> = names.filter(|name| is_token_volume(name)).collect();
    if let [name] = names[..] {
        name_token_volume(sent, name);
    }
}

/// Returns the changes at a field, as the server spells it, and below it: values that are sent and
/// others, and those that an earlier apply by `manager` gave and this one does not.
#[must_use]
pub fn changed_fields(sent: &Json, live: &Json, field: &str, manager: &str) -> Vec<Change> {
    let field = JobPath::parse(field).unwrap_or_default();
    let mut changes = Vec::new();
    leaves(sent, &mut JobPath::default(), &mut |path, here| {
        let there = counterpart(sent, live, path);
        if path.starts_with(&field) && !there.is_some_and(|there| is_same(path, here, there)) {
            changes.push(Change {
                path: path.clone(),
                here: Some(here.clone()),
                there: there.cloned(),
            });
        }
    });
    for path in given_by(live, manager).into_iter().filter(|path| path.starts_with(&field)) {
        let there = live.pointer(&path.pointer());
        let is_leaf = there.is_some_and(|there| !there.is_object() && !there.is_array());
        if is_leaf && counterpart(live, sent, &path).is_none() {
            changes.push(Change { path, here: None, there: there.cloned() });
        }
    }
    changes
}

/// Tells whether everything that is sent stands there as it is.
#[must_use]
pub fn is_as_sent(sent: &Json, live: &Json, manager: &str) -> bool {
    changed_fields(sent, live, "", manager).is_empty()
}

fn is_same(path: &JobPath, one: &Json, other: &Json) -> bool {
    one == other || (is_quantity(path) && same_quantity(one, other))
}

fn leaves(value: &Json, at: &mut JobPath, each: &mut dyn FnMut(&JobPath, &Json)) {
    let mut below = |segment: Segment, value: &Json| {
        at.0.push(segment);
        leaves(value, at, each);
        at.0.pop();
    };
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                below(Segment::Key(key.as_str().into()), value);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(Segment::Index(index), item);
            }
        }
        // The server leaves out what is null.
        Json::Null => {}
        leaf => each(at, leaf),
    }
}

/// By what the items of the API's lists are joined, where it is not their place.
const KEYS: [&str; 5] = ["mountPath", "devicePath", "containerPort", "conditionType", "name"];

/// Finds in `other` what stands in `own` at a path: items of lists by their keys.
fn counterpart<'j>(own: &Json, other: &'j Json, path: &JobPath) -> Option<&'j Json> {
    let (mut own, mut other) = (own, other);
    for segment in &path.0 {
        match segment {
            Segment::Key(key) => {
                own = own.get(key.as_ref())?;
                other = other.get(key.as_ref())?;
            }
            Segment::Index(index) => {
                own = own.get(*index)?;
                let key = KEYS.iter().find(|key| own.get(**key).is_some());
                other = match key {
                    Some(key) => {
                        other.as_array()?.iter().find(|item| item.get(*key) == own.get(*key))?
                    }
                    None => other.get(*index)?,
                };
            }
        }
    }
    Some(other)
}

/// Reads a field as field managers are told of: keys of maps as they are, items by their keys.
fn managed_path(sent: &Json, field: &str) -> Option<JobPath> {
    let mut path = JobPath::default();
    let (mut at, mut rest) = (sent, field);
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            // Keys with dots are not quoted: the longest that is there is meant.
            let ends = |key: &String| {
                name.strip_prefix(key.as_str())
                    .filter(|after| after.is_empty() || after.starts_with(['.', '[']))
            };
            let known = at.as_object()?.keys().filter(|key| ends(key).is_some());
            let key = known.max_by_key(|key| key.len())?;
            rest = ends(key)?;
            path = path.key(key);
            at = at.get(key)?;
            continue;
        }
        let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
        let index = item_index(at.as_array()?, inner)?;
        path = path.index(index);
        at = at.get(index)?;
        rest = after;
    }
    Some(path)
}

/// Finds the item that `name="a"`, `containerPort=80,protocol="TCP"`, `="v"` or `0` is.
fn item_index(items: &[Json], keys: &str) -> Option<usize> {
    if let Ok(index) = keys.parse() {
        return Some(index);
    }
    let pairs: Vec<(&str, Json)> = keys
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(key, value)| Some((key, serde_json::from_str(value).ok()?)))
        .collect();
    let is_it = |item: &Json| {
        pairs.iter().all(|(key, value)| match *key {
            "" => item == value,
            // `protocol` may be a default that is not sent.
            key => item.get(key).is_none_or(|own| own == value),
        })
    };
    items.iter().position(is_it)
}

/// Returns the places that earlier applies of a field manager gave, as they are now.
#[must_use]
pub fn given_by(live: &Json, manager: &str) -> Vec<JobPath> {
    let mut paths = Vec::new();
    let managers = live.pointer("/metadata/managedFields").and_then(Json::as_array);
    for entry in managers.into_iter().flatten() {
        if entry["manager"] == manager
            && entry["operation"] == "Apply"
            && entry["subresource"].is_null()
        {
            owned_below(&entry["fieldsV1"], live, &JobPath::default(), &mut paths);
        }
    }
    paths
}

fn owned_below(fields: &Json, live: &Json, at: &JobPath, paths: &mut Vec<JobPath>) {
    let Some(map) = fields.as_object() else { return };
    if map.keys().all(|key| key == ".") {
        paths.push(at.clone());
    }
    for (key, fields) in map {
        let (kind, rest) = key.split_once(':').unwrap_or((key, ""));
        let below = match kind {
            "f" => live.get(rest).map(|value| (at.key(rest), value)),
            "k" => {
                let keys: Json = serde_json::from_str(rest).unwrap_or_default();
                let is_it = |item: &Json| {
                    let mut keys = keys.as_object().into_iter().flatten();
                    keys.all(|(key, value)| item.get(key) == Some(value))
                };
                let index = live.as_array().and_then(|items| items.iter().position(is_it));
                index.and_then(|index| Some((at.index(index), live.get(index)?)))
            }
            _ => None,
        };
        if let Some((path, value)) = below {
            owned_below(fields, value, &path, paths);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{changed_fields, is_as_sent, managed_path};
    use serde_json::json;

    #[test]
    fn managed_fields_lead_to_places_in_what_is_sent() {
        let sent = json!({
            "metadata": {"labels": {"a.b/c": "x", "a": "y"}, "finalizers": ["f", "g"]},
            "spec": {"containers": [{"name": "x"}, {"name": "a.b", "image": "i", "ports": [{"containerPort": 80}]}]}
        });
        for (field, path) in [
            (".metadata.labels.a.b/c", ".metadata.labels[\"a.b/c\"]"),
            (".metadata.labels.a", ".metadata.labels.a"),
            (".metadata.finalizers[=\"g\"]", ".metadata.finalizers[1]"),
            (".spec.containers[name=\"a.b\"].image", ".spec.containers[1].image"),
            (
                ".spec.containers[name=\"a.b\"].ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.containers[1].ports[0]",
            ),
        ] {
            let found = managed_path(&sent, field).map(|path| path.to_string());
            assert_eq!(found.as_deref(), Some(path), "{field}");
        }
        assert_eq!(managed_path(&sent, ".spec.nope"), None);
    }

    #[test]
    fn changes_are_values_that_are_others_and_those_no_longer_sent() {
        let live = json!({
            "metadata": {"managedFields": [{"manager": "kubectl-mage", "operation": "Apply", "fieldsV1": {
                "f:spec": {"f:a": {}, "f:old": {}, "f:list": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:gone": {}}}}
            }}]},
            "spec": {"a": 1, "old": true, "default": "d", "list": [
                {"name": "injected"}, {"name": "x", "gone": "v", "limits": {"cpu": "500m"}}
            ]}
        });
        let sent = json!({"spec": {"a": 2, "none": null, "list": [{"name": "x", "limits": {"cpu": 0.5}}]}});
        let told = |field: &str| -> Vec<String> {
            let changes = changed_fields(&sent, &live, field, "kubectl-mage");
            changes.iter().map(|change| change.path.to_string()).collect()
        };
        assert_eq!(told(""), [".spec.a", ".spec.old", ".spec.list[1].gone"]);
        assert_eq!(told("spec.list"), [".spec.list[1].gone"]);
        assert!(is_as_sent(
            &json!({"spec": {"a": 1, "old": true, "list": [{"name": "x", "gone": "v"}]}}),
            &live,
            "kubectl-mage"
        ));
    }
}
