//! Which tool loses what, of the same lines with the same faults: a table for the docs.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, outside `#[test]`; it prints a table"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::binary::{Project, kubectl};
use crate::log_faults::{proxy, seed, size};
use crate::log_proxy::{Clock, LogProxy, Protocol, Settings};
use crate::resume::elsewhere;
use crate::support::Bench;
use crate::writers::{LINES_A_SECOND, Writers, Written, number as number_of};

const PODS: usize = 5;
/// A tool that has printed nothing for so long after the last line was written is ended.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who is looked at, and what it is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Kubectl,
    Stern,
    Ours,
}

/// How a process ended: a code, or nothing when it had to be ended.
type Ending = Option<i32>;

/// What of the lines was printed.
#[derive(Debug, Default)]
struct Count {
    written: usize,
    distinct: usize,
    doubled: usize,
    /// Lines that nobody wrote, the beginning or the end of one among them.
    torn: usize,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.distinct += other.distinct;
        self.doubled += other.doubled;
        self.torn += other.torn;
    }
}

/// A process whose output goes to a file.
struct Printing {
    child: Child,
    file: PathBuf,
}

impl Printing {
    fn start(mut command: Command, file: PathBuf) -> Self {
        let (stdout, stderr) = (File::create(&file).unwrap(), File::create(errors(&file)).unwrap());
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        Self { child, file }
    }

    fn size(&self) -> u64 {
        self.file.metadata().unwrap().len()
    }
}

fn errors(file: &Path) -> PathBuf {
    file.with_extension("stderr")
}

/// Waits until all have ended; ends them when nothing more is printed once everything is written.
async fn all_ended(printing: &mut [Printing], writing: Duration) -> Vec<Ending> {
    let begun = Instant::now();
    let (mut size, mut grown) = (0, Instant::now());
    loop {
        let endings: Vec<_> =
            printing.iter_mut().map(|one| one.child.try_wait().unwrap()).collect();
        if endings.iter().all(Option::is_some) {
            return endings.into_iter().map(|status| status.unwrap().code()).collect();
        }
        let now = printing.iter().map(Printing::size).sum();
        if now != size {
            (size, grown) = (now, Instant::now());
        }
        if begun.elapsed() > writing && grown.elapsed() > PATIENCE {
            for one in &mut *printing {
                one.child.kill().unwrap();
                one.child.wait().unwrap();
            }
            return endings
                .into_iter()
                .map(|status| status.and_then(|status| status.code()))
                .collect();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A kubeconfig for those that cannot be told the server.
fn kubeconfig(bench: &Bench, proxy: &LogProxy, folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(&bench.kubeconfig).unwrap();
    let path = folder.join("kubeconfig");
    std::fs::write(&path, text.replace(bench.cluster.server(), &proxy.url)).unwrap();
    path
}

impl Tool {
    fn commands(
        self,
        bench: &Bench,
        project: &Project,
        config: &Path,
        run: &str,
        pods: &[String],
    ) -> Vec<Command> {
        match self {
            Self::Kubectl => pods
                .iter()
                .map(|pod| {
                    let mut command = kubectl(bench, &["logs", "-f", pod, "-n", &bench.namespace]);
                    command
                        .env("KUBECONFIG", config)
                        .args(["--kubeconfig", config.to_str().unwrap()]);
                    command
                })
                .collect(),
            Self::Stern => {
                let mut command = Command::new(stern());
                // The pod's name, to tell the lines apart; the rest as it was written.
                let template = "{{.PodName}} {{.Message}}{{\"\\n\"}}";
                command.args([
                    ".",
                    "-n",
                    &bench.namespace,
                    "--kubeconfig",
                    config.to_str().unwrap(),
                ]);
                command.args(["--template", template, "--only-log-lines"]);
                vec![command]
            }
            Self::Ours => {
                let mut command = project.command(&["tail", run, "-o", "json", "--save", "saved"]);
                command.args(["-n", &bench.namespace, "--kubeconfig", config.to_str().unwrap()]);
                vec![command]
            }
        }
    }

    /// Returns what was printed of each pod.
    fn printed(self, folder: &Path, printing: &[Printing], written: &[Written]) -> Vec<Vec<u8>> {
        match self {
            Self::Kubectl => printing.iter().map(|one| std::fs::read(&one.file).unwrap()).collect(),
            Self::Stern => by_pod(&std::fs::read(&printing[0].file).unwrap(), written),
            Self::Ours => (1..=written.len())
                .map(|at| {
                    std::fs::read(folder.join(format!("saved/w{at}.1.log"))).unwrap_or_default()
                })
                .collect(),
        }
    }
}

fn stern() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local-cluster/stern");
    let output = Command::new(script).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Takes apart what is printed as `POD LINE`; what has no pod in front belongs to the line before.
fn by_pod(printed: &[u8], written: &[Written]) -> Vec<Vec<u8>> {
    let mut of = vec![Vec::new(); written.len()];
    let mut last = 0;
    for line in printed.split_inclusive(|byte| *byte == b'\n') {
        let pod = written.iter().position(|log| line.starts_with(log.pod.as_bytes()));
        let text = pod.map_or(line, |pod| &line[written[pod].pod.len() + 1..]);
        last = pod.unwrap_or(last);
        of[last].extend_from_slice(text);
    }
    of
}

/// Compares lines; whether the last one ends is nothing that stern's template can tell.
fn count(printed: &[u8], written: &Written) -> Count {
    let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if bytes.is_empty() {
            Vec::new()
        } else {
            bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
        }
    };
    let expected: BTreeMap<usize, Vec<u8>> =
        lines(&written.bytes).into_iter().map(|line| (number_of(&line).unwrap(), line)).collect();
    let mut seen = BTreeMap::<usize, usize>::new();
    let mut count = Count { written: expected.len(), ..Count::default() };
    for line in lines(printed) {
        match number_of(&line).filter(|number| expected.get(number) == Some(&line)) {
            Some(number) => *seen.entry(number).or_default() += 1,
            None => count.torn += 1,
        }
    }
    count.distinct = seen.len();
    count.doubled = seen.values().map(|times| times - 1).sum();
    count
}

/// Lets a tool follow the writers through a proxy, and prints a row about it.
async fn measured(tool: Tool, protocol: Protocol, faults: u64) -> Option<()> {
    let bench = Bench::new("lost").await?;
    let (lines, _) = size();
    let logs = Writers::names(PODS);
    let settings = Settings { protocol, clock: Clock::Nanoseconds, seed: seed(), faults, logs };
    let proxy = proxy(&bench, settings).await?;
    let (project, folder) = (elsewhere(), TempDir::new().unwrap());
    let config = kubeconfig(&bench, &proxy, folder.path());
    let writers = Writers::start(&bench, PODS, lines).await;
    let mut pods = bench.pod_names().await;
    pods.sort();
    let begun = Instant::now();
    let commands = tool.commands(&bench, &project, &config, &writers.run.to_string(), &pods);
    let files = (0..).map(|at| folder.path().join(format!("{at}.stdout")));
    let mut printing: Vec<_> =
        commands.into_iter().zip(files).map(|(it, file)| Printing::start(it, file)).collect();
    let writing = Duration::from_secs(lines as u64 / LINES_A_SECOND + 5);
    let endings = all_ended(&mut printing, writing).await;
    let seconds = begun.elapsed().as_secs();
    let written = writers.end(&bench, lines).await;
    let printed = tool.printed(project.path(), &printing, &written);
    let mut all = Count::default();
    for (printed, written) in printed.iter().zip(&written) {
        all.add(&count(printed, written));
    }
    let hits = proxy.hits();
    print_row(tool, protocol, hits.values().sum(), &all, seconds, &endings);
    if std::env::var_os("KUBECTL_MAGE_TEST_VERBOSE").is_some() {
        println!("{hits:?}");
        for one in &printing {
            println!("{}", std::fs::read_to_string(errors(&one.file)).unwrap());
        }
    }
    bench.end().await;
    Some(())
}

fn print_row(
    tool: Tool,
    protocol: Protocol,
    hits: usize,
    all: &Count,
    seconds: u64,
    endings: &[Ending],
) {
    let ended: Vec<String> = endings
        .iter()
        .map(|ending| ending.map_or("(never)".to_owned(), |code| code.to_string()))
        .collect();
    println!(
        "{:<8} {:<5} {:>6} {:>8} {:>9} {:>8} {:>8} {:>5} {:>5} s  {}",
        format!("{tool:?}"),
        format!("{protocol:?}"),
        hits,
        all.written,
        all.distinct,
        all.written - all.distinct,
        all.doubled,
        all.torn,
        seconds,
        ended.join(" "),
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: `make bench ONLY=lost`"]
async fn who_loses_what() {
    let chosen = std::env::var("KUBECTL_MAGE_TEST_TOOLS")
        .unwrap_or_else(|_| "Kubectl,Stern,Ours".to_owned());
    println!(
        "{:<8} {:<5} {:>6} {:>8} {:>9} {:>8} {:>8} {:>5} {:>7}  exit codes",
        "tool", "", "faults", "written", "distinct", "lost", "doubled", "torn", "took"
    );
    let (_, faults) = size();
    let rows = [
        (Protocol::Http2, 0),
        (Protocol::Http2, 1),
        (Protocol::Http2, faults),
        (Protocol::Http1, faults),
    ];
    for tool in [Tool::Kubectl, Tool::Stern, Tool::Ours] {
        for (protocol, faults) in rows {
            if chosen.contains(&format!("{tool:?}"))
                && measured(tool, protocol, faults).await.is_none()
            {
                return;
            }
        }
    }
}
