//! Which runs there are, by the metadata of their plans and Jobs alone; and names of other objects.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use kube::core::{ObjectList, PartialObjectMeta, Request};
use serde::de::DeserializeOwned;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use super::labels::{MANAGED_BY, MANAGER, RUN};
use super::{config_maps, jobs, pods};

/// A run that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRun {
    /// Its id.
    pub run: String,
    /// When its plan, or else its first Job, was created, by the server's clock.
    pub started: Option<Timestamp>,
}

impl Cluster {
    /// Lists the runs of a namespace, the newest first, by the metadata of plans and Jobs. One of
    /// the two lists may be forbidden.
    pub async fn known_runs(&self, namespace: &str) -> Result<Vec<KnownRun>, ClusterError> {
        let plans = config_maps::action("list", namespace, "");
        let (plans, jobs) = tokio::join!(
            self.list_metadata::<ConfigMap>(config_maps::path(namespace), plans),
            self.list_metadata::<Job>(jobs::path(namespace), jobs::action("list", namespace, "")),
        );
        let all = match (plans, jobs) {
            (Ok(plans), Ok(jobs)) => plans.into_iter().chain(jobs).collect(),
            (Ok(found), Err(ClusterError::Forbidden { .. }))
            | (Err(ClusterError::Forbidden { .. }), Ok(found)) => found,
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        Ok(group(&all))
    }

    async fn list_metadata<K: DeserializeOwned + Clone>(
        &self,
        path: String,
        action: Action,
    ) -> Result<Vec<ObjectMeta>, ClusterError> {
        let params = ListParams::default().labels(&format!("{MANAGED_BY}={MANAGER},{RUN}"));
        self.list_metadata_by::<K>(path, action, &params).await
    }

    async fn list_metadata_by<K: DeserializeOwned + Clone>(
        &self,
        path: String,
        action: Action,
        params: &ListParams,
    ) -> Result<Vec<ObjectMeta>, ClusterError> {
        let request = built(Request::new(path).list_metadata(params), &action)?;
        let list: ObjectList<PartialObjectMeta<K>> = self.call(&action, request).await?;
        Ok(list.items.into_iter().map(|item| item.metadata).collect())
    }

    /// Lists the names of all namespaces.
    pub async fn namespaces(&self) -> Result<Vec<String>, ClusterError> {
        let action = Action {
            verb: "list",
            resource: "namespaces",
            group: "",
            object: String::new(),
            namespace: "(all)".to_owned(),
        };
        let path = "/api/v1/namespaces".to_owned();
        self.names::<Namespace>(path, action).await
    }

    /// Lists the names of a namespace's Jobs, whoever made them.
    pub async fn job_names(&self, namespace: &str) -> Result<Vec<String>, ClusterError> {
        self.names::<Job>(jobs::path(namespace), jobs::action("list", namespace, "")).await
    }

    /// Lists the names of a namespace's pods.
    pub async fn pod_names(&self, namespace: &str) -> Result<Vec<String>, ClusterError> {
        self.names::<Pod>(pods::path(namespace), pods::action("list", namespace, "")).await
    }

    async fn names<K: DeserializeOwned + Clone>(
        &self,
        path: String,
        action: Action,
    ) -> Result<Vec<String>, ClusterError> {
        let found = self.list_metadata_by::<K>(path, action, &ListParams::default()).await?;
        Ok(found.into_iter().filter_map(|object| object.name).collect())
    }
}

fn group(objects: &[ObjectMeta]) -> Vec<KnownRun> {
    let mut runs: Vec<KnownRun> = Vec::new();
    for object in objects {
        let of = |all: &Option<std::collections::BTreeMap<String, String>>| {
            all.as_ref().and_then(|all| all.get(RUN)).cloned()
        };
        let Some(run) = of(&object.annotations).or_else(|| of(&object.labels)) else { continue };
        let created = object.creation_timestamp.as_ref().map(|time| time.0);
        match runs.iter_mut().find(|known| known.run == run) {
            Some(known) => known.started = known.started.into_iter().chain(created).min(),
            None => runs.push(KnownRun { run, started: created }),
        }
    }
    runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    runs
}

#[cfg(test)]
mod tests {
    use super::group;
    use serde_json::json;

    #[test]
    fn the_newest_run_comes_first_and_its_age_is_that_of_its_first_object() {
        let object = |run: &str, at: &str| {
            serde_json::from_value(json!({
                "creationTimestamp": at, "labels": {"kubectl-mage/run": run}
            }))
            .unwrap()
        };
        let objects = [
            object("old", "2026-01-01T00:00:00Z"),
            object("new", "2026-01-02T00:00:00Z"),
            object("old", "2026-01-03T00:00:00Z"),
        ];
        let names: Vec<String> = group(&objects).into_iter().map(|known| known.run).collect();
        assert_eq!(names, ["new", "old"]);
    }
}
