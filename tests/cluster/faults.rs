//! What the network does between the client and the API server.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::time::{Duration, Instant};

use kubectl_mage::exit::Exit;
use kubectl_mage::run::{Options, RunState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{Bench, logged, notices, start, states, until};

/// What the proxy does with every connection, old and new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// What the server says arrives this much later.
    Late(Duration),
    /// Connections are closed, new ones too.
    Refuse,
    /// Nothing moves, nothing is closed.
    Freeze,
}

/// A proxy of bytes in front of the API server.
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) mode: watch::Sender<Mode>,
}

impl Proxy {
    pub(crate) async fn start(server: &str) -> Self {
        let target = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (mode, seen) = watch::channel(Mode::Pass);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, seen) = (target.clone(), seen.clone());
                tokio::spawn(async move {
                    if *seen.borrow() == Mode::Refuse {
                        return;
                    }
                    let server = TcpStream::connect(&target).await.unwrap();
                    let (client_in, client_out) = client.into_split();
                    let (server_in, server_out) = server.into_split();
                    tokio::select! {
                        () = copy(client_in, server_out, seen.clone(), Side::Client) => {}
                        () = copy(server_in, client_out, seen.clone(), Side::Server) => {}
                    }
                });
            }
        });
        Self { url, mode }
    }

    /// Closes every connection, wherever it is; new ones pass.
    async fn cut(&self) {
        self.mode.send_replace(Mode::Refuse);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.mode.send_replace(Mode::Pass);
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

async fn copy(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
    side: Side,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Refuse => return,
            Mode::Freeze => drop(mode.changed().await),
            Mode::Pass | Mode::Late(_) => tokio::select! {
                changed = mode.changed() => drop(changed),
                read = from.read(&mut buffer) => match read {
                    Ok(read) if read > 0 => {
                        if let (Mode::Late(by), Side::Server) = (now, side) {
                            tokio::time::sleep(by).await;
                        }
                        if to.write_all(&buffer[..read]).await.is_err() {
                            return;
                        }
                    }
                    _ => return,
                },
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_lose_no_line_and_make_no_job_twice() {
    let Some(bench) = Bench::new("cut").await else { return };
    let proxy = Proxy::start(bench.cluster.server()).await;
    let cluster = bench.through(&proxy.url).await;
    let talk: &[(&str, &str)] = &[("STANDIN_LINES", "150"), ("STANDIN_SLEEP", "6")];
    let flood: &[(&str, &str)] = &[("STANDIN_LINES", "8000")];
    let (plan, run) = bench.plan(&[
        ("a", &[], talk),
        ("b", &[], flood),
        ("c", &["a"], talk),
        ("d", &["b"], flood),
    ]);
    let going = start(&cluster, plan, run, Options::default());
    let begun = Instant::now();
    let mut cuts = 0;
    while begun.elapsed() < Duration::from_secs(25) {
        tokio::time::sleep(Duration::from_millis(170 + 37 * (cuts % 11))).await;
        proxy.cut().await;
        cuts += 1;
    }
    let (outcome, events) = going.end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}");
    for (block, lines) in [("a", 150), ("b", 8000), ("c", 150), ("d", 8000)] {
        let expected: Vec<String> = (1..=lines).map(|n| format!("line {n} of {lines}")).collect();
        let mut found = logged(&events, block);
        found.retain(|line| line.starts_with("line "));
        assert!(found == expected, "{block}: {} lines of {lines}", found.len());
    }
    if let Some(posts) = bench.posts() {
        assert_eq!(posts.len(), 4);
    }
    eprintln!("{cuts} cuts, {:?}", notices(&events));
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_network_is_noticed_and_survived() {
    let Some(bench) = Bench::new("freeze").await else { return };
    let proxy = Proxy::start(bench.cluster.server()).await;
    let cluster = bench.through(&proxy.url).await;
    let slow: &[(&str, &str)] = &[("STANDIN_SLEEP", "8"), ("STANDIN_LINES", "40")];
    let (plan, run) = bench.plan(&[("a", &[], slow), ("b", &["a"], &[])]);
    let going = start(&cluster, plan, run, Options::default());
    tokio::time::sleep(Duration::from_secs(5)).await;
    proxy.mode.send_replace(Mode::Freeze);
    tokio::time::sleep(Duration::from_secs(40)).await;
    let thawed = Instant::now();
    proxy.mode.send_replace(Mode::Pass);
    let (outcome, events) = going.end().await;
    assert_eq!(outcome.exit, Exit::Fine);
    assert!(thawed.elapsed() < Duration::from_secs(25), "{:?}", thawed.elapsed());
    let notices = notices(&events);
    assert_eq!(notices.len(), 2, "{notices:#?}");
    let lines = logged(&events, "a").iter().filter(|line| line.starts_with("line ")).count();
    assert_eq!(lines, 40);
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_the_api_server_is_told_once_and_made_up_for() {
    let Some(bench) = Bench::new("minute").await else { return };
    let proxy = Proxy::start(bench.cluster.server()).await;
    let cluster = bench.through(&proxy.url).await;
    let talk: &[(&str, &str)] = &[("STANDIN_SLEEP", "8"), ("STANDIN_LINES", "40")];
    let (plan, run) = bench.plan(&[("a", &[], talk), ("b", &["a"], talk)]);
    let going = start(&cluster, plan, run, Options::default());
    until("the first pod", async || !bench.pod_names().await.is_empty()).await;
    proxy.mode.send_replace(Mode::Refuse);
    tokio::time::sleep(Duration::from_mins(1)).await;
    proxy.mode.send_replace(Mode::Pass);
    let (outcome, events) = going.end().await;
    assert_eq!(outcome.exit, Exit::Fine, "{outcome:#?}");
    let told = notices(&events);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("contact lost") && told[1] == "contact is back", "{told:#?}");
    for block in ["a", "b"] {
        let lines = logged(&events, block).iter().filter(|line| line.starts_with("line ")).count();
        assert_eq!(lines, 40, "{block}");
    }
    bench.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_lost_for_good_leaves_the_run_and_says_so() {
    let Some(bench) = Bench::new("lost").await else { return };
    let proxy = Proxy::start(bench.cluster.server()).await;
    let cluster = bench.through(&proxy.url).await;
    let (plan, run) = bench.plan(&[("a", &[], &[("STANDIN_SLEEP", "30")]), ("b", &["a"], &[])]);
    let options = Options { contact_timeout: Duration::from_secs(4), ..Options::default() };
    let going = start(&cluster, plan, run, options);
    tokio::time::sleep(Duration::from_secs(4)).await;
    proxy.mode.send_replace(Mode::Refuse);
    let (outcome, _) = going.end().await;
    assert_eq!(outcome.exit, Exit::Cluster);
    assert_eq!(outcome.state, RunState::ContactLost);
    assert_eq!(states(&outcome), ["a LeftRunning", "b NotStarted"]);
    assert_eq!(bench.job_names().await.len(), 1);
    bench.end().await;
}
