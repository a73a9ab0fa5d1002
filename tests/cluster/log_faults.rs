//! Logs are printed byte for byte as they were written, whatever comes between.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside `#[test]`"
)]

use std::process::{Child, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::binary::Project;
use crate::chance::number;
use crate::log_proxy::{Clock, LogProxy, Protocol, Settings};
use crate::resume::elsewhere;
use crate::support::Bench;
use crate::writers::{Writers, shown};

const PODS: usize = 5;
/// How many lines each of them writes; `make test-long` wants ten times as many.
const LINES: u64 = 10_000;
const SEED: u64 = 20_261_127;

/// How many lines each pod writes, and how many of the requests of its log are broken.
pub(crate) fn size() -> (usize, u64) {
    let lines = number("KUBECTL_MAGE_TEST_LINES", LINES);
    (usize::try_from(lines).unwrap(), number("KUBECTL_MAGE_TEST_FAULTS", lines / 1000))
}

pub(crate) fn seed() -> u64 {
    number("KUBECTL_MAGE_TEST_SEED", SEED)
}

/// Starts a proxy before the bench's cluster; none, where that is none of `tests/local-cluster`.
pub(crate) async fn proxy(bench: &Bench, settings: Settings) -> Option<LogProxy> {
    let tls = bench.kubeconfig.with_file_name("tls");
    if !tls.is_dir() {
        eprintln!("skipped: the cluster is none of tests/local-cluster");
        return None;
    }
    Some(LogProxy::start(bench.cluster.server(), &tls, settings).await)
}

/// Starts the binary through the proxy.
pub(crate) fn start(
    bench: &Bench,
    proxy: &LogProxy,
    project: &Project,
    arguments: &[&str],
) -> Child {
    let mut command = project.command_on(bench, arguments);
    command.args(["--server", &proxy.url]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for the binary, which has to end with 0, and returns what it printed and what it said.
pub(crate) async fn printed(child: Child) -> (Vec<u8>, String) {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    (output.stdout, said)
}

/// Checks that bytes are what was written, and says where not.
fn same(what: &str, printed: &[u8], written: &[u8], pod: &str) {
    if printed == written {
        return;
    }
    let at = printed.iter().zip(written).take_while(|(a, b)| a == b).count();
    let line = written[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    panic!(
        "{what} of {pod} differs from byte {at} on, {} bytes of {}; printed {}, written {}",
        printed.len(),
        written.len(),
        shown(&printed[line.min(printed.len())..]),
        shown(&written[line..]),
    );
}

/// Returns the lines of a pod that `-o json` printed; whether the last one ends it does not tell.
fn of_json(stdout: &[u8], pod: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in std::str::from_utf8(stdout).unwrap().lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        if object["kind"] == "log" && object["pod"] == pod {
            match object["bytes"].as_str() {
                Some(encoded) => bytes.extend(STANDARD.decode(encoded).unwrap()),
                None => bytes.extend(object["line"].as_str().unwrap().as_bytes()),
            }
            if object["continues"] == false {
                bytes.push(b'\n');
            }
        }
    }
    bytes
}

async fn faults_lose_nothing(name: &str, protocol: Protocol, clock: Clock) {
    let Some(bench) = Bench::new(name).await else { return };
    let (lines, faults) = size();
    let logs = Writers::names(PODS);
    let settings = Settings { protocol, clock, seed: seed(), faults, logs };
    let alone = Settings { seed: seed() + 1, ..settings.clone() };
    let Some(proxy) = proxy(&bench, settings).await else { return };
    let Some(proxy_alone) = self::proxy(&bench, alone).await else { return };
    let writers = Writers::start(&bench, PODS, lines).await;
    let folder = elsewhere();
    let (run, job) = (writers.run.to_string(), format!("job/{}-w1", writers.run));
    let all = start(&bench, &proxy, &folder, &["tail", &run, "-o", "json", "--save", "saved"]);
    let one = start(&bench, &proxy_alone, &folder, &["tail", &job, "-o", "raw"]);
    let ((all, said), (one, said_alone)) = tokio::join!(printed(all), printed(one));
    assert!(![said, said_alone].iter().any(|said| said.contains("be missing here")), "a gap");
    let written = writers.end(&bench, lines).await;
    eprintln!("{name}: {:?} and {:?}", proxy.hits(), proxy_alone.hits());
    same("-o raw", &one, &written[0].bytes, &written[0].pod);
    for (at, log) in written.iter().enumerate() {
        let file = folder.path().join("saved").join(format!("w{}.1.log", at + 1));
        same("--save", &std::fs::read(file).unwrap(), &log.bytes, &log.pod);
        let ended = [&log.bytes[..], b"\n"].concat();
        same("-o json", &of_json(&all, &log.pod), &ended, &log.pod);
    }
    let hits: usize = proxy.hits().values().sum();
    let wanted = PODS * usize::try_from(faults).unwrap() / 2;
    assert!(hits >= wanted, "only {hits} faults came to pass");
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_lose_nothing_over_http2() {
    faults_lose_nothing("log-faults-2", Protocol::Http2, Clock::Nanoseconds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_lose_nothing_over_http1_where_times_are_equal() {
    faults_lose_nothing("log-faults-1", Protocol::Http1, Clock::Milliseconds).await;
}
