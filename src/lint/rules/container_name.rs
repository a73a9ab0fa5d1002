//! `MAGE_CONTAINER_NAME` names no container, or is missing where it is needed.

use crate::error::Problem;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, ProjectFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ContainerName,
    code: "MAGE318",
    name: "container-name",
    severity: Severity::Warning,
    summary: "`MAGE_CONTAINER_NAME` names no container, or is missing where it is needed",
    explanation: "`MAGE_CONTAINER_NAME` says which container of the server's pod Jobs take image, variables and mounts from. Where it names none, Mage takes the first and only logs it. The example in Mage's documentation sets it from `fieldRef: metadata.name`, which is the name of the *pod* and never fits. Write the container's name.\n\nWithout the variable the first container counts too, which may be a sidecar that something puts in front.",
    example: Example {
        edition: "pro",
        files: &[("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: mage-0\n  namespace: mage\nspec:\n  containers:\n  - name: mage\n    image: mageai/mageai:0.9.80\n    env:\n    - {name: KUBE_NAMESPACE, value: mage}\n    - {name: USER_CODE_PATH, value: /home/src/shop}\n    - name: MAGE_CONTAINER_NAME\n      valueFrom: {fieldRef: {fieldPath: «metadata.name»}}\n    volumeMounts: []\n")],
        flags: &["--server-pod=@{project}/pod.yaml"],
    },
    check: Check::Project(check),
};

fn check(facts: &ProjectFacts<'_>, found: &mut Found) {
    let Some(server) = facts.inputs.server.as_ref().filter(|server| server.unnamed) else { return };
    let message = format!(
        "pod/{} has several containers and MAGE_CONTAINER_NAME is not set: Jobs inherit from the first, `{}`",
        server.name, server.container
    );
    let problem = Problem::new(message);
    let problem = match server.others.iter().find_map(|(_, place)| place.as_ref()) {
        Some(place) => problem.at(&place.file, place.span),
        None => problem,
    };
    let problem = problem.hint("set MAGE_CONTAINER_NAME to the name of the container that runs Mage");
    if server.image.contains("mage") {
        found.push_as(Severity::Note, problem);
    } else {
        found.push(problem);
    }
}
