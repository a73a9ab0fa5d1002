//! Removes what a run that is over left: Jobs, pods, the plan. Nothing else is ever deleted: each
//! object carries this tool's label and the run's, and is deleted by UID.

use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::settle::{LOOK_EVERY, job_uid};
use crate::cluster::{Cluster, ClusterError, PlanFacts, Recorded};

/// Finished pods go at once; whatever takes longer is told of.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A Job, whose pods go with it.
    Job,
    /// A pod.
    Pod,
    /// The plan, which owns the Jobs of its namespace.
    Plan,
}

/// One object that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    kind: Kind,
    namespace: String,
    name: String,
    uid: String,
}

impl Remains {
    fn of(kind: Kind, metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            kind,
            namespace: metadata.namespace.clone()?,
            name: metadata.name.clone()?,
            uid: metadata.uid.clone()?,
        })
    }

    /// Names it, as kubectl does.
    #[must_use]
    pub fn display(&self) -> String {
        let kind = match self.kind {
            Kind::Job => "job.batch",
            Kind::Pod => "pod",
            Kind::Plan => "configmap",
        };
        format!("{kind}/{}", self.name)
    }

    /// Returns its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// Lists what a run left: Jobs, pods, the plan.
#[must_use]
pub fn remains(plan: Option<&PlanFacts>, jobs: &[Job], pods: &[Pod]) -> Vec<Remains> {
    let jobs = jobs.iter().filter_map(|job| Remains::of(Kind::Job, &job.metadata));
    let pods = pods.iter().filter_map(|pod| Remains::of(Kind::Pod, &pod.metadata));
    let plan = plan.map(|plan| Remains {
        kind: Kind::Plan,
        namespace: plan.namespace.clone(),
        name: plan.name.clone(),
        uid: plan.uid.clone(),
    });
    jobs.chain(pods).chain(plan).collect()
}

/// Deletes them, the plan last, so that it stays as long as anything it explains; waits until the
/// pods are gone. Returns what is still there.
///
/// # Errors
/// What keeps it from deleting.
pub async fn remove_remains(
    cluster: &Cluster,
    all: &[Remains],
    pods: &[Pod],
) -> Result<Vec<String>, ClusterError> {
    let of = |kind: Kind| all.iter().filter(move |item| item.kind == kind);
    for Remains { namespace, name, uid, .. } in of(Kind::Job) {
        cluster.delete_job(namespace, name, uid).await?;
    }
    for Remains { namespace, name, uid, .. } in of(Kind::Pod) {
        let owner =
            pods.iter().find(|pod| pod.metadata.uid.as_ref() == Some(uid)).and_then(job_uid);
        if !of(Kind::Job).any(|job| Some(job.uid.as_str()) == owner) {
            cluster.delete_pod(namespace, name, uid).await?;
        }
    }
    let left = wait(cluster, of(Kind::Pod)).await?;
    for Remains { namespace, name, uid, .. } in of(Kind::Plan) {
        let plan = Recorded { namespace: namespace.clone(), name: name.clone(), uid: uid.clone() };
        match cluster.delete_config_map(&plan).await {
            Ok(())
            | Err(ClusterError::NotFound { .. } | ClusterError::Refused { code: 409, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// Waits until the pods are gone, one after the other.
async fn wait(
    cluster: &Cluster,
    pods: impl Iterator<Item = &Remains>,
) -> Result<Vec<String>, ClusterError> {
    let deadline = Instant::now() + LONGEST_WAIT;
    let mut left = Vec::new();
    for item in pods {
        let Remains { namespace, name, uid, .. } = item;
        loop {
            let there = cluster.get_pod(namespace, name).await?;
            if there.is_none_or(|pod| pod.metadata.uid.as_ref() != Some(uid)) {
                break;
            }
            if Instant::now() >= deadline {
                left.push(format!("{} in namespace {namespace}", item.display()));
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(left)
}
