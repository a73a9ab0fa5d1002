//! Logs are printed byte for byte as they were written, whatever comes between.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside `#[test]`"
)]

use std::path::Path;
use std::process::{Child, Stdio};

use kubectl_mage::logs::LogFolder;
use kubectl_mage::run::{Logs, Options};

use crate::binary::{Project, Said};
use crate::chance::number;
use crate::log_proxy::{Clock, LogProxy, Protocol, Settings};
use crate::resume::elsewhere;
use crate::support::Bench;
use crate::writers::{Writers, Written, shown};

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
fn start(bench: &Bench, proxy: &LogProxy, project: &Project, arguments: &[&str]) -> Child {
    let mut command = project.command_on(bench, arguments);
    command.args(["--server", &proxy.url]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

async fn ended(child: Child) -> Said {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    Said::new(output)
}

/// Checks that bytes are what was written, and says where not.
fn same(what: &str, printed: &[u8], written: &Written) {
    if printed == written.bytes {
        return;
    }
    let at = printed.iter().zip(&written.bytes).take_while(|(a, b)| a == b).count();
    let line = written.bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    panic!(
        "{what} of {} differs from byte {at} on, {} bytes of {}; printed {}, written {}",
        written.pod,
        printed.len(),
        written.bytes.len(),
        shown(&printed[line.min(printed.len())..]),
        shown(&written.bytes[line..]),
    );
}

fn saved(folder: &Path, block: &str) -> Vec<u8> {
    std::fs::read(folder.join(format!("{block}.1.log"))).unwrap()
}

async fn faults_lose_nothing(name: &str, protocol: Protocol, clock: Clock) {
    let Some(bench) = Bench::new(name).await else { return };
    let (lines, faults) = size();
    let settings = Settings { protocol, clock, seed: seed(), faults, logs: Writers::names(PODS) };
    let Some(proxy) = proxy(&bench, settings).await else { return };
    let folder = elsewhere();
    let cluster = bench.through(&proxy.url).await;
    let log_folder = LogFolder::prepare(&folder.path().join("saved")).unwrap();
    let options = Options { logs: Logs::None, log_folder: Some(log_folder), ..Options::default() };
    let writers = Writers::driven(&bench, &cluster, options, PODS, lines).await;
    let written = writers.end(&bench).await;
    eprintln!("{name}: {:?}", proxy.hits());
    for (at, written) in written.iter().enumerate() {
        let file = saved(&folder.path().join("saved"), &format!("w{}", at + 1));
        same("the file", &file, written);
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
