//! Jobs: create, read, delete, and what their conditions mean.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions, PropagationPolicy};
use kube::core::Request;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::labels;
use super::watch::WatchScope;

/// What makes a Job that of one block, attempt and run, whatever its name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobIdentity {
    /// The run's id.
    pub run: String,
    /// The block run's uuid.
    pub block: String,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl JobIdentity {
    /// Tells whether `job` is this one, by its annotations and labels.
    #[must_use]
    pub fn matches(&self, job: &Job) -> bool {
        let label = |key: &str| job.metadata.labels.as_ref().and_then(|labels| labels.get(key));
        let exact = |key: &str| {
            job.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key))
        };
        let same = |key: &str, value: &str| match exact(key) {
            Some(found) => found == value,
            None => label(key).is_some_and(|found| *found == labels::label_value(value)),
        };
        same(labels::RUN, &self.run)
            && same(labels::BLOCK, &self.block)
            && label(labels::ATTEMPT).is_some_and(|found| *found == self.attempt.to_string())
    }
}

/// What a Job's conditions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// No pod yet, as far as the Job controller says.
    Created,
    /// `spec.suspend`: nothing will happen until somebody resumes it.
    Suspended,
    /// Pods run, or wait to.
    Active,
    /// `SuccessCriteriaMet`: it will be complete when its last pod has ended.
    Completing,
    /// `FailureTarget`: it will have failed when its last pod has ended.
    Failing,
    /// `Complete`.
    Complete,
    /// `Failed`.
    Failed {
        /// `BackoffLimitExceeded`, `DeadlineExceeded`, …
        reason: String,
        /// The controller's words.
        message: String,
    },
}

/// Reads a Job's JSON. By way of its text, as all that the API server answers: a second way to read what
/// Kubernetes has makes the program larger by hundreds of kilobytes.
pub(crate) fn as_job(json: &Value) -> Option<Job> {
    serde_json::from_str(&json.to_string()).ok()
}

/// Reads a Job's state from its conditions; counts of pods never decide.
#[must_use]
pub fn job_state(job: &Job) -> JobState {
    let status = job.status.as_ref();
    let condition = |kind: &str| {
        status
            .and_then(|status| status.conditions.as_ref())
            .and_then(|all| all.iter().find(|c| c.type_ == kind && c.status == "True"))
    };
    if condition("Complete").is_some() {
        return JobState::Complete;
    }
    if let Some(failed) = condition("Failed") {
        return JobState::Failed {
            reason: failed.reason.clone().unwrap_or_default(),
            message: failed.message.clone().unwrap_or_default(),
        };
    }
    if condition("FailureTarget").is_some() {
        return JobState::Failing;
    }
    if condition("SuccessCriteriaMet").is_some() {
        return JobState::Completing;
    }
    if job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true) {
        return JobState::Suspended;
    }
    if status.and_then(|status| status.active).unwrap_or(0) > 0 {
        JobState::Active
    } else {
        JobState::Created
    }
}

/// Returns when the Job ended, by the server's clock.
pub(crate) fn ended_at(job: &Job) -> Option<Timestamp> {
    let status = job.status.as_ref()?;
    if let Some(time) = &status.completion_time {
        return Some(time.0);
    }
    status
        .conditions
        .iter()
        .flatten()
        .find(|c| matches!(c.type_.as_str(), "Complete" | "Failed") && c.status == "True")
        .and_then(|condition| condition.last_transition_time.as_ref())
        .map(|time| time.0)
}

/// What came of deleting a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The server deletes it.
    Accepted,
    /// It was gone already, or another of the same name stands there now.
    Gone,
}

pub(super) fn action(verb: &'static str, namespace: &str, name: &str) -> Action {
    Action {
        verb,
        resource: "jobs",
        group: "batch",
        object: if name.is_empty() { String::new() } else { format!("job.batch/{name}") },
        namespace: namespace.to_owned(),
    }
}

pub(super) fn path(namespace: &str) -> String {
    format!("/apis/batch/v1/namespaces/{namespace}/jobs")
}

pub(super) fn built<T>(
    request: Result<T, kube::core::request::Error>,
    action: &Action,
) -> Result<T, ClusterError> {
    request.map_err(|error| ClusterError::Refused {
        action: Box::new(action.clone()),
        code: 400,
        reason: "BadRequest".to_owned(),
        message: error.to_string(),
        causes: Vec::new(),
        retry_after: None,
    })
}

impl Cluster {
    /// Posts a Job exactly as rendered, once.
    pub async fn create_job(&self, namespace: &str, job: &Value) -> Result<Job, ClusterError> {
        let name = job.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let action = action("create", namespace, name);
        let params =
            PostParams { field_manager: Some(labels::MANAGER.to_owned()), ..Default::default() };
        let body = job.to_string().into_bytes();
        let request = built(Request::new(path(namespace)).create(&params, body), &action)?;
        self.call(&action, request).await
    }

    /// Reads one Job; none when there is none of that name.
    pub async fn get_job(&self, namespace: &str, name: &str) -> Result<Option<Job>, ClusterError> {
        self.read_one(namespace, name).await
    }

    /// Reads one Job with every field that the server has, also those that this program does not
    /// know; none when there is none of that name.
    pub async fn get_job_json(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, ClusterError> {
        self.read_one(namespace, name).await
    }

    async fn read_one<T: DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<T>, ClusterError> {
        let action = action("get", namespace, name);
        let request = built(
            Request::new(path(namespace)).get(name, &kube::api::GetParams::default()),
            &action,
        )?;
        match self.call(&action, request).await {
            Ok(job) => Ok(Some(job)),
            Err(ClusterError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the Jobs that `selector` names, in one request. No namespace means all of them.
    pub async fn list_jobs(
        &self,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Job>, ClusterError> {
        Ok(self.list_jobs_now(namespace, selector).await?.0)
    }

    /// Does the same, and tells the time that the server has now.
    pub async fn list_jobs_now(
        &self,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<(Vec<Job>, Option<Timestamp>), ClusterError> {
        self.list_jobs_by(namespace, &ListParams::default().labels(selector)).await
    }

    /// Lists what a watch would see now.
    pub async fn list_jobs_in(&self, scope: &WatchScope) -> Result<Vec<Job>, ClusterError> {
        let namespace = Some(scope.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let params = ListParams::default().labels(&scope.labels).fields(&scope.fields);
        Ok(self.list_jobs_by(namespace, &params).await?.0)
    }

    async fn list_jobs_by(
        &self,
        namespace: Option<&str>,
        params: &ListParams,
    ) -> Result<(Vec<Job>, Option<Timestamp>), ClusterError> {
        let action = action("list", namespace.unwrap_or("(all)"), "");
        let path = namespace.map_or_else(|| "/apis/batch/v1/jobs".to_owned(), path);
        let request = built(Request::new(path).list(&params.clone().match_any()), &action)?;
        let (list, now): (k8s_openapi::List<Job>, _) =
            self.call_with_date(&action, request).await?;
        Ok((list.items, now))
    }

    /// Deletes the Job of that name if it still has that UID, and its pods with it.
    pub async fn delete_job(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<Removal, ClusterError> {
        self.remove_job(namespace, name, uid, PropagationPolicy::Background).await
    }

    /// The same, but the Job stays until its pods are gone.
    pub async fn delete_job_after_pods(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<Removal, ClusterError> {
        self.remove_job(namespace, name, uid, PropagationPolicy::Foreground).await
    }

    /// Asks whether that could be done; nothing is deleted.
    pub async fn may_delete_job(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let action = action("delete", namespace, name);
        let params = DeleteParams { dry_run: true, ..removal(uid, PropagationPolicy::Foreground) };
        let request = built(Request::new(path(namespace)).delete(name, &params), &action)?;
        removed(self.call::<Value>(&action, request).await).map(|_| ())
    }

    async fn remove_job(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        propagation: PropagationPolicy,
    ) -> Result<Removal, ClusterError> {
        let action = action("delete", namespace, name);
        let request =
            built(Request::new(path(namespace)).delete(name, &removal(uid, propagation)), &action)?;
        removed(self.call::<Value>(&action, request).await)
    }
}

/// Makes the conditions of a deletion: only the object that is meant.
pub(super) fn removal(uid: &str, propagation: PropagationPolicy) -> DeleteParams {
    DeleteParams {
        propagation_policy: Some(propagation),
        preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
        ..DeleteParams::default()
    }
}

/// Reads the answer to a deletion.
pub(super) fn removed(answer: Result<Value, ClusterError>) -> Result<Removal, ClusterError> {
    match answer {
        Ok(_) => Ok(Removal::Accepted),
        // 409: an object of another UID has the name now.
        Err(ClusterError::NotFound { .. } | ClusterError::Refused { code: 409, .. }) => {
            Ok(Removal::Gone)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{JobIdentity, JobState, job_state};
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    fn job(status: &serde_json::Value) -> Job {
        serde_json::from_value(
            json!({"metadata": {"name": "x"}, "spec": {"template": {}}, "status": status}),
        )
        .unwrap()
    }

    #[test]
    fn conditions_decide_and_counts_do_not() {
        let condition = |kind: &str| json!({"conditions": [{"type": kind, "status": "True", "reason": "R", "message": "m"}]});
        assert_eq!(job_state(&job(&json!({"failed": 3, "active": 1}))), JobState::Active);
        assert_eq!(job_state(&job(&json!({"succeeded": 1}))), JobState::Created);
        assert_eq!(job_state(&job(&condition("SuccessCriteriaMet"))), JobState::Completing);
        assert_eq!(job_state(&job(&condition("FailureTarget"))), JobState::Failing);
        assert_eq!(job_state(&job(&condition("Complete"))), JobState::Complete);
        assert_eq!(
            job_state(&job(&condition("Failed"))),
            JobState::Failed { reason: "R".to_owned(), message: "m".to_owned() }
        );
        let off = json!({"conditions": [{"type": "Complete", "status": "False"}]});
        assert_eq!(job_state(&job(&off)), JobState::Created);
    }

    #[test]
    fn a_job_is_known_by_run_block_and_attempt() {
        let identity =
            JobIdentity { run: "r".to_owned(), block: "copy:orig".to_owned(), attempt: 1 };
        let with = |run: &str, block: &str| -> Job {
            serde_json::from_value(json!({"metadata": {
                "labels": {"kubectl-mage/run": run, "kubectl-mage/block": "copy-orig-57b6f8e2", "kubectl-mage/attempt": "1"},
                "annotations": {"kubectl-mage/block": block}
            }}))
            .unwrap()
        };
        assert!(identity.matches(&with("r", "copy:orig")));
        assert!(!identity.matches(&with("r", "copy")));
        assert!(!identity.matches(&with("other", "copy:orig")));
    }
}
