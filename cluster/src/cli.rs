//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use cluster::options::DuplicateLogin;
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
  cluster start -e production --servers servers.json --server-id chat-server-1
  cluster check servers.json            every environment of the file";

const START_EXAMPLES: &str = "\
Examples:
  cluster start
      All servers of `development` in this process. Without cluster/config/servers.json in
      the working directory a built-in copy is used: gate 3014, connectors 3050 to 3052.
  cluster start --servers servers.json --heartbeat 10s -v
      Another file, slower heartbeats, more log.
  POMELO_CLUSTER_TOKEN=secret cluster start -e production --server-id connector-server-1
      One server of several processes; each needs the same token.
  cluster start --demo
      All servers, and a chat page for browsers at http://127.0.0.1:3001/.

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
    /// Run the servers of a servers.json until Ctrl-C, SIGTERM or SIGHUP
    #[command(after_help = format!("{START_EXAMPLES}\n\n{EXIT_STATUSES}"))]
    Start(Start),
    /// Check a servers.json and print what it holds
    #[command(after_help = EXIT_STATUSES)]
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Start {
    /// The environment of the file to run
    #[arg(short, long, default_value = "development", value_name = "NAME")]
    pub environment: String,

    /// Pomelo's servers.json [default: cluster/config/servers.json, else a built-in copy]
    #[arg(long, value_name = "FILE")]
    pub servers: Option<PathBuf>,

    /// Run only this server [default: all servers in this process]
    #[arg(long, value_name = "ID")]
    pub server_id: Option<String>,

    /// The secret that servers show each other [default: $POMELO_CLUSTER_TOKEN; drawn at random
    /// for servers of one process]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Listen on this address [default: the loopback address if all hosts are, else every one]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,

    /// How long a link between servers may be down before its sessions are given up
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub lease: Duration,

    /// Longest time until a request is answered; longer than the lease
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    pub request_deadline: Duration,

    /// Interval of client heartbeats, in whole seconds
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    pub heartbeat: Duration,

    /// What becomes of a login whose name is in that room already: the second gets an error, or it
    /// replaces the first, which is kicked
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub duplicate_login: DuplicateLogin,

    /// Serve a small chat page for browsers on this port of the same address, and print where; the
    /// original's browser client must be there first: `npm ci --prefix cluster/demo`
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "3001")]
    pub demo: Option<u16>,

    /// What to log to standard error: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log: LevelFilter,

    /// Log more: as --log debug, twice as --log trace
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "log")]
    pub verbose: u8,
}

#[derive(Debug, Args)]
pub struct Check {
    /// The servers.json
    pub file: PathBuf,

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
fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| (SHORTEST..=LONGEST).contains(time))
        .ok_or_else(|| String::from("write a time from 1ms to 60m such as 2s, 500ms or 1m"))
}

/// Timers are no finer.
const SHORTEST: Duration = Duration::from_millis(1);

/// Nobody waits longer for a server; sums of such times never overflow a clock.
const LONGEST: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_numbers_with_a_unit() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("60m"), Ok(Duration::from_secs(3600)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in [
            "",
            "s",
            "2",
            "0s",
            "-2s",
            "2h",
            "61m",
            "999us",
            "99999999999999999999s",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
