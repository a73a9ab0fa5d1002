//! What becomes of a run when what shows it goes away: a closed pipe, a terminal that is hung up or
//! made small, a machine that sleeps.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::binary::Said;
use crate::cli_run::{diamond, running_pods, signal};
use crate::support::{Bench, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_ends_the_showing_and_not_the_run() {
    let Some(bench) = Bench::new("pipe").await else { return };
    let project = diamond(&[("STANDIN_LINES", "20"), ("STANDIN_SLEEP", "1")]);
    for output in ["text", "json"] {
        let mut child = project.start_on(&bench, &["run", "etl", "-o", output]);
        let mut first = String::new();
        // The reader is dropped with what it has read, and the pipe with it.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        Said::new(child.wait_with_output().unwrap()).ends(0);
    }
    let listed = project.run_on(&bench, &["runs", "--no-headers"]).ends(0).stdout;
    assert_eq!(listed.matches("4/4").count(), 2, "{listed}");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_ends_the_run_as_was_chosen() {
    let Some(bench) = Bench::new("hang-up").await else { return };
    let project = diamond(&[("STANDIN_SLEEP", "300")]);
    for (choice, left) in [("cancel", 0), ("pause", 1)] {
        let child = project.start_on(&bench, &["run", "etl", "--on-interrupt", choice]);
        until("the pod", async || running_pods(&bench).await.len() == 1).await;
        signal(&child, "-HUP");
        let said = Said::new(child.wait_with_output().unwrap()).ends(143);
        assert_eq!(running_pods(&bench).await.len(), left, "{choice}: {}", said.stderr);
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_may_change_its_size_while_a_run_is_shown() {
    let Some(bench) = Bench::new("resized").await else { return };
    let project = diamond(&[("STANDIN_LINES", "20"), ("STANDIN_SLEEP", "3")]);
    let run = project.command_on(&bench, &["run", "etl"]);
    let words: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    // A terminal of 120 columns becomes one of 30, and then one of a single column.
    let script = format!(
        "stty cols 120 rows 40; {} & run=$!; for columns in 30 1; do while ! [ -e to-$columns ]; do sleep 0.1; done; stty cols $columns; done; wait $run",
        words.join(" ")
    );
    let mut command = Command::new("/usr/bin/script");
    command.args(["-qefc", &script, "/dev/null"]).current_dir(project.path());
    command.env("HOME", project.path()).env("TERM", "xterm").env("SHELL", "/bin/sh");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: there is no `script` to make a terminal");
        return;
    };
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut shown = Vec::new();
        out.read_to_end(&mut shown).map(|_| String::from_utf8_lossy(&shown).into_owned())
    });
    for (jobs, columns) in [(1, 30), (3, 1)] {
        until("the next Jobs", async || bench.job_names().await.len() == jobs).await;
        project.write(&format!("to-{columns}"), "");
    }
    let ended = child.wait().unwrap();
    let shown = reader.join().unwrap().unwrap();
    assert!(ended.success(), "{shown}");
    assert!(shown.contains("is complete: 4 of 4 blocks complete"), "{shown}");
    assert!(!shown.contains("panicked"), "{shown}");
    for block in ["load", "left", "right", "export"] {
        for line in 1..=20 {
            let text = format!("{block:6}\u{1b}[0m | line {line} of 20");
            assert_eq!(shown.matches(&text).count(), 1, "{text}: {shown}");
        }
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_slept_goes_on_where_nobody_took_over() {
    let Some(bench) = Bench::new("slept").await else { return };
    let project = diamond(&[("STANDIN_LINES", "20"), ("STANDIN_SLEEP", "4")]);
    let child = project.start_on(&bench, &["run", "etl"]);
    until("the pod", async || running_pods(&bench).await.len() == 1).await;
    signal(&child, "-STOP");
    // Longer than anybody waits for a sign of life of whoever drives.
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(bench.job_names().await.len(), 1);
    signal(&child, "-CONT");
    let said = Said::new(child.wait_with_output().unwrap()).ends(0);
    for block in ["load", "left", "right", "export"] {
        let lines =
            said.stdout.lines().filter(|line| line.starts_with(block) && line.contains(" of 20"));
        assert_eq!(lines.count(), 20, "{block}: {}", said.stdout);
    }
    if let Some(posts) = bench.posts() {
        assert_eq!(posts.len(), 4, "{posts:#?}");
    }
    bench.end().await;
}
