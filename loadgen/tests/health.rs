//! A run whose generator, or the machine, was the limit says so, and nothing of the cluster.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use cluster::embedded::{self, Size};
use cluster::net::{Network, Tcp};
use cluster::options::Options;
use cluster::process::Running;
use loadgen::address::Address;
use loadgen::drive::{drive, recorder};
use loadgen::outcome::{Stamp, exit_status, judge};
use loadgen::plan::short::ShortPlan;
use rand::SeedableRng;
use rand::rngs::StdRng;
use reports::run::{Judgement, Run};
use reports::run_folder;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

type Outcome = Result<(), Box<dyn Error>>;
type Stderr = Lines<BufReader<ChildStderr>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");

/// Longer than a process may stand still.
const STOP: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_stopped_for_a_while_makes_its_run_invalid() -> Outcome {
    let out = tempfile::tempdir()?;
    let cluster = start_cluster().await?;
    let (mut running, mut said) = load(&cluster, out.path(), &["--duration", "3s"])?;
    let line = said.next().ok_or("it ended early")??;
    assert!(line.starts_with("elapsed_s="), "{line}");
    let pid = Pid::from_child(&running);
    kill_process(pid, Signal::STOP)?;
    sleep(STOP).await;
    kill_process(pid, Signal::CONT)?;
    let said: Vec<_> = said.collect::<Result<_, _>>()?;
    assert_eq!(running.wait()?.code(), Some(3), "{said:#?}");
    let run = run_folder::read(out.path())?;
    assert_eq!(run.judgement(), Judgement::Invalid);
    let told = run
        .invalid
        .iter()
        .any(|it| it.starts_with("loadgen stood still for 1."));
    assert!(told, "{:#?}", run.invalid);
    cluster.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_stopped_for_a_while_makes_the_run_invalid_by_its_name() -> Outcome {
    let out = tempfile::tempdir()?;
    let cluster = start_cluster().await?;
    let arguments = ["--duration", "3s", "--rooms", "10", "--workers", "2"];
    let (mut running, mut said) = load(&cluster, out.path(), &arguments)?;
    let line = said.next().ok_or("it ended early")??;
    assert!(line.starts_with("elapsed_s="), "{line}");
    let worker = children(&running)?.pop().ok_or("no workers")?;
    kill_process(worker, Signal::STOP)?;
    sleep(STOP).await;
    kill_process(worker, Signal::CONT)?;
    let said: Vec<_> = said.collect::<Result<_, _>>()?;
    assert_eq!(running.wait()?.code(), Some(3), "{said:#?}");
    let run = run_folder::read(out.path())?;
    let mut reasons = run.invalid.iter();
    let told = reasons.any(|it| it.starts_with("worker ") && it.contains(" stood still for 1."));
    assert!(told, "{:#?}", run.invalid);
    cluster.stop().await?;
    Ok(())
}

/// The processes that a process has started, whichever of its threads did.
fn children(process: &Child) -> Result<Vec<Pid>, Box<dyn Error>> {
    let mut pids = Vec::new();
    for thread in fs::read_dir(format!("/proc/{}/task", process.id()))? {
        let children = fs::read_to_string(thread?.path().join("children"))?;
        for child in children.split_whitespace() {
            pids.push(Pid::from_raw(child.parse()?).ok_or("no process is 0")?);
        }
    }
    Ok(pids)
}

#[tokio::test(flavor = "multi_thread")]
async fn users_for_whom_there_was_no_file_are_not_held_against_the_cluster() -> Outcome {
    let out = tempfile::tempdir()?;
    let cluster = start_cluster().await?;
    let (mut running, said) = load(&cluster, out.path(), &["--duration", "1s"])?;
    // What it has open already, and less than one for each user.
    let few = Rlimit {
        current: Some(30),
        maximum: Some(30),
    };
    prlimit(Some(Pid::from_child(&running)), Resource::Nofile, few)?;
    let said: Vec<_> = said.collect::<Result<_, _>>()?;
    assert_eq!(running.wait()?.code(), Some(3), "{said:#?}");
    let run = run_folder::read(out.path())?;
    assert_lacking(&run, "files_exhausted", "this process had no file left");
    cluster.stop().await?;
    Ok(())
}

/// A machine without a free port.
#[derive(Clone, Debug)]
struct NoPorts(Tcp);

impl Network for NoPorts {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn listen(&self, port: u16) -> io::Result<TcpListener> {
        self.0.listen(port).await
    }

    async fn connect(&self, _host: &str, _port: u16) -> io::Result<TcpStream> {
        Err(rustix::io::Errno::ADDRNOTAVAIL.into())
    }
}

#[tokio::test]
async fn users_for_whom_there_was_no_port_are_not_held_against_the_cluster() -> Outcome {
    let plan = ShortPlan {
        duration: Duration::from_millis(10),
        ramp: Duration::ZERO,
        drain: Duration::ZERO,
        ..ShortPlan::new(5, 1)
    };
    let plan = plan.plan()?;
    let gate = Address {
        host: "127.0.0.1".to_owned(),
        port: 1,
    };
    let recorder = recorder(&plan);
    let never = std::future::pending();
    let users = Vec::from_iter(0..plan.connections());
    let finished = drive(
        &plan,
        &users,
        &NoPorts(Tcp::loopback()),
        &gate,
        &recorder,
        never,
    )
    .await;
    let stamp = Stamp {
        name: "test".to_owned(),
        command: "test".to_owned(),
        started_at: Duration::ZERO,
        target: gate.to_string(),
        environment: BTreeMap::new(),
    };
    let run = judge(&plan, &finished, stamp);
    assert_eq!(exit_status(&run), 3);
    assert_lacking(&run, "ports_exhausted", "this machine had no port left");
    Ok(())
}

/// The run is invalid for this reason, and what it could not try is not counted as what the cluster
/// did not do.
fn assert_lacking(run: &Run, count: &str, why: &str) {
    assert_eq!(run.judgement(), Judgement::Invalid);
    assert!(
        run.invalid.iter().any(|it| it.contains(why)),
        "{:#?}",
        run.invalid
    );
    assert!(run.counts[count] > 0, "{:#?}", run.counts);
    for count in ["logins_failed", "not_admitted", "connections_lost"] {
        assert_eq!(run.counts[count], 0, "{count}");
    }
    let measures = run.health.iter().flat_map(|it| &it.measures);
    let mut measures = measures.filter(|measure| measure.name == count);
    let measure = measures.next().map(|it| (it.value, it.limit));
    assert_eq!(measure, Some((run.counts[count], Some(0))));
}

async fn start_cluster() -> Result<Running, Box<dyn Error>> {
    let mut rng = StdRng::seed_from_u64(1);
    Ok(embedded::start(Size::default(), Options::default(), &mut rng).await?)
}

/// Starts a run of fifty users; when it is back, the run has said that it begins. Hands back what else it
/// says.
fn load(
    cluster: &Running,
    out: &Path,
    options: &[&str],
) -> Result<(Child, Stderr), Box<dyn Error>> {
    let (host, port) = cluster.gate().ok_or("a cluster has a gate")?;
    let mut running = Command::new(PROGRAM)
        .args(["run", "--gate", &format!("{host}:{port}")])
        .args(["--users", "50", "--rate", "20", "--out"])
        .arg(out)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = running.stderr.take().ok_or("stderr is piped")?;
    let mut lines = BufReader::new(stderr).lines();
    let plan = lines.next().ok_or("it ended early")??;
    assert!(plan.starts_with("50 users in "), "{plan}");
    Ok((running, lines))
}
