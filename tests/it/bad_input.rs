//! What is wrong with the input: the exit code, one clear message with its place and a next step,
//! and nothing on stdout.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::support::{Said, TempProject, binary, run, run_command, small_project};

const IMAGE: &str = "k8s_executor_config:\n  container_config:\n    image: busybox:1\n";
const PIPELINE: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";

/// A project of these two files.
fn project(metadata: &str, pipeline: &str) -> TempProject {
    TempProject::new(&[("metadata.yaml", metadata), ("pipelines/etl/metadata.yaml", pipeline)])
}

/// Asserts that a command was refused in the way of this tool, with all these words in the message.
#[track_caller]
fn refused(said: Said, code: i32, words: &[&str]) -> String {
    assert!(said.stdout.is_empty(), "stdout: {}", said.stdout);
    let text = said.fails(code);
    assert!(text.contains("hint: "), "no next step:\n{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    for rust in ["RUST_BACKTRACE", "Error {", "Err(", "Some(", "None)", "::"] {
        assert!(!text.contains(rust), "`{rust}` in:\n{text}");
    }
    text
}

/// Asserts that it was refused with exactly one error.
#[track_caller]
fn refused_once(said: Said, code: i32, words: &[&str]) {
    let text = refused(said, code, words);
    assert_eq!(errors(&text), 1, "{text}");
}

fn errors(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("error: ")).count()
}

#[test]
fn without_a_project_it_says_how_to_name_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = run_command(
        binary(&["render", "etl", "--offline", "--server-pod", "none"]).current_dir(&folder),
    );
    refused_once(said, 2, &["metadata.yaml", "--project"]);

    let missing = folder.path().join("missing");
    let missing = missing.to_str().expect("UTF-8");
    refused_once(run(&["render", "--project", missing]), 2, &[missing, "metadata.yaml"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let project = project(IMAGE, PIPELINE);
    let path = std::path::Path::new(project.path()).join("metadata.yaml");
    std::fs::write(&path, b"k8s_executor_config: {}\n# \xff\n").expect("a file");
    refused_once(project.run(&["render", "etl"]), 2, &["metadata.yaml", "UTF-8"]);

    std::fs::remove_file(&path).expect("a file");
    std::fs::create_dir(&path).expect("a folder");
    refused_once(project.run(&["render", "etl"]), 2, &["metadata.yaml", "folder"]);
}

#[test]
fn an_empty_project_file_is_an_empty_project() {
    for text in ["", "\n", "# nothing\n", "null\n", "---\n"] {
        let project = project(text, PIPELINE);
        refused_once(project.run(&["render", "etl"]), 2, &["no layer names a container image"]);
        assert!(project.run(&["render", "etl", "--image", "a:1"]).ok().contains("image: a:1"));
    }
}

#[test]
fn broken_yaml_is_shown_where_it_breaks() {
    let broken = "k8s_executor_config:\n  namespace: [a\n  job: 1\n";
    let said = project(broken, PIPELINE).run(&["render", "etl"]);
    refused_once(said, 2, &["metadata.yaml:3:", "3 |   job: 1", "^"]);

    let said = project(IMAGE, "blocks:\n- uuid: a\n\ttype: custom\n").run(&["render", "etl"]);
    refused_once(said, 2, &["pipelines/etl/metadata.yaml:3:1", "3 | ", "^"]);

    // What is missing at the end is told in the line that is shown.
    let said = project(IMAGE, "type: python\nblocks: [\n").run(&["render", "etl"]);
    refused_once(said, 2, &["pipelines/etl/metadata.yaml:2:10", "2 | blocks: ["]);

    let project = project(IMAGE, PIPELINE);
    project.write("template.yaml", "pod: {a: 1\n");
    project.write("policy.yaml", "enforce: true\nenforce true\n");
    for flag in ["template", "policy"] {
        let path = format!("{}/{flag}.yaml", project.path());
        let said = project.run(&["render", "etl", &format!("--{flag}"), &path]);
        refused_once(said, 2, &[&format!("{flag}.yaml:"), " | ", "^"]);
    }
}

#[test]
fn what_is_no_mapping_is_no_configuration() {
    for (metadata, pipeline, words) in [
        ("- a\n", PIPELINE, ["metadata.yaml:1:1", "a list"]),
        ("k8s_executor_config: [1]\n", PIPELINE, ["metadata.yaml:1:22", "`k8s_executor_config`"]),
        (IMAGE, "just text\n", ["pipelines/etl/metadata.yaml:1:1", "not a mapping"]),
        (IMAGE, "blocks: {a: 1}\n", ["pipelines/etl/metadata.yaml:1:9", "`blocks`"]),
        (
            IMAGE,
            "executor_config: 1\nblocks: [{uuid: a, type: custom}]\n",
            ["pipelines/etl/metadata.yaml:1:18", "`executor_config`"],
        ),
    ] {
        refused_once(project(metadata, pipeline).run(&["render", "etl"]), 2, &words);
    }
    let project = project(IMAGE, PIPELINE);
    project.write("list.yaml", "- a\n");
    let path = format!("{}/list.yaml", project.path());
    for flag in ["--template", "--policy"] {
        refused_once(project.run(&["render", "etl", flag, &path]), 2, &["list.yaml:1:1"]);
    }
    project.write("policy.yaml", "enforce: maybe\n");
    let path = format!("{}/policy.yaml", project.path());
    let said = project.run(&["render", "etl", "--policy", &path]);
    refused_once(said, 2, &["policy.yaml:1:10", "`enforce`"]);
}

#[test]
fn templates_fail_with_their_line() {
    let said = project("a: 1\nb: {{ env_var('X' }}\n", PIPELINE).run(&["render", "etl"]);
    refused_once(said, 2, &["metadata.yaml:2:"]);

    let unset = format!("{IMAGE}  namespace: \"{{{{ env_var('TEAM') }}}}\"\n");
    let project = project(&unset, PIPELINE);
    refused_once(project.run(&["render", "etl"]), 2, &["metadata.yaml:4:", "TEAM"]);
    let given = project.run(&["render", "etl", "--server-env", "TEAM=data"]).ok();
    assert!(given.contains("namespace: data"), "{given}");
}

#[test]
fn an_unset_variable_in_a_pipeline_fails_with_its_line() {
    let pipeline =
        format!("{PIPELINE}  executor_config:\n    namespace: \"{{{{ variables('c') }}}}\"\n");
    let project = project(IMAGE, &pipeline);
    let said = project.run(&["render", "etl"]);
    refused_once(said, 2, &["pipelines/etl/metadata.yaml:6:16", "'c'"]);
    assert!(project.run(&["render", "etl", "--var", "c=x"]).ok().contains("namespace: x"));
}

#[test]
fn unknown_names_lead_to_the_nearest_or_to_all() {
    let project = small_project();
    for (target, words) in [
        ("elt", ["no pipeline `elt`", "did you mean `etl`?"]),
        ("something-else", ["no pipeline `something-else`", "etl"]),
        ("etl/laod", ["`laod`", "did you mean `etl/load`?"]),
        ("etl/something-else", ["`something-else`", "load, export"]),
        ("etl/", ["``", "load"]),
    ] {
        refused_once(project.run(&["render", target]), 2, &words);
    }
    let both = refused(project.run(&["render", "etl/laod", "etl/exprot"]), 2, &["`etl/export`?"]);
    assert_eq!(errors(&both), 2, "{both}");
}

#[test]
fn a_target_stays_inside_the_project() {
    let project = small_project();
    project.write("outside/metadata.yaml", PIPELINE);
    refused(project.run(&["render", "../outside", "--image", "a:1"]), 2, &["no pipeline"]);
}

#[test]
fn several_pipelines_need_a_target() {
    let project = small_project();
    project.write("pipelines/other/metadata.yaml", PIPELINE);
    refused_once(project.run(&["render"]), 2, &["several pipelines", "etl, other"]);
    let empty = TempProject::new(&[("metadata.yaml", IMAGE)]);
    refused_once(empty.run(&["render"]), 2, &["no pipelines"]);
}

#[test]
fn everything_wrong_with_a_pipeline_comes_at_once() {
    let pipeline = "\
blocks:
- {uuid: a, type: custom, upstream_blocks: [b]}
- {uuid: b, type: custom, upstream_blocks: [a]}
- {uuid: a, type: custom}
- {uuid: c, type: transformr}
";
    let text = refused(
        project(IMAGE, pipeline).run(&["render", "etl"]),
        2,
        &[
            "pipelines/etl/metadata.yaml:4:10: two blocks have the uuid `a`, the first in line 2",
            "pipelines/etl/metadata.yaml:5:19: block `c` has the unknown type `transformr`",
            "did you mean `transformer`?",
            "in a circle: ",
        ],
    );
    assert_eq!(errors(&text), 3, "{text}");
}

#[test]
fn an_unknown_upstream_is_a_warning() {
    let pipeline = "\
blocks:
- {uuid: load_data, type: data_loader, executor_type: k8s}
- {uuid: export, type: data_exporter, executor_type: k8s, upstream_blocks: [load_date]}
";
    let said = project(IMAGE, pipeline).run(&["render", "etl", "-o", "name"]);
    for word in ["warning: pipelines/etl/metadata.yaml:3:77: ", "hint: did you mean `load_data`?"] {
        assert!(said.stderr.contains(word), "{}", said.stderr);
    }
    assert_eq!(said.ok().lines().count(), 2);
}

#[test]
fn quantities_that_are_none_are_all_told() {
    let metadata = "\
k8s_executor_config:
  resource_limits: {cpu: lots, memory: 2 GB}
  resource_requests:
    cpu: 1x
  container_config: {image: 'a:1'}
";
    let text = refused(
        project(metadata, PIPELINE).run(&["render", "etl"]),
        2,
        &[
            "metadata.yaml:2:26: `resource_limits.cpu` is `lots`",
            "metadata.yaml:2:40: `resource_limits.memory` is `2 GB`",
            "metadata.yaml:4:10: `resource_requests.cpu` is `1x`",
        ],
    );
    assert_eq!(errors(&text), 3, "{text}");
}

#[test]
fn a_request_over_its_limit_names_both_lines() {
    let metadata = format!("{IMAGE}  resource_limits: {{memory: 1Gi}}\n");
    let pipeline =
        format!("{PIPELINE}  executor_config:\n    resource_requests:\n      memory: 1025Mi\n");
    for edition in ["pro", "oss"] {
        let said = project(&metadata, &pipeline).run(&["render", "etl", "--edition", edition]);
        let places = ["pipelines/etl/metadata.yaml:7:15", "metadata.yaml:4:29", "1025Mi", "1Gi"];
        refused_once(said, 2, &places);
    }
}

#[test]
fn every_guardrail_exceeded_is_told_whoever_set_the_value() {
    let metadata = format!("{IMAGE}  resource_limits: {{memory: 9Gi, cpu: 1}}\n");
    let pipeline = format!("{PIPELINE}  executor_config:\n    resource_requests: {{cpu: 500m}}\n");
    let project = project(&metadata, &pipeline);
    let env = [
        "K8S_EXECUTOR_MAX_RESOURCE_LIMITS_MEMORY=8Gi",
        "K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU=1000m",
        "K8S_EXECUTOR_MAX_RESOURCE_REQUESTS_CPU=250m",
        "K8S_EXECUTOR_MAX_RESOURCE_REQUESTS_MEMORY=1Ki",
    ];
    let mut arguments = vec!["render", "etl"];
    for pair in env {
        arguments.extend(["--server-env", pair]);
    }
    let text = refused(
        project.run(&arguments),
        2,
        &[
            "metadata.yaml:4:29: limits.memory 9Gi",
            "pipelines/etl/metadata.yaml:6:30: requests.cpu 500m",
            "exceeds 8Gi set by env K8S_EXECUTOR_MAX_RESOURCE_LIMITS_MEMORY",
            "exceeds 250m set by env K8S_EXECUTOR_MAX_RESOURCE_REQUESTS_CPU",
        ],
    );
    // 1 is not over 1000m, and an absent request passes.
    assert_eq!(errors(&text), 2, "{text}");
    arguments.extend(["--edition", "oss"]);
    project.run(&arguments).ok();
}

#[test]
fn guardrails_bind_what_the_server_itself_sets() {
    let project = project(IMAGE, PIPELINE);
    let said = project.run(&[
        "render",
        "etl",
        "--server-env=K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU=4",
        "--server-env=K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU=2",
    ]);
    refused_once(
        said,
        2,
        &[
            "limits.cpu 4",
            "K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU",
            "exceeds 2 set by env K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU",
        ],
    );
    let said =
        project.run(&["render", "etl", "--server-env=K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU=two"]);
    refused_once(said, 2, &["K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU", "`two`", "no quantity"]);
}

#[test]
fn two_spellings_with_different_values_name_both_lines() {
    let metadata = "\
k8s_executor_config:
  container_config: {image: 'a:1'}
  pod:
    nodeSelector: {a: b}
    node_selector: {a: c}
";
    let words = ["metadata.yaml:5:5", "both spellings", "line 4"];
    refused_once(project(metadata, PIPELINE).run(&["render", "etl"]), 2, &words);
    let same = metadata.replace("{a: c}", "{a: b}");
    project(&same, PIPELINE).run(&["render", "etl"]).ok();
}

#[test]
fn a_namespace_that_cannot_be_one_is_refused() {
    for (written, shown) in [("Data_Team", "Data_Team"), ("\"a b\"", "a b"), ("\"\"", "``")] {
        let metadata = format!("{IMAGE}  namespace: {written}\n");
        let said = project(&metadata, PIPELINE).run(&["render", "etl"]);
        refused_once(said, 2, &["metadata.yaml:4:14", shown, "namespace"]);
    }
    let project = project(IMAGE, PIPELINE);
    let said = project.run(&["render", "etl", "-n", "A"]).fails(2);
    assert!(said.contains('A') && said.contains("--namespace"), "{said}");
    let said = project.run(&["render", "etl", "--server-env", "KUBE_NAMESPACE=-"]);
    refused_once(said, 2, &["`-`", "KUBE_NAMESPACE"]);
}

#[test]
fn one_block_run_id_is_for_one_block() {
    let project = small_project();
    refused_once(project.run(&["render", "etl", "--block-run-id", "7"]), 2, &["--block-run-id"]);
    let text = project.run(&["render", "etl/load", "--block-run-id", "7", "-o", "name"]).ok();
    assert_eq!(text, "job.batch/mage-data-prep-block-7\n");
}

#[test]
fn flags_that_mean_nothing_are_refused() {
    let project = small_project();
    for arguments in [
        &["render", "etl", "--block-run-id", "seven"][..],
        &["render", "etl", "--edition", "enterprise"],
        &["render", "etl", "-o", "toml"],
        &["render", "etl", "--server-env", "NOVALUE"],
        &["render", "etl", "--var", "=1"],
        &["render", "etl", "--color", "sometimes"],
        &["render", "etl", "--no-such-flag"],
        &["rendr", "etl"],
        &["run", "etl", "--parallel", "0"],
        &["run", "etl", "--timeout", "soon"],
        &["run", "etl", "--retries", "-1"],
    ] {
        let said = project.run(arguments);
        assert!(said.stdout.is_empty(), "{arguments:?}: {}", said.stdout);
        let text = said.fails(2);
        assert!(text.contains("error: "), "{arguments:?}: {text}");
    }
    for (flag, value) in [("--secret", "novalue"), ("--secret", "@/missing")] {
        refused_once(project.run(&["render", "etl", flag, value]), 2, &[]);
    }
}

#[test]
fn files_that_flags_name_must_be_there() {
    let project = small_project();
    for flag in ["--template", "--policy", "--server-env-file"] {
        let said = project.run(&["render", "etl", flag, "/missing.yaml"]);
        refused_once(said, 2, &["/missing.yaml", "no such file"]);
    }
    let render = |pod: &str| {
        run(&["render", "etl", "--offline", "--project", project.path(), "--server-pod", pod])
    };
    refused_once(render("@/missing.json"), 2, &["/missing.json", "no such file"]);
    refused_once(render("mage-0"), 2, &["--server-pod mage-0", "--offline", "@FILE"]);
    for (text, word) in
        [("", "empty"), ("{", "pod.json:1:"), ("[1]", "pod"), ("{\"kind\": \"Service\"}", "pod")]
    {
        project.write("pod.json", text);
        refused_once(render(&format!("@{}/pod.json", project.path())), 2, &[word]);
    }
}

#[test]
fn a_path_in_the_servers_pod_is_no_local_path() {
    let project = small_project();
    project.write(
        "pod.yaml",
        "metadata: {name: mage-0, namespace: a}\nspec:\n  containers:\n  - name: mage\n    image: r/mage:1\n    env: [{name: K8S_CONFIG_FILE, value: /etc/hostname}]\n",
    );
    let pod = format!("@{}/pod.yaml", project.path());
    let said =
        run(&["render", "etl", "--offline", "--project", project.path(), "--server-pod", &pod]);
    refused_once(said, 2, &["/etc/hostname", "K8S_CONFIG_FILE", "--template"]);
}

#[test]
fn misspelt_and_misplaced_keys_are_told_and_change_nothing() {
    let metadata = "\
k8s_executor_config:
  container_config: {image: 'a:1'}
  resource_limit: {cpu: 1}
  nodeSelector: {a: b}
  backoff_limit: 3
  pod:
    tolerashuns: []
    backoffLimit: 3
    annotations: {a: b}
    zzz: 1
  container:
    imagePullPolcy: Always
";
    let said = project(metadata, PIPELINE).run(&["render", "etl", "-o", "json"]);
    for (place, hint) in [
        ("metadata.yaml:3:3: unknown key `resource_limit`", "did you mean `resource_limits`?"),
        ("metadata.yaml:4:3: unknown key `nodeSelector`", "did you mean `pod.node_selector`?"),
        ("metadata.yaml:5:3: unknown key `backoff_limit`", "did you mean `job.backoff_limit`?"),
        ("metadata.yaml:7:5: unknown key `tolerashuns`", "did you mean `pod.tolerations`?"),
        ("metadata.yaml:8:5: unknown key `backoffLimit`", "did you mean `job.backoff_limit`?"),
        ("metadata.yaml:9:5: unknown key `annotations`", "did you mean `metadata.annotations`?"),
        ("metadata.yaml:10:5: unknown key `zzz`", "hint: "),
        (
            "metadata.yaml:12:5: unknown key `imagePullPolcy`",
            "did you mean `container.image_pull_policy`?",
        ),
    ] {
        let told = said.stderr.split("warning: ").find(|part| part.starts_with(place));
        assert!(told.is_some_and(|part| part.contains(hint)), "{place}\n{}", said.stderr);
    }
    let with = said.ok();
    let without = project("k8s_executor_config:\n  container_config: {image: 'a:1'}\n", PIPELINE)
        .run(&["render", "etl", "-o", "json", "--repo-path", "/r"])
        .ok();
    let with: serde_json::Value = serde_json::from_str(&with).expect("JSON");
    let without: serde_json::Value = serde_json::from_str(&without).expect("JSON");
    let pod = |list: &serde_json::Value| {
        let mut spec = list["items"][0]["spec"].clone();
        spec["template"]["spec"]["containers"][0]["command"].take();
        spec
    };
    assert_eq!(pod(&with), pod(&without));
}

#[test]
fn a_readonly_setting_and_offline_refuse_a_run() {
    let project = small_project();
    let said = run_command(
        binary(&["run", "etl", "--project", project.path()]).env("KUBECTL_MAGE_READONLY", "1"),
    );
    refused_once(said, 2, &["KUBECTL_MAGE_READONLY"]);
    // Whatever does not say that it is off; `delete` asks no project.
    for value in ["true", "yes", "2", " "] {
        let said = run_command(binary(&["delete", "a-run"]).env("KUBECTL_MAGE_READONLY", value));
        refused_once(said, 2, &[&format!("KUBECTL_MAGE_READONLY={value} forbids")]);
    }
    for value in ["", "0", "False"] {
        let said = run_command(binary(&["delete", "a-run"]).env("KUBECTL_MAGE_READONLY", value));
        assert!(!said.stderr.contains("KUBECTL_MAGE_READONLY"), "{}", said.stderr);
    }
    refused_once(project.run(&["run", "etl"]), 2, &["--offline"]);
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster: {{server: '{server}', insecure-skip-tls-verify: true}}\nusers:\n- name: u\n  user: {{token: x}}\ncontexts:\n- name: here\n  context: {{cluster: c, user: u}}\n- name: there\n  context: {{cluster: c, user: u}}\n"
    )
}

#[test]
fn an_unknown_context_lists_those_there_are() {
    let project = small_project();
    project.write("kubeconfig", &kubeconfig("https://127.0.0.1:1"));
    let config = format!("{}/kubeconfig", project.path());
    let flags = ["--project", project.path(), "--kubeconfig", &config, "--context", "nowhere"];
    for command in [&["runs"][..], &["render", "etl"], &["run", "etl"]] {
        let mut arguments = [command, &flags].concat();
        if command == ["runs"] {
            arguments.drain(1..3);
        }
        refused_once(run(&arguments), 2, &["nowhere", "here", "there"]);
    }
}

#[test]
fn without_a_kubeconfig_runs_says_so() {
    refused_once(run(&["runs"]), 2, &["kubeconfig"]);
    refused_once(run(&["runs", "--kubeconfig", "/missing"]), 2, &["/missing"]);
    refused_once(run(&["runs", "--kubeconfig", "/usr"]), 2, &["/usr: it is a folder"]);
    let project = small_project();
    project.write("kubeconfig", "a: [\n");
    let config = format!("{}/kubeconfig", project.path());
    refused_once(run(&["runs", "--kubeconfig", &config]), 2, &[&config]);
}

#[test]
fn a_cluster_that_is_not_there_is_exit_3() {
    let project = small_project();
    project.write("kubeconfig", &kubeconfig("https://127.0.0.1:1"));
    let config = format!("{}/kubeconfig", project.path());
    for arguments in [
        &["runs", "--kubeconfig", &config][..],
        &["render", "etl", "--kubeconfig", &config, "--project", project.path()],
        &["run", "etl", "--kubeconfig", &config, "--project", project.path()],
    ] {
        refused_once(run(arguments), 3, &["127.0.0.1:1"]);
    }
    // What a flag or the file says wrong is told before anything is asked.
    for flags in [&["--server-pod", "t3/"][..], &["--server-pod", "a/b/c"]] {
        let common = ["render", "etl", "--kubeconfig", &config, "--project", project.path()];
        refused_once(run(&[&common, flags].concat()), 2, &[flags[1], "names no pod"]);
    }
    let group = run(&["runs", "--kubeconfig", &config, "--as-group", "g"]);
    refused_once(group, 2, &["--as-group needs --as"]);
    let named = kubeconfig("https://127.0.0.1:1").replace("user: u}", "user: u, namespace: a/b}");
    project.write("named", &named);
    let path = format!("{}/named", project.path());
    refused_once(run(&["runs", "--kubeconfig", &path]), 2, &["context here", "\"a/b\""]);
    refused_once(run(&["runs", "--kubeconfig", &path, "-n", "a"]), 3, &["127.0.0.1:1"]);
    let without_pod = ["--server-pod", "none", "--kubeconfig", &config];
    let arguments = [&["render", "etl", "--project", project.path()], &without_pod[..]].concat();
    run(&arguments).ok();
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let blocks = (0..400)
        .map(|index| format!("- {{uuid: b{index}, type: custom, executor_type: k8s}}\n"))
        .collect::<Vec<_>>()
        .concat();
    let project = project(IMAGE, &format!("blocks:\n{blocks}"));
    for command in [&["render", "etl"][..], &["explain", "etl"], &["render", "etl", "-o", "json"]] {
        let flags =
            ["--project", project.path(), "--offline", "--server-pod=none", "--repo-path=/r", "-q"];
        let mut child = binary(&[command, &flags].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        drop(stdout);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        child.wait().expect("it ends");
        assert!(!line.is_empty());
        assert_eq!(said, "", "{command:?}");
    }
}
