//! Edition `oss` against what the genuine Mage OSS 0.9.80 sends.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::support::{Said, fixture, run};

/// Cases that are exit 2 in both editions (`vectors/README.md`).
const REFUSED: [&str; 10] = ["044", "051", "094", "102", "104", "107", "108", "125", "135", "137"];

/// A case: what Mage was given and what it sent.
struct Case {
    name: String,
    folder: PathBuf,
    given: Json,
    expected: Json,
}

fn read(path: impl AsRef<Path>) -> Json {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if text.is_empty() { Json::Null } else { serde_json::from_str(&text).expect("JSON") }
}

fn cases() -> Vec<Case> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(fixture("vectors"))
        .expect("the vectors")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("case.json").exists())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| Case {
            name: folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned(),
            given: read(folder.join("case.json")),
            expected: read(folder.join("expected.oss.json")),
            folder,
        })
        .collect()
}

impl Case {
    fn number(&self) -> &str {
        &self.name[..3]
    }

    fn command_word(&self, flag: &str) -> Option<String> {
        let command = self.expected["job"]["spec"]["template"]["spec"]["containers"][0]["command"]
            .as_array()?;
        let index = command.iter().position(|word| word == flag)?;
        command[index + 1].as_str().map(str::to_owned)
    }

    /// Mage answered with a Job that an API server accepts.
    fn is_exact(&self) -> bool {
        self.expected["ok"] == true
            && !self.expected["job"].is_null()
            && self.expected["validation"]
                .as_array()
                .is_none_or(|found| found.iter().all(|found| found["kind"] == "warning"))
    }

    fn render(&self, edition: &str) -> Said {
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
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Drops nulls, empty lists and mappings, and this tool's own labels; a number is its text.
fn normal(value: &Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(
            map.iter()
                .filter(|(key, _)| {
                    !key.starts_with("kubectl-mage/") && *key != "app.kubernetes.io/managed-by"
                })
                .map(|(key, value)| (key.clone(), normal(value)))
                .filter(|(_, value)| {
                    !matches!(value, Json::Null) && *value != json!([]) && *value != json!({})
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(normal).collect()),
        Json::Number(number) => Json::String(number.to_string()),
        other => other.clone(),
    }
}

/// Of variables with one name only the last takes effect, so only that is compared.
fn last_variables(job: &mut Json) {
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

#[test]
fn oss_sends_what_mage_sends() {
    let mut compared = 0;
    for case in cases() {
        if !case.is_exact() || REFUSED.contains(&case.number()) {
            continue;
        }
        let list: Json = serde_json::from_str(&case.render("oss").ok()).expect("JSON");
        let ours = normal(&list["items"][0]);
        let mut mages = case.expected["job"].clone();
        mages["metadata"]["namespace"] = case.expected["namespace"].clone();
        last_variables(&mut mages);
        pretty_assert(&case.name, &ours, &normal(&mages));
        compared += 1;
    }
    assert!(compared >= 60, "{compared}");
}

fn pretty_assert(name: &str, ours: &Json, mages: &Json) {
    let text = |value: &Json| serde_json::to_string_pretty(&sorted(value)).expect("JSON");
    assert_eq!(text(ours), text(mages), "case {name}");
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            Json::Object(
                entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
            )
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[test]
fn what_means_nothing_is_refused_in_both_editions() {
    for case in cases() {
        for edition in ["oss", "pro"] {
            let said = case.render(edition);
            if REFUSED.contains(&case.number()) {
                assert_eq!(said.code, 2, "case {} {edition}: {}", case.name, said.stderr);
                assert!(said.stdout.is_empty());
            } else if !(case.number() == "096" || (case.number() == "109" && edition == "pro")) {
                assert_eq!(said.code, 0, "case {} {edition}: {}", case.name, said.stderr);
            }
        }
    }
}

#[test]
fn where_mage_fails_a_finding_says_so() {
    for case in cases() {
        let fails =
            case.expected["ok"] == false || (!case.is_exact() && case.expected["job"].is_object());
        let outside = ["096", "097", "046", "060", "106", "057"].contains(&case.number());
        if fails && !outside && !REFUSED.contains(&case.number()) {
            let said = case.render("oss");
            assert!(said.stderr.contains("warning: "), "case {}: {}", case.name, said.stderr);
        }
    }
}
