//! A cluster of our own in a process of its own, so that its processor time is told from the generator's and
//! that neither waits for the other's tasks.

use std::env;
use std::io;
use std::process::Stdio;

use anyhow::Context;
use cluster::embedded::{self, Size};
use cluster::options::Options;
use cluster::signals::Signals;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::output::Output;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::address::Address;

/// The command by which this program becomes such a cluster.
pub const COMMAND: &str = "own-cluster";

/// The process. It ends when this is dropped.
#[derive(Debug)]
pub struct OwnCluster {
    child: Child,
    gate: Address,
    /// When it ends, so does the cluster, however this process ended.
    _stdin: Option<ChildStdin>,
}

impl OwnCluster {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let program = env::current_exe().context("can't find this program")?;
        let mut child = Command::new(program)
            .arg(COMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("can't start a process for a cluster")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("a pipe that was asked for")?;
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .await
            .context("can't read what the cluster says")?;
        let gate = line.trim().parse();
        let gate = gate.with_context(|| format!("the cluster did not start: it said {line:?}"))?;
        Ok(Self {
            child,
            gate,
            _stdin: stdin,
        })
    }

    /// Its gate.
    pub fn gate(&self) -> &Address {
        &self.gate
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it ends, and says how it did.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("the cluster ended: {status}"),
            Err(error) => format!("the cluster is not known any more: {error}"),
        }
    }
}

/// Is such a cluster: says where its gate is, and serves until standard input ends.
///
/// # Errors
///
/// If it can't start, or a server fails.
pub async fn serve() -> anyhow::Result<()> {
    // Ctrl-C is for whoever started this, and also sent to it.
    let _signals = Signals::listen().context("the system refuses signals")?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the cluster's chance (token, incarnations) is no part of the load of a seed"
    )]
    let mut rng = StdRng::from_os_rng();
    let mut cluster = embedded::start(Size::default(), Options::default(), &mut rng)
        .await
        .context("can't start a cluster")?;
    let (host, port) = cluster.gate().expect("a size has at least one gate");
    let gate = Address {
        host: host.to_owned(),
        port,
    };
    let mut stdout = Output::stdout();
    stdout.print_line(&gate.to_string());
    stdout.end()?;
    tokio::select! {
        error = cluster.ended() => return Err(error.into()),
        ended = orphaned() => ended.context("can't read standard input")?,
    }
    cluster.stop().await?;
    Ok(())
}

/// Waits for the end of standard input.
async fn orphaned() -> io::Result<()> {
    let mut stdin = tokio::io::stdin();
    let mut nothing = [0; 64];
    while stdin.read(&mut nothing).await? > 0 {}
    Ok(())
}
