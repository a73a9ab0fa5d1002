//! One list and watch that never gives up by itself.
//!
//! A clean end, a reset, a hang, a 410 as status or as event: it goes on, tells once that contact
//! was lost and once that it is back. Only a missing right ends it.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::Metadata;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Request;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use super::{config_maps, events, jobs, pods};

/// How long the server is asked to keep one watch open. Shorter than usual, so that a watch that
/// died without a word is replaced soon; replacing one costs a request.
const WATCH_SECONDS: u32 = 120;
/// How long past that a silent watch is waited for.
const WATCH_GRACE: Duration = Duration::from_secs(10);
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchScope {
    /// The namespace; of Jobs, empty for all.
    pub namespace: String,
    /// The label selector; empty for all.
    pub labels: String,
    /// The field selector; empty for all.
    pub fields: String,
}

/// What the watch tells.
#[derive(Clone, Debug)]
pub enum Watched<K> {
    /// Everything there is now; what is not in it is gone.
    Listed(Vec<K>),
    /// One was added or changed.
    Applied(K),
    /// One was deleted; this is its last state.
    Deleted(K),
    /// Contact is lost; it is tried again. Told once.
    Lost(ClusterError),
    /// Contact is back.
    Regained,
    /// It cannot be watched, nor listed: the watch has ended.
    Refused(ClusterError),
}

/// A resource that can be watched.
pub(crate) trait Watchable:
    Metadata<Ty = ObjectMeta> + DeserializeOwned + Clone + Debug + Send + 'static
{
    /// Returns the collection's path.
    fn path(namespace: &str) -> String;
    /// Names the request, for messages.
    fn action(verb: &'static str, namespace: &str) -> Action;
}

impl Watchable for Job {
    fn path(namespace: &str) -> String {
        if namespace.is_empty() { "/apis/batch/v1/jobs".to_owned() } else { jobs::path(namespace) }
    }

    fn action(verb: &'static str, namespace: &str) -> Action {
        jobs::action(verb, namespace, "")
    }
}

impl Watchable for Pod {
    fn path(namespace: &str) -> String {
        pods::path(namespace)
    }

    fn action(verb: &'static str, namespace: &str) -> Action {
        pods::action(verb, namespace, "")
    }
}

impl Watchable for Event {
    fn path(namespace: &str) -> String {
        events::path(namespace)
    }

    fn action(verb: &'static str, namespace: &str) -> Action {
        events::action(verb, namespace)
    }
}

impl Watchable for ConfigMap {
    fn path(namespace: &str) -> String {
        config_maps::path(namespace)
    }

    fn action(verb: &'static str, namespace: &str) -> Action {
        config_maps::action(verb, namespace, "")
    }
}

/// How one watch request ended.
enum Ended {
    /// Go on from where it stopped.
    Resume,
    /// The place is too old: list again.
    Expired,
    /// It broke.
    Broken(ClusterError),
}

struct Watcher<'a, K, S> {
    cluster: &'a Cluster,
    scope: &'a WatchScope,
    sink: S,
    lost: bool,
    delay: Duration,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl Cluster {
    /// Lists and watches until a right is missing; hands everything to `sink`.
    pub(crate) async fn watch<K: Watchable>(
        &self,
        scope: &WatchScope,
        sink: impl FnMut(Watched<K>) + Send,
    ) {
        let mut watcher = Watcher {
            cluster: self,
            scope,
            sink,
            lost: false,
            delay: FIRST_DELAY,
            kind: std::marker::PhantomData,
        };
        watcher.run().await;
    }
}

impl<K: Watchable, S: FnMut(Watched<K>) + Send> Watcher<'_, K, S> {
    async fn run(&mut self) {
        loop {
            let mut version = match self.list().await {
                Ok(version) => version,
                Err(error) => {
                    if !self.wait_after(error).await {
                        return;
                    }
                    continue;
                }
            };
            loop {
                let begun = Instant::now();
                match self.watch(&mut version).await {
                    // A watch that ends as soon as it began must not become a busy loop.
                    Ended::Resume if begun.elapsed() < FIRST_DELAY => {
                        tokio::time::sleep(FIRST_DELAY).await;
                    }
                    Ended::Resume => {}
                    Ended::Expired => {
                        tokio::time::sleep(FIRST_DELAY).await;
                        break;
                    }
                    Ended::Broken(error) => {
                        if !self.wait_after(error).await {
                            return;
                        }
                    }
                }
            }
        }
    }

    async fn list(&mut self) -> Result<String, ClusterError> {
        let action = K::action("list", &self.scope.namespace);
        let params = ListParams {
            label_selector: Some(self.scope.labels.clone()).filter(|s| !s.is_empty()),
            field_selector: Some(self.scope.fields.clone()).filter(|s| !s.is_empty()),
            ..Default::default()
        };
        let request = built(Request::new(K::path(&self.scope.namespace)).list(&params), &action)?;
        let mut list: kube::core::ObjectList<K> = self.cluster.call(&action, request).await?;
        self.working();
        list.items.iter_mut().for_each(lighten);
        (self.sink)(Watched::Listed(list.items));
        Ok(list.metadata.resource_version.unwrap_or_default())
    }

    async fn watch(&mut self, version: &mut String) -> Ended {
        let action = K::action("watch", &self.scope.namespace);
        let params = WatchParams {
            label_selector: Some(self.scope.labels.clone()).filter(|s| !s.is_empty()),
            field_selector: Some(self.scope.fields.clone()).filter(|s| !s.is_empty()),
            timeout: Some(WATCH_SECONDS),
            bookmarks: true,
            ..Default::default()
        };
        let path = K::path(&self.scope.namespace);
        let request = match built(Request::new(path).watch(&params, version), &action) {
            Ok(request) => request,
            Err(error) => return Ended::Broken(error),
        };
        let whole = Duration::from_secs(u64::from(WATCH_SECONDS)) + WATCH_GRACE;
        match tokio::time::timeout(whole, self.stream(&action, request, version)).await {
            Ok(ended) => ended,
            Err(_) => Ended::Resume,
        }
    }

    async fn stream(
        &mut self,
        action: &Action,
        request: http::Request<Vec<u8>>,
        version: &mut String,
    ) -> Ended {
        let client = self.cluster.client();
        // Each object is read from its text: by way of kube's events there would be a second reader of all
        // that Kubernetes has, hundreds of kilobytes of it.
        let opening = client.request_events::<Box<RawValue>>(request);
        let stream = match tokio::time::timeout(self.cluster.request_timeout(), opening).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return broken(self.cluster.explain(action, error)),
            Err(_) => return Ended::Resume,
        };
        self.working();
        let mut stream = std::pin::pin!(stream);
        while let Some(item) = stream.next().await {
            let (text, is_gone) = match item {
                Ok(WatchEvent::Added(text) | WatchEvent::Modified(text)) => (text, false),
                Ok(WatchEvent::Deleted(text)) => (text, true),
                Ok(WatchEvent::Bookmark(bookmark)) => {
                    *version = bookmark.metadata.resource_version;
                    continue;
                }
                Ok(WatchEvent::Error(status)) => {
                    return broken(self.cluster.explain(action, kube::Error::Api(status)));
                }
                Err(error) => return broken(self.cluster.explain(action, error)),
            };
            let mut object: K = match serde_json::from_str(text.get()) {
                Ok(object) => object,
                Err(error) => {
                    return broken(self.cluster.explain(action, kube::Error::SerdeError(error)));
                }
            };
            remember(version, &object);
            lighten(&mut object);
            (self.sink)(if is_gone { Watched::Deleted(object) } else { Watched::Applied(object) });
        }
        Ended::Resume
    }

    fn working(&mut self) {
        self.delay = FIRST_DELAY;
        if std::mem::take(&mut self.lost) {
            (self.sink)(Watched::Regained);
        }
    }

    /// Waits before the next try; tells whether there is a point in one.
    async fn wait_after(&mut self, error: ClusterError) -> bool {
        if matches!(error, ClusterError::Forbidden { .. }) {
            self.working();
            (self.sink)(Watched::Refused(error));
            return false;
        }
        let delay = error.retry_after().unwrap_or(self.delay);
        if !std::mem::replace(&mut self.lost, true) {
            (self.sink)(Watched::Lost(error));
        }
        tokio::time::sleep(delay).await;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        true
    }
}

fn broken(error: ClusterError) -> Ended {
    if error.is_expired() { Ended::Expired } else { Ended::Broken(error) }
}

/// Takes out who wrote which field: nobody here asks, and it is half of a pod.
fn lighten<K: Metadata<Ty = ObjectMeta>>(object: &mut K) {
    object.metadata_mut().managed_fields = None;
}

fn remember<K: Metadata<Ty = ObjectMeta>>(version: &mut String, object: &K) {
    if let Some(newer) = &object.metadata().resource_version {
        version.clone_from(newer);
    }
}

#[cfg(test)]
mod tests {
    use super::{WatchScope, Watched};
    use crate::cluster::Cluster;
    use http::{Request, Response};
    use k8s_openapi::api::batch::v1::Job;
    use kube::client::Body;
    use std::sync::{Arc, Mutex};

    const EMPTY: &str =
        r#"{"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]}"#;
    const GONE: &str = r#"{"type": "ERROR", "object": {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}}"#;
    const CHANGE: &str = r#"{"type": "MODIFIED", "object": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "resourceVersion": "9"}}}"#;
    const FORBIDDEN: &str = r#"{"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"}"#;

    /// Answers each request in turn, and returns the queries asked and what the watch told.
    async fn watch(answers: Vec<(u16, &'static str)>) -> (Vec<String>, Vec<String>) {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let cluster = Cluster::of_client(kube::Client::new(service, "default"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let queries = Arc::clone(&asked);
        tokio::spawn(async move {
            for (status, body) in answers {
                let (request, send) = handle.next_request().await.unwrap();
                queries.lock().unwrap().push(request.uri().query().unwrap_or_default().to_owned());
                let answer = Response::builder().status(status);
                send.send_response(answer.body(Body::from(body.as_bytes().to_vec())).unwrap());
            }
        });
        let mut told = Vec::new();
        let scope = WatchScope {
            namespace: "n".to_owned(),
            labels: "run=r".to_owned(),
            fields: String::new(),
        };
        cluster
            .watch::<Job>(&scope, |seen| {
                told.push(match seen {
                    Watched::Listed(jobs) => format!("listed {}", jobs.len()),
                    Watched::Applied(_) => "applied".to_owned(),
                    Watched::Deleted(_) => "deleted".to_owned(),
                    Watched::Lost(_) => "lost".to_owned(),
                    Watched::Regained => "regained".to_owned(),
                    Watched::Refused(_) => "refused".to_owned(),
                });
            })
            .await;
        let asked = asked.lock().unwrap().clone();
        (asked, told)
    }

    #[tokio::test(start_paused = true)]
    async fn goes_on_after_a_clean_end_an_expiry_and_errors() {
        let (asked, told) = watch(vec![
            (200, EMPTY),
            // A change, then a clean end: go on from the change.
            (200, CHANGE),
            // Expired, as an event of a good answer: list again.
            (200, GONE),
            (500, "broken"),
            (200, EMPTY),
            // Expired, as a status.
            (410, r#"{"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}"#),
            (200, EMPTY),
            (403, FORBIDDEN),
        ])
        .await;
        assert_eq!(
            told,
            ["listed 1", "applied", "lost", "regained", "listed 1", "listed 1", "refused"]
        );
        let versions: Vec<&str> = asked
            .iter()
            .map(|query| query.split("resourceVersion=").nth(1).unwrap_or("list"))
            .collect();
        assert_eq!(versions, ["list", "7", "9", "list", "list", "7", "list", "7"]);
    }
}
