//! `diff` on files: both sides are made here, of git repositories and projects of the test.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use crate::schema::fits;
use crate::support::{Said, TempProject, binary, git, run_command, small_project};

fn commit(project: &TempProject) {
    let folder = Path::new(project.path());
    if !folder.join(".git").exists() {
        git(folder, &["init", "-q", "-b", "main"]);
    }
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "x", "--allow-empty"]);
}

const ETL: &str = "pipelines/etl/metadata.yaml";

fn replace(project: &TempProject, file: &str, old: &str, new: &str) {
    let text = std::fs::read_to_string(Path::new(project.path()).join(file)).unwrap();
    assert!(text.contains(old), "{text}");
    project.write(file, &text.replace(old, new));
}

fn against(project: &TempProject, what: &str, more: &[&str]) -> Said {
    project.run(&[&["diff", "--against", what], more].concat())
}

/// What is in the working tree, git's own files among it.
fn state(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_revision_shows_what_changed_with_the_line_and_leaves_the_tree_alone() {
    let project = small_project();
    commit(&project);
    replace(&project, ETL, "memory: 4Gi", "memory: 8Gi");
    let before = state(Path::new(project.path()));
    let said = against(&project, "rev:HEAD", &[]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    insta::assert_snapshot!(said.stdout, @r"
    diff etl/load: job.batch/mage-data-prep-block-etl-load-c5565243 in namespace default: needs replace
    --- BEFORE/batch.v1.Job.default.mage-data-prep-block-etl-load-c5565243
    +++ NOW/batch.v1.Job.default.mage-data-prep-block-etl-load-c5565243
    @@ -26,6 +26,6 @@
             resources:
               limits:
                 cpu: 1000m
    -            memory: 4Gi                                # block pipelines/etl/metadata.yaml:13:15
    +            memory: 8Gi                                # block pipelines/etl/metadata.yaml:13:15
           restartPolicy: Never
           serviceAccountName: default
    ");
    assert!(
        said.stderr.contains("1 of 2 blocks changes; peak +4Gi; 1 needs replace"),
        "{}",
        said.stderr
    );
    assert_eq!(state(Path::new(project.path())), before);
    // The same said otherwise is no difference.
    replace(&project, ETL, "memory: 8Gi", "memory: 4096Mi");
    let said = against(&project, "rev:HEAD", &[]);
    assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{}", said.stderr);
}

#[test]
fn a_whole_project_lists_only_what_a_change_affects() {
    let project = small_project();
    for name in ["other", "third"] {
        project.write(
            &format!("pipelines/{name}/metadata.yaml"),
            &format!("uuid: {name}\ntype: python\nexecutor_type: k8s\nblocks:\n- {{uuid: a, type: transformer}}\n- {{uuid: b, type: transformer}}\n"),
        );
    }
    project.write("pipelines/empty/metadata.yaml", "uuid: empty\ntype: python\nblocks: []\n");
    commit(&project);
    replace(
        &project,
        "pipelines/other/metadata.yaml",
        "{uuid: b, type: transformer}",
        "{uuid: c, type: transformer}",
    );
    std::fs::remove_dir_all(Path::new(project.path()).join("pipelines/third")).unwrap();
    replace(&project, ETL, "memory: 4Gi", "memory: 8Gi\n    job: {backoff_limit: 2}");
    let said = against(&project, "rev:HEAD", &["-o", "summary"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let names: Vec<&str> =
        said.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["BLOCK", "etl/load", "other/c", "other/b", "third/a", "third/b", "5"]);
    assert!(
        said.stdout.ends_with(
            "5 of 7 blocks change; peak -2 CPU; 1 needs replace; 1 is new; 3 are gone\n"
        ),
        "{}",
        said.stdout
    );
    // One pipeline alone.
    let said = against(&project, "rev:HEAD", &["other", "-o", "summary"]);
    assert!(said.stdout.contains("2 of 3 blocks change"), "{}", said.stdout);
    // Of a block alone nothing is said of the whole pipeline's peak.
    let said = against(&project, "rev:HEAD", &["etl/load", "-o", "summary"]);
    assert!(said.stdout.ends_with("1 of 1 block changes; 1 needs replace\n"), "{}", said.stdout);
}

#[test]
fn a_project_in_a_subfolder_is_read_with_the_files_that_flags_name() {
    let repository = TempProject::new(&[
        ("README.md", "x"),
        ("ops/template.yaml", "metadata:\n  labels: {tier: batch}\n"),
        ("shop/metadata.yaml", "k8s_executor_config: {container_config: {image: i}}\n"),
        (
            "shop/pipelines/etl/metadata.yaml",
            "uuid: etl\ntype: python\nexecutor_type: k8s\nblocks:\n- {uuid: a, type: transformer}\n",
        ),
    ]);
    commit(&repository);
    repository.write("ops/template.yaml", "metadata:\n  labels: {tier: online}\n");
    let project = format!("{}/shop", repository.path());
    let template = format!("{}/ops/template.yaml", repository.path());
    let flags =
        ["--project", &project, "--template", &template, "--offline", "--server-pod", "none"];
    let said = crate::support::run(&[&["diff", "--against", "rev:HEAD"], &flags[..]].concat());
    assert_eq!(said.code, 1, "{}", said.stderr);
    for line in ["-    tier: batch", "+    tier: online"] {
        assert!(said.stdout.contains(line), "{}", said.stdout);
    }
    // The path in the pod is that of the folder, on both sides.
    assert!(!said.stdout.contains("/home/src"), "{}", said.stdout);
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_of_the_revision_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let project = small_project();
    let outside = TempProject::new(&[(
        "metadata.yaml",
        "uuid: out\ntype: python\nblocks: [{uuid: secret_block, type: transformer}]\n",
    )]);
    let root = Path::new(project.path());
    symlink("etl", root.join("pipelines/alias")).unwrap();
    symlink(outside.path(), root.join("pipelines/out")).unwrap();
    commit(&project);
    replace(&project, ETL, "memory: 4Gi", "memory: 8Gi");
    let said = against(&project, "rev:HEAD", &["-o", "json"]);
    let jobs = said.json()["jobs"].clone();
    let told: Vec<(String, String)> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (
                format!("{}/{}", job["pipeline"], job["block"]).replace('"', ""),
                job["verdict"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let row = |name: &str, verdict: &str| (name.to_owned(), verdict.to_owned());
    assert_eq!(
        told,
        [
            row("alias/load", "needs replace"),
            row("etl/load", "needs replace"),
            // Of the tree it is read, of the revision it is not.
            row("out/secret_block", "new"),
        ],
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("pipelines/out/metadata.yaml is a link out of revision HEAD"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_submodule_has_no_files_of_the_revision() {
    let inner = TempProject::new(&[(
        "metadata.yaml",
        "uuid: sub\ntype: python\nexecutor_type: k8s\nblocks: [{uuid: a, type: transformer}]\n",
    )]);
    commit(&inner);
    let project = small_project();
    commit(&project);
    git(Path::new(project.path()), &["submodule", "--quiet", "add", inner.path(), "pipelines/sub"]);
    commit(&project);
    let said = against(&project, "rev:HEAD", &["-o", "summary"]);
    assert!(said.stderr.contains("pipelines/sub is a submodule"), "{}", said.stderr);
    assert!(said.stdout.contains("sub/a") && said.stdout.contains("1 is new"), "{}", said.stdout);
}

#[test]
fn what_is_no_revision_is_told_with_the_way_out() {
    let project = small_project();
    let told = against(&project, "rev:HEAD", &[]).fails(2);
    assert!(told.contains("cannot be read as a git checkout"), "{told}");
    commit(&project);
    for name in ["nope", "-x", "--upload-pack=x", "HEAD:metadata.yaml", "main..main"] {
        let told = against(&project, &format!("rev:{name}"), &[]).fails(2);
        assert!(told.contains(&format!("has no commit `{name}`")), "{told}");
        assert!(told.contains("hint: "), "{told}");
    }
    let first = git(Path::new(project.path()), &["rev-parse", "HEAD"]);
    commit(&project);
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", project.path());
    git(clone.path(), &["clone", "-q", "--depth", "1", &url, "c"]);
    let path = clone.path().join("c").display().to_string();
    let said = crate::support::run(&[
        "diff",
        "--against",
        &format!("rev:{first}"),
        "--project",
        &path,
        "--offline",
    ]);
    let told = said.fails(2);
    assert!(told.contains("the clone is shallow"), "{told}");
    // No git at all.
    let mut command =
        binary(&["diff", "--against", "rev:HEAD", "--offline", "--project", project.path()]);
    let told = run_command(command.env("PATH", "/nonexistent")).fails(2);
    assert!(told.contains("cannot run git") && told.contains("install git"), "{told}");
}

#[test]
fn what_was_broken_at_the_revision_counts_as_new() {
    let project = small_project();
    project.write("pipelines/bad/metadata.yaml", "uuid: bad\ntype: python\nblocks: [\n");
    commit(&project);
    project.write(
        "pipelines/bad/metadata.yaml",
        "uuid: bad\ntype: python\nexecutor_type: k8s\nblocks:\n- {uuid: a, type: transformer}\n",
    );
    let said = against(&project, "rev:HEAD", &["-o", "summary"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stdout.ends_with("1 of 3 blocks changes; 1 is new\n")
            || said.stdout.contains("1 is new"),
        "{}",
        said.stdout
    );
    for text in
        ["bad cannot be made at rev:HEAD, and counts as new", "pipelines/bad/metadata.yaml:"]
    {
        assert!(said.stderr.contains(text), "{}", said.stderr);
    }
    // What is broken now is an error, and names the line.
    project.write("pipelines/bad/metadata.yaml", "uuid: bad\ntype: python\nblocks: [\n");
    let told = against(&project, "rev:HEAD", &[]).fails(2);
    assert!(told.contains("pipelines/bad/metadata.yaml:"), "{told}");
    // Where there was no project, everything is new.
    let young = small_project();
    let folder = Path::new(young.path());
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "x"]);
    let said = against(&young, "rev:HEAD", &["-o", "summary"]);
    assert!(said.stdout.contains("2 are new"), "{}", said.stdout);
    assert!(said.stderr.contains("there is no project at rev:HEAD"), "{}", said.stderr);
}

const SECRETS: &str = "k8s_executor_config:\n  container_config:\n    image: i\n    env:\n    - {name: DB_PASSWORD, value: OLD}\n    - {name: URL, value: 'postgres://u:OLD@h/db'}\n    - {name: PLAIN, value: x}\n";

#[test]
fn secrets_are_masked_in_every_form() {
    let project = small_project();
    project.write("metadata.yaml", &SECRETS.replace("OLD", "hunter2"));
    commit(&project);
    project.write("metadata.yaml", &SECRETS.replace("OLD", "hunter2-and-longer"));
    for output in ["diff", "summary", "json", "markdown"] {
        let said = against(&project, "rev:HEAD", &["-o", output]);
        assert_eq!(said.code, 1, "{}", said.stderr);
        assert!(
            !said.stdout.contains("hunter2") && !said.stderr.contains("hunter2"),
            "{output}: {}",
            said.stdout
        );
        if output != "summary" {
            assert!(
                said.stdout.contains("*** (before)") && said.stdout.contains("*** (after)"),
                "{}",
                said.stdout
            );
        }
    }
    let said = against(&project, "rev:HEAD", &["--show-secrets"]);
    assert!(said.stdout.contains("hunter2-and-longer"), "{}", said.stdout);
}

#[test]
fn editions_and_environments_are_compared() {
    let project = small_project();
    project.write(
        "metadata.yaml",
        "k8s_executor_config:\n  resource_limits: {cpu: 1, memory: 2Gi}\n  container_config: {image: i}\noverrides:\n  prod:\n    k8s_executor_config:\n      container_config: {image: 'i:prod'}\n",
    );
    let said = against(&project, "env:prod", &["etl"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stdout.contains("-        image: i:prod")
            && said.stdout.contains("+        image: i "),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("# project-overrides metadata.yaml:7:"), "{}", said.stdout);
    // Edition oss drops the project's CPU limit where a block sets memory.
    let said = against(&project, "edition:oss", &["etl/load", "--edition", "pro"]);
    assert!(said.stdout.contains("+            cpu:"), "{}", said.stdout);
    let said = against(&project, "edition:pro", &["--edition", "pro"]);
    assert_eq!(said.code, 0, "{}", said.stdout);
}

fn snapshot(quota: &str) -> String {
    json!({
        "apiVersion": "kubectl-mage/v1", "kind": "Snapshot", "context": {"namespace": "jobs"},
        "serverPod": {"namespaces": ["jobs"], "pod": null, "chosenAs": null, "passedOver": [], "refused": [],
            "containerName": null, "container": null, "variables": [], "files": [], "masked": []},
        "serverVersion": "v1.33.0", "existingNamespaces": ["jobs"], "nodes": null, "priorityClasses": null,
        "runtimeClasses": null, "storageClasses": null,
        "namespaces": {"jobs": {"exists": true, "podSecurity": {}, "limitRanges": {}, "serviceAccounts": null,
            "quotas": [
                {"name": "team", "hard": {"requests.memory": quota, "limits.cpu": "1", "pods": "1"}, "scopes": [], "scopeSelector": null},
                {"name": "scoped", "hard": {"memory": "1Mi"}, "scopes": ["BestEffort"], "scopeSelector": null},
            ],
            "claims": null, "configMaps": null, "secrets": null}},
        "unreadable": []
    })
    .to_string()
}

#[test]
fn quotas_of_a_snapshot_are_held_against_the_peak() {
    let project = small_project();
    commit(&project);
    project.write("snap.json", &snapshot("7Gi"));
    let file = format!("{}/snap.json", project.path());
    let with = |what: &str| {
        crate::support::run(&[
            "diff",
            "--against",
            what,
            "-o",
            "json",
            "--project",
            project.path(),
            "--snapshot",
            &file,
        ])
    };
    replace(&project, ETL, "memory: 4Gi", "memory: 8Gi");
    let summary = with("rev:HEAD").json()["summary"].clone();
    assert_eq!(summary["overQuota"], json!(["etl/load"]));
    assert_eq!(summary["peakOverQuota"], json!(["etl"]));
    assert_eq!(summary["peak"]["memory"], json!({"before": "6Gi", "after": "10Gi"}));
    assert_eq!(
        summary["text"],
        "1 of 2 blocks changes; peak +4Gi; 1 now exceeds quota; 1 pipeline's peak now exceeds quota; 1 needs replace"
    );
    // What was over it before is no news.
    replace(&project, ETL, "memory: 8Gi", "memory: 6Gi");
    let summary = with("rev:HEAD").json()["summary"].clone();
    assert_eq!(summary["overQuota"], json!([]));
    assert_eq!(summary["peakOverQuota"], json!(["etl"]));
    // Fewer at once need less.
    replace(
        &project,
        ETL,
        "executor_type: k8s\n",
        "executor_type: k8s\nconcurrency_config: {block_run_limit: 1}\n",
    );
    let summary = with("rev:HEAD").json()["summary"].clone();
    assert_eq!(summary["peak"]["memory"], json!({"before": "6Gi", "after": "6Gi"}));
    assert_eq!(summary["peakOverQuota"], json!([]));
}

#[test]
fn snapshots_are_compared_with_what_is_there_now() {
    let project = small_project();
    let mut old: Value = serde_json::from_str(&snapshot("7Gi")).unwrap();
    old["context"]["namespace"] = json!("elsewhere");
    project.write("old.json", &old.to_string());
    project.write("new.json", &snapshot("7Gi"));
    let [old, new] = ["old", "new"].map(|name| format!("{}/{name}.json", project.path()));
    let said = crate::support::run(&[
        "diff",
        "etl",
        "--against",
        &format!("snapshot:{old}"),
        "--project",
        project.path(),
        "--snapshot",
        &new,
    ]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stdout.contains("-  namespace: elsewhere")
            && said.stdout.contains("+  namespace: jobs"),
        "{}",
        said.stdout
    );
}

/// The object has the shape that its schema gives, as a validator of schemas says.
#[test]
fn json_is_of_its_schema() {
    let project = small_project();
    commit(&project);
    replace(&project, ETL, "memory: 4Gi", "memory: 8Gi");
    replace(&project, ETL, "uuid: export\n  name: export", "uuid: other\n  name: other");
    let said = against(&project, "rev:HEAD", &["-o", "json"]);
    let document = said.json();
    let schema = kubectl_mage::diff::diff_schema();
    assert_eq!(fits(&document, &schema), Ok(()));
    let change = &document["jobs"][0]["changes"][0];
    assert_eq!(
        change["field"],
        ".spec.template.spec.containers[mage-data].resources.limits.memory"
    );
    assert_eq!(change["applies"], "needs replace");
    assert_eq!(change["before"]["value"], "4Gi");
    assert_eq!(change["after"]["path"], "resource_limits.memory");
    assert_eq!(change["after"]["source"]["line"], 13);
    assert_eq!(document["jobs"][1]["verdict"], "new");
    // A member too few, or of another type, does not fit.
    let mut wrong = document.clone();
    wrong["jobs"][0]["changes"][0]["applies"] = json!("maybe");
    assert!(fits(&wrong, &schema).is_err());
    let mut wrong = document;
    wrong["summary"].as_object_mut().unwrap().remove("peak");
    assert!(fits(&wrong, &schema).is_err());
}

/// What comes from files is text in the comment, whatever it is.
#[test]
fn markdown_lets_no_markup_out_of_files() {
    let project = small_project();
    let bad = "<img src=x onerror=y> ``````` @everyone #1 [l](http://x) |</details>";
    project.write(
        "metadata.yaml",
        "k8s_executor_config:\n  container_config:\n    image: i\n    env:\n    - {name: A, value: old}\n",
    );
    commit(&project);
    project.write(
        "metadata.yaml",
        &format!("k8s_executor_config:\n  container_config:\n    image: i\n    env:\n    - name: A\n      value: \"{bad}\\n```\\n</details>\"\n"),
    );
    let uuid = "a<b>|`*_[x]@y";
    project.write(
        "pipelines/new/metadata.yaml",
        &format!("uuid: new\ntype: python\nexecutor_type: k8s\nblocks:\n- uuid: '{uuid}'\n  type: transformer\n"),
    );
    let text = against(&project, "rev:HEAD", &["-o", "markdown"]).stdout;
    let (mut rows, mut blocks, mut code, mut html) = (0, 0, String::new(), String::new());
    let mut is_code = false;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis) => panic!("{text}"),
            Event::Start(Tag::TableRow) => rows += 1,
            Event::Start(Tag::CodeBlock(_)) => {
                blocks += 1;
                is_code = true;
            }
            Event::End(TagEnd::CodeBlock) => is_code = false,
            Event::Text(part) if is_code => code.push_str(&part),
            Event::Html(part) | Event::InlineHtml(part) => html.push_str(&part),
            _ => {}
        }
    }
    assert_eq!((rows, blocks), (3, 3), "{text}");
    assert!(code.contains("onerror=y") && code.contains("</details>"), "{code}");
    let page = scraper::Html::parse_fragment(&html);
    let count = |selector: &str| page.select(&scraper::Selector::parse(selector).unwrap()).count();
    assert_eq!((count("details"), count("summary")), (3, 3), "{html}");
    assert_eq!(count("img") + count("b") + count("a"), 0, "{html}");
    assert!(html.contains("a&lt;b&gt;|`*_[x]@\u{200b}y"), "{html}");
}

#[cfg(unix)]
#[test]
fn an_external_program_is_given_two_folders_that_are_gone_afterwards() {
    use std::os::unix::fs::PermissionsExt;
    let project = small_project();
    project.write("metadata.yaml", &SECRETS.replace("OLD", "hunter2"));
    commit(&project);
    project.write("metadata.yaml", &SECRETS.replace("OLD", "hunter3"));
    let script = Path::new(project.path()).join(".git/show");
    std::fs::write(&script, "#!/bin/sh\nstat -c '%a %n' \"$1\" \"$2\"\ncat \"$1\"/* \"$2\"/*\nls \"$1\"\nshift 2\necho \"flags: $*\"\nexit ${CODE:-1}\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let run = |code: &str, program: &str| {
        let mut command = binary(&[
            "diff",
            "--against",
            "rev:HEAD",
            "--offline",
            "--server-pod",
            "none",
            "--project",
            project.path(),
        ]);
        command
            .env("TMPDIR", temporary.path())
            .env("CODE", code)
            .env("KUBECTL_EXTERNAL_DIFF", program);
        run_command(&mut command)
    };
    let program = format!("{} -u --x=1 $(y) a;b", script.display());
    let said = run("1", &program);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let folders: Vec<&str> = said.stdout.lines().take(2).collect();
    assert!(folders.iter().all(|line| line.starts_with("700 ")), "{}", said.stdout);
    assert!(said.stdout.contains("flags: -u --x=1\n"), "{}", said.stdout);
    assert!(
        said.stdout.contains("*** (before)") && !said.stdout.contains("hunter"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.contains("batch.v1.Job.default.mage-data-prep-block-etl-load-"),
        "{}",
        said.stdout
    );
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_eq!(run("0", &program).code, 0);
    let told = run("7", &program).fails(2);
    assert!(told.contains("ended with exit status: 7"), "{told}");
    let told = run("0", "/nonexistent/program").fails(2);
    assert!(told.contains("KUBECTL_EXTERNAL_DIFF: `/nonexistent/program`"), "{told}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

/// `diff(1)` on the folders finds what `-o diff` shows.
#[test]
fn the_lines_are_those_that_diff_finds() {
    let project = small_project();
    commit(&project);
    replace(
        &project,
        ETL,
        "memory: 4Gi",
        "memory: 8Gi\n    container:\n      env: [{name: A, value: b}]",
    );
    let mut command = binary(&[
        "diff",
        "--against",
        "rev:HEAD",
        "--offline",
        "--server-pod",
        "none",
        "--project",
        project.path(),
    ]);
    let theirs = run_command(command.env("KUBECTL_EXTERNAL_DIFF", "diff -u -N"));
    let ours = against(&project, "rev:HEAD", &[]);
    let changed = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with(['+', '-', '@']));
        let lines = lines.filter(|line| !line.starts_with("+++") && !line.starts_with("---"));
        lines.map(|line| line.split("  # ").next().unwrap().trim_end().to_owned()).collect()
    };
    assert_eq!((ours.code, theirs.code), (1, 1));
    assert_eq!(changed(&ours.stdout), changed(&theirs.stdout));
    assert!(!changed(&ours.stdout).is_empty());
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let project = small_project();
    commit(&project);
    replace(&project, ETL, "memory: 4Gi", "memory: 8Gi");
    let plain = against(&project, "rev:HEAD", &[]).stdout;
    let painted = against(&project, "rev:HEAD", &["--color", "always"]).stdout;
    assert!(!plain.contains('\u{1b}') && painted.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
}

#[test]
fn errors_are_above_one() {
    let project = small_project();
    commit(&project);
    for (arguments, text) in [
        (vec!["diff", "--against", "main"], "expected live, rev:REV"),
        (vec!["diff", "--against", "rev:"], "needs a value"),
        (vec!["diff", "--nope"], "has no flag `--nope`"),
        (vec!["diff", "job/x", "--against", "rev:HEAD"], "job/x is a Job of the cluster"),
        (vec!["diff", "etl/nope", "--against", "rev:HEAD"], "nope"),
        (vec!["diff", "nope", "--against", "rev:HEAD"], "no pipeline `nope`"),
        (vec!["diff", "etl"], "asks a cluster, and --offline forbids it"),
        (vec!["diff", "--against", "run:x"], "asks a cluster, and --offline forbids it"),
        (vec!["diff", "--against", "snapshot:/nonexistent"], "cannot read /nonexistent"),
    ] {
        let told = project.run(&arguments).fails(2);
        assert!(told.contains(text), "{arguments:?}: {told}");
    }
}

/// As in a container of CI, where the checkout is of another user.
#[test]
fn a_checkout_of_another_user_is_told_with_what_makes_git_read_it() {
    let project = small_project();
    commit(&project);
    let common = ["--project", project.path(), "--offline", "--server-pod", "none"];
    let mut command = binary(&[&["diff", "--against", "rev:HEAD", "etl"], &common[..]].concat());
    let told = run_command(command.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")).fails(2);
    let hint = format!("`git config --global --add safe.directory {}`", project.path());
    assert!(told.contains(&hint), "{told}");
}
