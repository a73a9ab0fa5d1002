//! `prune`

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::delete::{tell, would_go};
use super::facts::connect;
use super::guard::{Confirmation, confirm, refuse_readonly};
use crate::cli::PruneArgs;
use crate::cluster::{
    Belongs, Cluster, ClusterError, MANAGED_BY, MANAGER, PlanFacts, RUN, RunRow, RunStatus, Source,
    belongs, group_runs, pod_belongs,
};
use crate::error::CliError;
use crate::exit::Exit;
use crate::run::{Remains, remains, remove_remains};
use crate::ui::{Printer, plural};

/// Removes the runs that ended long ago.
pub(super) fn prune(args: &PruneArgs, printer: Printer) -> Result<Exit, CliError> {
    if !args.dry_run {
        refuse_readonly("unset it, or look first with --dry-run")?;
    }
    let connected = connect(&args.connection)?;
    let cluster = &connected.cluster;
    let namespace = (!args.all_namespaces).then(|| cluster.namespace().to_owned());
    let made = connected.runtime.block_on(Made::read(cluster, namespace.as_deref(), printer))?;
    let age = SignedDuration::try_from(args.older_than).unwrap_or(SignedDuration::MAX);
    let now = Timestamp::now();
    let runs = group_runs(&made.jobs, &made.plans);
    let old: Vec<&RunRow> = runs.iter().filter(|row| is_old(row, now, age)).collect();
    let paused =
        runs.iter().filter(|row| row.status == RunStatus::Stopped && ended_before(row, now, age));
    let paused = paused.count();
    if paused > 0 {
        printer.notice(&format!(
            "{} stay, for they can be gone on with: `kubectl mage delete RUN` removes one",
            plural(paused, "paused run")
        ));
    }
    if old.is_empty() {
        printer.notice("No run is that old.");
        return Ok(Exit::Fine);
    }
    let all: Vec<Vec<Remains>> = old.iter().map(|row| made.of(row)).collect();
    if args.dry_run {
        return would_go(&all.concat(), printer);
    }
    let context = cluster.context().unwrap_or_default().to_owned();
    let wanted =
        Confirmation { what: "the context's name", text: &context, nothing: "nothing was deleted" };
    confirm(cluster, args.yes, &wanted, printer)?;
    for (row, remains) in old.iter().zip(&all) {
        let left = connected.runtime.block_on(remove_remains(cluster, remains, &made.pods))?;
        tell(&row.run, remains, &left, printer)?;
    }
    printer.notice(&format!("{} deleted", plural(old.len(), "run")));
    Ok(Exit::Fine)
}

fn is_old(row: &RunRow, now: Timestamp, age: SignedDuration) -> bool {
    let over = matches!(row.status, RunStatus::Complete | RunStatus::Failed | RunStatus::Cancelled);
    row.source == Source::Run && over && ended_before(row, now, age)
}

/// Tells whether a run ended longer ago; one without a Job ended when it began.
fn ended_before(row: &RunRow, now: Timestamp, age: SignedDuration) -> bool {
    let end = row.ended.or(row.started);
    end.is_some_and(|end| now.duration_since(end) >= age)
}

/// Everything that this tool made, as far as it may be read.
struct Made {
    jobs: Vec<Job>,
    pods: Vec<Pod>,
    plans: Vec<PlanFacts>,
}

impl Made {
    async fn read(
        cluster: &Cluster,
        namespace: Option<&str>,
        printer: Printer,
    ) -> Result<Self, ClusterError> {
        let selector = format!("{MANAGED_BY}={MANAGER},{RUN}");
        let (jobs, pods, plans) = tokio::join!(
            cluster.list_jobs(namespace, &selector),
            cluster.list_all_pods(namespace, &selector),
            cluster.list_plans(namespace, &selector),
        );
        let plans = match plans {
            Err(ClusterError::Forbidden { action, .. }) => {
                printer.notice(&format!("recorded plans stay: no right to {action}"));
                Vec::new()
            }
            plans => plans?,
        };
        Ok(Self { jobs: jobs?, pods: pods?, plans })
    }

    /// Lists what is of one run.
    fn of(&self, row: &RunRow) -> Vec<Remains> {
        let its = |of: Option<Belongs>, namespace: &Option<String>| {
            of.is_some_and(|of| of.source == Source::Run && of.run == row.run)
                && namespace.as_ref() == Some(&row.namespace)
        };
        let jobs: Vec<Job> = self
            .jobs
            .iter()
            .filter(|job| its(belongs(job), &job.metadata.namespace))
            .cloned()
            .collect();
        let pods: Vec<Pod> = self
            .pods
            .iter()
            .filter(|pod| its(pod_belongs(pod), &pod.metadata.namespace))
            .cloned()
            .collect();
        let plan =
            self.plans.iter().find(|plan| plan.run == row.run && plan.namespace == row.namespace);
        remains(plan, &jobs, &pods)
    }
}

#[cfg(test)]
mod tests {
    use super::is_old;
    use crate::cluster::{Driving, RunRow, RunStatus, Source};
    use k8s_openapi::jiff::SignedDuration;

    #[test]
    fn only_what_is_over_and_ours_grows_old() {
        let row = |status, source| RunRow {
            namespace: "n".to_owned(),
            run: "r".to_owned(),
            source,
            pipeline: "p".to_owned(),
            status,
            done: 0,
            unmet: 0,
            total: None,
            started: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            ended: Some("2026-01-02T00:00:00Z".parse().unwrap()),
            driving: Driving::Unknown,
        };
        let old = |status, source, hours| {
            let now = "2026-01-03T00:00:00Z".parse().unwrap();
            is_old(&row(status, source), now, SignedDuration::from_hours(hours))
        };
        for status in [RunStatus::Complete, RunStatus::Failed, RunStatus::Cancelled] {
            assert!(old(status, Source::Run, 24) && !old(status, Source::Run, 25));
            assert!(!old(status, Source::Server, 1));
        }
        for status in [RunStatus::Running, RunStatus::Stopped, RunStatus::Unknown] {
            assert!(!old(status, Source::Run, 1));
        }
    }
}
