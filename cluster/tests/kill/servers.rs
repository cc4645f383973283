//! A cluster of one process for each server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cluster::config;
use cluster::topology::Topology;
use tempfile::TempDir;

use super::program::{Program, Result, cluster, write_servers};

/// What is allowed on top of the lease: the machine may be busy with other tests.
pub const SLACK: Duration = Duration::from_secs(3);

/// One process for each server of a servers.json. Dropping it kills them all, also when a test
/// fails.
pub struct Servers {
    running: BTreeMap<String, Program>,
    pub topology: Topology,
    file: PathBuf,
    lease: Duration,
    _folder: TempDir,
}

impl Servers {
    pub async fn start(lease: Duration) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("servers.json");
        write_servers(&file)?;
        let mut servers = Self {
            running: BTreeMap::new(),
            topology: topology(&file)?,
            file,
            lease,
            _folder: folder,
        };
        let topology = servers.topology.clone();
        let frontends = topology.gates.iter().chain(&topology.connectors);
        let ids = frontends.map(|frontend| &frontend.id);
        for id in ids.chain(topology.chats.iter().map(|chat| &chat.id)) {
            servers.run(id).await?;
        }
        Ok(servers)
    }

    /// Starts the process of one server and waits until it listens.
    pub async fn run(&mut self, id: &str) -> Result {
        let mut command = cluster();
        command.args(["start", "--log", "error", "--server-id", id]);
        command.arg("--lease").arg(milliseconds(self.lease));
        let deadline = self.lease + SLACK;
        command
            .arg("--request-deadline")
            .arg(milliseconds(deadline));
        command.arg("--servers").arg(&self.file);
        let mut program = Program::start(id, &mut command)?;
        program.ready().await?;
        self.running.insert(id.to_owned(), program);
        Ok(())
    }

    pub async fn kill(&mut self, id: &str) -> Result {
        let mut program = self.running.remove(id).ok_or("no such server runs")?;
        program.kill().await
    }

    /// A room that the chat server `id` owns.
    pub fn room_of(&self, id: &str) -> String {
        let owns = |room: &String| {
            let chat = self.topology.chat_of(room);
            chat.is_some_and(|chat| self.topology.chats[chat].id == id)
        };
        let mut rooms = (0..).map(|number| format!("room {number}"));
        rooms.find(owns).expect("every server owns some rooms")
    }

    /// A name beginning with `start` whose user the gate sends to the connector `id`.
    pub fn name_at(&self, id: &str, start: &str) -> String {
        let mut names = (0..).map(|number| format!("{start} {number}"));
        let is_there = |name: &String| self.connector_of(name) == id;
        names
            .find(is_there)
            .expect("every connector gets some users")
    }

    pub fn connector_of(&self, name: &str) -> &str {
        let connector = self.topology.connector_of(name);
        &connector.expect("there are connectors").id
    }
}

fn topology(file: &Path) -> Result<Topology> {
    Ok(config::Place::servers(file).load("development")?.topology)
}

fn milliseconds(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}
