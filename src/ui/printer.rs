//! The only way out: stdout for data, stderr for everything else.

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;

use super::color::{ColorWhen, Paint};
use super::explain_table::Terminal;
use super::known_secrets::without_secrets;
use super::link::terminal_has_links;
use super::sanitize::for_terminal;
use crate::error::without_numbers;

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Notices and progress too.
    #[default]
    Normal,
    /// What was read and decided too.
    Verbose,
    /// Each request to the API server too.
    Requests,
}

/// Where the program writes, and how. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    color: ColorWhen,
    verbosity: Verbosity,
}

impl Printer {
    /// Makes a printer of this process's streams.
    #[must_use]
    pub fn new(color: ColorWhen, verbosity: Verbosity) -> Self {
        Self { color, verbosity }
    }

    /// Returns one that says errors only.
    #[must_use]
    pub fn hushed(self) -> Self {
        Self { verbosity: Verbosity::Quiet, ..self }
    }

    /// Tells whether only errors are to be said.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Tells whether each request is to be told.
    #[must_use]
    pub fn tells_requests(self) -> bool {
        self.verbosity == Verbosity::Requests
    }

    /// Tells whether stdout is a terminal.
    #[must_use]
    pub fn stdout_is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Tells whether stdout is to have colours.
    #[must_use]
    pub fn stdout_has_color(self) -> bool {
        self.stdout().current_choice() != anstream::ColorChoice::Never
    }

    /// Tells whether stderr is a terminal.
    #[must_use]
    pub fn stderr_is_terminal(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Returns stdout; colours are dropped where there are to be none.
    #[must_use]
    pub fn stdout(self) -> AutoStream<io::Stdout> {
        AutoStream::new(io::stdout(), self.color.into())
    }

    /// Returns stderr; colours are dropped where there are to be none.
    #[must_use]
    pub fn stderr(self) -> AutoStream<io::Stderr> {
        AutoStream::new(io::stderr(), self.color.into())
    }

    /// Writes data to stdout. A closed pipe is an error of kind `BrokenPipe`, for the caller to end
    /// quietly.
    pub fn data(self, text: &str) -> io::Result<()> {
        let mut out = self.stdout();
        if self.stdout_is_terminal() {
            out.write_all(for_terminal(text).as_bytes())?;
        } else {
            out.write_all(text.as_bytes())?;
        }
        out.flush()
    }

    /// Tells what stdout has, if it is a terminal.
    #[must_use]
    pub fn terminal(self) -> Option<Terminal> {
        if !self.stdout_is_terminal() {
            return None;
        }
        let (_, width) = console::Term::stdout().size();
        Some(Terminal {
            width: usize::from(width),
            color: self.stdout_has_color(),
            links: terminal_has_links(|name| std::env::var(name).ok()),
        })
    }

    /// Writes data with links, and with colours only where there are to be some; whatever is not
    /// this program's own in it has been made harmless.
    pub fn styled_data(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Writes data that is painted and whose parts have been made harmless for a terminal.
    pub fn painted(self, text: &str) -> io::Result<()> {
        let mut out = self.stdout();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Says something that is not data on stderr, one line. Nobody listening is no error.
    pub fn notice(self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            self.say(text);
        }
    }

    /// Asks on stderr, one line, however little is said else.
    pub fn question(self, text: &str) {
        self.say(text);
    }

    /// Says on stderr what is painted and whose parts have been made harmless.
    pub fn painted_notice(self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            let _ = write!(self.stderr(), "{}", without_secrets(text));
        }
    }

    /// Says on stderr what only `-v` asks for.
    pub fn detail(&self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.say(text);
        }
    }

    /// Warns on stderr.
    pub fn warning(self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            let label = Paint::Warn.on("warning:");
            let text = without_numbers(text.to_owned());
            let text = without_secrets(&text);
            let _ = writeln!(self.stderr(), "{label} {}", self.harmless(&text));
        }
    }

    /// Warns on stderr of a problem, with its place and the next step.
    pub fn problem_warning(&self, problem: &crate::error::Problem) {
        if self.verbosity != Verbosity::Quiet {
            let text = super::diagnostic::render_warning(problem, self.stderr_is_terminal());
            let _ = write!(self.stderr(), "{text}");
        }
    }

    /// Prints an error with its places and hints.
    pub fn error(self, error: &crate::error::CliError) {
        let _ = write!(self.stderr(), "{}", super::render_error(error, self.stderr_is_terminal()));
    }

    fn say(self, text: &str) {
        let _ = writeln!(self.stderr(), "{}", self.harmless(&without_secrets(text)));
    }

    fn harmless(self, text: &str) -> std::borrow::Cow<'_, str> {
        if self.stderr_is_terminal() { for_terminal(text) } else { text.into() }
    }
}
