//! What every cluster test needs: a cluster, a namespace, plans of stand-in blocks.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside `#[test]`"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kubectl_mage::cluster::{Cluster, ConnectionFlags};
use kubectl_mage::run::{
    self, Begin, EventKind, Options, Outcome, PackedPlan, Plan, PlannedBlock, RunEvent, RunId,
    Signal, Signals,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

/// Returns the kubeconfig of the cluster to test against, or says why there is none.
fn kubeconfig() -> Option<&'static PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            if let Some(path) = std::env::var_os("KUBECTL_MAGE_TEST_KUBECONFIG") {
                return Some(path.into());
            }
            let up = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local-cluster/up");
            let output = Command::new(&up).args(["--name", "test"]).output();
            match output {
                Ok(output) if output.status.success() => {
                    Some(String::from_utf8(output.stdout).unwrap().trim().into())
                }
                Ok(output) => {
                    eprintln!(
                        "{} failed: {}",
                        up.display(),
                        String::from_utf8_lossy(&output.stderr)
                    );
                    None
                }
                Err(error) => {
                    eprintln!("{} cannot be run: {error}", up.display());
                    None
                }
            }
        })
        .as_ref()
}

/// Returns the kubectl that came with the cluster, or this machine's; none, with the reason printed,
/// where there is neither.
pub(crate) fn kubectl_of_the_cluster() -> Option<PathBuf> {
    let own = kubeconfig().map(|path| path.with_file_name("bin").join("kubectl"));
    if let Some(own) = own.filter(|own| own.exists()) {
        return Some(own);
    }
    let found = Command::new("kubectl").arg("version").arg("--client").output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some("kubectl".into());
    }
    eprintln!("skipped: there is no kubectl");
    None
}

/// A block's name, upstream blocks and variables for the stand-in.
pub(crate) type Block<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

/// A namespace of the test's own, gone when the test ends.
pub(crate) struct Bench {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
    pub(crate) kubeconfig: PathBuf,
}

impl Bench {
    /// Makes one; none, with the reason printed, where pods cannot run.
    pub(crate) async fn new(name: &str) -> Option<Self> {
        let unique = RunId::fresh("t").to_string();
        Self::named(format!("{name}-{}", unique.rsplit('-').next().unwrap())).await
    }

    /// Makes one with this very name.
    pub(crate) async fn named(namespace: String) -> Option<Self> {
        let Some(kubeconfig) = kubeconfig() else {
            eprintln!("skipped: no cluster");
            return None;
        };
        let bench = Self {
            cluster: connect(kubeconfig, None, &namespace).await,
            namespace,
            kubeconfig: kubeconfig.clone(),
        };
        let api: Api<Namespace> = Api::all(bench.cluster.client().clone());
        let object = json!({"metadata": {"name": bench.namespace}});
        api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
        Some(bench)
    }

    /// Connects as the user of a context of the local cluster; none where it has none.
    pub(crate) async fn as_context(&self, context: &str) -> Option<Cluster> {
        let text = std::fs::read_to_string(&self.kubeconfig).unwrap();
        if !text.contains(&format!("name: {context}")) {
            eprintln!("skipped: the kubeconfig has no context {context}");
            return None;
        }
        Some(connect(&self.kubeconfig, Some(context), &self.namespace).await)
    }

    /// Connects through a proxy at another address.
    pub(crate) async fn through(&self, url: &str) -> Cluster {
        let flags = ConnectionFlags {
            kubeconfig: Some(self.kubeconfig.clone()),
            namespace: Some(self.namespace.clone()),
            server: Some(url.to_owned()),
            ..ConnectionFlags::default()
        };
        Cluster::connect(&flags).await.unwrap()
    }

    pub(crate) fn jobs(&self) -> Api<Job> {
        Api::namespaced(self.cluster.client().clone(), &self.namespace)
    }

    pub(crate) async fn job_names(&self) -> Vec<String> {
        let jobs = self.jobs().list(&ListParams::default()).await.unwrap();
        jobs.items.into_iter().filter_map(|job| job.metadata.name).collect()
    }

    pub(crate) async fn pod_names(&self) -> Vec<String> {
        let api: Api<Pod> = Api::namespaced(self.cluster.client().clone(), &self.namespace);
        let pods = api.list(&ListParams::default()).await.unwrap();
        pods.items.into_iter().filter_map(|pod| pod.metadata.name).collect()
    }

    /// Returns the Jobs of the namespace that were created, each as often as it was, by the audit
    /// log; none where there is no audit log.
    ///
    /// A POST whose client was killed is answered with 504 although its Job may stand: it counts
    /// when the Job controller went on to write that Job's status.
    pub(crate) fn posts(&self) -> Option<Vec<String>> {
        let entries = self.audit()?;
        let of = |verb: &str, subresource: Option<&str>, code: u64| -> Vec<String> {
            let matches = |entry: &&Value| {
                entry["verb"] == verb
                    && entry["objectRef"]["resource"] == "jobs"
                    && entry["objectRef"]["subresource"].as_str() == subresource
                    && entry["responseStatus"]["code"] == code
            };
            let name =
                |entry: &Value| entry["objectRef"]["name"].as_str().unwrap_or_default().to_owned();
            entries.iter().filter(matches).map(name).collect()
        };
        let mut posts = of("create", None, 201);
        let alive = of("update", Some("status"), 200);
        for unanswered in of("create", None, 504) {
            if alive.contains(&unanswered) && !posts.contains(&unanswered) {
                posts.push(unanswered);
            }
        }
        posts.sort();
        Some(posts)
    }

    /// Returns the entries of the audit log about the namespace.
    pub(crate) fn audit(&self) -> Option<Vec<Value>> {
        let text = std::fs::read_to_string(self.kubeconfig.with_file_name("audit.log")).ok()?;
        let entries = text
            .lines()
            .filter(|line| line.contains(&self.namespace))
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|entry| entry["objectRef"]["namespace"] == self.namespace.as_str());
        Some(entries.collect())
    }

    /// Returns, for a chain of blocks, the time from the Job controller's last write to a Job to
    /// the POST of the next, by the audit log.
    pub(crate) fn gaps(&self, chain: &[&str]) -> Option<Vec<Duration>> {
        let log = self.kubeconfig.with_file_name("audit.log");
        let text = std::fs::read_to_string(log).ok()?;
        let time = |entry: &Value, key: &str| -> Timestamp {
            entry[key].as_str().unwrap().parse().unwrap()
        };
        let entries: Vec<Value> = text
            .lines()
            .filter(|line| line.contains(&self.namespace))
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|entry: &Value| entry["objectRef"]["resource"] == "jobs")
            .collect();
        let of = |block: &str, verb: &str| -> Vec<&Value> {
            let ends = format!("-{block}");
            entries
                .iter()
                .filter(|entry| {
                    entry["verb"] == verb
                        && entry["objectRef"]["name"].as_str().is_some_and(|n| n.ends_with(&ends))
                })
                .collect()
        };
        let gap = |pair: &[&str]| {
            let posted = time(of(pair[1], "create")[0], "requestReceivedTimestamp");
            let ended = of(pair[0], "update")
                .into_iter()
                .map(|entry| time(entry, "stageTimestamp"))
                .filter(|at| *at <= posted)
                .max()
                .unwrap();
            Duration::try_from(posted.duration_since(ended)).unwrap()
        };
        Some(chain.windows(2).map(gap).collect())
    }

    /// Ends the test: the namespace is deleted, without waiting.
    pub(crate) async fn end(self) {
        let api: Api<Namespace> = Api::all(self.cluster.client().clone());
        let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        let _ = api.delete(&self.namespace, &now).await;
    }

    /// Makes a plan of `BLOCK: UPSTREAM…`, each with its variables for the stand-in.
    pub(crate) fn plan(&self, blocks: &[Block<'_>]) -> (Plan, RunId) {
        let run = RunId::fresh("etl");
        let mut plan = Plan {
            pipeline: "etl".to_owned(),
            blocks: blocks
                .iter()
                .map(|(uuid, upstream, env)| PlannedBlock {
                    uuid: (*uuid).to_owned(),
                    block_type: "transformer".to_owned(),
                    upstream: upstream.iter().map(|up| (*up).to_owned()).collect(),
                    namespace: self.namespace.clone(),
                    job: job(&run, &self.namespace, uuid, env),
                    ..PlannedBlock::default()
                })
                .collect(),
            edition: "pro".to_owned(),
            revision: None,
            user: None,
            flags: Vec::new(),
        };
        run::prepare(&mut plan, &run);
        (plan, run)
    }
}

async fn connect(kubeconfig: &Path, context: Option<&str>, namespace: &str) -> Cluster {
    let flags = ConnectionFlags {
        kubeconfig: Some(kubeconfig.to_owned()),
        context: context.map(str::to_owned),
        namespace: Some(namespace.to_owned()),
        ..ConnectionFlags::default()
    };
    Cluster::connect(&flags).await.unwrap()
}

/// Makes the Job of a stand-in block.
fn job(run: &RunId, namespace: &str, block: &str, env: &[(&str, &str)]) -> Value {
    let env: Vec<Value> =
        env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let name = format!("{run}-{}", block.replace([':', '_'], "-"));
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 2,
                "containers": [{
                    "name": "mage",
                    "image": "localhost/mage-stand-in:1",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["/app/run_app.sh", "mage", "run", "/home/src/etl", "etl",
                        "--block-uuid", block, "--execution-partition", format!("kubectl-mage/{run}")],
                    "env": env,
                }],
            }},
        },
    })
}

/// A run that goes on in the background.
pub(crate) struct Going {
    task: tokio::task::JoinHandle<Outcome>,
    events: std::thread::JoinHandle<Vec<RunEvent>>,
    pub(crate) signals: UnboundedSender<Signal>,
}

/// Says that this process begins the run.
pub(crate) fn fresh(plan: &Plan, run: &RunId, options: &Options) -> Begin {
    Begin::Fresh(PackedPlan::of(plan, run, options).unwrap(), run::identity(None))
}

/// Starts a run.
pub(crate) fn start(cluster: &Cluster, plan: Plan, run: RunId, options: Options) -> Going {
    let (signals, receiver) = Signals::by_hand();
    let (sender, told) = run::channel();
    let keep = |mut event: RunEvent| {
        event.release();
        event
    };
    let events = std::thread::spawn(move || told.into_iter().map(keep).collect::<Vec<_>>());
    let cluster = cluster.clone();
    let task = tokio::spawn(async move {
        let begin = fresh(&plan, &run, &options);
        run::execute(&cluster, &plan, &run, &options, begin, receiver, sender).await.unwrap()
    });
    Going { task, events, signals }
}

impl Going {
    /// Waits for its end.
    pub(crate) async fn end(self) -> (Outcome, Vec<RunEvent>) {
        let outcome = self.task.await.unwrap();
        drop(self.signals);
        let events = tokio::task::spawn_blocking(|| self.events.join().unwrap()).await.unwrap();
        (outcome, events)
    }
}

/// Waits until `reached`, at most a minute.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, reached: impl FnMut() -> F) {
    until_within(60, what, reached).await;
}

/// Waits until `reached`, at most so many seconds.
pub(crate) async fn until_within<F: Future<Output = bool>>(
    seconds: u64,
    what: &str,
    mut reached: impl FnMut() -> F,
) {
    let start = Instant::now();
    while !reached().await {
        assert!(start.elapsed() < Duration::from_secs(seconds), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Returns the states of the blocks as `NAME STATE`.
pub(crate) fn states(outcome: &Outcome) -> Vec<String> {
    outcome.blocks.iter().map(|block| format!("{} {}", block.uuid, block.state)).collect()
}

/// Returns the notices about the run as a whole.
pub(crate) fn notices(events: &[RunEvent]) -> Vec<&str> {
    events
        .iter()
        .filter(|event| event.kind == EventKind::Notice)
        .filter_map(|event| event.message.as_deref())
        .collect()
}

/// Returns the messages of the log lines of a block.
pub(crate) fn logged(events: &[RunEvent], block: &str) -> Vec<String> {
    events
        .iter()
        .filter(|event| {
            matches!(event.kind, EventKind::Log(_)) && event.block.as_deref() == Some(block)
        })
        .filter_map(|event| event.message.clone())
        .collect()
}

/// Gives rights in the namespace to a user who is impersonated.
pub(crate) async fn grant(bench: &Bench, user: &str, rights: &Value) {
    let client = bench.cluster.client().clone();
    let role = json!({"metadata": {"name": user}, "rules": rights});
    let roles: Api<Role> = Api::namespaced(client.clone(), &bench.namespace);
    roles.create(&PostParams::default(), &serde_json::from_value(role).unwrap()).await.unwrap();
    let binding = json!({
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(client, &bench.namespace);
    bindings
        .create(&PostParams::default(), &serde_json::from_value(binding).unwrap())
        .await
        .unwrap();
}
