//! Bad input: one clear message each, the right exit code, nothing on stdout.

use std::process::Stdio;

use crate::support::{Said, TempProject, binary, run, run_command, small_project};

const PIPELINE: &str = "pipelines/etl/metadata.yaml";

/// Runs `render etl` on the small project with one file replaced.
fn render_with(path: &str, text: &str, more: &[&str]) -> Said {
    let project = small_project();
    project.write(path, text);
    project.run(&[&["render", "etl"], more].concat())
}

/// Asserts exit 2, nothing on stdout, and each part in stderr.
fn refused(said: Said, parts: &[&str]) {
    assert_eq!(said.stdout, "");
    let stderr = said.fails(2);
    assert!(stderr.contains("hint: "), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "no {part:?} in: {stderr}");
    }
}

#[test]
fn no_project_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = binary(&["render", "etl", "--offline"]);
    refused(run_command(command.current_dir(folder.path())), &["no Mage project in"]);
    let said = run(&["render", "etl", "--offline", "--project", "/nonexistent"]);
    refused(said, &["/nonexistent (--project) holds no metadata.yaml"]);
}

#[test]
fn a_file_that_is_no_text() {
    let project = small_project();
    let path = std::path::Path::new(project.path()).join(PIPELINE);
    std::fs::write(&path, b"blocks: \xff\n").expect("a file");
    refused(project.run(&["render", "etl"]), &["byte 8 is not UTF-8"]);
    std::fs::remove_file(&path).expect("the file");
    std::fs::create_dir(&path).expect("a folder");
    refused(project.run(&["render", "etl"]), &["no pipeline `etl`"]);
}

#[test]
fn an_empty_file() {
    refused(render_with("metadata.yaml", "", &[]), &["no layer names a container image"]);
    refused(render_with(PIPELINE, "", &[]), &["pipelines/etl/metadata.yaml:", "is empty"]);
}

#[test]
fn broken_yaml_is_told_by_line_column_and_snippet() {
    let said = render_with("metadata.yaml", "a: 1\nb: [1, 2\n", &[]);
    refused(said, &["metadata.yaml:2:9: ", "2 | b: [1, 2", "|         ^"]);
    let said = render_with(PIPELINE, "blocks:\n\t- uuid: a\n", &[]);
    refused(said, &["pipelines/etl/metadata.yaml:2:1: ", "a tab"]);
    for (flag, path) in [("--template", "t.yaml"), ("--policy", "p.yaml")] {
        let project = small_project();
        project.write(path, "pod:\n  a: 'x\n");
        let file = format!("{}/{path}", project.path());
        refused(
            project.run(&["render", "etl", flag, &file]),
            &[&format!("{path}:3:1: "), "starts in line 2"],
        );
        refused(project.run(&["render", "etl", flag, "/none.yaml"]), &["cannot read /none.yaml"]);
    }
}

#[test]
fn a_template_error_is_told_by_its_line() {
    let said =
        render_with("metadata.yaml", "a: 1\nk8s_executor_config:\n  namespace: {{ x( }}\n", &[]);
    refused(said, &["metadata.yaml:3:", "3 |   namespace: {{ x( }}"]);
    let text = "k8s_executor_config:\n  namespace: \"{{ env_var('NOPE') }}\"\n";
    refused(
        render_with("metadata.yaml", text, &["--image", "a"]),
        &["metadata.yaml:2:15: environment variable 'NOPE' is not set", "--server-env NOPE=VALUE"],
    );
}

#[test]
fn names_that_are_not_there_lead_to_the_nearest() {
    let project = small_project();
    refused(project.run(&["render", "elt"]), &["no pipeline `elt`", "did you mean `etl`?"]);
    refused(project.run(&["render", "zzzzzz"]), &["no pipeline `zzzzzz`", "known: etl"]);
    refused(project.run(&["render", "etl/laod"]), &["no block `laod`", "did you mean `etl/load`?"]);
    refused(project.run(&["render", "etl/zzzzzz"]), &["known: load, export"]);
    project.write("pipelines/two/metadata.yaml", "blocks: []\n");
    refused(project.run(&["render"]), &["several pipelines", "known: etl, two"]);
}

#[test]
fn everything_wrong_with_a_graph_is_told_at_once() {
    let text = "blocks:\n- {uuid: a, type: custom, upstream_blocks: [b]}\n- {uuid: b, type: custom, upstream_blocks: [a]}\n- {uuid: a, type: custom}\n- {uuid: c, type: loader}\n";
    refused(
        render_with(PIPELINE, text, &[]),
        &[
            "in a circle: ",
            ":4:10: two blocks have the uuid `a`",
            ":5:19: block `c` has the unknown type",
        ],
    );
}

#[test]
fn values_that_cannot_be_are_told_with_their_lines() {
    let project =
        |body: &str| format!("k8s_executor_config:\n  container_config: {{image: a}}\n{body}");
    let said = render_with(
        "metadata.yaml",
        &project("  resource_limits: {cpu: 1 core, memory: 2GB}\n"),
        &[],
    );
    refused(said, &["metadata.yaml:3:26: ", "metadata.yaml:3:42: "]);
    let said = render_with(
        "metadata.yaml",
        &project("  resource_requests: {memory: 8Gi}\n"),
        &["etl/load"],
    );
    refused(
        said,
        &["request memory 8Gi (metadata.yaml:3:31", "limit 4Gi (pipelines/etl/metadata.yaml:"],
    );
    let said = render_with("metadata.yaml", &project("  namespace: Not_Valid\n"), &[]);
    refused(said, &["metadata.yaml:3:14: ", "cannot be a namespace"]);
    let said = render_with(
        "metadata.yaml",
        &project("  pod: {node_selector: {a: b}, nodeSelector: {a: c}}\n"),
        &[],
    );
    refused(said, &["metadata.yaml:3:32: ", "both spellings"]);
    let guards = [
        "--server-env=K8S_EXECUTOR_MAX_RESOURCE_LIMITS_MEMORY=1Gi",
        "--server-env=K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU=100m",
    ];
    let said = small_project().run(&[&["render", "etl/load"][..], &guards].concat());
    refused(
        said,
        &["limits.memory 4Gi (pipelines/etl/metadata.yaml:", "limits.cpu 1000m (metadata.yaml:"],
    );
}

#[test]
fn usage_errors() {
    let project = small_project();
    refused(project.run(&["render", "etl", "--block-run-id", "7"]), &["--block-run-id"]);
    let pod = ["render", "etl", "--project", project.path(), "--server-pod", "@/none.json"];
    refused(run(&pod), &["cannot read /none.json"]);
    refused(run(&["run", "etl", "--offline"]), &["--offline forbids"]);
    let mut command = binary(&["run", "etl"]);
    refused(run_command(command.env("KUBECTL_MAGE_READONLY", "1")), &["KUBECTL_MAGE_READONLY=1"]);
    assert_eq!(run(&["nonsense"]).code, 2);
    assert_eq!(run(&["run", "etl", "--timeout", "abc"]).code, 2);
}

#[test]
fn the_kubeconfig_and_the_server() {
    refused(run(&["runs"]), &["there is no kubeconfig"]);
    let folder = TempProject::new(&[(
        "config",
        "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- {name: here, context: {cluster: c, user: u}}\nclusters:\n- {name: c, cluster: {server: 'http://127.0.0.1:1'}}\nusers:\n- {name: u, user: {}}\n",
    )]);
    let config = format!("--kubeconfig={}/config", folder.path());
    refused(run(&["runs", &config, "--context", "nope"]), &["no context \"nope\"", "here"]);
    let stderr = run(&["runs", &config]).fails(3);
    assert!(stderr.contains("cannot reach the API server http://127.0.0.1:1"), "{stderr}");
    assert!(stderr.contains("hint: "), "{stderr}");
}

#[test]
fn doubtful_keys_are_warnings_with_their_place() {
    let project = small_project();
    project.write(
        "metadata.yaml",
        "k8s_executor_config:\n  resource_limit: {cpu: 1}\n  backoff_limit: 3\n  container_config: {image: a}\n",
    );
    let said = project.run(&["render", "etl/load", "-o", "name"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for part in [
        "warning: metadata.yaml:2:3: unknown key `resource_limit`",
        "did you mean `resource_limits`?",
        "warning: metadata.yaml:3:3: unknown key `backoff_limit`",
        "did you mean `job.backoff_limit`?",
    ] {
        assert!(said.stderr.contains(part), "{}", said.stderr);
    }
    let text = "blocks:\n- {uuid: a, type: custom, upstream_blocks: [zzz]}\n";
    let said = render_with(PIPELINE, text, &[]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains(":2:45: block `a` waits for `zzz`"), "{}", said.stderr);
}

/// A reader that goes away ends the output quietly.
#[test]
fn a_closed_pipe_is_no_error() {
    let project = small_project();
    let arguments = ["render", "etl", "--project", project.path(), "--offline"];
    let mut child = binary(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked") && !stderr.contains("error"), "{stderr}");
}
