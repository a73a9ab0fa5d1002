//! What quotas are known, of a snapshot or a cluster.

use crate::commands::facts::Connected;
use crate::diff::Quota;
use crate::job::{Amounts, Quantity};
use crate::load::ClusterFacts;
use crate::snapshot::QuotaFacts;

/// Returns the quotas of namespaces, as far as they may be read. Whether one with a scope counts depends
/// on more than is known here.
pub(super) fn quotas(
    facts: &ClusterFacts,
    connected: Option<&Connected>,
    namespaces: &[&str],
) -> Vec<Quota> {
    let mut found = Vec::new();
    for namespace in namespaces {
        let listed = match connected {
            _ if facts.file.is_some() => {
                facts.snapshot.namespace(namespace).quotas().found().unwrap_or_default().to_vec()
            }
            Some(Connected { runtime, cluster }) => {
                runtime.block_on(cluster.quota_facts(namespace)).unwrap_or_default()
            }
            None => Vec::new(),
        };
        let counts =
            |quota: &&QuotaFacts| quota.scopes.is_empty() && quota.scope_selector.is_none();
        found.extend(listed.iter().filter(counts).map(|quota| Quota {
            namespace: (*namespace).to_owned(),
            name: quota.name.clone(),
            hard: hard(quota),
        }));
    }
    found
}

/// Returns what a quota bounds of what pods ask for.
fn hard(quota: &QuotaFacts) -> Amounts {
    let mut amounts = Amounts::new();
    for (name, text) in &quota.hard {
        let resource = match name.strip_prefix("requests.") {
            Some(resource) => resource,
            None if matches!(name.as_str(), "cpu" | "memory") => name,
            None => continue,
        };
        let Some(hard) = Quantity::parse(text) else { continue };
        let least = amounts.get(resource).map_or(hard, |known: &Quantity| hard.min(*known));
        amounts.insert(resource.to_owned(), least);
    }
    amounts
}
