//! The settings of one layer: Mage's top-level keys, and the part of the Job each one speaks for.
//!
//! The merged tree is rooted at six parts, in which every setting for one field of the Job meets:
//! `prefix`, `namespace`, `metadata`, `container` (the one that runs Mage), `pod` and `job`.

use super::api::{Kind, api_type};
use super::convert::{Convert, scalar_text};
use super::keys::{JobPath, Segment, camel_to_snake, nearest};
use super::layer::LayerKind;
use crate::error::Problem;
use crate::finding::FindingId;
use crate::merge::{Content, Tree};
use crate::yaml::{Entry, Node};

/// The path of the container that runs Mage in the Job.
pub const CONTAINER: &str = ".spec.template.spec.containers[0]";

/// What one top-level key of one layer says.
#[derive(Debug)]
pub struct Fragment {
    /// Order inside the layer: of two settings for one field the higher rank wins
    /// (`container_config` over `resource_limits` over `container`).
    pub rank: u8,
    /// The values, rooted at the six parts.
    pub tree: Tree,
}

/// A top-level key: its name, its rank, and where its value goes.
pub(super) struct TopLevel {
    pub(super) name: &'static str,
    rank: u8,
    part: &'static [&'static str],
    pub(super) kind: Kind,
}

pub(super) fn top_level(key: &str) -> Option<TopLevel> {
    let quantities = || Kind::Map(Box::new(Kind::Quantity));
    let (name, rank, part, kind): (_, _, &'static [&'static str], _) = match key {
        "job_name_prefix" => ("job_name_prefix", 1, &["prefix"], Kind::String),
        "namespace" => ("namespace", 1, &["namespace"], Kind::String),
        "resource_limits" => {
            ("resource_limits", 1, &["container", "resources", "limits"], quantities())
        }
        "resource_requests" => {
            ("resource_requests", 1, &["container", "resources", "requests"], quantities())
        }
        "service_account_name" => {
            ("service_account_name", 1, &["pod", "serviceAccountName"], Kind::String)
        }
        "container_config" => ("container_config", 2, &["container"], Kind::Type("Container")),
        "container" => ("container", 0, &["container"], Kind::Type("Container")),
        "pod" => ("pod", 0, &["pod"], Kind::Type("PodSpec")),
        "job" => ("job", 0, &["job"], Kind::Type("JobSpec")),
        "metadata" => ("metadata", 0, &["metadata"], Kind::Type("ObjectMeta")),
        _ => return None,
    };
    Some(TopLevel { name, rank, part, kind })
}

pub(super) const TOP_LEVEL: [&str; 10] = [
    "job_name_prefix",
    "namespace",
    "resource_limits",
    "resource_requests",
    "service_account_name",
    "container_config",
    "container",
    "pod",
    "job",
    "metadata",
];

/// Lists the settings, those of the top level first, and then what stands in the objects among them:
/// `pod`, `pod.node_selector`.
pub fn setting_names() -> impl Iterator<Item = String> {
    // `container_config` is what `container` is.
    let objects = TOP_LEVEL.into_iter().filter(|name| *name != "container_config");
    let inner = objects.filter_map(top_level).filter_map(|top| match top.kind {
        Kind::Type(api) => Some((top.name, api_type(api))),
        _ => None,
    });
    let inner = inner.flat_map(|(name, api)| {
        api.fields.iter().map(move |field| format!("{name}.{}", camel_to_snake(field.name)))
    });
    TOP_LEVEL.into_iter().map(str::to_owned).chain(inner)
}

/// Converts the body of a layer (`k8s_executor_config`, `executor_config`, the template, the
/// policy) into what each key says, lowest rank first. Findings gather in `convert`.
pub fn settings(convert: &mut Convert<'_>, body: &[Entry]) -> Vec<Fragment> {
    let mut fragments = Vec::new();
    let mut seen: Vec<(&'static str, &Entry)> = Vec::new();
    for entry in body {
        let key = scalar_text(&entry.key).unwrap_or_default();
        if is_policy_key(convert.layer, &key) {
            continue;
        }
        let Some(top) = top_level(&camel_to_snake(&key)) else {
            unknown_top_level(convert, &entry.key, &key);
            continue;
        };
        if let Some((_, first)) = seen.iter().find(|(name, _)| *name == top.name) {
            if first.value.to_json() != entry.value.to_json() {
                let first = *first;
                convert.two_spellings(first, entry, top.name);
            }
            continue;
        }
        seen.push((top.name, entry));
        convert.spelled = (key != top.name).then(|| key.as_str().into());
        fragments.extend(fragment(convert, &top, &entry.value));
    }
    convert.spelled = None;
    fragments.sort_by_key(|fragment| fragment.rank);
    fragments
}

fn is_policy_key(layer: LayerKind, key: &str) -> bool {
    matches!(layer, LayerKind::Policy | LayerKind::PolicyEnforced)
        && matches!(key, "enabled" | "enforce")
}

fn fragment(convert: &mut Convert<'_>, top: &TopLevel, node: &Node) -> Vec<Fragment> {
    let Some(mut tree) = convert.value(node, &top.kind, top.name) else { return Vec::new() };
    if convert.layer == LayerKind::PolicyEnforced {
        drop_empty_lists(&mut tree);
    }
    let mut fragments = Vec::new();
    match top.name {
        "metadata" => {
            drop_name(convert, &mut tree, node);
            if let Some(namespace) = tree.take(&["namespace"]) {
                fragments.push(Fragment { rank: 0, tree: Tree::nest(&["namespace"], namespace) });
            }
        }
        "job" => drop_template(convert, &mut tree, node),
        _ => {}
    }
    fragments.push(Fragment { rank: top.rank, tree: Tree::nest(top.part, tree) });
    fragments
}

/// In an enforced policy an empty list enforces nothing: it is Mage's own sample file.
fn drop_empty_lists(tree: &mut Tree) {
    if let Content::Map(map) = &mut tree.content {
        map.retain(
            |_, value| !matches!(&value.content, Content::List { items, .. } if items.is_empty()),
        );
        map.values_mut().for_each(drop_empty_lists);
    }
}

/// Mage gives the Job its own name (`mage_ai/services/k8s/job_manager.py: create_job_object`).
fn drop_name(convert: &mut Convert<'_>, tree: &mut Tree, node: &Node) {
    for key in ["name", "generateName"] {
        if tree.take(&[key]).is_some() {
            let snake = camel_to_snake(key);
            let message = format!("`metadata.{snake}` has no effect: Mage names the Job");
            let given = node.get(key).or_else(|| node.get(&snake)).unwrap_or(node);
            let problem = convert.problem(given, message).id(FindingId::NoEffect);
            convert.warn(problem.hint("set `job_name_prefix` instead"));
        }
    }
}

fn drop_template(convert: &mut Convert<'_>, tree: &mut Tree, node: &Node) {
    if tree.take(&["template"]).is_some() {
        let given = node.get("template").unwrap_or(node);
        let problem = convert.problem(given, "`job.template` has no effect");
        let problem = problem.id(FindingId::NoEffect).setting("job.template");
        convert.warn(problem.hint("use `pod`, `container` and `metadata`"));
    }
}

fn unknown_top_level(convert: &mut Convert<'_>, node: &Node, key: &str) {
    let message = format!("unknown key `{key}`: it has no effect");
    let problem = convert.problem(node, message).setting(key);
    let problem = match nearest(key, TOP_LEVEL) {
        Some(name) => Convert::misspelt(problem, node, name, name),
        None => elsewhere(key).tell(problem),
    };
    convert.warn(problem);
}

/// Where a key would have a meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// At another place, which is told.
    There(String),
    /// Nowhere.
    Nowhere,
}

impl Elsewhere {
    /// Adds it to a problem of a key that is not known.
    pub(super) fn tell(self, problem: Problem) -> Problem {
        match self {
            Self::There(hint) => problem.id(FindingId::MisplacedKey).hint(hint),
            Self::Nowhere => problem
                .id(FindingId::UnknownKey)
                .hint("remove it, or see `kubectl mage explain-config` for the settings in force"),
        }
    }
}

/// Says where a key would have a meaning, if anywhere.
pub(super) fn elsewhere(key: &str) -> Elsewhere {
    there(key).map_or(Elsewhere::Nowhere, Elsewhere::There)
}

fn there(key: &str) -> Option<String> {
    let snake = camel_to_snake(key);
    if top_level(&snake).is_some() {
        return Some(format!("`{snake}` belongs at the top of the configuration"));
    }
    match snake.as_str() {
        "pod_config" => return Some("did you mean `pod`?".to_owned()),
        "job_config" => return Some("did you mean `job`?".to_owned()),
        "meta" => return Some("did you mean `metadata`?".to_owned()),
        "config_file" => return Some("set K8S_CONFIG_FILE, or pass --template".to_owned()),
        "k8s_executor_config" => return Some("move what is below it one level up".to_owned()),
        "executor_type" => {
            return Some("`executor_type` belongs beside `executor_config`".to_owned());
        }
        "enabled" | "enforce" => {
            return Some("this key belongs in the policy file only".to_owned());
        }
        _ => {}
    }
    for (setting, type_name) in [
        ("pod", "PodSpec"),
        ("container", "Container"),
        ("job", "JobSpec"),
        ("metadata", "ObjectMeta"),
    ] {
        let api = api_type(type_name);
        if api.field(key).or_else(|| api.snake_field(&snake)).is_some() {
            return Some(format!("did you mean `{setting}.{snake}`?"));
        }
    }
    None
}

/// Turns a path of the merged tree (rooted at the six parts) into paths of the Job.
pub(crate) fn part_to_job(path: &JobPath) -> Vec<JobPath> {
    let Some((Segment::Key(part), rest)) = path.0.split_first() else { return Vec::new() };
    let prefixes: &[&str] = match part.as_ref() {
        "prefix" => &[".metadata.name", ".spec.template.metadata.name"],
        "namespace" => &[".metadata.namespace"],
        "metadata" => &[".metadata", ".spec.template.metadata"],
        "container" => &[CONTAINER],
        "pod" => &[".spec.template.spec"],
        "job" => &[".spec"],
        _ => &[],
    };
    prefixes
        .iter()
        .filter_map(|prefix| {
            let mut full = JobPath::parse(prefix)?;
            full.0.extend_from_slice(rest);
            Some(full)
        })
        .collect()
}

/// Returns the paths of the Job that a person means by `text`, in Mage's spelling
/// (`resource_limits.cpu`) or in the Job's (`.spec.backoffLimit`).
#[must_use]
pub fn job_paths(text: &str) -> Vec<JobPath> {
    let Some(path) = JobPath::parse(text) else { return Vec::new() };
    let Some((Segment::Key(first), rest)) = path.0.split_first() else { return vec![path] };
    if text.starts_with('.') || matches!(first.as_ref(), "spec" | "apiVersion" | "kind") {
        return vec![path];
    }
    let Some(top) = top_level(&camel_to_snake(first)) else { return vec![path] };
    let mut segments: Vec<Segment> =
        top.part.iter().map(|part| Segment::Key((*part).into())).collect();
    segments.extend(api_spelling(&top.kind, rest));
    let mut paths = part_to_job(&JobPath(segments));
    paths.push(path);
    paths
}

/// Spells the keys of a path as the API does.
fn api_spelling(kind: &Kind, path: &[Segment]) -> Vec<Segment> {
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let (segment, inner) = match (kind, first) {
        (Kind::Type(name), Segment::Key(key)) => {
            let api = api_type(name);
            match api.field(key).or_else(|| api.snake_field(key)) {
                Some(field) => (Segment::Key(field.name.into()), field.kind.clone()),
                None => (first.clone(), Kind::Object),
            }
        }
        (Kind::List(item) | Kind::Map(item), _) => (first.clone(), (**item).clone()),
        _ => (first.clone(), Kind::Object),
    };
    let mut segments = vec![segment];
    segments.extend(api_spelling(&inner, rest));
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_place() {
        let wanted = format!("{CONTAINER}.resources.limits.cpu");
        for text in [
            "resource_limits.cpu",
            "container.resources.limits.cpu",
            "container_config.resources.limits.cpu",
            wanted.as_str(),
        ] {
            assert_eq!(job_paths(text)[0].to_string(), wanted, "{text}");
        }
        assert_eq!(
            job_paths("pod.node_selector")[0].to_string(),
            ".spec.template.spec.nodeSelector"
        );
    }

    #[test]
    fn misplaced_keys_are_sent_home() {
        assert_eq!(there("backoff_limit").as_deref(), Some("did you mean `job.backoff_limit`?"));
        assert_eq!(there("nodeSelector").as_deref(), Some("did you mean `pod.node_selector`?"));
        assert_eq!(there("pod_config").as_deref(), Some("did you mean `pod`?"));
    }
}
