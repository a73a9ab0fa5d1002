//! Lays one tree over another, and keeps what lost.

use std::collections::{HashMap, HashSet};

use super::tree::{Content, Fields, Loser, Rule, Tree};
use crate::config::{JobPath, LayerKind, Segment};

/// Merges trees, and remembers what lost where no single leaf took its place.
#[derive(Clone, Debug, Default)]
pub struct Merge {
    /// Lost values with their path in the merged tree.
    pub lost: Vec<(JobPath, Loser)>,
}

/// How a list is joined with one of a lower layer.
enum ListRule {
    /// By the value of this key.
    By(&'static str),
    /// By the whole item.
    Whole,
    /// Not at all: the later list replaces the earlier one.
    Replace,
}

fn list_rule(path: &JobPath) -> ListRule {
    let Some(Segment::Key(key)) = path.0.last() else { return ListRule::Replace };
    match key.as_ref() {
        "env" | "volumes" | "imagePullSecrets" | "containers" | "initContainers" => {
            ListRule::By("name")
        }
        "volumeMounts" => ListRule::By("mountPath"),
        "tolerations" => ListRule::Whole,
        _ => ListRule::Replace,
    }
}

/// Tells what the items of a list are joined by, if they are joined at all.
#[must_use]
pub fn joined_by(list: &str) -> Option<&'static str> {
    match list_rule(&JobPath::default().key(list)) {
        ListRule::By(key) => Some(key),
        ListRule::Whole => Some("whole value"),
        ListRule::Replace => None,
    }
}

impl Merge {
    /// Records every leaf of a tree as lost.
    pub fn lose(&mut self, tree: &Tree, path: &JobPath, rule: Rule) {
        for (below, leaf) in tree.leaves(&JobPath::default()) {
            let secret = tree.is_value_of_secret_name(&below.0);
            let mut path = path.clone();
            path.0.extend(below.0);
            for loser in &leaf.losers {
                let loser = Loser { secret: loser.secret || secret, ..loser.clone() };
                self.lost.push((path.clone(), loser));
            }
            let loser = Loser::new(leaf.to_json(), leaf.origin.clone(), rule);
            self.lost.push((path, Loser { secret, ..loser }));
        }
    }

    /// Lays `high` over `low`: mappings are merged at every depth, lists by their rule, and
    /// otherwise the higher one wins.
    #[must_use]
    pub fn overlay(&mut self, low: Tree, high: Tree, path: &JobPath) -> Tree {
        self.lay(low, high, &mut path.clone())
    }

    /// Lays `high` over `low`; `path` is the same again when it returns.
    fn lay(&mut self, low: Tree, high: Tree, path: &mut JobPath) -> Tree {
        let rule = winner_rule(&low, &high);
        let Tree { content, origin, losers, rule: old_rule } = low;
        match (content, high.content) {
            (Content::Map(mut map), Content::Map(upper)) => {
                let origin = if map.is_empty() { high.origin } else { origin };
                for (key, value) in upper {
                    let Some(lower) = map.get_mut(&key) else {
                        map.insert(key, value);
                        continue;
                    };
                    let lower = std::mem::replace(lower, Tree::empty_map(value.origin.clone()));
                    path.0.push(Segment::Key(key));
                    let merged = self.lay(lower, value, path);
                    if let Some(Segment::Key(key)) = path.0.pop() {
                        map.insert(key, merged);
                    }
                }
                Tree { content: Content::Map(map), origin, losers, rule: old_rule }
            }
            (
                Content::List { items: lower, closed },
                Content::List { items: upper, closed: upper_closed },
            ) => self.overlay_list(
                ListPair { lower, upper, closed, upper_closed, origin, upper_origin: high.origin },
                path,
                rule,
            ),
            (Content::Leaf(value), Content::Leaf(upper)) => {
                let mut losers = losers;
                losers.push(Loser::new(value, origin, rule));
                losers.extend(high.losers);
                let rule = high.rule.or(Some(rule));
                Tree { content: Content::Leaf(upper), origin: high.origin, losers, rule }
            }
            (content, upper) => {
                self.lose(&Tree { content, origin, losers, rule: old_rule }, path, rule);
                Tree { content: upper, origin: high.origin, losers: Vec::new(), rule: Some(rule) }
            }
        }
    }

    fn overlay_list(&mut self, lists: ListPair, path: &JobPath, rule: Rule) -> Tree {
        let ListPair { lower, upper, closed, upper_closed, origin, upper_origin } = lists;
        let replace = matches!(list_rule(path), ListRule::Replace);
        if replace || upper.is_empty() {
            let lost = Tree::new(Content::List { items: lower, closed }, origin);
            let rule = match rule {
                Rule::HigherLayer(layer) => Rule::ListReplaced(layer),
                other => other,
            };
            self.lose(&lost, path, rule);
            let content = Content::List { items: upper, closed: upper_closed };
            return Tree { content, origin: upper_origin, losers: Vec::new(), rule: Some(rule) };
        }
        let origin = if lower.is_empty() { upper_origin } else { origin };
        let mut items = lower;
        let mut known = Known::of(&items, list_rule(path));
        for item in upper {
            match known.position(&item, items.len()) {
                Some(index) => {
                    let lost = std::mem::replace(&mut items[index], item);
                    let rule = match (rule, list_rule(path)) {
                        (Rule::HigherLayer(_), ListRule::By(key)) => Rule::Keyed(key),
                        (rule, _) => rule,
                    };
                    self.lose(&lost, &path.index(index), rule);
                    mark(&mut items[index], rule);
                }
                None => items.push(item),
            }
        }
        Tree { content: Content::List { items, closed }, origin, losers: Vec::new(), rule: None }
    }
}

struct ListPair {
    lower: Vec<Tree>,
    upper: Vec<Tree>,
    closed: bool,
    upper_closed: bool,
    origin: crate::config::Origin,
    upper_origin: crate::config::Origin,
}

fn winner_rule(low: &Tree, high: &Tree) -> Rule {
    if high.origin.layer == LayerKind::PolicyEnforced && low.origin.layer != high.origin.layer {
        Rule::Enforced
    } else if low.origin.layer == high.origin.layer {
        Rule::SameLayer
    } else {
        Rule::HigherLayer(high.origin.layer)
    }
}

fn mark(tree: &mut Tree, rule: Rule) {
    match &mut tree.content {
        Content::Leaf(_) => tree.rule = Some(rule),
        Content::Map(map) => map.values_mut().for_each(|value| mark(value, rule)),
        Content::List { items, .. } => items.iter_mut().for_each(|value| mark(value, rule)),
    }
}

/// The items of a list by what they are joined by, and where the first of each stands.
struct Known {
    rule: ListRule,
    places: HashMap<String, usize>,
}

impl Known {
    fn of(items: &[Tree], rule: ListRule) -> Self {
        let mut known = Self { rule, places: HashMap::new() };
        for (index, item) in items.iter().enumerate() {
            known.position(item, index);
        }
        known
    }

    /// Returns the place of the item that this one is joined with. Without one, it is known by
    /// `new_place` from now on.
    fn position(&mut self, item: &Tree, new_place: usize) -> Option<usize> {
        let key = match self.rule {
            ListRule::By(key) => identity(item.at(&[key])?),
            ListRule::Whole => identity(item),
            ListRule::Replace => return None,
        };
        let place = *self.places.entry(key).or_insert(new_place);
        (place != new_place).then_some(place)
    }
}

/// Returns JSON with sorted keys: equal values have equal texts.
pub(super) fn identity(tree: &Tree) -> String {
    let mut value = tree.to_json();
    value.sort_all_objects();
    value.to_string()
}

/// Joins what the Mage server's pod gives: it fills what nobody set, and its environment, mounts
/// and volumes come after ours (`mage_ai/services/k8s/job_manager.py: merge_pod_spec`).
pub(super) fn join_server(merge: &mut Merge, root: &mut Tree, server: Tree) {
    let Content::Map(parts) = server.content else { return };
    for (part, fields) in parts {
        let Content::Map(fields) = fields.content else { continue };
        for (field, value) in fields {
            let keys = [part.as_ref(), field.as_ref()];
            let path = JobPath::default().key(&part).key(&field);
            match root.at_mut(&keys) {
                None => root.put(&keys, value),
                Some(ours) => join_field(merge, ours, value, &path),
            }
        }
    }
}

fn join_field(merge: &mut Merge, ours: &mut Tree, server: Tree, path: &JobPath) {
    let joins = ["env", "envFrom", "volumeMounts", "volumes"];
    let is_joined =
        matches!(path.0.last(), Some(Segment::Key(key)) if joins.contains(&key.as_ref()));
    match (&mut ours.content, server.content) {
        (Content::List { items, closed: false }, Content::List { items: more, .. })
            if is_joined =>
        {
            join_items(merge, items, more, path);
        }
        (_, content) => {
            let lost = Tree { content, origin: server.origin, losers: Vec::new(), rule: None };
            merge.lose(&lost, path, Rule::ServerFills);
        }
    }
}

fn join_items(merge: &mut Merge, items: &mut Vec<Tree>, more: Vec<Tree>, path: &JobPath) {
    let mut known = Known::of(items, list_rule(path));
    let mut equal = Known::of(items, ListRule::Whole);
    for item in more {
        let joined = known.position(&item, items.len());
        let same = equal.position(&item, items.len());
        match joined.into_iter().chain(same).min() {
            Some(index) => merge.lose(&item, &path.index(index), Rule::ServerJoins),
            None => items.push(item),
        }
    }
}

/// Leaves out the volumes of the server pod that no container mounts
/// (`mage_ai/services/k8s/job_manager.py: filter_used_volumes`).
pub(super) fn drop_unmounted(merge: &mut Merge, root: &mut Tree) {
    let mut mounted: HashSet<String> = HashSet::new();
    let containers = root
        .at(&["container"])
        .into_iter()
        .chain(root.at(&["pod", "containers"]).and_then(Tree::items).into_iter().flatten())
        .chain(root.at(&["pod", "initContainers"]).and_then(Tree::items).into_iter().flatten());
    for container in containers {
        for mounts in ["volumeMounts", "volumeDevices"] {
            let items = container.at(&[mounts]).and_then(Tree::items).unwrap_or_default();
            mounted.extend(
                items.iter().filter_map(|item| item.at(&["name"])?.as_str().map(str::to_owned)),
            );
        }
    }
    let path = JobPath::default().key("pod").key("volumes");
    let Some(volumes) = root.at_mut(&["pod", "volumes"]) else { return };
    let Content::List { items, .. } = &mut volumes.content else { return };
    let all = std::mem::take(items);
    for item in all {
        let name = item.at(&["name"]).and_then(Tree::as_str).unwrap_or_default().to_owned();
        if item.origin.layer == LayerKind::ServerPod && !mounted.contains(&name) {
            merge.lose(&item, &path.key(&name), Rule::Unmounted);
        } else {
            items.push(item);
        }
    }
    let is_empty = items.is_empty() && volumes.origin.layer == LayerKind::ServerPod;
    if is_empty {
        root.take(&["pod", "volumes"]);
    }
}

/// Makes an empty root.
pub(super) fn empty_root() -> Tree {
    Tree::new(Content::Map(Fields::default()), crate::config::Origin::built_in(""))
}
