//! Pods that write numbered lines, odd ones among them, and what the node kept of them: the truth.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::fmt::Write as _;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kubectl_mage::run::{Logs, Options, RunId};

use crate::support::{Bench, Block, Going, start, until};

/// What every writer runs. It writes 1,700 lines a second; see [`line`] for what they are. No line of
/// stderr comes near to a long one of stdout, or the node mixes its pieces.
const SCRIPT: &str = r#"awk -v n="$LINES" 'BEGIN {
  text = "the quick brown fox jumps over it"
  long = "x"
  while (length(long) < 1500000) long = long long
  for (i = 1; i <= n; i++) {
    line = substr(text, 1, i * 7 % 31)
    kind = i % 1000 == 500 ? (i - 500) / 1000 % 7 : -1
    if (i % 50 == 0) line = line " h\303\251 \346\274\242"
    if (kind == 0) line = substr(long, 1, 100000)
    if (kind == 1) line = "10%\r20%\r30%"
    if (kind == 2) line = "\377\376 \303"
    if (kind == 3) line = "\rends with two\r\r"
    if (kind == 4) line = ""
    if (kind == 5) line = "\033[31mred\033[2A"
    if (i == n / 2 + 600) line = substr(long, 1, 1500000)
    if (kind == 6) printf "%06d a%cb\n", i, 0
    else if (i == n) printf "%06d %s", i, line
    else if (i % 97 == 0 && i % 1000 < 250) printf "%06d %s\n", i, line > "/dev/stderr"
    else printf "%06d %s\n", i, line
    if (i % 170 == 0) system("usleep 100000")
  }
}'"#;

/// How many lines a second each of them writes, about.
pub(crate) const LINES_A_SECOND: u64 = 1700;

/// Returns line `i` of `n` as the node keeps it.
fn line(i: usize, n: usize) -> Vec<u8> {
    const TEXT: &[u8] = b"the quick brown fox jumps over it";
    let mut text = TEXT[..i * 7 % 31].to_vec();
    if i.is_multiple_of(50) {
        text.extend(" hé 漢".bytes());
    }
    let kind = (i % 1000 == 500).then(|| (i - 500) / 1000 % 7);
    match kind {
        Some(0) => text = vec![b'x'; 100_000],
        Some(1) => text = b"10%\r20%\r30%".to_vec(),
        Some(2) => text = b"\xff\xfe \xc3".to_vec(),
        // containerd takes one carriage return before a line end for a part of it.
        Some(3) => text = b"\rends with two\r".to_vec(),
        Some(4) => text.clear(),
        Some(5) => text = b"\x1b[31mred\x1b[2A".to_vec(),
        _ => {}
    }
    if i == n / 2 + 600 {
        text = vec![b'x'; 1_500_000];
    }
    let mut line = format!("{i:06} ").into_bytes();
    match kind {
        Some(6) => line.extend(b"a\0b"),
        _ => line.extend(text),
    }
    if i < n {
        line.push(b'\n');
    }
    line
}

/// A run whose blocks `w1`, `w2`… write.
pub(crate) struct Writers {
    pub(crate) run: RunId,
    pub(crate) going: Going,
}

/// What one of them wrote, by the node.
pub(crate) struct Written {
    pub(crate) pod: String,
    /// All of it.
    pub(crate) bytes: Vec<u8>,
}

impl Writers {
    /// Starts so many, each with so many lines, and waits until all of them write.
    pub(crate) async fn start(bench: &Bench, count: usize, lines: usize) -> Self {
        Self::running(bench, count, SCRIPT, lines).await
    }

    /// The same with a script of their own, which finds the number of lines in `LINES`.
    pub(crate) async fn running(bench: &Bench, count: usize, script: &str, lines: usize) -> Self {
        let lines = lines.to_string();
        let env: &[(&str, &str)] = &[("STANDIN_SCRIPT", script), ("LINES", &lines)];
        let names: Vec<String> = (1..=count).map(|number| format!("w{number}")).collect();
        let blocks: Vec<Block<'_>> =
            names.iter().map(|name| (name.as_str(), &[][..], env)).collect();
        let (plan, run) = bench.plan(&blocks);
        let options = Options { logs: Logs::None, ..Options::default() };
        let going = start(&bench.cluster, plan, run.clone(), options);
        until("the writers", async || {
            let pods = pods(bench).await;
            pods.len() == count && pods.iter().all(|pod| phase(pod) != "Pending")
        })
        .await;
        Self { run, going }
    }

    /// Returns what tells the logs apart by the names of their pods.
    pub(crate) fn names(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("-w{number}-")).collect()
    }

    /// Waits for the end of the run and returns what was written, in the order of the blocks.
    pub(crate) async fn end(self, bench: &Bench, lines: usize) -> Vec<Written> {
        self.all_complete().await;
        let mut pods = pods(bench).await;
        pods.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        let written: Vec<Written> = pods.iter().map(|pod| written(bench, pod)).collect();
        for log in &written {
            check(log, lines);
        }
        written
    }

    /// Waits for the end of the run.
    pub(crate) async fn all_complete(self) {
        let (outcome, _) = self.going.end().await;
        assert!(
            outcome.blocks.iter().all(|block| block.state.to_string() == "Complete"),
            "{outcome:#?}"
        );
    }
}

/// Returns the files that the node keeps of the log of the only pod, oldest first.
pub(crate) async fn only_files(bench: &Bench) -> Vec<PathBuf> {
    let pods = pods(bench).await;
    assert_eq!(pods.len(), 1);
    files(bench, &pods[0])
}

async fn pods(bench: &Bench) -> Vec<Pod> {
    let api: Api<Pod> = Api::namespaced(bench.cluster.client().clone(), &bench.namespace);
    api.list(&ListParams::default()).await.unwrap().items
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Returns the files that the node keeps of a pod's log, oldest first.
fn files(bench: &Bench, pod: &Pod) -> Vec<PathBuf> {
    let (name, uid) = (pod.metadata.name.as_deref().unwrap(), pod.metadata.uid.as_deref().unwrap());
    let mut folder = bench.kubeconfig.with_file_name("node");
    folder.extend(["pods", &format!("{}_{name}_{uid}", bench.namespace), "mage"]);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // `0.log.20261127-124753` is from before `0.log`.
    files.sort_by_key(|file| (file.extension().is_some_and(|end| end == "log"), file.clone()));
    files
}

/// Reads them.
fn written(bench: &Bench, pod: &Pod) -> Written {
    let mut bytes = Vec::new();
    for file in files(bench, pod) {
        let kept = std::fs::read(file).unwrap();
        for line in kept.split_inclusive(|byte| *byte == b'\n') {
            // `TIME stdout F TEXT`; P in the place of F: the line goes on in the next one.
            let mut fields = line.splitn(4, |byte| *byte == b' ');
            let tag = fields.nth(2).unwrap();
            let text = fields.next().unwrap();
            let text = if tag == b"P" { &text[..text.len() - 1] } else { text };
            bytes.extend_from_slice(text);
        }
    }
    Written { pod: pod.metadata.name.clone().unwrap(), bytes }
}

/// Checks that the node kept what was written; lines of stdout and stderr may change places.
fn check(log: &Written, lines: usize) {
    let mut kept: Vec<&[u8]> = log.bytes.split_inclusive(|byte| *byte == b'\n').collect();
    kept.sort_by_key(|line| number(line));
    assert_eq!(kept.len(), lines, "{}", log.pod);
    for (at, kept) in kept.into_iter().enumerate() {
        let expected = line(at + 1, lines);
        assert!(kept == expected, "{}: line {}: {}", log.pod, at + 1, shown(kept));
    }
}

/// Returns the number that a line begins with.
pub(crate) fn number(line: &[u8]) -> Option<usize> {
    let (digits, rest) = line.split_at_checked(6)?;
    (rest.first() == Some(&b' ')).then_some(())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns the beginning of some bytes, to be read by people.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut text = bytes[..bytes.len().min(60)].escape_ascii().to_string();
    if bytes.len() > 60 {
        let _ = write!(text, "… {} bytes", bytes.len());
    }
    text
}
