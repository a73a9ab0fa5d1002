//! Who drives runs, by their Leases.

use k8s_openapi::api::batch::v1::Job;

use super::look::allowed;
use crate::cluster::{
    ClusterError, DRIVER, Driving, JobState, Lease, PlanFacts, RUN, RunRow, Source, job_state,
};
use crate::run::record_name;

pub(super) const UNKNOWN: &str = "who drives is not known";

/// Says who drives a run by its Lease, which its plan owns: none of it and no plan tells nothing.
pub(super) fn driving(
    lease: Result<Option<Lease>, ClusterError>,
    has_plan: bool,
    coming: Option<String>,
    missing: &mut Vec<String>,
) -> Result<Driving, ClusterError> {
    if let Err(ClusterError::Forbidden { .. }) = lease {
        return allowed(lease, UNKNOWN, missing).map(|_| Driving::Unknown);
    }
    Ok(told(lease?.as_ref(), has_plan, coming))
}

fn told(lease: Option<&Lease>, has_plan: bool, coming: Option<String>) -> Driving {
    let nobody = if has_plan { Driving::Nobody } else { Driving::Unknown };
    match (lease.map_or(nobody, Lease::driving), coming) {
        (Driving::Nobody, Some(holder)) => Driving::By { holder, since: None },
        (driving, _) => driving,
    }
}

/// Says of each run who drives it.
pub(super) fn fill(rows: &mut [RunRow], leases: &[Lease], plans: &[PlanFacts], jobs: &[Job]) {
    for row in rows.iter_mut().filter(|row| row.source == Source::Run) {
        let name = record_name(&row.run);
        let lease = leases.iter().find(|l| l.namespace == row.namespace && l.name == name);
        let is_its = |plan: &PlanFacts| plan.namespace == row.namespace && plan.run == row.run;
        let coming = coming_driver(jobs, &row.namespace, &row.run);
        row.driving = told(lease, plans.iter().any(is_its), coming);
    }
}

/// Names the driver Job of a run that has not ended: where its pod was taken away, another one comes.
pub(super) fn coming_driver(jobs: &[Job], namespace: &str, run: &str) -> Option<String> {
    let is_driver = |job: &&Job| {
        let labels = job.metadata.labels.as_ref();
        let over = matches!(job_state(job), JobState::Complete | JobState::Failed { .. });
        labels.is_some_and(|all| all.contains_key(DRIVER) && all.get(RUN).is_some_and(|r| r == run))
            && job.metadata.namespace.as_deref() == Some(namespace)
            && job.metadata.deletion_timestamp.is_none()
            && !over
    };
    Some(format!("job.batch/{}", jobs.iter().find(is_driver)?.metadata.name.as_ref()?))
}

#[cfg(test)]
mod tests {
    use super::{coming_driver, told};
    use crate::cluster::Driving;
    use serde_json::json;

    #[test]
    fn a_driver_whose_pod_is_away_comes_back_and_without_a_plan_nothing_tells() {
        let coming = Some("job.batch/d".to_owned());
        let by = |holder: &str| Driving::By { holder: holder.to_owned(), since: None };
        assert_eq!(told(None, true, coming.clone()), by("job.batch/d"));
        assert_eq!(told(None, true, None), Driving::Nobody);
        assert_eq!(told(None, false, coming), Driving::Unknown);
    }

    #[test]
    fn the_driver_of_a_run_is_found_among_its_jobs() {
        let job = |run: &str, conditions: serde_json::Value| {
            serde_json::from_value(json!({
                "metadata": {"name": format!("d-{run}"), "namespace": "n", "labels": {
                    "kubectl-mage/run": run, "kubectl-mage/driver": "true"
                }},
                "spec": {"template": {}}, "status": {"conditions": conditions},
            }))
            .unwrap()
        };
        let jobs = [job("a", json!([])), job("b", json!([{"type": "Complete", "status": "True"}]))];
        assert_eq!(coming_driver(&jobs, "n", "a").as_deref(), Some("job.batch/d-a"));
        for (namespace, run) in [("n", "b"), ("m", "a"), ("n", "c")] {
            assert_eq!(coming_driver(&jobs, namespace, run), None);
        }
    }
}
