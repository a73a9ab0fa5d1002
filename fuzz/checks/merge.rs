//! Layers made up by chance, merged in both editions: no layer can break the merge, every leaf of
//! the Job has one origin, and the same layers give the same Job.

use std::sync::Arc;

use kubectl_mage::config::api::{Kind, api_type};
use kubectl_mage::config::{Convert, JobPath, LayerKind, Origin, Segment, Source, settings};
use kubectl_mage::explain::{Query, matching, rows};
use kubectl_mage::finding::Finding;
use kubectl_mage::job::{BuildContext, CommandParts, Guardrail, RenderedJob, build};
use kubectl_mage::merge::{Content, Merge, OssInput, OssLayer, Pro, ProLayer, Tree, merge_oss};
use kubectl_mage::yaml::{self, Mapping, SourceFile, Value};
use serde_json::{Map, Value as Json, json};

use super::chooser::Chooser;
use super::spans::{check_problem, check_span};

const LAYERS: [LayerKind; 8] = [
    LayerKind::Template,
    LayerKind::Policy,
    LayerKind::Project,
    LayerKind::ProjectOverrides,
    LayerKind::Pipeline,
    LayerKind::PipelineOverrides,
    LayerKind::Block,
    LayerKind::PolicyEnforced,
];

const TOP_LEVEL: [(&str, Option<&str>); 16] = [
    ("container_config", Some("Container")),
    ("container", Some("Container")),
    ("pod", Some("PodSpec")),
    ("job", Some("JobSpec")),
    ("metadata", Some("ObjectMeta")),
    ("resource_limits", None),
    ("resource_requests", None),
    ("namespace", None),
    ("job_name_prefix", None),
    ("service_account_name", None),
    ("serviceAccountName", None),
    ("k8s_executor_config", Some("Container")),
    ("resourceLimits", None),
    ("enforce", None),
    ("nodeSelector", None),
    ("", None),
];

/// Texts that mean something somewhere.
const TEXTS: [&str; 24] = [
    "a",
    "b",
    "busybox:1",
    "",
    " ",
    "1",
    "0",
    "-1",
    "1Gi",
    "500m",
    "1e3",
    "1e999999999",
    "0.5",
    "99999999999999999999999999999999999999999999",
    "true",
    "yes",
    "1h30m",
    "{trigger_name}",
    "{{ variables('x') }}",
    "/data",
    "é",
    "a.b/c",
    "\"]",
    "0x",
];

/// What stands in one layer.
struct Layer {
    kind: LayerKind,
    file: Arc<SourceFile>,
    body: Mapping,
}

pub(crate) fn merge(data: &[u8]) {
    let mut chooser = Chooser::new(data);
    let server = chooser.below(2) == 1;
    let guarded = chooser.below(2) == 1;
    let server = server.then(|| pod(&mut chooser));
    let mut layers: Vec<Layer> = Vec::new();
    while !chooser.is_empty() && layers.len() < LAYERS.len() {
        let kind = chooser.of(&LAYERS);
        let layer = layer(kind, &mut chooser);
        layers.extend(layer.filter(|layer| layers.iter().all(|known| known.kind != layer.kind)));
    }
    for oss in [false, true] {
        let merged = || job(&layers, server.as_ref(), oss, guarded);
        let first = merged();
        check(&first);
        assert_eq!(format!("{first:?}"), format!("{:?}", merged()));
    }
}

fn layer(kind: LayerKind, chooser: &mut Chooser<'_>) -> Option<Layer> {
    let mut body = Map::new();
    for _ in 0..=chooser.below(6) {
        let (key, type_name) = chooser.of(&TOP_LEVEL);
        let value = match (type_name, key) {
            (Some(name), _) => value(&Kind::Type(name), chooser, 0),
            (None, "resource_limits" | "resource_requests" | "resourceLimits") => {
                value(&Kind::Map(Box::new(Kind::Quantity)), chooser, 0)
            }
            (None, _) => value(&Kind::String, chooser, 0),
        };
        body.insert(key.to_owned(), value);
    }
    let file = SourceFile::new(format!("{kind}.yaml"), Json::Object(body).to_string());
    let root = yaml::parse(&file).ok()?.root?;
    let Value::Mapping(body) = root.value else { return None };
    Some(Layer { kind, file, body })
}

/// What a Job takes from the Mage server's pod (`load/server_pod.rs`).
fn pod(chooser: &mut Chooser<'_>) -> Tree {
    let mut root = Tree::empty_map(Origin::new(LayerKind::ServerPod, Source::BuiltIn, ""));
    for (part, type_name, fields) in [
        ("container", "Container", &["image", "env", "envFrom", "volumeMounts"][..]),
        ("pod", "PodSpec", &["volumes", "tolerations", "nodeSelector", "imagePullSecrets"]),
    ] {
        let given = object(type_name, chooser, 0);
        for field in fields {
            if let Some(value) = given.get(*field).filter(|value| !value.is_null()) {
                root.put(&[part, field], tree(value, field));
            }
        }
    }
    root
}

fn tree(value: &Json, field: &str) -> Tree {
    let content = match value {
        Json::Array(items) => Content::List {
            items: items.iter().map(|item| tree(item, field)).collect(),
            closed: false,
        },
        Json::Object(map) => Content::Map(
            map.iter().map(|(key, value)| (key.as_str().into(), tree(value, field))).collect(),
        ),
        scalar => Content::Leaf(scalar.clone()),
    };
    let source = Source::Object { object: "pod/mage-0".into(), field: field.to_owned().into() };
    Tree::new(content, Origin::new(LayerKind::ServerPod, source, field))
}

/// Makes a value of a kind; now and then one of another.
fn value(kind: &Kind, chooser: &mut Chooser<'_>, depth: usize) -> Json {
    if chooser.byte() > 240 || depth > 8 {
        return stray(chooser);
    }
    match kind {
        Kind::Type(name) => object(name, chooser, depth),
        Kind::List(item) => {
            (0..chooser.below(4)).map(|_| value(item, chooser, depth + 1)).collect()
        }
        Kind::Map(item) => {
            let keys = ["cpu", "memory", "nvidia.com/gpu", "a", "A b", ""];
            let count = chooser.below(4);
            let pairs =
                (0..count).map(|_| (chooser.of(&keys).to_owned(), value(item, chooser, depth + 1)));
            Json::Object(pairs.collect())
        }
        Kind::Integer | Kind::Number => {
            chooser.of(&[0, 1, -1, 30, 3600, i64::MAX, i64::MIN]).into()
        }
        Kind::Boolean => (chooser.below(2) == 1).into(),
        _ => text(chooser),
    }
}

fn text(chooser: &mut Chooser<'_>) -> Json {
    match chooser.below(TEXTS.len() + 2) {
        index if index < TEXTS.len() => TEXTS[index].into(),
        _ => chooser.text().into(),
    }
}

fn stray(chooser: &mut Chooser<'_>) -> Json {
    match chooser.below(8) {
        0 => Json::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(1.5),
        4 => json!(true),
        5 => json!([[{"a": [null]}]]),
        6 => json!({"name": {"b": 1}}),
        _ => text(chooser),
    }
}

fn object(type_name: &str, chooser: &mut Chooser<'_>, depth: usize) -> Json {
    let api = api_type(type_name);
    let mut map = Map::new();
    for _ in 0..chooser.below(6) {
        // The fields that Mage merges in its own way come more often.
        let often = ["name", "env", "volumes", "volumeMounts", "mountPath", "resources", "labels"];
        let wanted = chooser.of(&often);
        let field = match api.field(wanted).filter(|_| chooser.below(2) == 0) {
            Some(field) => field,
            None => match api.fields.get(chooser.below(api.fields.len())) {
                Some(field) => field,
                None => break,
            },
        };
        let key = match chooser.below(8) {
            0 => kubectl_mage::config::camel_to_snake(field.name),
            1 => chooser.text(),
            _ => field.name.to_owned(),
        };
        map.insert(key, value(&field.kind, chooser, depth + 1));
    }
    Json::Object(map)
}

fn job(layers: &[Layer], server: Option<&Tree>, oss: bool, guarded: bool) -> RenderedJob {
    let (root, merge, findings) =
        if oss { merged_oss(layers, server) } else { merged_pro(layers, server) };
    for finding in &findings {
        check_problem(&finding.problem);
    }
    let flag = Source::Flag { name: "TARGET".to_owned().into() };
    let context = BuildContext {
        cluster_uuid: "mage".to_owned(),
        trigger_name: "täglich".to_owned(),
        name_id: None,
        command: CommandParts {
            repo_path: "/home/src/p".to_owned(),
            pipeline: "p".to_owned(),
            block: Some("b".to_owned()),
            ..CommandParts::default()
        },
        default_namespace: ("default".to_owned(), Origin::new(LayerKind::Context, flag, "")),
        guardrails: if guarded { vec![guardrail()] } else { Vec::new() },
        secrets: Vec::new(),
        render: &|text, _| Ok(text.replace(['{', '}', ' ', '(', ')', '\''], "")),
    };
    build(root, merge, &context)
}

fn guardrail() -> Guardrail {
    Guardrail {
        name: "K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU".to_owned(),
        holder: "flag".to_owned(),
        group: "limits",
        resource: "cpu",
        value: "2".to_owned(),
    }
}

fn merged_pro(layers: &[Layer], server: Option<&Tree>) -> (Tree, Merge, Vec<Finding>) {
    let mut findings = Vec::new();
    let says = |kind| layers.iter().any(|layer| layer.kind == kind);
    let read = |layer: &Layer| {
        let mut convert = Convert::new(layer.kind, &layer.file);
        let fragments = settings(&mut convert, &layer.body.entries);
        findings.append(&mut convert.findings);
        let replaced = match layer.kind {
            LayerKind::Project => says(LayerKind::ProjectOverrides),
            LayerKind::Pipeline => says(LayerKind::PipelineOverrides),
            _ => false,
        };
        ProLayer { kind: layer.kind, fragments, replaced }
    };
    let mut pro = Pro::default();
    pro.lay(layers.iter().map(read).collect());
    let (root, merge) = pro.join(server.cloned());
    (root, merge, findings)
}

fn merged_oss(layers: &[Layer], server: Option<&Tree>) -> (Tree, Merge, Vec<Finding>) {
    let of = |kind| {
        let layer = layers.iter().find(|layer| layer.kind == kind)?;
        Some(OssLayer { kind, file: &layer.file, body: &layer.body })
    };
    merge_oss(&OssInput {
        template: of(LayerKind::Template),
        layers: [LayerKind::Project, LayerKind::Block].into_iter().filter_map(of).collect(),
        server,
    })
}

fn check(job: &RenderedJob) {
    let mut leaves = Vec::new();
    collect(&job.job, &JobPath::default(), &mut leaves);
    let values: Vec<(JobPath, Json)> =
        job.values.iter().map(|value| (value.path.clone(), value.value.clone())).collect();
    assert_eq!(leaves, values, "each leaf once, in order, with its value");
    for value in &job.values {
        check_origin(&value.origin);
        value.overridden.iter().for_each(|loser| check_origin(&loser.origin));
    }
    job.lost.iter().for_each(|(_, loser)| check_origin(&loser.origin));
    job.findings.iter().for_each(|finding| check_problem(&finding.problem));
    assert!(job.name.len() <= 63 && !job.name.is_empty(), "{}", job.name);
    let query = Query { all: true, overridden: true, ..Query::default() };
    assert!(!rows(job, &query).is_empty());
    for value in job.values.iter().take(8) {
        let text = value.path.to_string();
        assert!(matching(job, &text).iter().any(|found| found.path == value.path), "{text}");
    }
}

fn check_origin(origin: &Origin) {
    if let Source::File { file, span } = &origin.source {
        check_span(*span, &file.lines());
    }
}

/// The leaves of a Job; an empty list or mapping is one.
fn collect(value: &Json, path: &JobPath, leaves: &mut Vec<(JobPath, Json)>) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                collect(value, &path.key(key), leaves);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                let mut path = path.clone();
                path.0.push(Segment::Index(index));
                collect(item, &path, leaves);
            }
        }
        _ => leaves.push((path.clone(), value.clone())),
    }
}
