//! Who drives a run: one client at a time holds its Lease and renews it while it lives.
//!
//! The Lease spares two clients from meddling with each other's decisions. That no Job is created
//! twice does not hang on it: names depend on run, block and attempt alone.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::driver::driver_name;
use super::input::Input;
use super::record::own;
use super::run_id::RunId;
use crate::cluster::{
    Cluster, ClusterError, JobState, MANAGED_BY, MANAGER, RUN, Recorded, job_state, label_value,
};

/// How long after its last sign of life a driver is taken for dead.
const GOOD_FOR: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often somebody who only watches looks whether the run is driven.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// The Lease of a run, to be held or looked at.
#[derive(Clone)]
pub(super) struct RunLease {
    pub(super) cluster: Cluster,
    /// The plan, which owns the Lease and has the same name.
    pub(super) plan: Recorded,
    pub(super) run: String,
    /// Who this process is.
    pub(super) identity: String,
}

/// A Lease that this process holds, by its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held(pub(super) String);

/// What came of asking for a Lease.
#[derive(Clone, Debug)]
pub enum Claim {
    /// It is ours.
    Held(Held),
    /// Somebody else drives the run right now.
    Driven(String),
    /// Leases are not allowed here.
    Forbidden(ClusterError),
}

/// What is learned of a Lease.
#[derive(Clone, Debug)]
pub(super) enum LeaseNews {
    /// Somebody else holds it now.
    Lost(String),
    /// It cannot be had.
    Forbidden(ClusterError),
    /// Who drives the run, for somebody who only watches; `None` when nobody does.
    Driver(Option<String>),
}

/// Returns a name for this process that no other has.
#[must_use]
pub fn identity(user: Option<&str>) -> String {
    let host = gethostname::gethostname();
    let process = std::process::id();
    let random = RandomState::new().hash_one(process);
    let user = user.unwrap_or("somebody");
    format!("{user}@{}, process {process}/{random:016x}", host.to_string_lossy())
}

/// Returns what people know a holder by.
#[must_use]
pub fn holder_name(identity: &str) -> &str {
    identity.rsplit_once('/').map_or(identity, |(name, _)| name)
}

impl RunLease {
    /// `at` is the server's time, where it is known.
    fn spec(&self, transitions: i32, at: Option<Timestamp>) -> Value {
        let now = written(at.unwrap_or_else(Timestamp::now));
        json!({
            "holderIdentity": self.identity,
            "leaseDurationSeconds": GOOD_FOR.as_secs(),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        })
    }

    async fn create(&self) -> Result<Held, ClusterError> {
        let mut body = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.plan.name,
                "labels": { (MANAGED_BY): MANAGER, (RUN): label_value(&self.run) },
            },
            "spec": self.spec(0, None),
        });
        own(&mut body, &self.plan);
        let made = self.cluster.create_lease(&self.plan.namespace, &self.plan.name, &body).await;
        made.map(|lease| Held(lease.version))
    }

    /// Takes the Lease, unless its holder lives: whoever drives renews it, which is waited for.
    /// `wait` is told once, when there is something to wait for.
    pub(super) async fn claim(&self, mut wait: impl FnMut(&str)) -> Result<Claim, ClusterError> {
        let (namespace, name) = (&self.plan.namespace, &self.plan.name);
        let mut seen: Option<String> = None;
        loop {
            let lease = match self.cluster.get_lease(namespace, name).await {
                Err(error @ ClusterError::Forbidden { .. }) => return Ok(Claim::Forbidden(error)),
                lease => lease?,
            };
            let claimed = match lease {
                None => self.create().await,
                Some(lease) if lease.holder.as_deref() == Some(&self.identity) => {
                    return Ok(Claim::Held(Held(lease.version)));
                }
                Some(lease) => {
                    if let Some(holder) = lease.driver() {
                        match &seen {
                            Some(version) if *version != lease.version => {
                                return Ok(Claim::Driven(holder.to_owned()));
                            }
                            Some(_) => {}
                            None => wait(holder),
                        }
                        seen = Some(lease.version);
                        tokio::time::sleep(LOOK_EVERY).await;
                        continue;
                    }
                    let spec = self.spec(lease.transitions + 1, lease.now);
                    let updated =
                        self.cluster.update_lease(namespace, name, &lease.version, &spec).await;
                    updated.map(|lease| Held(lease.version))
                }
            };
            match claimed {
                Ok(held) => return Ok(Claim::Held(held)),
                // Somebody was faster, and is looked at now.
                Err(ClusterError::Refused { code: 409, .. }) => {}
                Err(error @ ClusterError::Forbidden { .. }) => return Ok(Claim::Forbidden(error)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Renews the Lease until it is lost or may not be had, and tells that.
    pub(super) async fn hold(self, held: Option<Held>, inputs: UnboundedSender<Input>) {
        let mut version = held.map(|held| held.0);
        loop {
            let news = match &version {
                None => self.take().await,
                Some(version) => self.renew(version).await,
            };
            match news {
                Ok(Ok(renewed)) => version = Some(renewed),
                Ok(Err(news)) => {
                    let _ = inputs.send(Input::Lease(news));
                    return;
                }
                // The watches tell about lost contact.
                Err(_) => {}
            }
            tokio::time::sleep(RENEW_EVERY).await;
        }
    }

    /// Takes the Lease of a run that this process began.
    async fn take(&self) -> Result<Result<String, LeaseNews>, ClusterError> {
        match self.create().await {
            Ok(held) => Ok(Ok(held.0)),
            Err(ClusterError::Refused { code: 409, .. }) => self.look_whose().await,
            Err(error @ ClusterError::Forbidden { .. }) => Ok(Err(LeaseNews::Forbidden(error))),
            Err(error) => Err(error),
        }
    }

    async fn renew(&self, version: &str) -> Result<Result<String, LeaseNews>, ClusterError> {
        let spec = json!({"renewTime": written(Timestamp::now())});
        let (namespace, name) = (&self.plan.namespace, &self.plan.name);
        match self.cluster.update_lease(namespace, name, version, &spec).await {
            Ok(lease) => Ok(Ok(lease.version)),
            Err(ClusterError::Refused { code: 409, .. }) => self.look_whose().await,
            Err(error @ ClusterError::Forbidden { .. }) => Ok(Err(LeaseNews::Forbidden(error))),
            Err(error) => Err(error),
        }
    }

    /// Finds out who changed the Lease: this process, when the answer was lost.
    async fn look_whose(&self) -> Result<Result<String, LeaseNews>, ClusterError> {
        let lease = self.cluster.get_lease(&self.plan.namespace, &self.plan.name).await?;
        Ok(match lease {
            Some(lease) => match lease.holder {
                Some(holder) if holder != self.identity => Err(LeaseNews::Lost(holder)),
                _ => Ok(lease.version),
            },
            None => Ok(String::new()),
        })
    }

    /// Gives the Lease back, so that nobody has to wait until it runs out.
    pub(super) async fn release(&self) {
        let (namespace, name) = (&self.plan.namespace, &self.plan.name);
        let Ok(Some(lease)) = self.cluster.get_lease(namespace, name).await else { return };
        if lease.holder.as_deref() == Some(&self.identity) {
            let spec = json!({"holderIdentity": null});
            let _ = self.cluster.update_lease(namespace, name, &lease.version, &spec).await;
        }
    }

    /// Names the driver Job of the run, if there is one that has not ended: where its pod was taken
    /// away, another one comes.
    async fn coming_driver(&self) -> Option<String> {
        let name = driver_name(&RunId::named(&self.run));
        let job = self.cluster.get_job(&self.plan.namespace, &name).await.ok()??;
        let over = matches!(job_state(&job), JobState::Complete | JobState::Failed { .. });
        (!over && job.metadata.deletion_timestamp.is_none()).then(|| format!("job.batch/{name}"))
    }

    /// Tells again and again who drives the run.
    pub(super) async fn observe(self, inputs: UnboundedSender<Input>) {
        loop {
            match self.cluster.get_lease(&self.plan.namespace, &self.plan.name).await {
                Ok(lease) => {
                    let driver = lease.and_then(|lease| lease.driver().map(str::to_owned));
                    let driver = match driver {
                        None => self.coming_driver().await,
                        driver => driver,
                    };
                    let _ = inputs.send(Input::Lease(LeaseNews::Driver(driver)));
                }
                Err(error @ ClusterError::Forbidden { .. }) => {
                    let _ = inputs.send(Input::Lease(LeaseNews::Forbidden(error)));
                    return;
                }
                Err(_) => {}
            }
            tokio::time::sleep(WATCH_EVERY).await;
        }
    }
}

/// Returns a time as a Lease wants it.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::{holder_name, identity, written};

    #[test]
    fn a_holder_has_a_name_of_its_own_and_one_for_people() {
        let (a, b) = (identity(Some("me")), identity(Some("me")));
        assert_ne!(a, b);
        assert!(holder_name(&a).starts_with("me@"), "{a}");
        assert_eq!(holder_name(&a), holder_name(&b));
        let epoch = k8s_openapi::jiff::Timestamp::UNIX_EPOCH;
        assert_eq!(written(epoch), "1970-01-01T00:00:00.000000Z");
    }
}
