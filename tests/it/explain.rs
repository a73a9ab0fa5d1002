//! `explain-config`: where every value of a Job comes from.

use std::path::Path;

use kubectl_mage::config::scalar_text;
use serde_json::{Value as Json, json};

use crate::explained::{
    at, container, explained, layered, layered_flags, leaves, place, rendered, scalar_at, values,
};
use crate::schema::fits;
use crate::support::{TempProject, run, small_project};

const LAYERS: [&str; 14] = [
    "hardcoded",
    "context",
    "server-pod",
    "template",
    "env",
    "policy",
    "project",
    "project-overrides",
    "pipeline",
    "pipeline-overrides",
    "block",
    "flag",
    "policy-enforced",
    "api-default",
];

const PIPELINE: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";

fn flags(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

/// Checks the shape of an explanation, and that every place holds the value that it is said to.
fn check(project: &TempProject, explained: &Json) {
    assert_eq!(keys(explained), ["block", "edition", "job", "layers", "pipeline", "values"]);
    assert_eq!(keys(&explained["job"]), ["name", "namespace"]);
    for value in values(explained) {
        let expected =
            ["jobPath", "layer", "overridden", "path", "redacted", "rule", "source", "value"];
        assert_eq!(keys(value), expected);
        assert!(LAYERS.contains(&value["layer"].as_str().expect("a layer")), "{value}");
        check_source(project, value, value["redacted"] == true);
        for loser in value["overridden"].as_array().expect("a list") {
            assert_eq!(keys(loser), ["layer", "reason", "source", "value"]);
            check_source(project, loser, value["redacted"] == true);
        }
        let layers: Vec<usize> = value["overridden"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|loser| LAYERS.iter().position(|layer| loser["layer"] == *layer).expect("a layer"))
            .collect();
        assert!(layers.is_sorted(), "lowest first: {value}");
        assert_eq!(layers.is_empty(), value["rule"].is_null(), "{value}");
    }
}

fn keys(value: &Json) -> Vec<&str> {
    let mut keys: Vec<&str> =
        value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn check_source(project: &TempProject, value: &Json, redacted: bool) {
    let source = &value["source"];
    let known = ["builtin", "env", "file", "flag", "object", "api"];
    assert!(known.contains(&source["kind"].as_str().expect("a kind")), "{value}");
    assert_eq!(keys(source), ["column", "file", "kind", "line", "name", "object"]);
    let Some((file, line, column)) = place(source) else { return };
    let (node, written) = match scalar_at(&Path::new(project.path()).join(&file), line, column) {
        Some(found) => found,
        None if value["value"].is_object() || value["value"].is_array() => return,
        None => panic!("no scalar starts at {file}:{line}:{column}: {value}"),
    };
    let path = value["jobPath"].as_str().unwrap_or_default();
    let derived = written.contains("{{") || path.ends_with("metadata.name") || redacted;
    if !derived {
        let mut text = scalar_text(&node).expect("a scalar");
        if file == "metadata.yaml" {
            // Mage trims the ends of every text of the project's file.
            text.truncate(text.trim_end().len());
        }
        let shown = match &value["value"] {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(text, shown, "{file}:{line}:{column} is written {written}");
    }
}

#[test]
fn every_leaf_is_explained_once_and_its_place_holds_it() {
    for policy in ["policy", "enforced"] {
        for edition in ["pro", "oss"] {
            for pod in ["none", "@pod.yaml"] {
                let project = layered();
                let mut owned = layered_flags(&project, policy);
                owned.push(format!("--edition={edition}"));
                let pod = match pod.strip_prefix('@') {
                    Some(file) => format!("--server-pod=@{}/{file}", project.path()),
                    None => "--server-pod=none".to_owned(),
                };
                owned.extend(["--offline".into(), format!("--project={}", project.path()), pod]);
                let ask = |command: &[&str]| -> Json {
                    let said = run(&[command, &["-o", "json"], &flags(&owned)].concat());
                    serde_json::from_str(&said.ok()).expect("JSON")
                };
                for block in ["load", "export"] {
                    let target = format!("etl/{block}");
                    let list = ask(&["render", &target]);
                    let explained = ask(&["explain-config", &target, "--all"]);
                    check(&project, &explained);
                    let mut unseen = leaves(&list["items"][0]);
                    for value in values(&explained) {
                        let path = value["jobPath"].as_str().expect("a path");
                        let sent = unseen
                            .remove(path)
                            .unwrap_or_else(|| panic!("{path} twice or not sent"));
                        if value["redacted"] == false {
                            assert_eq!(value["value"], sent, "{path}");
                        } else {
                            assert_eq!(value["value"], "***", "{path}");
                        }
                    }
                    assert!(unseen.is_empty(), "not explained: {unseen:?}");
                    assert_eq!(explained["pipeline"], "etl");
                    assert_eq!(explained["block"], *block);
                    assert_eq!(explained["edition"], edition);
                    assert_eq!(explained["job"]["name"], list["items"][0]["metadata"]["name"]);
                }
            }
        }
    }
}

/// Ways to write the same configuration, in which places are easily lost.
#[test]
fn places_hold_in_every_way_of_writing() {
    let block = "k8s_executor_config:\n  container_config:\n    image: \"a:1\"\n    env:\n    - name: A\n      value: 'x y'\n  resource_limits:\n    cpu: 2\n";
    let crlf = block.replace('\n', "\r\n");
    let bom = format!("\u{feff}{block}");
    for text in [
        block,
        &crlf,
        &bom,
        "# 日本語 😀\nk8s_executor_config: {container_config: {image: 'a:1', env: [{name: A, value: \"日本\"}, {name: \"ключ\", value: x}]}, resource_limits: {cpu: 2}}\n",
        "\"größe 日本\": {a: &l {cpu: 2, memory: 1Gi}}\nk8s_executor_config: {resource_limits: *l, container_config: {image: a}}\n",
        "base: &b\n  container_config: {image: a}\n  resource_limits: {cpu: 1}\nk8s_executor_config:\n  <<: *b\n  resource_limits: {cpu: 2, memory: 3Gi}\n",
        "k8s_executor_config: {<<: [{namespace: x}, {namespace: y, container_config: {image: a}}]}\n",
        "k8s_executor_config:\n  container_config:\n    image: &i !!str a:1\n    args:\n    - *i\n    - |\n      long\n      text\n    - >-\n      folded\n      text\n",
        "? k8s_executor_config\n:\n  ? container_config\n  : image: a\n",
        "k8s_executor_config:\n\tjob: 1\n",
    ] {
        let project =
            TempProject::new(&[("metadata.yaml", text), ("pipelines/p/metadata.yaml", PIPELINE)]);
        if text.contains('\t') {
            project.run(&["explain", "p"]).fails(2);
            continue;
        }
        let explained = explained(&project, "p/load", &[]);
        let of_project = values(&explained).iter().filter(|value| value["layer"] == "project");
        assert!(of_project.count() > 0, "{text}");
        check(&project, &explained);
    }
}

#[test]
fn columns_count_characters() {
    let text =
        "k8s_executor_config: {job_name_prefix: \"日本\", container_config: {image: 'a:1'}}\n";
    let project =
        TempProject::new(&[("metadata.yaml", text), ("pipelines/p/metadata.yaml", PIPELINE)]);
    let explained = explained(&project, "p/load", &[]);
    let source = &at(&explained, &container("image"))["source"];
    let column = text.chars().position(|c| c == '\'').expect("a quote") + 1;
    assert_eq!((&source["line"], &source["column"]), (&json!(1), &json!(column)));
}

#[test]
fn a_template_is_shown_with_its_value() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let explanation = explained(&project, "etl/load", &flags(&owned));
    let namespace = at(&explanation, ".metadata.namespace");
    assert_eq!(namespace["value"], "data");
    assert_eq!(
        (&namespace["source"]["line"], &namespace["source"]["column"]),
        (&json!(7), &json!(14))
    );
    let table = project.run(&[&["explain", "etl/load", "namespace"], &flags(&owned)[..]].concat());
    assert!(table.ok().contains("env_var('TEAM')"));
}

#[test]
fn sources_that_are_no_files_are_named() {
    let project = small_project();
    let explained = explained(
        &project,
        "etl/load",
        &[
            "--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_CPU=250m",
            "--server-env=KUBE_NAMESPACE=jobs",
            "--image=b:2",
        ],
    );
    let cpu = at(&explained, &container("resources.requests.cpu"));
    assert_eq!((&cpu["layer"], &cpu["source"]["kind"]), (&json!("env"), &json!("env")));
    assert_eq!(cpu["source"]["name"], "K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_CPU");
    assert_eq!(cpu["path"], "resource_requests.cpu");
    let namespace = at(&explained, ".metadata.namespace");
    assert_eq!((&namespace["layer"], &namespace["value"]), (&json!("hardcoded"), &json!("jobs")));
    assert_eq!(namespace["source"]["name"], "KUBE_NAMESPACE");
    let image = at(&explained, &container("image"));
    assert_eq!((&image["layer"], &image["source"]["name"]), (&json!("flag"), &json!("--image")));
    assert_eq!(image["overridden"][0]["value"], "mageai/mageai:0.9.80");
}

#[test]
fn a_file_outside_the_project_has_an_absolute_name() {
    let project = small_project();
    let elsewhere = TempProject::new(&[("template.yaml", "job: {backoff_limit: 7}\n")]);
    let template = format!("{}/template.yaml", elsewhere.path());
    let explained = explained(&project, "etl/load", &["--template", &template]);
    assert_eq!(at(&explained, ".spec.backoffLimit")["source"]["file"], template);
}

#[test]
fn the_whole_pipeline_is_a_list() {
    let project = small_project();
    let all = explained(&project, "etl", &[]);
    assert_eq!(keys(&all), ["items"]);
    let blocks: Vec<&Json> =
        all["items"].as_array().expect("a list").iter().map(|item| &item["block"]).collect();
    assert_eq!(blocks, ["load", "export"]);
}

#[test]
fn all_layers_are_listed_in_order() {
    let project = layered();
    let owned = layered_flags(&project, "enforced");
    let explained = explained(&project, "etl/load", &flags(&owned));
    let layers = explained["layers"].as_array().expect("a list");
    let names: Vec<&str> = layers.iter().map(|l| l["layer"].as_str().expect("a name")).collect();
    assert_eq!(names, LAYERS);
    let present: Vec<&str> = layers
        .iter()
        .filter(|layer| layer["present"] == true)
        .map(|layer| layer["layer"].as_str().expect("a name"))
        .collect();
    let expected =
        ["hardcoded", "template", "env", "project", "pipeline", "block", "policy-enforced"];
    assert_eq!(present, expected);
    for layer in layers {
        assert_eq!(keys(layer), ["layer", "lookedFor", "present", "source"]);
        assert!(!layer["lookedFor"].as_str().expect("text").is_empty());
        assert_eq!(layer["present"] == true, layer["source"].is_string(), "{layer}");
    }
    let table = project
        .run(&[&["explain", "etl/load", "--layers", "--no-headers"], &flags(&owned)[..]].concat())
        .ok();
    let shown: Vec<&str> =
        table.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(shown, LAYERS);
}

#[test]
fn why_tells_the_whole_history_lowest_first() {
    let project = layered();
    let owned = layered_flags(&project, "enforced");
    let why = |path: &str| {
        project.run(&[&["explain", "etl/load", "--why", path], &flags(&owned)[..]].concat()).ok()
    };
    let text = why("resource_limits.cpu");
    let places = [
        "metadata.yaml:3:8",
        "pipelines/etl/metadata.yaml:11:26",
        &format!("{}:3:24", "enforced.yaml"),
    ];
    let found: Vec<usize> = places
        .iter()
        .map(|place| text.find(place).unwrap_or_else(|| panic!("{place}: {text}")))
        .collect();
    assert!(found.is_sorted(), "{text}");
    assert_eq!(text.matches("overridden: ").count(), 2, "{text}");
    assert_eq!(text.matches("in force: ").count(), 1, "{text}");
    let in_job = why(".spec.template.spec.containers[0].resources.limits.cpu");
    assert_eq!(text, in_job);
    assert_eq!(text, why("container.resources.limits.cpu"));
    let said = project
        .run(&[&["explain", "etl/load", "--why", "pod.host_network"], &flags(&owned)[..]].concat());
    let text = said.fails(1);
    assert!(text.contains("no layer sets `pod.host_network`"), "{text}");
}

#[test]
fn paths_narrow_in_both_spellings() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let paths = |path: &str| -> Vec<String> {
        let said = project
            .run(&[&["explain", "etl/load", path, "-o", "json"], &flags(&owned)[..]].concat());
        let explained: Json = serde_json::from_str(&said.ok()).expect("JSON");
        values(&explained)
            .iter()
            .map(|value| value["jobPath"].as_str().expect("a path").to_owned())
            .collect()
    };
    for (mage, job) in [
        ("resource_limits", ".spec.template.spec.containers[0].resources.limits"),
        (
            "resource_limits[\"nvidia.com/gpu\"]",
            ".spec.template.spec.containers[0].resources.limits[\"nvidia.com/gpu\"]",
        ),
        ("pod.node_selector", "spec.template.spec.nodeSelector"),
        ("pod.nodeSelector.disktype", ".spec.template.spec.nodeSelector.disktype"),
        ("job.backoff_limit", ".spec.backoffLimit"),
        ("service_account_name", ".spec.template.spec.serviceAccountName"),
        ("container_config.env", ".spec.template.spec.containers[0].env"),
    ] {
        let found = paths(mage);
        assert!(!found.is_empty(), "{mage}");
        assert_eq!(found, paths(job), "{mage}");
        let prefix = if job.starts_with('.') { job.to_owned() } else { format!(".{job}") };
        assert!(found.iter().all(|path| path.starts_with(&prefix)), "{mage}: {found:?}");
    }
    let labels = paths("metadata.labels");
    assert_eq!(labels.iter().filter(|path| path.starts_with(".metadata.labels")).count(), 3);
    assert_eq!(labels.len(), 6, "on the Job and its pods: {labels:?}");
    let table = project
        .run(&[&["explain", "etl/load", "job.backoff_limit"], &flags(&owned)[..]].concat())
        .ok();
    assert!(table.contains("job.backoff_limit") && table.contains(".spec.backoffLimit"), "{table}");
}

#[test]
fn only_what_somebody_set_is_shown_by_default() {
    let project = small_project();
    let ask = |flags: &[&str]| -> Vec<String> {
        let said = project.run(&[&["explain", "etl/load", "-o", "json"], flags].concat());
        let explained: Json = serde_json::from_str(&said.ok()).expect("JSON");
        let path = |value: &Json| value["jobPath"].as_str().expect("a path").to_owned();
        values(&explained).iter().map(path).collect()
    };
    let set = ask(&[]);
    let limits = [
        container("image"),
        container("resources.limits.cpu"),
        container("resources.limits.memory"),
    ];
    assert_eq!(set, limits);
    let all = ask(&["--all"]);
    assert!(set.iter().all(|path| all.contains(path)));
    assert!(all.contains(&".spec.backoffLimit".to_owned()), "{all:?}");
}

#[test]
fn secrets_are_masked_until_asked_for() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let secrets = ["hunter2", "pa55"];
    for view in [
        &["explain", "etl/load"][..],
        &["explain", "etl/load", "--all", "--overridden"],
        &["explain", "etl/load", "--all", "-o", "json"],
        &["explain", "etl/load", "--why", "container_config.env"],
    ] {
        let said = project.run(&[view, &flags(&owned)[..]].concat());
        for secret in secrets {
            assert!(!said.stdout.contains(secret), "{view:?}: {}", said.stdout);
            assert!(!said.stderr.contains(secret), "{view:?}: {}", said.stderr);
        }
        assert!(said.ok().contains("***"));
        let shown = project.run(&[view, &["--show-secrets"], &flags(&owned)[..]].concat()).ok();
        assert!(secrets.iter().all(|secret| shown.contains(secret)), "{view:?}: {shown}");
    }
    let explanation = explained(&project, "etl/load", &flags(&owned));
    let redacted: Vec<&Json> =
        values(&explanation).iter().filter(|value| value["redacted"] == true).collect();
    assert_eq!(redacted.len(), 2, "{redacted:?}");
    let by_secret = format!("{}[3].valueFrom.secretKeyRef.name", container("env"));
    let references: Vec<&str> = values(&explanation)
        .iter()
        .filter(|value| value["value"] == "creds")
        .map(|value| value["jobPath"].as_str().expect("a path"))
        .collect();
    assert_eq!(references, [by_secret], "a reference is no secret");
}

#[test]
fn overridden_secrets_are_masked_too() {
    let project = TempProject::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config:\n  container_config:\n    image: a:1\n    env: [{name: API_TOKEN, value: low-secret}]\n",
        ),
        (
            "pipelines/p/metadata.yaml",
            "blocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container_config:\n      env: [{name: API_TOKEN, value: high-secret}]\n",
        ),
    ]);
    for view in [
        &["explain", "p/load", "--overridden"][..],
        &["explain", "p/load", "-o", "json"],
        &["explain", "p/load", "--why", "container_config.env"],
    ] {
        let text = project.run(view).ok();
        assert!(!text.contains("-secret"), "{view:?}: {text}");
        let shown = project.run(&[view, &["--show-secrets"]].concat()).ok();
        assert!(shown.contains("low-secret") && shown.contains("high-secret"), "{view:?}: {shown}");
    }
}

#[test]
fn what_is_explained_is_what_is_rendered() {
    // The two read through different code; a value of every kind must agree.
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let sent = leaves(&rendered(&project, "etl/load", &flags(&owned)));
    let shown =
        explained(&project, "etl/load", &[&flags(&owned)[..], &["--show-secrets"]].concat());
    for value in values(&shown) {
        assert_eq!(value["redacted"], false);
        assert_eq!(sent[value["jobPath"].as_str().expect("a path")], value["value"]);
    }
}

/// What is printed has the shape that its schema gives.
#[test]
fn json_is_of_its_schema() {
    let project = small_project();
    let schema = kubectl_mage::ui::explain_schema();
    for arguments in [
        &["etl/load"][..],
        &["etl/load", "--all", "--overridden"],
        &["etl"],
        &["etl", "executor_type"],
    ] {
        let said = project.run(&[&["explain-config"], arguments, &["-o", "json"]].concat());
        assert_eq!(fits(&said.json(), &schema), Ok(()), "{arguments:?}");
    }
    let mut wrong = project.run(&["explain-config", "etl/load", "-o", "json"]).json();
    wrong["values"][0]["layer"] = "elsewhere".into();
    assert!(fits(&wrong, &schema).is_err());
}
