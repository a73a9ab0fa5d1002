//! A proxy that passes on what the API server says only after a while, so that it shows which request
//! waited for which answer.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The proxy; it ends with the test.
pub(crate) struct SlowProxy {
    pub(crate) url: String,
}

impl SlowProxy {
    /// How long each answer is held.
    pub(crate) const DELAY: Duration = Duration::from_millis(700);

    pub(crate) async fn start(server: &str) -> Self {
        let target = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&target).await.unwrap();
                server.set_nodelay(true).unwrap();
                client.set_nodelay(true).unwrap();
                let (mut client_in, mut client_out) = client.into_split();
                let (mut server_in, mut server_out) = server.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut client_in, &mut server_out).await });
                let (sender, mut held) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
                tokio::spawn(async move {
                    let mut buffer = vec![0; 64 << 10];
                    while let Ok(read @ 1..) = server_in.read(&mut buffer).await {
                        let _ =
                            sender.send((Instant::now() + Self::DELAY, buffer[..read].to_vec()));
                    }
                });
                tokio::spawn(async move {
                    while let Some((due, bytes)) = held.recv().await {
                        tokio::time::sleep_until(due).await;
                        if client_out.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url }
    }
}
