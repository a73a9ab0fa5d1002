//! What the API server makes of a Job: its defaults, and what admission adds, changes or takes out.
//!
//! Left out is what says nothing about configuration: the status, what the server stamps on every
//! object (uid, times, managed fields, …), and the selector and labels by which the Job controller
//! finds its pods. A quantity in another spelling is no change. Items that the server adds to a
//! list come after ours, so that ours keep their places.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;

use crate::config::{JobPath, LayerKind, Origin, Source};
use crate::job::secret::{holds_secret, is_secret_name};
use crate::job::{
    CONTROLLER_LABELS, JobValue, RenderedJob, STAMPS, TOKEN_VOLUME, is_quantity, same_quantity,
};
use crate::merge::{Loser, Rule};

/// The keys by which items of a list are told apart, best first.
const ITEM_KEYS: [&str; 3] = ["name", "mountPath", "containerPort"];

/// Lays the server's answer to a dry run over the values of a Job, as the layer `api-default`; what
/// admission gives to its pods stands in the answer for a pod.
pub fn add_api_defaults(job: &mut RenderedJob, answer: &Json, pod: Option<&Json>) {
    let of_job = answer;
    let mut answer = of_job.clone();
    if let (Some(pod), Some(template)) = (pod, answer.pointer_mut("/spec/template")) {
        for part in ["metadata", "spec"] {
            template[part] = pod[part].clone();
        }
    }
    let answer = without_noise(answer, &job.job);
    let own = std::mem::take(&mut job.values);
    let mut over = Over {
        own: own.into_iter().map(|value| (value.path.clone(), value)).collect(),
        values: Vec::new(),
        of_job,
    };
    over.both(&JobPath::default(), &job.job, Some(&answer));
    job.values = over.values;
}

/// Takes out what says nothing about configuration, unless the Job gives it itself.
fn without_noise(mut answer: Json, own: &Json) -> Json {
    if let Some(object) = answer.as_object_mut() {
        object.shift_remove("status");
    }
    if own.pointer("/spec/selector").is_none()
        && let Some(spec) = answer.get_mut("spec").and_then(Json::as_object_mut)
    {
        spec.shift_remove("selector");
    }
    for pointer in ["/metadata", "/spec/template/metadata"] {
        let Some(metadata) = answer.pointer_mut(pointer).and_then(Json::as_object_mut) else {
            continue;
        };
        let own = own.pointer(pointer);
        metadata.retain(|key, _| !STAMPS.contains(&key.as_str()));
        if let Some(labels) = metadata.get_mut("labels").and_then(Json::as_object_mut) {
            let given = |key: &str| own.is_some_and(|own| own["labels"].get(key).is_some());
            labels.retain(|key, _| !CONTROLLER_LABELS.contains(&key.as_str()) || given(key));
            if labels.is_empty() {
                metadata.shift_remove("labels");
            }
        }
        // These of a dry run may be others, and nobody changes those of a Job.
        for key in ["name", "namespace"] {
            match own.and_then(|own| own.get(key)) {
                Some(given) => metadata.insert(key.to_owned(), given.clone()),
                None => metadata.shift_remove(key),
            };
        }
    }
    if let Some(pod) = answer.pointer_mut("/spec/template/spec") {
        drop_token(pod, own.pointer("/spec/template/spec/volumes").unwrap_or(&Json::Null));
    }
    answer
}

/// Takes out the volume of the service account's token, whose name is another for each pod; not one
/// that the Job has itself, as a copy of the server pod's.
fn drop_token(pod: &mut Json, own: &Json) {
    let is_own = |name: &Json| own.as_array().into_iter().flatten().any(|own| own["name"] == *name);
    let is_token = |item: &Json| {
        let name = &item["name"];
        name.as_str().is_some_and(|name| name.starts_with(TOKEN_VOLUME)) && !is_own(name)
    };
    drop_items(pod, "volumes", &is_token);
    for containers in ["initContainers", "containers"] {
        let all = pod.get_mut(containers).and_then(Json::as_array_mut);
        for container in all.into_iter().flatten() {
            drop_items(container, "volumeMounts", &is_token);
        }
    }
}

fn drop_items(holder: &mut Json, list: &str, is_dropped: &dyn Fn(&Json) -> bool) {
    let Some(holder) = holder.as_object_mut() else { return };
    let Some(items) = holder.get_mut(list).and_then(Json::as_array_mut) else { return };
    items.retain(|item| !is_dropped(item));
    if items.is_empty() {
        holder.shift_remove(list);
    }
}

/// Two Jobs laid over each other, part by part.
struct Over<'a> {
    /// The leaves of the Job as it is sent.
    own: HashMap<JobPath, JobValue>,
    /// The leaves of both, in the order of the Job.
    values: Vec<JobValue>,
    /// The answer for the Job alone, without what its pods get.
    of_job: &'a Json,
}

impl Over<'_> {
    fn both(&mut self, path: &JobPath, own: &Json, other: Option<&Json>) {
        match (own, other) {
            (Json::Object(own), Some(Json::Object(other))) => {
                if own.is_empty() {
                    self.kept(path);
                }
                for (key, value) in own {
                    self.both(&path.key(key), value, other.get(key));
                }
                for (key, value) in other.iter().filter(|(key, _)| !own.contains_key(*key)) {
                    self.added(&path.key(key), value, is_secret_entry(other, key));
                }
            }
            (Json::Array(own), Some(Json::Array(other))) => self.lists(path, own, other),
            (Json::Object(own), None) if !own.is_empty() => {
                own.iter().for_each(|(key, value)| self.both(&path.key(key), value, None));
            }
            (Json::Array(own), None) if !own.is_empty() => {
                let items = own.iter().enumerate();
                items.for_each(|(index, value)| self.both(&path.index(index), value, None));
            }
            (own, None) => {
                // The server leaves out what is empty.
                if is_nothing(own) {
                    self.kept(path);
                } else {
                    self.replaced(path, Json::Null, Rule::ApiRemoves);
                }
            }
            (own, Some(other)) if is_same(path, own, other) => self.kept(path),
            (_, Some(other)) => self.replaced(path, other.clone(), Rule::ApiChanges),
        }
    }

    /// Lays lists over each other, by what tells their items apart, else by their places.
    fn lists(&mut self, path: &JobPath, own: &[Json], other: &[Json]) {
        if own.is_empty() {
            self.kept(path);
        }
        let key =
            ITEM_KEYS.into_iter().find(|key| tells_apart(key, own) && tells_apart(key, other));
        let mut taken = BTreeSet::new();
        for (index, item) in own.iter().enumerate() {
            let at = match key {
                Some(key) => other.iter().position(|candidate| candidate[key] == item[key]),
                None => (index < other.len()).then_some(index),
            };
            taken.extend(at);
            self.both(&path.index(index), item, at.map(|at| &other[at]));
        }
        let more = other.iter().enumerate().filter(|(index, _)| !taken.contains(index));
        for (more, (_, item)) in more.enumerate() {
            self.added(&path.index(own.len() + more), item, false);
        }
    }

    /// Keeps what nobody changed.
    fn kept(&mut self, path: &JobPath) {
        self.values.extend(self.own.remove(path));
    }

    /// Puts the server's value over the one that was sent.
    fn replaced(&mut self, path: &JobPath, value: Json, rule: Rule) {
        let Some(mut own) = self.own.remove(path) else { return };
        let setting = own.origin.setting.clone();
        let mut loser = Loser::new(own.value, own.origin, rule);
        loser.secret = own.secret;
        own.overridden.push(loser);
        let origin = Origin::new(LayerKind::ApiDefault, Source::Api, &setting);
        self.values.push(JobValue { value, origin, rule: Some(rule), ..own });
    }

    /// Adds every leaf of what only the server has.
    fn added(&mut self, path: &JobPath, value: &Json, secret: bool) {
        match value {
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.added(&path.key(key), value, secret || is_secret_entry(map, key));
                }
            }
            Json::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.added(&path.index(index), item, secret);
                }
            }
            leaf => {
                let text = leaf.as_str().unwrap_or_default();
                let of_job = self.of_job.pointer(&path.pointer()).is_some();
                let rule = if of_job { Rule::ApiFills } else { Rule::ApiGivesPods };
                self.values.push(JobValue {
                    path: path.clone(),
                    value: leaf.clone(),
                    origin: Origin::new(LayerKind::ApiDefault, Source::Api, ""),
                    rule: Some(rule),
                    overridden: Vec::new(),
                    secret: secret || holds_secret(text),
                });
            }
        }
    }
}

/// Tells whether an entry is the value of a variable whose name is that of a secret.
fn is_secret_entry(map: &serde_json::Map<String, Json>, key: &str) -> bool {
    key == "value" && map.get("name").and_then(Json::as_str).is_some_and(is_secret_name)
}

/// Tells whether every item of a list has a value of its own at a key.
fn tells_apart(key: &str, items: &[Json]) -> bool {
    let values: BTreeSet<String> =
        items.iter().map(|item| &item[key]).filter(|v| !v.is_null()).map(Json::to_string).collect();
    values.len() == items.len()
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Bool(true) => false,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
    }
}

fn is_same(path: &JobPath, own: &Json, other: &Json) -> bool {
    own == other || (is_quantity(path) && same_quantity(own, other))
}

#[cfg(test)]
mod tests {
    use super::add_api_defaults;
    use crate::config::{JobPath, Origin};
    use crate::job::{JobValue, RenderedJob};
    use serde_json::{Value, json};

    fn leaves(path: &JobPath, value: &Value, found: &mut Vec<JobValue>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                map.iter().for_each(|(key, value)| leaves(&path.key(key), value, found));
            }
            Value::Array(items) if !items.is_empty() => {
                let items = items.iter().enumerate();
                items.for_each(|(index, value)| leaves(&path.index(index), value, found));
            }
            leaf => found.push(JobValue {
                path: path.clone(),
                value: leaf.clone(),
                origin: Origin::built_in(""),
                rule: None,
                overridden: Vec::new(),
                secret: leaf == "hunter2",
            }),
        }
    }

    /// Returns `PATH VALUE LAYER [VALUE THAT LOST]` of every leaf.
    fn told(own: Value, answer: &Value) -> Vec<String> {
        let mut values = Vec::new();
        leaves(&JobPath::default(), &own, &mut values);
        let mut job = RenderedJob {
            pipeline: "etl".to_owned(),
            block: None,
            namespace: "ns".to_owned(),
            name: "j".to_owned(),
            mage_name: "j".to_owned(),
            job: own,
            values,
            lost: Vec::new(),
            findings: Vec::new(),
        };
        add_api_defaults(&mut job, answer, None);
        let line = |value: &JobValue| {
            let lost: Vec<String> =
                value.overridden.iter().map(|loser| format!(" over {}", loser.value)).collect();
            format!("{} {} {}{}", value.path, value.value, value.origin.layer, lost.join(""))
        };
        job.values.iter().map(line).collect()
    }

    #[test]
    fn stamps_and_the_controllers_marks_are_left_out() {
        let own = json!({"metadata": {"name": "j", "labels": {"a": "b"}}, "spec": {"template": {"metadata": {"name": "j"}}}});
        let answer = json!({
            "metadata": {"name": "other", "uid": "u", "generation": 1, "creationTimestamp": "t", "managedFields": [{}], "labels": {"a": "b"}},
            "spec": {
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
                "suspend": false,
                "template": {"metadata": {"name": "j", "creationTimestamp": null, "labels": {"controller-uid": "u", "job-name": "j"}}}
            },
            "status": {}
        });
        assert_eq!(
            told(own, &answer),
            [
                ".metadata.name \"j\" hardcoded",
                ".metadata.labels.a \"b\" hardcoded",
                ".spec.template.metadata.name \"j\" hardcoded",
                ".spec.suspend false api-default",
            ]
        );
    }

    #[test]
    fn the_tokens_volume_is_left_out_unless_the_job_has_it_itself() {
        let volume = |name: &str| json!({"name": name, "projected": {"defaultMode": 420}});
        let spec = |volumes: Value, mounts: Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "m", "volumeMounts": mounts}], "volumes": volumes}}}});
        let mount = |name: &str| json!({"name": name, "mountPath": "/var/run"});
        let own = spec(json!([volume("kube-api-access-a")]), json!([mount("kube-api-access-a")]));
        let told_of = told(own.clone(), &own);
        assert!(told_of.iter().all(|line| line.ends_with(" hardcoded")), "{told_of:?}");
        let bare = json!({"spec": {"template": {"spec": {"containers": [{"name": "m"}]}}}});
        let told_of = told(bare, &own);
        assert_eq!(told_of, [".spec.template.spec.containers[0].name \"m\" hardcoded"]);
    }

    #[test]
    fn every_leaf_is_there_once_whatever_the_server_does() {
        let own = json!({"spec": {
            "gone": "x", "empty": "", "none": {}, "changed": 1,
            "containers": [{"name": "mage", "env": [{"name": "A", "value": ""}], "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}],
            "list": [1, 2]
        }});
        let answer = json!({"spec": {
            "changed": 2,
            "containers": [
                {"name": "side", "env": [{"name": "TOKEN", "value": "t"}]},
                {"name": "mage", "env": [{"name": "A"}], "resources": {"limits": {"cpu": "1", "memory": "2Gi"}}, "stdin": true}
            ],
            "list": [1]
        }});
        assert_eq!(
            told(own, &answer),
            [
                ".spec.gone null api-default over \"x\"",
                ".spec.empty \"\" hardcoded",
                ".spec.none {} hardcoded",
                ".spec.changed 2 api-default over 1",
                ".spec.containers[0].name \"mage\" hardcoded",
                ".spec.containers[0].env[0].name \"A\" hardcoded",
                ".spec.containers[0].env[0].value \"\" hardcoded",
                ".spec.containers[0].resources.limits.cpu \"1000m\" hardcoded",
                ".spec.containers[0].resources.limits.memory \"2Gi\" api-default over \"1Gi\"",
                ".spec.containers[0].stdin true api-default",
                ".spec.containers[1].name \"side\" api-default",
                ".spec.containers[1].env[0].name \"TOKEN\" api-default",
                ".spec.containers[1].env[0].value \"t\" api-default",
                ".spec.list[0] 1 hardcoded",
                ".spec.list[1] null api-default over 2",
            ]
        );
    }
}
