//! The views of `explain-config` for people: the table on a terminal, `--why`, `--layers`, the chain
//! of executors, the annotated Job; and what none of them may show.

use std::io::Write as _;
use std::process::{Command, Stdio};

use kubectl_mage::yaml::{self, SourceFile};
use serde_json::{Value as Json, json};

use crate::explained::{at, container, explained, layered, layered_flags, rendered, values};
use crate::support::{TempProject, binary, small_project};

fn words<'a>(first: &[&'a str], owned: &'a [String]) -> Vec<&'a str> {
    first.iter().copied().chain(owned.iter().map(String::as_str)).collect()
}

const PIPELINE: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";

fn project(metadata: &str, pipeline: &str) -> TempProject {
    TempProject::new(&[("metadata.yaml", metadata), ("pipelines/p/metadata.yaml", pipeline)])
}

/// Reads documents with PyYAML; `None`, with the reason printed, where there is none.
#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
fn python_documents(text: &str) -> Option<Json> {
    let python = std::env::var("KUBECTL_MAGE_TEST_PYTHON").unwrap_or("python3".to_owned());
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";
    let mut child = Command::new(&python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let written = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named") {
        println!("skipped: {python} has no PyYAML");
        return None;
    }
    written.expect("it reads");
    assert!(output.status.success(), "{said}\n{text}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn the_annotated_job_is_the_job() {
    let project = layered();
    for (policy, edition) in [("policy", "pro"), ("enforced", "pro"), ("policy", "oss")] {
        let mut owned = layered_flags(&project, policy);
        owned.push(format!("--edition={edition}"));
        let view = ["explain", "etl/load", "-o", "annotated", "--show-secrets"];
        let text = project.run(&words(&view, &owned)).ok();
        let sent = rendered(&project, "etl/load", &words(&[], &owned));
        let document = yaml::parse(&SourceFile::new("annotated", text.as_str())).expect("YAML");
        assert_eq!(document.root.expect("a document").to_json(), sent);
        if let Some(documents) = python_documents(&text) {
            assert_eq!(documents, json!([sent]));
        }
        let explained = explained(&project, "etl/load", &words(&[], &owned));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.contains(" # ")), "{text}");
        // Every leaf has one line, and its origin stands behind it.
        for value in values(&explained) {
            let (layer, source) = (value["layer"].as_str().expect("a layer"), &value["source"]);
            if source["kind"] == "file" {
                let place = format!(
                    "# {layer} {}:{}:{}",
                    source["file"].as_str().expect("a file"),
                    source["line"],
                    source["column"]
                );
                let end =
                    |line: &&&str| line.ends_with(&place) || line.contains(&format!("{place} "));
                assert!(lines.iter().any(|line| end(&line)), "{place}: {text}");
            }
        }
    }
}

#[test]
fn several_annotated_jobs_are_documents() {
    let project = small_project();
    let text = project.run(&["explain", "etl", "-o", "annotated"]).ok();
    assert_eq!(text.matches("\n---\n").count(), 1, "{text}");
    if let Some(documents) = python_documents(&text) {
        assert_eq!(documents.as_array().map(Vec::len), Some(2));
    }
    let said = project.run(&["explain", "etl/load", "resource_limits", "-o", "annotated"]).fails(2);
    assert!(said.contains("-o annotated shows the whole Job"), "{said}");
}

#[test]
fn the_chain_of_executors_is_told() {
    let pipeline = "executor_type: local_python\nblocks:\n- {uuid: own, type: custom, executor_type: \"{{ env_var('WHO') }}\"}\n- {uuid: none, type: custom}\noverrides:\n  dev: {executor_type: ecs}\n";
    let project = project("k8s_executor_config: {container_config: {image: i}}\n", pipeline);
    let ask = |target: &str, flags: &[&str]| {
        let said = project.run(&[&["explain", target, "executor_type"], flags].concat());
        said.ok()
    };
    let value = |target: &str, flags: &[&str]| {
        let json = ["explain", target, "executor_type", "-o", "json"];
        let said = project.run(&[&json[..], flags].concat()).ok();
        let explained: Json = serde_json::from_str(&said).expect("JSON");
        assert_eq!(values(&explained).len(), 1);
        values(&explained)[0].clone()
    };
    let who = "--server-env=WHO=k8s";
    let text = ask("p/own", &[who]);
    assert!(text.starts_with("executor_type = k8s\n"), "{text}");
    assert!(text.contains("pipelines/p/metadata.yaml:3:44"), "{text}");
    assert!(text.contains("rendered from {{ env_var('WHO') }}"), "{text}");
    let own = value("p/own", &[who]);
    assert_eq!((&own["path"], &own["jobPath"]), (&json!("executor_type"), &Json::Null));
    assert_eq!((&own["value"], &own["layer"]), (&json!("k8s"), &json!("block")));
    assert_eq!(own["overridden"][0]["layer"], "hardcoded");
    assert_eq!(own["overridden"][1]["value"], "local_python");
    let env = ["--server-env=DEFAULT_EXECUTOR_TYPE=k8s", who];
    let text = ask("p/none", &env);
    assert!(text.contains("env DEFAULT_EXECUTOR_TYPE (--server-env)"), "{text}");
    assert!(text.contains("local_python asks the next one"), "{text}");
    assert_eq!(value("p/none", &env)["layer"], "env");
    let overridden = value("p/none", &["--server-env=ENV=dev", who]);
    assert_eq!(
        (&overridden["value"], &overridden["layer"]),
        (&json!("ecs"), &json!("pipeline-overrides"))
    );
    let text = ask("p/none", &["--server-env=ENV=dev", who]);
    assert!(text.contains("Mage itself makes no Kubernetes Job of it"), "{text}");
    let built_in = value("p/none", &[who]);
    assert_eq!(
        (&built_in["value"], &built_in["layer"]),
        (&json!("local_python"), &json!("hardcoded"))
    );
    assert_eq!(
        project.run(&["explain", "p/none", "--why", "executor_type", who]).ok(),
        ask("p/none", &[who])
    );
}

#[test]
fn a_path_that_names_nothing_is_no_path_that_nobody_set() {
    let project = small_project();
    for (path, code, told) in [
        ("pod.host_network", 1, "no layer sets `pod.host_network` for job.batch/"),
        (".spec.template.spec.hostNetwork", 1, "that nobody sets"),
        ("pod.hostNetwork", 1, "that nobody sets"),
        ("resource_limit.cpu", 2, "did you mean `resource_limits.cpu`?"),
        ("pod.node_selectors", 2, "did you mean `pod.node_selector`?"),
        (".spec.template.spec.containers[0].ressources", 2, "containers[0].resources`?"),
        ("backoff_limit", 2, "did you mean `job.backoff_limit`?"),
        ("zzzzz", 2, "known: job_name_prefix, namespace, "),
    ] {
        for view in [&["explain", "etl/load", path][..], &["explain", "etl/load", "--why", path]] {
            let said = project.run(view).fails(code);
            assert!(said.contains(told), "{path}: {said}");
        }
    }
}

#[test]
fn every_step_of_a_value_is_told() {
    let metadata = "limits: &limits {memory: 4Gi}\nk8s_executor_config:\n  job_name_prefix: 'Grün {trigger_name}'\n  namespace: \"{{ env_var('TEAM') }}\"\n  resource_limits: {<<: *limits, cpu: 1.50}\n  container_config:\n    image: i:1\n    env: [{name: A, value: 1}, {name: B, value: x}]\n  pod:\n    nodeSelector: {a.b/c: 'yes '}\n    image_pull_secrets: regcred\n    termination_grace_period_seconds: 1m30s\n";
    let pipeline = format!(
        "{PIPELINE}  executor_config:\n    container_config: {{env: [{{name: B, value: y}}, {{name: C, value: z}}]}}\n"
    );
    let project = project(metadata, &pipeline);
    let why = |path: &str| {
        project.run(&["explain", "p/load", "--why", path, "--server-env=TEAM=jobs"]).ok()
    };
    for (path, steps) in [
        (
            "namespace",
            &["rendered from {{ env_var('TEAM') }}", "in force: project is the higher layer"][..],
        ),
        ("resource_limits.memory", &["brought in by the alias at metadata.yaml:5:25"]),
        ("resource_limits.cpu", &["written 1.50, a number, converted"]),
        ("job_name_prefix", &["made a valid name of it", "rendered from Grün {trigger_name}"]),
        (
            "pod.nodeSelector[\"a.b/c\"]",
            &["the blanks at its end are trimmed", "nodeSelector, which Mage spells node_selector"],
        ),
        (
            "pod.termination_grace_period_seconds",
            &["written 1m30s, a string, converted", "terminationGracePeriodSeconds in the Job"],
        ),
        ("container_config.env[0].value", &["written as an integer, taken as text"]),
        ("container_config.env", &["joined by name: project gives 1, block gives 2"]),
        ("container_config.env[1]", &["overridden: items are joined by name, the later one wins"]),
        ("container_config.env[2]", &["no other layer gives this item, items are joined by name"]),
        (
            ".spec.template.spec.imagePullSecrets",
            &["image_pull_secrets is imagePullSecrets in the Job"],
        ),
        ("service_account_name", &["built in\n"]),
    ] {
        let text = why(path);
        for step in steps {
            assert!(text.contains(step), "{path}: {step:?} is missing in\n{text}");
        }
    }
}

#[test]
fn layers_say_where_they_were_looked_for() {
    let project = small_project();
    let ask = |flags: &[&str]| {
        project.run(&[&["explain", "etl/load", "--layers", "--no-headers"], flags].concat()).ok()
    };
    let line = |text: &str, layer: &str| {
        let found = text.lines().find(|line| line.split_whitespace().next() == Some(layer));
        found.expect("every layer").to_owned()
    };
    let text = ask(&[]);
    for (layer, told) in [
        ("server-pod", "--server-pod none"),
        ("template", "--template; K8S_CONFIG_FILE is not set"),
        ("policy", "--policy; K8S_DEFAULT_CONFIG_PATH is not set"),
        ("project-overrides", "overrides.<ENV>.k8s_executor_config; ENV is not set"),
        ("block", "pipelines/etl/metadata.yaml: executor_config of block load"),
        ("context", "no namespace"),
        ("hardcoded", "KUBE_NAMESPACE is not set"),
    ] {
        assert!(line(&text, layer).contains(told), "{layer}: {text}");
    }
    project.write("off.yaml", "enabled: false\n");
    let policy = format!("--policy={}/off.yaml", project.path());
    let text = ask(&[&policy, "--server-env=ENV=dev", "--edition=pro"]);
    assert!(line(&text, "policy-enforced").contains("off.yaml says enabled: false"), "{text}");
    assert!(line(&text, "pipeline-overrides").contains("overrides.dev.executor_config"), "{text}");
    let text = ask(&["--edition=oss"]);
    assert!(line(&text, "pipeline").contains("which Mage OSS does not read"), "{text}");
}

#[test]
fn losers_without_a_place_are_listed_on_demand() {
    let metadata = "k8s_executor_config:\n  container_config: {image: i, env: [{name: DB_PASSWORD, value: gone-secret}, {name: A, value: gone}]}\n";
    let pipeline = format!("{PIPELINE}  executor_config: {{container_config: {{env: []}}}}\n");
    let project = project(metadata, &pipeline);
    let ask = |flags: &[&str]| {
        let json = ["explain", "p/load", "-o", "json"];
        let said = project.run(&[&json[..], flags].concat()).ok();
        assert!(!said.contains("gone-secret"), "{said}");
        serde_json::from_str::<Json>(&said).expect("JSON")
    };
    let is_lost = |value: &&Json| value["layer"].is_null();
    assert_eq!(values(&ask(&[])).iter().filter(is_lost).count(), 0);
    assert_eq!(values(&ask(&["--all"])).iter().filter(is_lost).count(), 0);
    let all = ask(&["--overridden"]);
    let lost: Vec<&Json> = values(&all).iter().filter(is_lost).collect();
    assert_eq!(lost.len(), 4, "{lost:?}");
    for value in lost {
        assert_eq!((&value["value"], &value["source"]), (&Json::Null, &Json::Null));
        assert_eq!(value["overridden"][0]["layer"], "project");
        assert_eq!(value["overridden"][0]["reason"], "block replaces the whole list");
    }
    for view in [
        &["explain", "p/load", "--overridden"][..],
        &["explain", "p/load", "--why", "container_config.env"],
    ] {
        let text = project.run(view).ok();
        assert!(text.contains("gone") && !text.contains("gone-secret"), "{text}");
        let shown = project.run(&[view, &["--show-secrets"]].concat()).ok();
        assert!(shown.contains("gone-secret"), "{shown}");
    }
}

#[test]
fn nothing_secret_is_in_an_expression_or_a_loser() {
    let metadata = "k8s_executor_config:\n  container_config:\n    image: i\n    env:\n    - {name: DB_PASSWORD, value: \"{{ env_var('NOT_SET', 'hidden-default') }}\"}\n    - {name: URL, value: 'postgres://u:hidden-user@h/d'}\n  metadata: {annotations: {api-token: hidden-token}}\n";
    let pipeline = format!(
        "{PIPELINE}  executor_config: {{container_config: {{env: [{{name: URL, value: plain}}]}}}}\n"
    );
    let project = project(metadata, &pipeline);
    let flags = ["--edition=pro", "--var=db_password=hidden-var"];
    for view in [
        &["explain", "p/load"][..],
        &["explain", "p/load", "--all", "--overridden"],
        &["explain", "p/load", "--all", "-o", "json"],
        &["explain", "p/load", "-o", "annotated"],
        &["explain", "p/load", "--why", "."],
        &["explain", "p/load", "--why", "container_config"],
    ] {
        let said = project.run(&[view, &flags[..]].concat());
        assert!(!said.stdout.contains("hidden-"), "{view:?}: {}", said.stdout);
        assert!(!said.stderr.contains("hidden-"), "{view:?}: {}", said.stderr);
        let text = said.ok();
        assert!(text.contains("***"), "{view:?}: {text}");
        if view.len() == 2 {
            assert!(text.contains("({{ env_var('NOT_SET', ***) }})"), "{text}");
        }
        let shown = project.run(&[view, &flags[..], &["--show-secrets"]].concat()).ok();
        assert!(shown.contains("hidden-default"), "{view:?}: {shown}");
    }
}

#[test]
fn what_a_secret_gave_is_masked_wherever_it_stands() {
    let metadata = "{% set token = mage_secret_var('token') %}\n{% set found = env_var('API_KEY') %}\nk8s_executor_config:\n  container_config:\n    image: i\n    args: ['--a={{ token }}', \"{{ env_var('DB_PASSWORD') }}\", '{{ found }}', plain]\n  pod: {scheduler_name: '{{ token }}'}\n";
    let pipeline = format!("{PIPELINE}  executor_config: {{pod: {{scheduler_name: own}}}}\n");
    let project = project(metadata, &pipeline);
    let flags = [
        "--edition=pro",
        "--secret=token=hidden-token",
        "--server-env=DB_PASSWORD=hidden-password",
        "--server-env=API_KEY=hidden-key",
    ];
    for view in [
        &["explain", "p/load", "--overridden"][..],
        &["explain", "p/load", "-o", "json"],
        &["explain", "p/load", "-o", "annotated"],
        &["explain", "p/load", "--why", "."],
        &["render", "p/load", "--mask"],
    ] {
        let said = project.run(&[view, &flags[..]].concat());
        assert!(!said.stdout.contains("hidden-"), "{view:?}: {}", said.stdout);
        assert!(!said.stderr.contains("hidden-"), "{view:?}: {}", said.stderr);
        assert!(said.ok().contains("plain"), "{view:?}");
    }
    let shown = project.run(&[&["explain", "p/load", "--show-secrets"], &flags[..]].concat()).ok();
    assert_eq!(shown.matches("hidden-").count(), 3, "{shown}");
}

#[test]
fn a_secret_that_nobody_supplies_does_not_stop_an_explanation() {
    let metadata = "k8s_executor_config:\n  namespace: \"{{ mage_secret_var('team') }}\"\n  container_config: {image: i}\n";
    let project = project(metadata, PIPELINE);
    project.run(&["render", "p"]).fails(2);
    let text = project.run(&["explain", "p/load", "namespace"]).ok();
    assert!(text.contains("<mage_secret_var team>  ({{ mage_secret_var('team') }})"), "{text}");
    let masked = project.run(&["explain", "p/load", "namespace", "--secret=team=hidden"]).ok();
    assert!(masked.contains("***  ({{ mage_secret_var('team') }})"), "{masked}");
    let explained = explained(&project, "p/load", &["--secret=team=hidden"]);
    assert_eq!(at(&explained, ".metadata.namespace")["redacted"], true);
}

/// Runs the binary on a terminal; `None` where there is no `script` to make one.
#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
fn on_terminal(
    project: &TempProject,
    columns: u16,
    env: &[(&str, &str)],
    words: &[&str],
) -> Option<String> {
    let common = ["--project", project.path(), "--offline", "--server-pod", "none", "-q"];
    let quoted: Vec<String> = std::iter::once(env!("CARGO_BIN_EXE_kubectl-mage"))
        .chain(words.iter().copied())
        .chain(common)
        .map(|word| format!("'{word}'"))
        .collect();
    let command = format!("stty cols {columns} -onlcr; exec {}", quoted.join(" "));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).env_clear().stdin(Stdio::null());
    script.env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent").envs(env.iter().copied());
    let Ok(output) = script.output() else {
        println!("skipped: there is no `script`");
        return None;
    };
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{text}");
    Some(text)
}

const KITTY: [(&str, &str); 1] = [("TERM", "xterm-kitty")];

/// Leaves the terminal's escapes out.
fn plain(text: &str) -> String {
    kubectl_mage::ui::for_terminal(text).into_owned()
}

#[test]
fn on_a_terminal_nothing_wraps_and_places_are_links() {
    let project = layered();
    let owned = layered_flags(&project, "policy");
    for columns in [100, 160] {
        let view = words(&["explain", "etl/load", "--overridden"], &owned);
        let Some(text) = on_terminal(&project, columns, &KITTY, &view) else { return };
        for line in plain(&text).lines() {
            assert!(console_width(line) <= usize::from(columns), "{columns}: {line}");
        }
        let header = plain(&text).lines().next().expect("a header").to_owned();
        let columns: Vec<&str> = header.split_whitespace().collect();
        assert_eq!(columns, ["PATH", "VALUE", "LAYER", "SOURCE", "WHY"]);
        let url = format!("{}/metadata.yaml#14\u{1b}\\", project.path());
        assert!(text.contains("\u{1b}]8;;file://") && text.contains(&url), "{text}");
        assert!(text.contains("\u{1b}[2m"), "losers are dim: {text}");
        assert!(plain(&text).contains(".spec.template.spec.containers[0].image"), "{text}");
    }
}

fn console_width(line: &str) -> usize {
    // The fixture's wide characters take two columns.
    line.chars().map(|c| if ('\u{3000}'..'\u{fe00}').contains(&c) { 2 } else { 1 }).sum()
}

#[test]
fn links_and_colours_are_apart() {
    let project = small_project();
    let view = ["explain", "etl/load"];
    let ask = |env: &[(&str, &str)], flags: &[&str]| {
        on_terminal(&project, 120, env, &[&view[..], flags].concat())
    };
    let Some(no_color) = ask(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], &[]) else { return };
    assert!(no_color.contains("\u{1b}]8;;file://"), "a link is no colour: {no_color}");
    assert!(!no_color.contains("\u{1b}["), "{no_color}");
    let history = ["explain", "etl/load", "--why", "resource_limits.cpu"];
    let why = on_terminal(&project, 120, &KITTY, &history).expect("a terminal");
    let link = format!("{}/metadata.yaml#3\u{1b}\\metadata.yaml:3:10\u{1b}]8;;", project.path());
    assert!(why.contains(&link), "{why}");
    let unknown = ask(&[("TERM", "xterm")], &["--color=never"]).expect("a terminal");
    assert!(!unknown.contains('\u{1b}'), "{unknown}");
    let forced = [("TERM", "xterm"), ("FORCE_HYPERLINK", "1")];
    assert!(ask(&forced, &[]).expect("a terminal").contains("\u{1b}]8;;file://"));
    // Not a terminal: whatever the variables say.
    let mut piped = binary(&[&view[..], &["--project", project.path(), "--offline"]].concat());
    let output = piped.envs([("TERM", "xterm-kitty"), ("FORCE_HYPERLINK", "1")]).output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("UTF-8");
    assert!(!text.contains('\u{1b}') && text.contains("JOB PATH"), "{text}");
    assert!(text.contains(&container("image")), "{text}");
}
