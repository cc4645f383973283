//! Ctrl-C and other signals that ask a program to stop.

use std::io;
#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use tokio::time::{Instant, sleep_until};

/// How long after a signal others belong to it: `timeout` and a terminal that closes send
/// theirs twice at once. Nobody presses Ctrl-C twice so fast.
#[cfg(unix)]
const ECHO: Duration = Duration::from_millis(100);

/// Which signal it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, as `kill`, `timeout` and service managers send it.
    Terminate,
    /// SIGHUP: the terminal was closed.
    HangUp,
}

impl Signal {
    /// The exit status of a program that it ended, as shells have it: 128 and its number.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Ctrl-C, SIGTERM and, on Linux, SIGHUP.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: Option<tokio::signal::unix::Signal>,
    /// What has come, and until when others belong to it.
    heard: Option<(Signal, Instant)>,
}

#[cfg(unix)]
impl Signals {
    /// From now on they no longer kill the process. A SIGHUP that it was started to ignore, as by
    /// `nohup`, goes on to be ignored.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let hang_up = || signal(SignalKind::hangup());
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: (!ignores_hang_up()).then(hang_up).transpose()?,
            heard: None,
        })
    }

    /// Waits for the next of them, and a moment for others that belong to it.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Signal {
        loop {
            let hang_up = async {
                match &mut self.hang_up {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            let all_heard = async {
                match self.heard {
                    Some((signal, until)) => {
                        sleep_until(until).await;
                        signal
                    }
                    None => std::future::pending().await,
                }
            };
            let signal = tokio::select! {
                biased;
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.terminate.recv() => Signal::Terminate,
                _ = hang_up => Signal::HangUp,
                signal = all_heard => {
                    self.heard = None;
                    return signal;
                }
            };
            self.heard.get_or_insert((signal, Instant::now() + ECHO));
        }
    }
}

/// Whether this process was started to ignore SIGHUP; yes where nobody says, as to listen would
/// undo it.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit for each signal, of which SIGHUP is the first.
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask & 1 == 1)
}

/// Ctrl-C, which is all there is elsewhere.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// From now on it no longer kills the process.
    ///
    /// # Errors
    ///
    /// None.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for it.
    pub async fn next(&mut self) -> Signal {
        // An error means that there is no such signal to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
