//! The ConfigMap that holds a run's plan.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use serde_json::{Value, json};

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use super::labels;

/// A plan that stands in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID, for owner references.
    pub uid: String,
}

pub(super) fn action(verb: &'static str, namespace: &str, name: &str) -> Action {
    Action {
        verb,
        resource: "configmaps",
        group: "",
        object: if name.is_empty() { String::new() } else { format!("configmap/{name}") },
        namespace: namespace.to_owned(),
    }
}

pub(super) fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}

impl Cluster {
    /// Creates a ConfigMap as given.
    pub async fn create_config_map(
        &self,
        namespace: &str,
        name: &str,
        body: &Value,
    ) -> Result<Recorded, ClusterError> {
        let action = action("create", namespace, name);
        let params =
            PostParams { field_manager: Some(labels::MANAGER.to_owned()), ..Default::default() };
        let bytes = body.to_string().into_bytes();
        let request = built(Request::new(path(namespace)).create(&params, bytes), &action)?;
        let created: ConfigMap = self.call(&action, request).await?;
        Ok(Recorded {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: created.metadata.uid.unwrap_or_default(),
        })
    }

    /// Notes something in the annotations of a plan: what is immutable is only its data.
    pub async fn annotate_config_map(
        &self,
        namespace: &str,
        name: &str,
        annotations: &Value,
    ) -> Result<(), ClusterError> {
        self.patch_config_map(namespace, name, &json!({"annotations": annotations})).await
    }

    /// Notes something in the annotations of a plan, unless it was changed since `version`.
    pub async fn annotate_unchanged(
        &self,
        plan: &Recorded,
        version: Option<&str>,
        annotations: &Value,
    ) -> Result<(), ClusterError> {
        let metadata =
            json!({"uid": plan.uid, "resourceVersion": version, "annotations": annotations});
        self.patch_config_map(&plan.namespace, &plan.name, &metadata).await
    }

    async fn patch_config_map(
        &self,
        namespace: &str,
        name: &str,
        metadata: &Value,
    ) -> Result<(), ClusterError> {
        let action = action("patch", namespace, name);
        let params = PatchParams {
            field_manager: Some(labels::MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let body = json!({"metadata": metadata});
        let patch = Patch::Merge(&body);
        let request =
            built(Request::new(path(namespace)).patch_metadata(name, &params, &patch), &action)?;
        self.call::<Value>(&action, request).await.map(drop)
    }

    /// Deletes a plan, if it is still the one recorded.
    pub async fn delete_config_map(&self, recorded: &Recorded) -> Result<(), ClusterError> {
        let action = action("delete", &recorded.namespace, &recorded.name);
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(recorded.uid.clone()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        let path = path(&recorded.namespace);
        let request = built(Request::new(path).delete(&recorded.name, &params), &action)?;
        self.call::<Value>(&action, request).await.map(drop)
    }

    /// Reads a ConfigMap; none when there is none of that name.
    pub async fn get_config_map(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ConfigMap>, ClusterError> {
        Ok(self.get_config_map_now(namespace, name).await?.map(|(map, _)| map))
    }

    /// Reads a ConfigMap, and the time that the server has now.
    pub async fn get_config_map_now(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<(ConfigMap, Option<Timestamp>)>, ClusterError> {
        let action = action("get", namespace, name);
        let request =
            built(Request::new(path(namespace)).get(name, &GetParams::default()), &action)?;
        match self.call_with_date(&action, request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(ClusterError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
