//! A value with the origin of every part, and what lost against it.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::config::{JobPath, LayerKind, Origin, Segment};
use crate::job::secret::is_secret_name;

/// A part of a Job, with where it came from.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The value.
    pub content: Content,
    /// Who gave it; for maps and lists, who gave the first part of it.
    pub origin: Origin,
    /// What lost at exactly this leaf, lowest layer first.
    pub losers: Vec<Loser>,
    /// The rule that decided, when more than one layer spoke.
    pub rule: Option<Rule>,
}

/// The entries of a mapping, in order. Keys are shared with the paths made of them.
pub type Fields = IndexMap<Arc<str>, Tree, foldhash::fast::RandomState>;

/// What a [`Tree`] holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A scalar.
    Leaf(Json),
    /// A mapping.
    Map(Fields),
    /// A list. `closed` is true once a layer has said `[]`: nothing below it is joined.
    List {
        /// The items.
        items: Vec<Tree>,
        /// Whether an explicit empty list was given.
        closed: bool,
    },
}

/// A value that was given, and did not make it into the Job.
#[derive(Clone, Debug)]
pub struct Loser {
    /// The value.
    pub value: Json,
    /// Who gave it.
    pub origin: Origin,
    /// Why it lost.
    pub rule: Rule,
    /// Whether it must not be shown to people.
    pub secret: bool,
}

impl Loser {
    /// Makes one of what a leaf held.
    #[must_use]
    pub fn new(value: Json, origin: Origin, rule: Rule) -> Self {
        Self { value, origin, rule, secret: false }
    }
}

/// A rule that decided between layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A higher layer wins.
    HigherLayer(LayerKind),
    /// An enforced policy beats everything.
    Enforced,
    /// In one layer, the more specific setting wins.
    SameLayer,
    /// A later layer's list replaces an earlier one.
    ListReplaced(LayerKind),
    /// Items of this list are joined by a key, the later item wins.
    Keyed(&'static str),
    /// `overrides.<ENV>` replaces the whole property.
    OverridesReplace,
    /// The server pod fills only what nobody set.
    ServerFills,
    /// The server pod's items come after ours.
    ServerJoins,
    /// A volume of the server pod that no container mounts is left out.
    Unmounted,
    /// A mount whose volume no layer has is left out.
    NoVolume,
    /// Mage OSS replaces each top-level key whole.
    OssWholeKey(LayerKind),
    /// Mage OSS does not read this key.
    OssIgnores,
    /// Mage OSS takes an empty value for none.
    OssEmpty,
    /// Mage OSS resets the namespace when `metadata` is set.
    OssMetadataNamespace,
    /// Mage OSS drops `container.resources` when `resource_limits` or `resource_requests` is set.
    OssResources,
    /// Mage OSS appends the server's variable after ours, and the last one takes effect.
    OssServerEnv,
    /// Mage replaces this value by one of its own.
    Replaced,
    /// Made valid as a name.
    MadeValid,
    /// The API server gives what nobody set.
    ApiFills,
    /// Admission gives each pod what nobody set: a LimitRange, a webhook.
    ApiGivesPods,
    /// The API server puts a value of its own in place of ours.
    ApiChanges,
    /// The API server takes a value out.
    ApiRemoves,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HigherLayer(layer) => write!(f, "{layer} is the higher layer"),
            Self::Enforced => f.write_str("the policy is enforced"),
            Self::SameLayer => f.write_str("the more specific setting of one layer wins"),
            Self::ListReplaced(layer) => write!(f, "{layer} replaces the whole list"),
            Self::Keyed(key) => write!(f, "items are joined by {key}, the later one wins"),
            Self::OverridesReplace => f.write_str("overrides replace the whole property"),
            Self::ServerFills => f.write_str("the server pod fills only what nobody set"),
            Self::ServerJoins => f.write_str("the server pod's items are joined, ours first"),
            Self::Unmounted => f.write_str("no container mounts this volume"),
            Self::NoVolume => f.write_str("no volume has this name"),
            Self::OssWholeKey(layer) => {
                write!(f, "Mage OSS: {layer} replaces the whole top-level key")
            }
            Self::OssIgnores => f.write_str("Mage OSS does not read this key"),
            Self::OssEmpty => f.write_str("Mage OSS takes an empty value for none"),
            Self::OssMetadataNamespace => {
                f.write_str("Mage OSS: metadata without namespace resets the namespace")
            }
            Self::OssResources => f.write_str(
                "Mage OSS: resource_limits or resource_requests replace all of container.resources",
            ),
            Self::OssServerEnv => {
                f.write_str("Mage OSS: the server's variable comes later and takes effect")
            }
            Self::Replaced => f.write_str("Mage sets this itself"),
            Self::MadeValid => f.write_str("made a valid name"),
            Self::ApiFills => f.write_str("nobody sets it: a default of the API server"),
            Self::ApiGivesPods => f.write_str("nobody sets it: admission gives it to each pod"),
            Self::ApiChanges => f.write_str("the API server changes it on the way in"),
            Self::ApiRemoves => f.write_str("the API server takes it out"),
        }
    }
}

impl Tree {
    /// Makes a tree nothing has been merged into.
    #[must_use]
    pub fn new(content: Content, origin: Origin) -> Self {
        Self { content, origin, losers: Vec::new(), rule: None }
    }

    /// Makes a scalar.
    #[must_use]
    pub fn leaf(value: impl Into<Json>, origin: Origin) -> Self {
        Self::new(Content::Leaf(value.into()), origin)
    }

    /// Makes a mapping of one key on another, with `inner` at the end of `keys`.
    #[must_use]
    pub fn nest(keys: &[&str], inner: Self) -> Self {
        keys.iter().rev().fold(inner, |inner, key| {
            let origin = inner.origin.clone();
            Self::new(Content::Map([(Arc::from(*key), inner)].into_iter().collect()), origin)
        })
    }

    /// Makes an empty mapping.
    #[must_use]
    pub fn empty_map(origin: Origin) -> Self {
        Self::new(Content::Map(Fields::default()), origin)
    }

    /// Returns the plain value.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.content {
            Content::Leaf(value) => value.clone(),
            Content::Map(map) => Json::Object(
                map.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect(),
            ),
            Content::List { items, .. } => Json::Array(items.iter().map(Self::to_json).collect()),
        }
    }

    /// Returns the part at `keys`.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |tree, key| match &tree.content {
            Content::Map(map) => map.get(*key),
            _ => None,
        })
    }

    /// Returns the part at `keys`, to be changed.
    pub fn at_mut(&mut self, keys: &[&str]) -> Option<&mut Self> {
        let mut tree = self;
        for key in keys {
            let Content::Map(map) = &mut tree.content else { return None };
            tree = map.get_mut(*key)?;
        }
        Some(tree)
    }

    /// Removes and returns the part at `keys`.
    pub fn take(&mut self, keys: &[&str]) -> Option<Self> {
        let (last, parents) = keys.split_last()?;
        match &mut self.at_mut(parents)?.content {
            Content::Map(map) => map.shift_remove(*last),
            _ => None,
        }
    }

    /// Puts `value` at `keys`, in place of what is there; makes the mappings on the way.
    pub fn put(&mut self, keys: &[&str], value: Self) {
        let Some((first, rest)) = keys.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self.content, Content::Map(_)) {
            self.content = Content::Map(Fields::default());
        }
        let Content::Map(map) = &mut self.content else { return };
        match map.get_mut(*first) {
            Some(below) => below.put(rest, value),
            None if rest.is_empty() => {
                map.insert(Arc::from(*first), value);
            }
            None => {
                let mut below = Self::empty_map(value.origin.clone());
                below.put(rest, value);
                map.insert(Arc::from(*first), below);
            }
        }
    }

    /// Returns the part at a path.
    #[must_use]
    pub fn lookup(&self, path: &[Segment]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, segment| match segment {
            Segment::Key(key) => tree.as_map()?.get(&**key),
            Segment::Index(index) => tree.items()?.get(*index),
        })
    }

    /// Tells whether the leaf at a path is the `value` of a variable whose `name` looks secret.
    #[must_use]
    pub fn is_value_of_secret_name(&self, path: &[Segment]) -> bool {
        let [parents @ .., Segment::Key(last)] = path else { return false };
        &**last == "value"
            && self
                .lookup(parents)
                .and_then(|item| item.at(&["name"])?.as_str())
                .is_some_and(is_secret_name)
    }

    /// Returns the items, if it is a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::List { items, .. } => Some(items),
            _ => None,
        }
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Leaf(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the mapping, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Fields> {
        match &self.content {
            Content::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns every leaf with its path below `path`; an empty map or list is a leaf.
    #[must_use]
    pub fn leaves(&self, path: &JobPath) -> Vec<(JobPath, &Self)> {
        let mut found = Vec::new();
        self.collect(&mut path.clone(), &mut found);
        found
    }

    /// Tells whether another tree holds the same values, whoever gave them.
    #[must_use]
    pub fn holds_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Leaf(one), Content::Leaf(two)) => one == two,
            (Content::Map(one), Content::Map(two)) => {
                let same = |(key, value): (&Arc<str>, &Self)| {
                    two.get(key).is_some_and(|v| v.holds_same(value))
                };
                one.len() == two.len() && one.iter().all(same)
            }
            (Content::List { items: one, .. }, Content::List { items: two, .. }) => {
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.holds_same(b))
            }
            _ => false,
        }
    }

    /// Tells whether a leaf is as `wanted`; an empty map or list is a leaf.
    pub fn any_leaf(&self, wanted: &impl Fn(&Self) -> bool) -> bool {
        match &self.content {
            Content::Map(map) if !map.is_empty() => {
                map.values().any(|value| value.any_leaf(wanted))
            }
            Content::List { items, .. } if !items.is_empty() => {
                items.iter().any(|item| item.any_leaf(wanted))
            }
            _ => wanted(self),
        }
    }

    /// Collects the leaves; `path` is the same again when it returns.
    fn collect<'a>(&'a self, path: &mut JobPath, found: &mut Vec<(JobPath, &'a Self)>) {
        let mut below = |value: &'a Self, segment, path: &mut JobPath| {
            path.0.push(segment);
            value.collect(path, found);
            path.0.pop();
        };
        match &self.content {
            Content::Map(map) if !map.is_empty() => {
                for (key, value) in map {
                    below(value, Segment::Key(Arc::clone(key)), path);
                }
            }
            Content::List { items, .. } if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    below(item, Segment::Index(index), path);
                }
            }
            _ => found.push((path.clone(), self)),
        }
    }
}
