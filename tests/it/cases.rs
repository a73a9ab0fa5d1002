//! The recorded cases: what genuine Mage OSS 0.9.80 was given and what it sent. Used by the tests on
//! files and by those against a cluster.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Cases that are exit 2 in both editions (`vectors/README.md`).
pub(crate) const REFUSED: [&str; 10] =
    ["044", "051", "094", "102", "104", "107", "108", "125", "135", "137"];

/// A case: what Mage was given and what it sent.
pub(crate) struct Case {
    pub(crate) name: String,
    folder: PathBuf,
    given: Json,
    pub(crate) expected: Json,
}

fn read(path: impl AsRef<Path>) -> Json {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if text.is_empty() { Json::Null } else { serde_json::from_str(&text).expect("JSON") }
}

/// Returns all cases, by number.
pub(crate) fn cases() -> Vec<Case> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors"))
            .expect("the vectors")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.join("case.json").exists())
            .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| {
            let expected = read(folder.join("expected.oss.json"));
            Case::open(folder, expected)
        })
        .collect()
}

/// Of variables with one name only the last takes effect, so only that is compared.
pub(crate) fn last_variables(job: &mut Json) {
    let containers = &mut job["spec"]["template"]["spec"]["containers"];
    for container in containers.as_array_mut().into_iter().flatten() {
        let Some(env) = container["env"].as_array().cloned() else { continue };
        let kept: Vec<Json> = env
            .iter()
            .enumerate()
            .filter(|(index, item)| {
                !env[index + 1..].iter().any(|later| later["name"] == item["name"])
            })
            .map(|(_, item)| item.clone())
            .collect();
        container["env"] = Json::Array(kept);
    }
}

impl Case {
    /// Reads the case in a folder, which Mage has answered.
    pub(crate) fn open(folder: PathBuf, expected: Json) -> Self {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        Self { name, given: read(folder.join("case.json")), expected, folder }
    }

    /// Returns the three digits it begins with.
    pub(crate) fn number(&self) -> &str {
        &self.name[..3]
    }

    fn command_word(&self, flag: &str) -> Option<String> {
        let command = self.expected["job"]["spec"]["template"]["spec"]["containers"][0]["command"]
            .as_array()?;
        let index = command.iter().position(|word| word == flag)?;
        command[index + 1].as_str().map(str::to_owned)
    }

    /// Mage answered with a Job that an API server accepts.
    pub(crate) fn is_exact(&self) -> bool {
        self.expected["ok"] == true
            && !self.expected["job"].is_null()
            && self.expected["validation"]
                .as_array()
                .is_none_or(|found| found.iter().all(|found| found["kind"] == "warning"))
    }

    /// Returns the command line of this tool for the case.
    pub(crate) fn arguments(&self, edition: &str) -> Vec<String> {
        let text = |key: &str| match &self.given[key] {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let file = |name: &str| {
            let path = self.folder.join(name);
            path.exists().then(|| path.display().to_string())
        };
        let pipeline = text("pipeline_uuid").expect("a pipeline");
        let target = match text("block_uuid") {
            Some(block) => format!("{pipeline}/{block}"),
            None => pipeline,
        };
        let mut arguments: Vec<String> =
            ["render", &target, "--edition", edition, "--offline"].map(str::to_owned).to_vec();
        let mut flag = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                arguments.push(format!("{name}={value}"));
            }
        };
        flag("--output", Some("json".to_owned()));
        flag("--project", file("project"));
        flag(
            "--server-pod",
            Some(file("pod.json").map_or("none".to_owned(), |path| format!("@{path}"))),
        );
        flag("--template", file("k8s_config.yaml"));
        flag("--block-run-id", text("block_run_id"));
        flag("--pipeline-run-id", text("pipeline_run_id"));
        flag("--trigger", text("trigger_name"));
        flag("--repo-path", text("repo_path").or(Some("/home/src/project".to_owned())));
        flag(
            "--execution-partition",
            text("execution_partition").or_else(|| self.command_word("--execution-partition")),
        );
        flag(
            "--template-runtime-configuration",
            self.command_word("--template-runtime-configuration"),
        );
        for (name, value) in read(self.folder.join("env.json")).as_object().into_iter().flatten() {
            flag("--server-env", value.as_str().map(|value| format!("{name}={value}")));
        }
        for (name, value) in self.given["variables"].as_object().into_iter().flatten() {
            flag("--var", Some(format!("{name}={value}")));
        }
        arguments
    }
}
