//! A load test in several processes, and what becomes of it when one of them fails.
#![cfg(target_os = "linux")]

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use cluster::embedded::{self, Size};
use cluster::options::Options;
use loadgen::address::Address;
use loadgen::drive::{Ending, Finished};
use loadgen::plan::LoadPlan;
use loadgen::trial::{self, TrialError};
use loadgen::workers::Crew;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::run::{Judgement, Run};
use reports::run_folder;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::time::Instant;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");

/// Longest wait for a process to end; far more than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_run_of_three_processes_has_all_users_and_holds() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut running = Running::start(out.path(), &["--duration", "1s"])?;
    let run = running.ended(out.path(), 0)?;
    assert_eq!(run.judgement(), Judgement::Pass);
    assert_eq!(run.counts["users_entered"], 120);
    assert_eq!(run.counts["users_total"], 120);
    assert_eq!(run.latencies["login"].count, 120);
    assert!(run.counts["deliveries_total"] > 0);
    assert!(run.command.ends_with(" --workers 3"), "{}", run.command);
    Ok(())
}

#[test]
fn a_worker_that_is_killed_makes_the_run_invalid() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut running = Running::start(out.path(), &["--duration", "1h"])?;
    running.all_are_in()?;
    kill_process(running.workers()?[1], Signal::KILL)?;
    let run = running.ended(out.path(), 3)?;
    let [reason] = &run.invalid[..] else {
        return Err(format!("{:?}", run.invalid).into());
    };
    assert!(reason.contains("worker 2 of 3"), "{reason}");
    assert!(reason.contains("signal: 9"), "{reason}");
    // What the other two had is there.
    assert_eq!(run.counts["users_entered"], 80);
    Ok(())
}

#[test]
fn a_worker_that_stands_still_makes_the_run_invalid() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut running = Running::start(out.path(), &["--duration", "1h"])?;
    running.all_are_in()?;
    let workers = running.workers()?;
    kill_process(workers[0], Signal::STOP)?;
    let run = running.ended(out.path(), 3)?;
    let reason = run.invalid.join("; ");
    assert!(
        reason.contains("worker 1 of 3: it said nothing for"),
        "{reason}"
    );
    assert!(workers.iter().all(|worker| !is_alive(*worker)));
    Ok(())
}

#[test]
fn ctrl_c_in_a_terminal_ends_all_processes_once_and_the_report_is_whole() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut running = Running::start(out.path(), &["--duration", "1h"])?;
    running.all_are_in()?;
    let workers = running.workers()?;
    // A terminal sends it to every process of the group.
    kill_process_group(running.pid(), Signal::INT)?;
    let run = running.ended(out.path(), 130)?;
    assert_eq!(run.judgement(), Judgement::Partial);
    assert_eq!(run.counts["users_entered"], 120);
    assert_eq!(run.counts["connections_lost"], 0);
    assert!(workers.iter().all(|worker| !is_alive(*worker)));
    Ok(())
}

#[test]
fn workers_do_not_outlive_who_started_them() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut running = Running::start(out.path(), &["--duration", "1h"])?;
    running.all_are_in()?;
    let workers = running.workers()?;
    running.child.kill()?;
    running.child.wait()?;
    let until = Instant::now() + PATIENCE;
    while workers.iter().any(|worker| is_alive(*worker)) {
        assert!(Instant::now() < until, "a worker lives on");
        std::thread::yield_now();
    }
    Ok(())
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_told_apart_before_the_start() -> Outcome {
    for (script, said) in [
        ("exit 7", "it ended too early (exit status: 7)"),
        (
            "echo hello; exec sleep 60",
            "it wrote what nobody understands",
        ),
        (
            "echo '{\"Status\":{}}'; exec sleep 60",
            "it wrote what nobody understands",
        ),
    ] {
        let error = trial(script).await.err().ok_or("it was no worker")?;
        let error = cluster::causes::sentence(&error);
        assert!(error.starts_with("worker 1 of 2: "), "{error}");
        assert!(error.contains(said), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_says_what_nobody_understands_makes_the_run_invalid() -> Outcome {
    for (script, said) in [
        (
            "echo '\"Ready\"'; read plan; read start; echo nonsense; exec sleep 60",
            "understands",
        ),
        (
            "echo '\"Ready\"'; read plan; read start; echo '\"Ready\"'; exec sleep 60",
            "that it is ready",
        ),
        (
            "echo '\"Ready\"'; read plan; read start; exit 0",
            "it ended too early (exit status: 0)",
        ),
    ] {
        let finished = trial(script).await?;
        let Ending::Invalid { reason } = &finished.ending else {
            return Err(format!("{script}: {:?}", finished.ending).into());
        };
        assert!(reason.contains(said), "{reason}");
    }
    Ok(())
}

/// Runs a plan with a shell script for a worker.
async fn trial(script: &str) -> Result<Finished, TrialError> {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let program = folder.path().join("worker");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut rng = StdRng::seed_from_u64(1);
    let cluster = embedded::start(Size::default(), Options::default(), &mut rng).await;
    let cluster = cluster.expect("there are free ports");
    let (host, port) = cluster.gate().expect("a cluster has a gate");
    let host = host.to_owned();
    let gate = Address { host, port };
    let crew = Crew {
        program,
        workers: 2,
    };
    let never = async |_live| std::future::pending().await;
    trial::run(&LoadPlan::new(100, 1), &gate, &crew, never).await
}

/// A run of 120 users in three processes.
struct Running {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(out: &Path, arguments: &[&str]) -> Outcome<Self> {
        let mut child = Command::new(PROGRAM)
            .args(["--users", "120", "--rate", "50", "--workers", "3"])
            .args(["--health", "warn"])
            .args(arguments)
            .arg("--out")
            .arg(out)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let stderr = child.stderr.take().ok_or("stderr is piped")?;
        let stderr = BufReader::new(stderr).lines();
        Ok(Self { child, stderr })
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for the line that says so.
    fn all_are_in(&mut self) -> Outcome {
        for line in &mut self.stderr {
            if line?.contains(" users_entered=120 ") {
                return Ok(());
            }
        }
        Err("it ended early".into())
    }

    fn workers(&self) -> Outcome<Vec<Pid>> {
        let pid = self.child.id();
        let mut workers = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let children = fs::read_to_string(task?.path().join("children"))?;
            for child in children.split_whitespace() {
                workers.push(Pid::from_raw(child.parse()?).ok_or("no process is 0")?);
            }
        }
        workers.sort_by_key(|worker| worker.as_raw_nonzero());
        assert_eq!(workers.len(), 3);
        Ok(workers)
    }

    fn ended(&mut self, out: &Path, status: i32) -> Outcome<Run> {
        let said: Vec<_> = (&mut self.stderr).collect::<Result<_, _>>()?;
        let ended = self.child.wait()?;
        let mut summary = String::new();
        let stdout = self.child.stdout.as_mut().ok_or("stdout is piped")?;
        stdout.read_to_string(&mut summary)?;
        assert_eq!(ended.code(), Some(status), "{said:#?}\n{summary}");
        Ok(run_folder::read(out)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most often it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it runs; one that has ended may be waiting for somebody to take notice.
fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}
