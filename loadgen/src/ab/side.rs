//! One of the two builds: started by its command for each run, or running somewhere already.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::address::Address;

/// How long a build may take until it is ready: its command may compile it first.
const READY_PATIENCE: Duration = Duration::from_secs(600);

/// How long a build may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether all of it has ended: nothing tells.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// The second word of the line that says where clients reach a server.
const CLIENTS: &str = "clients";

/// The line that says that all ports are bound.
const READY: &str = "ready";

/// How one build is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// By starting it, with a line for the shell, which prints as `cluster start` does: where clients
    /// reach the gate (`gate-server-1 clients 127.0.0.1:3014`) and then `ready`.
    Command(String),
    /// It runs already, behind this gate.
    Gate(Address),
}

/// Why a build can't be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The shell could not be started.
    #[error("can't start `{command}`")]
    Start {
        /// By which command.
        command: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file of its log can't be written.
    #[error("can't write {}", path.display())]
    Log {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It ended first.
    #[error("`{command}` ended before it was ready ({how}): {} says why", log.display())]
    Ended {
        /// By which command.
        command: String,
        /// With which status.
        how: String,
        /// What it had to say.
        log: PathBuf,
    },
    /// It does not say where clients reach it.
    #[error(
        "`{command}` said `ready` and not where its gate is, in a line such as \
         `gate-server-1 clients 127.0.0.1:3014`: name the gate of a cluster that runs already \
         (--base-gate, --new-gate)"
    )]
    NoGate {
        /// By which command.
        command: String,
    },
    /// It takes too long.
    #[error("`{command}` did not say `ready` within {READY_PATIENCE:?}")]
    NotReady {
        /// By which command.
        command: String,
    },
}

/// A build that runs. If this is dropped, what was started is killed.
#[derive(Debug)]
pub struct Build {
    gate: Address,
    process: Option<Process>,
}

/// What was started.
#[derive(Debug)]
struct Process {
    child: Child,
    /// Whether it and all that it started have ended.
    is_gone: bool,
    /// Its number, and that of the group of all that it started.
    id: Option<i32>,
    /// Reads what it still prints, so that it is never held up.
    printed: JoinSet<()>,
}

impl How {
    /// Starts it, or takes it as it is; what it says on standard error goes to `log`.
    ///
    /// # Errors
    ///
    /// If it does not come to be ready.
    pub async fn start(&self, log: &Path) -> Result<Build, BuildError> {
        match self {
            Self::Gate(gate) => Ok(Build {
                gate: gate.clone(),
                process: None,
            }),
            Self::Command(command) => start(command, log).await,
        }
    }
}

async fn start(command: &str, log: &Path) -> Result<Build, BuildError> {
    let stderr = File::create(log).map_err(|source| BuildError::Log {
        path: log.to_owned(),
        source,
    })?;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    // Its own, so that all that the shell starts can be stopped with it.
    #[cfg(unix)]
    shell.process_group(0);
    let failed = |source| BuildError::Start {
        command: command.to_owned(),
        source,
    };
    let mut child = shell.spawn().map_err(failed)?;
    let stdout = child.stdout.take().expect("it was asked for");
    let mut build = Build {
        gate: Address {
            host: String::new(),
            port: 0,
        },
        process: Some(Process {
            id: child.id().and_then(|id| i32::try_from(id).ok()),
            is_gone: false,
            child,
            printed: JoinSet::new(),
        }),
    };
    let mut lines = BufReader::new(stdout).lines();
    let ready = timeout(READY_PATIENCE, ready(&mut lines)).await;
    let gate = match ready {
        Err(_elapsed) => {
            return Err(BuildError::NotReady {
                command: command.to_owned(),
            });
        }
        Ok(None) => {
            return Err(BuildError::Ended {
                command: command.to_owned(),
                how: build.ended().await,
                log: log.to_owned(),
            });
        }
        Ok(Some(gate)) => gate.ok_or_else(|| BuildError::NoGate {
            command: command.to_owned(),
        })?,
    };
    build.gate = gate;
    if let Some(process) = &mut build.process {
        process
            .printed
            .spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    }
    Ok(build)
}

/// Reads until `ready`; `None` if it ends before. Within, the address of the gate, if it was said.
async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<Option<Address>> {
    let mut gate = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if line.trim() == READY {
            return Some(gate);
        }
        gate = gate.or_else(|| gate_in(&line));
    }
    None
}

/// Where clients reach the server that `line` tells of, if it does. Gates are told first.
fn gate_in(line: &str) -> Option<Address> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [_, CLIENTS, address] => address.parse().ok(),
        _ => None,
    }
}

impl Build {
    /// Where its gate is.
    pub fn gate(&self) -> &Address {
        &self.gate
    }

    /// Waits until it ends by itself, and says how; for ever if it was not started here.
    pub async fn ended(&mut self) -> String {
        match &mut self.process {
            None => std::future::pending().await,
            Some(process) => match process.child.wait().await {
                Ok(status) => format!("the cluster ended: {status}"),
                Err(error) => format!("the cluster can't be waited for: {error}"),
            },
        }
    }

    /// Stops what was started, and waits for it.
    pub async fn stop(mut self) {
        if let Some(process) = &mut self.process {
            process.signal(false);
            if timeout(STOP_PATIENCE, process.gone()).await.is_err() {
                process.signal(true);
                // The next build may find its ports busy, and says so.
                let _ = timeout(STOP_PATIENCE, process.gone()).await;
            }
        }
    }
}

impl Process {
    /// Asks all of its processes to stop, or kills them.
    #[cfg(unix)]
    fn signal(&mut self, kill: bool) {
        use rustix::process::{Pid, Signal, kill_process_group};

        if let Some(group) = self.id.and_then(Pid::from_raw) {
            // It may just have ended.
            let _ = kill_process_group(group, if kill { Signal::KILL } else { Signal::TERM });
        }
    }

    /// Waits until all of its processes have ended: the ports of what the shell started are free only
    /// then.
    #[cfg(unix)]
    async fn gone(&mut self) {
        use rustix::process::{Pid, test_kill_process_group};

        let _ = self.child.wait().await;
        let group = self.id.and_then(Pid::from_raw);
        while group.is_some_and(|group| test_kill_process_group(group).is_ok()) {
            sleep(LOOK_INTERVAL).await;
        }
        self.is_gone = true;
    }

    /// Waits until it has ended.
    #[cfg(not(unix))]
    async fn gone(&mut self) {
        let _ = self.child.wait().await;
        self.is_gone = true;
    }

    /// Kills it: there is no other way here.
    #[cfg(not(unix))]
    fn signal(&mut self, _kill: bool) {
        // It may just have ended.
        let _ = self.child.start_kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_gone {
            self.signal(true);
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => out.write_str(command),
            Self::Gate(gate) => write!(out, "the cluster at {gate}"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn started(command: &str) -> Result<Build, BuildError> {
        let folder = tempfile::tempdir().expect("a folder");
        let how = How::Command(command.to_owned());
        how.start(&folder.path().join("log")).await
    }

    #[tokio::test]
    async fn a_build_is_ready_when_it_says_so_and_the_first_address_is_its_gate() {
        let mut build = started(
            "echo gate-server-1 clients 127.0.0.1:3014; echo connector-server-1 clients \
             127.0.0.1:3050; echo ready; sleep 600",
        )
        .await
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(build.gate().to_string(), "127.0.0.1:3014");
        let ended = timeout(Duration::from_millis(1), build.ended()).await;
        assert!(ended.is_err(), "{ended:?}");
        build.stop().await;
    }

    #[tokio::test]
    async fn a_build_has_stopped_when_all_that_its_shell_started_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ended");
        // The shell ends at once, and what it started takes its time.
        let slow = format!(
            "trap 'sleep 0.3; touch {}; exit' TERM; echo ready; while :; do sleep 0.05; done",
            file.display()
        );
        let line = format!("echo gate clients 127.0.0.1:1; sh -c \"{slow}\" & wait");
        let build = started(&line)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        build.stop().await;
        assert!(
            file.exists(),
            "the next one would have found its ports busy"
        );
    }

    #[tokio::test]
    async fn a_build_that_ends_or_does_not_say_where_it_is_is_told_with_its_command() {
        for (command, said) in [
            (
                "exit 3",
                "`exit 3` ended before it was ready (the cluster ended: exit status: 3)",
            ),
            ("echo ready; sleep 600", "not where its gate is"),
        ] {
            let error = started(command).await.expect_err(command).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
