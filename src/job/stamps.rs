//! What a cluster writes into every Job, which says nothing about configuration.

use serde_json::{Map, Value as Json};

/// What the server stamps on every object.
pub const STAMPS: [&str; 9] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generateName",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The labels by which the Job controller finds its pods.
pub const CONTROLLER_LABELS: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// What begins the annotations that the Job controller keeps for itself.
const CONTROLLER: &str = "batch.kubernetes.io/";

/// What client-side apply keeps for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns a Job without what the cluster wrote into it: the status, the stamps, the selector and the
/// labels of the Job controller, owners, finalizers, and members without a value.
#[must_use]
pub fn without_stamps(mut job: Json) -> Json {
    drop_nulls(&mut job);
    if let Some(object) = job.as_object_mut() {
        object.shift_remove("status");
    }
    if let Some(spec) = job.get_mut("spec").and_then(Json::as_object_mut)
        && spec.get("manualSelector") != Some(&Json::Bool(true))
    {
        spec.shift_remove("selector");
    }
    for pointer in ["/metadata", "/spec/template/metadata"] {
        let Some(metadata) = job.pointer_mut(pointer).and_then(Json::as_object_mut) else {
            continue;
        };
        metadata.retain(|key, _| {
            !STAMPS.contains(&key.as_str()) && key != "ownerReferences" && key != "finalizers"
        });
        retain(metadata, "labels", |key| !CONTROLLER_LABELS.contains(&key));
        retain(metadata, "annotations", |key| !key.starts_with(CONTROLLER) && key != LAST_APPLIED);
    }
    job
}

/// Keeps some entries of a map; one that is empty then goes.
fn retain(metadata: &mut Map<String, Json>, name: &str, keeps: impl Fn(&str) -> bool) {
    let Some(map) = metadata.get_mut(name).and_then(Json::as_object_mut) else { return };
    map.retain(|key, _| keeps(key));
    if map.is_empty() {
        metadata.shift_remove(name);
    }
}

/// Takes out members without a value: for the API they are not there.
fn drop_nulls(value: &mut Json) {
    match value {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::without_stamps;
    use serde_json::json;

    #[test]
    fn what_the_cluster_writes_goes_and_the_rest_stays() {
        let job = json!({
            "metadata": {
                "name": "j", "uid": "u", "resourceVersion": "3", "generation": 1,
                "creationTimestamp": "t", "managedFields": [{}], "ownerReferences": [{}],
                "labels": {"team": "x", "job-name": "j", "batch.kubernetes.io/controller-uid": "u"},
                "annotations": {"batch.kubernetes.io/job-tracking": ""}
            },
            "spec": {
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
                "suspend": false,
                "template": {
                    "metadata": {"creationTimestamp": null, "labels": {"controller-uid": "u"}},
                    "spec": {"volumes": [{"name": "v", "emptyDir": {}}]}
                }
            },
            "status": {"active": 1}
        });
        let own = json!({
            "metadata": {"name": "j", "labels": {"team": "x"}},
            "spec": {"suspend": false, "template": {
                "metadata": {}, "spec": {"volumes": [{"name": "v", "emptyDir": {}}]}
            }}
        });
        assert_eq!(without_stamps(job), own);
        // A selector of one's own is configuration.
        let manual =
            json!({"spec": {"manualSelector": true, "selector": {"matchLabels": {"a": "b"}}}});
        assert_eq!(without_stamps(manual.clone()), manual);
    }
}
