//! Puts the parts of the merged tree together into a Job.

use std::sync::Arc;

use serde_json::Value as Json;

use super::command::{CommandParts, Fidelity, command};
use super::name::{LONGEST, clean_name, dns_label, formatted_prefix, job_id, job_name};
use super::resources::{self, Guardrail, at_origin, told};
use super::secret::{MASK, is_placeholder};
use super::values::{JobValue, values};
use crate::config::{JobPath, LayerKind, Origin, check};
use crate::error::Problem;
use crate::finding::{Finding, FindingId, Severity};
use crate::merge::{Content, Fields, Loser, Merge, Rule, Tree, is_configured};

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
    /// Texts that must not be shown wherever they end up: what templates were given as secrets.
    pub secrets: Vec<String>,
    /// Upper bounds.
    pub guardrails: Vec<Guardrail>,
    /// Renders a template in a value, such as a namespace.
    pub render: &'a dyn Fn(&str, &Origin) -> Result<String, Problem>,
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
    /// The name in Mage's format, before it was made valid.
    pub mage_name: String,
    /// The Job as it is sent.
    pub job: Json,
    /// Every leaf of it, in order.
    pub values: Vec<JobValue>,
    /// Values that were given and have no place in the Job.
    pub lost: Vec<(JobPath, Loser)>,
    /// What is doubtful.
    pub findings: Vec<Finding>,
}

impl RenderedJob {
    /// Returns the Job as it is sent, or with its literal secrets masked.
    #[must_use]
    pub fn manifest(&self, masked: bool) -> Json {
        let mut manifest = self.job.clone();
        for value in self.values.iter().filter(|value| masked && value.secret) {
            if let Some(place) = manifest.pointer_mut(&value.path.pointer()) {
                *place = Json::from(MASK);
            }
        }
        manifest
    }
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
    let (name, mage_name) = building.name(&mut root);
    building.image(&root);
    building.blanks();
    let tree = assemble(root, &name, &namespace);
    if !building.findings.iter().any(|finding| finding.severity == Severity::Error) {
        building.refusals(&tree, &text(&namespace));
    }
    let (values, lost) = values(&tree, building.merge.lost, &context.secrets);
    RenderedJob {
        pipeline: context.command.pipeline.clone(),
        block: context.command.block.clone(),
        namespace: text(&namespace),
        name: text(&name),
        mage_name,
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
        let configured = container.is_some_and(is_configured);
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
        let known: Vec<String> = volumes.iter().map(name).collect();
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
            let problem = problem.id(FindingId::MountWithoutVolume).setting(&*mount.origin.setting);
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
                let problem = problem.id(FindingId::InvalidLabel).setting(&*tree.origin.setting);
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
                    tree.origin = tree.origin.with_expression(&written);
                    tree.content = Content::Leaf(rendered.into());
                }
                Err(problem) => {
                    self.fail(problem);
                    return tree;
                }
            }
        }
        let name = text(&tree);
        if let Some((function, variable)) = placeholder(&name) {
            self.findings.extend(unresolved(function, variable, &tree.origin));
            return tree;
        }
        if is_placeholder(&name) {
            return tree;
        }
        if name.is_empty() || name.len() > 63 || dns_label(&name) != name {
            let message = format!("`{name}` ({}) cannot be a namespace", told(&tree.origin));
            let problem = at_origin(Problem::new(message), &tree.origin);
            let problem = problem.id(FindingId::InvalidNamespace).setting(&*tree.origin.setting);
            self.fail(problem.hint("lower-case letters, digits and `-`, at most 63"));
        }
        tree
    }

    fn name(&mut self, root: &mut Tree) -> (Tree, String) {
        let mut tree = root
            .take(&["prefix"])
            .unwrap_or_else(|| Tree::leaf("data-prep", Origin::built_in("job_name_prefix")));
        let written = text(&tree);
        let trigger = clean_name(&self.context.trigger_name).replace('_', "-");
        let prefix = self.prefix(&written, &trigger, &tree.origin);
        if prefix != written {
            tree.origin = tree.origin.with_expression(&written);
        }
        let parts = &self.context.command;
        let (kind, own_id) = match &parts.block {
            Some(block) => ("block", job_id(&[&parts.pipeline, block])),
            None => ("pipeline", job_id(&[&parts.pipeline])),
        };
        let id = self.context.name_id.clone().unwrap_or(own_id);
        let cluster = &self.context.cluster_uuid;
        let mages = format!("{cluster}-{prefix}-{kind}-{id}");
        // The API server takes dots, too; only labels may have none of them.
        let is_mages = parts.fidelity == Fidelity::MageOss
            && mages.len() <= LONGEST
            && check::is_dns_subdomain(&mages);
        let name = if is_mages { mages.clone() } else { job_name(cluster, &prefix, kind, &id) };
        if name != mages && self.context.name_id.is_some() {
            let message = format!("`{mages}` cannot be the name of a Job, so it is {name}");
            let problem = at_origin(Problem::new(message), &tree.origin);
            let problem = problem.id(FindingId::JobName).setting(&*tree.origin.setting);
            self.findings.push(Finding::warning(problem.hint(
                "lower-case letters, digits and `-`, at most 63 characters; Mage OSS would fail",
            )));
        }
        tree.content = Content::Leaf(name.into());
        (tree, mages)
    }

    /// Says what the API server would have against the Job. Not an error: another version of
    /// Kubernetes may know better.
    fn refusals(&mut self, job: &Tree, namespace: &str) {
        let refusals = check::job_refusals(job, namespace);
        // What stands for a value that is not known yet says nothing of the value.
        let is_known = placeholder(namespace).is_none() && !is_placeholder(namespace);
        for refusal in
            refusals.into_iter().filter(|found| is_known || found.path != "the namespace")
        {
            let message = format!("the API server would refuse the Job: {}", refusal.message);
            let problem = at_origin(Problem::new(message), &refusal.origin);
            let problem = problem.id(FindingId::Refused).setting(&*refusal.origin.setting);
            let hint = format!("{} gives the value", told(&refusal.origin));
            self.findings.push(Finding::warning(problem.hint(hint)));
        }
    }

    /// Puts the trigger's name into the prefix; in edition `oss` says where Mage fails at it.
    fn prefix(&mut self, written: &str, trigger: &str, origin: &Origin) -> String {
        let plain = || written.replace("{trigger_name}", trigger);
        let has_run = self.context.name_id.is_some();
        if self.context.command.fidelity == Fidelity::Meant || !has_run {
            return plain();
        }
        formatted_prefix(written, trigger).unwrap_or_else(|error| {
            let problem = at_origin(Problem::new(format!("Mage OSS fails here: {error}")), origin)
                .id(FindingId::OssFails);
            let hint = "`{trigger_name}` is the only name in braces that `job_name_prefix` takes";
            self.findings.push(Finding::warning(problem.hint(hint)));
            plain()
        })
    }

    /// Says that Mage OSS tears the command apart at blanks.
    fn blanks(&mut self) {
        let parts = &self.context.command;
        let torn = [&parts.repo_path, &parts.pipeline].into_iter().find(|text| text.contains(' '));
        if let (Fidelity::MageOss, Some(text)) = (parts.fidelity, torn) {
            let message = format!(
                "Mage OSS splits its command at blanks, so `{text}` is several words of it"
            );
            let problem = Problem::new(message).id(FindingId::OssRepoPath);
            let hint = "move the project to a folder without blanks in its name";
            self.findings.push(Finding::warning(problem.hint(hint)));
        }
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

/// Returns the lookup whose marked placeholder stands in a namespace: `<variables client>`.
fn placeholder(namespace: &str) -> Option<(&'static str, &str)> {
    [("variables", "<variables "), ("env_var", "<env_var ")].into_iter().find_map(
        |(function, start)| {
            let (_, rest) = namespace.split_once(start)?;
            Some((function, rest.split_once('>')?.0))
        },
    )
}

/// Tells of a namespace that cannot be known yet. What the project's file lacks is told with the
/// file.
fn unresolved(function: &str, name: &str, origin: &Origin) -> Option<Finding> {
    let problem = |message: String, id, hint: String| {
        let problem = at_origin(Problem::new(message), origin).id(id);
        problem.setting(&*origin.setting).hint(hint)
    };
    if function == "variables" {
        let message = format!("the namespace is known only once a run has the variable `{name}`");
        let hint = format!("give the pipeline a default, or pass --var {name}=VALUE");
        return Some(Finding::note(problem(message, FindingId::UnresolvedNamespace, hint)));
    }
    let is_project = matches!(origin.layer, LayerKind::Project | LayerKind::ProjectOverrides);
    (!is_project).then(|| {
        let message = format!("environment variable '{name}' is not set");
        let hint = format!("set it with `--server-env {name}=VALUE`");
        Finding::error(problem(message, FindingId::UnsetVariable, hint))
    })
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
    for (key, value) in entries.into_iter().flatten().filter(|(key, _)| &***key != "namespace") {
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
            whole.put(&[key.as_ref()], value);
        }
    }
    ordered(whole, &["initContainers", "containers", "restartPolicy", "serviceAccountName"])
}

fn ordered(tree: Tree, first: &[&str]) -> Tree {
    let Content::Map(mut map) = tree.content else { return tree };
    let mut sorted: Fields = first
        .iter()
        .filter_map(|key| map.shift_remove(*key).map(|value| (Arc::from(*key), value)))
        .collect();
    sorted.extend(map);
    Tree { content: Content::Map(sorted), ..tree }
}
