//! The recorded plan: one immutable ConfigMap a run, which owns its Jobs.
//!
//! `resume --replan` puts a new plan into an annotation of the same object: one patch is the whole
//! change, so that no moment is without a plan, and whoever finds the one finds the other.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::options::{Options, Settings};
use super::outline::Outline;
use super::patches::Alike;
use super::plan::{Plan, PlannedBlock};
use super::run_id::RunId;
use crate::cluster::{
    BLOCKS, Cluster, ClusterError, DROPPED, MANAGED_BY, MANAGER, PIPELINE, RUN, Recorded,
    label_value, member,
};

const KEY: &str = "plan.json.gz";
const FORMAT: u32 = 2;
/// What the API server takes as the data of a ConfigMap.
const LARGEST: usize = 1 << 20;
/// The annotation that holds a new plan.
const REPLAN: &str = "kubectl-mage/replan";
/// What it may hold: all annotations together hold 256 KiB, and notes need room.
const LARGEST_REPLAN: usize = 190 << 10;

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    run: String,
    pipeline: String,
    edition: String,
    revision: Option<String>,
    user: Option<String>,
    flags: Vec<String>,
    settings: Settings,
    blocks: Vec<Row>,
    jobs: Alike,
}

/// A block without its Job.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    uuid: String,
    block_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    conditional: bool,
    upstream: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    staged: Option<String>,
    namespace: String,
}

impl Row {
    pub(super) fn of(block: &PlannedBlock) -> Self {
        Self {
            uuid: block.uuid.clone(),
            block_type: block.block_type.clone(),
            timeout: block.timeout,
            conditional: block.conditional,
            upstream: block.upstream.clone(),
            since: block.since,
            staged: block.staged.clone(),
            namespace: block.namespace.clone(),
        }
    }

    pub(super) fn with_job(self, job: Value) -> PlannedBlock {
        PlannedBlock {
            uuid: self.uuid,
            block_type: self.block_type,
            timeout: self.timeout,
            conditional: self.conditional,
            upstream: self.upstream,
            since: self.since,
            staged: self.staged,
            namespace: self.namespace,
            job,
        }
    }
}

/// A plan is larger than what a ConfigMap can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan of the run takes {bytes} bytes packed, and there is room for {room}")]
pub struct PlanTooLarge {
    /// Its size.
    pub bytes: usize,
    /// How much there is room for.
    pub room: usize,
}

/// A plan as it is recorded.
#[derive(Clone, Debug)]
pub struct PackedPlan {
    bytes: Vec<u8>,
    /// What each Job says of it where it may not be recorded.
    pub(super) outline: Option<String>,
}

impl PackedPlan {
    /// Packs a plan. The Jobs of a pipeline are much alike, so what is common is kept once.
    pub fn of(plan: &Plan, run: &RunId, options: &Options) -> Result<Self, PlanTooLarge> {
        let document = Document {
            format: FORMAT,
            run: run.to_string(),
            pipeline: plan.pipeline.clone(),
            edition: plan.edition.clone(),
            revision: plan.revision.clone(),
            user: plan.user.clone(),
            flags: plan.flags.clone(),
            settings: options.into(),
            blocks: plan.blocks.iter().map(Row::of).collect(),
            jobs: Alike::of(plan.blocks.iter().map(|block| &block.job)),
        };
        let packed = pack(&document);
        let bytes = packed.len() + KEY.len();
        if bytes > LARGEST {
            return Err(PlanTooLarge { bytes, room: LARGEST });
        }
        Ok(Self { bytes: packed, outline: None })
    }

    /// The same, with what each Job is to say of it where it may not be recorded.
    #[must_use]
    pub fn outlined(self, outline: &Outline) -> Self {
        Self { outline: outline.packed(), ..self }
    }

    /// Returns the annotations that put this plan in the place of the one recorded; blocks that
    /// are dropped with it no longer count for how the run stands.
    pub(super) fn in_place(&self, plan: &Plan, dropped: &[String]) -> Result<Value, PlanTooLarge> {
        let text = STANDARD.encode(&self.bytes);
        let bytes = text.len();
        if bytes > LARGEST_REPLAN {
            return Err(PlanTooLarge { bytes, room: LARGEST_REPLAN });
        }
        Ok(json!({
            (REPLAN): text,
            (BLOCKS): plan.blocks.len().to_string(),
            (DROPPED): json!(dropped).to_string(),
        }))
    }
}

/// Returns the name of the run's ConfigMap, and of its Lease.
#[must_use]
pub fn record_name(run: &str) -> String {
    format!("mage-run-{run}")
}

fn config_map(plan: &Plan, run: &RunId, packed: &PackedPlan) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": record_name(run.as_str()),
            "labels": {
                (MANAGED_BY): MANAGER,
                (PIPELINE): label_value(&plan.pipeline),
                (RUN): label_value(run.as_str()),
            },
            "annotations": {
                (PIPELINE): plan.pipeline,
                (RUN): run.to_string(),
                (BLOCKS): plan.blocks.len().to_string(),
            },
        },
        "immutable": true,
        "binaryData": { (KEY): STANDARD.encode(&packed.bytes) },
    })
}

/// Reads the plan from the ConfigMap's packed bytes; none when it is not one of this format.
#[must_use]
pub fn read_plan(packed: &[u8]) -> Option<Plan> {
    Some(unpack(packed)?.0)
}

/// Reads the plan of a run from its ConfigMap, the newest one, and how the run behaves.
#[must_use]
pub fn read_record(map: &ConfigMap) -> Option<(Plan, Settings)> {
    match replanned(&map.metadata) {
        Some(text) => unpack(&STANDARD.decode(text).ok()?),
        None => unpack(&map.binary_data.as_ref()?.get(KEY)?.0),
    }
}

fn replanned(metadata: &ObjectMeta) -> Option<&String> {
    metadata.annotations.as_ref()?.get(REPLAN)
}

/// Tells one plan of a run from the next.
pub(super) fn plan_version(metadata: &ObjectMeta) -> Option<String> {
    replanned(metadata).map(|text| crate::cluster::short_hash(text))
}

/// Packs a value that is made of JSON and strings.
pub(super) fn pack(value: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_vec(value).expect("it is made of JSON and strings");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(&text)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}

/// Reads a packed value; none when it is not one of this form.
pub(super) fn unpacked<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn unpack(packed: &[u8]) -> Option<(Plan, Settings)> {
    let document: Document = unpacked(packed)?;
    let jobs = document.jobs.values()?;
    if document.format != FORMAT || jobs.len() != document.blocks.len() {
        return None;
    }
    let blocks = document.blocks.into_iter().zip(jobs).map(|(row, job)| row.with_job(job));
    let plan = Plan {
        pipeline: document.pipeline,
        blocks: blocks.collect(),
        edition: document.edition,
        revision: document.revision,
        user: document.user,
        flags: document.flags,
    };
    Some((plan, document.settings))
}

/// Reads the plan from its ConfigMap; none when it holds none of this format.
#[must_use]
pub fn plan_of(map: &ConfigMap) -> Option<Plan> {
    Some(read_record(map)?.0)
}

/// Records the plan in the namespace of the first Job. Asked for again after a lost answer, it
/// finds its own.
pub(super) async fn record(
    cluster: &Cluster,
    plan: &Plan,
    run: &RunId,
    packed: &PackedPlan,
) -> Result<Option<Recorded>, ClusterError> {
    let Some(first) = plan.blocks.first() else { return Ok(None) };
    let name = record_name(run.as_str());
    let body = config_map(plan, run, packed);
    let mut tries = 0;
    loop {
        match cluster.create_config_map(&first.namespace, &name, &body).await {
            Ok(recorded) => return Ok(Some(recorded)),
            Err(error) if error.is_already_exists() => {
                let found = cluster.get_config_map(&first.namespace, &name).await?;
                let uid = found.and_then(|found| found.metadata.uid).unwrap_or_default();
                return Ok(Some(Recorded { namespace: first.namespace.clone(), name, uid }));
            }
            Err(error) if error.is_transient() && tries < 3 => {
                tries += 1;
                let delay = error.retry_after().unwrap_or(std::time::Duration::from_secs(tries));
                tokio::time::sleep(delay).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes the recorded plan the owner of an object, so that deleting the one deletes the other.
pub(super) fn own(object: &mut Value, recorded: &Recorded) {
    let metadata = member(object, "metadata");
    let reference = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": recorded.name,
        "uid": recorded.uid,
    });
    match metadata.get_mut("ownerReferences").and_then(Value::as_array_mut) {
        Some(references) => references.push(reference),
        None => metadata["ownerReferences"] = json!([reference]),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        ConfigMap, KEY, LARGEST, PackedPlan, config_map, plan_of, plan_version, read_plan,
        read_record,
    };
    use crate::cluster::PlanFacts;
    use crate::run::{Failure, Options, Plan, PlannedBlock, RunId, Settings};
    use serde_json::json;
    use std::time::Duration;

    fn plan(names: &[String]) -> Plan {
        let block = |name: &String| PlannedBlock {
            uuid: name.clone(),
            block_type: "transformer".to_owned(),
            timeout: Some(7),
            conditional: true,
            upstream: Vec::new(),
            since: Some(2),
            staged: Some("u".to_owned()),
            namespace: "n".to_owned(),
            job: json!({"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [{"image": "i"}]}}}}),
        };
        Plan {
            pipeline: "etl".to_owned(),
            blocks: names.iter().map(block).collect(),
            edition: "pro".to_owned(),
            revision: Some("abc".to_owned()),
            user: Some("me".to_owned()),
            flags: vec!["--parallel=2".to_owned()],
        }
    }

    #[test]
    fn a_recorded_plan_reads_back_the_same() {
        let plan = plan(&["a".to_owned(), "b".to_owned()]);
        let run = RunId::fresh("etl");
        let options = Options {
            retries: 3,
            failure: Failure::KeepGoing,
            timeout: Some(Duration::from_millis(1500)),
            ..Options::default()
        };
        let packed = PackedPlan::of(&plan, &run, &options).unwrap();
        let map = config_map(&plan, &run, &packed);
        assert_eq!(map["immutable"], true);
        let map = serde_json::from_value(map).unwrap();
        let (read, settings) = read_record(&map).unwrap();
        assert_eq!(read, plan);
        assert_eq!(settings, Settings::from(&options));
        assert_eq!(Options::from(settings), options);
        assert_eq!(read_plan(&map.binary_data.unwrap()[KEY].0), Some(plan));
        assert_eq!(read_plan(b"nonsense"), None);
    }

    #[test]
    fn a_new_plan_stands_in_the_place_of_the_first() {
        let run = RunId::fresh("etl");
        let pack = |plan: &Plan| PackedPlan::of(plan, &run, &Options::default()).unwrap();
        let (old, new) = (plan(&["a".to_owned()]), plan(&["a".to_owned(), "b".to_owned()]));
        let mut map = config_map(&old, &run, &pack(&old));
        let annotations = pack(&new).in_place(&new, &["gone".to_owned()]).unwrap();
        assert_eq!(annotations["kubectl-mage/blocks"], "2");
        for (key, value) in annotations.as_object().unwrap() {
            map["metadata"]["annotations"][key] = value.clone();
        }
        map["metadata"]["namespace"] = json!("n");
        map["metadata"]["uid"] = json!("7");
        let map: ConfigMap = serde_json::from_value(map).unwrap();
        assert_eq!(plan_of(&map), Some(new));
        assert!(plan_version(&map.metadata).is_some());
        let facts = PlanFacts::read(&map.metadata).unwrap();
        assert_eq!((facts.blocks, facts.dropped), (Some(2), vec!["gone".to_owned()]));
    }

    #[test]
    fn jobs_that_are_alike_take_little_room_and_too_many_are_told() {
        let many: Vec<String> = (0..500).map(|n| format!("block_{n}")).collect();
        let size = |names: &[String]| {
            PackedPlan::of(&plan(names), &RunId::fresh("etl"), &Options::default())
                .map(|packed| packed.bytes.len())
        };
        assert!(size(&many).unwrap() < 16_000, "{:?}", size(&many));
        // Names that nothing packs.
        let hash = |n: u32| crate::job::short_hash(&[&n.to_string()], 64);
        let long: Vec<String> = (0..16_000).map(hash).collect();
        let error = size(&long).unwrap_err();
        assert!(error.bytes > LARGEST, "{error}");
    }
}
