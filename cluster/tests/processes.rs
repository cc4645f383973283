//! `cluster start --processes`: each server in a process of its own, none of which is left behind.
#![cfg(target_os = "linux")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use program::{PATIENCE, Program, Result, cluster, output, write_servers};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::Instant;

const IDS: [&str; 7] = [
    "gate-server-1",
    "connector-server-1",
    "connector-server-2",
    "connector-server-3",
    "chat-server-1",
    "chat-server-2",
    "chat-server-3",
];

/// A running cluster, and the processes of its servers by their ids.
struct Running {
    _folder: TempDir,
    program: Program,
    servers: Vec<(String, u32)>,
}

impl Running {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("servers.json");
        write_servers(&path)?;
        let mut command = cluster();
        command
            .args(["start", "--processes", "--servers"])
            .arg(&path);
        let mut program = Program::start("the cluster", &mut command)?;
        let addresses = program.ready().await?;
        let ids = addresses.iter().map(|line| line.split(' ').next());
        assert!(ids.eq(IDS.map(Some)), "{addresses:?}");
        let servers = servers_of(&path)?;
        assert_eq!(servers.len(), 7, "{servers:?}");
        Ok(Self {
            _folder: folder,
            program,
            servers,
        })
    }

    fn server(&self, id: &str) -> Result<u32> {
        let found = self.servers.iter().find(|(known, _)| known == id);
        Ok(found.ok_or_else(|| format!("no process runs {id}"))?.1)
    }

    async fn all_are_gone(&self) {
        let until = Instant::now() + PATIENCE;
        while let Some((id, _)) = self.servers.iter().find(|(_, pid)| is_alive(*pid)) {
            assert!(Instant::now() < until, "{id} lives on");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn every_server_has_a_process_and_one_signal_stops_all() -> Result {
    for signal in ["INT", "TERM"] {
        let mut running = Running::start().await?;
        running.program.signal(signal).await?;
        let status = running.program.ended().await?;
        assert_eq!(status.code(), Some(0), "{signal}");
        running.all_are_gone().await;
    }
    Ok(())
}

#[tokio::test]
async fn when_one_server_dies_all_end_and_it_is_named() -> Result {
    let mut running = Running::start().await?;
    kill(running.server("connector-server-2")?).await?;
    let status = running.program.ended().await?;
    assert_eq!(status.code(), Some(3));
    running.all_are_gone().await;
    Ok(())
}

#[tokio::test]
async fn servers_do_not_outlive_who_started_them() -> Result {
    let mut running = Running::start().await?;
    running.program.kill().await?;
    running.all_are_gone().await;
    Ok(())
}

#[tokio::test]
async fn no_secret_is_on_a_command_line() -> Result {
    let running = Running::start().await?;
    for (id, pid) in &running.servers {
        let environment = fs::read(format!("/proc/{pid}/environ"))?;
        let mut variables = environment.split(|byte| *byte == 0);
        let token = variables.find_map(|it| it.strip_prefix(b"POMELO_CLUSTER_TOKEN="));
        let token = String::from_utf8(token.ok_or("no token")?.to_vec())?;
        assert!(token.len() >= 32, "{id}: {token}");
        let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
        assert!(!arguments.contains(&token), "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_go_together_is_told() -> Result {
    for other in ["--demo", "--server-id=chat-server-1"] {
        let (status, _, said) = output(&["start", "--processes", other]).await?;
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("cannot be used with"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_port_that_is_taken_ends_all_with_the_reason() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("servers.json");
    let ports = write_servers(&path)?;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", ports[5]))?;
    let path = path.display().to_string();
    let (status, _, said) = output(&["start", "--processes", "--servers", &path]).await?;
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("chat-server-2: error: "), "{said}");
    assert!(
        said.contains("chat-server-2 ended before it was ready"),
        "{said}"
    );
    Ok(())
}

/// The processes that run a server of this file, by its id.
fn servers_of(path: &Path) -> Result<Vec<(String, u32)>> {
    let path = path.display().to_string();
    let mut servers = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        // One that ends meanwhile is none of them.
        let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split('\0').collect();
        let id = words.iter().position(|word| *word == "--server-id");
        if let Some(id) = id.filter(|_| words.contains(&path.as_str())) {
            servers.push((words[id + 1].to_owned(), pid));
        }
    }
    Ok(servers)
}

async fn kill(pid: u32) -> Result {
    let script = format!("kill -KILL {pid}");
    let killed = Command::new("sh").arg("-c").arg(script).status().await?;
    if killed.success() {
        Ok(())
    } else {
        Err("kill failed".into())
    }
}

/// Whether it runs; one that has ended may be waiting for somebody to take notice.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}
