//! Server-side apply of a Job, and what the server has against one.

use kube::api::{Patch, PatchParams, ValidationDirective};
use kube::core::Request;
use serde_json::{Value, json};

use super::client::Cluster;
use super::dry_run::{UnknownFields, patiently};
use super::error::{Cause, ClusterError};
use super::jobs::{self, built};
use super::labels;

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The Job is stored.
    Stored,
    /// The server only says what it would store (`dryRun=All`).
    Told,
}

/// What becomes of fields that somebody else set to other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// They are a conflict.
    Respected,
    /// They become this tool's.
    Taken,
}

/// How a Job is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applying {
    /// Whether anything is changed.
    pub effect: Effect,
    /// What becomes of fields of others.
    pub ownership: Ownership,
}

/// A Job as the server stores it, or would.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedJob {
    /// The whole object.
    pub job: Value,
    /// Whether there was none of that name.
    pub created: bool,
}

/// A field that somebody else set to another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The field as the server spells it: `.spec.template.spec.containers[name="a"].image`.
    pub field: String,
    /// Who set it: the field manager's name.
    pub manager: String,
}

/// A field whose change the server refuses, in an object that it would take as a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The field as the server spells it: `spec.template.spec`, `spec.completionMode`.
    pub field: String,
    /// Why, without the values, which may hold secrets: `field is immutable`.
    pub reason: String,
}

/// Why a Job was not applied.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplyError {
    /// 409: somebody else set some of the fields.
    #[error("{} fields belong to somebody else", .0.len())]
    Conflict(Vec<Conflict>),
    /// 422: the Job stands there, and these fields of it cannot be changed any more.
    #[error("{} fields cannot be changed any more", .0.len())]
    Immutable(Vec<Refused>),
    /// Anything else: [`ClusterError::missing_right`] tells a missing right, and
    /// [`ClusterError::refusal`] a Job that no server would take.
    #[error(transparent)]
    Other(#[from] ClusterError),
}

impl Cluster {
    /// Applies a Job as field manager `kubectl-mage`: what `job` says is set, what an earlier apply
    /// said and `job` does not is taken away, and everything else stays as it is.
    ///
    /// # Errors
    ///
    /// See [`ApplyError`]. An unknown field is refused with code 500, in words of its own:
    /// [`Cluster::dry_run_job`] names all of them.
    pub async fn apply_job(
        &self,
        namespace: &str,
        job: &Value,
        how: Applying,
    ) -> Result<AppliedJob, ApplyError> {
        match patiently(|| self.apply_job_once(namespace, job, how)).await {
            Ok(applied) => Ok(applied),
            Err(error) => Err(match conflicts(&error) {
                Some(conflicts) => ApplyError::Conflict(conflicts),
                None => self.refused_change(namespace, job, error).await,
            }),
        }
    }

    /// Makes what this tool posted its own as if it had applied it, as kubectl does with what was applied on the
    /// client's side: else a later apply could take nothing away. Returns the Job's version then.
    ///
    /// # Errors
    /// Also where the Job is not as `live` any more.
    pub async fn own_what_was_posted(
        &self,
        namespace: &str,
        live: &Value,
    ) -> Result<Option<Value>, ClusterError> {
        let Some(fields) = owned_alike(live) else { return Ok(None) };
        let name = live.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let action = jobs::action("patch", namespace, name);
        let patch = json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": fields},
        ]);
        let patch: Patch<()> = Patch::Json(serde_json::from_value(patch).unwrap_or_default());
        let request =
            Request::new(jobs::path(namespace)).patch(name, &PatchParams::default(), &patch);
        let stored: Value = self.call(&action, built(request, &action)?).await?;
        Ok(Some(stored["metadata"]["resourceVersion"].clone()))
    }

    async fn apply_job_once(
        &self,
        namespace: &str,
        job: &Value,
        how: Applying,
    ) -> Result<AppliedJob, ClusterError> {
        let name = job.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let action = jobs::action("patch", namespace, name);
        let params = PatchParams {
            dry_run: how.effect == Effect::Told,
            force: how.ownership == Ownership::Taken,
            field_manager: Some(labels::MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
        };
        let request = Request::new(jobs::path(namespace)).patch(name, &params, &Patch::Apply(job));
        let answer = self.call_for_answer(&action, built(request, &action)?).await;
        let answer = answer.map_err(ClusterError::of_the_missing_verb)?;
        Ok(AppliedJob { job: answer.object, created: answer.code == http::StatusCode::CREATED })
    }

    /// Tells whether the server would take the Job as a new one, so that what it refused is only
    /// the change. Where it cannot be asked, its words tell.
    async fn refused_change(
        &self,
        namespace: &str,
        job: &Value,
        error: ClusterError,
    ) -> ApplyError {
        let ClusterError::Refused { code: 422, causes, .. } = &error else {
            return ApplyError::Other(error);
        };
        let change = || ApplyError::Immutable(causes.iter().map(refused).collect());
        match self.dry_run_job(namespace, job, UnknownFields::Refused).await {
            // The server finds the name taken only when all else is well.
            Err(anew) if anew.is_already_exists() => change(),
            Err(anew @ ClusterError::Refused { .. }) => ApplyError::Other(anew),
            _ if causes.iter().all(|cause| cause.message.contains("immutable")) => change(),
            _ => ApplyError::Other(error),
        }
    }
}

/// Returns the owners of a Job's fields with what this tool posted among what it applied; none where it posted
/// nothing, or the Job is of a run.
fn owned_alike(live: &Value) -> Option<Value> {
    let is_ours =
        |entry: &Value| entry["manager"] == labels::MANAGER && entry["subresource"].is_null();
    let mut entries = live.pointer("/metadata/managedFields")?.as_array()?.clone();
    let of_a_run = !live["metadata"]["labels"][labels::RUN].is_null();
    let at = entries.iter().position(|entry| is_ours(entry) && entry["operation"] == "Update")?;
    if of_a_run {
        return None;
    }
    let mut posted = entries.remove(at);
    posted["operation"] = Value::from("Apply");
    match entries.iter_mut().find(|entry| is_ours(entry) && entry["operation"] == "Apply") {
        Some(applied) => unite(&mut applied["fieldsV1"], &posted["fieldsV1"]),
        None => entries.push(posted),
    }
    Some(Value::Array(entries))
}

/// Adds the fields of one set, an object in objects, to another.
fn unite(one: &mut Value, other: &Value) {
    let (Value::Object(one), Value::Object(other)) = (one, other) else { return };
    for (field, below) in other {
        unite(one.entry(field).or_insert_with(|| json!({})), below);
    }
}

impl ClusterError {
    /// Names the verb that is missing: a patch that would make the object needs `create`, too.
    fn of_the_missing_verb(mut self) -> Self {
        if let Self::Forbidden { action, message } = &mut self
            && super::error::missing_verb(message) == Some("create")
        {
            action.verb = "create";
        }
        self
    }
}

fn conflicts(error: &ClusterError) -> Option<Vec<Conflict>> {
    let ClusterError::Refused { code: 409, causes, .. } = error else { return None };
    let conflicts: Vec<Conflict> = causes.iter().filter_map(conflict).collect();
    (!conflicts.is_empty()).then_some(conflicts)
}

/// Reads `conflict with "kubectl-edit" using batch/v1`.
fn conflict(cause: &Cause) -> Option<Conflict> {
    if cause.reason != "FieldManagerConflict" {
        return None;
    }
    let manager =
        cause.message.strip_prefix("conflict with \"").and_then(|said| said.split_once('"'));
    let manager = manager.map_or(cause.message.as_str(), |(manager, _)| manager);
    Some(Conflict { field: cause.field.clone(), manager: manager.to_owned() })
}

/// Leaves out the value that the server cites: the whole pod, secrets and all.
fn refused(cause: &Cause) -> Refused {
    let reason = cause.message.rsplit(": ").next().unwrap_or_default();
    Refused { field: cause.field.clone(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{ApplyError, Applying, Conflict, Effect, Ownership, Refused};
    use crate::cluster::Cluster;
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;

    const HOW: Applying = Applying { effect: Effect::Told, ownership: Ownership::Respected };

    /// Applies a Job and gives each request its answer; returns what was asked, too.
    async fn apply(
        how: Applying,
        answers: Vec<(u16, serde_json::Value)>,
    ) -> (Result<bool, ApplyError>, Vec<String>) {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let cluster = Cluster::of_client(kube::Client::new(service, "default"));
        let served = tokio::spawn(async move {
            let mut asked = Vec::new();
            for (status, body) in answers {
                let (request, send) = handle.next_request().await.unwrap();
                asked.push(format!("{} {}", request.method(), request.uri()));
                let answer = Response::builder().status(status);
                send.send_response(answer.body(Body::from(body.to_string().into_bytes())).unwrap());
            }
            asked
        });
        let job = json!({"metadata": {"name": "j"}});
        let applied = cluster.apply_job("n", &job, how).await.map(|applied| applied.created);
        (applied, served.await.unwrap())
    }

    fn status(
        code: u16,
        reason: &str,
        message: &str,
        causes: &[(&str, &str, &str)],
    ) -> (u16, serde_json::Value) {
        let cause = |(reason, field, message): &(&str, &str, &str)| json!({"reason": reason, "field": field, "message": message});
        let causes: Vec<_> = causes.iter().map(cause).collect();
        let body = json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason,
            "message": message, "details": {"causes": causes}});
        (code, body)
    }

    #[tokio::test]
    async fn the_code_tells_whether_it_is_new() {
        let object = json!({"metadata": {"name": "j"}});
        let (applied, asked) = apply(HOW, vec![(201, object.clone())]).await;
        assert!(applied.unwrap());
        assert_eq!(
            asked,
            [
                "PATCH /apis/batch/v1/namespaces/n/jobs/j?&dryRun=All&fieldManager=kubectl-mage&fieldValidation=Strict"
            ]
        );
        let how = Applying { effect: Effect::Stored, ownership: Ownership::Taken };
        let (applied, asked) = apply(how, vec![(200, object)]).await;
        assert!(!applied.unwrap());
        assert_eq!(
            asked,
            [
                "PATCH /apis/batch/v1/namespaces/n/jobs/j?&force=true&fieldManager=kubectl-mage&fieldValidation=Strict"
            ]
        );
    }

    #[tokio::test]
    async fn conflicts_name_field_and_manager() {
        let of = |field, message| ("FieldManagerConflict", field, message);
        let causes = [
            of(".spec.backoffLimit", "conflict with \"kubectl-edit\" using batch/v1"),
            of(".spec.suspend", "conflict with \"odd"),
        ];
        let (applied, _) = apply(HOW, vec![status(409, "Conflict", "Apply failed", &causes)]).await;
        let ApplyError::Conflict(conflicts) = applied.unwrap_err() else { panic!("no conflict") };
        let conflict = |field: &str, manager: &str| Conflict {
            field: field.to_owned(),
            manager: manager.to_owned(),
        };
        assert_eq!(
            conflicts,
            [
                conflict(".spec.backoffLimit", "kubectl-edit"),
                conflict(".spec.suspend", "conflict with \"odd")
            ]
        );
        // Another 409 is none.
        let (applied, _) = apply(HOW, vec![status(409, "Conflict", "uid mismatch", &[])]).await;
        assert!(matches!(applied, Err(ApplyError::Other(_))), "{applied:?}");
    }

    #[tokio::test]
    async fn what_a_new_job_may_hold_is_refused_as_a_change() {
        let immutable = "Invalid value: {\"Env\": \"hunter2: x\"}: field is immutable";
        let causes = [("FieldValueInvalid", "spec.template.spec", immutable)];
        let refused = || status(422, "Invalid", "is invalid", &causes);
        let exists = status(409, "AlreadyExists", "exists", &[]);
        let forbidden = status(403, "Forbidden", "User \"b\" cannot create resource \"jobs\"", &[]);
        for anew in [exists, forbidden] {
            let (applied, asked) = apply(HOW, vec![refused(), anew]).await;
            assert!(asked[1].starts_with("POST ") && asked[1].contains("dryRun=All"), "{asked:?}");
            let ApplyError::Immutable(fields) = applied.unwrap_err() else { panic!("not refused") };
            let reason = "field is immutable".to_owned();
            assert_eq!(fields, [Refused { field: "spec.template.spec".to_owned(), reason }]);
        }
        // What is wrong in itself is told in the words of a creation.
        let wrong = status(422, "Invalid", "no such action", &[("FieldValueInvalid", "a", "b")]);
        let (applied, _) = apply(HOW, vec![refused(), wrong]).await;
        assert!(applied.unwrap_err().to_string().contains("no such action"));
    }

    #[tokio::test]
    async fn the_verb_that_is_missing_is_the_one_that_is_named() {
        let forbidden = |verb: &str| {
            let message = format!(
                "jobs.batch \"j\" is forbidden: User \"bob\" cannot {verb} resource \"jobs\" in API group \"batch\""
            );
            status(403, "Forbidden", &message, &[])
        };
        for verb in ["patch", "create"] {
            let (applied, _) = apply(HOW, vec![forbidden(verb)]).await;
            let ApplyError::Other(error) = applied.unwrap_err() else { panic!("not forbidden") };
            assert_eq!(error.missing_right(), Some(verb));
            assert!(error.to_string().contains(&format!("cannot {verb} job.batch/j")), "{error}");
            assert!(error.refusal().is_none());
        }
        let admission =
            status(403, "Forbidden", "jobs.batch \"j\" is forbidden: not on Fridays", &[]);
        let (applied, _) = apply(HOW, vec![admission]).await;
        let ApplyError::Other(error) = applied.unwrap_err() else { panic!("not forbidden") };
        assert_eq!(error.missing_right(), None);
        assert!(error.refusal().is_some());
    }
}
