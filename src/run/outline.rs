//! What each Job says of its run where no plan may be recorded: how the run began, its graph, and a
//! digest of each block, by which a plan made anew of the project is known to be the same (pure).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::batch::v1::Job;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::options::Settings;
use super::plan::{Plan, PlannedBlock};
use super::record::{Row, pack, unpacked};
use crate::cluster::member;
use crate::job::{Secrets, short_hash};

/// The annotation of a Job.
const OUTLINE: &str = "kubectl-mage/outline";
const FORMAT: u32 = 1;
/// What it may hold: all annotations of an object together hold 256 KiB.
const LARGEST: usize = 190 << 10;
const DIGITS: usize = 12;

/// What is planned of each block, hashed, by the blocks' uuids.
pub type Digests = BTreeMap<String, String>;

/// A plan without its Jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// How often the run was given another plan.
    pub generation: u32,
    /// The plan; of the Jobs it has names and namespaces only.
    pub plan: Plan,
    /// How the run behaves.
    pub settings: Settings,
    /// The folder of the project it was made of.
    pub project: String,
    /// What the project said of each block. One that the project no longer had has none.
    pub digests: Digests,
}

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    pipeline: String,
    edition: String,
    revision: Option<String>,
    user: Option<String>,
    project: String,
    flags: Vec<String>,
    settings: Settings,
    blocks: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    row: Row,
    job: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// How a block of the project differs from what a run began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// It is planned otherwise.
    Changed,
    /// The run did not have it.
    New,
    /// The project does not have it.
    Gone,
}

/// Hashes what is planned of each block. Secrets are left out: a hash tells a guess from the truth.
#[must_use]
pub fn digests(plan: &Plan, secrets: &BTreeMap<String, Secrets>) -> Digests {
    let none = Secrets::default();
    let digest = |block: &PlannedBlock| {
        let mut said = block.said();
        if let Some(job) = said.get_mut("job") {
            secrets.get(&block.uuid).unwrap_or(&none).mask(job);
        }
        said.sort_all_objects();
        (block.uuid.clone(), short_hash(&[&said.to_string()], DIGITS))
    };
    plan.blocks.iter().map(digest).collect()
}

impl Outline {
    /// Writes it as an annotation holds it; none when it has no room there.
    #[must_use]
    pub fn packed(&self) -> Option<String> {
        let line = |block: &PlannedBlock| Line {
            row: Row::of(block),
            job: block.job_name().to_owned(),
            digest: self.digests.get(&block.uuid).cloned(),
        };
        let document = Document {
            format: FORMAT,
            pipeline: self.plan.pipeline.clone(),
            edition: self.plan.edition.clone(),
            revision: self.plan.revision.clone(),
            user: self.plan.user.clone(),
            project: self.project.clone(),
            flags: self.plan.flags.clone(),
            settings: self.settings.clone(),
            blocks: self.plan.blocks.iter().map(line).collect(),
        };
        let text = format!("{} {}", self.generation, STANDARD.encode(pack(&document)));
        (text.len() <= LARGEST).then_some(text)
    }

    /// Reads it; none when another version wrote it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (generation, packed) = text.split_once(' ')?;
        let document: Document = unpacked(&STANDARD.decode(packed).ok()?)?;
        if document.format != FORMAT {
            return None;
        }
        let mut digests = Digests::new();
        let mut blocks = Vec::new();
        for line in document.blocks {
            let job = json!({"metadata": {"name": line.job}});
            let block = line.row.with_job(job);
            digests.extend(line.digest.map(|digest| (block.uuid.clone(), digest)));
            blocks.push(block);
        }
        Some(Self {
            generation: generation.parse().ok()?,
            plan: Plan {
                pipeline: document.pipeline,
                blocks,
                edition: document.edition,
                revision: document.revision,
                user: document.user,
                flags: document.flags,
            },
            settings: document.settings,
            project: document.project,
            digests,
        })
    }

    /// Reads the newest one that these Jobs have; none when none of them has one.
    #[must_use]
    pub fn newest(jobs: &[Job]) -> Option<Self> {
        let texts = jobs.iter().filter_map(outline_of);
        Self::read(texts.max_by_key(|text| generation(text))?)
    }

    /// Compares it with the project as it is now, block by block. Jobs that were staged stand in the cluster,
    /// whatever the project says of them now.
    #[must_use]
    pub fn differences(&self, project: &Digests) -> Vec<(String, Differs)> {
        let is_staged = self.plan.blocks.iter().any(|block| block.staged.is_some());
        let differs = |(uuid, digest): (&String, &String)| match self.digests.get(uuid) {
            Some(known) if known == digest => None,
            Some(_) => Some((uuid.clone(), Differs::Changed)),
            None => Some((uuid.clone(), Differs::New)),
        };
        let gone = self.digests.keys().filter(|uuid| !project.contains_key(*uuid));
        let gone = gone.map(|uuid| (uuid.clone(), Differs::Gone));
        let all = project.iter().filter_map(differs).chain(gone);
        all.filter(|(_, differs)| !is_staged || *differs == Differs::Gone).collect()
    }

    /// Gives the blocks the Jobs that the project makes of them, under the names they have.
    #[must_use]
    pub fn with_jobs(&self, project: &Plan) -> Plan {
        let whole = |block: &PlannedBlock| {
            let mut block = block.clone();
            if let Some(same) = project.blocks.iter().find(|same| same.uuid == block.uuid) {
                let name = json!(block.job_name());
                block.job = same.job.clone();
                member(&mut block.job, "metadata")["name"] = name;
            }
            block
        };
        Plan { blocks: self.plan.blocks.iter().map(whole).collect(), ..self.plan.clone() }
    }
}

fn outline_of(job: &Job) -> Option<&str> {
    Some(job.metadata.annotations.as_ref()?.get(OUTLINE)?)
}

fn generation(text: &str) -> u32 {
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Tells whether a Job is of a newer plan of its run.
pub(super) fn is_newer(job: &Job, than: &str) -> bool {
    outline_of(job).is_some_and(|text| generation(text) > generation(than))
}

/// Makes a Job say how its run began.
pub(super) fn mark(job: &mut Value, outline: &str) {
    member(member(job, "metadata"), "annotations")[OUTLINE] = outline.into();
}

#[cfg(test)]
mod tests {
    use super::{Differs, Digests, Outline, digests, is_newer, mark};
    use crate::run::{Options, Plan, PlannedBlock, RunId, prepare};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn plan(blocks: &[(&str, &[&str], &str)]) -> Plan {
        let block = |(uuid, upstream, token): &(&str, &[&str], &str)| PlannedBlock {
            uuid: (*uuid).to_owned(),
            upstream: upstream.iter().map(|up| (*up).to_owned()).collect(),
            namespace: "n".to_owned(),
            job: json!({"metadata": {"name": format!("j-{uuid}")}, "spec": {"env": [
                {"name": "API_TOKEN", "value": token}, {"name": "MODE", "value": "m"},
            ], "template": {}}}),
            ..PlannedBlock::default()
        };
        let mut plan = Plan {
            pipeline: "p".to_owned(),
            blocks: blocks.iter().map(block).collect(),
            edition: "pro".to_owned(),
            revision: Some("abc".to_owned()),
            user: None,
            flags: vec!["p".to_owned()],
        };
        prepare(&mut plan, &RunId::new("p", 1));
        plan
    }

    fn of(plan: &Plan) -> Digests {
        digests(plan, &BTreeMap::new())
    }

    fn outline(plan: &Plan, generation: u32) -> Outline {
        Outline {
            generation,
            plan: plan.clone(),
            settings: (&Options::default()).into(),
            project: "/home/me/shop".to_owned(),
            digests: of(plan),
        }
    }

    #[test]
    fn the_newest_outline_reads_back_and_takes_the_jobs_of_the_project() {
        let mut plan = plan(&[("load", &[], "hunter2"), ("left", &["load"], "hunter2")]);
        plan.blocks[1].since = Some(2);
        let [old, new] = [0, 1].map(|generation| outline(&plan, generation));
        let texts = [&old, &new].map(|outline| outline.packed().unwrap());
        let jobs = [&texts[1], &texts[0]].map(|text| {
            let mut job = plan.blocks[0].job.clone();
            mark(&mut job, text);
            serde_json::from_value(job).unwrap()
        });
        let read = Outline::newest(&jobs).unwrap();
        assert_eq!((read.generation, &read.digests), (1, &new.digests));
        assert!(is_newer(&jobs[0], &texts[0]) && !is_newer(&jobs[1], &texts[0]));
        assert_eq!(read.plan.blocks[1].job, json!({"metadata": {"name": "j-left"}}));
        assert_eq!(read.with_jobs(&plan), plan);
        // The names stay, whatever the project would give them now.
        let mut renamed = plan.clone();
        renamed.blocks[0].job["metadata"]["name"] = "other".into();
        assert_eq!(read.with_jobs(&renamed), plan);
        assert_eq!(Outline::newest(&[]), None);
        assert_eq!(Outline::read("0 nonsense"), None);
    }

    #[test]
    fn every_block_that_differs_is_named_and_secrets_are_not_in_it() {
        let begun =
            plan(&[("load", &[], "hunter2"), ("left", &["load"], "x"), ("old", &["load"], "x")]);
        let same =
            plan(&[("load", &[], "changed"), ("left", &["load"], "y"), ("old", &["load"], "z")]);
        let outline = outline(&begun, 0);
        assert_eq!(outline.differences(&of(&same)), []);
        let now = plan(&[("load", &[], "x"), ("check", &["load"], "x"), ("left", &["check"], "x")]);
        assert_eq!(
            outline.differences(&of(&now)),
            [
                ("check".to_owned(), Differs::New),
                ("left".to_owned(), Differs::Changed),
                ("old".to_owned(), Differs::Gone),
            ]
        );
    }

    #[test]
    fn a_large_pipeline_has_room_and_what_has_none_is_left_out() {
        let large = |blocks: u32| {
            let names: Vec<String> =
                (0..blocks).map(|n| crate::job::short_hash(&[&n.to_string()], 64)).collect();
            let rows: Vec<(&str, &[&str], &str)> =
                names.iter().map(|name| (name.as_str(), &[][..], "x")).collect();
            outline(&plan(&rows), 0).packed()
        };
        assert!(large(500).is_some());
        assert!(large(6000).is_none());
    }
}
