//! Asks the API server what it would make of Jobs, for `explain-config --all`.

use futures::StreamExt;
use serde_json::{Value as Json, json};

use super::load::{Loaded, LoadedJob};
use crate::cli::ConfigArgs;
use crate::cluster::{Cluster, ClusterError, UnknownFields};
use crate::config::LayerKind;
use crate::explain::add_api_defaults;
use crate::job::{RenderedJob, short_hash};
use crate::ui::Printer;

/// How many Jobs are asked about at once.
const AT_ONCE: usize = 8;

/// What the server would make of a Job and of its pods.
struct Answer {
    job: Result<Json, ClusterError>,
    pod: Option<Result<Json, ClusterError>>,
}

/// Adds the layer `api-default` to Jobs. Without a cluster, or a right, it says so and leaves them
/// as they are.
pub(super) fn api_defaults(
    loaded: &Loaded,
    jobs: &mut [LoadedJob],
    args: &ConfigArgs,
    printer: Printer,
) {
    let Some(connected) = &loaded.connected else {
        let why =
            if args.snapshot.is_some() { "a snapshot has none" } else { "no cluster is asked" };
        printer.notice(&format!("without the API server's defaults: {why}"));
        return;
    };
    let cluster = &connected.cluster;
    let answers: Vec<Answer> = connected.runtime.block_on(async {
        let asked = futures::stream::iter(jobs.iter()).map(|loaded| ask(cluster, &loaded.job));
        asked.buffered(AT_ONCE).collect().await
    });
    let mut told = Vec::new();
    for (loaded, answer) in jobs.iter_mut().zip(answers) {
        let name = format!("job.batch/{}", loaded.job.name);
        let job = match answer.job {
            Ok(job) => job,
            Err(error) => {
                tell(&error, &format!("{name}: without the API server's defaults"), &mut told);
                continue;
            }
        };
        let pod = answer.pod.and_then(|pod| {
            let what = format!("{name}: without what admission gives to its pods");
            pod.map_err(|error| tell(&error, &what, &mut told)).ok()
        });
        add_api_defaults(&mut loaded.job, &job, pod.as_ref());
        for layer in loaded.layers.iter_mut().filter(|layer| layer.kind == LayerKind::ApiDefault) {
            layer.present = true;
            layer.source = Some("API server".to_owned());
            layer.looked_for = format!("a dry run at {}", cluster.server());
        }
    }
    for (_, notice) in told {
        printer.notice(&notice);
    }
}

/// Says why something is not known; where all Jobs have one reason, once.
fn tell(error: &ClusterError, what: &str, told: &mut Vec<(String, String)>) {
    let reason = match error {
        ClusterError::Forbidden { action, .. } if error.refusal().is_none() => {
            format!("may not {} {} in namespace {}", action.verb, action.resource, action.namespace)
        }
        error => error.to_string(),
    };
    if told.iter().all(|(known, _)| *known != reason) {
        told.push((reason.clone(), format!("{what}: {reason}")));
    }
}

async fn ask(cluster: &Cluster, job: &RenderedJob) -> Answer {
    let answer = ask_job(cluster, job).await;
    let pod = match &answer {
        Ok(answer) => {
            Some(cluster.dry_run_pod(&job.namespace, &pod(&answer["spec"]["template"])).await)
        }
        Err(_) => None,
    };
    Answer { job: answer, pod }
}

/// Asks what the server would make of a Job, as if none of that name stood there.
pub(super) async fn ask_job(cluster: &Cluster, job: &RenderedJob) -> Result<Json, ClusterError> {
    let dropped = UnknownFields::Dropped;
    match cluster.dry_run_job(&job.namespace, &job.job, dropped).await {
        // One of that name stands there: asked under a name that nobody has.
        Err(error) if error.is_already_exists() => {
            let mut other = job.job.clone();
            let name = format!("kubectl-mage-{}", short_hash(&[&job.name], 8));
            other["metadata"]["name"] = json!(name);
            cluster.dry_run_job(&job.namespace, &other, dropped).await
        }
        answer => answer,
    }
}

/// Makes the pod that the Job controller would make of a template.
fn pod(template: &Json) -> Json {
    let mut metadata = template["metadata"].clone();
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.shift_remove("name");
        metadata.insert("generateName".to_owned(), json!("kubectl-mage-"));
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}
