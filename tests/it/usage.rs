//! How a command line is read, and what is said of one that is wrong.

use crate::support::{Said, TempProject, binary, run, run_command, small_project};

/// One sentence, then the next step, and nothing of the parser's own.
#[test]
fn what_is_wrong_with_a_command_line_is_an_error_and_a_hint() {
    let cases: [(&[&str], &str, &str); 22] = [
        (&["rn"], "kubectl mage has no command `rn`", "did you mean `run`?"),
        (&["xyzzy"], "kubectl mage has no command `xyzzy`", "see `kubectl mage --help`"),
        (
            &["run", "--dry-rnu"],
            "`kubectl mage run` has no flag `--dry-rnu`",
            "did you mean `--dry-run`?",
        ),
        (
            &["graph", "--zzz"],
            "`kubectl mage graph` has no flag `--zzz`",
            "see `kubectl mage graph --help`",
        ),
        (
            &["-n", "a", "run"],
            "`kubectl mage` has no flag `-n`",
            "flags stand behind the command: ",
        ),
        (
            &["graph", "a", "b"],
            "`kubectl mage graph` takes no argument `b`",
            "see `kubectl mage graph --help`",
        ),
        (&["cancel"], "`kubectl mage cancel` wants RUN", "see `kubectl mage cancel --help`"),
        (
            &["prune"],
            "`kubectl mage prune` wants --older-than DURATION",
            "see `kubectl mage prune --help`",
        ),
        (&["run", "--logs", "fialed"], "`--logs` cannot be `fialed`", "did you mean `failed`?"),
        (&["run", "--logs", "x"], "`--logs` cannot be `x`", "it can be `all`, `failed`, `none`"),
        (&["run", "--logs"], "`--logs` wants a value", "it can be `all`, `failed`, `none`"),
        (&["run", "--image"], "`--image` wants a value", "see `kubectl mage run --help`"),
        (&["doctor", "--for", "rnu"], "`--for` cannot be `rnu`", "did you mean `run`?"),
        (
            &["run", "--parallel", "0"],
            "`--parallel` cannot be `0`: it must be 1 or more",
            "see `kubectl mage run --help`",
        ),
        (
            &["run", "--parallel", "x"],
            "`--parallel` cannot be `x`: it must be a whole number",
            "see `",
        ),
        (
            &["run", "--retries", "x"],
            "`--retries` cannot be `x`: it must be a whole number",
            "see `",
        ),
        (&["run", "-v=xx"], "`-v` cannot be `xx`: it must be a whole number", "see `"),
        (
            &["run", "--timeout", "5"],
            "`--timeout`: \"5\" is no duration",
            "write it as 30s, 5m or 1h30m",
        ),
        (
            &["render", "--var", "x"],
            "`--var` cannot be `x`: expected NAME=VALUE",
            "see `kubectl mage render --help`",
        ),
        (
            &["run", "--keep-going", "--fail-fast"],
            "`--keep-going` cannot go with `--fail-fast`",
            "leave one of them out",
        ),
        (
            &["run", "--keep-going=yes"],
            "`--keep-going` takes no value, and `yes` was given",
            "see `",
        ),
        (&["completion", "fihs"], "`SHELL` cannot be `fihs`", "did you mean `fish`?"),
    ];
    for (arguments, error, hint) in cases {
        let told = run(arguments).fails(2);
        assert_eq!(told.lines().next(), Some(&*format!("error: {error}")), "{arguments:?}");
        assert!(told.lines().nth(1).unwrap().starts_with(&format!("hint: {hint}")), "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
    }
    let told = run(&["render", "a", "--project", "/nonexistent/x", "--policy", "/"]).fails(2);
    assert!(!told.contains("os error"), "{told}");
    let refused = run(&["runs", "-s", "http://127.0.0.1:1", "-n", "a"]).fails(3);
    assert!(refused.contains("Connection refused") && !refused.contains("os error"), "{refused}");
}

#[test]
fn of_a_flag_given_twice_the_last_counts_and_lists_collect() {
    let project = small_project();
    let said = project.run(&[
        "render",
        "etl",
        "-o",
        "json",
        "-n",
        "a",
        "-n",
        "b",
        "--image",
        "x:1",
        "--image",
        "y:2",
        "--trigger",
        "a",
        "--trigger",
        "b",
        "-o",
        "yaml",
        "--allow-unset",
        "--allow-unset",
        "--server-env",
        "KUBE_NAMESPACE=c",
        "--server-env",
        "K8S_EXECUTOR_DEFAULT_SERVICE_ACCOUNT_NAME=robot",
    ]);
    let text = said.ok();
    assert!(text.contains("namespace: b") && text.contains("image: y:2"), "{text}");
    assert!(text.contains("serviceAccountName: robot") && !text.contains("x:1"), "{text}");
    // Formats of `lint` go to different places, and every verb counts the same.
    let file = format!("{}/out.json", project.path());
    project.run(&["lint", "-o", "text", "-o", &format!("json={file}"), "-q", "-q"]).ok();
    assert!(std::fs::read_to_string(file).expect("a file").contains("findings"));
}

#[test]
fn help_is_a_command_too() {
    let same = |one: &[&str], other: &[&str]| assert_eq!(run(one).ok(), run(other).ok());
    same(&["help"], &["--help"]);
    same(&[], &["--help"]);
    same(&["help", "run"], &["run", "--help"]);
    same(&["help", "explain"], &["explain-config", "--help"]);
    assert!(run(&["help", "rn"]).fails(2).contains("did you mean `run`?"));
}

/// Runs it on the project for a user whose `config.toml` says this.
fn with_config(project: &TempProject, config: &str, arguments: &[&str]) -> Said {
    project.write("home/.config/kubectl-mage/config.toml", config);
    let common = ["--project", project.path(), "--offline", "--server-pod", "none"];
    let mut command = binary(&[arguments, &common].concat());
    run_command(command.env("HOME", format!("{}/home", project.path())))
}

#[test]
fn output_of_the_users_file_is_the_default_of_commands_that_have_it() {
    let project = small_project();
    let json = |arguments: &[&str]| {
        with_config(&project, "output = \"json\"\n", arguments).stdout.starts_with('{')
    };
    for arguments in
        [&["render", "etl"][..], &["explain-config", "etl/load"], &["lint"], &["doctor"]]
    {
        assert!(json(arguments), "{arguments:?}");
        assert!(!json(&[arguments, &["-o", arguments_default(arguments[0])]].concat()));
    }
    // It has no such format.
    assert!(with_config(&project, "output = \"json\"\n", &["graph", "etl"]).ok().contains("load"));
    assert!(
        with_config(&project, "output = \"mermaid\"\n", &["graph", "etl"])
            .ok()
            .contains("flowchart")
    );
    let told = with_config(&project, "output = \"josn\"\n", &["render", "etl"]).fails(2);
    assert!(told.contains("config.toml: output is `josn`"), "{told}");
    with_config(
        &project,
        "output = \"josn\"\n",
        &["render", "etl", "-o", "name", "--edition", "oss"],
    )
    .ok();
}

fn arguments_default(command: &str) -> &'static str {
    match command {
        "render" => "yaml",
        "lint" => "text",
        _ => "table",
    }
}

/// As kubectl does from `-v=6` on: verb, address, outcome and time, and nothing of what was sent.
#[test]
fn requests_are_told_from_six_on_without_what_is_secret() {
    let ask = |arguments: &[&str], log: &str| {
        let asked = ["runs", "-s", "http://me:pa55@127.0.0.1:1", "-n", "a", "--token", "t0ken"];
        let mut command = binary(&[&asked[..], arguments].concat());
        if !log.is_empty() {
            command.env("RUST_LOG", log);
        }
        run_command(&mut command).stderr
    };
    let line = "GET http://127.0.0.1:1/apis/batch/v1/";
    for (arguments, log) in
        [(&["-v=6"][..], ""), (&["-v=9"], ""), (&[], "trace"), (&[], "kubectl_mage=trace")]
    {
        let told = ask(arguments, log);
        assert!(told.contains(line) && told.contains(" milliseconds"), "{told}");
        assert!(told.contains("failed (Connection refused)"), "{told}");
        assert!(!told.contains("pa55") && !told.contains("t0ken"), "{told}");
    }
    for (arguments, log) in
        [(&[][..], ""), (&["-v=5"], ""), (&["-v"], "trace"), (&["-q"], "trace"), (&[], "debug")]
    {
        assert!(!ask(arguments, log).contains(line), "{arguments:?} {log}");
    }
}

#[test]
fn the_answer_to_a_request_is_told_by_its_code() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _ = connection.read(&mut [0; 4096]);
            let answer =
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nConnection: close\r\n\r\nbody-x";
            let _ = connection.write_all(answer);
        }
    });
    let told = run(&["runs", "-s", &server, "-n", "a", "-v=6"]).stderr;
    let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("GET ")).collect();
    assert!(lines.iter().any(|line| line.contains(" 404 Not Found in ")), "{told}");
    assert!(lines.iter().all(|line| !line.contains("body-x")), "{told}");
}
