//! The cluster that the clients are served by.

use std::path::Path;

use crate::program::{Program, Result, cluster, write_servers};

/// All servers of a servers.json on free ports, and the demo page.
pub struct Cluster {
    pub program: Program,
    /// The gate's port.
    pub gate: u16,
    /// The address of the demo page.
    pub page: String,
}

impl Cluster {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("servers.json");
        let [gate, ..] = write_servers(&path)?;
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = cluster();
        command
            .args(["start", "--heartbeat", "1s", "--log", "warn", "--demo=0"])
            .arg("--servers")
            .arg(&path)
            .current_dir(workspace);
        let mut program = Program::start("cluster", &mut command)?;
        let lines = program.ready().await?;
        let page = lines
            .iter()
            .find_map(|line| line.strip_prefix("demo page "));
        let page = page.ok_or("no demo page is announced")?.to_owned();
        Ok(Self {
            program,
            gate,
            page,
        })
    }
}
