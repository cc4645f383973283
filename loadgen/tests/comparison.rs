//! A comparison of two builds as its user meets it: `loadgen ab`, what it writes, and its exit status.
#![cfg(unix)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use cluster::embedded::{self, Size};
use cluster::options::Options;
use cluster::process::Running;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::ab::{AB_JSON, Ab, Verdict};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

type Tested = Result<(), Box<dyn Error>>;

/// One cluster that is either build, and its gate.
async fn cluster() -> Result<(Running, String), Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(1);
    let cluster = embedded::start(Size::default(), Options::default(), &mut rng).await?;
    let (host, port) = cluster.gate().ok_or("a cluster has a gate")?;
    let gate = format!("{host}:{port}");
    Ok((cluster, gate))
}

/// What all runs follow: ten users who say something within a second.
const PLAN: &str = "
drain = '500ms'
[[stage]]
duration = '200ms'
arrivals.users = 10
[[stage]]
duration = '500ms'
sends = { rate = 40, spacing = 'even' }
";

/// Compares `gate` with itself and writes the report to `out` in `folder`.
fn compare(gate: &str, pairs: &str, folder: &Path) -> std::io::Result<Child> {
    let plan = folder.join("short.toml");
    fs::write(&plan, PLAN)?;
    Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["ab", "--base-gate", gate, "--new-gate", gate])
        .args(["--pairs", pairs, "--health", "warn"])
        .arg(plan)
        .arg("--out")
        .arg(folder.join("out"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

fn report(folder: &Path) -> Result<Ab, Box<dyn Error>> {
    let file = folder.join("out").join(AB_JSON);
    Ok(Ab::parse(&fs::read_to_string(&file)?, &file)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pairs_are_in_the_report_and_the_verdict_is_the_exit_status() -> Tested {
    let folder = tempfile::tempdir()?;
    let (cluster, gate) = cluster().await?;
    let output = compare(&gate, "4", folder.path())?
        .wait_with_output()
        .await?;
    cluster.stop().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let ab = report(folder.path())?;
    assert_eq!(ab.pairs.len(), 4, "{said}");
    assert_eq!(
        output.status.code(),
        Some(ab.verdict.exit_status().into()),
        "{said}"
    );
    let metrics: Vec<&str> = ab.metrics.iter().map(|it| it.metric.as_str()).collect();
    assert_eq!(metrics, ["broadcast.last.p50", "broadcast.last.p99"]);
    for pair in &ab.pairs {
        for trial in [&pair.base, &pair.new] {
            let run = reports::run_folder::read(&folder.path().join("out").join(&trial.run))?;
            assert_eq!(run.seed, pair.seed);
            assert_eq!(trial.broken, [""; 0], "{said}");
        }
    }
    let summary = String::from_utf8_lossy(&output.stdout);
    assert!(
        summary.starts_with(&format!("out: {}, ", ab.verdict.name())),
        "{summary}"
    );
    assert!(
        summary.ends_with(&format!("repeat: {}\n", ab.command)),
        "{summary}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_it_with_a_report_of_the_pairs_that_were_done() -> Tested {
    let folder = tempfile::tempdir()?;
    let (cluster, gate) = cluster().await?;
    let mut running = compare(&gate, "100", folder.path())?;
    let mut lines = BufReader::new(running.stderr.take().ok_or("stderr is piped")?).lines();
    loop {
        let line = lines.next_line().await?.ok_or("it ended early")?;
        if line.starts_with("pair 1 of 100: ") {
            break;
        }
    }
    let pid = i32::try_from(running.id().ok_or("it runs")?)?;
    kill_process(Pid::from_raw(pid).ok_or("a process")?, Signal::INT)?;
    while lines.next_line().await?.is_some() {}
    let output = running.wait_with_output().await?;
    cluster.stop().await?;
    assert_eq!(output.status.code(), Some(130));
    let ab = report(folder.path())?;
    assert_eq!((ab.verdict, ab.pairs.len()), (Verdict::Inconclusive, 1));
    assert_eq!(ab.reasons, ["it was stopped when 1 of 100 pairs were done"]);
    let summary = String::from_utf8_lossy(&output.stdout);
    assert!(summary.contains(&ab.reasons[0]), "{summary}");
    Ok(())
}
