//! What differs between two Jobs, leaf by leaf, and what becomes of the Job for it.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::immutable::Decided;
use super::lines::{Line, Mark, lines};
use super::side::Side;
use super::tree::{Inside, Node, Part, lay};
use crate::config::{JobPath, Origin};
use crate::job::secret::MASK;

/// How a change gets into a Job that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applies {
    /// It can be changed where it stands.
    InPlace,
    /// The Job has to be deleted and made anew.
    Replace,
}

impl Applies {
    /// Returns the words for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::Replace => "needs replace",
        }
    }
}

/// What becomes of a whole Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Both are the same.
    Unchanged,
    /// Every change can be made where it stands.
    InPlace,
    /// Some change cannot.
    Replace,
    /// Only the new side has it.
    New,
    /// Only the old side has it.
    Gone,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] =
        [Self::Unchanged, Self::InPlace, Self::Replace, Self::New, Self::Gone];

    /// Returns the words for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::InPlace => "changed in place",
            Self::Replace => "needs replace",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

/// A leaf on one side.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Where it stands in that Job.
    pub path: JobPath,
    /// Its value, which may be secret.
    value: Json,
    /// Who gave it, where that is known.
    pub origin: Option<Origin>,
}

/// A leaf that differs.
#[derive(Clone, Debug)]
pub struct Change {
    /// The path with the names of items in the place of their numbers.
    pub label: String,
    /// What was; none where only the new side has it.
    pub old: Option<Leaf>,
    /// What is; none where only the old side has it.
    pub new: Option<Leaf>,
    /// Whether its values must not be shown to people.
    pub secret: bool,
    /// How it gets into a Job that is there.
    pub applies: Applies,
}

/// Which of two values is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Old,
    New,
}

/// Returns what is shown of a value: a secret that differs is told apart from the other, and no more.
pub(super) fn shown(value: &Json, secret: bool, differs: bool, of: Of) -> Json {
    match (secret, differs, of) {
        (false, ..) => value.clone(),
        (true, false, _) => Json::from(MASK),
        (true, true, Of::Old) => Json::from(format!("{MASK} (before)")),
        (true, true, Of::New) => Json::from(format!("{MASK} (after)")),
    }
}

impl Change {
    /// Returns the old value as people may see it.
    #[must_use]
    pub fn before(&self) -> Option<Json> {
        let leaf = self.old.as_ref()?;
        Some(shown(&leaf.value, self.secret, self.new.is_some(), Of::Old))
    }

    /// Returns the new value as people may see it.
    #[must_use]
    pub fn after(&self) -> Option<Json> {
        let leaf = self.new.as_ref()?;
        Some(shown(&leaf.value, self.secret, self.old.is_some(), Of::New))
    }

    /// Returns the field's name without the way to the container that it is of.
    #[must_use]
    pub fn short(&self) -> &str {
        let inner = self.label.strip_prefix(".spec.template.spec.containers[");
        inner.and_then(|inner| inner.split_once("].")).map_or(&self.label, |(_, field)| field)
    }

    /// Returns its place: in the new Job, where that has it.
    #[must_use]
    pub fn path(&self) -> &JobPath {
        static NONE: JobPath = JobPath(Vec::new());
        self.new.as_ref().or(self.old.as_ref()).map_or(&NONE, |leaf| &leaf.path)
    }
}

/// How two Jobs differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What becomes of the Job.
    pub verdict: Verdict,
    /// Every leaf that differs, in the order of the Job.
    pub changes: Vec<Change>,
    /// Both Jobs as lines of YAML, secrets masked.
    pub lines: Vec<Line>,
}

impl Difference {
    /// Writes the old Job as people may see it, and the new one in the order of the old.
    #[must_use]
    pub fn documents(&self) -> [String; 2] {
        [Mark::New, Mark::Old].map(|not| {
            let lines = self.lines.iter().filter(|line| line.mark != not);
            lines.flat_map(|line| [line.text.as_str(), "\n"]).collect()
        })
    }
}

/// Compares two Jobs; one that is not there is none.
#[must_use]
pub fn compare(old: Option<&Side>, new: Option<&Side>, decided: &Decided) -> Difference {
    let nothing = Side::default();
    let (before, after) = (old.unwrap_or(&nothing), new.unwrap_or(&nothing));
    let root = lay(&before.job, &after.job);
    let sides = Sides::new(before, after, &root);
    let mut changes = Vec::new();
    sides.collect(&root, Veil::None, decided, &mut changes);
    let verdict = match (old, new) {
        (None, Some(_)) => Verdict::New,
        (Some(_), None) => Verdict::Gone,
        _ => match changes.iter().map(|change| change.applies).max() {
            None => Verdict::Unchanged,
            Some(Applies::InPlace) => Verdict::InPlace,
            Some(Applies::Replace) => Verdict::Replace,
        },
    };
    Difference { verdict, changes, lines: lines(&root, &sides) }
}

/// Whether everything that differs below is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Veil {
    None,
    Secret,
}

/// Both sides, and what is secret in them: what one of them says of a value holds for the other.
pub(super) struct Sides<'a> {
    old: &'a Side,
    new: &'a Side,
    pub(super) secret_old: HashSet<JobPath>,
    pub(super) secret_new: HashSet<JobPath>,
}

impl<'a> Sides<'a> {
    fn new(old: &'a Side, new: &'a Side, root: &Node<'_>) -> Self {
        let texts: Vec<String> = [old, new].into_iter().flat_map(Side::secret_texts).collect();
        let mut secret_old = old.secret_with(&texts);
        let mut secret_new = new.secret_with(&texts);
        root.twins(&mut |before, after| {
            if secret_new.contains(&after.path) {
                secret_old.insert(before.path.clone());
            } else if secret_old.contains(&before.path) {
                secret_new.insert(after.path.clone());
            }
        });
        Self { old, new, secret_old, secret_new }
    }

    /// Returns the place that gave a leaf.
    pub(super) fn origin(&self, path: &JobPath, of: Of) -> Option<&'a Origin> {
        match of {
            Of::Old => self.old.origins.get(path),
            Of::New => self.new.origins.get(path),
        }
    }

    /// Tells whether a leaf of one side must not be shown.
    pub(super) fn is_secret_at(&self, path: &JobPath, of: Of) -> bool {
        match of {
            Of::Old => self.secret_old.contains(path),
            Of::New => self.secret_new.contains(path),
        }
    }

    /// Tells whether the value of a leaf must not be shown.
    pub(super) fn is_secret(&self, node: &Node<'_>, veil: Veil) -> bool {
        let secret = |part: &Option<Part<'_>>, of: Of| {
            part.as_ref().is_some_and(|part| self.is_secret_at(&part.path, of))
        };
        (node.differs() && veil == Veil::Secret)
            || secret(&node.old, Of::Old)
            || secret(&node.new, Of::New)
    }

    /// Says whether what differs in a list is hidden: where items are told apart by their places
    /// alone, one that has moved may be the secret of before.
    pub(super) fn veil(&self, items: &[Node<'_>], by_place: bool, above: Veil) -> Veil {
        let is_secret = |node: &Node<'_>| {
            matches!(node.inside, Inside::Leaf | Inside::Same) && self.is_secret(node, Veil::None)
        };
        if by_place && items.iter().any(is_secret) { Veil::Secret } else { above }
    }

    fn collect(&self, node: &Node<'_>, veil: Veil, decided: &Decided, found: &mut Vec<Change>) {
        match &node.inside {
            Inside::Map(entries) => {
                for (_, node) in entries {
                    self.collect(node, veil, decided, found);
                }
            }
            Inside::List { items, by_place, .. } => {
                let veil = self.veil(items, *by_place, veil);
                for node in items {
                    self.collect(node, veil, decided, found);
                }
            }
            Inside::Leaf => found.push(self.change(node, veil, decided)),
            // One side alone is never the same.
            Inside::Same => {}
        }
    }

    fn change(&self, node: &Node<'_>, veil: Veil, decided: &Decided) -> Change {
        let leaf = |part: &Option<Part<'_>>, of: Of| {
            part.as_ref().map(|part| Leaf {
                path: part.path.clone(),
                value: part.value.clone(),
                origin: self.origin(&part.path, of).cloned(),
            })
        };
        let mut change = Change {
            label: node.label.clone(),
            old: leaf(&node.old, Of::Old),
            new: leaf(&node.new, Of::New),
            secret: self.is_secret(node, veil),
            applies: Applies::InPlace,
        };
        change.applies = decided.applies(change.path());
        change
    }
}
