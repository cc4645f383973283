//! The options of a load test, and the command line that has them again.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};
use cluster::connection::Transport;

use super::{Cli, Source};
use crate::plan::file::Overrides;
use crate::plan::short::{MESSAGE_LEN, ShortPlan, USERS};
use crate::plan::{self, LoadPlan};
use crate::prometheus::endpoint::At;
use crate::workers::WORKERS_MAX;

#[derive(Debug, Args)]
pub struct Load {
    /// Virtual users, each with a connection of its own [default: 1000; of a plan, its own]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    users: Option<u32>,
    /// Rooms; user k is in room k mod N [default: one for every 20 users]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    rooms: Option<u32>,
    /// Sends per second, of all users together; 0 for users who only stay [default: one every 5 s
    /// for each user]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// How long users send; the ramp comes on top, and 6 s to settle and for the last deliveries
    /// [default: 30s]
    #[arg(long, value_name = "TIME")]
    duration: Option<humantime::Duration>,
    /// Over what time the logins are spread [default: 500 logins per second, at least 1s]
    #[arg(long, value_name = "TIME")]
    ramp: Option<humantime::Duration>,
    /// What decides who sends when [default: 1; of a plan, its own]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// What the bytes travel in [default: ws; of a plan, its own]
    #[arg(long)]
    transport: Option<Transport>,
    /// Length of each message's content in bytes; at least what identifies it, about 25 [default:
    /// 64; of a plan, its own]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    message_len: Option<usize>,
    /// Processes that live the users [default: as many as it takes for 15,000 users each, and for the
    /// limit of open files; 1 is this one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(WORKERS_MAX)))]
    pub workers: Option<u32>,
    /// The folder to write run.json and latencies.hdr to [default: runs/load-<seed>-<n>, n from 1]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What a run comes to if this machine, or loadgen itself, was its limit: `judge` makes it INVALID,
    /// `warn` says so and judges what was delivered all the same.
    #[arg(long, value_name = "HOW", default_value = "judge")]
    pub health: OnHealth,
    /// Tells Prometheus how the run is, while it goes on: at /metrics of this port of the loopback
    /// interface, or of another with its address
    #[arg(id = "told_at", long = "metrics", value_name = "[ADDRESS:]PORT")]
    pub metrics: Option<At>,
    /// Prints what is planned, and starts nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What becomes of a run whose generator was its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnHealth {
    /// It is invalid.
    #[default]
    Judge,
    /// It has a warning.
    Warn,
}

impl Load {
    /// The plan: a file's or a built-in one, with these options instead of what it says; or one that is
    /// made of them.
    ///
    /// # Errors
    ///
    /// If an option does not go with a plan.
    pub fn source(&self, plan: Option<String>) -> Result<Source, clap::Error> {
        Ok(match plan {
            Some(name) => Source::Named {
                name,
                overrides: self.overrides()?,
            },
            None => Source::Options(self.short()),
        })
    }

    fn short(&self) -> ShortPlan {
        let seed = self.seed.unwrap_or(1);
        let defaults = ShortPlan::new(self.users.unwrap_or(USERS), seed);
        ShortPlan {
            rooms: self.rooms.unwrap_or(defaults.rooms),
            rate_per_s: self.rate.unwrap_or(defaults.rate_per_s),
            duration: self.duration.map_or(defaults.duration, Duration::from),
            transport: self.transport.unwrap_or(defaults.transport),
            message_len: self.message_len.unwrap_or(MESSAGE_LEN),
            ramp: self.ramp.map_or(defaults.ramp, Duration::from),
            ..defaults
        }
    }

    /// What stands on the command line instead of a plan's own; the rest a plan says by its stages.
    fn overrides(&self) -> Result<Overrides, clap::Error> {
        for (option, key, is_given) in [
            ("--rooms", "[rooms]", self.rooms.is_some()),
            ("--rate", "the `sends` of its stages", self.rate.is_some()),
            (
                "--duration",
                "the `duration` of its stages",
                self.duration.is_some(),
            ),
            (
                "--ramp",
                "the `arrivals` of its stages",
                self.ramp.is_some(),
            ),
        ] {
            if is_given {
                let what = format!("{option} does not go with a plan, which says {key}\n");
                return Err(Cli::command().error(ErrorKind::ArgumentConflict, what));
            }
        }
        Ok(Overrides {
            users: self.users,
            seed: self.seed,
            transport: self.transport,
            message_len: self.message_len,
        })
    }
}

impl Source {
    /// The plan.
    ///
    /// # Errors
    ///
    /// If there is none, or it is unusable.
    pub fn plan(&self) -> anyhow::Result<LoadPlan> {
        match self {
            Self::Options(short) => Ok(short.plan()?),
            Self::Named { name, overrides } => Ok(plan::find(name, overrides)?),
        }
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(&self, seed: u64) -> Self {
        let mut source = self.clone();
        match &mut source {
            Self::Options(short) => short.seed = seed,
            Self::Named { overrides, .. } => overrides.seed = Some(seed),
        }
        source
    }

    /// The plan's file or name; `None` if it is made of options.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Options(_) => None,
            Self::Named { name, .. } => Some(name),
        }
    }

    /// Writes the options behind `command` that lead here, whatever the defaults will be then.
    pub fn write_options(&self, command: &mut String) {
        match self {
            Self::Options(short) => write_short(command, short),
            Self::Named { overrides, .. } => write_overrides(command, overrides),
        }
    }
}

fn write_short(command: &mut String, short: &ShortPlan) {
    let ShortPlan {
        users,
        rooms,
        rate_per_s,
        duration,
        seed,
        transport,
        message_len,
        ramp,
        drain: _,
    } = short;
    let _ = write!(
        command,
        " --users {users} --rooms {rooms} --rate {rate_per_s} --duration {} --ramp {} \
         --seed {seed} --transport {} --message-len {message_len}",
        time(*duration),
        time(*ramp),
        name_of(*transport),
    );
}

fn write_overrides(command: &mut String, overrides: &Overrides) {
    let Overrides {
        users,
        seed,
        transport,
        message_len,
    } = *overrides;
    for (option, value) in [
        ("users", users.map(|it| it.to_string())),
        ("seed", seed.map(|it| it.to_string())),
        ("transport", transport.map(name_of)),
        ("message-len", message_len.map(|it| it.to_string())),
    ] {
        if let Some(value) = value {
            let _ = write!(command, " --{option} {value}");
        }
    }
}

/// What a transport is called on the command line.
pub fn name_of(transport: Transport) -> String {
    let value = transport.to_possible_value();
    value.map_or_else(|| "ws".to_owned(), |value| value.get_name().to_owned())
}

/// Writes `duration` exactly, in one word.
pub fn time(duration: Duration) -> String {
    let ns = duration.as_nanos();
    if ns.is_multiple_of(1_000_000_000) {
        format!("{}s", ns / 1_000_000_000)
    } else if ns.is_multiple_of(1_000_000) {
        format!("{}ms", ns / 1_000_000)
    } else {
        format!("{ns}ns")
    }
}
