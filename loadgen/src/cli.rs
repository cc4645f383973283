//! The command line.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cluster::connection::Transport;

use crate::address::Address;
use crate::plan::{DURATION, LoadPlan, MESSAGE_LEN, USERS};

/// Loads a Pomelo-style chat cluster with virtual users over real sockets, and checks that every
/// message that was accepted reached every member of its room exactly once.
///
/// Without a command, it starts a cluster of its own in this process, on free ports of the loopback
/// interface, and loads that.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, after_help = HELP, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    load: Load,
    /// Takes what belongs to `run`, to say so.
    #[arg(long, hide = true, value_name = "HOST:PORT", value_parser = gate_without_run)]
    gate: Option<Address>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Loads a cluster that is already running.
    #[command(after_help = HELP)]
    Run {
        /// The gate that users ask for a connector.
        #[arg(long, value_name = "HOST:PORT")]
        gate: Address,
        #[command(flatten)]
        load: Load,
    },
}

#[derive(Debug, Args)]
struct Load {
    /// Virtual users, each with a connection of its own.
    #[arg(long, value_name = "N", default_value_t = USERS, allow_negative_numbers = true)]
    users: u32,
    /// Rooms; user k is in room k mod N [default: one for every 20 users]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    rooms: Option<u32>,
    /// Sends per second, of all users together; 0 for users who only stay [default: one every 5 s
    /// for each user]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// How long users send; the ramp comes on top, and 6 s to settle and for the last deliveries.
    #[arg(long, value_name = "TIME", default_value_t = DURATION.into())]
    duration: humantime::Duration,
    /// Over what time the logins are spread [default: 500 logins per second, at least 1s]
    #[arg(long, value_name = "TIME")]
    ramp: Option<humantime::Duration>,
    /// What decides who sends when.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    seed: u64,
    /// What the bytes travel in.
    #[arg(long, default_value = "ws")]
    transport: Transport,
    /// Length of each message's content in bytes; at least what identifies it, about 25.
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = MESSAGE_LEN,
        allow_negative_numbers = true
    )]
    message_len: usize,
    /// The folder to write run.json and latencies.hdr to [default: runs/load-<seed>-<n>, n from 1]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  loadgen
  loadgen --users 100 --duration 5s --transport tcp
  loadgen run --gate 127.0.0.1:3014 --users 5000 --rooms 100 --rate 800 --duration 2m --seed 7

Times are such as 500ms, 30s, 2m. The summary goes to standard output, all else to standard error.

Latencies of the summary, in microseconds:
  login      from when a login was due to the answer of `enter`, failed attempts included
  request    from when a send was due to its answer, of those that were accepted
  broadcast  from when a send was due to its receipt, by each member; `.first`, `.median` and
             `.last` are the members of one broadcast
  send_lateness  from when a send was due to when it was sent: what loadgen itself added

Exit status:
  0    every check held
  1    a check failed: a delivery was missing or doubled, a user never got in, ...
  2    unusable: an option, the gate, the limit of open files, the folder, standard output
  130  stopped by Ctrl-C (143: SIGTERM, 129: SIGHUP); the report is written and marked as
       partial. A second signal ends at once, without a report";

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The load.
    pub plan: LoadPlan,
    /// The gate of a running cluster; `None` for one of our own.
    pub gate: Option<Address>,
    /// Where to write the report, if not to a numbered folder in `runs`.
    pub out: Option<PathBuf>,
}

impl Cli {
    /// The task that was asked for; its plan is not yet checked.
    pub fn into_task(self) -> Task {
        let (gate, load) = match self.command {
            Some(Command::Run { gate, load }) => (Some(gate), load),
            None => (None, self.load),
        };
        let plan = load.plan();
        let out = load.out;
        Task { plan, gate, out }
    }
}

/// Refuses a gate without the command that it belongs to.
fn gate_without_run(gate: &str) -> Result<Address, String> {
    Err(format!(
        "it belongs to the command `run`: loadgen run --gate {gate}"
    ))
}

impl Load {
    fn plan(&self) -> LoadPlan {
        let defaults = LoadPlan::new(self.users, self.seed);
        LoadPlan {
            rooms: self.rooms.unwrap_or(defaults.rooms),
            rate_per_s: self.rate.unwrap_or(defaults.rate_per_s),
            duration: self.duration.into(),
            transport: self.transport,
            message_len: self.message_len,
            ramp: self.ramp.map_or(defaults.ramp, Duration::from),
            ..defaults
        }
    }
}

impl Task {
    /// The command line that does this again from the workspace, whatever the defaults will be
    /// then.
    pub fn command(&self) -> String {
        let mut command = String::from("cargo loadgen");
        if let Some(gate) = &self.gate {
            let _ = write!(command, " run --gate {gate}");
        }
        let LoadPlan {
            users,
            rooms,
            rate_per_s,
            duration,
            seed,
            transport,
            message_len,
            ramp,
            drain: _,
        } = &self.plan;
        let transport = transport.to_possible_value();
        let transport = transport.as_ref().map_or("ws", |value| value.get_name());
        let _ = write!(
            command,
            " --users {users} --rooms {rooms} --rate {rate_per_s} --duration {} --ramp {} \
             --seed {seed} --transport {transport} --message-len {message_len}",
            time(*duration),
            time(*ramp),
        );
        command
    }
}

/// Writes `duration` exactly, in one word.
fn time(duration: Duration) -> String {
    let ns = duration.as_nanos();
    if ns.is_multiple_of(1_000_000_000) {
        format!("{}s", ns / 1_000_000_000)
    } else if ns.is_multiple_of(1_000_000) {
        format!("{}ms", ns / 1_000_000)
    } else {
        format!("{ns}ns")
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn task(line: &str) -> Result<Task, clap::Error> {
        let line = line.strip_prefix("cargo ").unwrap_or(line);
        Cli::try_parse_from(line.split(' ')).map(Cli::into_task)
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_options_it_is_the_default_plan_against_a_cluster_of_its_own()
    -> clap::error::Result<()> {
        let task = task("loadgen")?;
        assert_eq!(task.plan, LoadPlan::new(1000, 1));
        assert_eq!(task.gate, None);
        Ok(())
    }

    #[test]
    fn the_command_of_a_task_is_a_command_for_the_same_task() -> clap::error::Result<()> {
        for line in [
            "loadgen --users 100 --duration 1500ms --transport tcp",
            "loadgen run --gate [::1]:3014 --users 7 --rooms 3 --rate 0.5 --seed 9 --ramp 2m",
            "loadgen --users 7 --duration 3us --ramp 0s --message-len 1000",
        ] {
            let task = task(line)?;
            assert_eq!(super::tests::task(&task.command())?, task);
        }
        Ok(())
    }

    #[test]
    fn a_mistake_is_answered_by_naming_the_option() {
        for (line, option) in [
            ("loadgen run", "--gate"),
            ("loadgen run --gate nowhere", "HOST:PORT"),
            (
                "loadgen --gate 127.0.0.1:3014 --users 5",
                "loadgen run --gate 127.0.0.1:3014",
            ),
            ("loadgen --users some", "--users"),
            ("loadgen --users -1", "--users"),
            ("loadgen --rooms -1", "--rooms"),
            ("loadgen --seed -1", "--seed"),
            ("loadgen --message-len -1", "--message-len"),
            ("loadgen run --gate a:1 --users -1", "--users"),
            ("loadgen --duration 30", "--duration"),
            ("loadgen --transport udp", "--transport"),
        ] {
            let said = task(line).expect_err(line).to_string();
            assert!(said.contains(option), "{line}: {said}");
        }
    }
}
