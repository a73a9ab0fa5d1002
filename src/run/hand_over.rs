//! Hands a run over to a driver in the cluster, and waits until that drives it.

use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::adoption::{end_of_log, newest_pod};
use super::dispatcher::{Dispatcher, Hold};
use super::driver::{CONTAINER, Driver, driver_job, driver_name};
use super::options::{OnInterrupt, Options};
use super::outcome::Stop;
use super::plan::Plan;
use super::record::{self, PackedPlan};
use super::run_id::RunId;
use super::settle::job_uid;
use super::signals::Signals;
use crate::cluster::{
    Cluster, ClusterError, ContainerPhase, DRIVER, EventFacts, RUN, Recorded, container_status,
    container_view, label_value, run_selector,
};
use crate::diagnose::{Cause, Pending, PendingKind, job_failure, pending, start_cause};

const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long a driver that is of no use may take to go.
const LEAVING: Duration = Duration::from_secs(40);

/// Why no driver drives the run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotDriven {
    /// The cluster refused something, or could not be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The driver's name belongs to a Job that this tool did not make.
    #[error("the name job.batch/{name} in namespace {namespace} is taken by another Job")]
    NameTaken {
        /// The name.
        name: String,
        /// Where.
        namespace: String,
    },
    /// The driver cannot start, or ended at once.
    #[error("job.batch/{name} in namespace {namespace} does not drive the run: {}", .cause.sentence)]
    CouldNotStart {
        /// The Job's name.
        name: String,
        /// Where.
        namespace: String,
        /// Why.
        cause: Box<Cause>,
        /// What the driver said last.
        lines: Vec<String>,
        /// Whether it could not be removed.
        remains: bool,
    },
}

/// A run that is given to a driver.
#[derive(Clone, Copy)]
pub struct HandOver<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The run.
    pub run: &'a RunId,
    /// Its plan.
    pub recorded: &'a Recorded,
    /// Who drives it.
    pub driver: &'a Driver,
    /// How long the driver may take to start.
    pub options: &'a Options,
    /// Who gives it, as the Lease names them; nobody where the run has not begun.
    pub giver: &'a str,
}

/// Records the plan of a run that a driver is to begin.
pub async fn record_for_driver(
    cluster: &Cluster,
    plan: &Plan,
    run: &RunId,
    packed: &PackedPlan,
) -> Result<Option<Recorded>, ClusterError> {
    record::record(cluster, plan, run, packed).await
}

impl HandOver<'_> {
    /// Creates the driver and waits until it drives, which the Lease tells; nobody may hold that
    /// now. `tell` learns what keeps the driver from its start. A driver that does not drive is
    /// removed again.
    pub async fn run(self, mut tell: impl FnMut(&str)) -> Result<(), NotDriven> {
        let before = self.transitions().await?;
        let job = self.create().await?;
        let started = self.await_driving(&job, before, &mut tell).await;
        let Err((cause, lines)) = started else { return Ok(()) };
        let remains = !self.remove(&job).await;
        Err(NotDriven::CouldNotStart {
            name: driver_name(self.run),
            namespace: self.recorded.namespace.clone(),
            cause: Box::new(cause),
            lines,
            remains,
        })
    }

    /// How often the Lease has changed hands; none without a Lease.
    async fn transitions(&self) -> Result<Option<i32>, ClusterError> {
        match self.cluster.get_lease(&self.recorded.namespace, &self.recorded.name).await {
            Ok(lease) => Ok(lease.map(|lease| lease.transitions)),
            Err(ClusterError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates the Job, in the place of an earlier driver of the run.
    async fn create(&self) -> Result<Job, NotDriven> {
        let (namespace, name) = (&self.recorded.namespace, driver_name(self.run));
        let body = driver_job(self.run, self.recorded, self.driver);
        let deadline = Instant::now() + LEAVING;
        loop {
            match self.cluster.create_job(namespace, &body).await {
                Ok(job) => return Ok(job),
                Err(error) if error.is_already_exists() => {}
                Err(error) if error.is_transient() && Instant::now() < deadline => {
                    tokio::time::sleep(error.retry_after().unwrap_or(LOOK_EVERY)).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if let Some(old) = self.cluster.get_job(namespace, &name).await? {
                if !self.is_driver(&old) || Instant::now() >= deadline {
                    return Err(NotDriven::NameTaken { name, namespace: namespace.clone() });
                }
                let uid = old.metadata.uid.unwrap_or_default();
                self.cluster.delete_job(namespace, &name, &uid).await?;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn is_driver(&self, job: &Job) -> bool {
        let label = |key: &str| job.metadata.labels.as_ref().and_then(|all| all.get(key));
        label(DRIVER).is_some() && label(RUN) == Some(&label_value(self.run.as_str()))
    }

    async fn await_driving(
        &self,
        job: &Job,
        before: Option<i32>,
        tell: &mut impl FnMut(&str),
    ) -> Result<(), (Cause, Vec<String>)> {
        let mut trouble = Trouble::new(self.options);
        let (namespace, name) = (&self.recorded.namespace, &self.recorded.name);
        loop {
            let lease = self.cluster.get_lease(namespace, name).await;
            let unseen = matches!(lease, Err(ClusterError::Forbidden { .. }));
            if let Ok(Some(lease)) = &lease
                && (lease.driver().is_some_and(|holder| holder != self.giver)
                    || before != Some(lease.transitions))
            {
                return Ok(());
            }
            let pod = newest_pod(self.cluster, job).await;
            let phase = pod.as_ref().map(|pod| container_view(pod, CONTAINER).phase);
            match (&pod, phase) {
                (Some(_), Some(ContainerPhase::Running)) if unseen => return Ok(()),
                (Some(pod), Some(ContainerPhase::Terminated)) => {
                    // It may have held the Lease since that was looked at.
                    let now = self.transitions().await;
                    if now.is_ok_and(|now| now != before) || (unseen && ended_well(pod)) {
                        return Ok(());
                    }
                    return Err(self.ended(job, pod).await);
                }
                _ => {}
            }
            let now = match &pod {
                Some(pod) => pending(pod),
                None => self.without_pod(job).await,
            };
            trouble.take(now, pod.as_ref(), tell);
            if let Some(cause) = trouble.too_long(pod.as_ref()) {
                return Err((cause, Vec::new()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Says why the Job has no pod, if anything does.
    async fn without_pod(&self, job: &Job) -> Option<Pending> {
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        let fields = format!("involvedObject.uid={uid}");
        let events = self.cluster.list_events(&self.recorded.namespace, &fields).await.ok()?;
        let warning = events.iter().map(EventFacts::from).rfind(|event| event.warning)?;
        Some(Pending { kind: PendingKind::NoPod, reason: warning.reason, message: warning.message })
    }

    /// Says why a driver ended that never drove.
    async fn ended(&self, job: &Job, pod: &Pod) -> (Cause, Vec<String>) {
        let lines = match end_of_log(pod) {
            Some(request) => self.cluster.read_tail(&request).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let cause = if ended_well(pod) {
            Cause::new("Completed", "it ended before it drove the run")
        } else {
            job_failure(job, &[pod], &lines)
        };
        (cause, lines)
    }

    /// Removes the Job and waits until its pods are gone; tells whether they are.
    async fn remove(&self, job: &Job) -> bool {
        let (namespace, name) = (&self.recorded.namespace, driver_name(self.run));
        let Some(uid) = job.metadata.uid.as_deref() else { return false };
        if self.cluster.delete_job(namespace, &name, uid).await.is_err() {
            return false;
        }
        let selector = format!("{},{DRIVER}", run_selector(self.run.as_str()));
        let deadline = Instant::now() + LEAVING;
        while Instant::now() < deadline {
            let pods = self.cluster.list_pods(namespace, &selector).await;
            if pods.is_ok_and(|pods| !pods.iter().any(|pod| job_uid(pod) == Some(uid))) {
                return true;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        false
    }
}

fn ended_well(pod: &Pod) -> bool {
    let state = container_status(pod, CONTAINER).and_then(|status| status.state.as_ref());
    state.and_then(|state| state.terminated.as_ref()).is_some_and(|ended| ended.exit_code == 0)
}

/// What keeps the driver from its start, and for how long.
struct Trouble<'a> {
    options: &'a Options,
    begun: Instant,
    now: Option<Pending>,
    /// Since when it is one that will hardly pass by itself.
    bad: Option<Instant>,
}

impl<'a> Trouble<'a> {
    fn new(options: &'a Options) -> Self {
        Self { options, begun: Instant::now(), now: None, bad: None }
    }

    fn take(&mut self, now: Option<Pending>, pod: Option<&Pod>, tell: &mut impl FnMut(&str)) {
        let kind = now.as_ref().map(|pending| pending.kind);
        let is_bad = |kind: PendingKind| {
            matches!(kind, PendingKind::Image | PendingKind::Hopeless | PendingKind::NoPod)
        };
        if kind.is_some_and(is_bad) {
            self.bad.get_or_insert_with(Instant::now);
        } else {
            self.bad = None;
        }
        let same = self.now.as_ref().map(|pending| pending.kind) == kind;
        if let Some(pending) = now.as_ref().filter(|p| p.kind != PendingKind::Preparing && !same) {
            let cause = start_cause(pending, pod);
            tell(&format!("the driver has not started: {}", cause.sentence));
        }
        self.now = now;
    }

    /// Says why it has not started, once it has taken too long.
    fn too_long(&self, pod: Option<&Pod>) -> Option<Cause> {
        let hopeless = self.now.as_ref().is_some_and(|p| p.kind == PendingKind::Hopeless);
        let bad = self.bad.is_some_and(|since| since.elapsed() >= self.options.image_grace);
        let late = self.begun.elapsed() >= self.options.pending_timeout;
        if !(hopeless || bad || late) {
            return None;
        }
        let Some(pending) = &self.now else {
            let limit = self.options.pending_timeout.as_secs();
            return Some(
                Cause::new("PendingTimeout", format!("it did not begin to drive within {limit} s"))
                    .hint("see whether the cluster's Job controller and scheduler work, or raise --pending-timeout"),
            );
        };
        Some(start_cause(pending, pod))
    }
}

impl Dispatcher<'_> {
    pub(super) fn is_to_be_handed_over(&self) -> bool {
        let signal = matches!(self.stop, Some(Stop::Signal(_)));
        signal && self.options.on_interrupt == OnInterrupt::Detach
    }

    /// Gives the Lease back and lets a driver in the cluster take it; if none does, the run is
    /// paused.
    pub(super) async fn hand_over(&mut self, signals: &mut Signals) {
        let (Some(recorded), Some(driver)) = (&self.recorded, &self.options.driver) else {
            self.notice(
                "no driver can take over a run whose plan is not recorded: it is paused".to_owned(),
            );
            return;
        };
        self.notice(format!(
            "handing the run to job.batch/{}; a second signal exits at once",
            driver_name(self.run)
        ));
        if let Some(holding) = self.holding.take() {
            holding.abort();
        }
        if let Some(lease) = &self.lease {
            lease.release().await;
        }
        let elapsed = self.started.elapsed();
        let flags = self.options.resume_flags(elapsed);
        let driver = Driver { flags, age: driver.age + elapsed, ..driver.clone() };
        let parts = HandOver {
            cluster: self.cluster,
            run: self.run,
            recorded,
            driver: &driver,
            options: self.options,
            giver: self.lease.as_ref().map_or("", |lease| lease.identity.as_str()),
        };
        let told = tokio::select! {
            result = parts.run(|text| self.notice(text.to_owned())) => match result {
                Ok(()) => {
                    self.hold = Hold::HandedOver;
                    format!("job.batch/{} drives the run now", driver_name(self.run))
                }
                Err(error) => format!("{error}; the run is paused"),
            },
            _ = signals.next() => format!(
                "not waiting for job.batch/{} any longer: it may still start and drive the run",
                driver_name(self.run)
            ),
        };
        self.notice(told);
    }
}
