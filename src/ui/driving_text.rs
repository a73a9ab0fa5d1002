//! Who drives a run (pure).

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::duration::duration;
use crate::cluster::{Driving, RunRow, RunStatus, Source};
use crate::run::holder_name;

/// Says it in a cell of a table.
pub(super) fn cell(driving: &Driving, now: Timestamp) -> String {
    match driving {
        Driving::Unknown => "-".to_owned(),
        Driving::Nobody => "nobody".to_owned(),
        Driving::By { holder, since: None } => holder_name(holder).to_owned(),
        Driving::By { holder, since: Some(since) } => {
            format!("{} for {}", holder_name(holder), duration(now.duration_since(*since)))
        }
    }
}

/// Adds it to the JSON of a run: null is nobody; where it is not known, there is nothing.
pub(super) fn add_json(row: &RunRow, json: &mut Value) {
    match &row.driving {
        Driving::Unknown => {}
        Driving::Nobody => json["driver"] = Value::Null,
        Driving::By { holder, since } => {
            json["driver"] = json!({
                "name": holder_name(holder),
                "since": since.map(|since| since.to_string()),
            });
        }
    }
}

/// Says it in a sentence, where it matters.
#[must_use]
pub fn driving_sentence(row: &RunRow, now: Timestamp) -> Option<String> {
    let over = matches!(row.status, RunStatus::Complete | RunStatus::Cancelled);
    match &row.driving {
        Driving::Nobody if !over && row.source == Source::Run => Some(format!(
            "nobody drives it; go on with it: kubectl mage resume {} -n {}",
            row.run, row.namespace
        )),
        Driving::By { .. } => Some(format!("driven by {}", cell(&row.driving, now))),
        Driving::Unknown | Driving::Nobody => None,
    }
}
