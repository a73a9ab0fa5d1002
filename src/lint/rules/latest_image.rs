//! An image that may change under the same name.

use crate::error::Problem;
use crate::config::LayerKind;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at};

pub(super) const RULE: Rule = Rule {
    id: FindingId::LatestImage,
    code: "MAGE310",
    name: "latest-image",
    severity: Severity::Warning,
    summary: "an image that may change under the same name",
    explanation: "`:latest` and an image without a tag are whatever was pushed last. With `image_pull_policy: IfNotPresent`, Mage's default, each node keeps the one it pulled first, so that two blocks of one run may have different versions of Mage. Name a version, or a digest. Where the image is inherited from the Mage server's pod it is only a note.",
    example: Example {
        edition: "pro",
        files: &[("metadata.yaml", "project_type: standalone\nremote_variables_dir: s3://bucket/mage\nk8s_executor_config:\n  container_config:\n    image: «mageai/mageai:latest»\n  resource_requests:\n    cpu: 250m\n    memory: 512Mi\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    if !facts.executor.is_k8s() {
        return;
    }
    for list in ["containers", "initContainers"] {
        let containers = facts.pod()[list].as_array().map(Vec::as_slice).unwrap_or_default();
        for (index, container) in containers.iter().enumerate() {
            let image = container["image"].as_str().unwrap_or_default();
            if !image.is_empty() && moves(image) {
                let path = format!(".spec.template.spec.{list}[{index}].image");
                push(facts, image, &path, found);
            }
        }
    }
}

fn push(facts: &JobFacts<'_>, image: &str, path: &str, found: &mut Found) {
    let problem = Problem::new(format!("`{image}` may be another image tomorrow"));
    let problem = problem.hint("name a version, such as `mageai/mageai:0.9.80`, or a digest");
    match facts.value(path) {
        Some(value) if value.origin.layer == LayerKind::ServerPod => {
            found.push_as(Severity::Note, at(problem, value));
        }
        Some(value) => found.push(at(problem, value)),
        None => found.push(problem),
    }
}

/// Tells whether an image has neither a digest nor a tag other than `latest`.
fn moves(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    match image.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag == "latest",
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::moves;

    #[test]
    fn a_port_is_no_tag() {
        for image in ["mage", "r.io:5000/mage", "mage:latest", "r.io/mage:latest"] {
            assert!(moves(image), "{image}");
        }
        for image in ["mage:1", "r.io:5000/mage:1", "mage@sha256:ab", "mage:latest@sha256:ab"] {
            assert!(!moves(image), "{image}");
        }
    }
}
