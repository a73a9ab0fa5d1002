//! `graph`: who waits for whom, and what runs where.

use std::fmt::Write as _;

use crate::support::{TempProject, small_project};

#[test]
fn each_block_stands_once_with_its_executor() {
    let project = small_project();
    let text = project.run(&["graph", "etl"]).ok();
    assert_eq!(
        text,
        "etl (python): 2 blocks, one Job each\nload        data_loader     k8s\n└─ export   data_exporter   k8s\n"
    );
    // A project of one pipeline: it need not be named. No image is needed to draw.
    project.write("metadata.yaml", "");
    assert_eq!(project.run(&["graph"]).ok(), text);
    let mermaid = project.run(&["graph", "etl", "-o", "mermaid"]).ok();
    assert_eq!(
        mermaid,
        "flowchart LR\n    b0[\"load<br/>data_loader\"]\n    b1[\"export<br/>data_exporter\"]\n    b0 --> b1\n"
    );
}

#[test]
fn what_runs_elsewhere_says_why() {
    let pipeline = "executor_type: ecs\nblocks:\n- {uuid: a, type: custom, executor_type: k8s}\n- {uuid: b, type: custom, upstream_blocks: [a]}\n- {uuid: c, type: custom, upstream_blocks: [a, b, gone]}\n";
    let project =
        TempProject::new(&[("metadata.yaml", ""), ("pipelines/p/metadata.yaml", pipeline)]);
    let said = project.run(&["graph", "p"]);
    assert!(said.stderr.contains("waits for `gone`"), "{}", said.stderr);
    let text = said.ok();
    assert!(text.starts_with("p (python): 3 blocks, a Job for 1 of them\n"), "{text}");
    assert!(text.contains("no Job: pipeline says ecs"), "{text}");
    assert!(text.contains("└─ c"), "{text}");
    assert!(text.contains("also after a"), "{text}");
    let one = project.run(&["graph", "p", "--server-env=RUN_PIPELINE_IN_ONE_PROCESS=true"]).ok();
    assert!(one.contains("all of them together, and no Job: pipeline says ecs"), "{one}");
    let local = "executor_type: local_python\nblocks:\n- {uuid: a, type: custom}\n";
    project.write("pipelines/p/metadata.yaml", local);
    let text = project.run(&["graph", "p"]).ok();
    assert!(text.contains("no Job: pipeline says local_python"), "{text}");
    project.write("pipelines/p/metadata.yaml", &local.replace("executor_type: local_python\n", ""));
    let text = project.run(&["graph", "p"]).ok();
    assert!(text.contains("no Job: nobody names an executor"), "{text}");
    project.write("pipelines/p/metadata.yaml", pipeline);
    let only = project.run(&["graph", "p", "--only-k8s", "-o", "mermaid"]).ok();
    assert_eq!(only, "flowchart LR\n    b0[\"a<br/>custom\"]\n");
}

#[test]
fn what_is_wrong_is_told_as_elsewhere() {
    let project = TempProject::new(&[
        ("metadata.yaml", ""),
        (
            "pipelines/p/metadata.yaml",
            "blocks:\n- {uuid: a, type: custom, upstream_blocks: [b]}\n- {uuid: b, type: custom, upstream_blocks: [a]}\n",
        ),
        ("pipelines/empty/metadata.yaml", "type: python\n"),
    ]);
    let cycle = project.run(&["graph", "p"]).fails(2);
    assert!(
        cycle.contains("pipelines/p/metadata.yaml:3:45: blocks wait for each other"),
        "{cycle}"
    );
    assert!(project.run(&["graph", "q"]).fails(2).contains("no pipeline `q`"));
    assert!(project.run(&["graph"]).fails(2).contains("name one"));
    let block = project.run(&["graph", "p/a"]).fails(2);
    assert!(block.contains("name the pipeline alone: p"), "{block}");
    assert_eq!(project.run(&["graph", "empty"]).ok(), "empty (python): 0 blocks, no Jobs\n");
}

#[test]
fn names_stay_whole_on_every_line() {
    // What a person may call a block must neither tear the tree apart nor break Mermaid's syntax.
    let names = ["end", "a b", "x\"]", "#1;", "日本", "a\\nb", "<b>", "subgraph", "--> b", "a\nb"];
    let mut pipeline = String::from("blocks:\n");
    for name in names {
        let quoted = serde_json::to_string(name).expect("JSON");
        writeln!(pipeline, "- {{uuid: {quoted}, type: custom, executor_type: k8s}}").expect("text");
    }
    let project =
        TempProject::new(&[("metadata.yaml", ""), ("pipelines/p/metadata.yaml", &pipeline)]);
    assert_eq!(project.run(&["graph", "p"]).ok().lines().count(), names.len() + 1);
    let mermaid = project.run(&["graph", "p", "-o", "mermaid"]).ok();
    for line in mermaid.lines().skip(1) {
        let label = line.trim().trim_start_matches('b').trim_start_matches(char::is_numeric);
        let label = label.strip_prefix("[\"").and_then(|rest| rest.strip_suffix("\"]"));
        let label = label.unwrap_or_else(|| panic!("{line}")).replace("<br/>", "");
        assert!(!label.contains(['"', '<', '>', '[', ']', '`', '\\']), "{line}");
    }
    assert_eq!(mermaid.lines().count(), names.len() + 1);
}
