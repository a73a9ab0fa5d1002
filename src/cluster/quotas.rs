//! The quotas of a namespace.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::Api;
use kube::api::ListParams;

use super::client::Cluster;

impl Cluster {
    /// Returns name, resource, used and hard amount of the quotas on requests and on counts of
    /// Jobs and pods. Without the right to list them, nothing: they only inform.
    pub async fn quotas(&self, namespace: &str) -> Vec<(String, String, String, String)> {
        let api: Api<ResourceQuota> = Api::namespaced(self.client().clone(), namespace);
        let Ok(list) = api.list(&ListParams::default()).await else { return Vec::new() };
        let mut quotas = Vec::new();
        for quota in list.items {
            let name = quota.metadata.name.unwrap_or_default();
            let status = quota.status.unwrap_or_default();
            let used = status.used.unwrap_or_default();
            for (resource, hard) in status.hard.unwrap_or_default() {
                let told = resource.starts_with("requests.")
                    || matches!(resource.as_str(), "cpu" | "memory" | "pods" | "count/jobs.batch");
                if told {
                    let used = used.get(&resource).map_or_else(|| "0".to_owned(), |q| q.0.clone());
                    quotas.push((name.clone(), resource, used, hard.0));
                }
            }
        }
        quotas
    }
}
