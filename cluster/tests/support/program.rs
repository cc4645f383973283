//! Programs that a test starts: their lines as they come, each wait bounded, none left behind.

#![allow(dead_code, reason = "each test binary uses its part of this module")]

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Longest wait for anything; far more than a busy machine needs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running program whose standard output is read line by line. Dropping it kills it.
pub struct Program {
    what: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub fn start(what: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{what} did not start: {error}"))?;
        let stdout = child.stdout.take().expect("it is piped");
        Ok(Self {
            what: what.to_owned(),
            stdin: child.stdin.take(),
            child,
            lines: BufReader::new(stdout).lines(),
        })
    }

    /// The next line; an error at the end of the output.
    pub async fn line(&mut self) -> Result<String> {
        match timeout(PATIENCE, self.lines.next_line()).await {
            Ok(line) => line?.ok_or_else(|| format!("{} wrote no further line", self.what).into()),
            Err(_) => Err(format!("no line from {} within {PATIENCE:?}", self.what).into()),
        }
    }

    /// The lines up to `ready`, which is not among them.
    pub async fn ready(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.line().await? {
                line if line == "ready" => return Ok(lines),
                line => lines.push(line),
            }
        }
    }

    /// Writes one line to its standard input.
    pub async fn tell(&mut self, line: &str) -> Result {
        let stdin = self.stdin.as_mut().ok_or("its standard input is closed")?;
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(stdin.flush().await?)
    }

    /// Sends a signal by its name, such as `TERM`.
    pub async fn signal(&self, name: &str) -> Result {
        let id = self.child.id().ok_or("it has ended")?;
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {id}"))
            .status();
        if sent.await?.success() {
            Ok(())
        } else {
            Err("kill failed".into())
        }
    }

    /// Ends it as a crash would (SIGKILL): it gets no chance to say or do anything.
    pub async fn kill(&mut self) -> Result {
        let killed = timeout(PATIENCE, self.child.kill()).await;
        Ok(killed.map_err(|_| format!("{} did not die within {PATIENCE:?}", self.what))??)
    }

    /// Closes its standard input and reads on to the end of its output.
    pub async fn last_lines(&mut self) -> Result<Vec<String>> {
        self.stdin = None;
        let mut lines = Vec::new();
        while let Some(line) = timeout(PATIENCE, self.lines.next_line()).await?? {
            lines.push(line);
        }
        Ok(lines)
    }

    /// Closes its standard input and waits for its end.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.stdin = None;
        let status = timeout(PATIENCE, self.child.wait()).await;
        Ok(status.map_err(|_| format!("{} did not end within {PATIENCE:?}", self.what))??)
    }
}

/// The built `cluster` program, without what the tester's shell has set for it.
pub fn cluster() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.env_remove("POMELO_CLUSTER_TOKEN");
    command
}

/// Runs `cluster` with `arguments` to its end.
pub async fn output(arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
    let running = cluster().args(arguments).kill_on_drop(true).output();
    let Output {
        status,
        stdout,
        stderr,
    } = timeout(PATIENCE, running)
        .await
        .map_err(|_| format!("{arguments:?} did not end"))??;
    Ok((
        status.code(),
        String::from_utf8(stdout)?,
        String::from_utf8(stderr)?,
    ))
}

/// A servers.json in the shipped shape on seven free ports, written to `path`.
pub fn write_servers(path: &Path) -> Result<[u16; 7]> {
    let mut free = free_ports();
    let ports = [(); 7].map(|()| free.next().expect("the range is never full"));
    let mut text = include_str!("../../config/servers.json").to_owned();
    for (shipped, free) in [3014, 3050, 3051, 3052, 6050, 6051, 6052].iter().zip(ports) {
        text = text.replace(&format!(": {shipped}"), &format!(": {free}"));
    }
    // Connectors have a port in the file on which nothing listens: it must only be another one.
    for (unused, number) in [4050, 4051, 4052].iter().zip(1..) {
        text = text.replace(&format!(": {unused}"), &format!(": {number}"));
    }
    std::fs::write(path, text)?;
    Ok(ports)
}

/// Ports that nobody listens on, and that the system gives to nobody: they are below those that
/// it chooses for outgoing connections. Test programs that run at once begin at different ones.
fn free_ports() -> impl Iterator<Item = u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % 200 * 100;
    std::iter::from_fn(move || {
        let next = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        u16::try_from(10_000 + (first + next) % 20_000).ok()
    })
    .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}
