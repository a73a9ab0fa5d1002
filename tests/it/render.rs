//! `render`: the manifests, their order, their names, and their secrets.

use std::collections::BTreeSet;

use kubectl_mage::job::{job_id, job_name};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::explained::{layered, layered_flags};
use crate::generated::config;
use crate::python::Python;
use crate::support::{TempProject, small_project};

const METADATA: &str = "k8s_executor_config: {container_config: {image: 'a:1'}}\n";

fn graph(blocks: &[(&str, &str)]) -> TempProject {
    let mut text = "blocks:\n".to_owned();
    for (uuid, upstream) in blocks {
        let rest = "type: custom, executor_type: k8s, upstream_blocks: ";
        text.extend(["- {uuid: '", uuid, "', ", rest, "[", upstream, "]}\n"]);
    }
    TempProject::new(&[("metadata.yaml", METADATA), ("pipelines/etl/metadata.yaml", &text)])
}

fn list(text: &str) -> Vec<Json> {
    let list: Json = serde_json::from_str(text).expect("JSON");
    assert_eq!((&list["apiVersion"], &list["kind"]), (&json!("v1"), &json!("List")));
    list["items"].as_array().expect("a list").clone()
}

/// The block of a Job, read from its command.
fn block(job: &Json) -> &str {
    let command = job["spec"]["template"]["spec"]["containers"][0]["command"].as_array();
    let command = command.expect("a command");
    let flag = command.iter().position(|word| word == "--block-uuid").expect("a block");
    command[flag + 1].as_str().expect("text")
}

fn blocks(project: &TempProject, targets: &[&str]) -> Vec<String> {
    let said = project.run(&[&["render", "-o", "json"], targets].concat());
    list(&said.ok()).iter().map(|job| block(job).to_owned()).collect()
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
    for output in ["yaml", "json", "name"] {
        let render = || project.run(&[&["render", "etl", "-o", output], &flags[..]].concat()).ok();
        let first = render();
        assert!(!first.is_empty());
        for _ in 0..3 {
            assert_eq!(render(), first);
        }
    }
}

/// Texts that readers of YAML take for something else, and characters that need care.
#[test]
fn python_reads_the_yaml_as_the_json() {
    let Some(mut python) = Python::start("yaml", "tests/fixtures/layers/load.py") else { return };
    let words = "[\"yes\", \"0777\", \"12:30\", \"1e3\", \"null\", \"~\", \"\", \" a\", \"a: b\", \"#\", \"'\", \"\\\"\", \"\\u0000\", \"日本 😀\", \"a\\nb\\n\", \"\\t\", \"- x\", \"{\", \"=\", \"<<\", \"2024-01-01\", \"0x1F\", \"1_000\", \"\\u0085\", \"\\u2028\", \"\\ufeff\", \".inf\", \"!x\", \"%\", \"@\", \"trailing \"]";
    let project = layered();
    project.write("enforced.yaml", &format!("enforce: true\ncontainer: {{args: {words}}}\n"));
    let owned = layered_flags(&project, "enforced");
    let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
    let render = |output| project.run(&[&["render", "etl", "-o", output], &flags[..]].concat());
    let items = list(&render("json").ok());
    let yaml = render("yaml").ok();
    let args = &items[1]["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(
        args.as_array().is_some_and(|args| args.len() > 25),
        "the words are in the Job: {args}"
    );
    assert_eq!(python.ask_all(std::iter::once(json!(yaml))), [json!(items)]);
}

#[test]
fn json_is_a_list_even_of_one() {
    let project = small_project();
    assert_eq!(list(&project.run(&["render", "etl/load", "-o", "json"]).ok()).len(), 1);
    assert_eq!(list(&project.run(&["render", "etl", "-o", "json"]).ok()).len(), 2);
}

#[test]
fn names_are_those_of_the_manifests() {
    let project = small_project();
    let names = project.run(&["render", "etl", "-o", "name"]).ok();
    let jobs = list(&project.run(&["render", "etl", "-o", "json"]).ok());
    let expected: Vec<String> = jobs
        .iter()
        .map(|job| format!("job.batch/{}", job["metadata"]["name"].as_str().expect("a name")))
        .collect();
    assert_eq!(names.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_only_pipeline_needs_no_name() {
    let project = small_project();
    assert_eq!(project.run(&["render"]).ok(), project.run(&["render", "etl"]).ok());
}

#[test]
fn jobs_come_in_topological_order_whatever_was_typed() {
    let project = graph(&[("d", "b, c"), ("b", "a"), ("c", "a"), ("a", ""), ("e", "d")]);
    for targets in [&["etl"][..], &["etl/e", "etl/d", "etl/c", "etl/b", "etl/a"]] {
        let order = blocks(&project, targets);
        let place = |uuid: &str| order.iter().position(|known| known == uuid).expect("a block");
        for (first, then) in [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")] {
            assert!(place(first) < place(then), "{order:?}");
        }
        assert_eq!(order.len(), 5);
    }
    assert_eq!(blocks(&project, &["etl/e", "etl/a", "etl/e"]), ["a", "e"]);
}

#[test]
fn several_pipelines_come_in_the_order_typed() {
    let project = graph(&[("a", "")]);
    project.write("pipelines/other/metadata.yaml", "blocks: [{uuid: z, type: custom}]\n");
    assert_eq!(blocks(&project, &["other", "etl/a"]), ["z", "a"]);
    assert_eq!(blocks(&project, &["etl", "other/z"]), ["a", "z"]);
}

#[test]
fn a_child_of_a_dynamic_block_is_found_by_its_parent() {
    let project = graph(&[("child", ""), ("copy", "")]);
    assert_eq!(blocks(&project, &["etl/child:3"]), ["child:3"]);
    let text = project.run(&["render", "etl/child:3", "-o", "name"]).ok();
    assert_ne!(text, project.run(&["render", "etl/child:4", "-o", "name"]).ok());
    // Several runs of one block are several Jobs.
    assert_eq!(
        blocks(&project, &["etl/child:3", "etl/child:4", "etl/child:3"]),
        ["child:3", "child:4"]
    );
    assert_eq!(blocks(&project, &["etl", "etl/child:4"]), ["child", "child:4", "copy"]);
}

#[test]
fn a_streaming_pipeline_is_one_job_and_so_is_one_in_one_process() {
    let render = |text: &str, flags: &[&str]| {
        let text = format!(
            "{text}executor_type: k8s\nexecutor_config: {{resource_limits: {{cpu: 3}}}}\nblocks:\n- {{uuid: a, type: data_loader}}\n- {{uuid: b, type: data_exporter, upstream_blocks: [a]}}\n"
        );
        let files = [("metadata.yaml", METADATA), ("pipelines/etl/metadata.yaml", &*text)];
        let project = TempProject::new(&files);
        list(&project.run(&[&["render", "etl", "-o", "json"], flags].concat()).ok())
    };
    let by_variable = ["--server-env=RUN_PIPELINE_IN_ONE_PROCESS=1"];
    for jobs in [
        render("type: streaming\n", &[]),
        render("run_pipeline_in_one_process: true\n", &[]),
        render("", &by_variable),
    ] {
        assert_eq!(jobs.len(), 1);
        let name = jobs[0]["metadata"]["name"].as_str().expect("a name");
        assert!(name.starts_with("mage-data-prep-pipeline-etl-"), "{name}");
        let container = &jobs[0]["spec"]["template"]["spec"]["containers"][0];
        // The pipeline's own settings hold for it.
        assert_eq!(container["resources"]["limits"]["cpu"], "3");
        let command = container["command"].as_array().expect("a command");
        assert!(!command.contains(&json!("--block-uuid")), "{command:?}");
    }
    assert_eq!(render("run_pipeline_in_one_process: false\n", &by_variable).len(), 2);
}

#[test]
fn blocks_of_another_executor_are_shown_with_a_notice_or_left_out() {
    let project = TempProject::new(&[
        ("metadata.yaml", METADATA),
        (
            "pipelines/etl/metadata.yaml",
            "blocks:\n- {uuid: a, type: custom, executor_type: k8s}\n- {uuid: b, type: custom}\n- {uuid: c, type: markdown}\n",
        ),
    ]);
    let said = project.run(&["render", "etl", "-o", "json"]);
    assert!(said.stderr.contains("etl/b: Mage itself would make no Job"), "{}", said.stderr);
    assert!(!said.stderr.contains("etl/a: "), "{}", said.stderr);
    assert_eq!(list(&said.ok()).len(), 2);
    assert_eq!(blocks(&project, &["etl", "--only-k8s"]), ["a"]);
}

#[test]
fn literal_secrets_are_named_and_masked_on_demand_only() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
    let secrets = ["hunter2", "pa55"];
    for output in ["yaml", "json"] {
        let render = |more: &[&str]| {
            project.run(&[&["render", "etl/load", "-o", output], more, &flags[..]].concat())
        };
        let plain = render(&[]);
        for secret in secrets {
            assert!(plain.stdout.contains(secret), "what is sent is shown");
            assert!(!plain.stderr.contains(secret), "{}", plain.stderr);
        }
        for place in ["metadata.yaml:18:14", "metadata.yaml:20:14"] {
            assert!(plain.stderr.contains(place), "{place}: {}", plain.stderr);
        }
        assert_eq!(plain.stderr.matches("literal secret").count(), 2, "{}", plain.stderr);
        let masked = render(&["--mask"]);
        assert!(secrets.iter().all(|secret| !masked.stdout.contains(secret)));
        assert!(!masked.stderr.contains("literal secret"), "{}", masked.stderr);
        assert!(masked.stdout.contains("***") && masked.stdout.contains("creds"));
    }
}

#[test]
fn stdout_holds_data_only() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    let flags: Vec<&str> = owned.iter().map(String::as_str).collect();
    let said = project.run(&[&["render", "etl", "-q"], &flags[..]].concat());
    assert!(!said.stderr.contains("edition"), "{}", said.stderr);
    let loud = project.run(&[&["render", "etl"], &flags[..]].concat());
    assert!(loud.stderr.contains("edition pro"), "{}", loud.stderr);
    assert_eq!(said.stdout, loud.stdout);
}

#[test]
fn ids_go_where_mage_puts_them() {
    let project = small_project();
    let ids = [
        "--block-run-id=7",
        "--pipeline-run-id=3",
        "--execution-partition=1/20260101T000000",
        "--repo-path=/home/src/p",
        "--template-runtime-configuration={\"a\": 1}",
    ];
    let text = project.run(&[&["render", "etl/load", "-o", "json"], &ids[..]].concat()).ok();
    let job = &list(&text)[0];
    let command = &job["spec"]["template"]["spec"]["containers"][0]["command"];
    let expected = json!([
        "/app/run_app.sh",
        "mage",
        "run",
        "/home/src/p",
        "etl",
        "--block-uuid",
        "load",
        "--executor-type",
        "local_python",
        "--execution-partition",
        "1/20260101T000000",
        "--block-run-id",
        "7",
        "--pipeline-run-id",
        "3",
        "--template-runtime-configuration",
        "{\"a\": 1}",
    ]);
    assert_eq!(*command, expected);
    let text = project.run(&["render", "etl/load", "-o", "json"]).ok();
    let command =
        list(&text)[0]["spec"]["template"]["spec"]["containers"][0]["command"].to_string();
    assert!(!command.contains("run-id") && !command.contains("partition"), "{command}");
}

#[test]
fn odd_names_make_valid_jobs_that_are_told_apart() {
    let odd = ["Load Data", "load_data", "load-data", "täglich", "日本", "a.b", "7", "x:y", "--"];
    let long = "l".repeat(200);
    let mut uuids: Vec<(&str, &str)> = odd.iter().map(|uuid| (*uuid, "")).collect();
    uuids.push((&long, ""));
    let project = graph(&uuids);
    let names = project.run(&["render", "etl", "-o", "name"]).ok();
    let names: BTreeSet<&str> =
        names.lines().map(|line| line.strip_prefix("job.batch/").expect("a Job")).collect();
    assert_eq!(names.len(), uuids.len());
    for name in names {
        assert!(is_label(name), "{name}");
    }
    let prefix = project.run(&["render", "etl/7", "-o", "json", "--trigger", "Every Day!"]).ok();
    assert!(is_label(list(&prefix)[0]["metadata"]["name"].as_str().expect("a name")));
}

#[test]
fn the_trigger_stands_in_the_prefix() {
    let project = TempProject::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config: {job_name_prefix: '{trigger_name}', container_config: {image: a}}\n",
        ),
        ("pipelines/p/metadata.yaml", "blocks: [{uuid: a, type: custom}]\n"),
    ]);
    let name = |flags: &[&str]| {
        project.run(&[&["render", "p/a", "-o", "name", "--block-run-id=1"], flags].concat()).ok()
    };
    assert_eq!(name(&[]), "job.batch/mage-manual-block-1\n");
    assert_eq!(name(&["--trigger", "Every Day"]), "job.batch/mage-every-day-block-1\n");
    assert_eq!(name(&["--server-env", "MAGE_CLUSTER_UUID=c1"]), "job.batch/c1-manual-block-1\n");
}

fn is_label(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty()
        && name.len() <= 63
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-')
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn every_name_is_a_label_that_keeps_its_id(
        cluster in ".{0,70}",
        prefix in "\\PC{0,70}",
        pipeline in "\\PC{0,70}",
        block in "[a-zA-Z0-9_:. é日-]{0,70}",
    ) {
        let id = job_id(&[&pipeline, &block]);
        let name = job_name(&cluster, &prefix, "block", &id);
        prop_assert!(is_label(&name), "{:?}", name);
        prop_assert!(name.ends_with(&format!("block-{id}")), "{:?} {:?}", name, id);
        prop_assert_eq!(&name, &job_name(&cluster, &prefix, "block", &id));
        let by_number = job_name(&cluster, &prefix, "pipeline", "1234567890");
        prop_assert!(is_label(&by_number) && by_number.ends_with("pipeline-1234567890"));
    }

    #[test]
    fn ids_tell_pipelines_and_blocks_apart(one in "[a-c_ .]{0,6}", other in "[a-c_ .]{0,6}", cut in 0usize..6) {
        if one != other {
            prop_assert_ne!(job_id(&["p", &one]), job_id(&["p", &other]));
        }
        let cut = cut.min(one.len());
        let (head, tail) = one.split_at(cut);
        if !(head == one && tail.is_empty()) {
            prop_assert_ne!(job_id(&[head, tail]), job_id(&[&one, ""]));
        }
    }
}
