//! What flags, folders and files give: where the project is, secrets, the server's environment.

use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Said, TempProject, binary, run_command, small_project};

/// Runs the binary in a folder, offline and without a server pod.
fn run_in(folder: &Path, arguments: &[&str]) -> Said {
    let common = ["--offline", "--server-pod", "none"];
    run_command(binary(&[arguments, &common[..]].concat()).current_dir(folder))
}

fn secret_project() -> TempProject {
    TempProject::new(&[
        (
            "metadata.yaml",
            "k8s_executor_config:\n  container_config:\n    image: a:1\n    env: [{name: K, value: {{ mage_secret_var('k') | tojson }} }, {name: A, value: \"{{ env_var('A', '-') }}\"}]\n",
        ),
        ("pipelines/p/metadata.yaml", "blocks:\n- {uuid: load, type: data_loader}\n"),
    ])
}

fn variable(said: Said, name: &str) -> String {
    let json: Json = serde_json::from_str(&said.ok()).expect("JSON");
    let env = json["items"][0]["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let found = env.as_array().into_iter().flatten().find(|variable| variable["name"] == name);
    found.and_then(|variable| variable["value"].as_str()).expect("the variable").to_owned()
}

#[test]
fn a_project_named_by_a_way_up_has_its_own_name() {
    let outer = tempfile::tempdir().expect("a folder");
    let project = outer.path().join("p1");
    let pipeline = project.join("pipelines/etl");
    std::fs::create_dir_all(&pipeline).expect("a folder");
    let small = small_project();
    for file in ["metadata.yaml", "pipelines/etl/metadata.yaml"] {
        std::fs::copy(Path::new(small.path()).join(file), project.join(file)).expect("a copy");
    }
    for (folder, given) in [
        (&project, "."),
        (&project.join("pipelines"), ".."),
        (&pipeline, "../.."),
        (&project.join("pipelines"), "../../p1/pipelines/.."),
    ] {
        let said = run_in(folder, &["render", "etl/load", "--project", given]).ok();
        assert!(said.contains("- /home/src/p1\n"), "{given}: {said}");
        let mut by_environment = binary(&["render", "etl/load", "--offline"]);
        by_environment.current_dir(folder).env("KUBECTL_MAGE_PROJECT", given);
        assert!(run_command(&mut by_environment).ok().contains("- /home/src/p1\n"), "{given}");
    }
    // A file outside of the project has an absolute name, however it was given.
    let policy = outer.path().join("pol.yaml");
    std::fs::write(&policy, "enabled: true\nenforce: true\nresource_limits: {cpu: 3}\n")
        .expect("a file");
    for (folder, given) in [(&project, "../pol.yaml"), (&pipeline, "../../../pol.yaml")] {
        let said = run_in(
            folder,
            &["explain", "etl/load", "resource_limits.cpu", "-o", "json", "--policy", given],
        );
        let file = said.json()["values"][0]["source"]["file"].clone();
        assert_eq!(file, policy.to_str().expect("UTF-8"), "{given}");
    }
}

#[test]
fn a_working_directory_that_is_gone_has_a_next_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = folder.path().join("gone");
    std::fs::create_dir(&gone).expect("a folder");
    let script = format!("rmdir '{}'; exec \"$0\" render", gone.display());
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_kubectl-mage")]).current_dir(&gone);
    let said = run_command(shell.env_clear().env("HOME", "/nonexistent")).fails(2);
    assert!(said.contains("working directory") && said.contains("hint: "), "{said}");
}

#[test]
fn a_secret_is_taken_whole() {
    let project = secret_project();
    let key = "-----BEGIN KEY-----\nabc=\n-----END KEY-----";
    project.write("key.pem", &format!("{key}\n"));
    project.write("env", "\u{feff}k=first\nexport k=\"line 1\nline 2\" # c\n");
    let path = |file: &str| Path::new(project.path()).join(file).display().to_string();
    let render = |secrets: &[String]| {
        let flags: Vec<&str> = secrets.iter().flat_map(|s| ["--secret", s.as_str()]).collect();
        project.run(&[&["render", "p", "-o", "json"], &flags[..]].concat())
    };
    for (secrets, value) in [
        (vec!["k=line1\nline2=x".to_owned()], "line1\nline2=x"),
        (vec![format!("k={key}")], key),
        (vec![format!("k=@{}", path("key.pem"))], key),
        (vec![format!("@{}", path("env"))], "line 1\nline 2"),
        (vec!["k=a".to_owned(), "k=b".to_owned()], "b"),
        (vec!["k= \"b\" c".to_owned()], " \"b\" c"),
    ] {
        assert_eq!(variable(render(&secrets), "K"), value, "{secrets:?}");
    }
    // It may have been meant as the secret itself.
    let said = render(&["k=@hunter2".to_owned()]).fails(2);
    assert!(!said.contains("hunter2") && said.contains("--secret k=@FILE"), "{said}");
    project.write("env", "k='hunter2\n");
    let said = render(&[format!("@{}", path("env"))]).fails(2);
    assert!(
        !said.contains("hunter2") && said.contains("env:1:3: the value's quote has no end"),
        "{said}"
    );
}

#[test]
fn of_several_variables_of_one_name_the_last_counts() {
    let project = secret_project();
    project.write("env", "A=1\nA=2\n");
    let file = Path::new(project.path()).join("env").display().to_string();
    let render = |flags: &[&str]| {
        let all = [&["render", "p", "-o", "json", "--secret", "k=v"], flags].concat();
        variable(project.run(&all), "A")
    };
    assert_eq!(render(&["--server-env-file", &file]), "2");
    assert_eq!(render(&["--server-env", "A=3", "--server-env", "A=4"]), "4");
    assert_eq!(render(&["--server-env-file", &file, "--server-env", "A=3"]), "3");
}

#[test]
fn flags_that_cannot_be_meant_are_refused_before_anything_is_asked() {
    let project = small_project();
    for flags in [
        &["render", "etl/load", "--template-runtime-configuration", "{"][..],
        &["render", "etl/load", "--template-runtime-configuration", "[]"],
        &["render", "etl/load", "--repo-path", ""],
        &["render", "etl/load", "--image", "a b"],
        &["render", "etl/load", "-n", "a?b=c"],
    ] {
        let said = project.run(flags).fails(2);
        assert!(said.contains(flags[2]) || said.contains("--namespace"), "{flags:?}: {said}");
    }
    for flags in [
        &["runs", "-n", "a?b=c"][..],
        &["status", "@latest", "-n", "../x"],
        &["logs", "etl", "-n", "a b"],
        &["runs", "-l", "="],
        &["logs", "etl", "-l", "a in b"],
    ] {
        run_command(&mut binary(flags)).fails(2);
    }
    // As in kubectl, an empty one is the context's.
    let rendered = project.run(&["render", "etl/load", "-n", ""]).ok();
    assert!(rendered.contains("namespace: default"), "{rendered}");
}

#[test]
fn a_job_without_an_image_is_explained() {
    let project = TempProject::new(&[
        ("metadata.yaml", "k8s_executor_config: {resource_limits: {cpu: 2}}\n"),
        ("pipelines/p/metadata.yaml", "blocks:\n- {uuid: load, type: data_loader}\n"),
    ]);
    for edition in ["oss", "pro"] {
        let said = project.run(&["explain", "p/load", "--edition", edition]);
        assert!(said.stderr.contains("no layer names a container image"), "{}", said.stderr);
        assert!(said.ok().contains("resource_limits.cpu"));
        project.run(&["render", "p/load", "--edition", edition]).fails(2);
    }
}

#[test]
fn a_user_configuration_that_cannot_be_read_is_an_error() {
    let project = small_project();
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join("kubectl-mage/config.toml");
    std::fs::create_dir_all(&config).expect("a folder");
    let render = || {
        let mut command = binary(&["render", "etl", "--offline", "--project", project.path()]);
        run_command(command.env("XDG_CONFIG_HOME", home.path()))
    };
    assert!(render().fails(2).contains("it is a folder"));
    std::fs::remove_dir(&config).expect("removed");
    render().ok();
    std::fs::write(&config, "edition = \"pro\"\nprotected = [\n").expect("a file");
    let said = render().fails(2);
    assert!(said.contains("config.toml:2:") && said.contains("2 | protected = ["), "{said}");
    std::fs::write(&config, "protected_contexts = [\"prod-?\"]\n").expect("a file");
    assert!(render().fails(2).contains("`prod-?`"));
}
