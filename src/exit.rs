//! Exit codes: one enum, the same for every command.

/// How a command ended, as the number the shell sees.
///
/// | code | meaning |
/// | --- | --- |
/// | 0 | fine |
/// | 1 | the answer is "no": a difference, a lint error, a failed run |
/// | 2 | usage, file, configuration, guardrail or strict-policy error: nothing was created |
/// | 3 | cluster or API error, or contact lost while work goes on there |
/// | 4 | `--timeout` passed |
/// | 5 | a pod could not start |
/// | 6 | someone else cancelled the run |
/// | 130, 143 | after SIGINT; after SIGTERM or SIGHUP |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Everything went as asked.
    Fine,
    /// The answer is "no".
    No,
    /// Usage, file, configuration, guardrail or strict-policy error; nothing was created.
    Usage,
    /// Cluster or API error, or contact lost while work goes on there.
    Cluster,
    /// `--timeout` passed.
    TimedOut,
    /// A pod could not start.
    CouldNotStart,
    /// Someone else cancelled the run.
    Cancelled,
    /// SIGINT arrived.
    Interrupted,
    /// SIGTERM or SIGHUP arrived.
    Terminated,
}

impl Exit {
    /// Returns the number the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Cluster => 3,
            Self::TimedOut => 4,
            Self::CouldNotStart => 5,
            Self::Cancelled => 6,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes = [
            Exit::Fine,
            Exit::No,
            Exit::Usage,
            Exit::Cluster,
            Exit::TimedOut,
            Exit::CouldNotStart,
            Exit::Cancelled,
            Exit::Interrupted,
            Exit::Terminated,
        ]
        .map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 130, 143]);
    }
}
