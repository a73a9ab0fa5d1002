//! Finds the Mage server's pod, and reads the files that its environment names from the ConfigMaps
//! mounted there.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::ListParams;
use serde_json::Value as Json;

use super::client::Cluster;
use super::error::{Action, ClusterError};

/// The labels that Mage's Helm chart gives its pods.
const CHART_LABEL: &str = "app.kubernetes.io/name=mageai";

/// How many pods of a namespace are looked at for Mage's image, where none carries the label.
const MOST_PODS: u32 = 500;

/// What came of looking for the server's pod.
#[derive(Debug, Default)]
pub struct FoundPod {
    /// The pod.
    pub pod: Option<Json>,
    /// Namespaces that could not be looked through, and why.
    pub refused: Vec<String>,
}

impl Cluster {
    /// Reads a pod by name.
    pub async fn get_pod_json(&self, namespace: &str, name: &str) -> Result<Json, ClusterError> {
        let api: Api<Pod> = Api::namespaced(self.client().clone(), namespace);
        let action = core("get", "pods", format!("pod/{name}"), namespace);
        let pod = api.get(name).await.map_err(|error| self.explain(&action, error))?;
        Ok(serde_json::to_value(pod).unwrap_or_default())
    }

    /// Looks for the Mage server's pod by the chart's label, then by Mage's image, in each
    /// namespace in turn. A namespace in which pods may not be listed is passed over and named.
    pub async fn find_server_pod(&self, namespaces: &[String]) -> Result<FoundPod, ClusterError> {
        let mut found = FoundPod::default();
        for namespace in namespaces {
            match self.find_in(namespace).await {
                Ok(Some(pod)) => {
                    found.pod = Some(pod);
                    return Ok(found);
                }
                Ok(None) => {}
                Err(error @ ClusterError::Forbidden { .. }) => {
                    found.refused.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn find_in(&self, namespace: &str) -> Result<Option<Json>, ClusterError> {
        let api: Api<Pod> = Api::namespaced(self.client().clone(), namespace);
        let action = core("list", "pods", String::new(), namespace);
        for parameters in [
            ListParams::default().labels(CHART_LABEL),
            ListParams::default().fields("status.phase=Running").limit(MOST_PODS),
        ] {
            let pods = api.list(&parameters).await.map_err(|error| self.explain(&action, error))?;
            let pods: Vec<Json> =
                pods.items.into_iter().filter_map(|pod| serde_json::to_value(pod).ok()).collect();
            if let Some(pod) = choose(pods, parameters.label_selector.is_some()) {
                return Ok(Some(pod));
            }
        }
        Ok(None)
    }

    /// Reads a file of a pod's container from the ConfigMap that is mounted at its path. Returns
    /// the object's name with its text, or why it cannot be read.
    pub async fn read_pod_file(
        &self,
        pod: &Json,
        container: &str,
        path: &str,
    ) -> Result<(String, String), String> {
        let mounted = mounted_key(pod, container, path)?;
        let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default");
        let api: Api<ConfigMap> = Api::namespaced(self.client().clone(), namespace);
        let action = core("get", "configmaps", format!("configmap/{}", mounted.object), namespace);
        let map = api
            .get(&mounted.object)
            .await
            .map_err(|error| self.explain(&action, error).to_string())?;
        let text = map.data.unwrap_or_default().remove(&mounted.key);
        let name = format!("configmap/{}:{}", mounted.object, mounted.key);
        match text {
            Some(text) => Ok((name, text)),
            None => Err(format!("{name} does not exist")),
        }
    }
}

fn core(verb: &'static str, resource: &'static str, object: String, namespace: &str) -> Action {
    Action { verb, resource, group: "", object, namespace: namespace.to_owned() }
}

/// Chooses the newest ready scheduler, else the newest ready pod, else the newest. Pods of Jobs are
/// Mage's blocks, not its server.
fn choose(pods: Vec<Json>, labelled: bool) -> Option<Json> {
    pods.into_iter()
        .filter(|pod| !owned_by_job(pod))
        .filter(|pod| labelled || runs_mage(pod))
        .max_by_key(|pod| {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let created = pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default();
            (is_ready(pod), name.contains("scheduler"), created.to_owned())
        })
}

fn owned_by_job(pod: &Json) -> bool {
    let owners = pod["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| owner["kind"] == "Job")
}

fn runs_mage(pod: &Json) -> bool {
    let containers = pod["spec"]["containers"].as_array();
    containers.into_iter().flatten().any(|container| {
        container["image"].as_str().is_some_and(|image| image.contains("mageai/mageai"))
    })
}

fn is_ready(pod: &Json) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// A key of a ConfigMap that is mounted somewhere.
#[derive(Debug, PartialEq, Eq)]
struct MountedKey {
    object: String,
    key: String,
}

/// Follows a path in a container to the ConfigMap mounted there.
fn mounted_key(pod: &Json, container: &str, path: &str) -> Result<MountedKey, String> {
    let containers = pod["spec"]["containers"].as_array();
    let container = containers
        .into_iter()
        .flatten()
        .find(|known| known["name"] == container)
        .ok_or_else(|| format!("the pod has no container {container}"))?;
    let below = |mount: &Json| {
        let at = mount["mountPath"].as_str()?.trim_end_matches('/');
        let rest = path.strip_prefix(at)?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| (at.len(), rest.trim_start_matches('/').to_owned()))
    };
    let mounts = container["volumeMounts"].as_array();
    let (mount, rest) = mounts
        .into_iter()
        .flatten()
        .filter_map(|mount| below(mount).map(|(length, rest)| (length, mount, rest)))
        .max_by_key(|(length, _, _)| *length)
        .map(|(_, mount, rest)| (mount, rest))
        .ok_or_else(|| "nothing is mounted there, so it is inside the image".to_owned())?;
    let volumes = pod["spec"]["volumes"].as_array();
    let volume = volumes.into_iter().flatten().find(|volume| volume["name"] == mount["name"]);
    let volume = volume.ok_or_else(|| "its volume is not in the pod".to_owned())?;
    let map = &volume["configMap"];
    let Some(object) = map["name"].as_str() else {
        let name = mount["name"].as_str().unwrap_or_default();
        return Err(format!("it is on volume {name}, which is no ConfigMap"));
    };
    let file = match mount["subPath"].as_str() {
        Some(sub) if rest.is_empty() => sub.to_owned(),
        Some(sub) => format!("{sub}/{rest}"),
        None => rest,
    };
    let items = map["items"].as_array();
    let item = items.into_iter().flatten().find(|item| item["path"] == file.as_str());
    let key = item.and_then(|item| item["key"].as_str()).map_or(file.clone(), str::to_owned);
    Ok(MountedKey { object: object.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod() -> Json {
        json!({
            "metadata": {"name": "mage-0", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {
                "containers": [{"name": "mage", "image": "mageai/mageai:1", "volumeMounts": [
                    {"name": "all", "mountPath": "/etc/mage"},
                    {"name": "one", "mountPath": "/etc/mage/policy.yaml", "subPath": "config.yaml"},
                    {"name": "data", "mountPath": "/data"}
                ]}],
                "volumes": [
                    {"name": "all", "configMap": {"name": "cm", "items": [{"key": "k", "path": "t.yaml"}]}},
                    {"name": "one", "configMap": {"name": "policy"}},
                    {"name": "data", "emptyDir": {}}
                ]
            }
        })
    }

    #[test]
    fn a_path_is_followed_to_its_key() {
        let key = |path| mounted_key(&pod(), "mage", path);
        let found =
            |object: &str, key: &str| Ok(MountedKey { object: object.into(), key: key.into() });
        assert_eq!(key("/etc/mage/t.yaml"), found("cm", "k"));
        assert_eq!(key("/etc/mage/policy.yaml"), found("policy", "config.yaml"));
        assert!(key("/data/x").unwrap_err().contains("no ConfigMap"));
        assert!(key("/other").unwrap_err().contains("inside the image"));
    }

    #[test]
    fn blocks_are_not_servers_and_ready_ones_come_first() {
        let mut job = pod();
        job["metadata"]["ownerReferences"] = json!([{"kind": "Job"}]);
        let mut ready = pod();
        ready["metadata"]["name"] = "mage-ready".into();
        ready["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
        let mut newer = pod();
        newer["metadata"]["creationTimestamp"] = "2026-02-01T00:00:00Z".into();
        let chosen = choose(vec![job, newer, ready], false).unwrap();
        assert_eq!(chosen["metadata"]["name"], "mage-ready");
    }
}
