//! Files that would take all memory or never end are refused in one sentence, under a limit of
//! memory that is set from outside.

use std::fmt::Write as _;
use std::process::Command;

use crate::support::{Said, TempProject, run_command};

const IMAGE: &str = "k8s_executor_config:\n  container_config:\n    image: a:1\n";
const PIPELINE: &str = "blocks:\n- uuid: load\n  type: data_loader\n  executor_type: k8s\n";

/// The address space of the binary, in KiB: a stack of 512 MiB for templates is counted in full,
/// though it is not used.
const MEMORY_KIB: u32 = 2_000_000;

fn project(metadata: &str) -> TempProject {
    TempProject::new(&[("metadata.yaml", metadata), ("pipelines/etl/metadata.yaml", PIPELINE)])
}

/// Runs the binary on a project with that much memory.
fn limited(project: &TempProject, arguments: &[&str]) -> Said {
    let script = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_kubectl-mage"), "render", "etl"]);
    command.args(["--project", project.path(), "--offline"]);
    if !arguments.contains(&"--server-pod") {
        command.args(["--server-pod", "none"]);
    }
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    run_command(&mut command)
}

#[track_caller]
fn refused_with(said: Said, words: &[&str]) {
    assert!(said.stdout.is_empty(), "{}", said.stdout);
    let text = said.fails(2);
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{text}");
    assert!(text.contains("hint: ") && text.len() < 4000, "{text}");
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

/// Asserts that a project's file with this behind its image is refused, with these words.
#[track_caller]
fn refused(more: &str, words: &[&str]) {
    refused_with(limited(&project(&format!("{IMAGE}{more}")), &[]), words);
}

/// `a0: &a0 FIRST`, and eleven more, each of nine times the one before.
fn laughs(first: &str, next: impl Fn(&str) -> String) -> String {
    let mut text = format!("a0: &a0 {first}\n");
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "a{level}: &a{level} {}", next(&before)).expect("a String takes all text");
    }
    text
}

#[test]
fn aliases_that_multiply_are_refused() {
    let words = ["metadata.yaml:", "aliases expand to too large a value", "hint: write the value"];
    refused(&laughs("[lol]", |before| format!("[{before}]")), &words);
    refused(&laughs("{a: 1}", |before| format!("{{<<: [{before}]}}")), &words);
    refused(&format!("x: &x {{a: 1}}\ny: {{{}}}\n", "<<: *x, ".repeat(250_000)), &words);
}

#[test]
fn aliases_that_contain_themselves_are_refused() {
    for (text, place) in [
        ("x: &x [*x]\n", "metadata.yaml:4:8"),
        ("x: &x {a: {b: *x}}\n", "metadata.yaml:4:15"),
        ("x: &x {a: [&y [*x, *y]]}\n", "metadata.yaml:4:16"),
    ] {
        refused(text, &[place, "found an alias that contains itself"]);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let words = ["metadata.yaml:", "nested deeper than 128 levels", "take levels out"];
    refused(&format!("x: {}\n", "[".repeat(1_000_000)), &words);
    refused(&format!("x: {}\n", "{a: ".repeat(200_000)), &words);
    refused(&format!("x:\n  {}a\n", "- ".repeat(200_000)), &words);
    let lines: Vec<String> = (1..1000).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
    refused(&format!("x:\n{}\n", lines.join("\n")), &words);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let large = project(IMAGE);
    let path = format!("{}/large", large.path());
    // Sparse, so that it costs nothing: 100 GB.
    std::fs::File::create(&path).and_then(|file| file.set_len(100 << 30)).expect("a file");
    let words = [path.as_str(), "it is larger than 16 MiB"];
    for flag in ["--template", "--policy", "--server-env-file"] {
        refused_with(limited(&large, &[flag, &path]), &words);
    }
    refused_with(limited(&large, &["--secret", &format!("@{path}")]), &words);
    refused_with(limited(&large, &["--server-pod", &format!("@{path}")]), &words);
    for file in ["metadata.yaml", "pipelines/etl/metadata.yaml"] {
        let large = project(IMAGE);
        let path = format!("{}/{file}", large.path());
        let opened = std::fs::File::options().write(true).open(&path);
        opened.and_then(|file| file.set_len(100 << 20)).expect("a file");
        refused_with(limited(&large, &[]), &[&path, "it is larger than 16 MiB"]);
    }
    // It has no length, and no end.
    refused_with(limited(&project(IMAGE), &["--policy", "/dev/zero"]), &["larger than 16 MiB"]);
}

#[test]
fn too_many_values_are_refused() {
    let values = format!("x: [{}]\n", "a,".repeat(1_000_000));
    refused(&values, &["metadata.yaml:4:4", "more than 1000000 values in one file"]);
    let mut keys = String::from("x:\n");
    for depth in 1..120 {
        writeln!(keys, "{}{}:", " ".repeat(depth), "k".repeat(1000)).expect("it takes all text");
    }
    writeln!(keys, "{}[{}]", " ".repeat(121), "a,".repeat(100_000)).expect("it takes all text");
    refused(&keys, &["metadata.yaml:124:", "long keys with many values below them"]);
}

#[test]
fn templates_that_do_not_end_are_refused() {
    let words = ["metadata.yaml:4:", "the template cannot be rendered", "steps"];
    for text in [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "x: {{ 'x' * 10**9 }}",
        "{% set a = 'x' * 1000000 %}{{ a.replace('', a) }}",
        "{% set a = 'x' * 1000000 %}{{ a.join(a.split('x')) }}",
        "{% for i in range(99999) %}{{ json_value('[' ~ '1,' * 9999 ~ '1]', '[0]') }}{% endfor %}",
        // A list that holds one list twice, sixty times over: 2^60 words.
        "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    ] {
        refused(&format!("{text}\n"), &words);
    }
    refused(
        "{% for i in range(10**9) %}x{% endfor %}\n",
        &["metadata.yaml:4:1", "range has too many elements"],
    );
    refused("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}\n", &["recursion limit exceeded"]);
}

/// Each of these makes minijinja's parser or the end of a value recurse as deep as the text is long.
#[test]
fn deep_templates_need_no_more_stack_than_there_is() {
    for text in [
        format!("x: {{{{ {}1 }}}}\n", "-".repeat(200_000)),
        format!("x: {{{{ {}1 }}}}\n", "1+".repeat(120_000)),
        format!("x: {{{{ {}1 }}}}\n", "not ".repeat(60_000)),
        format!("x: {{{{ 'a'{} }}}}\n", "|e".repeat(120_000)),
        "{% set n = namespace(x=1) %}{% for i in range(90000) %}{% set n.x = [n.x] %}{% endfor %}\n"
            .to_owned(),
    ] {
        let said = limited(&project(&format!("{IMAGE}{text}")), &[]);
        assert!(said.ok().contains("image: a:1"), "{}", &text[..40]);
    }
    refused(
        &format!("x: {{{{ {}1 }}}}\n", "-".repeat(300_000)),
        &["metadata.yaml:4:4", "a file with templates in it may have 256 KiB at most"],
    );
    refused(&format!("x: {{{{ {}\n", "(".repeat(100_000)), &["maximum recursion limits"]);
}

#[test]
fn of_many_missing_values_the_first_are_told() {
    let lines: Vec<String> = (0..5000).map(|i| format!("# {{{{ env_var('X{i}') }}}}")).collect();
    let said = limited(&project(&format!("{IMAGE}{}\n", lines.join("\n"))), &[]).fails(2);
    assert_eq!(said.matches("is not set").count(), 20, "{said}");
}

#[test]
fn huge_scalars_are_told_in_part() {
    let long = "x".repeat(1 << 20);
    let settings = |text: &str| format!("{IMAGE}  metadata: {{labels: {{a: {text}}}}}\n");
    let words = ["metadata.yaml:4:", "xxx … xxx", "cannot be the value of label a"];
    refused_with(limited(&project(&settings(&long)), &[]), &words);
    refused(&format!("  ? {long}\n  : [\n"), &["metadata.yaml:"]);
    let digits = "9".repeat(5000);
    refused(&format!("x: {digits}\n"), &["metadata.yaml:4:4", "cannot read '999"]);
    refused(
        &format!("  job: {{backoff_limit: {}}}\n", "9".repeat(400)),
        &["metadata.yaml:4:24", "a number of at most 64 bits"],
    );
    for text in ["1e999999999", "1e99", "1e-999999999", "9999999999999999999999999999999Ei"] {
        refused(
            &format!("  resource_limits: {{cpu: {text}}}\n"),
            &["metadata.yaml:4:26", text, "no quantity"],
        );
    }
}

#[test]
fn characters_that_no_text_may_hold_are_refused() {
    refused("x: \"a\0b\"\n", &["metadata.yaml:4:6", "control characters", "U+0000"]);
    refused("  namespace: \"a\\0b\"\n", &["metadata.yaml:4:14", "cannot be a namespace"]);
    refused(
        "  metadata: {labels: {a: \"b\\0\"}}\n",
        &["metadata.yaml:4:26", "cannot be the value of label a"],
    );
}

/// Long lines, many keys given twice and many tags once took time that grew with their square: these
/// files would take minutes.
#[test]
fn large_files_are_read_in_one_pass() {
    let annotation = |index| format!("key{index}: 'some text {index}', ");
    let line: String = (0..5000).map(annotation).collect();
    for more in [
        format!("  metadata: {{annotations: {{{line}}}}}\n"),
        format!("x: '{}'\n", "!".repeat(1 << 20)),
        format!("x: '{}'\n", "!<".repeat(1 << 20)),
        format!("x: [{}]\n", "!!str,".repeat(50_000)),
        format!("x: &x {{}}\ny: {{{}}}\n", "<<: *x, ".repeat(50_000)),
        format!("x: [{}]\n", format!("0x{}, ", "f".repeat(4200)).repeat(100)),
    ] {
        let said = limited(&project(&format!("{IMAGE}{more}")), &[]);
        assert!(said.ok().contains("image: a:1"));
    }
}
