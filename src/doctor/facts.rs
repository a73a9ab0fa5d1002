//! What checks look at.

use std::collections::BTreeSet;
use std::path::PathBuf;

use k8s_openapi::jiff::SignedDuration;

use super::changes::Change;
use super::image::ImageFacts;
use super::reach::Reach;
use super::rights::{Need, Right};
use crate::error::Problem;
use crate::lint::Reported;
use crate::load::Inputs;
use crate::snapshot::Snapshot;

/// What people call the cluster and themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The context.
    pub context: Option<String>,
    /// The API server's address.
    pub server: String,
    /// The user, as the kubeconfig names it.
    pub user: Option<String>,
    /// The namespace that counts where none is named.
    pub namespace: String,
}

/// Who the API server says is asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The groups.
    pub groups: Vec<String>,
}

/// Whether a right is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The command that needs it.
    pub command: &'static str,
    /// Whether it counts: the commands that were asked about.
    pub counts: Counts,
    /// The right.
    pub right: Right,
    /// Where; none for the cluster as a whole.
    pub namespace: Option<String>,
    /// The API server's answer; none where it gave none.
    pub allowed: Option<bool>,
}

/// Whether a command was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// What is missing for it is a problem.
    Yes,
    /// It is only shown.
    No,
}

impl Answered {
    /// Tells whether a command that counts cannot be used without it.
    #[must_use]
    pub fn is_missing(&self, need: Need) -> bool {
        self.counts == Counts::Yes && self.right.need == need && self.allowed == Some(false)
    }
}

/// What the project's Jobs want of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How many Jobs there are.
    pub jobs: usize,
    /// Their namespaces.
    pub namespaces: BTreeSet<String>,
    /// Where the plan of a run of a pipeline is: the namespace of its first Job.
    pub homes: BTreeSet<String>,
    /// Pipelines whose Jobs cannot be made, and why.
    pub unmade: Vec<(String, String)>,
}

/// The cluster against a snapshot of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The snapshot's file.
    pub file: String,
    /// What has changed since.
    pub changes: Vec<Change>,
}

/// What was asked, for the commands that hints name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `kubectl mage doctor` with the flags that decide on rights, for a shell.
    pub doctor: String,
    /// `kubectl apply -f -` with the flags that say where.
    pub apply: String,
    /// Whether commands were named.
    pub named: bool,
    /// Whether the Role is to have optional rights, too.
    pub optional: bool,
}

impl Asked {
    /// Returns the command that gives the missing rights.
    #[must_use]
    pub fn give(&self) -> String {
        let optional = if self.optional { " --optional" } else { "" };
        format!("{}{optional} -o role | {}", self.doctor, self.apply)
    }
}

/// Everything that checks look at.
pub struct Facts<'a> {
    /// What was asked.
    pub asked: Asked,
    /// The project's folder, or why there is none.
    pub project: Result<PathBuf, Problem>,
    /// The kubeconfig's names; none where it cannot be used.
    pub names: Option<Names>,
    /// How far a request came.
    pub reach: Reach,
    /// Who is asking.
    pub identity: Option<Identity>,
    /// How far this machine's clock is ahead of the server's.
    pub ahead: Option<SignedDuration>,
    /// What the cluster says, live or by a file.
    pub snapshot: &'a Snapshot,
    /// Whether the snapshot says anything of the cluster.
    pub judged: Judged,
    /// Why the server's pod that was named cannot be used.
    pub server: Option<Problem>,
    /// The policy's and the template's file, where flags name them.
    pub given: Given,
    /// What was read besides pipelines, or why that failed.
    pub inputs: Result<&'a Inputs, &'a [Problem]>,
    /// What lint found.
    pub findings: &'a [Reported],
    /// What the Jobs want.
    pub wanted: Wanted,
    /// Their images.
    pub images: ImageFacts,
    /// The rights.
    pub rights: Vec<Answered>,
    /// What changed since a snapshot, where there is one to compare with.
    pub compared: Option<Compared>,
}

/// The files that flags name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `--policy`.
    pub policy: Option<PathBuf>,
    /// `--template`.
    pub template: Option<PathBuf>,
}

/// Where the snapshot is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// The cluster was asked.
    Live,
    /// A file stands for it.
    File,
    /// Neither.
    Nothing,
}
