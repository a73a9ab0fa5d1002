//! What is sent for a Job: as it was rendered, marked as ours, and suspended where it is staged.

use serde_json::{Value, json};

use crate::cluster::{Marked, is_ours, mark_as_ours};
use crate::job::{RenderedJob, keep_token_volume};

/// Whether a Job that is created starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// It is suspended until somebody starts it.
    Suspended,
    /// At once, as its configuration says.
    Now,
    /// At once, and one that is suspended is started.
    Started,
}

/// Makes what is sent where no Job of that name stands.
pub(super) fn new_job(job: &RenderedJob, begin: Begin) -> Value {
    let mut sent = marked(job, Marked::All);
    if begin == Begin::Suspended {
        sent["spec"]["suspend"] = json!(true);
    }
    sent
}

/// Makes what is sent where one stands. Whether that is suspended stays as it is, unless it is to be
/// started, or the configuration says so.
pub(super) fn changed_job(job: &RenderedJob, live: &Value, begin: Begin) -> Value {
    let has_marked_pods = is_ours(&live["spec"]["template"]);
    let mut sent = marked(job, if has_marked_pods { Marked::All } else { Marked::JobOnly });
    keep_token_volume(&mut sent, live);
    if is_suspended(live) && begin == Begin::Started {
        sent["spec"]["suspend"] = json!(false);
    } else if is_suspended(live) {
        sent["spec"]["suspend"] = json!(true);
        // Started in between, it must not be suspended again.
        sent["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    }
    sent
}

fn marked(job: &RenderedJob, marked: Marked) -> Value {
    let mut sent = job.job.clone();
    let block = job.block.as_deref().unwrap_or(&job.pipeline);
    mark_as_ours(&mut sent, &job.pipeline, block, marked);
    sent
}

/// Tells whether a Job is suspended.
pub(super) fn is_suspended(job: &Value) -> bool {
    job["spec"]["suspend"] == true
}

/// Tells whether two states of a Job are one for whoever wrote it: without what the server keeps.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    let written = |job: &Value| {
        let mut job = job.clone();
        if let Some(job) = job.as_object_mut() {
            job.remove("status");
        }
        if let Some(metadata) = job["metadata"].as_object_mut() {
            for kept in ["managedFields", "resourceVersion", "generation"] {
                metadata.remove(kept);
            }
        }
        job
    };
    written(one) == written(other)
}

#[cfg(test)]
mod tests {
    use super::is_same;
    use serde_json::json;

    #[test]
    fn what_the_server_keeps_is_no_change() {
        let job = |version: &str, labels| {
            json!({
                "metadata": {"name": "j", "resourceVersion": version, "generation": 1, "labels": labels},
                "status": {"active": version.len()}
            })
        };
        assert!(is_same(&job("7", json!({})), &job("12", json!({}))));
        assert!(!is_same(&job("7", json!({})), &job("7", json!({"a": "b"}))));
    }
}
