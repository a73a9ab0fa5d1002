//! Puts the parts of the merged tree together into a Job.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::command::{CommandParts, command};
use super::name::{clean_name, dns_label, job_id, job_name};
use super::resources::{self, Guardrail, at_origin, told};
use super::secret;
use crate::config::{CONTAINER, JobPath, Origin, Segment, check, part_to_job};
use crate::error::Problem;
use crate::finding::{Finding, FindingId};
use crate::merge::{Content, Loser, Merge, Rule, Tree};

/// What a Job is made from, besides the merged tree.
pub struct BuildContext<'a> {
    /// The first part of every Job's name and where it is set: `MAGE_CLUSTER_UUID`, else `mage`.
    pub cluster_uuid: String,
    /// What stands for `{trigger_name}`.
    pub trigger_name: String,
    /// The last part of the Job's name; `None` makes one of the pipeline and block.
    pub name_id: Option<String>,
    /// The command line.
    pub command: CommandParts,
    /// The namespace where no layer names one, with its origin.
    pub default_namespace: (String, Origin),
    /// Upper bounds.
    pub guardrails: Vec<Guardrail>,
    /// Renders a template in a value, such as a namespace.
    pub render: &'a dyn Fn(&str, &Origin) -> Result<String, Problem>,
}

/// A value of the Job with its whole history.
#[derive(Clone, Debug)]
pub struct JobValue {
    /// Where it stands in the Job.
    pub path: JobPath,
    /// The value.
    pub value: Json,
    /// Who gave it.
    pub origin: Origin,
    /// The rule that decided, when more than one layer spoke.
    pub rule: Option<Rule>,
    /// What lost against it, lowest layer first.
    pub overridden: Vec<Loser>,
    /// Whether it must not be shown to people.
    pub secret: bool,
}

/// A Job, and where every leaf of it came from.
#[derive(Clone, Debug)]
pub struct RenderedJob {
    /// The pipeline's uuid.
    pub pipeline: String,
    /// The block run's uuid; absent for a whole pipeline in one pod.
    pub block: Option<String>,
    /// The Job's namespace.
    pub namespace: String,
    /// The Job's name.
    pub name: String,
    /// The Job as it is sent.
    pub job: Json,
    /// Every leaf of it, in order.
    pub values: Vec<JobValue>,
    /// Values that were given and have no place in the Job.
    pub lost: Vec<(JobPath, Loser)>,
    /// What is doubtful.
    pub findings: Vec<Finding>,
}

/// Builds the Job. Where an error is among its findings, it must not be sent.
#[must_use]
pub fn build(root: Tree, merge: Merge, context: &BuildContext<'_>) -> RenderedJob {
    let mut building = Building { merge, context, findings: Vec::new() };
    let mut root = building.with_defaults(root);
    building.findings.extend(resources::complete_extended(&mut root));
    building.drop_mounts_without_volume(&mut root);
    let over = resources::check(&root, &context.guardrails);
    building.findings.extend(over.into_iter().map(Finding::error));
    building.label_problems(&root);
    let namespace = building.namespace(&mut root);
    let name = building.name(&mut root);
    building.image(&root);
    let tree = assemble(root, &name, &namespace);
    let (values, lost) = values(&tree, building.merge.lost);
    RenderedJob {
        pipeline: context.command.pipeline.clone(),
        block: context.command.block.clone(),
        namespace: text(&namespace),
        name: text(&name),
        job: tree.to_json(),
        values,
        lost,
        findings: building.findings,
    }
}

struct Building<'a> {
    merge: Merge,
    context: &'a BuildContext<'a>,
    findings: Vec<Finding>,
}

fn text(tree: &Tree) -> String {
    tree.as_str().unwrap_or_default().to_owned()
}

impl Building<'_> {
    fn fail(&mut self, problem: Problem) {
        self.findings.push(Finding::error(problem));
    }

    /// Lays the tree over what is built in.
    fn with_defaults(&mut self, root: Tree) -> Tree {
        let mut low = Tree::empty_map(Origin::built_in(""));
        let container = root.at(&["container"]);
        let configured = container.is_some_and(|container| {
            container
                .leaves(&JobPath::default())
                .iter()
                .any(|(_, leaf)| leaf.origin.setting.starts_with("container_config"))
        });
        let name = if configured { "mage-data" } else { "mage-job-container" };
        for (keys, value, setting) in [
            (["container", "name"], Json::from(name), "container.name"),
            (
                ["container", "imagePullPolicy"],
                "IfNotPresent".into(),
                "container.image_pull_policy",
            ),
            (["pod", "restartPolicy"], "Never".into(), "pod.restart_policy"),
            (["pod", "serviceAccountName"], "default".into(), "service_account_name"),
            (["job", "backoffLimit"], 0.into(), "job.backoff_limit"),
            (["prefix", ""], "data-prep".into(), "job_name_prefix"),
        ] {
            let keys = if keys[1].is_empty() { &keys[..1] } else { &keys[..] };
            low.put(keys, Tree::leaf(value, Origin::built_in(setting)));
        }
        low.put(&["container", "command"], command(&self.context.command));
        let mut merged = self.merge.overlay(low, root, &JobPath::default());
        drop_nulls(&mut merged);
        merged
    }

    /// Leaves out mounts of volumes that no layer has: the API server refuses a Job with one.
    fn drop_mounts_without_volume(&mut self, root: &mut Tree) {
        let volumes = root.at(&["pod", "volumes"]).and_then(Tree::items).unwrap_or_default();
        let name = |tree: &Tree| tree.at(&["name"]).map(text).unwrap_or_default();
        let known: HashSet<String> = volumes.iter().map(name).collect();
        let Some(mounts) = root.at_mut(&["container", "volumeMounts"]) else { return };
        let Content::List { items, .. } = &mut mounts.content else { return };
        let (kept, dropped): (Vec<Tree>, Vec<Tree>) =
            std::mem::take(items).into_iter().partition(|mount| known.contains(&name(mount)));
        *items = kept;
        let path = JobPath::default().key("container").key("volumeMounts");
        for mount in dropped {
            let name = name(&mount);
            self.merge.lose(&mount, &path.key(&name), Rule::NoVolume);
            let message = format!(
                "no volume is named `{name}`, so its mount is left out: the API server would refuse the Job"
            );
            let problem = at_origin(Problem::new(message), &mount.origin);
            let hint = format!("add `- name: {name}` with its kind to `pod.volumes`");
            let problem = problem.id(FindingId::MountWithoutVolume).setting(&mount.origin.setting);
            self.findings.push(Finding::warning(problem.hint(hint)));
        }
    }

    fn label_problems(&mut self, root: &Tree) {
        let labels = root.at(&["metadata", "labels"]).and_then(Tree::as_map);
        for (key, tree) in labels.into_iter().flatten() {
            let value = text(tree);
            if !check::is_label_value(&value) {
                let message = format!("`{value}` cannot be the value of label {key}");
                let problem = at_origin(Problem::new(message), &tree.origin);
                let problem = problem.id(FindingId::InvalidLabel).setting(&tree.origin.setting);
                self.fail(problem.hint(
                    "at most 63 letters, digits, `-`, `_` and `.`; put other text in an annotation",
                ));
            }
        }
    }

    fn namespace(&mut self, root: &mut Tree) -> Tree {
        let (default, origin) = self.context.default_namespace.clone();
        let low = Tree::leaf(default, origin);
        let mut tree = match root.take(&["namespace"]) {
            Some(given) => self.merge.overlay(low, given, &JobPath::default().key("namespace")),
            None => low,
        };
        let written = text(&tree);
        if written.contains("{{") || written.contains("{%") {
            match (self.context.render)(&written, &tree.origin) {
                Ok(rendered) => {
                    tree.origin.expression = Some(written.into());
                    tree.content = Content::Leaf(rendered.into());
                }
                Err(problem) => {
                    self.fail(problem);
                    return tree;
                }
            }
        }
        let name = text(&tree);
        if name.is_empty() || name.len() > 63 || dns_label(&name) != name {
            let message = format!("`{name}` ({}) cannot be a namespace", told(&tree.origin));
            let problem = at_origin(Problem::new(message), &tree.origin);
            let problem = problem.id(FindingId::InvalidNamespace).setting(&tree.origin.setting);
            self.fail(problem.hint("lower-case letters, digits and `-`, at most 63"));
        }
        tree
    }

    fn name(&mut self, root: &mut Tree) -> Tree {
        let mut tree = root
            .take(&["prefix"])
            .unwrap_or_else(|| Tree::leaf("data-prep", Origin::built_in("job_name_prefix")));
        let written = text(&tree);
        let trigger = clean_name(&self.context.trigger_name).replace('_', "-");
        let prefix = written.replace("{trigger_name}", &trigger);
        if prefix != written {
            tree.origin.expression = Some(written.into());
        }
        let parts = &self.context.command;
        let (kind, own_id) = match &parts.block {
            Some(block) => ("block", job_id(&[&parts.pipeline, block])),
            None => ("pipeline", job_id(&[&parts.pipeline])),
        };
        let id = self.context.name_id.clone().unwrap_or(own_id);
        let cluster = &self.context.cluster_uuid;
        let name = job_name(cluster, &prefix, kind, &id);
        let mages = format!("{cluster}-{prefix}-{kind}-{id}");
        if name != mages && self.context.name_id.is_some() {
            let message = format!("`{mages}` cannot be the name of a Job, so it is {name}");
            let problem = at_origin(Problem::new(message), &tree.origin);
            let problem = problem.id(FindingId::JobName).setting(&tree.origin.setting);
            self.findings.push(Finding::warning(problem.hint(
                "lower-case letters, digits and `-`, at most 63 characters; Mage OSS would fail",
            )));
        }
        tree.content = Content::Leaf(name.into());
        tree
    }

    fn image(&mut self, root: &Tree) {
        let image = root.at(&["container", "image"]).map(text).unwrap_or_default();
        if image.is_empty() {
            let problem = Problem::new("no layer names a container image");
            self.fail(problem.id(FindingId::NoImage).setting("container_config.image").hint(
                "pass --image IMAGE, set `container_config.image`, or name the Mage server's pod with --server-pod",
            ));
        }
    }
}

fn drop_nulls(tree: &mut Tree) {
    match &mut tree.content {
        Content::Map(map) => {
            map.retain(|_, value| !matches!(value.content, Content::Leaf(Json::Null)));
            map.values_mut().for_each(drop_nulls);
        }
        Content::List { items, .. } => items.iter_mut().for_each(drop_nulls),
        Content::Leaf(_) => {}
    }
}

/// Puts the six parts at their places in the Job, in the order people read them.
fn assemble(mut root: Tree, name: &Tree, namespace: &Tree) -> Tree {
    let built_in = |value: &str| Tree::leaf(value, Origin::built_in(""));
    let mut job = Tree::empty_map(Origin::built_in(""));
    job.put(&["apiVersion"], built_in("batch/v1"));
    job.put(&["kind"], built_in("Job"));
    job.put(&["metadata", "name"], name.clone());
    job.put(&["metadata", "namespace"], namespace.clone());
    let metadata = root.take(&["metadata"]);
    let entries = metadata.as_ref().and_then(Tree::as_map);
    for (key, value) in entries.into_iter().flatten().filter(|(key, _)| *key != "namespace") {
        job.put(&["metadata", key], value.clone());
    }
    for (key, value) in root.take(&["job"]).as_ref().and_then(Tree::as_map).into_iter().flatten() {
        job.put(&["spec", key], value.clone());
    }
    let template = ["spec", "template"];
    job.put(&[template[0], template[1], "metadata", "name"], name.clone());
    for (key, value) in entries.into_iter().flatten() {
        job.put(&[template[0], template[1], "metadata", key], value.clone());
    }
    let pod = pod(&mut root);
    job.put(&[template[0], template[1], "spec"], pod);
    job
}

fn pod(root: &mut Tree) -> Tree {
    let container =
        root.take(&["container"]).unwrap_or_else(|| Tree::empty_map(Origin::built_in("container")));
    let mut pod = root.take(&["pod"]).unwrap_or_else(|| Tree::empty_map(Origin::built_in("pod")));
    let mut containers = vec![ordered(container, &["name", "image", "imagePullPolicy", "command"])];
    if let Some(Content::List { items, .. }) = pod.take(&["containers"]).map(|tree| tree.content) {
        containers.extend(items);
    }
    let origin = containers[0].origin.clone();
    let mut whole = Tree::empty_map(origin.clone());
    let list = Tree::new(Content::List { items: containers, closed: false }, origin);
    whole.put(&["containers"], list);
    if let Content::Map(map) = pod.content {
        for (key, value) in map {
            whole.put(&[key.as_str()], value);
        }
    }
    ordered(whole, &["initContainers", "containers", "restartPolicy", "serviceAccountName"])
}

fn ordered(tree: Tree, first: &[&str]) -> Tree {
    let Content::Map(mut map) = tree.content else { return tree };
    let mut sorted: IndexMap<String, Tree> = first
        .iter()
        .filter_map(|key| map.shift_remove(*key).map(|value| ((*key).to_owned(), value)))
        .collect();
    sorted.extend(map);
    Tree { content: Content::Map(sorted), ..tree }
}

/// Flattens the Job, and gives what lost to the leaf that took its place.
fn values(tree: &Tree, lost: Vec<(JobPath, Loser)>) -> (Vec<JobValue>, Vec<(JobPath, Loser)>) {
    let mut values: Vec<JobValue> = tree
        .leaves(&JobPath::default())
        .into_iter()
        .map(|(path, leaf)| JobValue {
            value: leaf.to_json(),
            origin: placed(leaf.origin.clone(), &path),
            rule: leaf.rule,
            overridden: leaf.losers.clone(),
            secret: false,
            path,
        })
        .collect();
    let places: HashMap<JobPath, usize> =
        values.iter().enumerate().map(|(index, value)| (value.path.clone(), index)).collect();
    let mut homeless = Vec::new();
    for (part, loser) in lost {
        let mut found = false;
        let paths = part_to_job(&part);
        for path in &paths {
            if let Some(value) = places.get(path).map(|index| &mut values[*index]) {
                value.overridden.push(loser.clone());
                value.rule = value.rule.or(Some(loser.rule));
                found = true;
            }
        }
        if let (false, Some(path)) = (found, paths.into_iter().next()) {
            homeless.push((path, loser));
        }
    }
    for value in &mut values {
        value.overridden.sort_by_key(|loser| loser.origin.layer);
    }
    mark_secrets(&mut values, tree);
    (values, homeless)
}

/// Gives a setting inside a list the index it has in the Job: the layer's own may be another, for
/// layers are joined.
fn placed(mut origin: Origin, path: &JobPath) -> Origin {
    let container = JobPath::parse(CONTAINER).unwrap_or_default();
    let skip = if path.starts_with(&container) { container.0.len() } else { 0 };
    let indices: Vec<usize> = path.0[skip..]
        .iter()
        .filter_map(|segment| match segment {
            Segment::Index(index) => Some(*index),
            Segment::Key(_) => None,
        })
        .collect();
    let Some(setting) = JobPath::parse(&origin.setting) else { return origin };
    let numbered = setting.0.iter().filter(|segment| matches!(segment, Segment::Index(_))).count();
    if indices.is_empty() || numbered != indices.len() {
        return origin;
    }
    let mut indices = indices.into_iter();
    let segments = setting.0.into_iter().map(|segment| match segment {
        Segment::Index(own) => Segment::Index(indices.next().unwrap_or(own)),
        key @ Segment::Key(_) => key,
    });
    let text = JobPath(segments.collect()).to_string();
    text.trim_start_matches('.').clone_into(&mut origin.setting);
    origin
}

fn mark_secrets(values: &mut [JobValue], tree: &Tree) {
    let secret_env = |path: &JobPath| {
        let [parents @ .., Segment::Key(last)] = path.0.as_slice() else { return false };
        last == "value"
            && lookup(tree, parents)
                .and_then(|item| item.at(&["name"])?.as_str())
                .is_some_and(secret::is_secret_name)
    };
    for value in values {
        let text = value.value.as_str().unwrap_or_default();
        let from_secret =
            value.origin.expression.as_deref().is_some_and(|text| text.contains("secret_var"));
        let key_is_secret = matches!(value.path.0.last(), Some(Segment::Key(key))
            if is_free_key(&value.path) && secret::is_secret_name(key));
        value.secret = secret_env(&value.path)
            || from_secret
            || key_is_secret
            || secret::mask_urls(text) != text;
    }
}

/// Tells whether the last key is one a person chose: an annotation, a label, a driver's attribute.
fn is_free_key(path: &JobPath) -> bool {
    let parents = ["annotations", "labels", "volumeAttributes", "options"];
    let parent = path.0.len().checked_sub(2).and_then(|index| path.0.get(index));
    matches!(parent, Some(Segment::Key(key)) if parents.contains(&key.as_str()))
}

fn lookup<'a>(tree: &'a Tree, path: &[Segment]) -> Option<&'a Tree> {
    path.iter().try_fold(tree, |tree, segment| match segment {
        Segment::Key(key) => tree.as_map()?.get(key),
        Segment::Index(index) => tree.items()?.get(*index),
    })
}
