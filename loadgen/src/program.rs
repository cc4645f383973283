//! The program: check, start what is missing, drive, judge, report.

use std::future;
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::Arc;

use anyhow::Context;
use cluster::embedded::{self, Size};
use cluster::net::Tcp;
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
use tokio::time::Instant;

use crate::address::Address;
use crate::cli::Task;
use crate::drive::{Ending, Finished, access, drive};
use crate::health;
use crate::history::Recorder;
use crate::outcome::{Stamp, judge};
use crate::progress;

/// Does `task` and prints its summary; the exit status says what held.
///
/// # Errors
///
/// If the task can't be done: an unusable plan, gate, machine or folder.
pub async fn run(task: &Task) -> anyhow::Result<ExitCode> {
    task.plan.check()?;
    health::allow_files(task.plan.users, task.gate.is_none())?;
    let mut cluster = match task.gate {
        Some(_) => None,
        None => Some(start_cluster().await?),
    };
    let gate = gate(task, cluster.as_ref());
    health::ask_gate(&Tcp::loopback(), &access(&task.plan, &gate)).await?;
    // From here on a signal ends the run and not the program.
    let signals = Signals::listen().context("the system refuses signals")?;
    let folder = Arc::new(folder(task)?);
    let (stopper, stopped) = oneshot::channel();
    let mut watch = JoinSet::new();
    watch.spawn(heed(signals, stopper, Arc::clone(&folder)));
    let started_at = date_now();

    say(&format!(
        "{} users in {} rooms, {} sends per second for {:?}, gate {gate}",
        task.plan.users, task.plan.rooms, task.plan.rate_per_s, task.plan.duration,
    ));
    let finished = drive_shown(task, &gate, cluster.as_mut(), stopped).await;
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
            None => "embedded".to_owned(),
        },
    };
    report(task, &finished, stamp, &folder)
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

fn folder(task: &Task) -> anyhow::Result<RunFolder> {
    let folder = match &task.out {
        Some(out) => RunFolder::create(out),
        None => RunFolder::create_next(Path::new("runs"), &format!("load-{}", task.plan.seed)),
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

/// Drives the users and shows how far they are, until they have ended, the cluster fails, or
/// `signal` comes.
async fn drive_shown(
    task: &Task,
    gate: &Address,
    cluster: Option<&mut Running>,
    signal: oneshot::Receiver<Signal>,
) -> Finished {
    let recorder = Recorder::new(Instant::now());
    let failed = async {
        match cluster {
            Some(cluster) => cluster.ended().await,
            None => future::pending().await,
        }
    };
    let stopped = async {
        tokio::select! {
            error = failed => Ending::Failed {
                reason: format!("{:#}", anyhow::Error::from(error)),
            },
            Ok(signal) = signal => Ending::Interrupted(signal),
        }
    };
    let network = Tcp::loopback();
    tokio::select! {
        finished = drive(&task.plan, &network, gate, &recorder, stopped) => finished,
        never = progress::show(&task.plan, &recorder) => match never {},
    }
}

fn report(
    task: &Task,
    finished: &Finished,
    stamp: Stamp,
    folder: &RunFolder,
) -> anyhow::Result<ExitCode> {
    let started_at = stamp.started_at;
    let outcome = judge(&task.plan, finished, stamp);
    folder.write_run(&outcome.run)?;
    folder.write_latencies(started_at, finished.elapsed, &outcome.latencies)?;
    let mut summary = String::new();
    text::write_summary(&mut summary, &outcome.run)?;
    let mut stdout = Output::stdout();
    stdout.print(&summary);
    say(&format!("report: {}", folder.path().display()));
    stdout.end()?;
    Ok(match finished.ending {
        Ending::Interrupted(signal) => ExitCode::from(signal.exit_status()),
        _ if outcome.run.passes() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
