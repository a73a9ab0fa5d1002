//! The container cannot be made or started: Secrets, ConfigMaps, rights, the command.

use super::cause::{Cause, between, fragment};

/// Explains `CreateContainerConfigError`, `CreateContainerError`, `RunContainerError` and
/// `StartError`.
pub(super) fn container_start(reason: &str, message: &str) -> Cause {
    if let Some(cause) = missing_object(reason, message) {
        return cause;
    }
    if message.contains("runAsNonRoot") {
        return Cause::new(
            reason,
            "the image runs as root, and the pod's security context forbids that (runAsNonRoot)",
        )
        .hint("set security_context.run_as_user to a number other than 0, or use an image with a USER");
    }
    if let Some(program) = between(message, "exec: \"", "\"") {
        let (what, hint) = if message.contains("permission denied") {
            ("cannot be executed", "make it executable in the image, or correct the command")
        } else {
            (
                "is not in the image",
                "see whether it is an image of Mage, and whether its command was changed",
            )
        };
        return Cause::new(reason, format!("the container cannot be started: {program} {what}"))
            .hint(hint);
    }
    if message.contains("no command specified") {
        return Cause::new(reason, "neither the image nor the Job says which command to run")
            .hint("use an image of Mage, or give the command");
    }
    let message = fragment(message);
    let tail = message.rsplit(": ").find(|part| !part.trim().is_empty() && *part != "unknown");
    let short = if message.len() > 300 { tail.unwrap_or(message) } else { message };
    Cause::new(reason, format!("the container cannot be started: {short}"))
        .hint("see with `kubectl mage explain-config` who sets what it names")
}

/// Explains a Secret, a ConfigMap or a key of one that is not there.
fn missing_object(reason: &str, message: &str) -> Option<Cause> {
    if let Some(key) = between(message, "couldn't find key ", " in ") {
        let (kind, name) =
            message[message.find(" in ")? + 4..].trim_end_matches('.').split_once(' ')?;
        let name = name.rsplit('/').next().unwrap_or(name);
        let resource = kind.to_lowercase();
        return Some(
            Cause::new(reason, format!("{kind} {name} has no key {key}, which the pod needs"))
                .hint(format!("add the key, or correct its name: `kubectl describe {resource} {name}` lists the keys")),
        );
    }
    let (kind, rest) =
        [("Secret", "secret \""), ("ConfigMap", "configmap \"")].into_iter().find_map(
            |(kind, before)| Some((kind, &message[message.find(before)? + before.len()..])),
        )?;
    let (name, rest) = rest.split_once('"')?;
    rest.contains("not found").then(|| {
        Cause::new(
            reason,
            format!("{kind} {name}, which the pod needs, does not exist in its namespace"),
        )
        .hint("create it, or correct the name: `kubectl mage explain-config` shows who names it")
    })
}
