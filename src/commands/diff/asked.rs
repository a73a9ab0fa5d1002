//! What the cluster has of a Job, and what its API server would make of the one that is sent.

use serde_json::{Value as Json, json};

use crate::cluster::{
    ApplyError, Applying, Cluster, ClusterError, Conflict, Effect, MANAGER, Ownership, is_mark,
    unmark,
};
use crate::commands::api_defaults::ask_job;
use crate::commands::validate::violations;
use crate::diff::{Decided, Template};
use crate::job::{RenderedJob, Violation, keep_token_volume};

/// The new side of a Job.
#[derive(Debug)]
pub(super) enum After {
    /// What the server would store.
    Answered(Json),
    /// What is sent, for the server could not be asked.
    Sent,
}

/// One Job, asked about.
#[derive(Debug)]
pub(super) struct Asked {
    /// The Job of that name in the cluster.
    pub(super) live: Option<Json>,
    pub(super) after: After,
    pub(super) decided: Decided,
    /// Fields that somebody else has set otherwise.
    pub(super) conflicts: Vec<Conflict>,
    /// What could not be asked, and why.
    pub(super) without: Vec<ClusterError>,
    /// What the server has against the Job as it is sent.
    pub(super) refused: Vec<Violation>,
}

impl Asked {
    fn new(live: Option<Json>) -> Self {
        Self {
            live,
            after: After::Sent,
            decided: Decided::ByTable(Template::Fixed),
            conflicts: Vec::new(),
            without: Vec::new(),
            refused: Vec::new(),
        }
    }
}

/// Who made the Job that stands in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// This tool, or somebody by its means: `apply` would change it.
    Here,
    /// This tool, and what others have changed in it is a difference, too.
    HereAndChanged,
    /// The Mage server: what it used is compared with what a new Job would be.
    ByMage,
}

/// Asks the server what would become of the Job that stands in the cluster, or of a new one.
pub(super) async fn ask(
    cluster: &Cluster,
    job: &RenderedJob,
    live: Option<Json>,
    made: Made,
) -> Result<Asked, ClusterError> {
    let mut asked = Asked::new(live);
    match (&asked.live, made) {
        (Some(live), Made::Here | Made::HereAndChanged) => {
            let sent = marked_alike(&job.job, live);
            let waits = live["spec"]["suspend"] == true;
            apply(cluster, job, &sent, &mut asked).await?;
            if made == Made::HereAndChanged && asked.without.is_empty() {
                create(cluster, job, &mut asked).await?;
            }
            if let (Decided::ByTable(_), Some(live), true) = (&asked.decided, &asked.live, waits) {
                let version = cluster.server_version().await?;
                asked.decided = Decided::ByTable(Template::of(live, version.as_deref()));
            }
        }
        (Some(_), Made::ByMage) => create(cluster, job, &mut asked).await?,
        (None, _) => {
            create(cluster, job, &mut asked).await?;
            // Of a new Job only what somebody set is shown.
            asked.after = After::Sent;
        }
    }
    Ok(asked)
}

/// Asks what a server-side apply would make of the Job that is there.
async fn apply(
    cluster: &Cluster,
    job: &RenderedJob,
    sent: &Json,
    asked: &mut Asked,
) -> Result<(), ClusterError> {
    let mut how = Applying { effect: Effect::Told, ownership: Ownership::Respected };
    loop {
        match cluster.apply_job(&job.namespace, sent, how).await {
            Ok(applied) => {
                asked.after = After::Answered(applied.job);
                asked.decided = Decided::ByServer(Vec::new());
            }
            Err(ApplyError::Conflict(conflicts)) if how.ownership == Ownership::Respected => {
                asked.conflicts = conflicts;
                // What this tool posted where it might not patch is its own all the same.
                asked.conflicts.retain(|conflict| conflict.manager != MANAGER);
                how.ownership = Ownership::Taken;
                continue;
            }
            // What cannot be changed is made anew, and so is the rest with it.
            Err(ApplyError::Immutable(fields)) => {
                let fields = fields.iter().map(|refused| refused.field.as_str());
                asked.decided = Decided::by_refused(fields);
                create(cluster, job, asked).await?;
            }
            Err(ApplyError::Conflict(_)) => asked.after = After::Sent,
            Err(ApplyError::Other(error)) => {
                if !is_about_asking(&error) {
                    return refused(error, asked);
                }
                asked.without.push(error);
                create(cluster, job, asked).await?;
            }
        }
        return Ok(());
    }
}

/// Asks what the server would make of the Job as a new one.
async fn create(
    cluster: &Cluster,
    job: &RenderedJob,
    asked: &mut Asked,
) -> Result<(), ClusterError> {
    match ask_job(cluster, job).await {
        Ok(mut answer) => {
            // It may have been asked about under another name.
            answer["metadata"]["name"] = json!(job.name);
            asked.after = After::Answered(answer);
        }
        Err(error) if is_about_asking(&error) || is_no_namespace(&error) => {
            asked.without.push(error);
        }
        Err(error) => return refused(error, asked),
    }
    Ok(())
}

/// Tells whether an error says nothing of the Job: a right is missing, or an admission webhook cannot be
/// asked without an effect.
fn is_about_asking(error: &ClusterError) -> bool {
    let no_dry_run = matches!(error, ClusterError::Refused { message, .. }
        if message.contains("does not support dry run"));
    error.missing_right().is_some() || no_dry_run
}

pub(super) fn is_no_namespace(error: &ClusterError) -> bool {
    matches!(error, ClusterError::NotFound { message, .. } if message.starts_with("namespaces "))
}

fn refused(error: ClusterError, asked: &mut Asked) -> Result<(), ClusterError> {
    match violations(&error) {
        Some(violations) => {
            asked.refused = violations;
            Ok(())
        }
        None => Err(error),
    }
}

/// Puts this tool's marks on a Job where the one that stands there has them, as `apply` does: those of its
/// pods cannot be changed.
fn marked_alike(job: &Json, live: &Json) -> Json {
    let mut sent = job.clone();
    for pointer in ["/metadata", "/spec/template/metadata"] {
        for kind in ["labels", "annotations"] {
            let marks = live.pointer(&format!("{pointer}/{kind}")).and_then(Json::as_object);
            for (key, value) in marks.into_iter().flatten().filter(|(key, _)| is_mark(key)) {
                let metadata = sent.pointer_mut(pointer).and_then(Json::as_object_mut);
                let Some(metadata) = metadata else { continue };
                let map = metadata.entry(kind).or_insert_with(|| json!({}));
                map[key] = value.clone();
            }
        }
    }
    keep_token_volume(&mut sent, live);
    sent
}

/// Takes this tool's marks away: they say whose a Job is, and nothing about configuration.
pub(super) fn unmarked(mut job: Json) -> Json {
    if let Some(template) = job.pointer_mut("/spec/template") {
        unmark(template);
    }
    unmark(&mut job);
    job
}

#[cfg(test)]
mod tests {
    use super::{marked_alike, unmarked};
    use serde_json::json;

    #[test]
    fn marks_are_those_of_the_job_that_stands_there() {
        let job = json!({"metadata": {"name": "j", "labels": {"team": "x"}}, "spec": {"template": {"metadata": {"name": "j"}}}});
        let live = json!({
            "metadata": {
                "labels": {"app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/block": "load", "other": "y"},
                "annotations": {"kubectl-mage/block": "load"}
            },
            "spec": {"template": {"metadata": {"labels": {"kubectl-mage/block": "load"}}}}
        });
        let sent = marked_alike(&job, &live);
        assert_eq!(
            sent,
            json!({
                "metadata": {
                    "name": "j",
                    "labels": {"team": "x", "app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/block": "load"},
                    "annotations": {"kubectl-mage/block": "load"}
                },
                "spec": {"template": {"metadata": {"name": "j", "labels": {"kubectl-mage/block": "load"}}}}
            })
        );
        assert_eq!(unmarked(sent), job);
    }
}
