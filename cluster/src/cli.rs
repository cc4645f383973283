//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use cluster::drag::Drag;
use cluster::options::{DuplicateLogin, parse_time};
use tracing_subscriber::filter::LevelFilter;

const EXIT_STATUSES: &str = "\
Exit status:
  0    done; `start` was stopped by Ctrl-C, SIGTERM or SIGHUP
  2    unusable input: the message names the file, line and field, or the flag
  3    a port is busy, or a server could not run
  130  a second Ctrl-C ended it at once (129: SIGHUP, 143: SIGTERM)";

const EXAMPLES: &str = "\
Examples:
  cluster start                         all servers of the environment development
  cluster start -e production --config game-server/config --server-id chat-server-1
  cluster check game-server/config      every environment, all files";

const START_EXAMPLES: &str = "\
Examples:
  cluster start
      All servers of `development` in this process. Without the folder cluster/config in the
      working directory a built-in copy is used: gate 3014, connectors 3050 to 3052.
  cluster start --config game-server/config --heartbeat 10s -v
      Another folder, slower heartbeats than its app.json says, more log.
  cluster start --servers servers.json
      Only servers of your own; all else as built in.
  POMELO_CLUSTER_TOKEN=secret cluster start -e production --server-id connector-server-1
      One server of several processes; each needs the same token.
  cluster start --servers servers.json --processes
      All servers, each in a process of its own: each may open as many files as one process may.
  cluster start --demo
      All servers, and a chat page for browsers at http://127.0.0.1:3001/.

The folder has the files of a Pomelo project: servers.json, and if need be master.json,
serverProtos.json, clientProtos.json, dictionary.json, and app.json for what a Pomelo project sets
in app.js. Flags override app.json. `cluster check` prints what comes of it.

The line `ready` on standard output says that all ports are bound.";

/// Gate, connector and chat servers that Pomelo clients talk to.
#[derive(Debug, Parser)]
#[command(name = "cluster", version, after_help = format!("{EXAMPLES}\n\n{EXIT_STATUSES}"))]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the servers of a configuration until Ctrl-C, SIGTERM or SIGHUP
    #[command(after_help = format!("{START_EXAMPLES}\n\n{EXIT_STATUSES}"))]
    Start(Start),
    /// Check a configuration and print what it holds
    #[command(after_help = EXIT_STATUSES)]
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Start {
    /// The environment to run
    #[arg(short, long, default_value = "development", value_name = "NAME")]
    pub environment: String,

    /// A folder as Pomelo's config [default: cluster/config, else a built-in copy]
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,

    /// A servers.json alone; all else is as built in
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub servers: Option<PathBuf>,

    /// Run only this server [default: all servers in this process]
    #[arg(long, value_name = "ID")]
    pub server_id: Option<String>,

    /// Run each server in a process of its own; they end with this one, and all of them if one does
    #[arg(long, conflicts_with_all = ["server_id", "demo"])]
    pub processes: bool,

    /// Stop when standard input ends: for a server that `--processes` started
    #[arg(long, hide = true, requires = "server_id")]
    pub attached: bool,

    /// The secret that servers show each other [default: $POMELO_CLUSTER_TOKEN; drawn at random
    /// for servers of one process]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Listen on this address [default: the loopback address if all hosts are, else every one]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,

    /// How long a link between servers may be down before its sessions are given up [default: as
    /// app.json says, else 2s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub lease: Option<Duration>,

    /// Longest time until a request is answered; longer than the lease [default: as app.json says,
    /// else 3s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub request_deadline: Option<Duration>,

    /// Interval of client heartbeats, in whole seconds [default: as app.json says, else 3s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub heartbeat: Option<Duration>,

    /// What becomes of a login whose name is in that room already: the second gets an error, or it
    /// replaces the first, which is kicked [default: as app.json says, else refuse]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub duplicate_login: Option<DuplicateLogin>,

    /// Serve a small chat page for browsers on this port of the same address, and print where; the
    /// original's browser client must be there first: `npm ci --prefix cluster/demo`
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "3001")]
    pub demo: Option<u16>,

    /// Makes the servers slower in this way, and keeps all promises: for trying whether a load test
    /// notices
    #[arg(long, value_enum, value_name = "HOW")]
    pub drag: Option<Drag>,

    /// What to log to standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log: LevelFilter,

    /// Log more: as --log debug, twice as --log trace
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "log")]
    pub verbose: u8,
}

#[derive(Debug, Args)]
pub struct Check {
    /// A folder as Pomelo's config, or a servers.json
    #[arg(value_name = "DIR|FILE")]
    pub path: PathBuf,

    /// Check only this environment
    #[arg(short, long, value_name = "NAME")]
    pub environment: Option<String>,
}

impl Start {
    pub fn log_level(&self) -> LevelFilter {
        match self.verbose {
            0 => self.log,
            1 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        }
    }
}

/// Reads `2s`, `500ms` or `1m`.
fn time(text: &str) -> Result<Duration, String> {
    parse_time(text)
        .ok_or_else(|| String::from("write a time from 1ms to 60m such as 2s, 500ms or 1m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    // What app.json calls them.
    #[test]
    fn what_becomes_of_a_second_login_has_one_name() {
        use clap::ValueEnum;
        for (name, choice) in DuplicateLogin::NAMES {
            assert_eq!(DuplicateLogin::from_str(name, false), Ok(choice));
            assert_eq!(choice.name(), name);
        }
        assert_eq!(DuplicateLogin::value_variants().len(), 2);
    }
}
