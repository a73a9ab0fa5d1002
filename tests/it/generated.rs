//! Configurations made by chance: some settings in some layers, each with a value of its own.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value as Json, json};

use crate::explained::container;
use crate::support::TempProject;

/// A layer that is a file, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    Template,
    Policy,
    Project,
    ProjectOverrides,
    Pipeline,
    PipelineOverrides,
    Block,
    Enforced,
}

pub(crate) const LAYERS: [Layer; 8] = [
    Layer::Template,
    Layer::Policy,
    Layer::Project,
    Layer::ProjectOverrides,
    Layer::Pipeline,
    Layer::PipelineOverrides,
    Layer::Block,
    Layer::Enforced,
];

impl Layer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Policy => "policy",
            Self::Project => "project",
            Self::ProjectOverrides => "project-overrides",
            Self::Pipeline => "pipeline",
            Self::PipelineOverrides => "pipeline-overrides",
            Self::Block => "block",
            Self::Enforced => "policy-enforced",
        }
    }
}

/// What a setting's value is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Number,
    /// Large enough for every request.
    Limit,
    /// Small enough for every limit.
    Request,
    Flag,
}

/// A setting that fills one field of the Job.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Its keys.
    keys: &'static [&'static str],
    /// Order inside a layer: the higher one wins.
    rank: u8,
    kind: Kind,
    /// The field, below the container where it starts with `@`.
    field: &'static str,
}

const fn setting(
    keys: &'static [&'static str],
    rank: u8,
    kind: Kind,
    field: &'static str,
) -> Setting {
    Setting { keys, rank, kind, field }
}

const POD: &str = ".spec.template.spec";

const SETTINGS: [Setting; 24] = [
    setting(&["namespace"], 1, Kind::Text, ".metadata.namespace"),
    setting(&["metadata", "namespace"], 0, Kind::Text, ".metadata.namespace"),
    setting(&["resource_limits", "cpu"], 1, Kind::Limit, "@resources.limits.cpu"),
    setting(&["container", "resources", "limits", "cpu"], 0, Kind::Limit, "@resources.limits.cpu"),
    setting(
        &["container_config", "resources", "limits", "cpu"],
        2,
        Kind::Limit,
        "@resources.limits.cpu",
    ),
    setting(&["resource_limits", "memory"], 1, Kind::Limit, "@resources.limits.memory"),
    setting(
        &["resource_limits", "nvidia.com/gpu"],
        1,
        Kind::Limit,
        "@resources.limits[\"nvidia.com/gpu\"]",
    ),
    setting(&["resource_requests", "cpu"], 1, Kind::Request, "@resources.requests.cpu"),
    setting(&["resource_requests", "memory"], 1, Kind::Request, "@resources.requests.memory"),
    setting(&["service_account_name"], 1, Kind::Text, "/serviceAccountName"),
    setting(&["pod", "serviceAccountName"], 0, Kind::Text, "/serviceAccountName"),
    setting(&["container", "image"], 0, Kind::Text, "@image"),
    setting(&["container_config", "image"], 2, Kind::Text, "@image"),
    setting(&["container", "imagePullPolicy"], 0, Kind::Text, "@imagePullPolicy"),
    setting(
        &["container", "security_context", "run_as_user"],
        0,
        Kind::Number,
        "@securityContext.runAsUser",
    ),
    setting(
        &["container_config", "securityContext", "runAsUser"],
        2,
        Kind::Number,
        "@securityContext.runAsUser",
    ),
    setting(&["pod", "node_selector", "disk"], 0, Kind::Text, "/nodeSelector.disk"),
    setting(&["pod", "node_selector", "zone"], 0, Kind::Text, "/nodeSelector.zone"),
    setting(&["pod", "scheduler_name"], 0, Kind::Text, "/schedulerName"),
    setting(&["pod", "hostNetwork"], 0, Kind::Flag, "/hostNetwork"),
    setting(&["metadata", "labels", "team"], 0, Kind::Text, ".metadata.labels.team"),
    setting(
        &["metadata", "annotations", "a.b/c"],
        0,
        Kind::Text,
        ".metadata.annotations[\"a.b/c\"]",
    ),
    setting(&["job", "backoff_limit"], 0, Kind::Number, ".spec.backoffLimit"),
    setting(&["job", "activeDeadlineSeconds"], 0, Kind::Number, ".spec.activeDeadlineSeconds"),
];

impl Setting {
    /// The path of the field in the Job.
    pub(crate) fn job_path(&self) -> String {
        if let Some(field) = self.field.strip_prefix('@') {
            return container(field);
        }
        match self.field.strip_prefix('/') {
            Some(field) => format!("{POD}.{field}"),
            None => self.field.to_owned(),
        }
    }

    /// The `index`th value of this kind, all of them different.
    fn value(&self, index: usize) -> Json {
        match self.kind {
            Kind::Text => json!(format!("v{index}")),
            Kind::Number => json!(1000 + index),
            Kind::Limit => json!(format!("{}Ki", 5000 + index)),
            Kind::Request => json!(format!("{}m", 1 + index)),
            Kind::Flag => json!(index.is_multiple_of(2)),
        }
    }
}

/// A value that a layer gives.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) layer: Layer,
    pub(crate) setting: Setting,
    pub(crate) value: Json,
}

impl Given {
    /// What decides between values for one field.
    pub(crate) fn precedence(&self) -> (Layer, u8) {
        (self.layer, self.setting.rank)
    }
}

/// A configuration and how its files are written.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) given: Vec<Given>,
    style: Style,
    ends: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Block,
    Flow,
    Quoted,
}

/// Some settings in some layers; the policy is enforced or not, never both.
pub(crate) fn configurations() -> impl Strategy<Value = Configuration> {
    let body = subsequence((0..SETTINGS.len()).collect::<Vec<_>>(), 0..=8);
    let bodies = proptest::collection::vec(body, LAYERS.len());
    let layers = subsequence(LAYERS.to_vec(), 1..=LAYERS.len());
    let style = select(vec![Style::Block, Style::Flow, Style::Quoted]);
    (bodies, layers, any::<bool>(), style, select(vec!["\n", "\r\n"])).prop_map(
        |(bodies, layers, enforced, style, ends)| {
            let unused = if enforced { Layer::Policy } else { Layer::Enforced };
            let mut given = Vec::new();
            for (layer, body) in LAYERS.into_iter().zip(bodies) {
                if !layers.contains(&layer) || layer == unused {
                    continue;
                }
                for index in body {
                    let setting = SETTINGS[index].clone();
                    let value = setting.value(given.len());
                    given.push(Given { layer, setting, value });
                }
            }
            Configuration { given, style, ends }
        },
    )
}

impl Configuration {
    /// What a layer says; `None` where it is silent.
    fn body(&self, layer: Layer) -> Option<Json> {
        let mut body = Map::new();
        for given in self.given.iter().filter(|given| given.layer == layer) {
            let (last, parents) = given.setting.keys.split_last().expect("a key");
            let mut map = &mut body;
            for key in parents {
                let inner = map.entry(*key).or_insert_with(|| json!({}));
                map = inner.as_object_mut().expect("a mapping");
            }
            map.insert((*last).to_owned(), given.value.clone());
        }
        (!body.is_empty()).then_some(Json::Object(body))
    }

    /// Writes a file in the style of this configuration.
    fn text(&self, file: &Json) -> String {
        let mut text = match self.style {
            Style::Flow => format!("# größe 日本\n{file}\n"),
            Style::Quoted => serde_json::to_string_pretty(file).expect("JSON") + "\n",
            Style::Block => {
                let mut text = String::new();
                block(file, 0, &mut text);
                text
            }
        };
        if self.ends != "\n" {
            text = text.replace('\n', self.ends);
        }
        text
    }

    /// Writes the files, and returns the flags that name those outside the project.
    pub(crate) fn write(&self, project: &TempProject) -> Vec<String> {
        let mut metadata = json!({"project_type": "standalone"});
        if let Some(body) = self.body(Layer::Project) {
            metadata["k8s_executor_config"] = body;
        }
        if let Some(body) = self.body(Layer::ProjectOverrides) {
            metadata["overrides"] = json!({"dev": {"k8s_executor_config": body}});
        }
        let mut pipeline = json!({"type": "python"});
        let mut load = json!({"uuid": "load", "type": "data_loader", "executor_type": "k8s"});
        if let Some(body) = self.body(Layer::Block) {
            load["executor_config"] = body;
        }
        pipeline["blocks"] = json!([load]);
        if let Some(body) = self.body(Layer::Pipeline) {
            pipeline["executor_config"] = body;
        }
        if let Some(body) = self.body(Layer::PipelineOverrides) {
            pipeline["overrides"] = json!({"dev": {"executor_config": body}});
        }
        project.write("metadata.yaml", &self.text(&metadata));
        project.write("pipelines/p/metadata.yaml", &self.text(&pipeline));
        let mut flags = vec!["--server-env=ENV=dev".to_owned(), "--repo-path=/r".to_owned()];
        if let Some(body) = self.body(Layer::Template) {
            project.write("template.yaml", &self.text(&body));
            flags.push(format!("--template={}/template.yaml", project.path()));
        }
        for (layer, enforce) in [(Layer::Policy, false), (Layer::Enforced, true)] {
            if let Some(mut body) = self.body(layer) {
                body["enforce"] = json!(enforce);
                project.write("policy.yaml", &self.text(&body));
                flags.push(format!("--policy={}/policy.yaml", project.path()));
            }
        }
        flags
    }

    /// Tells whether a layer in force names the image.
    pub(crate) fn has_image(&self) -> bool {
        let image = container("image");
        self.fields().iter().any(|(path, _)| *path == image)
    }

    /// The values in force and those that lost, by field, lowest first; without those that
    /// `overrides` replace.
    pub(crate) fn fields(&self) -> Vec<(String, Vec<&Given>)> {
        let says = |layer| self.given.iter().any(|given| given.layer == layer);
        let is_replaced = |layer| match layer {
            Layer::Project => says(Layer::ProjectOverrides),
            Layer::Pipeline => says(Layer::PipelineOverrides),
            _ => false,
        };
        let mut fields: Vec<(String, Vec<&Given>)> = Vec::new();
        for given in self.given.iter().filter(|given| !is_replaced(given.layer)) {
            let path = given.setting.job_path();
            match fields.iter_mut().find(|(known, _)| *known == path) {
                Some((_, values)) => values.push(given),
                None => fields.push((path, vec![given])),
            }
        }
        for (_, values) in &mut fields {
            values.sort_by_key(|given| given.precedence());
        }
        fields
    }
}

fn block(value: &Json, indentation: usize, text: &mut String) {
    let blanks = " ".repeat(indentation);
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                text.extend([&*blanks, key, ":"]);
                nested(value, indentation + 2, text);
            }
        }
        Json::Array(items) => {
            for item in items {
                text.extend([&*blanks, "-"]);
                nested(item, indentation + 2, text);
            }
        }
        _ => unreachable!("a scalar stands behind its key"),
    }
}

fn nested(value: &Json, indentation: usize, text: &mut String) {
    match value {
        Json::Object(_) | Json::Array(_) => {
            text.push('\n');
            block(value, indentation, text);
        }
        Json::String(plain) => text.extend([" ", plain, "  # why\n"]),
        other => text.extend([" ", &other.to_string(), "\n"]),
    }
}

/// Deterministic, so that a failure comes again; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for
/// more and others.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok());
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(cases),
        rng_seed: RngSeed::Fixed(seed.unwrap_or(1)),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
