//! `cluster start --processes`: each server in a process of its own, all of them children of this one.
//!
//! Each is started by the same command line, for one server, and attached: it stops when its standard
//! input ends, which it does when this process wants it to or is no more, however it died. Each is in a
//! process group of its own, so that Ctrl-C reaches this process only, which stops all others.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::task::Poll;
use std::time::Duration;

use cluster::signals::Signals;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::token;

/// How long all servers may take to bind their ports.
const READY_PATIENCE: Duration = Duration::from_secs(30);

/// How long they may take to stop: as long as servers of one process, and some to spare.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait for the rest of what they wrote when all have ended.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// Why servers in processes of their own did not run, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    #[error("can't start a process for {id}")]
    Start {
        id: String,
        #[source]
        cause: io::Error,
    },
    #[error("{id} ended before it was ready ({status}): what it wrote says why")]
    Unready { id: String, status: ExitStatus },
    #[error("servers were not ready within {READY_PATIENCE:?}")]
    Late,
    #[error("{id} ended though nobody stopped it ({status}): all others were stopped")]
    Died { id: String, status: ExitStatus },
    #[error("can't wait for {id}")]
    Lost {
        id: String,
        #[source]
        cause: io::Error,
    },
    #[error("servers did not stop within {STOP_PATIENCE:?}, and were killed")]
    StillRunning,
}

/// Runs the servers called `ids` until a signal comes, or one of them ends.
pub async fn run(
    ids: Vec<String>,
    token: &str,
    signals: &mut Signals,
) -> Result<ExitCode, ProcessError> {
    let mut logs = JoinSet::new();
    let ended = run_logged(ids, token, signals, &mut logs).await;
    // What they wrote last says why they ended.
    let _ = timeout(LOG_PATIENCE, async {
        while logs.join_next().await.is_some() {}
    })
    .await;
    ended
}

async fn run_logged(
    ids: Vec<String>,
    token: &str,
    signals: &mut Signals,
    logs: &mut JoinSet<()>,
) -> Result<ExitCode, ProcessError> {
    let mut servers = Vec::new();
    for id in ids {
        servers.push(Server::start(id, token, logs)?);
    }
    let ready = tokio::select! {
        ready = timeout(READY_PATIENCE, ready(&mut servers)) => ready.unwrap_or(Err(ProcessError::Late)),
        _ = signals.next() => return stop(servers, signals).await,
    };
    let ended = match ready {
        Err(error) => error,
        Ok(addresses) => {
            // Whoever closed standard output does not wait for `ready`.
            let _ = announce(&addresses);
            tokio::select! {
                ended = first_end(&mut servers) => ended,
                _ = signals.next() => return stop(servers, signals).await,
            }
        }
    };
    // The first error is the one to tell.
    let _ = stop(servers, signals).await;
    Err(ended)
}

/// One server's process. Dropping it kills it.
struct Server {
    id: String,
    process: Child,
    /// While this is open it runs.
    leash: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts it as this process was started; what it logs is passed on, with its name before each line.
    fn start(id: String, token: &str, logs: &mut JoinSet<()>) -> Result<Self, ProcessError> {
        let failed = |cause| ProcessError::Start {
            id: id.clone(),
            cause,
        };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(arguments(&id))
            // Others may see the command line of a process, but not its environment.
            .env(token::VARIABLE, token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn().map_err(failed)?;
        let leash = process.stdin.take().expect("it is piped");
        let stdout = process.stdout.take().expect("it is piped");
        let stderr = process.stderr.take().expect("it is piped");
        logs.spawn(pass_on(id.clone(), stderr));
        Ok(Self {
            id,
            process,
            leash,
            lines: BufReader::new(stdout).lines(),
        })
    }

    /// Waits until its port is bound, and says how it is reached.
    async fn ready(&mut self) -> Result<Vec<String>, ProcessError> {
        let mut addresses = Vec::new();
        loop {
            match self.lines.next_line().await {
                Ok(Some(line)) if line == "ready" => return Ok(addresses),
                Ok(Some(line)) => addresses.push(line),
                Ok(None) | Err(_) => {
                    return Err(ProcessError::Unready {
                        status: self.ended().await?,
                        id: self.id.clone(),
                    });
                }
            }
        }
    }

    async fn ended(&mut self) -> Result<ExitStatus, ProcessError> {
        let ended = self.process.wait().await;
        ended.map_err(|cause| ProcessError::Lost {
            id: self.id.clone(),
            cause,
        })
    }
}

/// The command line of this process, for one server of it.
fn arguments(id: &str) -> Vec<OsString> {
    let own = std::env::args_os().skip(1);
    let kept = own.filter(|argument| argument != "--processes");
    let more = ["--server-id", id, "--attached"].map(OsString::from);
    kept.chain(more).collect()
}

async fn ready(servers: &mut [Server]) -> Result<Vec<String>, ProcessError> {
    let mut addresses = Vec::new();
    for server in servers {
        addresses.extend(server.ready().await?);
    }
    Ok(addresses)
}

fn announce(addresses: &[String]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for address in addresses {
        writeln!(stdout, "{address}")?;
    }
    writeln!(stdout, "ready")?;
    stdout.flush()
}

/// Waits until one of them ends. Cancel safe.
async fn first_end(servers: &mut [Server]) -> ProcessError {
    let ends = servers.iter_mut().map(|server| {
        Box::pin(async {
            match server.ended().await {
                Ok(status) => ProcessError::Died {
                    id: server.id.clone(),
                    status,
                },
                Err(error) => error,
            }
        })
    });
    let mut ends: Vec<_> = ends.collect();
    std::future::poll_fn(|context| {
        let mut polled = ends.iter_mut().map(|end| end.as_mut().poll(context));
        let ended = polled.find(Poll::is_ready);
        ended.unwrap_or(Poll::Pending)
    })
    .await
}

/// Stops all of them; another signal ends them at once.
async fn stop(servers: Vec<Server>, signals: &mut Signals) -> Result<ExitCode, ProcessError> {
    tracing::info!("stopping; another signal ends at once");
    let mut running: Vec<_> = servers
        .into_iter()
        .map(|Server { process, leash, .. }| {
            drop(leash);
            process
        })
        .collect();
    let stopped = timeout(STOP_PATIENCE, async {
        for process in &mut running {
            // One that can't be waited for is killed when it is dropped.
            let _ = process.wait().await;
        }
    });
    tokio::select! {
        stopped = stopped => match stopped {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(_elapsed) => Err(ProcessError::StillRunning),
        },
        signal = signals.next() => Ok(ExitCode::from(signal.exit_status())),
    }
}

/// Writes the lines of `log` to standard error, each behind the name of its server.
async fn pass_on(id: String, log: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(log).lines();
    // A log that can't be read any more is over.
    while let Ok(Some(line)) = lines.next_line().await {
        crate::say(&format!("{id}: {line}"));
    }
}
