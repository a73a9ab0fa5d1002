//! Killed for memory: the block itself, or a process that it started.

use k8s_openapi::api::core::v1::Pod;

use super::cause::Cause;

const RAISE: &str =
    "raise resource_limits.memory, or use less memory: smaller batches, fewer columns";

/// Explains a container whose reason is `OOMKilled`. Kubernetes does not record the peak.
pub(super) fn out_of_memory(pod: &Pod, container: &str, name: &str, code: i32) -> Cause {
    let limit = match memory_limit(pod, container) {
        Some(limit) => format!("its memory limit of {limit}"),
        None => "the memory there is (it has no limit of its own)".to_owned(),
    };
    // Under cgroup v1 the kernel kills one process: a child's end leaves the main one's exit code.
    let child = if code == 137 { "" } else { "a process of it " };
    Cause {
        exit_code: Some(code),
        ..Cause::new("OOMKilled", format!("{name}{child}was killed for using more than {limit}"))
            .hint(RAISE)
    }
}

/// Tells from the log that a process the block started was killed; its container's reason does not
/// say so where the kernel's cgroups do not tell.
pub(super) fn killed_child(pod: &Pod, container: &str, code: i32, log: &[String]) -> Option<Cause> {
    let limit = memory_limit(pod, container)?;
    let signs =
        ["Signals.SIGKILL", "BrokenProcessPool", "exitcode=-9", "signal 9", "exit code 137"];
    let killed = log
        .iter()
        .any(|line| line.trim() == "Killed" || signs.iter().any(|sign| line.contains(sign)));
    killed.then(|| Cause {
        exit_code: Some(code),
        ..Cause::new(
            "ChildKilled",
            format!("a process that the block started was killed, probably for its memory limit of {limit} (exit code {code})"),
        )
        .hint(RAISE)
    })
}

/// Returns the container's memory limit as written.
pub(super) fn memory_limit(pod: &Pod, container: &str) -> Option<String> {
    let containers = &pod.spec.as_ref()?.containers;
    let container = containers.iter().find(|c| c.name == container)?;
    Some(container.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}
