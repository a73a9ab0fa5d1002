//! One of the two Jobs that are compared, and what is known of its leaves.

use std::collections::{HashMap, HashSet};

use serde_json::{Value as Json, json};

use super::pairs::{Pair, paired};
use super::tree::{lay, leaves};
use crate::config::{JobPath, LayerKind, Origin, Segment, Source};
use crate::job::secret::{MASK, holds_any};
use crate::job::{RenderedJob, Secrets, TOKEN_VOLUME, given_by, name_token_volume, without_stamps};

/// A Job without what a cluster writes into it, with what is known of its leaves.
#[derive(Clone, Debug, Default)]
pub struct Side {
    pub(super) job: Json,
    pub(super) origins: HashMap<JobPath, Origin>,
    pub(super) secret: HashSet<JobPath>,
}

impl Side {
    /// Takes a Job that was made of a project's files.
    #[must_use]
    pub fn rendered(rendered: &RenderedJob) -> Self {
        Self::sent(&rendered.job, rendered)
    }

    /// Takes what is sent of a Job that was made of files: with labels of this tool, or more.
    #[must_use]
    pub fn sent(job: &Json, rendered: &RenderedJob) -> Self {
        let job = settled(job.clone());
        let mut side = Self { secret: secrets_in(&job, rendered), job, ..Self::default() };
        for value in &rendered.values {
            side.origins.insert(value.path.clone(), value.origin.clone());
            if value.secret {
                side.secret.insert(value.path.clone());
            }
        }
        side
    }

    /// Takes what the API server would make of a Job that was made of files: what it adds, or another
    /// manager has set, is the server's.
    #[must_use]
    pub fn answered(answer: Json, rendered: &RenderedJob) -> Self {
        let own = Self::rendered(rendered);
        let mut side = Self::like(answer, rendered);
        let by_server = Origin::new(LayerKind::ApiDefault, Source::Api, "");
        leaves(&JobPath::default(), &side.job, &mut |path, _| {
            side.origins.insert(path, by_server.clone());
        });
        lay(&own.job, &side.job).twins(&mut |ours, theirs| {
            let is_ours = super::tree::is_same(&theirs.path, ours.value, theirs.value);
            if let Some(origin) = own.origins.get(&ours.path).filter(|_| is_ours) {
                side.origins.insert(theirs.path.clone(), origin.clone());
            }
        });
        side
    }

    /// Takes a Job of the cluster, of which nobody says where it came from. What is secret in the Job
    /// that was made of files is secret in it too.
    #[must_use]
    pub fn live(job: Json, rendered: &RenderedJob) -> Self {
        Self::like(job, rendered)
    }

    /// Takes a Job that was planned or sent before, of which only the JSON is left.
    #[must_use]
    pub fn alone(job: Json, secrets: &Secrets) -> Self {
        let job = in_force(settled(job));
        Self { secret: masked(&job, secrets), job, ..Self::default() }
    }

    /// Returns the same without anything secret in it, for whoever asked to see everything.
    #[must_use]
    pub fn revealed(self) -> Self {
        Self { secret: HashSet::new(), ..self }
    }

    /// Returns the texts that must not be shown.
    pub(super) fn secret_texts(&self) -> Vec<String> {
        let text = |path: &JobPath| self.job.pointer(&path.pointer())?.as_str().map(str::to_owned);
        self.secret.iter().filter_map(text).collect()
    }

    /// Returns the places of secrets, those of some texts among them.
    pub(super) fn secret_with(&self, texts: &[String]) -> HashSet<JobPath> {
        let mut secret = self.secret.clone();
        leaves(&JobPath::default(), &self.job, &mut |path, value| {
            if holds_any(value, texts) {
                secret.insert(path);
            }
        });
        secret
    }

    fn like(job: Json, rendered: &RenderedJob) -> Self {
        let job = in_force(settled(job));
        let own = Self::rendered(rendered);
        let mut secret = secrets_in(&job, rendered);
        lay(&own.job, &job).twins(&mut |ours, theirs| {
            if own.secret.contains(&ours.path) {
                secret.insert(theirs.path.clone());
            }
        });
        Self { job, origins: HashMap::new(), secret }
    }
}

/// Takes away what a cluster writes into a Job, and what of it hangs on which pod of the server it was made by.
fn settled(job: Json) -> Json {
    let mut job = without_stamps(job);
    name_token_volume(&mut job, TOKEN_VOLUME.trim_end_matches('-'));
    job
}

/// Takes away variables that a later one of the same name hides, as Mage sends them: the last is in force.
fn in_force(mut job: Json) -> Json {
    for kind in ["containers", "initContainers"] {
        let place = format!("/spec/template/spec/{kind}");
        let containers = job.pointer_mut(&place).and_then(Json::as_array_mut);
        for container in containers.into_iter().flatten() {
            let Some(env) = container.get_mut("env").and_then(Json::as_array_mut) else { continue };
            let mut later = HashSet::new();
            env.reverse();
            env.retain(|variable| later.insert(variable["name"].clone()));
            env.reverse();
        }
    }
    job
}

/// Returns the places of secrets in a Job, by what is known of a rendered one: by the names of
/// variables and keys, by what texts hold, and where one has the text of a secret.
fn secrets_in(job: &Json, rendered: &RenderedJob) -> HashSet<JobPath> {
    let mut found = masked(job, &Secrets::of(rendered));
    let secret = rendered.values.iter().filter(|value| value.secret);
    let texts: Vec<String> = secret.filter_map(|v| v.value.as_str().map(str::to_owned)).collect();
    leaves(&JobPath::default(), job, &mut |path, value| {
        if holds_any(value, &texts) {
            found.insert(path);
        }
    });
    found
}

/// Returns of a Job of the cluster what a Job that was made of files speaks of, and that one without
/// empty values that the cluster does not have: for want of a server that fills in what nobody sets, what
/// only the cluster says is taken for its own, but for what `manager` has applied. Items of lists are kept.
#[must_use]
pub fn spoken_of(live: &Json, own: &Json, manager: &str) -> (Json, Json) {
    let (mut theirs, mut ours) = (in_force(live.clone()), own.clone());
    narrow("", &mut theirs, &mut ours);
    for path in given_by(live, manager) {
        if let Some(value) = live.pointer(&path.pointer()) {
            put_back(&mut theirs, &path.0, value);
        }
    }
    (theirs, ours)
}

/// Puts back what stood at a place, where the lists on the way are as they were.
fn put_back(at: &mut Json, path: &[Segment], value: &Json) {
    let Some((segment, rest)) = path.split_first() else {
        if at.is_null() {
            at.clone_from(value);
        }
        return;
    };
    let below = match (segment, at) {
        (Segment::Key(key), Json::Object(map)) => {
            let absent = if rest.is_empty() { Json::Null } else { json!({}) };
            Some(map.entry(key.as_ref()).or_insert(absent))
        }
        (Segment::Index(index), Json::Array(items)) => items.get_mut(*index),
        _ => None,
    };
    if let Some(below) = below {
        put_back(below, rest, value);
    }
}

fn narrow(name: &str, theirs: &mut Json, ours: &mut Json) {
    match (theirs, ours) {
        (Json::Object(theirs), Json::Object(ours)) => {
            theirs.retain(|key, _| ours.contains_key(key));
            ours.retain(|key, value| theirs.contains_key(key) || !is_nothing(value));
            for (key, theirs) in theirs {
                if let Some(ours) = ours.get_mut(key) {
                    narrow(key, theirs, ours);
                }
            }
        }
        (Json::Array(theirs), Json::Array(ours)) => {
            for pair in paired(name, theirs, ours).pairs {
                if let Pair::Both(old, new) = pair {
                    narrow("", &mut theirs[old], &mut ours[new]);
                }
            }
        }
        _ => {}
    }
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn masked(job: &Json, secrets: &Secrets) -> HashSet<JobPath> {
    let mut masked = job.clone();
    secrets.mask(&mut masked);
    let mut found = HashSet::new();
    leaves(&JobPath::default(), job, &mut |path, value| {
        // Where more than a leaf is hidden, there is no leaf in its place.
        let place = masked.pointer(&path.pointer());
        if place.is_none_or(|place| place == MASK && value != MASK) {
            found.insert(path);
        }
    });
    found
}
