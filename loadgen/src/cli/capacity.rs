//! The options of a search for a capacity, and the command line that has them again.

use std::fmt::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use cluster::connection::Transport;

use super::load::{OnHealth, name_of, time};
use crate::address::Address;
use crate::plan::file::Overrides;
use crate::plan::threshold::Demand;
use crate::quoted::quoted;
use crate::workers::WORKERS_MAX;

/// Of what, how, and how sure.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct CapacityOptions {
    /// Who is there: a file whose name ends in .toml, or a built-in plan. Of it count the arrivals, rooms,
    /// messages and thresholds, and who comes and goes in its last stage with sends; the rates and times
    /// are those of the search
    #[arg(value_name = "PLAN", default_value = "capacity")]
    pub plan: String,
    /// What must hold at a rate, such as 'broadcast.last.p99<100ms'; instead of the plan's threshold on the
    /// same figure, beside all others [default: the plan's, or broadcast.last.p99<100ms]
    #[arg(long = "slo", value_name = "DEMAND")]
    pub slos: Vec<Demand>,
    /// The gate that users ask for a connector [default: that of a cluster in a process of its own]
    #[arg(long, value_name = "HOST:PORT")]
    pub gate: Option<Address>,
    /// A process of the cluster, whose processor time counts as the servers', with that of all that it
    /// started [default: that of the cluster of our own]
    #[arg(long = "server-pid", value_name = "PID")]
    pub server_pids: Vec<u32>,
    /// The first rate that is tried, in sends per second of all users [default: the plan's highest]
    #[arg(long, value_name = "RATE")]
    pub start_rate: Option<f64>,
    /// The lowest rate: if it breaks, the search fails [default: a hundredth of the first]
    #[arg(long, value_name = "RATE")]
    pub min_rate: Option<f64>,
    /// The highest rate: if it holds, the search ends
    #[arg(long, value_name = "RATE", default_value_t = 1e6)]
    pub max_rate: f64,
    /// How far apart the ends of the interval may be
    #[arg(long, value_name = "PERCENT", default_value = "5%")]
    pub precision: Percent,
    /// By how many trials each end must be confirmed, those against it taken off
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub confirm: u32,
    /// How long a trial goes on before its figures count
    #[arg(long, value_name = "TIME", default_value = "3s")]
    pub warm_up: humantime::Duration,
    /// How long a trial is measured
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub measure: humantime::Duration,
    /// After how long no other trial is begun
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub time: humantime::Duration,
    /// A check of the audit that decides nothing, such as notices
    #[arg(long, value_name = "CHECK")]
    pub except: Vec<String>,
    /// What a trial that broke comes to if this program or its machine may have been the limit: `judge`
    /// takes it for unknown, `warn` counts it all the same
    #[arg(long, value_name = "HOW", default_value = "judge")]
    pub health: OnHealth,
    /// Processes that live the users [default: as many as it takes to open enough files]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=WORKERS_MAX as i64))]
    pub workers: Option<u32>,
    /// Virtual users [default: the plan's]
    #[arg(long, value_name = "N")]
    pub users: Option<u32>,
    /// What decides who sends when; each trial has a seed of its own that follows from it [default: the
    /// plan's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What the bytes travel in [default: the plan's]
    #[arg(long)]
    pub transport: Option<Transport>,
    /// Length of each message's content in bytes [default: the plan's]
    #[arg(long, value_name = "BYTES")]
    pub message_len: Option<usize>,
    /// The folder to write capacity.json to [default: runs/capacity-SEED-N, N from 1]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also writes what was found as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Prints what would be tried, and starts nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A share, as in `5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
        let number = number.ok().filter(|it| (0.1..=100.0).contains(it));
        let number = number.ok_or("it must be from 0.1% to 100%, such as 5%")?;
        Ok(Self(number / 100.0))
    }
}

pub const HELP: &str = "\
Examples:
  loadgen capacity
  loadgen capacity --slo 'broadcast.last.p99<50ms' --precision 2% --confirm 3
  loadgen capacity fan-out-100 --users 400 --time 5m
  loadgen capacity mine.toml --gate 127.0.0.1:3014 --server-pid 4711 --min-rate 500 --junit capacity.xml

Each trial is a whole load test at one rate: all log in, send, hear and leave, and all is checked. The
rate is doubled until something breaks, then what lies between is halved until it is as close as asked for,
then both ends are tried again until it is sure that neither was luck. A trial that this program or
strangers on its machine may have broken is no evidence against the cluster; where the cluster is on this
machine too, the answer is of both together. Takes about four minutes.

The answer goes to standard output, a line for each trial to standard error.

Exit status:
  0    found: the ends of the interval are confirmed (or the highest rate held)
  1    a threshold or a check is broken even at the lowest rate
  2    unusable: an option, the plan, the gate, the limit of open files, the folder
  3    inconclusive: this program was the limit, or the time was over
  130  stopped by Ctrl-C (143: SIGTERM, 129: SIGHUP); what is known by then is written and marked as
       partial. A second signal ends at once, without a report";

impl CapacityOptions {
    /// What stands on the command line instead of a plan's own.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            users: self.users,
            seed: self.seed,
            transport: self.transport,
            message_len: self.message_len,
        }
    }

    /// The command line that does this again from the workspace, whatever the defaults will be then.
    pub fn command(&self) -> String {
        let Self {
            plan,
            slos,
            gate,
            server_pids,
            start_rate,
            min_rate,
            max_rate,
            precision: Percent(precision),
            confirm,
            warm_up,
            measure,
            time: over,
            except,
            health,
            workers,
            users,
            seed,
            transport,
            message_len,
            out: _,
            junit: _,
            dry_run: _,
        } = self;
        let mut command = format!("cargo loadgen capacity {}", quoted(plan));
        let mut say = |option: &str, value: String| {
            let _ = write!(command, " --{option} {}", quoted(&value));
        };
        for slo in slos {
            say("slo", slo.to_string());
        }
        if let Some(gate) = gate {
            say("gate", gate.to_string());
        }
        for pid in server_pids {
            say("server-pid", pid.to_string());
        }
        for (option, rate) in [("start-rate", start_rate), ("min-rate", min_rate)] {
            if let Some(rate) = rate {
                say(option, rate.to_string());
            }
        }
        say("max-rate", max_rate.to_string());
        say("precision", format!("{}%", precision * 100.0));
        say("confirm", confirm.to_string());
        for (option, value) in [("warm-up", warm_up), ("measure", measure), ("time", over)] {
            say(option, time(Duration::from(*value)));
        }
        for check in except {
            say("except", check.clone());
        }
        if *health == OnHealth::Warn {
            say("health", "warn".to_owned());
        }
        for (option, value) in [
            ("workers", workers.map(|it| it.to_string())),
            ("users", users.map(|it| it.to_string())),
            ("seed", seed.map(|it| it.to_string())),
            ("transport", transport.map(name_of)),
            ("message-len", message_len.map(|it| it.to_string())),
        ] {
            if let Some(value) = value {
                say(option, value);
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Asked, Cli};

    fn options(words: &[&str]) -> Result<CapacityOptions, clap::Error> {
        let line = ["loadgen", "capacity"].iter().chain(words);
        match Cli::try_parse_from(line)?.into_asked()? {
            Asked::Capacity(options) => Ok(*options),
            asked => panic!("{asked:?}"),
        }
    }

    #[test]
    fn without_options_it_is_the_capacity_of_a_cluster_of_its_own() -> clap::error::Result<()> {
        let options = options(&[])?;
        assert_eq!((options.plan.as_str(), options.gate), ("capacity", None));
        assert_eq!(options.precision, Percent(0.05));
        Ok(())
    }

    #[test]
    fn the_command_line_of_a_report_asks_for_the_same() -> clap::error::Result<()> {
        for words in [
            &[][..],
            &[
                "mine.toml",
                "--slo",
                "broadcast.last.p99 < 50ms",
                "--slo",
                "lost == 0",
            ],
            &[
                "--gate",
                "127.0.0.1:3014",
                "--server-pid",
                "7",
                "--server-pid",
                "8",
                "--except",
                "notices",
            ],
            &[
                "--start-rate",
                "12.5",
                "--min-rate",
                "1",
                "--max-rate",
                "900",
                "--precision",
                "2.5",
            ],
            &[
                "--confirm",
                "3",
                "--warm-up",
                "500ms",
                "--measure",
                "1m 30s",
                "--time",
                "1h",
            ],
            &[
                "--users",
                "5",
                "--seed",
                "7",
                "--transport",
                "tcp",
                "--message-len",
                "100",
                "--health",
                "warn",
                "--workers",
                "3",
            ],
        ] {
            let asked = options(words)?;
            let command = asked.command();
            // As a shell takes it apart; only demands are quoted here.
            let mut again = Vec::new();
            for (index, part) in command.split('\'').enumerate() {
                match index % 2 {
                    0 => again.extend(part.split_whitespace()),
                    _ => again.push(part),
                }
            }
            assert_eq!(options(&again[3..])?, asked, "{command}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_share_and_no_demand_is_told() {
        let said = |words: &[&str]| options(words).expect_err("unusable").to_string();
        assert!(said(&["--precision", "0"]).contains("from 0.1% to 100%"));
        assert!(said(&["--slo", "broadcast.last.p99"]).contains("compares nothing"));
    }
}
