//! Containers of the server pod that do not come along.

use crate::error::Problem;
use crate::lint::pod::containers;
use crate::load::Edition;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::ServerSidecars,
    code: "MAGE317",
    name: "server-sidecars",
    severity: Severity::Note,
    summary: "containers of the Mage server's pod do not come along",
    explanation: "A Job takes image, variables and volumes from the container that runs Mage, and no other container. A block that reaches its database through a proxy beside the server, such as a CloudSQL proxy, fails to connect. Add the proxy as a native sidecar (`pod.init_containers` with `restart_policy: Always`), so that it ends with the block; or connect without it. Mage OSS reads no further containers.",
    example: Example {
        edition: "pro",
        files: &[("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: mage-0\n  namespace: mage\nspec:\n  containers:\n  - name: mage\n    image: mageai/mageai:0.9.80\n    env:\n    - {name: KUBE_NAMESPACE, value: mage}\n    - {name: USER_CODE_PATH, value: /home/src/shop}\n    volumeMounts: []\n  - name: «cloudsql-proxy»\n    image: gcr.io/cloudsql-docker/gce-proxy:1.33.0\n")],
        flags: &["--server-pod=@{project}/pod.yaml", "--server-env=MAGE_CONTAINER_NAME=mage"],
    },
    check: Check::Job(check),
};

/// Meshes that put their container into every pod by themselves.
const INJECTED: [&str; 2] = ["istio-proxy", "linkerd-proxy"];

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(server) = facts.inputs.server.as_ref().filter(|_| facts.executor.is_k8s()) else {
        return;
    };
    for (name, place) in &server.others {
        let known = INJECTED.contains(&name.as_str());
        if known || containers(facts.pod()).any(|container| container["name"] == name.as_str()) {
            continue;
        }
        let message =
            format!("container `{name}` of pod/{} does not come along into Jobs", server.name);
        let problem = Problem::new(message);
        let problem = match place {
            Some(place) => problem.at(&place.file, place.span),
            None => problem,
        };
        found.push(problem.hint(match facts.edition() {
            Edition::Pro => {
                "where blocks need it, add it to `pod.init_containers` with `restart_policy: Always`"
            }
            Edition::Oss => "blocks that need it have to do without: Mage OSS adds no container",
        }));
    }
}
