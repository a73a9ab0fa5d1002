//! Which containers of a pod are read (pure).

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

use super::state::State;
use crate::cluster::{container_status, main_container};

/// Which containers are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Containers {
    /// The one that runs the block, and init containers that failed.
    #[default]
    Main,
    /// The one that runs the block and no other.
    MainOnly,
    /// Those of these names.
    Named(Vec<String>),
    /// All of them.
    All,
}

/// Returns the containers of a pod whose logs are to be read and have begun, main one first.
#[must_use]
pub fn chosen(pod: &Pod, containers: &Containers) -> Vec<String> {
    let main = main_container(pod);
    let mut names: Vec<String> = match containers {
        Containers::Main => main.clone().into_iter().chain(failed(pod)).collect(),
        Containers::MainOnly => main.clone().into_iter().collect(),
        Containers::Named(named) => {
            all(pod).into_iter().filter(|name| named.contains(name)).collect()
        }
        Containers::All => all(pod),
    };
    names.retain(|name| has_begun(pod, name));
    names.sort_by_key(|name| Some(name) != main.as_ref());
    names
}

/// Tells whether a container has run, so that there is a log of it: one may end with its pod before that.
#[must_use]
pub(super) fn has_begun(pod: &Pod, name: &str) -> bool {
    let Some(status) = container_status(pod, name) else { return false };
    let both = [&status.state, &status.last_state];
    let ran = |state: &&ContainerState| state.running.is_some() || state.terminated.is_some();
    both.into_iter().flatten().any(|state| ran(&state))
}

/// Returns a container that is asked for and that none of the pods has, and those that they have.
#[must_use]
pub(super) fn unknown(state: &State, containers: &Containers) -> Option<(String, Vec<String>)> {
    let Containers::Named(named) = containers else { return None };
    let mut known: Vec<String> = state.readable().iter().flat_map(|(pod, _)| all(pod)).collect();
    known.sort();
    known.dedup();
    let unknown = named.iter().find(|name| !known.is_empty() && !known.contains(name))?;
    Some((unknown.clone(), known))
}

/// Returns the names of all containers of a pod, in the order in which they start.
#[must_use]
fn all(pod: &Pod) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let init = spec.init_containers.iter().flatten().map(|container| container.name.clone());
    let usual = spec.containers.iter().map(|container| container.name.clone());
    let extra = spec.ephemeral_containers.iter().flatten().map(|container| container.name.clone());
    init.chain(usual).chain(extra).collect()
}

/// Returns the init containers that have failed once.
fn failed(pod: &Pod) -> impl Iterator<Item = String> {
    let statuses = pod.status.iter().flat_map(|status| &status.init_container_statuses).flatten();
    statuses.filter(|status| has_failed(status)).map(|status| status.name.clone())
}

fn has_failed(status: &ContainerStatus) -> bool {
    let both = [&status.state, &status.last_state];
    both.into_iter()
        .flatten()
        .any(|state| state.terminated.as_ref().is_some_and(|terminated| terminated.exit_code != 0))
}

#[cfg(test)]
mod tests {
    use super::{Containers, chosen};
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    #[test]
    fn the_main_one_and_whatever_failed_before_it() {
        let status = |name: &str, state: serde_json::Value| json!({"name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        let pod: Pod = serde_json::from_value(json!({
            "spec": {
                "initContainers": [{"name": "fetch"}, {"name": "check"}],
                "containers": [{"name": "proxy"}, {"name": "mage", "command": ["/app/run_app.sh"]}]
            },
            "status": {
                "initContainerStatuses": [
                    status("fetch", json!({"terminated": {"exitCode": 0}})),
                    status("check", json!({"terminated": {"exitCode": 3}}))
                ],
                "containerStatuses": [
                    status("proxy", json!({"running": {}})),
                    status("mage", json!({"running": {}}))
                ]
            }
        }))
        .unwrap();
        assert_eq!(chosen(&pod, &Containers::Main), ["mage", "check"]);
        assert_eq!(chosen(&pod, &Containers::All), ["mage", "fetch", "check", "proxy"]);
        let named = Containers::Named(vec!["proxy".to_owned(), "none".to_owned()]);
        assert_eq!(chosen(&pod, &named), ["proxy"]);
    }
}
