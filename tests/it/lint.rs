//! `lint` as people and CI use it: formats, exit codes, ignores, fixes.

use std::process::Command;

use kubectl_mage::lint::rules_all;
use serde_json::{Value as Json, json};

use crate::lint_rules::CLEAN;
use crate::python::Python;
use crate::support::TempProject;

/// A project with an error, warnings and something to mend, in a file with comments.
const PIPELINE: &str = "\
# the nightly pipeline
type: python
executor_type: k8s
blocks:
- uuid: load   # first
  type: data_loader
  executor_config:
    resource_limit:   # größe 日本
      memory: 4Gi
    job: {active_deadline_seconds: '600'}
    service_account_name: 'etl ' # trailing
    resource_requests:
      memory: 1 GB
";

fn project() -> TempProject {
    let project = TempProject::new(&CLEAN);
    project.write("pipelines/etl/metadata.yaml", PIPELINE);
    project
}

fn report(project: &TempProject, flags: &[&str]) -> Json {
    project.run(&[&["lint", "-o", "json"], flags].concat()).json()
}

fn ids(report: &Json) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list").iter();
    findings
        .filter(|finding| finding["ignored"].is_null() && finding["severity"] != "note")
        .map(|finding| {
            format!("{}:{}", finding["id"].as_str().expect("an id"), finding["range"]["line"])
        })
        .collect()
}

#[test]
fn people_read_the_line_the_fault_and_the_way_out() {
    let said = project().run(&["lint", "--repo-path=/r"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    insta::assert_snapshot!(said.stdout, @r"
    pipelines/etl/metadata.yaml:8:5: warning MAGE103 misspelt-key: unknown key `resource_limit`: it has no effect
      |
    8 |     resource_limit:   # größe 日本
      |     ^^^^^^^^^^^^^^
    hint: did you mean `resource_limits`?
    fix: rename it to `resource_limits` (--fix)

    pipelines/etl/metadata.yaml:10:36: warning MAGE110 coerced-type: `job.active_deadline_seconds` is a string where a whole number is due
       |
    10 |     job: {active_deadline_seconds: '600'}
       |                                    ^^^^^
    hint: write 600
    fix: write 600 (--fix)

    pipelines/etl/metadata.yaml:11:27: warning MAGE106 blanks-in-name: `service_account_name` has blanks at its ends, which no name may have
       |
    11 |     service_account_name: 'etl ' # trailing
       |                           ^^^^^^
    hint: write etl
    fix: leave the blanks out (--fix)

    pipelines/etl/metadata.yaml:13:15: error MAGE107 invalid-quantity: `resource_requests.memory` is `1 GB`, which is no quantity
       |
    13 |       memory: 1 GB
       |               ^^^^
    hint: a number with an optional suffix: 500m, 1.5, 512Mi, 2Gi, 1G

    1 Job in 1 pipeline: 1 error, 3 warnings
    next: some are fixed by `kubectl mage lint --fix`
    next: correct the lines above
    ");
}

#[test]
fn a_fix_changes_the_bytes_at_fault_and_nothing_else() {
    let project = project();
    let said = project.run(&["lint", "--fix", "-o", "json"]);
    let text = std::fs::read_to_string(format!("{}/pipelines/etl/metadata.yaml", project.path()));
    let expected = PIPELINE
        .replace("resource_limit:", "resource_limits:")
        .replace("'600'", "600")
        .replace("'etl '", "etl");
    assert_eq!(text.expect("a file"), expected);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("pipelines/etl/metadata.yaml: rename it to `resource_limits`"));
    assert_eq!(ids(&said.json()), ["MAGE107:13"]);
}

#[cfg(unix)]
#[test]
fn a_fix_leaves_a_file_outside_of_the_project_alone() {
    let project = project();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (inside, outside) = (
        std::path::Path::new(project.path()).join("pipelines/etl/metadata.yaml"),
        elsewhere.path().join("metadata.yaml"),
    );
    std::fs::rename(&inside, &outside).expect("moved");
    std::os::unix::fs::symlink(&outside, &inside).expect("a link");
    let said = project.run(&["lint", "--fix", "-o", "json"]);
    assert_eq!(std::fs::read_to_string(&outside).expect("a file"), PIPELINE);
    let told = "pipelines/etl/metadata.yaml is not mended: it is a link to a file outside";
    assert!(said.stderr.contains(told), "{}", said.stderr);
    assert!(ids(&said.json()).len() > 1 && said.code == 1, "{}", said.stdout);
    // A link inside of the project is followed, and one to the project itself.
    let (elsewhere, link) =
        (std::path::Path::new(project.path()).join("real.yaml"), outside.with_extension("link"));
    std::fs::rename(&outside, &elsewhere).expect("moved");
    std::fs::remove_file(&inside).expect("removed");
    std::os::unix::fs::symlink(&elsewhere, &inside).expect("a link");
    std::os::unix::fs::symlink(project.path(), &link).expect("a link");
    let link = link.to_str().expect("UTF-8");
    crate::support::run(&["lint", "--fix", "--project", link, "--offline"]);
    assert_ne!(std::fs::read_to_string(&elsewhere).expect("a file"), PIPELINE);
}

/// A file of Windows, with a byte order mark, tabs in comments and an anchor, keeps all of it.
#[test]
fn a_fix_keeps_line_ends_and_marks() {
    let project = project();
    let text = format!("\u{feff}{}", PIPELINE.replace('\n', "\r\n").replace("# first", "#\tfirst"));
    project.write("pipelines/etl/metadata.yaml", &text);
    project.run(&["lint", "--fix"]);
    let fixed = std::fs::read_to_string(format!("{}/pipelines/etl/metadata.yaml", project.path()));
    let expected = text
        .replace("resource_limit:", "resource_limits:")
        .replace("'600'", "600")
        .replace("'etl '", "etl");
    assert_eq!(fixed.expect("a file"), expected);
}

#[test]
fn the_exit_code_is_the_same_in_every_format() {
    let warned = TempProject::new(&CLEAN);
    warned.write(
        "pipelines/etl/metadata.yaml",
        &CLEAN[1].1.replace("executor_type: k8s", "executor_type: k8s\nexecutor_type: k8s"),
    );
    let failed = project();
    for format in ["text", "json", "sarif", "github"] {
        assert_eq!(failed.run(&["lint", "-o", format]).code, 1, "{format}");
        assert_eq!(warned.run(&["lint", "-o", format]).code, 0, "{format}");
        assert_eq!(warned.run(&["lint", "-o", format, "--fail-on=warning"]).code, 1, "{format}");
    }
}

#[test]
fn only_what_cannot_be_read_is_a_usage_error() {
    let project = project();
    project.run(&["lint", "elt"]).fails(2);
    project.run(&["lint", "etl/laod"]).fails(2);
    project.run(&["lint", "-o", "text", "-o", "json"]).fails(2);
    project.write("metadata.yaml", "a: [\n");
    assert_eq!(ids(&report(&project, &[])), ["MAGE001:1"]);
    crate::support::run(&["lint", "--project", "/nonexistent"]).fails(2);
}

#[test]
fn several_formats_at_once_each_go_where_they_are_told() {
    let project = project();
    let (sarif, json) =
        (format!("{}/out.sarif", project.path()), format!("{}/out.json", project.path()));
    let said = project.run(&[
        "lint",
        "-o",
        &format!("sarif={sarif}"),
        "-o",
        &format!("json={json}"),
        "-o",
        "github",
    ]);
    let read = |path: &str| -> Json {
        serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
    };
    assert_eq!(read(&sarif)["version"], "2.1.0");
    assert_eq!(read(&json)["summary"]["errors"], 1);
    assert!(said.stdout.starts_with(
        "::warning file=pipelines/etl/metadata.yaml,line=8,endLine=8,col=5,endColumn=19,title=MAGE103 misspelt-key::unknown key"
    ), "{}", said.stdout);
    assert_eq!(said.stdout.lines().count(), 4);
}

#[test]
fn an_ignore_with_a_reason_passes_over_its_finding() {
    let project = TempProject::new(&CLEAN);
    let pipeline = |comment: &str, own: &str, file: &str| {
        format!(
            "{file}type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n{own}    resource_limit: {{}}{comment}\n"
        )
    };
    for (comment, own, file) in [
        (" # mage-lint: ignore MAGE103 it is read by a fork", "", ""),
        ("", "    # mage-lint: ignore misspelt-key,MAGE101 it is read by a fork\n", ""),
        ("", "", "# mage-lint: ignore-file MAGE103 it is read by a fork\n"),
    ] {
        project.write("pipelines/etl/metadata.yaml", &pipeline(comment, own, file));
        let report = report(&project, &[]);
        assert_eq!(ids(&report), Vec::<String>::new());
        assert_eq!(report["findings"][0]["ignored"], "it is read by a fork");
        assert_eq!(report["summary"]["ignored"], 1);
    }
    for (comment, message) in [
        (" # mage-lint: ignore MAGE103", "the ignore has no reason"),
        (" # mage-lint: ignore MAGE999 because", "`MAGE999` is no finding"),
        (" # mage-lint: skip MAGE103 because", "`skip` is neither `ignore` nor `ignore-file`"),
        (" # mage-lint: ignore MAGE201 because", "nothing here is MAGE201"),
    ] {
        project.write("pipelines/etl/metadata.yaml", &pipeline(comment, "", ""));
        let report = report(&project, &[]);
        let findings = report["findings"].as_array().expect("a list");
        assert!(
            findings
                .iter()
                .any(|finding| finding["id"] == "MAGE009" && finding["message"] == message),
            "{report}"
        );
        assert!(findings.iter().any(|f| f["id"] == "MAGE103" && f["ignored"].is_null()));
    }
}

/// Where cargo keeps the schema of SARIF (`tests/fixtures/sarif/Cargo.toml`).
fn sarif_schema() -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/sarif/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version=1", "--manifest-path", manifest])
        .output()
        .expect("cargo runs");
    let metadata: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let packages = metadata["packages"].as_array().expect("a list");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif");
    let manifest = package.and_then(|package| package["manifest_path"].as_str()).expect("a path");
    manifest.replace("Cargo.toml", "src/schema.json")
}

#[test]
fn sarif_is_valid_by_its_schema() {
    let Some(mut python) = Python::start("jsonschema", "tests/fixtures/json_schema.py") else {
        return;
    };
    let schema = sarif_schema();
    let said = project().run(&["lint", "-o", "sarif"]);
    let mut log: Json = said.json();
    // The results of every example in one log, for the schema is slow to check by.
    for rule in rules_all() {
        let project = TempProject::new(&CLEAN);
        for (path, text) in rule.example.files {
            project.write(path, &text.replace(['«', '»'], ""));
        }
        let edition = format!("--edition={}", rule.example.edition);
        let said = project.run(&["lint", "-o", "sarif", &edition]);
        let one: Json = said.json();
        let more = one["runs"][0]["results"].as_array().expect("a list").clone();
        log["runs"][0]["results"].as_array_mut().expect("a list").extend(more);
    }
    let logs = [log, json!({"version": "2.1.0", "runs": [{"tool": {}}]})];
    let mut answers = python.ask_all(logs.iter().map(|log| json!({"schema": schema, "log": log})));
    let broken = answers.pop().expect("an answer");
    assert_ne!(broken, json!([]), "the validator takes anything");
    assert_eq!(answers, [json!([])]);
    let results = logs[0]["runs"][0]["results"].as_array().expect("a list");
    assert!(results.len() > 40, "{}", results.len());
    assert_eq!(
        results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"],
        "resource_limits"
    );
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startColumn"], 5);
}

#[test]
fn what_render_accepts_is_not_missed() {
    let project = TempProject::new(&CLEAN);
    let metadata = "k8s_executor_config:\n  container_config: {image: 'a:1'}\n  job: {active_deadline_seconds: {{ env_var('SLEEP', '60') }} }\n  namespace: \"{{ env_var('NS') or 'etl' }}\"\n";
    project.write("metadata.yaml", metadata);
    project.run(&["render", "etl"]).ok();
    let missed = |report: Json| ids(&report).into_iter().any(|id| id.starts_with("MAGE004"));
    assert!(!missed(report(&project, &[])));
    project.write("metadata.yaml", &metadata.replace(", '60'", ""));
    assert!(missed(report(&project, &[])));
}

#[test]
fn a_pipeline_that_cannot_be_read_hides_nothing_else() {
    let project = TempProject::new(&CLEAN);
    project.write(
        "metadata.yaml",
        "k8s_executor_config:\n  resource_limit: {cpu: 1}\n  resource_requests: {cpu: a lot}\n  metadata: {labels: {a: 'b c'}}\n",
    );
    let pipeline = "blocks:\n- uuid: load\n  type: data_loadr\n- uuid: next\n  type: transformer\n  executor_config: {resource_limit: {}}\n";
    let of_project = ["MAGE103:2", "MAGE107:3"];
    for (text, of_pipeline) in [
        (pipeline, &["MAGE201:3", "MAGE204:1", "MAGE103:6"][..]),
        ("blocks: [\n", &["MAGE001:1"]),
        ("blocks:\n- {uuid: a, type: custom, upstream_blocks: [a]}\n", &["MAGE202:2"]),
    ] {
        project.write("pipelines/etl/metadata.yaml", text);
        let found = ids(&report(&project, &[]));
        for id in of_project.iter().chain(of_pipeline) {
            let id = if *id == "MAGE204:1" { continue } else { *id };
            assert!(found.contains(&id.to_owned()), "{text}: {id} in {found:?}");
        }
    }
    // Without what hides it, the label is found too.
    project.write("metadata.yaml", "k8s_executor_config:\n  metadata: {labels: {a: 'b c'}}\n");
    assert!(ids(&report(&project, &[])).contains(&"MAGE306:2".to_owned()));
    let folder = TempProject::new(&CLEAN);
    folder.write("pipelines/other/metadata.yaml/file", "");
    let report = report(&folder, &[]);
    let message = report["findings"][0]["message"].as_str().expect("a message");
    assert!(message.ends_with("other/metadata.yaml: it is a folder"), "{report}");
}

#[test]
fn what_could_not_be_read_is_named_once() {
    let project = TempProject::new(&CLEAN);
    let cluster = include_str!("../../src/lint/rules/example_cluster.json");
    let mut snapshot: Json = serde_json::from_str(cluster).expect("JSON");
    let unreadable = snapshot["unreadable"].as_array_mut().expect("a list");
    unreadable.push(unreadable[0].clone());
    project.write("snapshot.json", &snapshot.to_string());
    let flag = format!("--snapshot={}/snapshot.json", project.path());
    let said = project.run(&["lint", "-o", "json", &flag]).json();
    let findings = said["findings"].as_array().expect("a list");
    let told = findings.iter().find(|finding| finding["id"] == "MAGE511").expect("the finding");
    let message = "not checked, for it could not be read: runtimeclasses.node.k8s.io";
    assert_eq!(told["message"], message);
}

#[test]
fn paths_for_ci_count_from_the_root_of_the_repository() {
    let outer = tempfile::tempdir().expect("a folder");
    let small = project();
    let inside = outer.path().join("data team/p7");
    std::fs::create_dir_all(inside.join("pipelines/etl")).expect("a folder");
    for file in ["metadata.yaml", "pipelines/etl/metadata.yaml"] {
        let from = std::path::Path::new(small.path()).join(file);
        std::fs::copy(from, inside.join(file)).expect("a copy");
    }
    std::fs::write(outer.path().join("pol.yaml"), "enabled: true\nresource_limit: {}\n")
        .expect("a file");
    let lint = |folder: &std::path::Path, format: &str| {
        let project = inside.to_str().expect("UTF-8");
        let policy = outer.path().join("pol.yaml").display().to_string();
        let flags = ["lint", "--offline", "--project", project, "--policy", &policy, "-o", format];
        crate::support::run_command(crate::support::binary(&flags).current_dir(folder)).stdout
    };
    let wanted = ["data team/p7/pipelines/etl/metadata.yaml", "pol.yaml"];
    let is_from_root = |folder: &std::path::Path| {
        let github = lint(folder, "github");
        let sarif = lint(folder, "sarif");
        wanted.iter().all(|path| {
            let uri = format!("\"uri\": \"{}\"", path.replace(' ', "%20"));
            github.contains(&format!("file={path},")) && sarif.contains(&uri)
        })
    };
    // Without a checkout, the working directory is taken for its root.
    assert!(is_from_root(outer.path()), "{}", lint(outer.path(), "github"));
    let elsewhere = lint(std::path::Path::new("/usr"), "github");
    assert!(elsewhere.contains("file=pipelines/etl/metadata.yaml,"), "{elsewhere}");
    std::fs::create_dir(outer.path().join(".git")).expect("a folder");
    for folder in [outer.path(), &inside, std::path::Path::new("/")] {
        assert!(is_from_root(folder), "{}", lint(folder, "github"));
    }
}
