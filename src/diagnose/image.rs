//! The image does not come.

use super::cause::{Cause, fragment};

/// What the registry or the runtime says, in plain words, and what to do.
const SAYINGS: [(&[&str], &str, &str); 8] = [
    (
        &["toomanyrequests", "too many requests", "429"],
        "the registry allows no more pulls just now",
        "wait, it is tried again; or pull with credentials (pod.image_pull_secrets) or from a mirror",
    ),
    (
        &[
            "unauthorized",
            "authentication required",
            "access denied",
            "denied:",
            "forbidden",
            "no basic auth",
        ],
        "the registry does not let the node pull it",
        "name a Secret with the registry's credentials in pod.image_pull_secrets; a wrong name looks the same",
    ),
    (
        &["no match for platform", "no matching manifest", "exec format"],
        "it is not built for the node's processor",
        "build it for the node's platform, or choose other nodes with pod.node_selector",
    ),
    (
        &["not found", "manifest unknown", "name unknown"],
        "the registry has no such image or tag",
        "correct the image's name and tag (container_config.image or --image)",
    ),
    (
        &["x509", "certificate"],
        "the node does not trust the registry's certificate",
        "have the registry's certificate authority installed on the nodes, or use another registry",
    ),
    (
        &[
            "connection refused",
            "no such host",
            "i/o timeout",
            "network is unreachable",
            "deadline exceeded",
            "dial tcp",
        ],
        "the registry does not answer",
        "see whether the registry's name is right and the nodes reach it",
    ),
    (
        &["no space left"],
        "the node's disk is full",
        "free space on the node, or choose another node",
    ),
    (
        &["never"],
        "the node does not have it, and imagePullPolicy Never forbids pulling it",
        "set container_config.image_pull_policy to IfNotPresent, or load the image onto the nodes",
    ),
];

/// Explains a container that waits for its image.
pub(super) fn image(reason: &str, message: &str, image: &str) -> Cause {
    if reason == "InvalidImageName" {
        return Cause::new(reason, format!("the image's name {image:?} is no valid name"))
            .hint("correct the image's name (container_config.image or --image): HOST/NAME:TAG, in lower case");
    }
    let lower = message.to_lowercase();
    let known = SAYINGS.iter().find(|(words, ..)| words.iter().any(|word| lower.contains(word)));
    match known {
        Some((_, words, hint)) => {
            Cause::new(reason, format!("the image {image} cannot be pulled: {words}")).hint(*hint)
        }
        None if message.is_empty() || lower == format!("back-off pulling image \"{image}\"") => {
            Cause::new(reason, format!("the image {image} cannot be pulled"))
                .hint("see the events of the pod with `kubectl describe pod`")
        }
        None => {
            let message = fragment(message);
            Cause::new(reason, format!("the image {image} cannot be pulled: {message}")).hint(
                "see whether the image's name is right and the nodes may pull it (pod.image_pull_secrets)",
            )
        }
    }
}
