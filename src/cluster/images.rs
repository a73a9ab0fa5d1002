//! Which images nodes have, and what became of pulling them.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::ListParams;
use kube::core::Request;
use serde_json::Value;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use crate::doctor::{NodeImages, PodImage, Pulled};

impl Cluster {
    /// Lists the images of each node, as many as it tells (50 by default); `None` where nodes may
    /// not be listed.
    pub async fn images_of_nodes(&self) -> Result<Option<Vec<NodeImages>>, ClusterError> {
        let action = Action {
            verb: "list",
            resource: "nodes",
            group: "",
            object: String::new(),
            namespace: "(all)".to_owned(),
        };
        let request = Request::new("/api/v1/nodes").list(&ListParams::default());
        let list: Value = match self.call(&action, built(request, &action)?).await {
            Err(ClusterError::Forbidden { .. }) => return Ok(None),
            list => list?,
        };
        let nodes = list["items"].as_array().into_iter().flatten();
        Ok(Some(nodes.map(images_of).collect()))
    }
}

fn images_of(node: &Value) -> NodeImages {
    let images = node["status"]["images"].as_array().into_iter().flatten();
    let names = images.flat_map(|image| image["names"].as_array().into_iter().flatten());
    NodeImages {
        node: node["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        images: names.filter_map(|name| name.as_str().map(str::to_owned)).collect(),
    }
}

/// Says what pods tell of their images.
#[must_use]
pub fn images_of_pods(pods: &[Pod]) -> Vec<PodImage> {
    pods.iter().flat_map(images_of_pod).collect()
}

fn images_of_pod(pod: &Pod) -> Vec<PodImage> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let created = pod.metadata.creation_timestamp.as_ref();
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let found = containers.filter_map(|container| {
        let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
        let status = statuses.iter().find(|status| status.name == container.name)?;
        Some(PodImage {
            created: created.map(|time| time.0.to_string()).unwrap_or_default(),
            pod: format!("pod/{name} in namespace {namespace}"),
            image: container.image.clone()?,
            pulled: pulled(status)?,
        })
    });
    found.collect()
}

/// A container that has an id has an image.
fn pulled(status: &ContainerStatus) -> Option<Pulled> {
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default();
    if matches!(
        reason,
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull"
    ) {
        let message = waiting.and_then(|waiting| waiting.message.as_deref()).unwrap_or_default();
        return Some(Pulled::No(format!("{reason}: {}", message.replace('\n', " "))));
    }
    status.container_id.as_ref().filter(|id| !id.is_empty()).map(|_| Pulled::Yes)
}
