//! The recorded plan: one immutable ConfigMap a run, which owns its Jobs.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::plan::{Plan, member};
use super::run_id::RunId;
use crate::cluster::{
    Cluster, ClusterError, MANAGED_BY, MANAGER, PIPELINE, RUN, Recorded, label_value,
};

const KEY: &str = "plan.json.gz";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    run: String,
    plan: Plan,
}

/// Returns the name of the run's ConfigMap.
#[must_use]
pub fn record_name(run: &RunId) -> String {
    format!("mage-run-{run}")
}

/// Makes the ConfigMap. The Jobs of a pipeline are much alike, which is what gzip is for.
pub(super) fn config_map(plan: &Plan, run: &RunId) -> Value {
    let document = Document { format: FORMAT, run: run.to_string(), plan: plan.clone() };
    let text = serde_json::to_vec(&document).expect("a plan is made of JSON and strings");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder
        .write_all(&text)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail");
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": record_name(run),
            "labels": {
                (MANAGED_BY): MANAGER,
                (PIPELINE): label_value(&plan.pipeline),
                (RUN): label_value(run.as_str()),
            },
            "annotations": { (PIPELINE): plan.pipeline, (RUN): run.to_string() },
        },
        "immutable": true,
        "binaryData": { (KEY): STANDARD.encode(packed) },
    })
}

/// Reads the plan from the ConfigMap's packed bytes; none when it is not one of this format.
#[must_use]
pub fn read_plan(packed: &[u8]) -> Option<Plan> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).ok()?;
    let document: Document = serde_json::from_str(&text).ok()?;
    (document.format == FORMAT).then_some(document.plan)
}

/// Records the plan in the namespace of the first Job. Asked for again after a lost answer, it
/// finds its own.
pub(super) async fn record(
    cluster: &Cluster,
    plan: &Plan,
    run: &RunId,
) -> Result<Option<Recorded>, ClusterError> {
    let Some(first) = plan.blocks.first() else { return Ok(None) };
    let name = record_name(run);
    let body = config_map(plan, run);
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

/// Makes the recorded plan the owner of a Job, so that deleting the one deletes the other.
pub(super) fn own(job: &mut Value, recorded: &Recorded) {
    let metadata = member(job, "metadata");
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
    use super::{KEY, config_map, read_plan};
    use crate::run::{Plan, RunId};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_recorded_plan_reads_back_the_same() {
        let plan = Plan {
            pipeline: "etl".to_owned(),
            blocks: Vec::new(),
            edition: "pro".to_owned(),
            revision: Some("abc".to_owned()),
            user: None,
            flags: vec!["--parallel=2".to_owned()],
        };
        let map = config_map(&plan, &RunId::fresh("etl"));
        assert_eq!(map["immutable"], true);
        let packed = STANDARD.decode(map["binaryData"][KEY].as_str().unwrap()).unwrap();
        assert_eq!(read_plan(&packed), Some(plan));
        assert_eq!(read_plan(b"nonsense"), None);
    }
}
