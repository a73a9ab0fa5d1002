//! Mounts of volumes that do not exist.

use std::collections::HashSet;

use super::resources::{at_origin, told};
use crate::config::{Finding, JobPath};
use crate::error::Problem;
use crate::merge::{Content, Merge, Rule, Tree};

/// Leaves out the container's mounts of volumes that no layer defines: the API server refuses a Job
/// that has one.
pub(super) fn drop_without_volume(root: &mut Tree, merge: &mut Merge) -> Vec<Finding> {
    let volumes = root.at(&["pod", "volumes"]).and_then(Tree::items).unwrap_or_default();
    let names: HashSet<String> =
        volumes.iter().filter_map(|item| item.at(&["name"])?.as_str().map(str::to_owned)).collect();
    let keys = ["container", "volumeMounts"];
    let path = JobPath::default().key(keys[0]).key(keys[1]);
    let Some(Tree { content: Content::List { items, .. }, .. }) = root.at_mut(&keys) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    items.retain(|mount| {
        let text = |key: &str| mount.at(&[key]).and_then(Tree::as_str).unwrap_or_default();
        let name = text("name");
        if names.contains(name) {
            return true;
        }
        merge.lose(mount, &path.clone().key(name), Rule::NoVolume);
        let message = format!(
            "no volume is named `{name}`, so its mount at {} ({}) is left out",
            text("mountPath"),
            told(&mount.origin)
        );
        let problem = at_origin(Problem::new(message), &mount.origin);
        let hint = format!("define `{name}` under pod.volumes: the API server refuses such a Job");
        findings.push(Finding::warning(problem.hint(hint)));
        false
    });
    if items.is_empty() {
        root.take(&keys);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::drop_without_volume;
    use crate::config::Origin;
    use crate::merge::{Content, Merge, Tree};

    #[test]
    fn only_mounts_of_known_volumes_stay() {
        let list = |items: Vec<Tree>| {
            Tree::new(Content::List { items, closed: false }, Origin::built_in(""))
        };
        let named = |name: &str| {
            let mut item = Tree::empty_map(Origin::built_in(""));
            item.put(&["name"], Tree::leaf(name, Origin::built_in("")));
            item
        };
        let mut root = Tree::empty_map(Origin::built_in(""));
        root.put(&["pod", "volumes"], list(vec![named("data")]));
        root.put(&["container", "volumeMounts"], list(vec![named("lost"), named("data")]));
        let findings = drop_without_volume(&mut root, &mut Merge::default());
        assert_eq!(findings.len(), 1);
        assert!(findings[0].problem.message.contains("no volume is named `lost`"));
        let kept = root.at(&["container", "volumeMounts"]).unwrap().to_json();
        assert_eq!(kept, serde_json::json!([{"name": "data"}]));
    }
}
