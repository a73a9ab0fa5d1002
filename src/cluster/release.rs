//! Starts a Job that stands there suspended.

use k8s_openapi::api::batch::v1::Job;
use kube::api::{Patch, PatchParams};
use kube::core::Request;
use serde_json::{Value, json};

use super::client::Cluster;
use super::error::ClusterError;
use super::jobs::{self, built};
use super::labels;

impl Cluster {
    /// Starts the suspended Job of that UID, and gives it and its pods the labels, annotations and
    /// owners of `job`, in one request: its pods have them from the first on. To do it twice changes
    /// nothing more.
    ///
    /// # Errors
    ///
    /// Another Job of that name is refused with 409, one whose pods have run before with 422.
    pub async fn release_job(
        &self,
        namespace: &str,
        job: &Value,
        uid: &str,
    ) -> Result<Job, ClusterError> {
        let name = job.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let action = jobs::action("patch", namespace, name);
        let field_manager = Some(labels::MANAGER.to_owned());
        let params = PatchParams { field_manager, ..PatchParams::default() };
        let patch = Patch::Merge(release(job, uid));
        let request = Request::new(jobs::path(namespace)).patch(name, &params, &patch);
        self.call(&action, built(request, &action)?).await
    }
}

fn release(job: &Value, uid: &str) -> Value {
    let mut metadata = json!({"uid": uid});
    for part in ["labels", "annotations", "ownerReferences"] {
        if !job["metadata"][part].is_null() {
            metadata[part] = job["metadata"][part].clone();
        }
    }
    let mut pods = json!({});
    for part in ["labels", "annotations"] {
        pods[part] = job["spec"]["template"]["metadata"][part].clone();
    }
    json!({"metadata": metadata, "spec": {"suspend": false, "template": {"metadata": pods}}})
}

#[cfg(test)]
mod tests {
    use super::release;
    use serde_json::json;

    #[test]
    fn a_release_names_the_job_and_carries_the_marks_and_nothing_else() {
        let job = json!({
            "metadata": {"name": "j", "labels": {"a": "b"}, "ownerReferences": [{"name": "o"}]},
            "spec": {"backoffLimit": 3, "template": {"metadata": {"labels": {"c": "d"}}, "spec": {}}}
        });
        assert_eq!(
            release(&job, "u"),
            json!({
                "metadata": {"uid": "u", "labels": {"a": "b"}, "ownerReferences": [{"name": "o"}]},
                "spec": {"suspend": false, "template": {"metadata": {"labels": {"c": "d"}, "annotations": null}}}
            })
        );
    }
}
