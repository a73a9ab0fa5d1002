//! The promise of `explain-config`: overwrite the bytes of a value where it says the value stands,
//! render again, and exactly the leaves that name this place change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kubectl_mage::yaml::{Node, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::explained::{
    Leaves, explained, layered, layered_flags, leaves, place, rendered, scalar_at, values,
};
use crate::generated::{config, configurations};
use crate::support::TempProject;

/// File, line and column.
type Place = (String, u64, u64);

/// Leaves of the Job by the place in a file that gave them.
fn places(explained: &Json) -> BTreeMap<Place, BTreeSet<String>> {
    let mut places: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
    for value in values(explained) {
        if let Some(place) = place(&value["source"]) {
            let path = value["jobPath"].as_str().expect("a path").to_owned();
            places.entry(place).or_default().insert(path);
        }
    }
    places
}

/// Tells whether items are joined by this leaf, or hang on it.
fn joins(path: &str) -> bool {
    let is = |list: &str, key: &str| path.contains(&format!(".{list}[")) && path.ends_with(key);
    is("env", "].name")
        || is("volumes", "].name")
        || is("volumeMounts", "].name")
        || is("volumeMounts", "].mountPath")
        || is("imagePullSecrets", "].name")
        || path.contains(".tolerations[")
}

/// Writes another value of the same kind, which the API takes in the same place.
fn another(node: &Node, paths: &BTreeSet<String>, seed: u16) -> Option<String> {
    let is = |part: &str| paths.iter().any(|path| path.contains(part));
    Some(match &node.value {
        // More than every request, less than every limit.
        _ if is(".resources.limits") => format!("{}Gi", 70_000 + u32::from(seed)),
        _ if is(".resources.requests") => format!("{}u", 1 + u32::from(seed)),
        _ if is(".sizeLimit") => format!("{}Ki", 1 + u32::from(seed)),
        Value::Bool(value) => (!value).to_string(),
        Value::Int(_) => (100_000 + u32::from(seed)).to_string(),
        Value::String(_) => format!("zz{seed}"),
        _ => return None,
    })
}

/// Overwrites one place and returns the leaves of what is rendered then.
fn overwritten(
    project: &TempProject,
    place: &Place,
    paths: &BTreeSet<String>,
    seed: u16,
    render: &dyn Fn() -> Leaves,
) -> Option<Leaves> {
    let (file, line, column) = place;
    let path = Path::new(project.path()).join(file);
    let (node, _) = scalar_at(&path, *line, *column)?;
    let mut replacement = another(&node, paths, seed)?;
    let text = std::fs::read_to_string(&path).expect("a file");
    let written = node.span.bytes();
    if text[written.clone()].ends_with('\n') {
        // A block scalar ends with its last line.
        replacement.push('\n');
    }
    let mut changed = text.clone();
    changed.replace_range(written, &replacement);
    std::fs::write(&path, &changed).expect("a file");
    let after = render();
    std::fs::write(&path, text).expect("a file");
    Some(after)
}

fn changed(before: &Leaves, after: &Leaves) -> BTreeSet<String> {
    let all = before.keys().chain(after.keys());
    all.filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

/// Overwrites every place of a project in turn. Returns how many were.
fn overwrite_all(project: &TempProject, target: &str, flags: &[&str], seed: u16) -> usize {
    let render = || leaves(&rendered(project, target, flags));
    let before = render();
    let mut count = 0;
    for (place, paths) in places(&explained(project, target, flags)) {
        if paths.iter().any(|path| joins(path)) {
            continue;
        }
        let Some(after) = overwritten(project, &place, &paths, seed, &render) else { continue };
        assert_eq!(changed(&before, &after), paths, "{place:?}");
        count += 1;
    }
    count
}

#[test]
fn exactly_the_leaves_that_name_a_place_follow_it() {
    for policy in ["policy", "enforced"] {
        for (edition, least) in [("pro", 30), ("oss", 15)] {
            for block in ["load", "transform"] {
                let project = layered();
                let mut owned = layered_flags(&project, policy);
                owned.push(format!("--edition={edition}"));
                let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
                let count = overwrite_all(&project, &format!("etl/{block}"), &flags, 7);
                assert!(count >= least, "{policy} {edition} {block}: {count}");
            }
        }
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn in_any_configuration_too(configuration in configurations(), seed: u16, pro: bool) {
        let project = TempProject::new(&[]);
        let mut owned = configuration.write(&project);
        owned.push(format!("--edition={}", if pro { "pro" } else { "oss" }));
        if !configuration.has_image() || !pro {
            owned.push("--image=i".to_owned());
        }
        let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
        overwrite_all(&project, "p/load", &flags, seed);
    }
}
