//! Reads what only a command in a container can.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams};
use tokio::io::AsyncReadExt as _;

use super::client::Cluster;
use super::error::{Action, ClusterError};

/// How much of what a command says is read, in bytes.
const LONGEST: u64 = 1 << 20;

impl Cluster {
    /// Runs a command in a container, without input, and returns what it wrote to stdout.
    pub async fn read_by_command(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: &[&str],
    ) -> Result<String, ClusterError> {
        let action = Action {
            verb: "create",
            resource: "pods/exec",
            group: "",
            object: String::new(),
            namespace: namespace.to_owned(),
        };
        let params = AttachParams::default().container(container).stdin(false).stderr(false);
        // An upgrade needs HTTP/1.1.
        let pods: Api<Pod> = Api::namespaced(self.commands().clone(), namespace);
        let asked = async {
            let mut process = pods.exec(pod, command.iter().copied(), &params).await?;
            let mut text = Vec::new();
            if let Some(out) = process.stdout() {
                // Of a connection that breaks, what came is all there is.
                let _ = out.take(LONGEST).read_to_end(&mut text).await;
            }
            process.abort();
            Ok(String::from_utf8_lossy(&text).into_owned())
        };
        self.answer(&action, asked).await
    }
}
