//! `run --staged`: the Jobs that `apply` left suspended, as the plan of a run.

use serde_json::Value;

use super::facts::Connected;
use super::load::LoadedJob;
use crate::cluster::{JobState, MANAGER, RUN, as_job, is_ours, job_state};
use crate::error::{CliError, Problem};
use crate::exit::Exit;
use crate::job::changed_fields;
use crate::run::{Plan, PlannedBlock};
use crate::ui::Printer;

/// How a Job that is to be started stands.
enum Found {
    /// Suspended, and it never ran: its UID, and the object as it was applied.
    Staged(String, Value),
    /// It is complete: what depends on it may start.
    Complete,
    /// Why it cannot be started.
    Unfit(Problem),
}

/// Puts the Jobs that stand there in the place of those that were rendered; leaves out what is
/// complete. Everything that cannot be started is told at once.
pub(super) fn take_staged(
    plan: &mut Plan,
    jobs: &[LoadedJob],
    connected: &Connected,
    printer: Printer,
) -> Result<(), CliError> {
    let mut problems = Vec::new();
    let mut complete = Vec::new();
    for (block, loaded) in plan.blocks.iter_mut().zip(jobs) {
        let read = connected.cluster.get_job_json(&block.namespace, block.job_name());
        match found(block, connected.runtime.block_on(read)?, &plan.pipeline) {
            Found::Staged(uid, job) => {
                // What is no longer said is not looked for: the marks of this tool are not said either.
                let changes = changed_fields(&loaded.job.job, &job, "", MANAGER);
                if changes.iter().any(|change| change.here.is_some()) {
                    printer.warning(&format!(
                        "{} is staged otherwise than the project says now: what is staged runs",
                        object(block)
                    ));
                }
                block.staged = Some(uid);
                block.job = job;
            }
            Found::Complete => complete.push(block.uuid.clone()),
            Found::Unfit(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(CliError { exit: Exit::Usage, problems });
    }
    for uuid in &complete {
        printer.notice(&format!("{uuid}: its Job is complete already, and is not run again"));
    }
    plan.blocks.retain(|block| !complete.contains(&block.uuid));
    for block in &mut plan.blocks {
        block.upstream.retain(|uuid| !complete.contains(uuid));
    }
    if plan.blocks.is_empty() {
        let problem = Problem::new("nothing is staged: all Jobs are complete");
        return Err(CliError::usage(problem.hint("delete them to apply them anew")));
    }
    Ok(())
}

fn object(block: &PlannedBlock) -> String {
    format!("job.batch/{} in namespace {}", block.job_name(), block.namespace)
}

fn found(block: &PlannedBlock, live: Option<Value>, pipeline: &str) -> Found {
    let object = object(block);
    let target = format!("{pipeline}/{}", block.uuid);
    let unfit =
        |why: &str, hint: String| Found::Unfit(Problem::new(format!("{object} {why}")).hint(hint));
    let Some(mut live) = live else {
        let hint = format!("create it with `kubectl mage apply {target} --suspend`");
        return unfit("is not staged: it does not exist", hint);
    };
    let Some(job) = as_job(&live) else {
        return unfit(
            "cannot be read",
            format!("see `kubectl get job {} -o yaml`", block.job_name()),
        );
    };
    if job_state(&job) == JobState::Complete {
        return Found::Complete;
    }
    let why = format!("see how it stands with `kubectl mage why job/{}`", block.job_name());
    let labels = &live["metadata"]["labels"];
    if !is_ours(&live) {
        return unfit("is not staged: this tool has not made it", why);
    }
    if !labels[RUN].is_null() {
        return unfit("is of a run already", why);
    }
    if job_state(&job) != JobState::Suspended {
        return unfit("is not staged: it is not suspended", why);
    }
    if job.status.as_ref().is_some_and(|status| status.start_time.is_some()) {
        let again = format!(
            "apply it anew with `kubectl delete job {} -n {}` and `kubectl mage apply {target} --suspend`",
            block.job_name(),
            block.namespace
        );
        return unfit("has run before it was suspended", again);
    }
    let uid = job.metadata.uid.unwrap_or_default();
    bare(&mut live);
    Found::Staged(uid, live)
}

/// Takes away what only the object that stands there has, so that another attempt can be made of it.
fn bare(job: &mut Value) {
    if let Some(job) = job.as_object_mut() {
        job.remove("status");
    }
    if let Some(metadata) = job["metadata"].as_object_mut() {
        metadata.retain(|key, _| {
            matches!(
                key.as_str(),
                "name" | "namespace" | "labels" | "annotations" | "ownerReferences"
            )
        });
    }
    if let Some(spec) = job["spec"].as_object_mut() {
        spec.remove("selector");
        spec.remove("suspend");
    }
    for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
        if let Some(Value::Object(labels)) = job.pointer_mut(labels) {
            // The Job controller's own, which it gives to every Job anew.
            labels.retain(|key, _| {
                !key.starts_with("batch.kubernetes.io/")
                    && !matches!(key.as_str(), "controller-uid" | "job-name")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, found};
    use crate::run::PlannedBlock;
    use serde_json::{Value, json};

    fn why(labels: &Value, suspend: bool, status: &Value) -> String {
        let job = json!({
            "metadata": {"name": "j", "uid": "u", "resourceVersion": "7", "labels": labels},
            "spec": {"suspend": suspend, "selector": {}, "template": {"metadata": {"labels": {
                "job-name": "j", "batch.kubernetes.io/controller-uid": "u", "own": "x"
            }}}},
            "status": status
        });
        let block = PlannedBlock { namespace: "n".to_owned(), ..PlannedBlock::default() };
        match found(&block, Some(job), "etl") {
            Found::Staged(uid, job) => format!("{uid} {job}"),
            Found::Complete => "complete".to_owned(),
            Found::Unfit(problem) => problem.message,
        }
    }

    #[test]
    fn only_what_waits_for_its_first_start_is_staged() {
        let ours = json!({"app.kubernetes.io/managed-by": "kubectl-mage"});
        let none = json!({});
        assert_eq!(
            why(&ours, true, &none),
            format!(
                "u {}",
                json!({
                    "metadata": {"name": "j", "labels": ours},
                    "spec": {"template": {"metadata": {"labels": {"own": "x"}}}}
                })
            )
        );
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        assert_eq!(why(&ours, false, &complete), "complete");
        assert!(why(&none, true, &none).contains("has not made it"));
        let of_a_run =
            json!({"app.kubernetes.io/managed-by": "kubectl-mage", "kubectl-mage/run": "r"});
        assert!(why(&of_a_run, true, &none).contains("of a run already"));
        assert!(why(&ours, false, &none).contains("not suspended"));
        let started = json!({"startTime": "2026-01-01T00:00:00Z"});
        assert!(why(&ours, true, &started).contains("has run before"));
    }
}
