//! What a program prints: its reader may go away, and what is behind it may be full.

use std::io::{self, ErrorKind, Stdout, Write};

/// Standard output, or what stands for it. The first failure ends it: what is printed afterwards
/// goes nowhere, and [`Output::end`] tells of it.
#[derive(Debug)]
pub struct Output<W = Stdout> {
    to: W,
    failed: Option<io::Error>,
}

/// Standard output can't be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write to standard output")]
pub struct OutputError(#[source] io::Error);

impl Output {
    /// The standard output of this process.
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }
}

impl<W: Write> Output<W> {
    /// Prints to `to`.
    pub fn new(to: W) -> Self {
        Self { to, failed: None }
    }

    /// Prints `text`, all of it at once.
    pub fn print(&mut self, text: &str) {
        if self.failed.is_none() {
            let written = self.to.write_all(text.as_bytes());
            self.failed = written.and_then(|()| self.to.flush()).err();
        }
    }

    /// Prints `line` and a line end.
    pub fn print_line(&mut self, line: &str) {
        self.print(&format!("{line}\n"));
    }

    /// Whether there is still somebody who reads.
    pub fn is_open(&self) -> bool {
        self.failed.is_none()
    }

    /// Whether it failed in any way but by being closed.
    pub fn is_broken(&self) -> bool {
        let mut failed = self.failed.iter();
        failed.any(|error| error.kind() != ErrorKind::BrokenPipe)
    }

    /// Says whether all was written. Whoever closed it, such as `head`, has read enough: that is
    /// no failure.
    ///
    /// # Errors
    ///
    /// If it could not be written and was not closed, such as on a full disk.
    pub fn end(self) -> Result<(), OutputError> {
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(OutputError(error)),
            _ => Ok(()),
        }
    }
}

/// Prints `line` to standard error, for the person in front of the terminal. Who has closed that
/// does not want to be told.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one text, then fails.
    struct Failing(Option<ErrorKind>);

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0 {
                Some(kind) if bytes == b"second\n" => Err(kind.into()),
                _ => Ok(bytes.len()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_failure_that_is_no_closed_pipe_is_an_error() {
        for (kind, broken) in [
            (None, false),
            (Some(ErrorKind::BrokenPipe), false),
            (Some(ErrorKind::StorageFull), true),
        ] {
            let mut output = Output::new(Failing(kind));
            output.print_line("first");
            assert!(output.is_open());
            output.print_line("second");
            output.print_line("third");
            assert_eq!(output.is_open(), kind.is_none());
            assert_eq!(output.is_broken(), broken, "{kind:?}");
            assert_eq!(output.end().is_err(), broken, "{kind:?}");
        }
    }
}
