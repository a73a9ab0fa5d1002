//! Nodes rotate logs: what is gone with an old file is announced, and all else is printed.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::process::Stdio;

use crate::log_faults::{printed, proxy, start};
use crate::log_proxy::{Clock, Protocol, Settings};
use crate::resume::elsewhere;
use crate::support::{Bench, until_within};
use crate::writers::{Writers, number, only_files, shown};

/// Lines of 1,000 bytes, 1.7 MB a second: the kubelet looks every ten seconds whether a log is longer than 10 MiB.
const SCRIPT: &str = r#"awk -v n="$LINES" 'BEGIN {
  text = "x"
  while (length(text) < 992) text = text text
  for (i = 1; i <= n; i++) {
    printf "%06d %s\n", i, substr(text, 1, 992)
    if (i % 170 == 0) system("usleep 100000")
  }
}'"#;
const LINES: usize = 65_000;

async fn rotated(bench: &Bench, times: usize) {
    until_within(90, "the rotation", async || only_files(bench).await.len() > times).await;
}

/// Returns the numbers of the lines, each of which has to be whole; but for the end of a line of which the
/// node wrote the beginning into the file before, where that is what was read first.
fn numbers(printed: &[u8], torn: Option<&[u8]>) -> Vec<usize> {
    let lines = printed.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| Some(*line) != torn)
        .map(|line| {
            assert!(line.len() == 1000 && line.ends_with(b"x\n"), "torn: {}", shown(line));
            number(line).unwrap()
        })
        .collect()
}

/// Returns the end of the line that the node tore when it began the newest file, if it tore one.
async fn torn(bench: &Bench) -> Option<Vec<u8>> {
    let files = only_files(bench).await;
    let [.., before, newest] = files.as_slice() else { return None };
    let (before, newest) = (std::fs::read(before).unwrap(), std::fs::read(newest).unwrap());
    // `TIME STREAM TAG TEXT`, where the tag is P for a part that another one follows.
    let entry = |line: &[u8]| -> Vec<Vec<u8>> {
        line.splitn(4, |byte| *byte == b' ').map(<[u8]>::to_vec).collect()
    };
    let last = before.split_inclusive(|byte| *byte == b'\n').next_back()?;
    let first = newest.split_inclusive(|byte| *byte == b'\n').next()?;
    (entry(last)[2] == b"P").then(|| entry(first)[3].clone())
}

/// Every gap is announced. Where a file ends just where a stream was replaced there is none, and nothing
/// tells so: that can be no more often than there were files.
async fn all_announced(bench: &Bench, said: &str, gaps: usize) {
    let announced = said.matches("may be missing here").count();
    assert!(
        (gaps..gaps + only_files(bench).await.len()).contains(&announced),
        "{gaps} gaps: {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rotated_away_before_it_was_read_is_announced() {
    let Some(bench) = Bench::new("rotation").await else { return };
    let settings = Settings {
        protocol: Protocol::Http2,
        clock: Clock::Nanoseconds,
        seed: 0,
        faults: 0,
        logs: Vec::new(),
    };
    let Some(proxy) = proxy(&bench, settings).await else { return };
    let writers = Writers::running(&bench, 1, SCRIPT, LINES).await;
    let child =
        start(&bench, &proxy, &elsewhere(), &["tail", &writers.run.to_string(), "-o", "raw"]);
    let reading = tokio::spawn(printed(child));
    // It follows into the second file, and is kept from what comes then until that is gone.
    rotated(&bench, 1).await;
    proxy.refuse(true);
    rotated(&bench, 3).await;
    proxy.refuse(false);
    let (stdout, said) = reading.await.unwrap();
    writers.all_complete().await;
    let torn = torn(&bench).await;
    let numbers = numbers(&stdout, torn.as_deref());
    let gaps: Vec<_> = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).collect();
    assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&LINES)));
    assert!(gaps.len() == 1 && gaps[0][1] > gaps[0][0], "{gaps:?}");
    all_announced(&bench, &said, gaps.len()).await;
    bench.end().await;
}

/// A kubelet that cannot get rid of what it reads misses files that are rotated, and says nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_reader_misses_is_announced_and_nothing_comes_twice() {
    let Some(bench) = Bench::new("rotation-slow").await else { return };
    let writers = Writers::running(&bench, 1, SCRIPT, LINES).await;
    let folder = elsewhere();
    let mut command = folder.command_on(&bench, &["tail", &writers.run.to_string(), "-o", "raw"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // Nobody reads until several files have come and gone.
    rotated(&bench, 3).await;
    let (stdout, said) = printed(child).await;
    writers.all_complete().await;
    let torn = torn(&bench).await;
    let numbers = numbers(&stdout, torn.as_deref());
    assert!(numbers.is_sorted_by(|a, b| a < b), "lines came twice");
    let gaps: Vec<_> = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).collect();
    assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&LINES)));
    all_announced(&bench, &said, gaps.len()).await;
    bench.end().await;
}
