//! Signals, as data: SIGINT, SIGTERM, SIGHUP.

use tokio::sync::mpsc;

use crate::exit::Exit;

/// A wish to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: somebody pressed Ctrl-C.
    Interrupt,
    /// SIGTERM or SIGHUP: somebody or something ends this process.
    Terminate,
}

impl Signal {
    /// Returns the exit code it stands for.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }
}

/// A stream of signals.
#[derive(Debug)]
pub struct Signals(mpsc::UnboundedReceiver<Signal>);

impl Signals {
    /// Listens to the signals of this process from now on; they no longer end it.
    pub fn listen() -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::unbounded_channel();
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            for (kind, meaning) in [
                (SignalKind::interrupt(), Signal::Interrupt),
                (SignalKind::terminate(), Signal::Terminate),
                (SignalKind::hangup(), Signal::Terminate),
            ] {
                let mut stream = signal(kind)?;
                let sender = sender.clone();
                tokio::spawn(async move {
                    while stream.recv().await.is_some() {
                        if sender.send(meaning).is_err() {
                            return;
                        }
                    }
                });
            }
        }
        #[cfg(not(unix))]
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if sender.send(Signal::Interrupt).is_err() {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Makes a stream that a test, or another part of the program, feeds.
    #[must_use]
    pub fn by_hand() -> (mpsc::UnboundedSender<Signal>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(receiver))
    }

    /// Waits for the next signal; for ever when there is no sender left.
    pub async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}
