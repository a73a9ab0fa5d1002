//! What is known of a log that was saved (pure, but for the look at its pod).

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::path::PathBuf;

use crate::cluster::{container_view, main_container, pod_belongs};

/// Whose log it is: one run of one container of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogOf {
    /// The API server, as a URL.
    pub server: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The run: this tool's id, or `PIPELINE@N` for one of the Mage server.
    pub run: Option<String>,
    /// The pipeline, where it is Mage's.
    pub pipeline: Option<String>,
    /// The block run's uuid, or the Job's name where it has no block.
    pub block: String,
    /// The attempt at the block, from 1.
    pub attempt: u32,
    /// The Job that made the pod.
    pub job: Option<String>,
    /// The pod.
    pub pod: String,
    /// The pod's UID.
    pub uid: String,
    /// The container.
    pub container: String,
    /// Whether the container is the one that runs the block.
    pub main: bool,
    /// Whether it is shown where no container is named.
    pub usual: bool,
    /// Which run of the container: how often it was restarted before.
    pub restart: u32,
    /// When the pod was created, by the server's clock.
    #[serde(with = "time_text")]
    pub created: Option<Timestamp>,
}

impl LogOf {
    /// Reads whose log the present run of a container writes; block and attempt are the caller's.
    #[must_use]
    pub fn read(server: &str, pod: &Pod, container: &str, block: &str, attempt: u32) -> Self {
        let metadata = &pod.metadata;
        let of = pod_belongs(pod);
        let job = metadata.owner_references.iter().flatten().find(|owner| owner.kind == "Job");
        let main = main_container(pod).is_some_and(|main| main == container);
        Self {
            server: server.to_owned(),
            namespace: metadata.namespace.clone().unwrap_or_default(),
            run: of.as_ref().map(|of| of.run.clone()),
            pipeline: of.map(|of| of.pipeline),
            block: block.to_owned(),
            attempt,
            job: job.map(|owner| owner.name.clone()),
            pod: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            container: container.to_owned(),
            main,
            usual: main,
            restart: container_view(pod, container).restarts,
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
        }
    }

    /// Goes on to the next run of the container.
    pub(super) fn restarted(&mut self) {
        self.restart += 1;
        self.attempt += 1;
    }

    /// Tells whether both are of the same run of the same container.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.restart == other.restart
            && self.uid == other.uid
            && self.container == other.container
            && self.server == other.server
    }

    /// Returns the first part of the name of its file.
    pub(super) fn stem(&self) -> String {
        if self.main { self.block.clone() } else { format!("{}.{}", self.block, self.container) }
    }
}

/// A line of the index: a log, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    #[serde(flatten)]
    pub(super) of: LogOf,
    /// The name of the file in the folder, once it is complete.
    pub(super) file: String,
    /// When that was written, by the clock of this machine.
    #[serde(with = "time_text")]
    pub(super) at: Option<Timestamp>,
    /// How long the file was when its log was complete, in bytes.
    pub(super) bytes: Option<u64>,
    /// In how many places lines are missing, because the node had rotated them away.
    pub(super) gaps: u32,
}

/// How much of a log a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Complete,
    /// Its beginning: reading was cut off.
    CutOff,
    /// Somebody changed it after it was complete.
    Changed,
}

/// What is gone, so that a file stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The pod.
    Pod,
    /// A run of a container of a pod that is there.
    Run,
    /// Contact with the cluster.
    Contact,
}

/// A log in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedLog {
    /// Whose.
    pub of: LogOf,
    /// The file.
    pub path: PathBuf,
    /// The file that says when each line was written, if it is there.
    pub times: Option<PathBuf>,
    /// How much of the log it is.
    pub extent: Extent,
    /// When it was written last, by the clock of this machine.
    pub at: Option<Timestamp>,
    /// In how many places lines are missing.
    pub gaps: u32,
}

impl SavedLog {
    /// Says where its lines come from, and how much of the log that is.
    #[must_use]
    pub fn sentence(&self, gone: Gone) -> String {
        let what = match gone {
            Gone::Pod => format!("pod/{} is gone", self.of.pod),
            Gone::Contact => format!("pod/{}", self.of.pod),
            Gone::Run => format!(
                "container {} of pod/{} was restarted after this",
                self.of.container, self.of.pod
            ),
        };
        let at = self.at.map_or("an unknown time".to_owned(), |at| format!("{at:.0}"));
        let path = self.path.display();
        let extent = match self.extent {
            Extent::Complete => format!("saved at {at}, complete"),
            Extent::CutOff => {
                format!("cut off at {at}: what was written after that was not saved")
            }
            Extent::Changed => format!("saved at {at}, and changed by somebody since"),
        };
        let gaps = match self.gaps {
            0 => String::new(),
            1 => "; lines are missing in one place, which the node had rotated away".to_owned(),
            gaps => {
                format!("; lines are missing in {gaps} places, which the node had rotated away")
            }
        };
        let times = match self.times {
            Some(_) => "",
            None => "; when its lines were written is not known",
        };
        format!("{what}: from the file {path}, {extent}{gaps}{times}")
    }

    /// Orders files of the same log by how much they tell.
    fn rank(&self) -> (bool, bool, Option<Timestamp>) {
        (self.extent == Extent::Complete, self.gaps == 0, self.at)
    }
}

/// Keeps the best file of each log, in the order in which the pods were made; returns the others, of
/// which the best tells nothing, besides.
#[must_use]
pub fn best_of_each(mut all: Vec<SavedLog>) -> (Vec<SavedLog>, Vec<SavedLog>) {
    all.sort_by_key(|saved| Reverse(saved.rank()));
    let (mut best, mut rest): (Vec<SavedLog>, Vec<SavedLog>) = (Vec::new(), Vec::new());
    for saved in all {
        match best.iter().find(|known| known.of.is_same(&saved.of)) {
            None => best.push(saved),
            Some(known) if known.rank().0 && known.rank().1 => {}
            Some(_) => rest.push(saved),
        }
    }
    best.sort_by_key(|SavedLog { of, .. }| {
        (of.created, of.uid.clone(), !of.main, of.container.clone(), of.restart)
    });
    (best, rest)
}

/// Times as text.
mod time_text {
    use k8s_openapi::jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.to_string()).serialize(serializer)
    }

    /// What is no time is none.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| text.parse().ok()))
    }
}
