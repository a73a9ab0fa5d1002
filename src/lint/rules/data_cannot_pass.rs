//! A block in Kubernetes that cannot read what the blocks before it wrote.

use crate::error::Problem;
use crate::lint::pod::{Variable, is_below, mounts, variable};
use crate::load::is_oss_image;
use crate::yaml::Node;
use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Found, JobFacts, Rule, at_settings};

pub(super) const RULE: Rule = Rule {
    id: FindingId::DataCannotPass,
    code: "MAGE209",
    name: "data-cannot-pass",
    severity: Severity::Warning,
    summary: "a block in Kubernetes cannot read what the blocks before it wrote",
    explanation: "Blocks pass data through files in `variables_dir`. Each pod has a disk of its own, so that folder has to be on a volume that all pods share (a claim that many can mount, NFS, a host path on one node), mounted at the same path as in the Mage server; or `remote_variables_dir` has to name a bucket. Otherwise the next block gets an empty input, **without an error**.\n\nThe folder is `MAGE_DATA_DIR` of the container, which Mage's own image sets to `/home/src/mage_data`; else `variables_dir` of the project; else `~/.mage_data`; each with the name of the project's folder at its end. `s3://bucket/path_prefix` in `remote_variables_dir` is a placeholder that Mage takes for unset. Jobs inherit the volumes of the server's pod: name it with `--server-pod` so that they are known here.",
    example: Example {
        edition: "pro",
        files: &[("metadata.yaml", "project_type: standalone\n«variables_dir»: /data\nk8s_executor_config:\n  container_config:\n    image: registry.example/mage:1\n  resource_requests: {cpu: 250m, memory: 512Mi}\n"),
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n- uuid: clean\n  type: transformer\n  upstream_blocks: [load]\n"),
            ("transformers/clean.py", "\n")],
        flags: &[],
    },
    check: Check::Job(check),
};

/// What Mage takes for unset: the example in the project that it makes
/// (`mage_ai/data_preparation/models/pipeline.py: remote_variables_dir`).
const PLACEHOLDER: &str = "s3://bucket/path_prefix";

/// `MAGE_DATA_DIR` of Mage's own image.
const IMAGE_FOLDER: &str = "/home/src/mage_data";

fn check(facts: &JobFacts<'_>, found: &mut Found) {
    let Some(index) = facts.index else { return };
    let waits = !facts.pipeline.graph().upstream(index).is_empty();
    if !waits || !facts.executor.is_k8s() || is_remote(setting(facts, "remote_variables_dir")) {
        return;
    }
    let mounts = mounts(facts.pod(), facts.container());
    let Some(folders) = folders(facts, mounts.iter().any(|(_, shared)| *shared)) else { return };
    let shared = |folder: &String| is_shared(folder, &mounts);
    let Some((folder, why)) = folders.first() else { return };
    if folders.iter().any(|(folder, _)| shared(folder)) {
        return;
    }
    let message = format!(
        "outputs go to {folder} ({why}), where no volume is mounted that pods share: the next block reads nothing"
    );
    found.push(placed(facts, Problem::new(message)));
}

fn setting<'a>(facts: &JobFacts<'a>, key: &str) -> Option<&'a str> {
    facts.project.root.get(key).and_then(Node::as_str).filter(|text| !text.is_empty())
}

fn is_remote(folder: Option<&str>) -> bool {
    folder.is_some_and(|folder| {
        folder != PLACEHOLDER
            && (folder.contains("://") || folder.starts_with("s3") || folder.starts_with("gs"))
    })
}

/// Returns the folders in the pod that outputs may go to, and who says so; `None` where none can be
/// told or all are in a bucket.
fn folders(facts: &JobFacts<'_>, any_shared: bool) -> Option<Vec<(String, &'static str)>> {
    let container = facts.container();
    let own = setting(facts, "variables_dir").map(|folder| (folder, "`variables_dir`"));
    let own = own.unwrap_or(("~/.mage_data", "Mage's default"));
    let image = (IMAGE_FOLDER, "MAGE_DATA_DIR of Mage's image");
    let candidates = match variable(container, "MAGE_DATA_DIR") {
        Variable::Literal(folder) => vec![(folder, "MAGE_DATA_DIR")],
        Variable::Elsewhere if any_shared => return None,
        _ if is_oss_image(container["image"].as_str().unwrap_or_default()) => vec![image],
        // An image made from Mage's has the variable too.
        _ => vec![own, image],
    };
    if candidates.iter().any(|(folder, _)| is_remote(Some(folder))) {
        return None;
    }
    let project = container["command"][3].as_str().unwrap_or_default();
    Some(candidates.into_iter().map(|(folder, why)| (in_pod(folder, project), why)).collect())
}

/// Returns where a folder is in the pod (`mage_ai/settings/repo.py: get_variables_dir`).
fn in_pod(folder: &str, project: &str) -> String {
    let folder = match folder.strip_prefix('~') {
        Some(rest) => format!("/root{rest}"),
        None => folder.to_owned(),
    };
    let name = project.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let path = if !folder.starts_with('/') || folder == project {
        format!("{project}/{folder}")
    } else {
        format!("{folder}/{name}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}

/// Tells whether a folder is on a volume that other pods see: the nearest mount above it decides.
fn is_shared(folder: &str, mounts: &[(&str, bool)]) -> bool {
    let above = mounts.iter().filter(|(path, _)| is_below(folder, path));
    let nearest = above.max_by_key(|(path, _)| path.len());
    nearest.is_some_and(|(_, shared)| *shared)
        || mounts.iter().any(|(path, shared)| *shared && is_below(path, folder))
}

/// Puts the problem at the setting that names the folder: it is the project's, not a block's.
fn placed(facts: &JobFacts<'_>, problem: Problem) -> Problem {
    let root = facts.project.root.as_mapping();
    let entry = |key| root.and_then(|root| root.entry(key));
    let placeholder = setting(facts, "remote_variables_dir") == Some(PLACEHOLDER);
    let problem = if placeholder {
        problem.hint(format!("`remote_variables_dir: {PLACEHOLDER}` counts as unset"))
    } else {
        problem
    };
    let key = if placeholder { "remote_variables_dir" } else { "variables_dir" };
    let problem = match entry(key) {
        Some(entry) => problem.at(&facts.project.file, entry.key.span),
        None => at_settings(problem, facts.project),
    };
    let problem = problem
        .hint("mount a volume there that pods share, or set `remote_variables_dir: s3://…`");
    if facts.inputs.server.is_some() {
        return problem;
    }
    problem.hint("where Jobs inherit the volumes of the Mage server's pod, pass --server-pod")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_where_mage_puts_them() {
        assert_eq!(in_pod("/data", "/home/src/shop"), "/data/shop");
        assert_eq!(in_pod("~/.mage_data", "/home/src/shop/"), "/root/.mage_data/shop");
        assert_eq!(in_pod("./data/../out", "/home/src/shop"), "/home/src/shop/out");
    }

    #[test]
    fn the_nearest_mount_decides() {
        let mounts = [("/home/src", true), ("/home/src/mage_data", false), ("/data/shop", true)];
        assert!(is_shared("/home/src/shop/out", &mounts));
        assert!(!is_shared("/home/src/mage_data/shop", &mounts));
        assert!(is_shared("/data/shop", &mounts) && is_shared("/data", &mounts));
        assert!(!is_shared("/database", &mounts));
    }
}
