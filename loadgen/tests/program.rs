//! The program as its user meets it: what it prints, and its exit status.

#[path = "../../reports/tests/shared/schema.rs"]
mod schema;

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
#[cfg(unix)]
use std::time::Duration;

use reports::run_folder;
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
#[cfg(unix)]
use tokio::time::Instant;

type Outcome = Result<(), Box<dyn Error>>;
type Stderr = Lines<BufReader<ChildStderr>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_loadgen");

/// Longest wait for a program to end; far more than a busy machine needs.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_run_prints_its_summary_and_writes_its_folder() -> Outcome {
    let out = tempfile::tempdir()?;
    let folder = out.path().join("mine");
    let output = loadgen(
        &[
            "--users",
            "10",
            "--duration",
            "1s",
            "--health",
            "warn",
            "--out",
        ],
        &folder,
    )?;
    let (said, summary) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(0), "{said}\n{summary}");
    assert!(summary.starts_with("mine: loadgen "), "{summary}");
    assert!(summary.contains("broadcast.last"), "{summary}");
    let run = run_folder::read(&folder)?;
    assert!(run.holds() && !run.partial);
    assert_eq!(run.plan.options["users"], 10);
    assert!(run.environment.contains_key("processors"));
    assert!(summary.ends_with(&format!("repeat: {}\n", run.command)));
    assert!(run.command.starts_with("cargo loadgen --users 10"));
    assert!(fs::read_to_string(folder.join("latencies.hdr"))?.contains("Tag=login"));
    let published = serde_json::from_str(include_str!("../../reports/run.schema.json"))?;
    let written = serde_json::from_str(&fs::read_to_string(folder.join("run.json"))?)?;
    schema::check(&published, &written)?;
    Ok(())
}

#[test]
fn what_can_not_be_used_ends_with_2_and_says_what_and_why() -> Outcome {
    let out = tempfile::tempdir()?;
    fs::write(out.path().join("notes.txt"), "mine")?;
    for (arguments, complaint) in [
        (&["--users", "0", "--out"][..], "--users"),
        (&["--rooms", "2000", "--out"], "--rooms"),
        (&["--duration", "30", "--out"], "--duration"),
        (&["--duration", "0s", "--out"], "--rate 0"),
        (&["--rate", "-1", "--out"], "--rate"),
        (&["--rate", "1e300", "--out"], "not 1e300\n"),
        (&["--users", "10", "--out"], "is not empty"),
    ] {
        let output = loadgen(arguments, out.path())?;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(complaint), "{said}");
        assert_eq!(text(&output.stdout), "");
    }
    Ok(())
}

#[test]
fn a_gate_that_does_not_answer_is_told_and_leaves_no_folder() -> Outcome {
    let parent = tempfile::tempdir()?;
    let out = parent.path().join("out");
    let output = loadgen(&["run", "--gate", "127.0.0.1:1", "--out"], &out)?;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("loadgen: gate 127.0.0.1:1: "), "{said}");
    assert_eq!(text(&output.stdout), "");
    assert!(!out.exists());
    Ok(())
}

#[test]
fn a_plan_that_is_wrong_is_told_with_its_place_before_anything_starts() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mine.toml");
    fs::write(
        &file,
        "[[stage]]\nduration = '1s'\narivals = { users = 5 }\n",
    )?;
    for command in ["check", "run"] {
        let output = loadgen(&[command], &file)?;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let expected =
            "mine.toml:3:1: unknown key `arivals` in [[stage]]; did you mean `arrivals`?";
        assert!(said.contains(expected), "{said}");
        assert_eq!(text(&output.stdout), "");
    }
    assert_eq!(
        fs::read_dir(folder.path())?.count(),
        1,
        "a folder for no run"
    );
    Ok(())
}

#[test]
fn a_dry_run_prints_what_is_planned_and_starts_nothing() -> Outcome {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let arguments = ["run", "storm", "--users", "60", "--dry-run", "--out"];
    let output = loadgen(&arguments, &out)?;
    let (said, printed) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        printed.starts_with("storm: 60 users in 50 rooms"),
        "{printed}"
    );
    // 60 users, 10 second logins and 256 files besides; then both ends of each connection.
    let files = "; 326 open files, 396 with the cluster in this process";
    assert!(printed.contains(files), "{printed}");
    for part in [
        "together",
        "users connected over time",
        "must hold: lost == 0",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!out.exists());
    Ok(())
}

#[test]
fn a_plan_is_run_and_a_threshold_that_it_breaks_fails_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mine.toml");
    let plan = "
        drain = '1s'
        [[stage]]
        duration = '200ms'
        arrivals.users = 10
        [[stage]]
        duration = '1s'
        sends = { rate = 20, spacing = 'even' }
        [[threshold]]
        demand = 'sends_total == 20'
        [[threshold]]
        demand = 'broadcast.last.max < 1us'
        ";
    fs::write(&file, plan)?;
    let file = file.to_str().ok_or("a path of text")?;
    let out = folder.path().join("out");
    let output = loadgen(
        &["run", file, "--seed", "3", "--health", "warn", "--out"],
        &out,
    )?;
    let (said, summary) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(1), "{said}\n{summary}");
    let run = run_folder::read(&out)?;
    let thresholds = run.thresholds.iter();
    let thresholds: Vec<_> = thresholds
        .map(|it| (it.metric.as_str(), it.holds))
        .collect();
    let expected = [("sends_total", true), ("broadcast.last.max", false)];
    assert_eq!(thresholds, expected);
    let stages = (run.plan.steps.len(), run.plan.stages.len());
    assert_eq!((run.seed, stages), (3, (2, 2)));
    assert!(
        run.command.ends_with("mine.toml --seed 3 --health warn"),
        "{}",
        run.command
    );
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_run_that_breaks_a_threshold_that_stops_it_is_over_at_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mine.toml");
    let plan = "
        [[stage]]
        duration = '1s'
        arrivals.users = 10
        [[stage]]
        duration = '1h'
        sends = { rate = 10 }
        [[threshold]]
        demand = 'sends_total < 5'
        abort = true
        ";
    fs::write(&file, plan)?;
    let file = file.to_str().ok_or("a path of text")?;
    let out = folder.path().join("out");
    let output = loadgen(&["run", file, "--health", "warn", "--out"], &out)?;
    let summary = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert!(
        summary.contains("`sends_total < 5` was broken: it was"),
        "{summary}"
    );
    assert!(run_folder::read(&out)?.partial);
    Ok(())
}

#[cfg(unix)]
#[test]
fn too_few_open_files_are_told_before_the_start() -> Outcome {
    let script = format!("ulimit -n 300 && exec {PROGRAM} --users 100");
    let output = Command::new("sh").arg("-c").arg(script).output()?;
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    // The ends of the cluster in this process alone; users would live in others.
    assert!(said.contains("100 users need 356 open files, but the limit is 300"));
    assert!(said.contains("cluster start --processes"), "{said}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_with_a_partial_report() -> Outcome {
    let out = tempfile::tempdir()?;
    let command = Command::new(PROGRAM);
    let (mut running, mut lines) = start(command, out.path(), Stdio::piped())?;
    // After 5 s a line tells that it is under way.
    let line = lines.next().ok_or("it ended early")??;
    assert!(line.contains(" users_entered=10 "), "{line}");
    kill_process(Pid::from_child(&running), Signal::INT)?;
    let status = running.wait()?;
    let mut summary = String::new();
    let stdout = running.stdout.as_mut().ok_or("stdout is piped")?;
    stdout.read_to_string(&mut summary)?;
    assert_eq!(status.code(), Some(130), "{summary}");
    assert!(summary.contains("PARTIAL"), "{summary}");
    assert!(!summary.contains("finished: "), "{summary}");
    let run = run_folder::read(out.path())?;
    assert!(run.partial && run.holds(), "{summary}");
    assert!(run.counts["deliveries_total"] > 0, "{summary}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn other_signals_end_a_run_as_ctrl_c_does_even_if_they_come_twice_at_once() -> Outcome {
    let signals = [
        (Signal::TERM, 143),
        #[cfg(target_os = "linux")]
        (Signal::HUP, 129),
    ];
    for (signal, status) in signals {
        let out = tempfile::tempdir()?;
        let (mut running, lines) = start(Command::new(PROGRAM), out.path(), Stdio::null())?;
        let pid = Pid::from_child(&running);
        kill_process(pid, signal)?;
        kill_process(pid, signal)?;
        let said: Vec<_> = lines.collect::<Result<_, _>>()?;
        assert_eq!(running.wait()?.code(), Some(status), "{said:#?}");
        assert!(run_folder::read(out.path())?.partial);
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_run_goes_on_without_its_terminal_if_it_was_told_so() -> Outcome {
    let out = tempfile::tempdir()?;
    let mut command = Command::new("nohup");
    command.arg(PROGRAM);
    let (mut running, mut lines) = start(command, out.path(), Stdio::null())?;
    let pid = Pid::from_child(&running);
    kill_process(pid, Signal::HUP)?;
    let line = lines.next().ok_or("it ended early")??;
    assert!(line.starts_with("elapsed_s="), "{line}");
    kill_process(pid, Signal::TERM)?;
    assert_eq!(running.wait()?.code(), Some(143));
    Ok(())
}

#[cfg(unix)]
#[test]
fn another_signal_ends_it_even_while_it_writes_the_report() -> Outcome {
    let out = tempfile::tempdir()?;
    let (mut running, mut lines) = start(Command::new(PROGRAM), out.path(), Stdio::null())?;
    // Nobody reads from this pipe, so writing the report takes for ever.
    let pipe = out.path().join("run.json.draft");
    assert!(Command::new("mkfifo").arg(pipe).status()?.success());
    kill_process(Pid::from_child(&running), Signal::TERM)?;
    let said = lines.next().ok_or("it ended early")??;
    assert!(said.starts_with("stopping"), "{said}");
    let until = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = running.try_wait()? {
            break status;
        }
        if Instant::now() > until {
            running.kill()?;
        }
        kill_process(Pid::from_child(&running), Signal::INT)?;
        std::thread::yield_now();
    };
    assert_eq!(status.code(), Some(130));
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_summary_that_can_not_be_written_is_an_error_after_the_report() -> Outcome {
    let out = tempfile::tempdir()?;
    let full = fs::File::options().write(true).open("/dev/full")?;
    let (mut running, lines) = start(Command::new(PROGRAM), out.path(), full.into())?;
    kill_process(Pid::from_child(&running), Signal::TERM)?;
    let said = lines.collect::<Result<Vec<_>, _>>()?.join("\n");
    assert_eq!(running.wait()?.code(), Some(2), "{said}");
    assert!(said.contains("can't write to standard output"), "{said}");
    assert!(run_folder::read(out.path())?.partial);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_summary_that_nobody_reads_changes_nothing() -> Outcome {
    let out = tempfile::tempdir()?;
    let (reader, writer) = std::io::pipe()?;
    let (mut running, lines) = start(Command::new(PROGRAM), out.path(), writer.into())?;
    drop(reader);
    kill_process(Pid::from_child(&running), Signal::TERM)?;
    let said: Vec<_> = lines.collect::<Result<_, _>>()?;
    assert_eq!(running.wait()?.code(), Some(143), "{said:#?}");
    assert!(run_folder::read(out.path())?.partial);
    Ok(())
}

/// Starts a run of ten users; when it is back, the run is under way and has said so. Hands back
/// what else it says.
#[cfg(unix)]
fn start(
    mut command: Command,
    out: &Path,
    stdout: Stdio,
) -> Result<(Child, Stderr), Box<dyn Error>> {
    let mut running = command
        .args(["--users", "10", "--rate", "50", "--out"])
        .arg(out)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = running.stderr.take().ok_or("stderr is piped")?;
    let mut lines = BufReader::new(stderr).lines();
    let plan = lines.next().ok_or("it ended early")??;
    assert!(plan.starts_with("10 users in 1 rooms"), "{plan}");
    Ok((running, lines))
}

fn loadgen(arguments: &[&str], out: &Path) -> Result<Output, Box<dyn Error>> {
    Ok(Command::new(PROGRAM).args(arguments).arg(out).output()?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
