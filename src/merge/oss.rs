//! Edition `oss`: what a Mage OSS 0.9.80 server really does.
//!
//! The procedure is the server's own (`mage_ai/services/k8s/{config,job_manager,utils}.py`): a
//! shallow join of top-level keys, a handful of keys that are read, the rest lost. Where Mage
//! raises, or the API server refuses what it sends, the keys are read as they are meant instead.

use std::sync::Arc;

use super::oss_exact::{exact, settled};
use super::oss_reader::{Defect, Exact};
use super::oss_unread::lose_whole;
use super::overlay::{Merge, drop_unmounted, empty_root, join_server};
use super::tree::{Rule, Tree};
use crate::config::{Convert, JobPath, LayerKind, check, settings};
use crate::error::Problem;
use crate::finding::{Finding, FindingId};
use crate::yaml::{Entry, Mapping, Node, SourceFile};

/// One layer Mage OSS reads.
#[derive(Clone, Copy, Debug)]
pub struct OssLayer<'a> {
    /// The layer.
    pub kind: LayerKind,
    /// The file.
    pub file: &'a Arc<SourceFile>,
    /// The body: `k8s_executor_config`, `executor_config` or the template.
    pub body: &'a Mapping,
}

/// What Mage OSS makes a Job from.
#[derive(Debug, Default)]
pub struct OssInput<'a> {
    /// The template, under all others.
    pub template: Option<OssLayer<'a>>,
    /// The project, then the block (or the pipeline, for one pod for all).
    pub layers: Vec<OssLayer<'a>>,
    /// What the server's pod gives.
    pub server: Option<&'a Tree>,
}

/// A top-level key in force, and the layer that gave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effective<'a> {
    pub(super) layer: LayerKind,
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) entry: &'a Entry,
}

impl<'a> Effective<'a> {
    pub(super) fn key(&self) -> &'a str {
        self.entry.key.as_str().unwrap_or_default()
    }
}

/// What came of a merge: the tree, what lost, and what was found on the way.
pub type Merged = (Tree, Merge, Vec<Finding>);

/// Merges as Mage OSS does.
#[must_use]
pub fn merge(input: &OssInput<'_>) -> Merged {
    Attempt::new(input).accepted(input)
}

/// Merges as Mage OSS does, unless that gives the values that edition `pro` gave. Whether the API
/// server accepts them is not asked then: what it refuses is read as edition `pro` reads it.
#[must_use]
pub fn merge_unlike(input: &OssInput<'_>, pro: &Tree) -> Option<Merged> {
    let mut attempt = Attempt::new(input);
    let is_same = attempt.exact.as_mut().is_ok_and(|root| is_same(root, pro));
    (!is_same).then(|| attempt.accepted(input))
}

/// Tells whether the two editions have one result. Edition `oss` has named the container by now, as
/// the Job of edition `pro` will name it.
fn is_same(exact: &mut Tree, pro: &Tree) -> bool {
    const NAME: [&str; 2] = ["container", "name"];
    let is_built_in = |name: &Tree| name.origin.layer == LayerKind::Hardcoded;
    let unnamed = pro.at(&NAME).is_none() && pro.at(&["container"]).is_some_and(is_configured);
    if !unnamed || !exact.at(&NAME).is_some_and(is_built_in) {
        return exact.holds_same(pro);
    }
    let name = exact.take(&NAME);
    let same = exact.holds_same(pro);
    if let Some(name) = name {
        exact.put(&NAME, name);
    }
    same
}

/// Tells whether a container has anything of `container_config`, which decides its name.
#[must_use]
pub fn is_configured(container: &Tree) -> bool {
    container.any_leaf(&|leaf| leaf.origin.setting.starts_with("container_config"))
}

/// What Mage OSS makes, before it is known whether the API server accepts it.
struct Attempt<'a> {
    effective: Vec<Effective<'a>>,
    exact: Exact<Tree>,
    merge: Merge,
}

impl<'a> Attempt<'a> {
    fn new(input: &OssInput<'a>) -> Self {
        let mut merge = Merge::default();
        let effective = effective(input, &mut merge);
        let exact = exact(&effective, input.server, &mut merge);
        Self { effective, exact, merge }
    }

    /// Takes it where the API server accepts it, and what is meant otherwise.
    fn accepted(self, input: &OssInput<'_>) -> Merged {
        let Self { effective, exact, mut merge } = self;
        let mut findings = Vec::new();
        match exact {
            Ok(root) => {
                let refusals = check::refusals(&root);
                if refusals.is_empty() {
                    let root = settled(&effective, root, &mut merge);
                    return (root, merge, findings);
                }
                for refusal in refusals {
                    findings.push(finding(
                        FindingId::OssRefused,
                        &refusal.origin,
                        &format!(
                            "Mage OSS sends a Job that the API server refuses: {}",
                            refusal.message
                        ),
                    ));
                }
            }
            Err(defects) => {
                findings.extend(defects.iter().map(|Defect { origin, message }| {
                    finding(FindingId::OssFails, origin, &format!("Mage OSS fails here: {message}"))
                }));
            }
        }
        let mut merge = Merge::default();
        let effective = self::effective(input, &mut merge);
        let root = meant(&effective, input.server.cloned(), &mut merge, &mut findings);
        (root, merge, findings)
    }
}

fn finding(id: FindingId, origin: &crate::config::Origin, message: &str) -> Finding {
    let problem = Problem::new(message)
        .id(id)
        .setting(&*origin.setting)
        .hint("the Job shown is the one the text means; `--edition pro` reads every setting so");
    Finding::warning(match &origin.source {
        crate::config::Source::File { file, span } => problem.at(file, *span),
        _ => problem,
    })
}

/// Joins the layers key by key: a later layer's key replaces an earlier one's whole value, null
/// included; a `k8s_executor_config` key inside replaces everything
/// (`mage_ai/shared/config.py: BaseConfig.load`).
fn effective<'a>(input: &OssInput<'a>, merge: &mut Merge) -> Vec<Effective<'a>> {
    let mut keys = Vec::new();
    for layer in &input.layers {
        lay(&mut keys, *layer, merge);
    }
    let nested = keys.iter().find(|key: &&Effective<'a>| key.key() == "k8s_executor_config");
    if let Some(nested) = nested.filter(|key| replaces_all(&key.entry.value)).copied() {
        for key in keys.drain(..).filter(|key| key.key() != "k8s_executor_config") {
            lose_whole(&key, nested.layer, merge);
        }
        if let Some(body) = nested.entry.value.as_mapping() {
            let layer = OssLayer { kind: nested.layer, file: nested.file, body };
            lay(&mut keys, layer, merge);
        }
    }
    let mut all = Vec::new();
    if let Some(template) = input.template {
        lay(&mut all, template, merge);
    }
    for key in keys {
        put(&mut all, key, merge);
    }
    all
}

/// A mapping takes the place of everything, and so does what is false in Python: nothing is left.
fn replaces_all(node: &Node) -> bool {
    node.as_mapping().is_some() || !node.is_truthy()
}

fn lay<'a>(keys: &mut Vec<Effective<'a>>, layer: OssLayer<'a>, merge: &mut Merge) {
    for entry in &layer.body.entries {
        put(keys, Effective { layer: layer.kind, file: layer.file, entry }, merge);
    }
}

fn put<'a>(keys: &mut Vec<Effective<'a>>, key: Effective<'a>, merge: &mut Merge) {
    match keys.iter_mut().find(|known| known.key() == key.key()) {
        Some(known) => {
            lose_whole(known, key.layer, merge);
            *known = key;
        }
        None => keys.push(key),
    }
}

/// Reads one key as it is meant.
pub(super) fn trees(
    key: &Effective<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<crate::config::Fragment> {
    let mut convert = Convert::new(key.layer, key.file);
    let fragments = settings(&mut convert, std::slice::from_ref(key.entry));
    findings.append(&mut convert.findings);
    fragments
}

fn meant(
    effective: &[Effective<'_>],
    server: Option<Tree>,
    merge: &mut Merge,
    findings: &mut Vec<Finding>,
) -> Tree {
    let mut fragments: Vec<_> = effective.iter().flat_map(|key| trees(key, findings)).collect();
    fragments.sort_by_key(|fragment| fragment.rank);
    let mut root = empty_root();
    for fragment in fragments {
        root = merge.overlay(root, fragment.tree, &JobPath::default());
    }
    empty_names(&mut root, merge);
    if let Some(server) = server {
        join_server(merge, &mut root, server);
    }
    drop_unmounted(merge, &mut root);
    root
}

/// Mage takes an empty name for none.
fn empty_names(root: &mut Tree, merge: &mut Merge) {
    for keys in [&["prefix"][..], &["namespace"], &["pod", "serviceAccountName"]] {
        if root.at(keys).and_then(Tree::as_str) == Some("")
            && let Some(lost) = root.take(keys)
        {
            let path = keys.iter().fold(JobPath::default(), |path, key| path.key(key));
            merge.lose(&lost, &path, Rule::OssEmpty);
        }
    }
}
