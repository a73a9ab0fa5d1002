//! Pods: which container is the block's, and how far it is.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};
use kube::api::{GetParams, ListParams, PropagationPolicy};
use kube::core::Request;
use serde_json::Value;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::{Removal, built, removal, removed};
use super::labels::OF_A_JOB;
use super::mage_jobs::{Source, pod_belongs};

/// The annotation that names the container a reader means.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// How far a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerPhase {
    /// Not started.
    Waiting,
    /// It runs.
    Running,
    /// It ended.
    Terminated,
    /// It ended, and waits to be started again.
    BackOff,
}

impl ContainerPhase {
    /// Tells whether it is to be started.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Waiting | Self::BackOff)
    }
}

/// What a log follower needs to know of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerView {
    /// How far it is.
    pub phase: ContainerPhase,
    /// How often the kubelet has restarted it.
    pub restarts: u32,
    /// Whether it has ended for good, with its pod or before it: no further restart will come.
    pub pod_ended: bool,
}

impl ContainerView {
    /// The view before anything is known.
    pub const UNKNOWN: Self =
        Self { phase: ContainerPhase::Waiting, restarts: 0, pod_ended: false };

    /// The view of a pod that is gone.
    pub const GONE: Self = Self { phase: ContainerPhase::Terminated, restarts: 0, pod_ended: true };

    /// Tells whether it writes no more into the log that is its present one.
    #[must_use]
    pub fn has_ended(self) -> bool {
        self.pod_ended || matches!(self.phase, ContainerPhase::Terminated | ContainerPhase::BackOff)
    }
}

/// Returns name and UID of the Job that made a pod.
#[must_use]
pub fn job_of(pod: &Pod) -> Option<(&str, &str)> {
    let owners = pod.metadata.owner_references.as_ref()?;
    let owner = owners.iter().find(|owner| owner.kind == "Job")?;
    Some((owner.name.as_str(), owner.uid.as_str()))
}

/// Returns the name of the container that runs the block: the one the annotation names, else the
/// one whose command runs Mage, else the first. A sidecar may come first.
#[must_use]
pub fn main_container(pod: &Pod) -> Option<String> {
    let named = pod.metadata.annotations.as_ref().and_then(|all| all.get(DEFAULT_CONTAINER));
    let containers = &pod.spec.as_ref()?.containers;
    if let Some(named) = named.filter(|named| containers.iter().any(|c| &c.name == *named)) {
        return Some(named.clone());
    }
    let runs_mage = |words: Option<&Vec<String>>| {
        words
            .into_iter()
            .flatten()
            .any(|word| word.contains("run_app.sh") || word.contains("mage run"))
    };
    containers
        .iter()
        .find(|c| runs_mage(c.command.as_ref()) || runs_mage(c.args.as_ref()))
        .or_else(|| containers.first())
        .map(|container| container.name.clone())
}

/// Returns the status of the container of that name, if the kubelet gave one.
pub(crate) fn container_status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let all = pod.status.as_ref()?;
    let kinds =
        [&all.container_statuses, &all.init_container_statuses, &all.ephemeral_container_statuses];
    kinds.into_iter().flatten().flatten().find(|status| status.name == name)
}

/// Reads how far the container is.
#[must_use]
pub fn container_view(pod: &Pod, name: &str) -> ContainerView {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let pod_ended = matches!(phase, "Succeeded" | "Failed");
    let status = container_status(pod, name);
    let state = status.and_then(|status| status.state.as_ref());
    let ended_before = status
        .and_then(|status| status.last_state.as_ref())
        .is_some_and(|last| last.terminated.is_some());
    let terminated = state.and_then(|state| state.terminated.as_ref());
    let phase = match state {
        _ if terminated.is_some() => ContainerPhase::Terminated,
        Some(ContainerState { running: Some(_), .. }) => ContainerPhase::Running,
        _ if pod_ended => ContainerPhase::Terminated,
        _ if ended_before => ContainerPhase::BackOff,
        _ => ContainerPhase::Waiting,
    };
    let restarts = status.map_or(0, |status| u32::try_from(status.restart_count).unwrap_or(0));
    let for_good = terminated.is_some_and(|end| !is_restarted(pod, name, end.exit_code));
    ContainerView { phase, restarts, pod_ended: pod_ended || for_good }
}

/// Tells whether the kubelet starts a container again that ended with that code.
fn is_restarted(pod: &Pod, name: &str, code: i32) -> bool {
    let Some(spec) = &pod.spec else { return true };
    let init = spec.init_containers.iter().flatten().find(|container| container.name == name);
    let sidecar = init.is_some_and(|init| init.restart_policy.as_deref() == Some("Always"));
    match spec.restart_policy.as_deref() {
        _ if sidecar => true,
        Some("Never") => false,
        Some("OnFailure") => code != 0,
        _ => init.is_none() || code != 0,
    }
}

pub(super) fn action(verb: &'static str, namespace: &str, name: &str) -> Action {
    Action {
        verb,
        resource: "pods",
        group: "",
        object: if name.is_empty() { String::new() } else { format!("pod/{name}") },
        namespace: namespace.to_owned(),
    }
}

/// Returns the path of the pods of a namespace; empty means all.
pub(super) fn path(namespace: &str) -> String {
    if namespace.is_empty() {
        return "/api/v1/pods".to_owned();
    }
    format!("/api/v1/namespaces/{namespace}/pods")
}

impl Cluster {
    /// Reads one pod; none when there is none of that name.
    pub async fn get_pod(&self, namespace: &str, name: &str) -> Result<Option<Pod>, ClusterError> {
        let action = action("get", namespace, name);
        let request =
            built(Request::new(path(namespace)).get(name, &GetParams::default()), &action)?;
        match self.call(&action, request).await {
            Ok(pod) => Ok(Some(pod)),
            Err(ClusterError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the pods that `selector` names.
    pub async fn list_pods(
        &self,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Pod>, ClusterError> {
        self.list_all_pods(Some(namespace), selector).await
    }

    /// The same; no namespace means all.
    pub async fn list_all_pods(
        &self,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Pod>, ClusterError> {
        self.list_pods_by(namespace, &ListParams::default().labels(selector)).await
    }

    /// The same by the connection that their logs will take, so that it is there by then; empty means
    /// all namespaces.
    pub async fn list_pods_ahead(
        &self,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Pod>, ClusterError> {
        let action = action("list", namespace, "");
        let params = ListParams::default().labels(selector);
        let request = built(Request::new(path(namespace)).list(&params), &action)?;
        let ask = async |client: &kube::Client| self.answer(&action, client.request(request)).await;
        let (list, _place) = self.logs().send(ask).await?;
        let list: k8s_openapi::List<Pod> = list?;
        Ok(list.items)
    }

    async fn list_pods_by(
        &self,
        namespace: Option<&str>,
        params: &ListParams,
    ) -> Result<Vec<Pod>, ClusterError> {
        let action = action("list", namespace.unwrap_or("(all)"), "");
        let path = path(namespace.unwrap_or_default());
        let request = built(Request::new(path).list(params), &action)?;
        let list: k8s_openapi::List<Pod> = self.call(&action, request).await?;
        Ok(list.items)
    }

    /// Returns the pipeline runs of the Mage server that have pods of this pipeline which have not
    /// ended. Without the right to list pods, none: they only inform.
    pub async fn server_runs_of(&self, namespace: &str, pipeline: &str) -> Vec<String> {
        let params = ListParams::default()
            .labels(OF_A_JOB)
            .fields("status.phase!=Succeeded,status.phase!=Failed");
        let pods = self.list_pods_by(Some(namespace), &params).await.unwrap_or_default();
        let of_server = |pod: &Pod| {
            let of = pod_belongs(pod)?;
            (of.source == Source::Server && of.pipeline == pipeline).then_some(of.run)
        };
        let mut runs: Vec<String> = pods.iter().filter_map(of_server).collect();
        runs.sort();
        runs.dedup();
        runs
    }

    /// Deletes the pod of that name if it still has that UID.
    pub async fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<Removal, ClusterError> {
        let action = action("delete", namespace, name);
        let params = removal(uid, PropagationPolicy::Background);
        let request = built(Request::new(path(namespace)).delete(name, &params), &action)?;
        removed(self.call::<Value>(&action, request).await)
    }
}

#[cfg(test)]
mod tests {
    use super::{ContainerPhase, container_view, main_container};
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    fn pod(value: serde_json::Value) -> Pod {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_block_container_need_not_be_the_first() {
        let sidecar = json!({"name": "proxy", "image": "p"});
        let mage =
            json!({"name": "mage", "image": "m", "command": ["/app/run_app.sh", "mage", "run"]});
        let two = pod(json!({"spec": {"containers": [sidecar, mage]}}));
        assert_eq!(main_container(&two).as_deref(), Some("mage"));
        let named = pod(json!({
            "metadata": {"annotations": {"kubectl.kubernetes.io/default-container": "proxy"}},
            "spec": {"containers": [sidecar, mage]}
        }));
        assert_eq!(main_container(&named).as_deref(), Some("proxy"));
    }

    #[test]
    fn a_container_ends_for_good_by_the_policy_and_its_kind() {
        let ended = |policy: &str, code: i32, init: bool| {
            let status = json!([{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1, "state": {"terminated": {"exitCode": code}}}]);
            let (kind, statuses) = if init {
                ("initContainers", "initContainerStatuses")
            } else {
                ("containers", "containerStatuses")
            };
            let mut spec = json!({"restartPolicy": policy, "containers": []});
            spec[kind] = json!([{"name": "c"}]);
            let view =
                container_view(&pod(json!({"spec": spec, "status": {statuses: status}})), "c");
            assert_eq!((view.phase, view.restarts), (ContainerPhase::Terminated, 1));
            view.pod_ended
        };
        for (policy, code, init, for_good) in [
            ("Never", 1, false, true),
            ("OnFailure", 1, false, false),
            ("OnFailure", 0, false, true),
            ("Always", 0, false, false),
            ("Always", 0, true, true),
            ("Always", 1, true, false),
        ] {
            assert_eq!(ended(policy, code, init), for_good, "{policy} {code} {init}");
        }
    }

    #[test]
    fn a_container_that_waits_to_be_started_again_has_a_log() {
        let status = json!([{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}}]);
        let view = container_view(
            &pod(json!({"spec": {"containers": []}, "status": {"containerStatuses": status}})),
            "c",
        );
        assert_eq!((view.phase, view.pod_ended), (ContainerPhase::BackOff, false));
    }

    #[test]
    fn an_evicted_pod_without_statuses_has_ended() {
        let evicted = pod(
            json!({"spec": {"containers": []}, "status": {"phase": "Failed", "reason": "Evicted"}}),
        );
        let view = container_view(&evicted, "mage");
        assert_eq!(view.phase, ContainerPhase::Terminated);
        assert!(view.pod_ended);
    }
}
