//! Processes that print lines, one after the other, until they end or a signal comes.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use cluster::signals::{Signal, Signals};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::CertifyError;
use crate::workers;

/// Waits for processes and for signals.
pub struct Processes {
    runtime: Runtime,
    signals: Signals,
}

impl Processes {
    /// From now on signals no longer end this process.
    ///
    /// # Errors
    ///
    /// If the runtime that waits for signals can't be started.
    pub fn new() -> io::Result<Self> {
        let (runtime, signals) = workers::listen()?;
        Ok(Self { runtime, signals })
    }

    /// Starts `command` and hands each line that it prints to `each`, until it has ended. A signal
    /// ends it at once, and is returned.
    ///
    /// # Errors
    ///
    /// If it can't be started, its lines can't be read or are refused by `each`, which ends it, or
    /// it ends in another way than with success.
    #[expect(
        clippy::disallowed_methods,
        reason = "the thread reads what another process prints; no run is in this one"
    )]
    pub fn lines(
        &mut self,
        mut command: Command,
        mut each: impl FnMut(&str) -> Result<(), CertifyError>,
    ) -> Result<Option<Signal>, CertifyError> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| CertifyError::Unstarted {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, mut printed) = mpsc::unbounded_channel();
        let Self { runtime, signals } = self;
        let ended = thread::scope(|threads| {
            threads.spawn(|| send_lines(stdout, sender));
            let ended = runtime.block_on(async {
                loop {
                    tokio::select! {
                        line = printed.recv() => match line {
                            Some(line) => each(&line?)?,
                            None => return Ok(None),
                        },
                        signal = signals.next() => return Ok(Some(signal)),
                    }
                }
            });
            if !matches!(ended, Ok(None)) {
                end(&mut child);
            }
            ended
        });
        let status = child.wait()?;
        match ended {
            Ok(None) if !status.success() => Err(CertifyError::Failed {
                command: format!("{command:?}"),
                status,
            }),
            ended => ended,
        }
    }
}

/// Whoever reads its output comes to its end then.
fn end(child: &mut Child) {
    // What has ended by itself can't be ended.
    let _ = child.kill();
}

fn send_lines(stdout: ChildStdout, sender: mpsc::UnboundedSender<io::Result<String>>) {
    for line in BufReader::new(stdout).lines() {
        if sender.send(line).is_err() {
            return;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_lines_of_a_process_come_in_order_and_its_failure_is_told() -> Result<(), CertifyError> {
        let mut processes = Processes::new()?;
        let mut lines = Vec::new();
        let mut each = |line: &str| {
            lines.push(line.to_owned());
            Ok(())
        };
        assert_eq!(processes.lines(shell("echo a; echo b"), &mut each)?, None);
        let failed = processes.lines(shell("echo c; exit 3"), &mut each);
        let told = failed.map_err(|error| error.to_string());
        assert!(told.is_err_and(|told| told.ends_with("ended with exit status: 3")));
        assert_eq!(lines, ["a", "b", "c"]);
        Ok(())
    }

    #[test]
    fn a_process_whose_line_is_refused_is_ended() -> io::Result<()> {
        let mut processes = Processes::new()?;
        let refused = processes.lines(shell("echo a; exec sleep 1000"), |_| {
            Err(CertifyError::OtherRuns { way: String::new() })
        });
        assert!(matches!(refused, Err(CertifyError::OtherRuns { .. })));
        Ok(())
    }
}
