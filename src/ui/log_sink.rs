//! Where logs go: stdout, whose reader may be slow, or stopped, and must hold up nothing but itself.

use std::io::{self, Write};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

/// Writes to stdout.
///
/// What stdout has room for goes out at once; everything else by a thread, because writing may wait
/// for ever. A handover costs a twentieth of a millisecond, by which each line would come later.
pub(super) struct Sink {
    room: Room,
    writer: Option<Writer>,
    /// Whether the thread has something to write.
    is_busy: bool,
}

/// The thread and how it is spoken to.
struct Writer {
    pieces: mpsc::UnboundedSender<Vec<u8>>,
    written: mpsc::UnboundedReceiver<io::Result<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Sink {
    pub(super) fn stdout() -> Self {
        Self { room: Room::of_stdout(), writer: None, is_busy: false }
    }

    /// Writes everything and leaves the buffer empty; waits only until what was given before is written.
    pub(super) async fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let mut spare = self.written().await?;
        if self.room.is_enough_for(out.len()) {
            write_now(out)?;
            out.clear();
            return Ok(());
        }
        std::mem::swap(out, &mut spare);
        let writer = self.writer.get_or_insert_with(Writer::start);
        self.is_busy = true;
        writer.pieces.send(spare).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until everything is written.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.written().await?;
        if let Some(Writer { pieces, written, thread }) = self.writer {
            drop((pieces, written));
            // A panic of the thread was printed by then and must not hide the outcome.
            let _ = thread.join();
        }
        Ok(())
    }

    /// Waits until the thread has nothing to do, and returns the empty buffer that it had.
    async fn written(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.writer {
            Some(writer) if self.is_busy => {
                self.is_busy = false;
                writer.written.recv().await.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl Writer {
    fn start() -> Self {
        let (pieces, mut to_write) = mpsc::unbounded_channel::<Vec<u8>>();
        let (told, written) = mpsc::unbounded_channel();
        let thread = std::thread::spawn(move || {
            while let Some(mut piece) = to_write.blocking_recv() {
                let done = write_now(&piece);
                piece.clear();
                if told.send(done.map(|()| piece)).is_err() {
                    return;
                }
            }
        });
        Self { pieces, written, thread }
    }
}

fn write_now(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// What is known of how much can be written to stdout without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// A pipe that says it has room has room for a small piece.
    #[cfg(unix)]
    Asked,
    /// Nothing: a terminal can be stopped at any byte.
    Unknown,
}

impl Room {
    #[cfg(unix)]
    fn of_stdout() -> Self {
        use rustix::fs::{FileType, fstat};
        use std::io::IsTerminal;

        let kind = fstat(io::stdout()).map(|status| FileType::from_raw_mode(status.st_mode));
        match kind {
            Ok(FileType::Fifo | FileType::RegularFile) => Self::Asked,
            // `/dev/null`
            Ok(FileType::CharacterDevice) if !io::stdout().is_terminal() => Self::Asked,
            _ => Self::Unknown,
        }
    }

    #[cfg(not(unix))]
    fn of_stdout() -> Self {
        Self::Unknown
    }

    #[cfg(unix)]
    fn is_enough_for(self, length: usize) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let stdout = io::stdout();
        self == Self::Asked
            && length <= rustix::pipe::PIPE_BUF
            && poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], Some(&now)) == Ok(1)
    }

    #[cfg(not(unix))]
    fn is_enough_for(self, _: usize) -> bool {
        self != Self::Unknown
    }
}
