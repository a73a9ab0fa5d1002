//! `docs/settings.md`: the layers, and every setting with its place in the Job, from the program's
//! own tables.

use std::fmt::Write as _;

use kubectl_mage::config::api::{Kind, api_type};
use kubectl_mage::config::{LayerKind, camel_to_snake, job_paths};

/// The top-level settings, with what they are about.
const TOP_LEVEL: [(&str, &str); 10] = [
    ("job_name_prefix", "part of the Job's name: `mage-PREFIX-block-ID`"),
    ("namespace", "namespace of the Job; a Jinja template"),
    ("resource_limits.KEY", "limits of the container, extended resources too"),
    ("resource_requests.KEY", "requests of the container"),
    ("service_account_name", "service account of the pod"),
    ("container_config", "the container; wins over everything else in the same layer"),
    ("container", "the container that runs Mage"),
    ("pod", "the pod"),
    ("job", "the Job"),
    ("metadata", "labels and annotations of the Job and its pods"),
];
/// The settings that hold an object of the API.
const OBJECTS: [(&str, &str); 4] = [
    ("container", "Container"),
    ("pod", "PodSpec"),
    ("job", "JobSpec"),
    ("metadata", "ObjectMeta"),
];

/// Fields of the API's types that are no settings: what only a server writes, and what Mage makes itself (`MAGE108`).
const NO_SETTINGS: [&str; 10] = [
    "job.template",
    "metadata.creation_timestamp",
    "metadata.deletion_grace_period_seconds",
    "metadata.deletion_timestamp",
    "metadata.generation",
    "metadata.managed_fields",
    "metadata.name",
    "metadata.resource_version",
    "metadata.self_link",
    "metadata.uid",
];

/// Returns the whole page.
pub(super) fn page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         What may stand below `k8s_executor_config` of a project, below `executor_config` of a pipeline or block,\n\
         in the template and in the policy file, and the place in the Job that each setting speaks for.\n\
         Both spellings are read, `node_selector` and `nodeSelector`, at any depth. What edition `oss` does not\n\
         read of it, `kubectl mage lint --edition oss` says. `make docs` writes this page from the program itself.\n\n\
         What only a server writes (`metadata.uid`) and what Mage makes itself (`metadata.name`, `job.template`) is left out.\n\n\
         Which of several values counts: [Layers and precedence](layers.md).\n\n\
         ## Layers\n\nLowest first.\n\n| layer | what it is |\n| --- | --- |\n",
    );
    page.push_str(&layers());
    page.push_str("\n## Top level\n\n| setting | in the Job | what it is |\n| --- | --- | --- |\n");
    for (setting, meaning) in TOP_LEVEL {
        let _ = writeln!(page, "| `{setting}` | {} | {meaning} |", places(setting));
    }
    page.push_str(
        "\nThe policy file has two keys more: `enabled: false` leaves the whole file out, and `enforce` says whether it is\n\
         above every other layer (`true`) or only fills what nobody set (`false`). A project, a pipeline and a block may\n\
         also say `executor_type`.\n",
    );
    for (setting, api) in OBJECTS {
        let _ = writeln!(
            page,
            "\n## {setting}\n\n| setting | in the Job | type |\n| --- | --- | --- |"
        );
        for field in &api_type(api).fields {
            let name = format!("{setting}.{}", camel_to_snake(field.name));
            if NO_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let _ = writeln!(page, "| `{name}` | {} | {} |", places(&name), kind(&field.kind));
        }
    }
    page
}

/// The places in the Job, the setting's own name apart.
fn places(setting: &str) -> String {
    let paths = job_paths(setting);
    let (_, places) = paths.split_last().expect("the name itself is there");
    assert!(!places.is_empty(), "{setting} is not known");
    let places: Vec<_> = places.iter().map(|path| format!("`{path}`")).collect();
    places.join(", ")
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::String => "text".to_owned(),
        Kind::Integer => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Quantity => "quantity".to_owned(),
        Kind::IntOrString => "whole number or text".to_owned(),
        Kind::Time => "time".to_owned(),
        Kind::Object => "anything".to_owned(),
        Kind::Type(name) => (*name).to_owned(),
        Kind::List(item) => format!("list of {}", self::kind(item)),
        Kind::Map(item) => format!("map of {}", self::kind(item)),
    }
}

/// The layers with what their documentation says.
fn layers() -> String {
    let mut rows = String::new();
    let mut layers = LayerKind::ALL.iter();
    let declared = include_str!("../../../src/config/layer.rs");
    let body = declared.split("pub enum LayerKind {").nth(1).expect("the enum is there");
    let mut meaning = String::new();
    for line in body.lines().map(str::trim).take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("///") {
            meaning.push_str(text);
        } else if line.ends_with(',') {
            let layer = layers.next().expect("as many layers as are declared");
            let _ = writeln!(rows, "| `{}` | {} |", layer.name(), meaning.trim());
            meaning.clear();
        }
    }
    assert_eq!(layers.next(), None, "a layer is missing in {rows}");
    rows
}
