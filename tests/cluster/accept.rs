//! A real API server takes the Jobs of Mage's documentation page and of the vectors, under strict
//! field validation, in both editions.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::binary::{Project, Said, kubectl_with, objects};
use crate::cases::{Case, REFUSED, cases};
use crate::support::Bench;

const EDITIONS: [&str; 2] = ["oss", "pro"];
const IMAGE: &str = "mageai/mageai:0.9.80";

/// Posts every Job as a dry run, into the namespace of the bench, and returns what the server
/// would have kept; names each Job that it refuses.
fn post(bench: &Bench, jobs: &[(String, Value)]) -> Vec<Value> {
    let names: BTreeSet<&str> =
        jobs.iter().map(|(_, job)| job["metadata"]["namespace"].as_str().unwrap()).collect();
    let namespaces: Vec<Value> = names
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .collect();
    // Fixed names would meet those of other tests, so the namespaces are not made.
    kubectl_with(
        bench,
        &["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"],
        &list(&namespaces),
    )
    .ends(0);

    let here = |job: &Value| {
        let mut job = job.clone();
        job["metadata"]["namespace"] = json!(bench.namespace);
        job
    };
    let create = |jobs: &[Value]| -> Said {
        let flags = ["create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-"];
        kubectl_with(bench, &flags, &list(jobs))
    };
    let said = create(&jobs.iter().map(|(_, job)| here(job)).collect::<Vec<_>>());
    if said.code != 0 {
        let refused: Vec<String> = jobs
            .iter()
            .filter_map(|(name, job)| {
                let said = create(&[here(job)]);
                (said.code != 0).then(|| format!("{name}: {}", said.stderr))
            })
            .collect();
        panic!("{} refused:\n{}", refused.len(), refused.join("\n"));
    }
    let kept = objects(&said.stdout);
    assert_eq!(kept.len(), jobs.len());
    kept
}

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// What a block of YAML on the documentation page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pipeline,
    Project,
    Template,
    ServerEnv,
    Policy,
}

struct Example {
    kind: Kind,
    text: String,
}

impl Example {
    fn new(text: String) -> Self {
        let has = |key: &str| text.lines().any(|line| line.starts_with(&format!("{key}:")));
        let kind = if has("blocks") {
            Kind::Pipeline
        } else if has("k8s_executor_config") {
            Kind::Project
        } else if has("enabled") && has("enforce") {
            Kind::Policy
        } else if has("env") {
            Kind::ServerEnv
        } else if has("pod") && has("container") {
            Kind::Template
        } else {
            panic!("what is this?\n{text}");
        };
        Self { kind, text }
    }

    /// Renders the Jobs that a project with this example has.
    fn jobs(&self, edition: &str) -> Vec<Value> {
        let pipeline = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";
        let project = Project::new(&[
            ("metadata.yaml", "project_type: standalone\n"),
            ("pipelines/etl/metadata.yaml", &format!("uuid: etl\ntype: python\n{pipeline}")),
        ]);
        let (flag, file) = match self.kind {
            Kind::Pipeline => {
                let text = format!("uuid: etl\ntype: python\n{}", self.text);
                (None, project.write("pipelines/etl/metadata.yaml", &text))
            }
            Kind::Project => (None, project.write("metadata.yaml", &self.text)),
            Kind::Template => (Some("--template="), project.write("k8s_config.yaml", &self.text)),
            Kind::Policy => (Some("--policy="), project.write("policy.yaml", &self.text)),
            Kind::ServerEnv => {
                (Some("--server-pod=@"), project.write("pod.yaml", &server_pod(&self.text)))
            }
        };
        let edition = format!("--edition={edition}");
        let flag = flag.map(|flag| format!("{flag}{}", file.display()));
        let mut arguments = vec!["render", "etl", "-o", "json", &edition];
        arguments.extend(flag.as_deref());
        if !self.text.contains("image:") && self.kind != Kind::ServerEnv {
            arguments.extend(["--image", IMAGE]);
        }
        objects(&project.run_offline(&arguments).ends(0).stdout)
    }
}

/// Makes a server's pod of two containers, the second with the environment of the example.
fn server_pod(env: &str) -> String {
    let env = env.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: mage-0\n  namespace: default\nspec:\n  \
         containers:\n  - name: proxy\n    image: proxy:1\n  - name: mage\n    image: {IMAGE}\n{env}"
    )
}

/// Returns the YAML blocks of the documentation page.
fn examples() -> Vec<Example> {
    let page = fixture("mission/kubernetes-executor.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut found = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for line in page.lines() {
        let bare = line.trim_start();
        match &mut block {
            None if bare.starts_with("```yaml") => {
                block = Some((line.len() - bare.len(), String::new()));
            }
            None => {}
            Some(_) if bare.starts_with("```") => {
                found.extend(block.take().map(|(_, text)| Example::new(text)));
            }
            // Three dots stand for what the reader adds.
            Some(_) if bare == "..." => {}
            Some((indent, text)) => {
                text.push_str(line.get(*indent..).unwrap_or_default());
                text.push('\n');
            }
        }
    }
    found
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// Returns the value at a JSON pointer of the pod's specification.
fn pod<'a>(job: &'a Value, pointer: &str) -> &'a Value {
    job["spec"]["template"]["spec"].pointer(pointer).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_documentation_is_accepted() {
    let examples = examples();
    let count = |kind| examples.iter().filter(|example| example.kind == kind).count();
    assert_eq!(
        [Kind::Pipeline, Kind::Project, Kind::Template, Kind::ServerEnv, Kind::Policy].map(count),
        [2, 7, 1, 1, 1]
    );
    let Some(bench) = Bench::new("docs").await else { return };
    for edition in EDITIONS {
        let jobs: Vec<(String, Value)> = examples
            .iter()
            .enumerate()
            .flat_map(|(index, example)| {
                let jobs = example.jobs(edition);
                assert_eq!(jobs.len(), 1, "{:?}", example.kind);
                jobs.into_iter().map(move |job| (format!("{edition}, example {index}"), job))
            })
            .collect();
        let kept = post(&bench, &jobs);
        let of = |part: &str| {
            let index = examples.iter().position(|example| example.text.contains(part));
            &kept[index.unwrap()]
        };
        let node_group =
            json!({"key": "node-type", "operator": "In", "values": ["gpu", "compute"]});
        let apart = "/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution";
        let hosts = json!([{
            "labelSelector": {"matchLabels": {"app": "mage-pipeline"}},
            "topologyKey": "kubernetes.io/hostname",
        }]);
        let gpu = json!({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"});
        let spot = json!({
            "key": "spot-instance", "operator": "Equal", "value": "true", "effect": "NoSchedule",
        });

        let block = of("memory: 2048Mi");
        let resources = pod(block, "/containers/0/resources");
        assert_eq!(resources["limits"], json!({"cpu": "1", "memory": "2Gi"}));
        assert_eq!(resources["requests"], json!({"cpu": "500m", "memory": "1Gi"}));

        let project = of("job_name_prefix: data-prep");
        assert_eq!(pod(project, apart), &hosts);
        assert_eq!(pod(project, "/imagePullSecrets"), &json!([{"name": "my-registry-secret"}]));
        let volumes = pod(project, "/volumes");
        if edition == "pro" {
            assert_eq!(volumes[0]["persistentVolumeClaim"]["claimName"], "mage-data-pvc");
        }
        assert_eq!(pod(project, "/schedulerName"), "custom-scheduler");
        assert_eq!(pod(project, "/tolerations"), &json!([gpu]));
        let terms = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0";
        assert_eq!(pod(project, terms), &node_group);

        let gpus = of("# request 1 GPU");
        assert_eq!(pod(gpus, "/containers/0/resources/limits/nvidia.com~1gpu"), "1");
        assert_eq!(pod(gpus, "/nodeSelector"), &json!({"accelerator": "nvidia-tesla-v100"}));

        let custom = of("backoff_limit: 3");
        assert_eq!(custom["spec"]["backoffLimit"], 3);
        assert_eq!(custom["spec"]["activeDeadlineSeconds"], 120);
        assert_eq!(custom["spec"]["ttlSecondsAfterFinished"], 86400);
        assert_eq!(pod(custom, "/containers/0/image"), "mageai/mageai:0.9.7");

        let template = of("mage-service-account");
        assert_eq!(pod(template, "/serviceAccountName"), "mage-service-account");
        assert_eq!(pod(template, apart), &hosts);
        assert_eq!(pod(template, "/tolerations"), &json!([gpu, spot]));
        assert_eq!(pod(template, "/containers/0/resources/limits/nvidia.com~1gpu"), "1");
        let named = |name: &str| {
            let volumes = pod(template, "/volumes").as_array().unwrap();
            volumes.iter().find(|volume| volume["name"] == name).unwrap()
        };
        assert_eq!(named("data-pvc")["persistentVolumeClaim"]["claimName"], "mage-data-pvc");
        assert_eq!(named("secret-volume")["secret"]["secretName"], "mage-secrets");
        assert_eq!(named("config-volume")["configMap"]["name"], "mage-config");
        assert_eq!(template["metadata"]["annotations"]["component"], "executor");
        let mounts = pod(template, "/containers/0/volumeMounts");
        assert_eq!(
            mounts[2],
            json!({"mountPath": "/etc/secrets", "name": "secret-volume", "readOnly": true})
        );

        // Only the documentation's edition knows policies.
        let policy = of("enforce: true");
        let selector = pod(policy, "/nodeSelector");
        let limit = pod(policy, "/containers/0/resources/limits/cpu");
        if edition == "pro" {
            assert_eq!((selector, limit), (&json!({"node-type": "compute"}), &json!("500m")));
        } else {
            assert_eq!((selector, limit), (&Value::Null, &Value::Null));
        }

        // The field of the example is the pod's name, which no container has: the first is taken.
        assert_eq!(pod(of("MAGE_CONTAINER_NAME"), "/containers/0/image"), "proxy:1");
    }
    bench.end().await;
}

/// Renders a case of the vectors as its README says.
fn render_case(case: &Case, edition: &str) -> Said {
    let arguments = case.arguments(edition);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Said::new(Project::new(&[]).command(&arguments).output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vector_is_accepted() {
    let Some(bench) = Bench::new("vectors").await else { return };
    let cases = cases();
    let mut jobs = Vec::new();
    for edition in EDITIONS {
        for case in &cases {
            let name = &case.name;
            let said = render_case(case, edition);
            // No image is known without a server's pod (096); only `pro` reads a policy (109).
            let may_fail = name.starts_with("096") || (name.starts_with("109") && edition == "pro");
            if REFUSED.contains(&case.number()) || (may_fail && said.code == 2) {
                said.ends(2);
                continue;
            }
            let said = said.ends(0);
            // `secretKeyRef: {}` names no key: no Job can mean it, and that is said.
            if name.starts_with("219") {
                assert!(said.stderr.contains("the API server"), "{name}: {}", said.stderr);
                continue;
            }
            for job in objects(&said.stdout) {
                jobs.push((format!("case {name}, {edition}"), job));
            }
        }
    }
    assert!(jobs.len() >= 2 * (cases.len() - REFUSED.len() - 3), "{}", jobs.len());
    post(&bench, &jobs);
    bench.end().await;
}
