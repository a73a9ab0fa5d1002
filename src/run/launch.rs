//! Creates a block's Job, exactly once, whatever the network does.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::input::Input;
use crate::cluster::{Cluster, ClusterError, JobIdentity, Recorded};

const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(15);

/// Why a Job never will stand in the cluster.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The API server does not take it.
    #[error(transparent)]
    Refused(ClusterError),
    /// The name belongs to another Job.
    #[error("the name job.batch/{name} in namespace {namespace} is taken by {holder}")]
    NameTaken {
        /// The name.
        name: String,
        /// Where.
        namespace: String,
        /// Whose Job it is.
        holder: String,
    },
    /// The Job that was staged is gone, is another one now, or has been started by somebody else.
    #[error("job.batch/{name} in namespace {namespace} is not the one any more that was staged")]
    NotStaged {
        /// The name.
        name: String,
        /// Where.
        namespace: String,
    },
}

/// A Job to create.
pub(super) struct Launch {
    pub(super) block: usize,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) job: Value,
    pub(super) identity: JobIdentity,
    /// The UID of the Job that stands there suspended and is started, in place of a new one.
    pub(super) staged: Option<String>,
    /// What is noted before, and with which plan.
    pub(super) before: Option<(Recorded, Value)>,
}

impl Launch {
    /// Tries until the Job stands or is refused, and tells the dispatcher.
    pub(super) async fn run(mut self, cluster: Cluster, inputs: UnboundedSender<Input>) {
        let mut delay = FIRST_DELAY;
        let mut told = false;
        let result = loop {
            let created = match self.note(&cluster, &inputs).await {
                Ok(()) => self.create(&cluster).await,
                Err(error) => Err(error),
            };
            match created {
                Ok(result) => break result,
                Err(error) => {
                    let wait = error.retry_after().unwrap_or(delay);
                    if !std::mem::replace(&mut told, true) {
                        let _ = inputs.send(Input::LaunchDelayed(self.block, error));
                    }
                    tokio::time::sleep(wait).await;
                    delay = (delay * 2).min(LONGEST_DELAY);
                }
            }
        };
        let _ = inputs.send(Input::Launched(self.block, self.identity.attempt, Box::new(result)));
    }

    /// Notes that the Job is about to be created; an error is worth another try.
    async fn note(
        &mut self,
        cluster: &Cluster,
        inputs: &UnboundedSender<Input>,
    ) -> Result<(), ClusterError> {
        let Some((plan, note)) = &self.before else { return Ok(()) };
        match cluster.annotate_config_map(&plan.namespace, &plan.name, note).await {
            Err(error) if error.is_loss() => return Err(error),
            Err(error) => drop(inputs.send(Input::BeginNotNoted(error))),
            Ok(()) => {}
        }
        self.before = None;
        Ok(())
    }

    /// Tries once to start what is staged; an error is worth another try.
    async fn release(
        &self,
        cluster: &Cluster,
        uid: &str,
    ) -> Result<Result<Job, Refusal>, ClusterError> {
        let error = match cluster.release_job(&self.namespace, &self.job, uid).await {
            Ok(job) => return Ok(Ok(job)),
            Err(error) => error,
        };
        match error {
            error if error.is_loss() || error.is_busy() => Err(error),
            ClusterError::NotFound { .. } | ClusterError::Refused { code: 409 | 422, .. } => {
                let (name, namespace) = (self.name.clone(), self.namespace.clone());
                Ok(Err(Refusal::NotStaged { name, namespace }))
            }
            error => Ok(Err(Refusal::Refused(error))),
        }
    }

    /// Tries once; an error is worth another try.
    async fn create(&self, cluster: &Cluster) -> Result<Result<Job, Refusal>, ClusterError> {
        if let Some(uid) = &self.staged {
            return self.release(cluster, uid).await;
        }
        match cluster.create_job(&self.namespace, &self.job).await {
            Ok(job) => Ok(Ok(job)),
            Err(error) if error.is_already_exists() => self.found(cluster).await,
            Err(error) if error.is_loss() || matches!(error, ClusterError::Quota { .. }) => {
                Err(error)
            }
            Err(error) => Ok(Err(Refusal::Refused(error))),
        }
    }

    /// Looks whose Job has the name: ours, when the answer to an earlier POST was lost.
    async fn found(&self, cluster: &Cluster) -> Result<Result<Job, Refusal>, ClusterError> {
        let job = match cluster.get_job(&self.namespace, &self.name).await {
            Ok(Some(job)) => job,
            // It went away in between; the next POST will tell.
            Ok(None) => return Box::pin(self.again(cluster)).await,
            Err(error) if error.is_loss() => return Err(error),
            Err(error) => return Ok(Err(Refusal::Refused(error))),
        };
        if self.identity.matches(&job) {
            return Ok(Ok(job));
        }
        let label = |key: &str| job.metadata.labels.as_ref().and_then(|all| all.get(key)).cloned();
        let holder = match label(crate::cluster::RUN) {
            Some(run) => format!("a Job of run {run}"),
            None => "a Job that is not of this tool".to_owned(),
        };
        let namespace = self.namespace.clone();
        Ok(Err(Refusal::NameTaken { name: self.name.clone(), namespace, holder }))
    }

    async fn again(&self, cluster: &Cluster) -> Result<Result<Job, Refusal>, ClusterError> {
        tokio::time::sleep(FIRST_DELAY).await;
        match cluster.create_job(&self.namespace, &self.job).await {
            Ok(job) => Ok(Ok(job)),
            Err(error) if error.is_loss() || error.is_already_exists() => Err(error),
            Err(error) => Ok(Err(Refusal::Refused(error))),
        }
    }
}
