//! Exit codes and signals in words.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::cause::Cause;
use super::container_start::container_start;
use super::memory::out_of_memory;

/// Explains a container that ended badly; `kind` is `init container ` for one of those.
pub(super) fn terminated(
    pod: &Pod,
    container: &ContainerStatus,
    ended: &ContainerStateTerminated,
    kind: &str,
) -> Cause {
    let name = if kind.is_empty() { String::new() } else { format!("{kind}{} ", container.name) };
    let code = ended.exit_code;
    let reason = ended.reason.as_deref().unwrap_or("Error");
    let message = ended.message.as_deref().map(str::trim).unwrap_or_default();
    match reason {
        "OOMKilled" => return out_of_memory(pod, &container.name, &name, code),
        "StartError" | "ContainerCannotRun" if !message.is_empty() => {
            return Cause { exit_code: Some(code), ..container_start(reason, message) };
        }
        _ => {}
    }
    let mut sentence = match signal_name(code) {
        Some(signal) => format!("{name}was ended by {signal}, exit code {code}"),
        None => format!("{name}ended with exit code {code}"),
    };
    if !matches!(reason, "Error" | "Completed") {
        sentence = format!("{sentence} ({reason})");
    }
    if let Some(last) = message.lines().last() {
        sentence = format!("{sentence}: {last}");
    }
    Cause { exit_code: Some(code), ..Cause::new(reason, sentence).hint(remedy(code)) }
}

fn remedy(code: i32) -> &'static str {
    match code {
        126 => "the command cannot be executed: see its permissions in the image",
        127 => "the command is not in the image: see the image and the command",
        132 | 135 | 136 | 139 => {
            "a native library crashed, not Python: see whether its version fits the image and the node's processor"
        }
        134 => "a native library gave up (abort): its message is in the log",
        137 => {
            "nobody says who killed it: often the node ran out of memory (`kubectl describe node`), or a probe or a person did"
        }
        143 => "something asked it to stop: a deletion, a drained node or a deadline",
        _ => "its log says more: see its last lines",
    }
}

/// Names the signal an exit code above 128 stands for.
fn signal_name(code: i32) -> Option<&'static str> {
    Some(match code {
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        141 => "SIGPIPE",
        143 => "SIGTERM",
        _ => return None,
    })
}
