//! A container's log in a cluster.

use super::source::{Ask, Source};
use crate::cluster::{
    Cluster, ClusterError, ContainerView, LogRequest, LogStream, LogStreamError, container_view,
};

/// The log of one container of one pod.
#[derive(Clone)]
pub struct PodLog {
    /// The cluster.
    pub cluster: Cluster,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// Its UID: another pod of that name is not meant.
    pub uid: String,
    /// The container.
    pub container: String,
}

impl Source for PodLog {
    type Body = LogStream;
    type Error = LogStreamError;

    async fn open(&self, ask: Ask) -> Result<LogStream, ClusterError> {
        let request = LogRequest {
            namespace: self.namespace.clone(),
            pod: self.pod.clone(),
            container: self.container.clone(),
            follow: ask.follow,
            previous: ask.previous,
            since_second: ask.since_second,
            tail_lines: ask.tail_lines,
        };
        self.cluster.open_log(&request).await
    }

    async fn look(&self) -> Result<ContainerView, ClusterError> {
        let pod = self.cluster.get_pod(&self.namespace, &self.pod).await?;
        let pod = pod.filter(|pod| pod.metadata.uid.as_deref() == Some(self.uid.as_str()));
        Ok(pod.map_or(ContainerView::GONE, |pod| container_view(&pod, &self.container)))
    }
}
