//! Sends Jobs that were checked.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use serde_json::Value;
use tokio::sync::mpsc;

use super::check::{Checked, Step, conflict_problems};
use super::object::is_same;
use crate::cluster::{
    ApplyError, Applying, Cluster, Effect, MANAGER, Ownership, WatchScope, Watched,
};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::is_as_sent;

/// How long a Job that is replaced may take to go, where nothing else is said.
const LONGEST_DELETION: Duration = Duration::from_mins(5);

/// What became of a Job, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    Created,
    Configured,
    Unchanged,
    Replaced,
}

impl Became {
    /// Returns kubectl's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Replaced => "replaced",
        }
    }
}

/// A Job as it is now, or would be.
pub(super) struct Done {
    pub(super) became: Became,
    pub(super) job: Value,
}

/// Says what sending would come to, by the server's word or, where it has not been asked to store
/// anything, by comparing.
pub(super) fn would_be(checked: &Checked<'_>) -> Done {
    let Checked { sent, live, step, .. } = checked;
    let done = |became, job: &Value| Done { became, job: job.clone() };
    match (step, live) {
        (Step::Create | Step::Post, _) => done(Became::Created, sent),
        (Step::Keep, Some(live)) => done(Became::Unchanged, live),
        (Step::Replace { .. }, _) => done(Became::Replaced, sent),
        (Step::Change { then, .. }, Some(live)) if is_same(live, then) => {
            done(Became::Unchanged, then)
        }
        (Step::Change { then, .. }, _) => done(Became::Configured, then),
        (Step::Keep, None) => done(Became::Unchanged, sent),
    }
}

/// Says the same without having asked the server about a change.
pub(super) fn compared(sent: &Value, live: Option<&Value>) -> Done {
    let became = match live {
        None => Became::Created,
        Some(live) if is_as_sent(sent, live, MANAGER) => Became::Unchanged,
        Some(_) => Became::Configured,
    };
    Done { became, job: sent.clone() }
}

/// Sends one Job.
pub(super) async fn send(
    cluster: &Cluster,
    checked: &Checked<'_>,
    timeout: Option<Duration>,
) -> Result<Done, CliError> {
    let Checked { loaded, sent, live, step } = checked;
    let (name, namespace) = (&loaded.job.name, &loaded.job.namespace);
    let store = async |sent: &Value, ownership| {
        let how = Applying { effect: Effect::Stored, ownership };
        let answer = cluster.apply_job(namespace, sent, how).await;
        answer.map_err(|error| match error {
            ApplyError::Conflict(conflicts) => {
                let live = live.as_ref().unwrap_or(&Value::Null);
                let problems = conflict_problems(loaded, sent, live, &conflicts);
                CliError { exit: Exit::Cluster, problems }
            }
            ApplyError::Immutable(_) => {
                let message =
                    format!("job.batch/{name} in namespace {namespace} has changed meanwhile");
                CliError::new(Exit::Cluster, Problem::new(message).hint("apply again"))
            }
            ApplyError::Other(error) => error.into(),
        })
    };
    match step {
        Step::Create => {
            let stored = store(sent, Ownership::Respected).await?;
            let became = if stored.created { Became::Created } else { Became::Configured };
            Ok(Done { became, job: stored.job })
        }
        Step::Post => {
            let job = post(cluster, namespace, sent).await?;
            Ok(Done { became: Became::Created, job })
        }
        Step::Change { ownership, .. } => {
            let mut sent = sent.clone();
            if let Some(live) = live
                && let Some(version) = cluster.own_what_was_posted(namespace, live).await?
                && !sent["metadata"]["resourceVersion"].is_null()
            {
                sent["metadata"]["resourceVersion"] = version;
            }
            let job = store(&sent, *ownership).await?.job;
            let same = live.as_ref().is_some_and(|live| is_same(live, &job));
            let became = if same { Became::Unchanged } else { Became::Configured };
            Ok(Done { became, job })
        }
        Step::Keep => Ok(would_be(checked)),
        Step::Replace { uid, posted } => {
            cluster.delete_job_after_pods(namespace, name, uid).await?;
            gone(cluster, namespace, name, uid, timeout.unwrap_or(LONGEST_DELETION)).await?;
            let job = match posted {
                true => post(cluster, namespace, sent).await?,
                false => store(sent, Ownership::Respected).await?.job,
            };
            Ok(Done { became: Became::Replaced, job })
        }
    }
}

async fn post(cluster: &Cluster, namespace: &str, sent: &Value) -> Result<Value, CliError> {
    let job = cluster.create_job(namespace, sent).await?;
    Ok(serde_json::to_value(job).unwrap_or_default())
}

/// Waits until a Job that was deleted is gone, and its pods with it.
async fn gone(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    uid: &str,
    limit: Duration,
) -> Result<(), CliError> {
    let scope = WatchScope {
        namespace: namespace.to_owned(),
        labels: String::new(),
        fields: format!("metadata.name={name}"),
    };
    let (sender, mut seen) = mpsc::unbounded_channel();
    let watch = cluster.watch::<Job>(&scope, move |watched| drop(sender.send(watched)));
    let wait = async {
        while let Some(watched) = seen.recv().await {
            let is_it = |job: &Job| job.metadata.uid.as_deref() == Some(uid);
            match watched {
                Watched::Listed(jobs) if !jobs.iter().any(is_it) => return Ok(()),
                Watched::Applied(job) if !is_it(&job) => return Ok(()),
                Watched::Deleted(job) if is_it(&job) => return Ok(()),
                Watched::Refused(error) => return Err(CliError::from(error)),
                _ => {}
            }
        }
        Ok(())
    };
    let late = || {
        let message = format!(
            "job.batch/{name} in namespace {namespace} was deleted to be replaced and is not gone after {} s: it was not created anew",
            limit.as_secs()
        );
        let hint = format!(
            "see what holds it with `kubectl describe job {name} -n {namespace}`, and apply again"
        );
        CliError::new(Exit::TimedOut, Problem::new(message).hint(hint))
    };
    tokio::select! {
        done = wait => done,
        // It ends only where it may not watch, and says so before.
        () = async { watch.await; std::future::pending::<()>().await } => Ok(()),
        () = tokio::time::sleep(limit) => Err(late()),
    }
}
