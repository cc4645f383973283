//! The two clusters that are compared, each as a program that runs.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;

use crate::program::{Program, Result, cluster, write_servers};

/// A running cluster. Dropping it ends it.
pub struct Servers {
    _program: Program,
    /// Holds its servers.json.
    _folder: Option<TempDir>,
    /// The clients' ports, by the name of the server.
    ports: BTreeMap<String, u16>,
    is_original: bool,
}

impl Servers {
    /// This repository's.
    pub async fn ours() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("servers.json");
        write_servers(&path)?;
        let mut command = cluster();
        command
            .args(["start", "--log", "warn", "--servers"])
            .arg(&path);
        Self::ready(Program::start("cluster", &mut command)?, Some(folder)).await
    }

    /// Pomelo's own, on the Node in the PATH, or on the Node 10 that npm has brought.
    pub async fn original(node10: bool) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/originals");
        assert!(
            folder.join("node_modules/pomelo").is_dir(),
            "the original is not here: run `npm ci --prefix cluster/tests/originals`"
        );
        let mut command = Command::new("node");
        command.arg(folder.join("chat/start.js"));
        if node10 {
            command.arg("--node10");
        }
        Self::ready(Program::start("the original", &mut command)?, None).await
    }

    async fn ready(mut program: Program, folder: Option<TempDir>) -> Result<Self> {
        let is_original = folder.is_none();
        let mut ports = BTreeMap::new();
        for line in program.ready().await? {
            // Such as `gate-server-1 clients 127.0.0.1:3014`.
            let [server, "clients", address] = *line.split(' ').collect::<Vec<_>>() else {
                continue;
            };
            let (_, port) = address.rsplit_once(':').ok_or("an address has a port")?;
            ports.insert(server.to_owned(), port.parse()?);
        }
        Ok(Self {
            _program: program,
            _folder: folder,
            ports,
            is_original,
        })
    }

    /// Whether it is Pomelo's.
    pub fn is_original(&self) -> bool {
        self.is_original
    }

    /// The clients' port of a server.
    pub fn port(&self, server: &str) -> u16 {
        self.ports[server]
    }

    /// The server whose clients' port this is.
    pub fn server(&self, port: u64) -> Option<&str> {
        let mut ports = self.ports.iter();
        ports
            .find(|(_, theirs)| u64::from(**theirs) == port)
            .map(|(server, _)| server.as_str())
    }
}
