//! Asks the API server who is asking, and what they may do.

use kube::api::PostParams;
use kube::core::Request;
use serde_json::{Value, json};

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use crate::doctor::{Identity, Right};

impl Cluster {
    /// Asks who is asking; `None` where the server does not tell.
    pub async fn who_am_i(&self) -> Result<Option<Identity>, ClusterError> {
        let group = "authentication.k8s.io";
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let answer = match self.review("selfsubjectreviews", group, &review).await {
            // Older than 1.28, or not allowed.
            Err(ClusterError::NotFound { .. } | ClusterError::Forbidden { .. }) => return Ok(None),
            answer => answer?,
        };
        let user = &answer["status"]["userInfo"];
        let groups = user["groups"].as_array().into_iter().flatten();
        Ok(user["username"].as_str().map(|name| Identity {
            name: name.to_owned(),
            groups: groups.filter_map(|group| group.as_str().map(str::to_owned)).collect(),
        }))
    }

    /// Asks whether whoever asks has a right, in a namespace or everywhere; `None` where the server
    /// does not tell.
    pub async fn may(
        &self,
        namespace: Option<&str>,
        right: &Right,
    ) -> Result<Option<bool>, ClusterError> {
        let (resource, subresource) = match right.resource.split_once('/') {
            Some((resource, sub)) => (resource, sub),
            None => (right.resource, ""),
        };
        let group = "authorization.k8s.io";
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "namespace": namespace.unwrap_or_default(), "verb": right.verb,
                "group": right.group, "resource": resource, "subresource": subresource,
            }},
        });
        let answer = match self.review("selfsubjectaccessreviews", group, &review).await {
            Err(ClusterError::NotFound { .. } | ClusterError::Forbidden { .. }) => return Ok(None),
            answer => answer?,
        };
        let status = &answer["status"];
        // An authorizer that could not be asked says neither.
        let failed = status["evaluationError"].is_string() && status["allowed"] != true;
        Ok(if failed { None } else { status["allowed"].as_bool() })
    }

    async fn review(
        &self,
        resource: &'static str,
        group: &'static str,
        review: &Value,
    ) -> Result<Value, ClusterError> {
        let object = String::new();
        let namespace = "(all)".to_owned();
        let action = Action { verb: "create", resource, group, object, namespace };
        let path = format!("/apis/{group}/v1/{resource}");
        let bytes = review.to_string().into_bytes();
        let request = Request::new(path).create(&PostParams::default(), bytes);
        self.call(&action, built(request, &action)?).await
    }
}
