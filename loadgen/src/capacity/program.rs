//! The command `capacity`: check, start what is missing, search, report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use cluster::signals::{Signal, Signals};
use reports::capacity::{Capacity, Outcome, SCHEMA, cases, text};
use reports::junit;
use reports::output::{Output, say};
use reports::run::{Program, date, date_now};
use reports::run_folder::RunFolder;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::hunt::{Caught, Hunt};
use super::judge::Demands;
use super::own::OwnCluster;
use super::runner::Runner;
use super::scaled::{Timing, rate_of};
use super::search::{Rate, Settings};
use crate::cli::{CapacityOptions, OnHealth};
use crate::drive::Ending;
use crate::environment;
use crate::health;
use crate::plan::short::{DURATION_MAX, RATE_MAX};
use crate::plan::threshold::Demand;
use crate::plan::{self, LoadPlan};
use crate::verdicts;
use crate::workers::Crew;

/// What must hold if neither the plan nor the command line says so.
const SLO: &str = "broadcast.last.p99 < 100ms";

/// Below so many sends per second there is nothing to measure.
const RATE_MIN: f64 = 0.1;

/// So often the rate doubles while all holds.
const FACTOR: f64 = 2.0;

/// The lowest rate is this share of the first, unless it is given.
const DOWN_TO: f64 = 0.01;

/// Searches, and prints and writes what was found; the exit status says how it ended.
///
/// # Errors
///
/// If it can't be done: an unusable plan, gate, machine or folder.
pub async fn run(options: &CapacityOptions) -> anyhow::Result<ExitCode> {
    let hunt = hunt(options)?;
    if options.dry_run {
        return describe(&hunt);
    }
    // A cluster of our own opens as many, in its own process.
    health::allow_files(hunt.plan.connections(), false)?;
    let crew = Crew::of(&hunt.plan, options.workers, false)?;
    let own = match options.gate {
        Some(_) => None,
        None => Some(OwnCluster::start().await?),
    };
    let gate = options.gate.as_ref().or(own.as_ref().map(OwnCluster::gate));
    let gate = gate
        .expect("without a gate of somebody else's, there is a cluster")
        .clone();
    let mut servers = options.server_pids.clone();
    servers.extend(own.as_ref().and_then(OwnCluster::pid));
    // From here on a signal ends the search and not the program.
    let signals = Signals::listen().context("the system refuses signals")?;
    let folder = Arc::new(folder(options, hunt.plan.seed)?);
    let (sender, signal) = watch::channel(None);
    let mut tasks = JoinSet::new();
    tasks.spawn(heed(signals, sender, Arc::clone(&folder)));
    let started_at = date_now();
    say(&format!(
        "capacity of {gate}: plan {}, {} users in {} rooms; each trial takes {:.0?}",
        hunt.plan.name,
        hunt.plan.users,
        hunt.plan.rooms.count(),
        hunt.trial_time(),
    ));
    let mut runner = Runner {
        gate,
        own,
        crew,
        servers,
        signal,
    };
    let caught = hunt.run(&mut runner).await?;
    let stopped = caught.stopped.clone();
    let capacity = capacity(options, &hunt, caught, started_at, &folder);
    report(options, &capacity, &folder)?;
    Ok(status(&capacity, stopped))
}

fn status(capacity: &Capacity, stopped: Option<Ending>) -> ExitCode {
    if let Some(Ending::Interrupted(signal)) = stopped {
        return ExitCode::from(signal.exit_status());
    }
    ExitCode::from(match capacity.answer.outcome {
        Outcome::Found | Outcome::AtLeast => 0,
        Outcome::Below => 1,
        Outcome::Generator | Outcome::Undecided => 3,
    })
}

/// What is to be searched for.
fn hunt(options: &CapacityOptions) -> anyhow::Result<Hunt> {
    let plan = plan::find(&options.plan, &options.overrides())?;
    for check in &options.except {
        let known = verdicts::NAMES;
        if !known.contains(&check.as_str()) {
            bail!(
                "--except {check}: there is no such check; known are {}",
                known.join(", ")
            );
        }
    }
    let start = options
        .start_rate
        .or(rate_of(&plan))
        .unwrap_or(f64::from(plan.users) / 5.0);
    let min = options
        .min_rate
        .unwrap_or((start * DOWN_TO).min(options.max_rate))
        .max(RATE_MIN);
    for (option, rate) in [
        ("start-rate", start),
        ("min-rate", min),
        ("max-rate", options.max_rate),
    ] {
        if !(RATE_MIN..=RATE_MAX).contains(&rate) {
            bail!(
                "--{option} must be from {RATE_MIN} to {RATE_MAX} sends per second, not {rate:?}"
            );
        }
    }
    if min > options.max_rate {
        bail!(
            "--min-rate {min} is more than --max-rate {}",
            options.max_rate
        );
    }
    for (option, time) in [("measure", options.measure), ("time", options.time)] {
        if time.is_zero() {
            bail!("--{option} must be more than 0s");
        }
    }
    for (option, time) in [("measure", options.measure), ("warm-up", options.warm_up)] {
        if Duration::from(time) > DURATION_MAX {
            bail!("--{option} must be at most 24h");
        }
    }
    Ok(Hunt {
        demands: demands(options, &plan)?,
        timing: Timing {
            warm_up: options.warm_up.into(),
            measure: options.measure.into(),
        },
        settings: Settings {
            start: Rate::per_second(start.clamp(min, options.max_rate)),
            min: Rate::per_second(min),
            max: Rate::per_second(options.max_rate),
            factor: FACTOR,
            precision: options.precision.0,
            lead: options.confirm,
            votes_max: 2 * options.confirm + 1,
            unknown_max: 2,
        },
        time: options.time.into(),
        plan,
    })
}

/// What was asked for, then what the plan demands of other figures.
fn demands(options: &CapacityOptions, plan: &LoadPlan) -> anyhow::Result<Demands> {
    let mut figures = options.slos.clone();
    let of_plan = plan.thresholds.iter().map(|it| &it.demand);
    for demand in of_plan {
        if options.slos.iter().all(|slo| slo.metric != demand.metric) {
            figures.push(demand.clone());
        }
    }
    let is_latency = |demand: &Demand| demand.unit == reports::run::threshold::Unit::Us;
    if !figures.iter().any(is_latency) {
        figures.insert(0, SLO.parse()?);
    }
    Ok(Demands {
        figures,
        except: options.except.clone(),
        trusts_generator: options.health == OnHealth::Warn,
    })
}

/// Prints what would be tried.
fn describe(hunt: &Hunt) -> anyhow::Result<ExitCode> {
    let Hunt {
        plan,
        demands,
        settings,
        ..
    } = hunt;
    let mut stdout = Output::stdout();
    stdout.print_line(&format!(
        "{}: {} users in {} rooms, seed {}; each trial takes {:.0?}, {:?} of it measured",
        plan.name,
        plan.users,
        plan.rooms.count(),
        plan.seed,
        hunt.trial_time(),
        hunt.timing.measure,
    ));
    stdout.print_line(&format!(
        "from {} sends per second, at least {}, at most {}, to {:.1} %; no trial is begun after {:?}",
        settings.start,
        settings.min,
        settings.max,
        settings.precision * 100.0,
        hunt.time,
    ));
    for demand in &demands.figures {
        stdout.print_line(&format!("must hold: {demand}"));
    }
    stdout.end()?;
    Ok(ExitCode::SUCCESS)
}

fn folder(options: &CapacityOptions, seed: u64) -> anyhow::Result<RunFolder> {
    let folder = match &options.out {
        Some(out) => RunFolder::create(out),
        None => RunFolder::create_next(Path::new("runs"), &format!("capacity-{seed}")),
    };
    folder.context("no folder for the report (--out)")
}

/// Passes the first signal on; another ends the program at once.
async fn heed(mut signals: Signals, sender: watch::Sender<Option<Signal>>, folder: Arc<RunFolder>) {
    let signal = signals.next().await;
    sender.send_replace(Some(signal));
    say("stopping; another signal ends at once, without a report");
    let signal = signals.next().await;
    folder.abandon();
    process::exit(signal.exit_status().into());
}

/// All that is known.
fn capacity(
    options: &CapacityOptions,
    hunt: &Hunt,
    caught: Caught,
    started_at: Duration,
    folder: &RunFolder,
) -> Capacity {
    let Caught {
        answer,
        trials,
        curve,
        cost,
        stopped,
        warnings,
    } = caught;
    Capacity {
        schema: SCHEMA,
        name: folder.name(),
        program: Program {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        seed: hunt.plan.seed,
        command: options.command(),
        date: date(started_at),
        elapsed_us: date_now().saturating_sub(started_at).as_micros() as u64,
        partial: stopped.is_some(),
        options: told(options, hunt),
        answer,
        trials,
        curve,
        cost,
        warnings,
        environment: environment::read(),
    }
}

fn told(options: &CapacityOptions, hunt: &Hunt) -> BTreeMap<String, Value> {
    let transport = hunt.plan.transport.to_possible_value();
    let transport = transport.map(|value| value.get_name().to_owned());
    let target = options
        .gate
        .as_ref()
        .map_or_else(|| "own".to_owned(), ToString::to_string);
    let demands: Vec<String> = hunt
        .demands
        .figures
        .iter()
        .map(ToString::to_string)
        .collect();
    let options = [
        ("except", options.except.clone().into()),
        (
            "measure_us",
            (hunt.timing.measure.as_micros() as u64).into(),
        ),
        ("message_len", hunt.plan.message_len.into()),
        ("must_hold", demands.into()),
        ("plan", hunt.plan.name.as_str().into()),
        ("precision", hunt.settings.precision.into()),
        ("rooms", hunt.plan.rooms.count().into()),
        ("target", target.into()),
        ("transport", transport.into()),
        ("users", hunt.plan.users.into()),
        (
            "warm_up_us",
            (hunt.timing.warm_up.as_micros() as u64).into(),
        ),
    ];
    let options = options.into_iter();
    options
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn report(
    options: &CapacityOptions,
    capacity: &Capacity,
    folder: &RunFolder,
) -> anyhow::Result<()> {
    folder.write_capacity(capacity)?;
    if let Some(file) = &options.junit {
        let xml = junit::xml("loadgen capacity", &[cases::suite(capacity)]);
        fs::write(file, xml).with_context(|| format!("can't write {}", file.display()))?;
    }
    let mut summary = String::new();
    text::write_summary(&mut summary, capacity)?;
    let mut stdout = Output::stdout();
    stdout.print(&summary);
    say(&format!("report: {}", folder.path().display()));
    stdout.end()?;
    Ok(())
}
