//! `cluster check`: reads a servers.json and prints what it holds.

use std::io::{self, Write};
use std::process::ExitCode;

use cluster::config::{Config, ConfigError, ServersFile};
use cluster::process::addresses;

use crate::cli;

/// Prints the servers of each environment; nothing if there is a mistake.
pub fn check(arguments: &cli::Check) -> Result<ExitCode, ConfigError> {
    let file = ServersFile::read(&arguments.file)?;
    let configs = match &arguments.environment {
        Some(name) => vec![(name.clone(), file.environment(name)?)],
        None => file.check()?,
    };
    for (name, config) in &configs {
        for warning in &config.warnings {
            crate::say(&format!("{}: {warning}", arguments.file.display()));
        }
        // Whoever closed standard output, such as `head`, has read enough.
        let _ = print(name, config);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(name: &str, config: &Config) -> io::Result<()> {
    let topology = &config.topology;
    let mut stdout = io::stdout().lock();
    writeln!(
        stdout,
        "{name}: gate {}, connector {}, chat {}",
        topology.gates.len(),
        topology.connectors.len(),
        topology.chats.len()
    )?;
    for address in addresses(topology) {
        writeln!(stdout, "  {address}")?;
    }
    Ok(())
}
