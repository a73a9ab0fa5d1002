//! A project, its server and a run of it, made by chance and written as a case of the vectors.

use std::path::Path;

use kubectl_mage::yaml::{self, SourceFile};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};
use serde_json::{Map, Value as Json, json};

use super::grammar::{body, server_spec};
use super::text::Text;

/// What Mage is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    project: Option<Text>,
    pipeline: Option<Text>,
    block: Option<Text>,
    template: Option<Text>,
    server: Text,
    environment: Vec<(&'static str, &'static str)>,
    executors: (Option<&'static str>, Option<&'static str>),
    trigger: &'static str,
    repo_path: &'static str,
    whole_pipeline: bool,
}

fn variable(
    probability: f64,
    name: &'static str,
    values: &'static [&'static str],
) -> BoxedStrategy<Option<(&'static str, &'static str)>> {
    weighted(probability, select(values)).prop_map(move |value| Some((name, value?))).boxed()
}

fn environment() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    vec![
        variable(0.8, "KUBE_NAMESPACE", &["default", "team-b"]),
        variable(0.9, "NS", &["jobs", "team-n"]),
        variable(0.8, "IMG", &["reg.example/y:2"]),
        variable(0.2, "MAGE_CONTAINER_NAME", &["mage", "proxy", "nope", ""]),
        variable(0.1, "MAGE_CLUSTER_UUID", &["prod-eu", "Prod", ""]),
        variable(0.2, "DEFAULT_EXECUTOR_TYPE", &["k8s", "local_python", "bad", "K8S"]),
        variable(0.5, "EXEC", &["k8s", "local_python", ""]),
        variable(0.1, "K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU", &["3"]),
        variable(0.1, "KUBE_SERVICE_ACCOUNT_NAME", &["from-env"]),
        variable(0.2, "ENV", &["dev"]),
    ]
    .prop_map(|variables| variables.into_iter().flatten().collect())
}

fn executors() -> impl Strategy<Value = (Option<&'static str>, Option<&'static str>)> {
    const TYPES: &[&str] = &[
        "k8s",
        "local_python",
        "local_python_force",
        "K8S",
        "\"{{ env_var('EXEC') }}\"",
        "''",
        "~",
    ];
    prop_oneof![
        9 => Just((Some("k8s"), None)),
        2 => (weighted(0.7, select(TYPES)), weighted(0.7, select(TYPES))),
    ]
}

/// Cases, most of which Mage makes a Job of.
pub(crate) fn made() -> impl Strategy<Value = Made> {
    let bodies = (
        weighted(0.8, body(0.7)),
        weighted(0.2, body(0.5)),
        weighted(0.6, body(0.5)),
        weighted(0.3, body(0.7)),
    );
    let triggers = select(
        &["daily run", "täglich", "7 days", "A_b", "a run of a very long name that goes on and on"]
            [..],
    );
    let paths = prop_oneof![20 => Just("/home/src/project"), 1 => Just("/home/src/my  project")];
    (bodies, server_spec(), environment(), executors(), triggers, paths, prop::bool::weighted(0.1))
        .prop_map(|(bodies, server, environment, executors, trigger, repo_path, whole_pipeline)| {
            let (project, pipeline, block, template) = bodies;
            Made {
                project,
                pipeline,
                block,
                template,
                server,
                environment,
                executors,
                trigger,
                repo_path,
                whole_pipeline,
            }
        })
}

fn entry(key: &str, value: Text) -> (String, Text) {
    (key.to_owned(), value)
}

impl Made {
    fn project_file(&self) -> String {
        let mut entries = vec![entry("project_type", Text::scalar("standalone"))];
        entries.extend(self.project.clone().map(|body| entry("k8s_executor_config", body)));
        Text::Map(entries).block()
    }

    fn pipeline_file(&self) -> String {
        let mut block = vec![
            entry("uuid", Text::scalar("load")),
            entry("name", Text::scalar("load")),
            entry("type", Text::scalar("data_loader")),
            entry("language", Text::scalar("python")),
        ];
        let (own, whole) = self.executors;
        block.extend(own.map(|own| entry("executor_type", Text::scalar(own))));
        block.extend(self.block.clone().map(|body| entry("executor_config", body)));
        let mut entries = vec![
            entry("uuid", Text::scalar("etl")),
            entry("name", Text::scalar("etl")),
            entry("type", Text::scalar("python")),
            entry("variables", Text::Map(vec![entry("ns", Text::scalar("team-v"))])),
        ];
        if self.whole_pipeline {
            entries.push(entry("run_pipeline_in_one_process", Text::scalar("true")));
            entries.push(entry("executor_type", Text::scalar("k8s")));
        } else {
            entries.extend(whole.map(|whole| entry("executor_type", Text::scalar(whole))));
        }
        entries.extend(self.pipeline.clone().map(|body| entry("executor_config", body)));
        entries.push(entry("blocks", Text::List(vec![Text::Map(block)])));
        Text::Map(entries).block()
    }

    /// The server reads its own pod where `KUBE_NAMESPACE` says.
    fn pod(&self) -> Json {
        let namespace =
            self.environment.iter().find(|(name, _)| *name == "KUBE_NAMESPACE").map(|(_, v)| *v);
        let text = self.server.block();
        let spec = yaml::parse(&SourceFile::new("pod", text)).expect("YAML").root.expect("a node");
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "mage-0", "namespace": namespace.unwrap_or("default")},
            "spec": spec.to_json(),
        })
    }

    fn case(&self) -> Json {
        let block = (!self.whole_pipeline).then_some("load");
        let mut case = json!({
            "about": "made by chance",
            "pipeline_uuid": "etl",
            "block_uuid": block,
            "block_run_id": block.map(|_| 7),
            "pipeline_run_id": 3,
            "trigger_id": 1,
            "trigger_name": self.trigger,
            "execution_date": "2026-01-02T03:04:05+00:00",
            "execution_partition": "1/20260102T030405",
            "repo_path": self.repo_path,
        });
        if self.whole_pipeline {
            case["mode"] = json!("pipeline");
        }
        case
    }

    /// Writes the case, in the form of `tests/fixtures/vectors`.
    pub(crate) fn write(&self, folder: &Path) {
        let _ = std::fs::remove_dir_all(folder);
        let write = |path: &str, text: String| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write("project/metadata.yaml", self.project_file());
        write("project/pipelines/etl/metadata.yaml", self.pipeline_file());
        if let Some(template) = &self.template {
            write("k8s_config.yaml", template.block());
        }
        let pretty = |json: &Json| serde_json::to_string_pretty(json).expect("JSON") + "\n";
        write("pod.json", pretty(&self.pod()));
        let environment: Map<String, Json> = self
            .environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        write("env.json", pretty(&Json::Object(environment)));
        write("case.json", pretty(&self.case()));
    }

    /// Tells whether it is about a block, not a whole pipeline.
    pub(crate) fn is_block(&self) -> bool {
        !self.whole_pipeline
    }

    /// Shows the case as its files.
    pub(crate) fn shown(&self) -> String {
        let template = self.template.as_ref().map(Text::block).unwrap_or_default();
        format!(
            "--- metadata.yaml\n{}--- pipelines/etl/metadata.yaml\n{}--- k8s_config.yaml\n{template}--- pod spec\n{}--- env {:?}\n--- trigger {:?}, repo path {:?}\n",
            self.project_file(),
            self.pipeline_file(),
            self.server.block(),
            self.environment,
            self.trigger,
            self.repo_path,
        )
    }
}

/// Deterministic; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for more and others.
pub(crate) fn runner() -> (TestRunner, usize) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = RngSeed::Fixed(number("PROPTEST_RNG_SEED").unwrap_or(1));
    let count = number("PROPTEST_CASES").unwrap_or(300);
    let config =
        ProptestConfig { rng_seed: seed, failure_persistence: None, ..ProptestConfig::default() };
    (TestRunner::new(config), usize::try_from(count).expect("a count"))
}
