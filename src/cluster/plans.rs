//! The recorded plans of runs, as far as their metadata tells.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::{ObjectList, PartialObjectMeta, Request};
use serde_json::{Value, json};

use super::client::Cluster;
use super::config_maps::{action, path};
use super::error::{Action, ClusterError};
use super::jobs::{self, Removal, built, removed};
use super::labels::{MANAGER, PIPELINE, RUN};
use super::mage_jobs::named;
use super::marks::is_made_here;
use super::runs::BLOCKS;

/// The annotation of a plan whose run was cancelled: when, by the canceller's clock.
pub const CANCELLED: &str = "kubectl-mage/cancelled";

/// The annotation of a plan that names the blocks which a new plan dropped, as JSON.
pub(crate) const DROPPED: &str = "kubectl-mage/dropped";

/// What the annotations of a plan that tell how blocks ended begin with; after it comes the block,
/// made safe.
pub(crate) const ENDED: &str = "ended.kubectl-mage/";

/// Why a block did not run although nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// Its own conditional said no: it has a Job, which is complete.
    Own,
    /// That of a block before it did: it has no Job.
    Upstream,
}

/// A note of a plan about an attempt at a block: `2 CouldNotStart`, and, where it did not end well, when
/// and why: `2 CouldNotStart 2026-11-28T00:00:00Z ErrImagePull: not found`.
pub(crate) struct PlanNote<'a> {
    /// The attempt, from 1.
    pub(crate) attempt: u32,
    /// How far it is, or how it ended.
    pub(crate) word: &'a str,
    /// When it ended, by the clock of whoever noted it.
    pub(crate) at: Option<Timestamp>,
    /// One word and one sentence why.
    pub(crate) why: Option<(&'a str, &'a str)>,
}

impl<'a> PlanNote<'a> {
    /// Reads it; none where it is none.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        Some(Self {
            attempt: words.next()?.parse().ok()?,
            word: words.next()?,
            at: words.next().and_then(|at| at.parse().ok()),
            why: words.next().and_then(|why| why.split_once(": ")),
        })
    }
}

impl Unmet {
    fn of(note: &PlanNote<'_>) -> Option<Self> {
        match note.word {
            "ConditionFalse" => Some(Self::Own),
            "Skipped" => Some(Self::Upstream),
            _ => None,
        }
    }
}

/// What is noted of an attempt that ended, where its Job does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedEnd {
    /// The attempt, from 1.
    pub attempt: u32,
    /// How it ended: `Complete`, `TimedOut`, `CouldNotStart`, `Refused`, `Gone`, `Cancelled`.
    pub state: String,
    /// When, by the clock of whoever noted it.
    pub at: Option<Timestamp>,
    /// One word and one sentence why.
    pub why: Option<(String, String)>,
}

impl NotedEnd {
    /// Takes a note; none where it says something else than an end.
    fn of(note: &PlanNote<'_>) -> Option<Self> {
        let is_end = !matches!(note.word, "Begun" | "Wanted" | "ConditionFalse" | "Skipped");
        is_end.then(|| Self {
            attempt: note.attempt,
            state: note.word.to_owned(),
            at: note.at,
            why: note.why.map(|(reason, sentence)| (reason.to_owned(), sentence.to_owned())),
        })
    }

    /// Tells whether the block is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == "Complete"
    }

    /// Tells whether it was deleted because the run ended.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state == "Cancelled"
    }

    /// Tells whether it went wrong by itself.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !self.is_complete() && !self.is_cancelled()
    }
}

/// What a plan's metadata says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFacts {
    /// The namespace.
    pub namespace: String,
    /// The ConfigMap's name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The run's id.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// How many blocks it has.
    pub blocks: Option<usize>,
    /// Blocks that are no longer of it.
    pub dropped: Vec<String>,
    /// Blocks that conditionals kept from running, by their labels.
    pub unmet: BTreeMap<String, Unmet>,
    /// How blocks ended of which no Job may be left, by their labels.
    pub ended: BTreeMap<String, NotedEnd>,
    /// When the run was cancelled, if it was.
    pub cancelled: Option<String>,
    /// When it was recorded.
    pub created: Option<Timestamp>,
}

impl PlanFacts {
    /// Reads the metadata of a ConfigMap; none when it is not a plan that this tool made.
    #[must_use]
    pub fn read(metadata: &ObjectMeta) -> Option<Self> {
        let label = |key: &str| metadata.labels.as_ref().and_then(|labels| labels.get(key));
        if !is_made_here(metadata) || label(RUN).is_none() {
            return None;
        }
        let notes = || {
            let annotations = metadata.annotations.iter().flatten();
            annotations.filter_map(|(key, note)| {
                Some((key.strip_prefix(ENDED)?.to_owned(), PlanNote::read(note)?))
            })
        };
        Some(Self {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone()?,
            uid: metadata.uid.clone()?,
            run: named(metadata, RUN)?,
            pipeline: named(metadata, PIPELINE).unwrap_or_default(),
            blocks: named(metadata, BLOCKS).and_then(|blocks| blocks.parse().ok()),
            dropped: named(metadata, DROPPED)
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
            unmet: notes().filter_map(|(block, note)| Some((block, Unmet::of(&note)?))).collect(),
            ended: notes()
                .filter_map(|(block, note)| Some((block, NotedEnd::of(&note)?)))
                .collect(),
            cancelled: named(metadata, CANCELLED),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
        })
    }
}

impl Cluster {
    /// Lists the plans that `selector` names, without their content. No namespace means all.
    pub async fn list_plans(
        &self,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<PlanFacts>, ClusterError> {
        let action = action("list", namespace.unwrap_or("(all)"), "");
        let path = namespace.map_or_else(|| "/api/v1/configmaps".to_owned(), path);
        let params = ListParams::default().labels(selector);
        let request = built(Request::new(path).list_metadata(&params), &action)?;
        let list: ObjectList<PartialObjectMeta<ConfigMap>> = self.call(&action, request).await?;
        Ok(list.items.iter().filter_map(|item| PlanFacts::read(&item.metadata)).collect())
    }

    /// Marks a plan as cancelled, if it is still the one meant: whoever drives the run sees it.
    pub async fn mark_cancelled(
        &self,
        plan: &PlanFacts,
        at: Timestamp,
    ) -> Result<Removal, ClusterError> {
        let action = action("patch", &plan.namespace, &plan.name);
        self.mark(&action, &path(&plan.namespace), &plan.name, &plan.uid, at).await
    }

    /// Marks a Job of a run that has no plan.
    pub async fn mark_job_cancelled(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        at: Timestamp,
    ) -> Result<Removal, ClusterError> {
        let action = jobs::action("patch", namespace, name);
        self.mark(&action, &jobs::path(namespace), name, uid, at).await
    }

    async fn mark(
        &self,
        action: &Action,
        path: &str,
        name: &str,
        uid: &str,
        at: Timestamp,
    ) -> Result<Removal, ClusterError> {
        // A UID in a patch is a precondition.
        let body = json!({"metadata": {"uid": uid, "annotations": {(CANCELLED): at.to_string()}}});
        let params =
            PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let marking = Request::new(path).patch(name, &params, &Patch::Merge(&body));
        let request = built(marking, action)?;
        removed(self.call::<Value>(action, request).await)
    }
}
