//! The command line.

mod ab;
mod capacity;
mod load;

pub use load::OnHealth;

use std::fmt::Write;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::ab::Experiment;
use crate::address::Address;
use crate::plan::LoadPlan;
use crate::plan::file::Overrides;
use crate::plan::short::ShortPlan;
use crate::prometheus::endpoint::At;
use crate::quoted::quoted;
use crate::workers;
pub use capacity::CapacityOptions;
use load::Load;

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
    /// Loads a cluster that is already running, or follows a plan.
    #[command(after_help = HELP)]
    Run {
        /// The plan: a file whose name ends in .toml, or one of default, fan-out-10, fan-out-100,
        /// fan-out-1000, capacity, storm, idle-100000; without one, the options below say what to do.
        #[arg(value_name = "PLAN")]
        plan: Option<String>,
        /// The gate that users ask for a connector [default: that of a cluster in this process]
        #[arg(long, value_name = "HOST:PORT")]
        gate: Option<Address>,
        #[command(flatten)]
        load: Load,
    },
    /// Compares two builds: runs each in turn, and decides whether the new one is slower.
    #[command(after_help = ab::HELP)]
    Ab(Box<ab::Ab>),
    /// Lives a part of the users for another loadgen, which starts it.
    #[command(name = workers::COMMAND, hide = true)]
    Work,
    /// Finds the highest rate of sends that a cluster carries at a given latency.
    #[command(after_help = capacity::HELP)]
    Capacity(Box<CapacityOptions>),
    /// Checks plans and starts nothing.
    Check {
        /// The files, or names of built-in plans.
        #[arg(value_name = "PLAN", required = true)]
        plans: Vec<String>,
    },
    /// Is a cluster, until standard input ends; `capacity` starts itself so.
    #[command(hide = true)]
    OwnCluster,
}

const HELP: &str = "\
Examples:
  loadgen
  loadgen --users 100 --duration 5s --transport tcp
  loadgen run storm --dry-run
  loadgen capacity --help
  loadgen run mine.toml --gate 127.0.0.1:3014 --seed 7
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
  3    invalid: loadgen or this machine was the limit, and the figures say nothing of the cluster
  130  stopped by Ctrl-C (143: SIGTERM, 129: SIGHUP); the report is written and marked as
       partial. A second signal ends at once, without a report";

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A load test.
    Load(Task),
    /// A search for a capacity.
    Capacity(Box<CapacityOptions>),
    /// To be a cluster.
    OwnCluster,
    /// To check plans, by the names they are given by.
    Check(Vec<String>),
    /// To compare two builds.
    Ab(Experiment),
    /// To be told what to do by the process that started this one.
    Work,
}

/// A load test that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Where its plan comes from.
    pub source: Source,
    /// The gate of a running cluster; `None` for one of our own.
    pub gate: Option<Address>,
    /// Processes for the users, if not as many as it takes.
    pub workers: Option<u32>,
    /// Where to write the report, if not to a numbered folder in `runs`.
    pub out: Option<PathBuf>,
    /// To say what is planned, and do nothing of it.
    pub dry_run: bool,
    /// What becomes of a run whose generator was its limit.
    pub health: OnHealth,
    /// Where to tell how the run is.
    pub metrics: Option<At>,
}

/// Where a plan comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Options.
    Options(ShortPlan),
    /// A file or a built-in plan.
    Named {
        /// Its path or name.
        name: String,
        /// Options instead of what it says.
        overrides: Overrides,
    },
}

impl Cli {
    /// What was asked for; plans are not yet read or checked.
    ///
    /// # Errors
    ///
    /// If options do not go together.
    pub fn into_asked(self) -> Result<Asked, clap::Error> {
        let (plan, gate, load) = match self.command {
            Some(Command::Run {
                plan: None,
                gate: None,
                ..
            }) => {
                let what = "`run` needs a PLAN, or the --gate of the cluster to load\n";
                return Err(Cli::command().error(ErrorKind::MissingRequiredArgument, what));
            }
            Some(Command::Run { plan, gate, load }) => (plan, gate, load),
            Some(Command::Check { plans }) => return Ok(Asked::Check(plans)),
            Some(Command::Ab(ab)) => return Ok(Asked::Ab(ab.into_experiment()?)),
            Some(Command::Work) => return Ok(Asked::Work),
            Some(Command::Capacity(options)) => return Ok(Asked::Capacity(options)),
            Some(Command::OwnCluster) => return Ok(Asked::OwnCluster),
            None => (None, None, self.load),
        };
        Ok(Asked::Load(Task {
            source: load.source(plan)?,
            gate,
            workers: load.workers,
            out: load.out,
            dry_run: load.dry_run,
            health: load.health,
            metrics: load.metrics,
        }))
    }
}

/// Refuses a gate without the command that it belongs to.
fn gate_without_run(gate: &str) -> Result<Address, String> {
    Err(format!(
        "it belongs to the command `run`: loadgen run --gate {gate}"
    ))
}

impl Task {
    /// The plan.
    ///
    /// # Errors
    ///
    /// If there is none, or it is unusable.
    pub fn plan(&self) -> anyhow::Result<LoadPlan> {
        self.source.plan()
    }

    /// The command line that does this again from the workspace, whatever the defaults will be
    /// then.
    pub fn command(&self) -> String {
        let mut command = String::from("cargo loadgen");
        if let Source::Named { name, .. } = &self.source {
            let _ = write!(command, " run {}", quoted(name));
        } else if self.gate.is_some() {
            command.push_str(" run");
        }
        if let Some(gate) = &self.gate {
            let _ = write!(command, " --gate {gate}");
        }
        self.source.write_options(&mut command);
        if self.health == OnHealth::Warn {
            command.push_str(" --health warn");
        }
        if let Some(workers) = self.workers {
            let _ = write!(command, " --workers {workers}");
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn task(line: &str) -> Result<Task, clap::Error> {
        let line = line.strip_prefix("cargo ").unwrap_or(line);
        match Cli::try_parse_from(line.split(' '))?.into_asked()? {
            Asked::Load(task) => Ok(task),
            other => panic!("{other:?} is no task"),
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_options_it_is_the_default_plan_against_a_cluster_of_its_own()
    -> clap::error::Result<()> {
        let task = task("loadgen")?;
        assert_eq!(task.source, Source::Options(ShortPlan::new(1000, 1)));
        assert_eq!(task.gate, None);
        Ok(())
    }

    #[test]
    fn the_command_of_a_task_is_a_command_for_the_same_task() -> clap::error::Result<()> {
        for line in [
            "loadgen --users 100 --duration 1500ms --transport tcp",
            "loadgen run --gate [::1]:3014 --users 7 --rooms 3 --rate 0.5 --seed 9 --ramp 2m",
            "loadgen --users 7 --duration 3us --ramp 0s --message-len 1000",
            "loadgen --users 7 --health warn",
            "loadgen run storm --users 7 --seed 9 --workers 3",
            "loadgen run mine.toml --gate [::1]:3014 --transport tcp --message-len 9",
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
            (
                "loadgen run storm --rate 5",
                "--rate does not go with a plan",
            ),
            (
                "loadgen run storm --ramp 5s",
                "--ramp does not go with a plan",
            ),
            ("loadgen run storm --workers 0", "--workers"),
            ("loadgen run storm --workers 201", "--workers"),
            ("loadgen check", "PLAN"),
        ] {
            let said = task(line).expect_err(line).to_string();
            assert!(said.contains(option), "{line}: {said}");
        }
    }
}
