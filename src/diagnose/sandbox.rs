//! Volumes and the pod's network, which only events tell of.

use super::cause::{Cause, between, fragment};

/// Explains `FailedMount`, `FailedAttachVolume` and `FailedCreatePodSandBox`.
pub(super) fn sandbox(reason: &str, message: &str) -> Cause {
    if reason == "FailedCreatePodSandBox" {
        let message = fragment(message);
        return Cause::new(reason, format!("the node cannot set up the pod's network: {message}"))
            .hint("it is the node's fault, not the block's: ask who runs the cluster, or choose another node");
    }
    let volume = between(message, "volume \"", "\"").unwrap_or("of the pod");
    for (kind, before) in [("Secret", "secret \""), ("ConfigMap", "configmap \"")] {
        if let Some(name) = between(message, before, "\" not found") {
            return Cause::new(
                reason,
                format!(
                    "volume {volume} needs {kind} {name}, which does not exist in its namespace"
                ),
            )
            .hint(
                "create it, or correct the name: `kubectl mage explain-config` shows who names it",
            );
        }
    }
    if message.contains("references non-existent secret key")
        || message.contains("non-existent config key")
    {
        let key = message.rsplit(": ").next().unwrap_or_default();
        return Cause::new(reason, format!("volume {volume} needs a key that is not there: {key}"))
            .hint("add the key, or correct its name");
    }
    if message.contains("Multi-Attach") || message.contains("already exclusively attached") {
        return Cause::new(reason, format!("volume {volume} is attached to another node")).hint(
            "wait until the pod that uses it ends, or use a volume of access mode ReadWriteMany",
        );
    }
    Cause::new(reason, format!("volume {volume} cannot be mounted: {}", fragment(message)))
        .hint("see `kubectl describe pod`, and whether what the volume names is there")
}
