//! The program: check, start what is missing, drive, judge, report.

use std::future;
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::Arc;

use anyhow::Context;
use cluster::embedded::{self, Size};
use cluster::options::Options;
use cluster::process::Running;
use cluster::signals::{Signal, Signals};
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::output::{Output, say};
use reports::run::date_now;
use reports::run_folder::RunFolder;
use reports::text;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::ab;
use crate::address::Address;
use crate::cli::{Asked, OnHealth, Task};
use crate::drive::{Ending, Finished};
use crate::environment;
use crate::health;
use crate::outcome::{self, EMBEDDED, Stamp, judge};
use crate::plan::counts::Counts;
use crate::plan::file::Overrides;
use crate::plan::{self, LoadPlan};
use crate::prometheus::endpoint::Endpoint;
use crate::status::Live;
use crate::workers::{self, Crew};
use crate::{capacity, progress, thresholds, trial};

/// The exit status if something can't be used.
const UNUSABLE: u8 = 2;

/// Does what was asked for; the exit status says what held.
///
/// # Errors
///
/// If it can't be done: an unusable plan, gate, machine or folder.
pub async fn run(asked: &Asked) -> anyhow::Result<ExitCode> {
    match asked {
        Asked::Check(plans) => check(plans),
        Asked::Ab(experiment) => ab::run(experiment).await,
        Asked::Work => {
            workers::work().await?;
            Ok(ExitCode::SUCCESS)
        }
        Asked::Capacity(options) => capacity::program::run(options).await,
        Asked::OwnCluster => {
            capacity::own::serve().await?;
            Ok(ExitCode::SUCCESS)
        }
        Asked::Load(task) if task.dry_run => describe(task),
        Asked::Load(task) => load(task).await,
    }
}

/// Says of each plan whether it is sound, and what is wrong.
fn check(plans: &[String]) -> anyhow::Result<ExitCode> {
    let mut stdout = Output::stdout();
    let mut status = ExitCode::SUCCESS;
    for name in plans {
        match plan::find(name, &Overrides::default()) {
            Ok(plan) => stdout.print_line(&format!(
                "{name}: {} users in {} rooms, {} stages, {:?}",
                plan.users,
                plan.rooms.count(),
                plan.stages.len(),
                plan.leave_at()
            )),
            Err(error) => {
                say(&format!("error: {:#}", anyhow::Error::new(error)));
                status = ExitCode::from(UNUSABLE);
            }
        }
    }
    stdout.end()?;
    Ok(status)
}

/// Prints what is planned.
fn describe(task: &Task) -> anyhow::Result<ExitCode> {
    let plan = task.plan()?;
    let counts = Counts::of(&plan);
    let connections = plan.connections();
    let mut stdout = Output::stdout();
    stdout.print_line(&format!(
        "{}: {} users in {} rooms, the largest of {}, seed {}; {} open files, {} with the cluster in \
         this process\n",
        plan.name,
        plan.users,
        plan.rooms.count(),
        counts.room_max,
        plan.seed,
        health::files_needed(connections, false),
        health::files_needed(connections, true),
    ));
    stdout.print(&counts.table(&plan));
    for threshold in &plan.thresholds {
        stdout.print_line(&format!("must hold: {}", threshold.demand));
    }
    stdout.end()?;
    Ok(ExitCode::SUCCESS)
}

/// Does `task` and prints its summary.
async fn load(task: &Task) -> anyhow::Result<ExitCode> {
    let plan = task.plan()?;
    let crew = Crew::of(&plan, task.workers, task.gate.is_none())?;
    let mut cluster = match task.gate {
        Some(_) => None,
        None => Some(start_cluster().await?),
    };
    let gate = gate(task, cluster.as_ref());
    let metrics = match task.metrics {
        Some(at) => Some(Endpoint::bind(at).await?),
        None => None,
    };
    // From here on a signal ends the run and not the program.
    let signals = Signals::listen().context("the system refuses signals")?;
    let folder = Arc::new(folder(task, plan.seed)?);
    let (stopper, stopped) = oneshot::channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(heed(signals, stopper, Arc::clone(&folder)));
    let started_at = date_now();
    let environment = environment::read();

    say(&format!(
        "{} users in {} rooms, plan {} of {:?}, gate {gate}",
        plan.users,
        plan.rooms.count(),
        plan.name,
        plan.leave_at(),
    ));
    if let Some(metrics) = &metrics {
        say(&format!("metrics: {}", metrics.url()));
    }
    let watching = async |live| watch(&plan, &live, cluster.as_mut(), metrics, stopped).await;
    let finished = trial::run(&plan, &gate, &crew, watching).await?;
    if let Some(cluster) = cluster {
        // The figures are complete; a server that does not stop changes nothing in them.
        if let Err(error) = cluster.stop().await {
            say(&format!("warning: {:#}", anyhow::Error::from(error)));
        }
    }

    let stamp = Stamp {
        name: folder.name(),
        command: task.command(),
        started_at,
        target: match &task.gate {
            Some(gate) => gate.to_string(),
            None => EMBEDDED.to_owned(),
        },
        environment,
    };
    report(&plan, &finished, stamp, &folder, task.health)
}

async fn start_cluster() -> anyhow::Result<Running> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the cluster's chance (token, incarnations) is no part of the load of a seed"
    )]
    let mut rng = StdRng::from_os_rng();
    embedded::start(Size::default(), Options::default(), &mut rng)
        .await
        .context("can't start a cluster in this process")
}

fn gate(task: &Task, cluster: Option<&Running>) -> Address {
    if let Some(gate) = &task.gate {
        return gate.clone();
    }
    let (host, port) = cluster
        .and_then(Running::gate)
        .expect("without a gate of somebody else's, there is a cluster, and each has a gate");
    Address {
        host: host.to_owned(),
        port,
    }
}

fn folder(task: &Task, seed: u64) -> anyhow::Result<RunFolder> {
    let folder = match &task.out {
        Some(out) => RunFolder::create(out),
        None => RunFolder::create_next(Path::new("runs"), &format!("load-{seed}")),
    };
    folder.context("no folder for the report (--out)")
}

/// Passes the first signal on; another ends the program at once, even while it is busy with the
/// report.
async fn heed(mut signals: Signals, stopper: oneshot::Sender<Signal>, folder: Arc<RunFolder>) {
    let signal = signals.next().await;
    // Users that have ended need not be told.
    let _ = stopper.send(signal);
    say("stopping; another signal ends at once, without a report");
    let signal = signals.next().await;
    folder.abandon();
    process::exit(signal.exit_status().into());
}

/// Shows how far the run is until there is a reason to stop it: a threshold is broken, the cluster
/// fails, or `signal` comes.
async fn watch(
    plan: &LoadPlan,
    live: &Live,
    cluster: Option<&mut Running>,
    metrics: Option<Endpoint>,
    signal: oneshot::Receiver<Signal>,
) -> Ending {
    let has_cluster = cluster.is_some();
    let failed = async {
        match cluster {
            Some(cluster) => cluster.ended().await,
            None => future::pending().await,
        }
    };
    let told = async {
        if let Some(metrics) = metrics {
            metrics.serve(live, has_cluster).await;
        }
        future::pending().await
    };
    tokio::select! {
        error = failed => Ending::Failed {
            reason: format!("{:#}", anyhow::Error::from(error)),
        },
        Ok(signal) = signal => Ending::Interrupted(signal),
        reason = thresholds::watch(&plan.thresholds, live.clone()) => Ending::Failed { reason },
        never = told => never,
        never = progress::show(plan, live, has_cluster) => match never {},
    }
}

fn report(
    plan: &LoadPlan,
    finished: &Finished,
    stamp: Stamp,
    folder: &RunFolder,
    health: OnHealth,
) -> anyhow::Result<ExitCode> {
    let started_at = stamp.started_at;
    let mut run = judge(plan, finished, stamp);
    if health == OnHealth::Warn {
        outcome::only_warn(&mut run, finished);
    }
    folder.write_run(&run)?;
    folder.write_measured(started_at, &finished.measured)?;
    let mut summary = String::new();
    text::write_summary(&mut summary, &run)?;
    let mut stdout = Output::stdout();
    stdout.print(&summary);
    say(&format!("report: {}", folder.path().display()));
    stdout.end()?;
    Ok(match finished.ending {
        Ending::Interrupted(signal) => ExitCode::from(signal.exit_status()),
        _ => ExitCode::from(outcome::exit_status(&run)),
    })
}
